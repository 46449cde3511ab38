"""A catalog under the AWS managed key cannot be shared."""

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
                    "connection_password_encryption": {"return_connection_password_encrypted": True},
                    "encryption_at_rest": {"catalog_encryption_mode": "SSE-KMS"},
                }
            }
        }
    )
