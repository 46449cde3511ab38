"""A role for a partner's account, on no condition: the confused deputy."""

from __future__ import annotations

from tests.policies.baseline import (
    producer,
    trust,
)

RULE = "trust-across-accounts-has-a-condition"
RESOURCE = "partner"
REFERENCE = "https://www.praetorian.com/blog/aws-iam-assume-role-vulnerabilities/"


def program() -> None:
    producer(
        {
            "partner": {
                "assume_role_policy": trust("999988887777", **{"aws:PrincipalOrgID": None, "sts:ExternalId": None})
            }
        }
    )
