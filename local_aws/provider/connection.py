"""How one `aws.Provider` reaches AWS: its region, assumed roles, guard on the account, default tags."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local_aws.provider.values import Properties

MODELLED = frozenset({
    "allowedAccountIds", "assumeRoles", "defaultTags", "forbiddenAccountIds", "region", "version",
    # Set by pulumi_aws itself; they switch off checks that are not made here.
    "skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation",
})  # fmt: skip
"""Provider arguments that mean something here; the others are refused by name."""


class ProviderError(Exception):
    """Something that fails one resource: the text is what a person reads beside the resource's URN."""


def text_of(error: ClientError) -> str:
    """An AWS error in the real provider's form: `api error <code>: <message>`."""
    detail = error.response.get("Error", {})
    return f"operation error {error.operation_name}, api error {detail.get('Code')}: {detail.get('Message')}"


def configuration(variables: Mapping[str, Any]) -> Properties:
    """Provider arguments as the engine sends them, nested values and numbers JSON-encoded, as plain values."""
    decoded: Properties = {}
    for key, value in variables.items():
        decoded[key] = value
        if isinstance(value, str) and value[:1] in {"[", "{"}:
            decoded[key] = json.loads(value)
    return decoded


@dataclass(frozen=True)
class Credentials:
    """Whom a provider starts as, before it assumes any role; None: the SDK's own chain (environment, profile)."""

    access_key: str | None = None
    secret_key: str | None = None
    token: str | None = None


@dataclass
class Connection:
    """The AWS account and region behind one provider resource. Clients are made once and shared between threads."""

    endpoint: str | None
    base: Credentials
    config: Properties
    _clients: dict[str, Any] = field(default_factory=dict)
    _session: boto3.Session | None = None
    _account: str = ""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def region(self) -> str:
        return str(self.config.get("region") or "")

    @property
    def account(self) -> str:
        """The account that this provider acts in. Raises ProviderError when it is not an allowed one."""
        self.connect()
        return self._account

    @property
    def partition(self) -> str:
        return (
            "aws-cn" if self.region.startswith("cn-") else "aws-us-gov" if self.region.startswith("us-gov-") else "aws"
        )

    def arn(self, service: str, rest: str, *, region: str | None = None) -> str:
        return f"arn:{self.partition}:{service}:{self.region if region is None else region}:{self.account}:{rest}"

    def tags(self, inputs: Mapping[str, Any]) -> dict[str, str]:
        """The resource's own tags over the provider's default tags: what `tagsAll` says."""
        defaults = (self.config.get("defaultTags") or {}).get("tags") or {}
        return {**defaults, **(inputs.get("tags") or {})}

    def connect(self) -> None:
        """Assume the configured roles, one after the other, and check whose account that is."""
        with self._lock:
            if self._session is not None:
                return
            session = self._start()
            for role in self.config.get("assumeRoles") or []:
                session = self._assume(session, role)
            try:
                account = self._client(session, "sts").get_caller_identity()["Account"]
            except (ClientError, BotoCoreError) as error:
                raise ProviderError(
                    f"retrieving AWS account details: validating provider credentials: {error}"
                ) from error
            allowed = self.config.get("allowedAccountIds")
            if (allowed and account not in allowed) or account in (self.config.get("forbiddenAccountIds") or ()):
                raise ProviderError(f"AWS account ID not allowed: {account}")
            self._session, self._account = session, account

    def client(self, service: str) -> Any:
        self.connect()
        with self._lock:
            if service not in self._clients:
                assert self._session is not None  # noqa: S101 - connect() made it, or raised
                self._clients[service] = self._client(self._session, service)
            return self._clients[service]

    def _start(self) -> boto3.Session:
        if not self.region:
            raise ProviderError("invalid AWS Region: set `region` on the provider.")
        return boto3.Session(
            aws_access_key_id=self.base.access_key,
            aws_secret_access_key=self.base.secret_key,
            aws_session_token=self.base.token,
            region_name=self.region,
        )

    def _assume(self, session: boto3.Session, role: Mapping[str, Any]) -> boto3.Session:
        wanted = {"RoleArn": role["roleArn"], "RoleSessionName": role.get("sessionName") or "pulumi"}
        if role.get("externalId"):
            wanted["ExternalId"] = role["externalId"]
        try:
            got = self._client(session, "sts").assume_role(**wanted)["Credentials"]
        except ClientError as error:
            raise ProviderError(f"Cannot assume IAM Role {role['roleArn']}: {text_of(error)}") from error
        return boto3.Session(
            aws_access_key_id=got["AccessKeyId"],
            aws_secret_access_key=got["SecretAccessKey"],
            aws_session_token=got["SessionToken"],
            region_name=self.region,
        )

    def _client(self, session: boto3.Session, service: str) -> Any:
        # A given endpoint is an address on loopback: no bucket names before it, no proxy in between.
        loopback: dict[str, Any] = {"s3": {"addressing_style": "path"}, "proxies": {}} if self.endpoint else {}
        # A deployed function may run for as long as Lambda lets it: 15 minutes.
        # As often as the real provider does (its `max_retries`): sixty products are more invocations at once than the
        # ten that a new account may run.
        config = Config(
            read_timeout=910,
            retries={"mode": "standard", "total_max_attempts": 26},
            max_pool_connections=32,
            **loopback,
        )
        return cast(Any, session).client(service, endpoint_url=self.endpoint, config=config)
