from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_handlers import tagging
from sync_handlers.manifest import Table
from sync_handlers.tagging import Assigned, Step
from tests.sync_handlers.tables import column, contract, csv, iceberg, manifest, orders_contract, parquet, view

KEYS = frozenset({"domain", "product", "sensitivity", "layer"})


def of(listed: dict[str, Any]) -> Table:
    return manifest(listed).tables[f"sales_raw.{listed['table']}"]


def test_every_reviewed_column_is_tagged_explicitly_and_partition_keys_too() -> None:
    wish = tagging.wanted(of(orders_contract()), parquet())
    assert wish.assigned.table == {"product": "orders"}
    assert {name: tags["sensitivity"] for name, tags in wish.assigned.columns.items()} == {
        "id": "internal", "email": "confidential", "amount": "internal", "day": "public",
    }  # fmt: skip
    assert wish.unreviewed == wish.pending == wish.held == ()


def test_a_new_column_is_tagged_by_nothing_until_it_is_reviewed() -> None:
    table = parquet()
    table["StorageDescriptor"]["Columns"].append(column("ssn"))
    wish = tagging.wanted(of(orders_contract()), table)
    assert "ssn" not in wish.assigned.columns
    assert wish.unreviewed == ("ssn",)


def test_a_column_of_the_contract_that_nobody_reviewed_is_tagged_by_nothing() -> None:
    wish = tagging.wanted(of(orders_contract(email=("string", None))), parquet())
    assert "email" not in wish.assigned.columns
    assert wish.unreviewed == ("email",)


def test_a_column_that_the_table_lacks_is_pending() -> None:
    wish = tagging.wanted(of(orders_contract(later=("string", "public"))), parquet())
    assert wish.pending == ("later",)
    assert "later" not in wish.assigned.columns


@pytest.mark.parametrize("keys", [[column("day", "date"), column("customer")], [column("region")]])
def test_no_column_is_tagged_until_every_partition_key_is_reviewed(keys: list[dict[str, Any]]) -> None:
    wish = tagging.wanted(of(orders_contract()), parquet(PartitionKeys=keys))
    assert wish.assigned.columns == {}
    assert wish.held[0].column is None
    assert keys[-1]["Name"] in wish.held[0].reason


def test_an_unreviewed_partition_key_of_the_contract_holds_the_whole_table() -> None:
    assert tagging.wanted(of(orders_contract(day=("date", None, 1))), parquet()).assigned.columns == {}


@pytest.mark.parametrize("reviewed_as", ["struct<street:string>", "struct", "", "string"])
def test_a_nested_column_of_another_type_than_reviewed_is_held(reviewed_as: str) -> None:
    table = parquet()
    table["StorageDescriptor"]["Columns"].append(column("address", "struct<street:string,ssn:string>"))
    wish = tagging.wanted(of(orders_contract(address=(reviewed_as, "internal"))), table)
    assert "address" not in wish.assigned.columns
    assert wish.held[0].column == "address"
    assert set(wish.assigned.columns) == {"id", "email", "amount", "day"}, "the others are not held"


def test_a_nested_column_of_the_reviewed_type_is_tagged_however_it_is_spaced() -> None:
    table = parquet()
    table["StorageDescriptor"]["Columns"].append(column("address", "struct<street:string,city:string>"))
    wish = tagging.wanted(of(orders_contract(address=("struct<street: string, city: string>", "internal"))), table)
    assert wish.assigned.columns["address"]["sensitivity"] == "internal"


@pytest.mark.parametrize(
    ("columns", "tagged"),
    [
        (("id", "name", "iban"), 3),
        (("id", "name", "iban", "new"), 3),
        (("id", "iban", "name"), 0),
        (("x", "id", "name"), 0),
    ],
)
def test_in_a_positional_format_columns_in_another_order_are_all_unreviewed(
    columns: tuple[str, ...], tagged: int
) -> None:
    listed = contract("vendors", id=("string", "public"), name=("string", "public"), iban=("string", "restricted"))
    wish = tagging.wanted(of(listed), csv("vendors", *columns))
    assert len(wish.assigned.columns) == tagged
    assert bool(wish.held) is (tagged == 0)


def test_a_dropped_iceberg_column_is_not_tagged() -> None:
    table = iceberg()
    table["StorageDescriptor"]["Columns"][0]["Parameters"] = {"iceberg.field.current": "false"}
    wish = tagging.wanted(of(contract("invoice", id=("bigint", "public"), email=("string", "internal"))), table)
    assert set(wish.assigned.columns) == {"email"}
    assert wish.pending == ("id",)


