"""The only way to bucket and key policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from sync_handlers import clients, policies
from sync_handlers.errors import HandlerError, NotDeployedError, RefusedError, deploy

if TYPE_CHECKING:
    from mypy_boto3_kms.client import KMSClient
    from mypy_boto3_s3.client import S3Client


class GoneError(RefusedError):
    """There is no such bucket or key."""


class PolicyDocument(Protocol):
    """One resource policy that can be read and written as a whole."""

    @property
    def where(self) -> str: ...
    @property
    def limit(self) -> int: ...
    def read(self) -> str | None: ...
    def write(self, text: str | None) -> None: ...


@dataclass(frozen=True)
class BucketPolicy:
    """The policy of a bucket of this account. `account` keeps a bucket of the same name elsewhere from being
    written."""

    client: S3Client
    bucket: str
    account: str

    @property
    def where(self) -> str:
        return f"bucket {self.bucket}"

    @property
    def limit(self) -> int:
        return policies.BUCKET_BYTES

    def read(self) -> str | None:
        try:
            return self.client.get_bucket_policy(Bucket=self.bucket, ExpectedBucketOwner=self.account)["Policy"]
        except ClientError as error:
            if clients.code(error) == "NoSuchBucketPolicy":
                return None
            raise self._explained(error) from error

    def write(self, text: str | None) -> None:
        try:
            if text is None:
                self.client.delete_bucket_policy(Bucket=self.bucket, ExpectedBucketOwner=self.account)
            else:
                self.client.put_bucket_policy(Bucket=self.bucket, Policy=text, ExpectedBucketOwner=self.account)
        except ClientError as error:
            raise self._explained(error) from error

    def _explained(self, error: ClientError) -> HandlerError:
        code = clients.code(error)
        if code == "NoSuchBucket":
            return GoneError(
                f"{self.where}: there is no such bucket in account {self.account}. Correct the producer's buckets in "
                "mesh.yaml."
            )
        return _refused(error, self.where)


@dataclass(frozen=True)
class KeyPolicy:
    """The policy of a KMS key of this account, by its ARN or by the ARN of an alias."""

    client: KMSClient
    key: str

    @property
    def where(self) -> str:
        return f"key {self.key}"

    @property
    def limit(self) -> int:
        return policies.KEY_BYTES

    def read(self) -> str | None:
        try:
            return self.client.get_key_policy(KeyId=self._key_id(), PolicyName="default")["Policy"]
        except ClientError as error:
            raise self._explained(error) from error

    def write(self, text: str | None) -> None:
        if text is None:
            raise RefusedError(
                f"{self.where}: without the mesh's statements its policy would be empty, and nobody could ever manage "
                "the key again. Its owner has to add a statement for their own administrators first."
            )
        try:
            # The lockout check stays on: KMS refuses a policy that its writer could not change any more.
            self.client.put_key_policy(KeyId=self._key_id(), PolicyName="default", Policy=text)
        except ClientError as error:
            raise self._explained(error) from error

    def _key_id(self) -> str:
        """GetKeyPolicy and PutKeyPolicy take no alias (KMS API, `KeyId`)."""
        if ":alias/" not in self.key:
            return self.key
        return self.client.describe_key(KeyId=self.key)["KeyMetadata"]["Arn"]

    def _explained(self, error: ClientError) -> HandlerError:
        if clients.code(error) == "NotFoundException":
            return GoneError(f"{self.where}: there is no such key. Correct the producer's keys in mesh.yaml.")
        return _refused(error, self.where)


def _refused(error: ClientError, where: str) -> HandlerError:
    if clients.code(error) in {"MalformedPolicy", "MalformedPolicyDocumentException"}:
        return NotDeployedError(
            f"{where}: AWS refuses the merged policy ({clients.text(error)}). A policy cannot name principals that do "
            f"not exist: {deploy('central')}."
        )
    return RefusedError(f"{where}: {clients.text(error)}. Its policy is as it was before.")
