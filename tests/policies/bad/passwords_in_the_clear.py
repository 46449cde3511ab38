"""Passwords of connections are returned in the clear."""

from __future__ import annotations

from tests.policies.baseline import (
    central,
)

RULE = "catalog-topics-and-queues-use-customer-keys"
RESOURCE = "catalog"


def program() -> None:
    central(
        {
            "catalog": {
                "data_catalog_encryption_settings": {
                    "connection_password_encryption": {"return_connection_password_encrypted": False},
                    "encryption_at_rest": {
                        "catalog_encryption_mode": "SSE-KMS",
                        "sse_aws_kms_key_id": "arn:aws:kms:eu-central-1:111122223333:key/catalog",
                    },
                }
            }
        }
    )
