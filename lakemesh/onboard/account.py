"""One live account, read-only: who the credentials are, and calls whose refusals are collected instead of raised.

Every call is one of `PRODUCER_READS` or `CONSUMER_READS`, which docs/onboarding.md publishes as IAM policies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
)

from lakemesh.onboard.errors import (
    ExpiredCredentialsError,
    Missing,
    MissingPermissionsError,
    OnboardError,
    WrongAccountError,
)

SESSION_NAME: Final = "lakemesh-onboard"
_CONFIG: Final = Config(retries={"mode": "standard", "total_max_attempts": 10}, connect_timeout=10, read_timeout=60)
_EXPIRED: Final = frozenset({
    "ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired",
    "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "AuthFailure", "SignatureDoesNotMatch",
})  # fmt: skip
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
# Operations whose permission has another name ("Required permissions for Amazon S3 API operations").
_ACTIONS: Final = {
    ("s3", "HeadObject"): "s3:GetObject",
    ("s3", "ListBuckets"): "s3:ListAllMyBuckets",
    ("s3", "ListObjectsV2"): "s3:ListBucket",
    ("s3", "GetBucketEncryption"): "s3:GetEncryptionConfiguration",
}
PRODUCER_READS: Final = (
    "glue:GetDataCatalogEncryptionSettings", "glue:GetDatabases", "glue:GetPartitions", "glue:GetResourcePolicy",
    "glue:GetTables", "kms:Decrypt", "kms:DescribeKey", "kms:GetKeyPolicy", "lakeformation:GetDataLakeSettings",
    "lakeformation:ListPermissions", "s3:GetBucketPolicy", "s3:GetEncryptionConfiguration", "s3:ListAllMyBuckets",
)  # fmt: skip
"""Actions that onboarding a producer uses; kms:Decrypt only through Glue, where the catalog is encrypted."""
CONSUMER_READS: Final = (
    "glue:GetDatabases", "iam:GetAccountAuthorizationDetails", "lakeformation:GetDataLakeSettings",
)  # fmt: skip
"""Actions that onboarding a consumer uses."""

_ROLE_ARN: Final = re.compile(r"arn:[a-z-]+:iam::(?P<account>\d{12}):role/.+")
_SESSION_ARN: Final = re.compile(r"arn:(?P<partition>[a-z-]+):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/.+")


class LakeFormationRefusalError(Exception):
    """Lake Formation, and not IAM, refused: the caller is no data lake administrator."""


class Account:
    """An account as the credentials see it. Denied reads are remembered; `complete()` raises what they add up to."""

    def __init__(self, session: boto3.Session, identity: str, account: str) -> None:
        self.account = account
        self.identity = identity
        self.used: set[str] = set()
        """Actions that were used."""
        self._session: Any = session
        self._clients: dict[str, Any] = {}
        self._missing: set[Missing] = set()

    @property
    def role(self) -> str:
        """Name of the role behind the credentials; empty for a user."""
        match = _SESSION_ARN.fullmatch(self.identity)
        return match["role"] if match else ""

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=_CONFIG)
        return self._clients[service]

    # ------------------------------------------------------------------------------------------------ the calls
    def read(
        self,
        service: str,
        operation: str,
        what: str,
        *,
        resource: str = "*",
        absent: tuple[str, ...] = (),
        **parameters: Any,
    ) -> Mapping[str, Any] | None:
        """The answer; None where it was denied (which is remembered) or where the error is one of `absent`."""
        try:
            answer: Mapping[str, Any] = getattr(self.client(service), xform_name(operation))(**parameters)
        except (ClientError, BotoCoreError) as error:
            self._failed(error, service, operation, what, resource, absent)
            return None
        self.used.add(action(service, operation))
        return answer

    def pages(
        self,
        service: str,
        operation: str,
        what: str,
        *,
        resource: str = "*",
        absent: tuple[str, ...] = (),
        **parameters: Any,
    ) -> Iterator[Mapping[str, Any]]:
        """Every page of the answer, up to the first that is denied."""
        token: dict[str, Any] = {}
        while True:
            page = self.read(service, operation, what, resource=resource, absent=absent, **parameters, **token)
            if page is None:
                return
            yield page
            following = _next(page)
            if not following or following == token:
                return
            token = following

    def complete(self) -> None:
        """Raises MissingPermissionsError where anything was denied."""
        if self._missing:
            raise MissingPermissionsError(self.identity, self._missing)

    def _failed(
        self, error: Exception, service: str, operation: str, what: str, resource: str, absent: tuple[str, ...]
    ) -> None:
        """Remember a denial, ignore an absence, raise the rest."""
        if not isinstance(error, ClientError):
            raise _unreachable(error, what) from error
        code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
        if code in absent:
            self.used.add(action(service, operation))
            return
        if code in _EXPIRED:
            raise _expired(code, what) from error
        if code == "GlueEncryptionException":
            # An encrypted catalog shows itself to who may decrypt (Glue developer guide, "encrypt-glue-data-catalog").
            self._missing.add(Missing("kms:Decrypt", "the catalog's key", what))
            return
        if code in _DENIED:
            if "Lake Formation permission" in message:
                self.used.add(action(service, operation))
                raise LakeFormationRefusalError(message) from error
            self._missing.add(Missing(action(service, operation), resource, what))
            return
        raise OnboardError(f"Reading {what} failed ({service}.{operation}): {code}: {message}") from error


def action(service: str, operation: str) -> str:
    """The IAM action of an operation."""
    return _ACTIONS.get((service, operation), f"{service}:{operation}")


def _next(page: Mapping[str, Any]) -> dict[str, Any]:
    """The parameter that asks for the page after this one: services have one of three ways to say it."""
    if page.get("NextToken"):
        return {"NextToken": page["NextToken"]}
    if page.get("IsTruncated") and page.get("Marker"):
        return {"Marker": page["Marker"]}
    if page.get("ContinuationToken"):
        return {"ContinuationToken": page["ContinuationToken"]}
    return {}


# ------------------------------------------------------------------------------------------------- the credentials
def open_account(account: str, region: str, profile: str | None = None, role: str | None = None) -> Account:
    """The account behind a profile, or behind a role that the profile (or the environment) may assume.

    Asks STS who that is before anything else. Raises WrongAccountError for another account than `account`,
    ExpiredCredentialsError without usable credentials.
    """
    if role is not None:
        match = _ROLE_ARN.fullmatch(role)
        if match is None:
            raise OnboardError(f'"{role}" is not the ARN of a role, such as arn:aws:iam::{account}:role/Reader.')
        if match["account"] != account:
            raise WrongAccountError(
                f"Role {role} is of account {match['account']}, not of {account}. Nothing was read."
            )
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        if role is not None:
            session = _assumed(session, region, role)
        identity = session.client("sts", config=_CONFIG).get_caller_identity()
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        if code in _EXPIRED:
            raise _expired(code, "who the credentials are") from error
        raise OnboardError(f"STS refused: {error.response['Error'].get('Message', code)}") from error
    except BotoCoreError as error:
        raise _unreachable(error, "who the credentials are") from error
    if identity["Account"] != account:
        raise WrongAccountError(
            f"These credentials are of account {identity['Account']} ({identity['Arn']}), not of {account}. "
            "Nothing was read. Choose others with --profile or --role, or correct --account."
        )
    return Account(session, str(identity["Arn"]), account)


def _assumed(session: boto3.Session, region: str, role: str) -> boto3.Session:
    """A session as `role`."""
    sts: Any = session.client("sts", config=_CONFIG)
    try:
        made = sts.assume_role(RoleArn=role, RoleSessionName=SESSION_NAME)["Credentials"]
    except ClientError as error:
        if error.response["Error"].get("Code") not in _DENIED:
            raise
        raise OnboardError(
            f"{role} cannot be assumed: {error.response['Error'].get('Message', '')}\n"
            "Its trust policy has to name who you are, and your own policy has to allow sts:AssumeRole on it."
        ) from error
    return boto3.Session(
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
        aws_session_token=made["SessionToken"],
        region_name=region,
    )


def _expired(code: str, what: str) -> ExpiredCredentialsError:
    return ExpiredCredentialsError(
        f"The credentials are not valid any more ({code}, while reading {what}). Nothing was written.\n"
        "Renew them (for IAM Identity Center: aws sso login), then run the same command again."
    )


def _unreachable(error: Exception, what: str) -> OnboardError:
    """botocore's own errors: no credentials, no such profile, no network."""
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError | SSOError):
        return ExpiredCredentialsError(
            f"There are no usable AWS credentials ({error}). Nothing was written.\n"
            "Name a profile with --profile, or log in (aws sso login), then run the same command again."
        )
    if isinstance(error, ProfileNotFound):
        return OnboardError(f"{error}. `aws configure list-profiles` says which there are.")
    return OnboardError(f"Reading {what} failed: {error}. Nothing was written.")
