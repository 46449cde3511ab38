"""The contract says that the column holds personal data; its tag was taken away."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
    tables,
)

RULE = "sensitive-columns-carry-sensitivity"
RESOURCE = "tags"


def program() -> None:
    domain({"tags": tables(payer_name={})})
