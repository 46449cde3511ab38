"""A contract gains a bank account number, and nobody has reviewed it."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
    tables,
)

RULE = "sensitive-columns-carry-sensitivity"
RESOURCE = "tags"


def program() -> None:
    domain({"tags": tables(payer_bank_account={})})
