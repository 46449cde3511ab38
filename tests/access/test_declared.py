"""The declared state: the sample's hand-written verdicts come out of it, and the overview says what the evaluator says."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given

from lakemesh.access.check import load_mesh
from lakemesh.access.declared import administrators, declared_state, table_state
from lakemesh.access.evaluate import may_grant, table_access
from lakemesh.access.overview import Columns, Overview
from lakemesh.access.state import CatalogState, DatabaseState, Permission, State, TableState
from lakemesh.declarations.models import Column, Declarations, Product, Sensitivity, Status, Table
from tests.access.meshes import CENTRAL, CONSUMERS, ROLES, TODAY, grant, mesh
from tests.access.test_expand import meshes
from tests.access.test_promise import FOREIGN, OWNER, deployed, states, world

MESH = Path(__file__).parents[2] / "mesh"
SAMPLE_DAY = dt.date(2026, 11, 1)
EXPECTED: dict[str, Any] = yaml.safe_load((MESH / "expected.yaml").read_text())
SAMPLE = load_mesh(MESH, SAMPLE_DAY)
STATE = declared_state(SAMPLE, SAMPLE_DAY)


@pytest.mark.parametrize("principal", EXPECTED["principals"])
def test_the_hand_written_verdicts_of_the_sample_come_out(principal: str) -> None:
    consumer, alias = principal.split("/")
    role, account = SAMPLE.consumers[consumer].principals[alias].role, SAMPLE.consumers[consumer].account
    for key, columns in EXPECTED["tables"].items():
        access = table_access(STATE, role, account, *key.split("."))
        wanted = EXPECTED["principals"][principal][key]
        wanted = {wanted: columns} if isinstance(wanted, str) else wanted
        if key not in {table.key for product in SAMPLE.products.values() for table in product.tables}:
            assert set(wanted) == {"denied"}, "what has no contract is readable by nobody"
            assert not access.described
            continue
        assert access.selectable == set(wanted.get("read", ()))
        assert access.visible == {*wanted.get("read", ()), *wanted.get("discover", ())}


@given(meshes())
def test_it_is_the_state_that_tests_build_by_hand(given_) -> None:
    declarations = mesh(*given_)
    built, made = deployed(declarations), declared_state(declarations, TODAY)
    assert made.catalogs[CENTRAL].permissions == built.catalogs[CENTRAL].permissions
    assert made.catalogs[CENTRAL].databases == built.catalogs[CENTRAL].databases
    for account in CONSUMERS.values():
        assert made.catalogs[account].permissions == built.catalogs[account].permissions
        links = {name: each for name, each in made.catalogs[account].databases.items() if name != "default"}
        assert links == built.catalogs[account].databases


@given(meshes())
def test_every_consumers_stack_may_make_its_own_grants(given_) -> None:
    """permission-cascading-rules: else it could not be deployed."""
    declarations = mesh(*given_)
    state = declared_state(declarations, TODAY)
    for name, account in CONSUMERS.items():
        for administrator in administrators(declarations, name):
            assert administrator in state.catalogs[account].administrators
            for permission in state.catalogs[account].permissions:
                assert may_grant(state, administrator, permission) is None


def product(
    status: Status = Status.ACTIVE, *, kind: str = "table", **columns: tuple[Sensitivity | None, int | None]
) -> TableState:
    made = tuple(
        Column(name=name, type="string", sensitivity=level, partition_key=key) for name, (level, key) in columns.items()
    )
    table = Table(name="t", producer="p", database="d", twin="d", columns=made, kind=kind, tags={"layer": "raw"})
    return table_state(Product(name="x", domain="y", version="1", status=status, tables=(table,)), table)


def test_partition_keys_stand_apart_in_their_order() -> None:
    made = product(a=(Sensitivity.PUBLIC, 2), b=(Sensitivity.INTERNAL, None), c=(Sensitivity.PUBLIC, 1))
    assert (made.columns, made.partition_keys) == (("b",), ("c", "a"))
    assert made.column_tags["b"] == {"sensitivity": "internal"}


def test_no_column_is_tagged_while_a_partition_key_is_unreviewed() -> None:
    assert product(a=(Sensitivity.PUBLIC, None), day=(None, 1)).column_tags == {}


def test_a_view_carries_its_highest_sensitivity_once_all_its_columns_are_reviewed() -> None:
    levels = {"a": (Sensitivity.PUBLIC, None), "b": (Sensitivity.INTERNAL, None)}
    assert product(kind="view", **levels).tags == {"layer": "raw", "product": "x", "sensitivity": "internal"}
    assert product(kind="view", c=(None, None), **levels).tags == {"layer": "raw", "product": "x"}


def test_a_retired_product_carries_no_tags() -> None:
    made = product(Status.RETIRED, a=(Sensitivity.PUBLIC, None))
    assert (made.tags, made.column_tags) == ({}, {})


# ----------------------------------------------------------------------------------------------------------- overview
def one_by_one(state: State, principal: str, account: str, owner: str) -> dict[tuple[str, str], Columns]:
    found = {}
    for name, database in state.catalogs[owner].databases.items():
        for key in database.tables:
            access = table_access(state, principal, account, name, key)
            if access.visible:
                found[name, key] = Columns(access.visible, access.selectable)
    return found


@given(meshes())
def test_the_overview_of_a_mesh_is_that_of_the_evaluator(given_) -> None:
    declarations = mesh(*given_)
    state = declared_state(declarations, TODAY)
    overview = Overview(state, CENTRAL)
    for consumer, roles in ROLES.items():
        account = CONSUMERS[consumer]
        for role in (*roles.values(), *administrators(declarations, consumer), f"arn:aws:iam::{account}:role/nobody"):
            assert overview.tables(role) == one_by_one(state, role, account, CENTRAL)


@given(states)
def test_the_overview_of_any_state_is_that_of_the_evaluator(given_) -> None:
    built = world(*given_)
    account = built.catalogs["200000000002"]
    linked = CatalogState(
        account.account,
        permissions=account.permissions,
        databases={"d": DatabaseState(link_to=(OWNER, "d"), creator=FOREIGN)},
        shares_accepted_from=account.shares_accepted_from,
    )
    state = State({**built.catalogs, account.account: linked})
    assert Overview(state, OWNER).tables(FOREIGN) == one_by_one(state, FOREIGN, account.account, OWNER)


@given(meshes())
def test_an_account_can_come_to_have_what_its_administrator_grants_to_themselves(given_) -> None:
    declarations = mesh(*given_)
    state = declared_state(declarations, TODAY)
    for consumer, account in CONSUMERS.items():
        here = state.catalogs[account]
        role = administrators(declarations, consumer)[0]
        taken = frozenset(
            Permission(role, row.resource, row.grantable)
            for row in state.catalogs[CENTRAL].permissions
            if row.principal == account
        )
        assert all(may_grant(state, role, permission) is None for permission in taken)
        greedy = CatalogState(
            account, here.administrators, here.permissions | taken, here.databases, {}, here.shares_accepted_from
        )
        after = State({**state.catalogs, account: greedy})
        links = one_by_one(after, role, CENTRAL, CENTRAL)
        assert Overview(state, CENTRAL).account(account) == links


def test_an_unknown_account_has_nothing() -> None:
    declarations: Declarations = mesh({"sales": [grant("g", product="orders", to="lab", sensitivity=["public"])]})
    overview = Overview(declared_state(declarations, TODAY), CENTRAL)
    assert overview.tables("arn:aws:iam::000000000099:role/X") == {}
    assert overview.account("000000000099") == {}
    assert overview.account(CONSUMERS["lab"])
