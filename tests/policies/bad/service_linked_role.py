"""The service-linked role cannot register another account's bucket."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "locations-use-a-registration-role"
RESOURCE = "location"
REFERENCE = "https://github.com/cloud-custodian/cloud-custodian/issues/7668"


def program() -> None:
    domain({"location": {"role_arn": None, "use_service_linked_role": True}})
