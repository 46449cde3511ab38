"""The queue has no key of its own."""

from __future__ import annotations

from tests.policies.baseline import (
    operations,
)

RULE = "catalog-topics-and-queues-use-customer-keys"
RESOURCE = "events"


def program() -> None:
    operations({"events": {"kms_master_key_id": None}})
