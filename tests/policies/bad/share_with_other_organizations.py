"""A RAM share that anybody whose id is mistyped can accept."""

from __future__ import annotations

from tests.policies.baseline import (
    central,
)

RULE = "ram-shares-stay-in-the-organization"
RESOURCE = "share"


def program() -> None:
    central({"share": {"allow_external_principals": True}})
