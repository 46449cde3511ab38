"""What counts as drift and what does not: each case one account that differs from what is declared in one thing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakemesh.access.difference import RULES, Change, Drift, Expected, Kind, Role, Waiver
from lakemesh.access.drift import drift
from lakemesh.access.observed import AccountState, InvitationState, SettingsState, ShareState
from lakemesh.access.state import (
    IAM_ALLOWED_PRINCIPALS,
    CatalogState,
    DatabaseResource,
    DatabaseState,
    DataFilter,
    Permission,
    Resource,
    TableResource,
    TagPolicyResource,
    TagResource,
    expression,
)
from lakemesh.access.wanted import expected
from lakemesh.declarations.checks_exceptions import DRIFT_RULES
from tests.access.meshes import CENTRAL, CONSUMERS, ROLES, TODAY, grant, mesh
from tests.access.test_expand import meshes

LAB, DESK = CONSUMERS["lab"], CONSUMERS["desk"]
ANA, BOB = ROLES["lab"]["ana"], ROLES["lab"]["bob"]
ACCOUNT = grant("acc", product="orders", to="lab", sensitivity=["public", "internal"])
GONE = grant("old", product="returns", to="lab/bob", sensitivity=["internal"], expires=dt.date(2031, 1, 1))
MESH = mesh({"sales": [ACCOUNT, GONE]}, {"lab": {"acc": ["ana"]}})
WANTED = {one.name: one for one in expected(MESH, TODAY)}
ORDERS = TagPolicyResource(CENTRAL, "TABLE", expression({"product": ["orders"], "sensitivity": ["public", "internal"]}))
DEPLOYER = f"arn:aws:iam::{CENTRAL}:role/lakemesh-deploy"
SYNC = f"arn:aws:iam::{CENTRAL}:role/lakemesh-sync"

Live = dict[str, AccountState]


def live() -> Live:
    """The accounts as they should be."""
    return {one.id: one.account for one in WANTED.values()}


def found(accounts: Live, *waivers: Waiver, only: str = "") -> list[Drift]:
    chosen = [one for one in WANTED.values() if only in {"", one.name}]
    return list(drift(chosen, accounts, waivers, TODAY))


def short(those: list[Drift]) -> list[tuple[str, str, str]]:
    return [(each.kind, each.change, each.name) for each in those]


def catalog(accounts: Live, account: str, **changes: Any) -> None:
    state = accounts[account]
    accounts[account] = replace(state, catalog=replace(state.catalog, **changes))


def add(accounts: Live, account: str, *rows: Permission) -> None:
    catalog(accounts, account, permissions=accounts[account].catalog.permissions | set(rows))


def remove(accounts: Live, account: str, principal: str, resource: Resource) -> None:
    rows = accounts[account].catalog.permissions
    kept = frozenset(row for row in rows if (row.principal, row.resource) != (principal, resource))
    assert kept != rows
    catalog(accounts, account, permissions=kept)


def row(principal: str, resource: Resource, *permissions: str, grantable: tuple[str, ...] = ()) -> Permission:
    return Permission(principal, resource, frozenset(permissions), frozenset(grantable))


def test_an_account_as_it_was_declared_has_no_drift() -> None:
    assert found(live()) == []


@settings(max_examples=40)
@given(meshes())
def test_no_mesh_differs_from_itself(given_mesh: Any) -> None:
    wanted = expected(mesh(*given_mesh), TODAY)
    assert drift(wanted, {one.id: one.account for one in wanted}, (), TODAY) == ()


# ------------------------------------------------------------------------------------------------------------ grants
def test_a_grant_that_nobody_declared_is_unmanaged_and_says_to_whom() -> None:
    here = live()
    add(here, CENTRAL, row(BOB, TableResource(CENTRAL, "sales_raw", "orders"), "SELECT"))
    (one,) = found(here)
    assert short([one]) == [("grant", "unmanaged", f"{BOB}@{CENTRAL}_table_sales_raw.orders")]
    assert one.says == f"SELECT on {CENTRAL} table sales_raw.orders to {BOB} is granted and not declared"
    assert one.stack == "domain-sales"


def test_a_declared_grant_that_is_not_there_is_missing_and_names_the_stack_that_makes_it() -> None:
    here = live()
    remove(here, CENTRAL, LAB, DatabaseResource(CENTRAL, "sales_raw"))
    central, local = found(here)
    assert (central.change, central.mend) == (Change.MISSING, "pulumi up --refresh --stack domain-sales")
    assert (local.account, local.change) == (LAB, Change.DIFFERENT)
    assert f"account {LAB} itself is not granted it by {CENTRAL} any more" in local.says


@pytest.mark.parametrize(
    ("permissions", "grantable", "says"),
    [
        ((), ("SELECT",), "holds, undeclared, SELECT with grant option"),
        (("DROP", "SELECT"), (), "holds, undeclared, DROP"),
    ],
)
def test_more_than_was_declared_is_different(
    permissions: tuple[str, ...], grantable: tuple[str, ...], says: str
) -> None:
    here = live()
    add(here, LAB, row(ANA, ORDERS, *permissions, grantable=grantable))
    (one,) = found(here, only="lab")
    assert (one.kind, one.change) == (Kind.GRANT, Change.DIFFERENT)
    assert says in one.says


def test_less_than_was_declared_is_different() -> None:
    here = live()
    remove(here, CENTRAL, LAB, ORDERS)
    add(here, CENTRAL, row(LAB, ORDERS, "SELECT"))
    (one,) = found(here, only="central")
    assert f"{LAB} lacks SELECT with grant option" in one.says


def test_a_local_grant_without_its_account_grant_is_drift_even_when_it_is_declared() -> None:
    here = live()
    remove(here, CENTRAL, LAB, ORDERS)
    (one,) = found(here, only="lab")
    assert (one.change, "it opens nothing" in one.says) == (Change.DIFFERENT, True)


def test_a_local_grant_of_nobody_says_so_when_nothing_stands_behind_it() -> None:
    here = live()
    other = TagPolicyResource(CENTRAL, "TABLE", expression({"sensitivity": ["restricted"]}))
    add(here, LAB, row(BOB, other, "SELECT"))
    (one,) = found(here, only="lab")
    assert one.says.endswith(f"and no grant of {CENTRAL} to the account stands behind it")


def test_a_grant_past_its_day_is_unmanaged_and_named() -> None:
    here = live()
    expired = TagPolicyResource(CENTRAL, "TABLE", expression({"product": ["returns"], "sensitivity": ["internal"]}))
    add(here, CENTRAL, row(BOB, expired, "SELECT"))
    (one,) = found(here)
    assert (one.change, one.says.endswith("grant old has expired")) == (Change.UNMANAGED, True)


def test_a_grant_to_everyone_that_iam_lets_in_is_drift() -> None:
    here = live()
    add(here, CENTRAL, row(IAM_ALLOWED_PRINCIPALS, TableResource(CENTRAL, "sales_raw", "orders"), "ALL"))
    (one,) = found(here)
    assert one.says.endswith("whoever IAM lets in holds it")


@pytest.mark.parametrize(
    ("principal", "resource", "permissions"),
    [
        (DEPLOYER, DatabaseResource(CENTRAL, "sales_raw"), ("ALL", "ALTER", "CREATE_TABLE", "DESCRIBE", "DROP")),
        (DEPLOYER, TableResource(CENTRAL, "sales_raw", "orders"), ("ALTER", "DESCRIBE", "DROP")),
        (DEPLOYER, TagResource(CENTRAL, "domain", frozenset({"sales"})), ("ALTER", "DESCRIBE", "DROP")),
        (SYNC, TableResource(CENTRAL, "sales_raw", "orders"), ("ALL", "SELECT", "INSERT")),
    ],
    ids=["its database", "a table without data", "an LF-Tag", "the creator of a table"],
)
def test_what_administrators_and_creators_hold_implicitly_is_no_drift(
    principal: str, resource: Resource, permissions: tuple[str, ...]
) -> None:
    here = live()
    add(here, CENTRAL, row(principal, resource, *permissions, grantable=permissions))
    assert found(here) == []


@pytest.mark.parametrize(
    ("principal", "resource"),
    [
        (DEPLOYER, TableResource(CENTRAL, "sales_raw", "orders")),
        (DEPLOYER, ORDERS),
        (SYNC, TableResource(CENTRAL, "elsewhere", "orders")),
    ],
    ids=["an administrator reads a table", "by an expression", "the creator outside the twins"],
)
def test_data_that_an_administrator_or_the_sync_granted_itself_is_drift(principal: str, resource: Resource) -> None:
    here = live()
    add(here, CENTRAL, row(principal, resource, "SELECT"))
    (one,) = found(here)
    assert one.change is Change.UNMANAGED


def test_super_is_the_list_of_what_it_stands_for() -> None:
    here = live()
    tag_role = f"arn:aws:iam::{CENTRAL}:role/lakemesh-tag"
    tables = TableResource(CENTRAL, "sales_raw", None)
    remove(here, CENTRAL, tag_role, tables)
    add(here, CENTRAL, row(tag_role, tables, "ALL", grantable=("ALL",)))
    assert found(here) == []


def test_a_consumers_own_databases_and_grants_are_its_own() -> None:
    here = live()
    databases = {**here[LAB].catalog.databases, "theirs": DatabaseState()}
    catalog(here, LAB, databases=databases)
    add(here, LAB, row(BOB, DatabaseResource(LAB, "theirs"), "ALL"), row(BOB, DatabaseResource(LAB, "default"), "ALL"))
    assert found(here) == []


def test_a_grant_on_a_link_that_nobody_declared_is_drift() -> None:
    here = live()
    add(here, LAB, row(BOB, DatabaseResource(LAB, "sales_raw"), "DESCRIBE"))
    assert short(found(here)) == [("grant", "unmanaged", f"{BOB}@{LAB}_database_sales_raw")]


# ------------------------------------------------------------------------------------------------------------ filters
def filter_of(here: Live, shows: DataFilter | None) -> None:
    databases = dict(here[CENTRAL].catalog.databases)
    table = databases["sales_raw"].tables["orders"]
    tables = {**databases["sales_raw"].tables, "orders": replace(table, filters={"f": shows} if shows else {})}
    databases["sales_raw"] = replace(databases["sales_raw"], tables=tables)
    catalog(here, CENTRAL, databases=databases)


def test_filters_are_missing_unmanaged_or_show_something_else() -> None:
    one, other = DataFilter(frozenset({"public"}), rows="a = 1"), DataFilter(frozenset({"public", "restricted"}))
    here, wanted = live(), live()
    filter_of(here, other)
    assert short(found(here)) == [("filter", "unmanaged", "sales_raw.orders/f")]
    filter_of(wanted, one)
    expects = replace(WANTED["central"], account=wanted[CENTRAL])
    (different,) = drift([expects], here, (), TODAY)
    assert different.says.endswith("shows public, restricted of every row instead of public of rows with a = 1")
    assert [each.change for each in drift([expects], live(), (), TODAY)] == [Change.MISSING]


# --------------------------------------------------------------------------------------------------------------- tags
def with_tags(here: Live, table: dict[str, str], column: dict[str, dict[str, str]]) -> None:
    databases = dict(here[CENTRAL].catalog.databases)
    was = databases["sales_raw"].tables["orders"]
    changed = replace(was, tags={**was.tags, **table}, column_tags={**was.column_tags, **column})
    databases["sales_raw"] = replace(
        databases["sales_raw"], tables={**databases["sales_raw"].tables, "orders": changed}
    )
    catalog(here, CENTRAL, databases=databases)


@pytest.mark.parametrize(
    ("table", "column", "result"),
    [
        ({}, {"restricted": {"sensitivity": "public"}}, ("different", "sales_raw.orders.restricted/sensitivity")),
        ({}, {"restricted": {}}, ("missing", "sales_raw.orders.restricted/sensitivity")),
        ({}, {"new": {"sensitivity": "public"}}, ("unmanaged", "sales_raw.orders.new/sensitivity")),
        ({"sensitivity": "public"}, {}, ("unmanaged", "sales_raw.orders/sensitivity")),
        ({"product": "stock"}, {}, ("different", "sales_raw.orders/product")),
    ],
)
def test_a_tag_of_a_table_or_column_that_differs_is_found(
    table: dict[str, str], column: dict[str, dict[str, str]], result: tuple[str, str]
) -> None:
    here, wanted = live(), WANTED["central"]
    ontology = {"sensitivity": frozenset({"public"}), "product": frozenset({"orders"})}
    here[CENTRAL] = replace(here[CENTRAL], ontology=ontology)
    wanted = replace(wanted, account=replace(wanted.account, ontology=ontology))
    assert drift([wanted], here, (), TODAY) == ()
    with_tags(here, table, column)
    assert [(each.kind, each.change, each.name) for each in drift([wanted], here, (), TODAY)] == [(Kind.TAG, *result)]


def test_a_key_that_the_mesh_does_not_have_is_reported_once_and_not_where_it_hangs() -> None:
    here = live()
    here[CENTRAL] = replace(here[CENTRAL], ontology={"cost_centre": frozenset({"7"})})
    with_tags(here, {"cost_centre": "7"}, {"public": {"cost_centre": "7"}})
    assert short(found(here)) == [("tag", "unmanaged", "LF-Tag/cost_centre")]


# ----------------------------------------------------------------------------------------------------------- settings
def with_settings(here: Live, account: str, **changes: Any) -> None:
    here[account] = replace(here[account], settings=replace(here[account].settings, **changes))


@pytest.mark.parametrize(
    ("account", "changes", "result"),
    [
        (CENTRAL, {"open_tables": True}, ("different", "default-permissions/tables")),
        (LAB, {"open_databases": True}, ("different", "default-permissions/databases")),
        (CENTRAL, {"administrators": frozenset()}, ("missing", f"administrator/{DEPLOYER}")),
        (LAB, {"read_only_administrators": frozenset({BOB})}, ("unmanaged", f"read-only_administrator/{BOB}")),
        (LAB, {"trusted_owners": frozenset()}, ("missing", f"trusted_resource_owner/{CENTRAL}")),
        (CENTRAL, {"version": 1}, ("different", "cross-account-version")),
        (CENTRAL, {"external_filtering": True}, ("unmanaged", "external-data-filtering")),
    ],
)
def test_settings_that_differ_are_found(account: str, changes: dict[str, Any], result: tuple[str, str]) -> None:
    here = live()
    with_settings(here, account, **changes)
    assert short(found(here)) == [("setting", *result)]


def test_a_version_above_the_declared_one_is_declared_and_never_lowered() -> None:
    here = live()
    with_settings(here, CENTRAL, version=5)
    assert found(here)[0].mend == "declare crossAccountVersion: 5: a version is never lowered"


# ----------------------------------------------------------------------------------------------------- links, shares
def links(here: Live, **changed: DatabaseState | None) -> None:
    databases = {**here[LAB].catalog.databases, **changed}
    catalog(here, LAB, databases={name: each for name, each in databases.items() if each is not None})


@pytest.mark.parametrize(
    ("changed", "result"),
    [
        ({"sales_raw": None}, ("missing", "link/sales_raw")),
        ({"sales_raw": DatabaseState(link_to=(CENTRAL, "supply_curated"))}, ("different", "link/sales_raw")),
        ({"sales_raw": DatabaseState()}, ("different", "link/sales_raw")),
        ({"mine": DatabaseState(link_to=(CENTRAL, "gone"))}, ("unmanaged", "link/mine")),
    ],
    ids=["deleted", "another target", "a database of its own", "of nobody, dangling"],
)
def test_links_that_differ_are_found(changed: dict[str, DatabaseState | None], result: tuple[str, str]) -> None:
    here = live()
    links(here, **changed)
    assert [each for each in short(found(here)) if each[0] == "link"] == [("link", *result)]


def test_a_declared_link_dangles_when_its_database_is_gone() -> None:
    here = live()
    databases = {name: each for name, each in here[CENTRAL].catalog.databases.items() if name != "sales_raw"}
    catalog(here, CENTRAL, databases=databases)
    says = [each.says for each in found(here) if each.kind is Kind.LINK]
    assert says == ["resource link sales_raw leads to a database that is gone"]


SHARE = f"arn:aws:ram:us-west-2:{CENTRAL}:resource-share/1"


@pytest.mark.parametrize(
    ("status", "mend"),
    [
        ("PENDING", "pulumi up --refresh --stack consumer-lab"),
        ("EXPIRED", "have central grant it again"),
        ("REJECTED", "have central grant it again"),
    ],
)
def test_an_invitation_that_nobody_accepted_is_found_with_what_brings_it_back(status: str, mend: str) -> None:
    here = live()
    here[LAB] = replace(here[LAB], invitations=(InvitationState(SHARE, "LakeFormation-V4-A", CENTRAL, status),))
    (one,) = found(here)
    assert (one.kind, one.change, one.name) == (Kind.SHARE, Change.MISSING, "LakeFormation-V4-A")
    assert one.mend.startswith(mend)


def test_an_invitation_that_was_sent_again_and_accepted_is_no_drift() -> None:
    here = live()
    lost = InvitationState(SHARE, "LakeFormation-V4-A", CENTRAL, "EXPIRED")
    here[LAB] = replace(here[LAB], invitations=(lost,), received=frozenset({SHARE}))
    assert found(here) == []


def test_no_share_in_force_is_drift_only_where_something_is_granted() -> None:
    here = live()
    for account in (LAB, DESK):
        catalog(here, account, shares_accepted_from=frozenset())
    shares = [each for each in found(here) if each.kind is Kind.SHARE]
    assert [(each.account, each.change) for each in shares] == [(LAB, Change.MISSING)]


def test_a_share_of_what_was_deleted_is_orphaned() -> None:
    here = live()
    glue = f"arn:aws:glue:us-west-2:{CENTRAL}"
    shares = (
        ShareState("LakeFormation-A", f"{SHARE}a", (f"{glue}:catalog", f"{glue}:database/sales_raw")),
        ShareState("LakeFormation-B", f"{SHARE}b", (f"{glue}:table/sales_raw/was_there",)),
        ShareState("LakeFormation-C", f"{SHARE}c", (f"{glue}:table/sales_raw/*",)),
        ShareState("LakeFormation-D", f"{SHARE}d", ()),
    )
    here[CENTRAL] = replace(here[CENTRAL], shares=shares)
    assert short(found(here)) == [
        ("share", "unmanaged", "LakeFormation-B"),
        ("share", "unmanaged", "LakeFormation-D"),
    ]


# --------------------------------------------------------------------------------------------------------- producers
def test_of_a_producer_only_the_meshs_own_grants_count() -> None:
    plant = "000000000044"
    reader = f"arn:aws:iam::{plant}:role/lakemesh-reader-plant"
    database = DatabaseResource(plant, "sales")
    wanted = Expected(
        Role.PRODUCER,
        "plant",
        CENTRAL,
        AccountState(CatalogState(plant, permissions=frozenset({row(reader, database, "DESCRIBE")}))),
        "producer-plant",
    )
    theirs = row(f"arn:aws:iam::{plant}:role/Theirs", database, "ALL")
    open_ = SettingsState(open_tables=True)
    assert (
        drift([wanted], {plant: AccountState(CatalogState(plant, permissions=frozenset({theirs})), open_)}, (), TODAY)[
            0
        ].change
        is Change.MISSING
    )
    both = frozenset({theirs, row(reader, database, "DESCRIBE", "DROP")})
    assert drift([wanted], {plant: AccountState(CatalogState(plant, permissions=both), open_)}, (), TODAY) == ()


# -------------------------------------------------------------------------------------------------------- exceptions
def waiver(expires: dt.date, **changes: str) -> Waiver:
    given = {"rule": "drift-grant", "resource": "*_table_sales_raw.orders", "stack": "*", "reason": "a move", **changes}
    return Waiver(expires=expires, **given)


@pytest.mark.parametrize(
    ("make", "covered"),
    [
        (lambda: waiver(TODAY + dt.timedelta(1)), True),
        (lambda: waiver(TODAY), False),
        (lambda: waiver(TODAY + dt.timedelta(1), rule="drift-tag"), False),
        (lambda: waiver(TODAY + dt.timedelta(1), resource="*orders_daily"), False),
        (lambda: waiver(TODAY + dt.timedelta(1), stack="domain-supply"), False),
        (lambda: waiver(TODAY + dt.timedelta(1), stack="domain-*"), True),
    ],
    ids=["in force", "on its last day", "another kind", "another grant", "another stack", "its stack"],
)
def test_an_exception_covers_what_it_names_until_its_day(make: Callable[[], Waiver], covered: bool) -> None:
    here = live()
    add(here, CENTRAL, row(BOB, TableResource(CENTRAL, "sales_raw", "orders"), "SELECT"))
    (one,) = found(here, make())
    assert bool(one.exception) is covered
    assert bool(one.lapsed) is (make().expires <= TODAY)


def test_what_is_declared_and_missing_cannot_be_excepted() -> None:
    here = live()
    remove(here, CENTRAL, LAB, DatabaseResource(CENTRAL, "sales_raw"))
    every = waiver(TODAY + dt.timedelta(1), resource="*")
    assert [each.exception for each in found(here, every)] == ["", ""]


def test_exceptions_know_every_kind_of_drift() -> None:
    assert sorted(DRIFT_RULES) == sorted(RULES)


@settings(max_examples=40)
@given(st.sampled_from(sorted(WANTED)), st.data())
def test_whatever_grant_is_taken_away_is_reported_missing_and_nothing_else_in_that_account(
    name: str, data: st.DataObject
) -> None:
    here, one = live(), WANTED[name]
    rows = sorted(one.account.catalog.permissions, key=repr)
    if not rows:
        return
    gone = data.draw(st.sampled_from(rows))
    catalog(here, one.id, permissions=one.account.catalog.permissions - {gone})
    (only,) = [each for each in found(here) if each.account == one.id]
    assert (only.kind, only.change) == (Kind.GRANT, Change.MISSING)
