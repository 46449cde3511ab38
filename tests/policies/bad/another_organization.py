"""Another organization as a whole."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "grants-stay-in-the-mesh"
RESOURCE = "account"
REFERENCE = "https://github.com/data-dot-all/dataall/issues/904"


def program() -> None:
    domain({"account": {"principal": "arn:aws:organizations::999988887777:organization/o-zzzzzzzzzz"}})
