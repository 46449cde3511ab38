"""What the accounts hold decides, and what they lack of what is declared is named with the command that brings it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lakemesh.access.check import read_mesh
from lakemesh.access.drift import drift
from lakemesh.access.explain import ColumnAnswer, Verdict, explain
from lakemesh.access.explain_live import Live, explain_live
from lakemesh.access.holders import Access
from lakemesh.access.missing import Remedy
from lakemesh.access.observed import AccountState, InvitationState
from lakemesh.access.state import DatabaseResource, Permission, Resource, TableResource, TagPolicyResource, expression
from lakemesh.access.subject import subject, targets
from lakemesh.access.wanted import expected

DAY = dt.date(2026, 11, 1)
DECLARATIONS, PLACES = read_mesh(Path(__file__).parents[2] / "mesh", DAY)
ACCESS = Access(DECLARATIONS, DAY)
WANTED = expected(DECLARATIONS, DAY)
CENTRAL, FINANCE = "111122223333", "444455556666"
ANALYST = f"arn:aws:iam::{FINANCE}:role/FinanceAnalyst"
EXPRESSION = TagPolicyResource(
    CENTRAL, "TABLE", expression({"product": ["ar_invoice"], "sensitivity": ["internal", "public"]})
)

Accounts = dict[str, AccountState]


def accounts() -> Accounts:
    return {one.id: one.account for one in WANTED}


def changed(here: Accounts, account: str, **changes: Any) -> Accounts:
    return {**here, account: replace(here[account], catalog=replace(here[account].catalog, **changes))}


def without(here: Accounts, account: str, who: str, resource: Resource) -> Accounts:
    rows = here[account].catalog.permissions
    kept = frozenset(row for row in rows if (row.principal, row.resource) != (who, resource))
    assert len(kept) == len(rows) - 1
    return changed(here, account, permissions=kept)


def table(here: Accounts, **changes: Any) -> Accounts:
    databases = dict(here[CENTRAL].catalog.databases)
    tables = dict(databases["ar_curated"].tables)
    tables["invoice"] = replace(tables["invoice"], **changes)
    databases["ar_curated"] = replace(databases["ar_curated"], tables=tables)
    return changed(here, CENTRAL, databases=databases)


def ask(here: Accounts, column: str = "open_amount", who: str = "finance-analytics/analyst") -> ColumnAnswer:
    ((key, _),) = targets(ACCESS, "ar_curated.invoice", column)
    return explain_live(ACCESS, Live(here, drift(WANTED, here, (), DAY)), PLACES, subject(ACCESS, who), key, column)


def test_accounts_as_declared_give_the_declarations_answer_on_every_column() -> None:
    here = accounts()
    live = Live(here, drift(WANTED, here, (), DAY))
    for who in ("finance-analytics/analyst", "finance-analytics/controller", "treasury/cash-desk"):
        asked = subject(ACCESS, who)
        for key, (_, of) in ACCESS.tables.items():
            for column in of.columns:
                declared = explain(ACCESS, PLACES, asked, key, column.name)
                answer = explain_live(ACCESS, live, PLACES, asked, key, column.name)
                assert (answer.verdict, answer.missing) == (declared.verdict, declared.missing)


def test_a_column_that_is_read_shows_the_tags_it_carries_and_the_grant_that_lets_it_through() -> None:
    first, second = ask(accounts()).chain
    assert first.says.startswith("ar_curated.invoice.open_amount carries domain=ar, ")
    assert second.says.endswith(f"passed on by {FINANCE}")


LOST = {
    "the account's grant": (
        lambda here: without(here, CENTRAL, FINANCE, EXPRESSION),
        "is declared and not granted",
        "pulumi up --refresh --stack domain-ar",
    ),
    "what the account passed on": (
        lambda here: without(here, FINANCE, ANALYST, EXPRESSION),
        "is declared and not granted",
        "pulumi up --refresh --stack consumer-finance-analytics",
    ),
    "DESCRIBE on the link": (
        lambda here: without(here, FINANCE, ANALYST, DatabaseResource(FINANCE, "ar_curated")),
        f"{FINANCE} database ar_curated",
        "pulumi up --refresh --stack consumer-finance-analytics",
    ),
    "the link": (
        lambda here: changed(
            here,
            FINANCE,
            databases={name: one for name, one in here[FINANCE].catalog.databases.items() if name != "ar_curated"},
        ),
        "resource link ar_curated is declared and not there",
        "pulumi up --refresh --stack consumer-finance-analytics",
    ),
    "the share": (
        lambda here: changed(here, FINANCE, shares_accepted_from=frozenset()),
        f"no share of {CENTRAL} is in force",
        "deploy the domains, then pulumi up --refresh --stack consumer-finance-analytics",
    ),
    "the column's tag": (
        lambda here: table(here, column_tags={}),
        "ar_curated.invoice.open_amount does not carry sensitivity=internal",
        "pulumi up --refresh --stack domain-ar",
    ),
    "the column": (
        lambda here: table(here, columns=("invoice_number",)),
        "the central catalog has no ar_curated.invoice.open_amount",
        "lakemesh sync run --table ar_curated.invoice",
    ),
}


@pytest.mark.parametrize("what", sorted(LOST))
def test_what_was_lost_is_named_first_with_the_command_that_brings_it_back(what: str) -> None:
    lose, says, run = LOST[what]
    answer = ask(lose(accounts()))
    assert answer.verdict is Verdict.DENIED
    assert answer.missing is not None
    assert (answer.missing.remedy, answer.missing.yaml) == (Remedy.DEPLOY, run)
    assert says in answer.missing.says


def test_a_pending_invitation_is_what_is_missing() -> None:
    here = changed(accounts(), FINANCE, shares_accepted_from=frozenset())
    waits = InvitationState("arn:share", "LakeFormation-V4-A", CENTRAL, "PENDING")
    here[FINANCE] = replace(here[FINANCE], invitations=(waits,))
    missing = ask(here).missing
    assert missing is not None
    assert "invitation to share LakeFormation-V4-A is pending" in missing.says


def test_what_nobody_declared_is_read_and_said_to_be_nobodys() -> None:
    here = accounts()
    row = Permission(ANALYST, TableResource(CENTRAL, "ar_curated", "invoice"), frozenset({"SELECT"}))
    here = changed(here, CENTRAL, permissions=here[CENTRAL].catalog.permissions | {row})
    answer = ask(here, "direct_debit_iban")
    assert (answer.verdict, answer.missing) == (Verdict.READ, None)
    assert "granted directly by" in answer.chain[1].says
    assert answer.chain[-1].says.startswith("nobody declared that")


def test_what_is_neither_declared_nor_there_says_what_to_declare() -> None:
    answer = ask(accounts(), "direct_debit_iban")
    assert answer.missing is not None
    assert answer.missing.remedy is Remedy.GRANT
