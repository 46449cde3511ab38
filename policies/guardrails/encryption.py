"""Encryption at rest, and with whose keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from guardrails import tokens
from guardrails.mesh import Given
from guardrails.resource import Resource, Stack, mapping, text, true
from guardrails.rule import Concern

ENCRYPTION: Final = Concern("encryption", "Encryption")
ENCRYPTED: Final = {
    tokens.FILE_SYSTEM: "encrypted",
    tokens.VOLUME: "encrypted",
    tokens.DB_INSTANCE: "storageEncrypted",
    tokens.DB_CLUSTER: "storageEncrypted",
    tokens.WAREHOUSE: "encrypted",
}
"""Stores that are written in the clear unless a property says otherwise."""


@ENCRYPTION.resource(
    "catalog-topics-and-queues-use-customer-keys",
    Severity.HIGH,
    tokens.QUEUE,
    tokens.TOPIC,
    tokens.CATALOG_ENCRYPTION,
    fix="Encrypt with a customer managed key: kms_master_key_id, or SSE-KMS with sse_aws_kms_key_id for the catalog.",
)
def catalog_topics_and_queues_use_customer_keys(resource: Resource, _given: Given) -> Iterator[str]:
    """Catalogs, topics and queues are encrypted with customer managed keys.

    Nobody can let another account use an AWS managed key: a catalog under one cannot be shared, and EventBridge and
    CloudWatch cannot write to topics and queues under one.

    Good::

        aws.sqs.Queue("events", kms_master_key_id=key.arn, ...)

    Bad::

        aws.sqs.Queue("events", kms_master_key_id="alias/aws/sqs", ...)
    """
    if resource.type == tokens.CATALOG_ENCRYPTION:
        yield from _catalog(resource)
    elif not resource.given("kmsMasterKeyId"):
        yield f"{resource} is not encrypted with a key of your own; name one in kms_master_key_id."
    elif "alias/aws/" in text(key := resource.get("kmsMasterKeyId")):
        yield (
            f"{resource} is encrypted with the AWS managed key {key}, which other services cannot be let use; "
            "use your own."
        )


def _catalog(resource: Resource) -> Iterator[str]:
    settings = mapping(resource.get("dataCatalogEncryptionSettings"))
    at_rest, passwords = (
        mapping(settings.get("encryptionAtRest")),
        mapping(settings.get("connectionPasswordEncryption")),
    )
    key = text(at_rest.get("sseAwsKmsKeyId"))
    if text(at_rest.get("catalogEncryptionMode")) == "DISABLED" or not key or "alias/aws/" in key:
        yield (
            f"{resource} does not encrypt the catalog with a key of your own, so it cannot be shared; name "
            "sse_aws_kms_key_id."
        )
    elif not true(passwords.get("returnConnectionPasswordEncrypted")):
        yield (
            f"{resource} returns passwords of connections in the clear; set return_connection_password_encrypted=True."
        )


@ENCRYPTION.stack(
    "storage-is-encrypted",
    Severity.HIGH,
    fix="Switch encryption at rest on: BucketServerSideEncryptionConfiguration for buckets, the property named "
    "for others.",
)
def storage_is_encrypted(stack: Stack, _given: Given) -> Iterator[tuple[Resource, str]]:
    """Everything that stores data says how it is encrypted at rest.

    What is encrypted by a default is encrypted until the default is another.

    Good::

        aws.s3.BucketServerSideEncryptionConfiguration("lake", bucket=lake.id, rules=[
            {"apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn}}])

    Bad::

        aws.s3.Bucket("lake")  # and no encryption configuration
    """
    for resource, on in stack.read(list(ENCRYPTED), lambda each: true(each.get(ENCRYPTED[each.type]))):
        if not on:
            yield resource, f"{resource} is written in the clear; set {_snake(ENCRYPTED[resource.type])}=True."
    for resource, kind in stack.read(tokens.STREAM, lambda each: text(each.get("encryptionType"))):
        if kind != "KMS":
            yield resource, f'{resource} is written in the clear; set encryption_type="KMS".'
    configured = {name for _, name in stack.read(tokens.BUCKET_ENCRYPTION, lambda each: text(each.get("bucket")))}
    buckets = stack.read(tokens.BUCKET, lambda each: {text(each.get("bucket")), text(each.get("id"))} - {""})
    if stack.unknown is not None:
        return
    for resource, names in buckets:
        if not names & configured and not resource.given("serverSideEncryptionConfiguration"):
            yield (
                resource,
                f"{resource} does not say how it is encrypted; add a BucketServerSideEncryptionConfiguration.",
            )


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).lower()
