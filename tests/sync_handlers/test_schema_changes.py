"""What a change of schema means: additive, widening or breaking, against the twin and the contract."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_handlers.schema_changes import Change, classify, fits, newer, widens
from tests.sync_handlers.tables import (
    column,
    contract,
    csv,
    iceberg,
    manifest,
    orders_contract,
    parquet,
    partition,
    tables,
)


def orders(contracted: dict[str, Any] | None = None) -> Any:
    return manifest(contracted or orders_contract()).tables["sales_raw.orders"]


def with_columns(*columns: dict[str, Any]) -> dict[str, Any]:
    table = parquet()
    table["StorageDescriptor"]["Columns"] = list(columns)
    return table


ID, EMAIL, AMOUNT = column("id", "bigint"), column("email"), column("amount", "decimal(18,2)")


@pytest.mark.parametrize(
    ("after", "change", "says"),
    [
        ((ID, EMAIL, AMOUNT), None, ""),
        ((AMOUNT, ID, EMAIL), None, ""),
        ((ID, EMAIL, AMOUNT, column("ssn")), Change.ADDITIVE, "ssn is new"),
        ((ID, EMAIL, column("amount", "decimal(20, 2)")), Change.WIDENING, "amount changed"),
        ((ID, EMAIL, column("amount", "decimal(18,4)")), Change.BREAKING, "not every value survives"),
        ((column("id", "int"), EMAIL, AMOUNT), Change.BREAKING, "id changed from bigint to int"),
        ((ID, AMOUNT), Change.BREAKING, "email was dropped"),
        ((ID, column("mail"), AMOUNT), Change.BREAKING, "email was renamed to mail"),
        ((ID, column("email", "struct<a:string>"), AMOUNT), Change.BREAKING, "nested change"),
    ],
)
def test_a_change_is_what_it_does_to_whoever_reads_the_table(
    after: tuple[dict[str, Any], ...], change: Change | None, says: str
) -> None:
    found = classify(parquet(), with_columns(*after), orders())
    assert found.change is change
    assert says in "; ".join(detail.text for detail in found.details)


def test_a_field_of_a_nested_column_that_changes_is_breaking_even_if_it_is_new() -> None:
    before, after = with_columns(column("payer", "struct<name:string>")), with_columns(
        column("payer", "struct<name:string,ssn:string>")
    )  # fmt: skip
    listed = orders(contract("orders", payer=("struct<name:string>", "internal")))
    assert classify(before, after, listed).change is Change.BREAKING
    agreed = orders(contract("orders", payer=("struct<name:string,ssn:string>", "restricted")))
    assert classify(before, after, agreed).change is Change.WIDENING


def test_what_the_contract_says_already_is_agreed() -> None:
    narrower = orders_contract(id=("int", "internal"))
    assert classify(parquet(), with_columns(column("id", "int"), EMAIL, AMOUNT), orders(narrower)).breaking is None
    without = orders_contract()
    without["columns"] = [one for one in without["columns"] if one["name"] != "email"]
    assert classify(parquet(), with_columns(ID, AMOUNT), orders(without)).breaking is None


def test_a_column_that_no_contract_lists_is_readable_by_nobody_and_breaks_nobody() -> None:
    before = with_columns(ID, EMAIL, AMOUNT, column("scratch", "bigint"))
    assert classify(before, with_columns(ID, EMAIL, AMOUNT), orders()).change is Change.ADDITIVE
    retyped = with_columns(ID, EMAIL, AMOUNT, column("scratch", "string"))
    assert classify(before, retyped, orders()).breaking is None


@pytest.mark.parametrize(
    "keys",
    [[], [column("day", "string")], [column("dt", "date")], [column("day", "date"), column("hour", "int")]],
)
def test_other_partition_keys_are_breaking(keys: list[dict[str, Any]]) -> None:
    found = classify(parquet(), parquet(PartitionKeys=keys), orders())
    assert "partition keys changed" in (found.breaking or "")


def test_partition_keys_that_the_contract_lists_are_agreed() -> None:
    listed = orders_contract(hour=("int", "public", 2))
    after = parquet(PartitionKeys=[column("day", "date"), column("hour", "int")])
    assert classify(parquet(), after, orders(listed)).change is Change.WIDENING


@pytest.mark.parametrize(
    ("after", "breaking"),
    [(("id", "name", "iban", "new"), False), (("id", "iban", "name"), True), (("id", "new", "name", "iban"), True)],
)
def test_in_a_positional_format_anything_but_appending_is_breaking(after: tuple[str, ...], breaking: bool) -> None:
    listed = orders(contract("orders", id=("string", "internal"), name=("string", None), iban=("string", None)))
    assert bool(classify(csv("orders", "id", "name", "iban"), csv("orders", *after), listed).breaking) is breaking


def test_a_dropped_column_that_iceberg_keeps_in_glue_is_dropped() -> None:
    before, after = iceberg("orders"), iceberg("orders")
    after["StorageDescriptor"]["Columns"][1]["Parameters"] = {"iceberg.field.current": "false"}
    assert "email was dropped" in (classify(before, after, orders()).breaking or "")


@given(tables())
def test_a_table_against_itself_is_no_change(table: dict[str, Any]) -> None:
    assert classify(table, table).change is None


@pytest.mark.parametrize(
    ("old", "new", "holds"),
    [
        ("int", "bigint", True), ("tinyint", "INT", True), ("BYTE", "smallint", True), ("bigint", "int", False),
        ("float", "double", True), ("double", "float", False), ("int", "double", False), ("int", "string", False),
        ("decimal(10,2)", "decimal(12,2)", True), ("decimal(10,2)", "decimal(12,4)", False),
        ("decimal(12,2)", "decimal(10,2)", False), ("varchar(10)", "varchar(20)", True), ("varchar(10)", "string", True),
        ("varchar(20)", "varchar(10)", False), ("string", "varchar(10)", False), ("date", "timestamp", False),
        ("string", "bigint", False), ("integer", "int", True),
    ],
)  # fmt: skip
def test_a_type_widens_another_only_if_every_value_survives(old: str, new: str, holds: bool) -> None:
    assert widens(old, new) is holds


@given(st.sampled_from(["tinyint", "smallint", "int", "bigint", "float", "double", "decimal(5,2)", "decimal(9,2)"]),
       st.sampled_from(["tinyint", "smallint", "int", "bigint", "float", "double", "decimal(5,2)", "decimal(9,2)"]))  # fmt: skip
def test_two_types_that_widen_each_other_are_one(one: str, other: str) -> None:
    assert (widens(one, other) and widens(other, one)) is (one == other)


def test_a_partition_fits_a_held_schema_if_its_columns_read_it_like_the_others() -> None:
    twin = parquet()
    assert fits(partition(twin, "2026-01-01"), twin) is None
    wider = with_columns(ID, EMAIL, AMOUNT, column("note"))
    assert fits(partition(wider, "2026-01-01"), twin) is None, "what the twin does not have is not seen"
    assert "email was dropped" in (fits(partition(with_columns(ID, AMOUNT), "2026-01-01"), twin) or "")
    retyped = with_columns(ID, column("email", "bigint"), AMOUNT)
    assert "changed from string to bigint" in (fits(partition(retyped, "2026-01-01"), twin) or "")
    assert "partition keys" in (fits(partition(twin, "2026-01-01", "03"), twin) or "")
    bare = partition(twin, "2026-01-01")
    del bare["StorageDescriptor"]["Columns"]
    assert "no columns of its own" in (fits(bare, twin) or "")


@pytest.mark.parametrize(
    ("version", "than", "later"),
    [("1.1.0", "1.0.0", True), ("1.10.0", "1.9.0", True), ("1.0.0", "1.0.0", False), ("1.0.0", "1.1.0", False),
     ("v2", "1.9", True), ("2026-a", "2026-a", False), ("draft", "first", True)],
)  # fmt: skip
def test_versions_of_contracts_are_compared_by_their_numbers(version: str, than: str, later: bool) -> None:
    assert newer(version, than) is later