def test_names_are_compared_as_glue_compares_them() -> None:
    table = parquet()
    table["StorageDescriptor"]["Columns"][0]["Name"] = "ID"
    assert "id" in tagging.wanted(of(orders_contract()), table).assigned.columns


def test_a_table_never_carries_a_sensitivity_that_new_columns_would_inherit() -> None:
    listed = orders_contract()
    listed["tags"]["sensitivity"] = "public"
    assert "sensitivity" not in tagging.wanted(of(listed), parquet()).assigned.table


# -------------------------------------------------------------------------------------------------------- views
def test_a_reviewed_view_carries_its_highest_sensitivity_on_the_table_and_nothing_on_columns() -> None:
    listed = contract(
        "open_orders",
        kind="view",
        tags={"sensitivity": "internal"},
        id=("bigint", "public"),
        amount=("decimal(18,2)", "internal"),
    )
    wish = tagging.wanted(of(listed), view())
    assert wish.assigned == Assigned({"product": "orders", "sensitivity": "internal"})
    assert wish.unreviewed == ()


def test_a_view_with_a_column_that_nobody_reviewed_stays_unreviewed() -> None:
    listed = contract("open_orders", kind="view", tags={"sensitivity": "internal"}, id=("bigint", "public"))
    wish = tagging.wanted(of(listed), view())
    assert wish.assigned == Assigned({"product": "orders"})
    assert "amount" in wish.held[0].reason


@pytest.mark.parametrize(("kind", "table"), [("table", view("t")), ("view", parquet("t"))])
def test_a_contract_that_takes_a_view_for_a_table_tags_no_sensitivity(kind: str, table: dict[str, Any]) -> None:
    listed = contract(
        "t", kind=kind, tags={"sensitivity": "public"}, id=("bigint", "public"), amount=("decimal(18,2)", "public")
    )
    wish = tagging.wanted(of(listed), table)
    assert "sensitivity" not in wish.assigned.table
    assert wish.assigned.columns == {}
    assert "physicalType" in wish.held[0].reason


# -------------------------------------------------------------------------------------------------------- plans
def apply(assigned: Assigned, plan: tagging.Plan) -> Assigned:
    table, columns = dict(assigned.table), {name: dict(tags) for name, tags in assigned.columns.items()}
    for step in plan.add:
        for tags in [columns.setdefault(name, {}) for name in step.columns] or [table]:
            tags.update(step.tags)
    for step in plan.remove:
        for tags in [columns[name] for name in step.columns] or [table]:
            for key, _ in step.tags:
                del tags[key]
    return Assigned(table, {name: tags for name, tags in columns.items() if tags})


_tags = st.dictionaries(st.sampled_from(["product", "sensitivity", "layer"]), st.sampled_from(["a", "b"]), max_size=3)
_assigned = st.builds(
    Assigned, _tags, st.dictionaries(st.sampled_from(["c1", "c2", "c3"]), _tags.filter(bool), max_size=3)
)


@given(_assigned, _assigned)
def test_a_plan_leads_to_what_is_wanted_and_a_second_one_is_empty(wish: Assigned, actual: Assigned) -> None:
    after = apply(actual, tagging.plan(wish, actual, KEYS))
    assert after == wish
    assert tagging.plan(wish, after, KEYS).empty


@given(_assigned, _assigned)
def test_no_column_that_is_tagged_before_and_after_is_untagged_in_between(wish: Assigned, actual: Assigned) -> None:
    plan = tagging.plan(wish, actual, KEYS)
    for step in plan.remove:
        for key, _ in step.tags:
            for tags in [wish.columns.get(name, {}) for name in step.columns] or [wish.table]:
                assert key not in tags


def test_columns_that_need_the_same_tags_share_a_call() -> None:
    wish = Assigned({}, {f"c{number:03d}": {"sensitivity": "internal"} for number in range(300)})
    plan = tagging.plan(wish, Assigned(), KEYS)
    assert plan.add == (Step(tuple(sorted(wish.columns)), (("sensitivity", "internal"),)),)


def test_tags_of_keys_that_are_not_the_meshs_are_left_alone() -> None:
    actual = Assigned({"cost_center": "4711", "layer": "raw"}, {"id": {"cost_center": "1", "sensitivity": "public"}})
    plan = tagging.removal(copy.deepcopy(actual), KEYS)
    assert apply(actual, plan) == Assigned({"cost_center": "4711"}, {"id": {"cost_center": "1"}})
