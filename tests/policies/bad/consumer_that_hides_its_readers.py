"""The audit log of the governance account shows an account, and nobody in it."""

from __future__ import annotations

from tests.policies.baseline import (
    consumer,
)

RULE = "consumers-trust-centrals-audit"
RESOURCE = "settings"
REFERENCE = "https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-logging.html"


def program() -> None:
    consumer({"settings": {"trusted_resource_owners": None}})
