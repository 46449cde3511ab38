from __future__ import annotations

import copy
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_handlers import canonical, planner
from sync_handlers.planner import (
    Circumstances,
    Kind,
    Origin,
    Partition,
    TableChange,
    UnsortedStreamError,
    plan_partitions,
    plan_table,
)
from sync_handlers.schema_changes import Change
from tests.sync_handlers.fakes import CREATED
from tests.sync_handlers.tables import (
    PREFIXES,
    PRODUCER,
    column,
    contract,
    csv,
    iceberg,
    manifest,
    orders_contract,
    parquet,
    tables,
    view,
)

ORIGIN = Origin("shopmesh", PRODUCER, "sales_raw", "sales_raw", PREFIXES)
NOW = dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC)


def at_source(table: dict[str, Any], version: str = "4", created: dt.datetime = CREATED) -> dict[str, Any]:
    return {**copy.deepcopy(table), "VersionId": version, "CreateTime": created, "DatabaseName": "sales_raw"}


def copied(table: dict[str, Any], version: str = "9", **source: Any) -> dict[str, Any]:
    """The twin right after a sync of this table."""
    change = plan(at_source(table, **source), None)
    assert change.input is not None, change
    return {**copy.deepcopy(dict(change.input)), "VersionId": version, "CreateTime": NOW}


def plan(
    source: dict[str, Any] | None, twin: dict[str, Any] | None, listed: dict[str, Any] | None = None
) -> TableChange:
    table = source or twin
    assert table is not None
    name = table["Name"]
    found = manifest(listed).tables.get(f"sales_raw.{name}") if listed else None
    return plan_table(name, source, twin, ORIGIN, found, NOW)


# ------------------------------------------------------------------------------------------------------- tables
@given(tables())
def test_a_plan_after_its_own_application_is_empty(table: dict[str, Any]) -> None:
    assert plan(at_source(table), copied(table)).kind is Kind.KEEP


@given(tables(), tables())
def test_one_application_makes_any_twin_equal_to_any_source(source: dict[str, Any], old: dict[str, Any]) -> None:
    old["Name"] = source["Name"]
    change = plan(at_source(source), copied(old))
    if change.kind is Kind.UPDATE:
        assert change.input is not None
        again = plan(at_source(source), {**change.input, "VersionId": "10"})
        assert again.kind is Kind.KEEP, again.reason
    else:
        assert change.kind is Kind.KEEP or "forward" in change.reason


def test_a_new_table_is_created_with_marks_that_say_where_it_came_from() -> None:
    change = plan(at_source(parquet()), None)
    assert (change.kind, change.reason) == (Kind.CREATE, "new at the source")
    assert change.input is not None
    assert {key: value for key, value in change.input["Parameters"].items() if key.startswith("lakemesh.")} == {
        "lakemesh.synced_by": "shopmesh",
        "lakemesh.source_account": PRODUCER,
        "lakemesh.source_database": "sales_raw",
        "lakemesh.source_version": "4",
        "lakemesh.source_created": "2026-01-01T00:00:00+00:00",
    }


def test_a_later_version_of_the_source_that_means_the_same_is_no_change() -> None:
    table = parquet()
    twin = copied(table)
    table["Parameters"]["transient_lastDdlTime"] = "1800000000"
    assert plan(at_source(table, version="77"), twin).kind is Kind.KEEP


def test_a_changed_schema_is_an_update_that_says_what_differs_and_holds_for_one_version_only() -> None:
    table = parquet()
    twin = copied(table, version="12")
    table["StorageDescriptor"]["Columns"].append(column("note"))
    table["Description"] = "orders"
    change = plan(at_source(table), twin)
    assert (change.kind, change.version) == (Kind.UPDATE, "12")
    assert change.reason == "differs in Description, StorageDescriptor"


def test_a_table_that_somebody_made_in_the_twin_becomes_a_copy() -> None:
    by_hand = {**parquet(), "VersionId": "3"}
    change = plan(at_source(parquet()), by_hand)
    assert (change.kind, change.reason) == (Kind.UPDATE, "equal, but not marked as a copy")


@pytest.mark.parametrize(
    ("foreign", "reason"),
    [
        ({"TargetTable": {"CatalogId": "1", "DatabaseName": "d", "Name": "t"}}, "resource link"),
        ({"FederatedTable": {"Identifier": "x"}}, "federated table"),
        ({"IsMultiDialectView": True}, "multi-dialect"),
        ({"ViewDefinition": {"Representations": [{"Dialect": "SPARK"}]}}, "multi-dialect"),
        ({"IsMaterializedView": True}, "materialized view"),
    ],
)
def test_what_cannot_live_in_another_account_is_skipped_with_its_reason(foreign: dict[str, Any], reason: str) -> None:
    change = plan({**at_source(parquet()), **foreign}, None)
    assert change.kind is Kind.SKIP
    assert reason in change.reason


def test_a_table_outside_the_prefixes_is_refused_and_its_lawful_copy_left() -> None:
    twin = copied(parquet())
    moved = parquet()
    moved["StorageDescriptor"]["Location"] = "s3://lake/raw/sales-evil/orders"
    change = plan(at_source(moved), twin)
    assert change.kind is Kind.SKIP
    assert "s3://lake/raw/sales-evil/orders" in change.reason
    assert not change.danger


def test_a_copy_that_points_outside_its_prefixes_is_a_danger() -> None:
    """Prefixes were narrowed in mesh.yaml, or moved to another producer."""
    table = parquet()
    table["StorageDescriptor"]["Location"] = "s3://lake/raw/hr/orders"
    twin = {**canonical.table_input(table), "VersionId": "1"}
    assert plan(at_source(table), twin).danger


def test_a_view_is_copied_word_for_word() -> None:
    change = plan(at_source(view()), None)
    assert change.kind is Kind.CREATE
    assert change.input is not None
    for member in ("ViewOriginalText", "ViewExpandedText", "TableType"):
        assert change.input[member] == view()[member]
    assert change.input["Parameters"]["presto_view"] == "true"
    assert change.note is None


def test_a_view_in_a_twin_of_another_name_is_copied_with_a_note_that_it_cannot_be_queried() -> None:
    origin = Origin("shopmesh", PRODUCER, "sales_raw", "shop_sales", PREFIXES)
    change = plan_table("open_orders", at_source(view()), None, origin, None, NOW)
    assert change.kind is Kind.CREATE
    assert "cannot be queried" in (change.note or "")


# ----------------------------------------------------------------------------------------------------- Iceberg
@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("00000-6b0d7f5e.metadata.json", 0),
        ("s3://b/t/metadata/00012-6b0d-7f5e.metadata.json", 12),
        ("s3://b/t/metadata/00012-6b0d.gz.metadata.json", 12),
        ("s3://b/t/metadata/v7.metadata.json", 7),
        ("s3://b/t/metadata/v7.metadata.json.gz", 7),
        ("s3://b/t/metadata/100000-x.metadata.json", 100000),
        ("s3://b/t/metadata/latest.metadata.json", None),
        ("s3://b/t/metadata/00012.json", None),
        ("", None),
    ],
)
def test_the_order_of_iceberg_metadata_is_in_its_file_name(name: str, number: int | None) -> None:
    assert planner.sequence(name) == number


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_iceberg_metadata_moves_forward_only(there: int, here: int) -> None:
    change = plan(at_source(iceberg(sequence=there, uuid="bbbb")), copied(iceberg(sequence=here)))
    assert change.kind is (Kind.UPDATE if there > here else Kind.SKIP)


def test_iceberg_metadata_of_the_same_number_is_no_step_forward() -> None:
    change = plan(at_source(iceberg(sequence=4, uuid="bbbb")), copied(iceberg(sequence=4, uuid="aaaa")))
    assert change.kind is Kind.SKIP
    assert "forward" in change.reason


def test_iceberg_metadata_without_a_number_is_not_followed() -> None:
    table = iceberg()
    table["Parameters"]["metadata_location"] = "s3://lake/raw/sales/invoice/metadata/latest.metadata.json"
    assert plan(at_source(table), copied(iceberg())).kind is Kind.SKIP


def test_a_recreated_iceberg_table_may_start_again_at_zero() -> None:
    twin = copied(iceberg(sequence=40))
    recreated = at_source(iceberg(sequence=0, uuid="bbbb"), created=CREATED + dt.timedelta(days=1))
    change = plan(recreated, twin)
    assert (change.kind, change.reason) == (Kind.UPDATE, "recreated at the source")


def test_a_hive_table_may_become_an_iceberg_table() -> None:
    assert plan(at_source(iceberg("orders", 0)), copied(parquet("orders", PartitionKeys=[]))).kind is Kind.UPDATE


def test_glue_keeps_no_partitions_of_iceberg_tables_and_views() -> None:
    assert planner.has_partitions(parquet())
    assert not planner.has_partitions({**iceberg(), "PartitionKeys": [column("day")]})
    assert not planner.has_partitions(view())
    assert not planner.has_partitions(csv())


# --------------------------------------------------------------------------------------------- absence and holding
def test_an_absent_table_is_marked_once_and_never_deleted() -> None:
    twin = copied(parquet(), version="5")
    change = plan(None, twin)
    assert (change.kind, change.version) == (Kind.MARK, "5")
    assert change.input is not None
    assert change.input["Parameters"]["lakemesh.not_seen_since"] == "2026-03-04T05:06:07+00:00"
    assert change.input["Parameters"]["lakemesh.source_version"] == "4", "marks of its origin stay"
    assert plan(None, dict(change.input)).kind is Kind.ABSENT


@pytest.mark.parametrize(
    ("after", "gone", "kind"),
    [(24, "proof", Kind.DELETE), (23, "proof", Kind.ABSENT), (24, None, Kind.ABSENT), (9999, None, Kind.ABSENT)],
)
def test_an_absent_table_is_deleted_when_it_is_proven_and_its_grace_is_over(
    after: int, gone: str | None, kind: Kind
) -> None:
    marked = plan(None, copied(parquet(), version="5")).input
    twin = {**(marked or {}), "VersionId": "6"}
    now = NOW + dt.timedelta(hours=after)
    change = plan_table("orders", None, twin, ORIGIN, None, now, Circumstances(gone=gone))
    assert change.kind is kind
    assert change.absent_since == NOW
    if kind is Kind.DELETE:
        assert change.version == "6"
        assert "proof" in change.reason


def test_a_mark_that_nobody_can_read_dates_nothing_and_is_written_again() -> None:
    twin = copied(parquet())
    twin["Parameters"]["lakemesh.not_seen_since"] = "last week"
    assert not planner.due(twin, NOW, dt.timedelta())
    assert plan(None, twin).kind is Kind.MARK


def test_a_breaking_change_is_held_for_consumers_and_not_without_any() -> None:
    after = parquet()
    after["StorageDescriptor"]["Columns"].pop()
    listed = manifest(orders_contract()).tables["sales_raw.orders"]
    given_to = Circumstances(consumers=("treasury",))
    change = plan_table("orders", at_source(after), copied(parquet()), ORIGIN, listed, NOW, given_to)
    assert (change.kind, change.change) == (Kind.HOLD, Change.BREAKING)
    for free in (Circumstances(), Circumstances(consumers=("treasury",), released=True)):
        assert plan_table("orders", at_source(after), copied(parquet()), ORIGIN, listed, NOW, free).kind is Kind.UPDATE


def test_a_table_that_is_seen_again_loses_its_mark() -> None:
    marked = plan(None, copied(parquet())).input
    change = plan(at_source(parquet()), {**(marked or {}), "VersionId": "6"})
    assert (change.kind, change.reason) == (Kind.UPDATE, "seen again at the source")
    assert "lakemesh.not_seen_since" not in (change.input or {})["Parameters"]


def test_a_table_that_the_sync_did_not_make_is_left_alone() -> None:
    change = plan(None, {**parquet("made_by_hand"), "VersionId": "1"})
    assert change.kind is Kind.ABSENT
    assert "not made by the sync" in change.reason


def test_an_unsafe_schema_change_of_a_listed_table_is_held() -> None:
    before, after = csv("orders", "id", "name"), csv("orders", "id", "ssn", "name")
    listed = contract("orders", id=("string", "internal"), name=("string", "public"))
    change = plan(at_source(after), copied(before), listed)
    assert change.kind is Kind.HOLD
    assert "read by position" in change.reason
    assert plan(at_source(after), copied(before)).kind is Kind.UPDATE, (
        "no contract lists it, so nothing in it is tagged"
    )


def test_a_held_change_goes_through_once_the_contract_says_the_same() -> None:
    before, after = csv("orders", "id", "name"), csv("orders", "id", "ssn", "name")
    listed = contract("orders", id=("string", "internal"), ssn=("string", None), name=("string", "public"))
    assert plan(at_source(after), copied(before), listed).kind is Kind.UPDATE


def test_a_new_column_of_a_listed_table_is_copied_for_it_inherits_unreviewed() -> None:
    after = parquet()
    after["StorageDescriptor"]["Columns"].append(column("ssn"))
    assert plan(at_source(after), copied(parquet()), orders_contract()).kind is Kind.UPDATE


# --------------------------------------------------------------------------------------------------- partitions
_values = st.tuples(st.text("ab0", max_size=2), st.text("ab0", max_size=2))
_side = st.dictionaries(_values, st.sampled_from(["one", "two"]), max_size=12)


def side(partitions: dict[tuple[str, ...], str]) -> list[Partition]:
    return [Partition(values, digest) for values, digest in sorted(partitions.items())]


@given(_side, _side)
def test_applying_a_partition_plan_makes_both_sides_equal(
    source: dict[tuple[str, ...], str], twin: dict[tuple[str, ...], str]
) -> None:
    result = dict(twin)
    for change in plan_partitions(side(source), side(twin)):
        if change.kind is Kind.DELETE:
            assert change.values not in source
            del result[change.values]
        elif change.kind in {Kind.CREATE, Kind.UPDATE}:
            assert (change.values in twin) is (change.kind is Kind.UPDATE)
            result[change.values] = source[change.values]
        else:
            assert change.kind is Kind.KEEP
            assert change.digest == source[change.values] == twin[change.values]
    assert result == source


@given(_side)
def test_equal_sides_need_no_change(partitions: dict[tuple[str, ...], str]) -> None:
    assert {change.kind for change in plan_partitions(side(partitions), side(partitions))} <= {Kind.KEEP}


def test_the_merge_holds_one_partition_of_each_side() -> None:
    read = {"source": 0, "twin": 0}

    def endless(name: str, step: int) -> Any:
        for number in range(0, 10**9, step):
            read[name] += 1
            yield Partition((f"{number:012d}",), "x")

    plan = plan_partitions(endless("source", 1), endless("twin", 2))
    kinds = [next(plan).kind for _ in range(6)]
    assert kinds == [Kind.KEEP, Kind.CREATE] * 3
    assert read["source"] <= 8
    assert read["twin"] <= 5


@pytest.mark.parametrize("wrong", [[("b",), ("a",)], [("a",), ("a",)]])
def test_a_stream_that_goes_backwards_or_repeats_is_refused_before_it_deletes(wrong: list[tuple[str, ...]]) -> None:
    bad = [Partition(values, "x") for values in wrong]
    good = [Partition(("a",), "x"), Partition(("b",), "x")]
    with pytest.raises(UnsortedStreamError, match="source"):
        list(plan_partitions(bad, good))
    with pytest.raises(UnsortedStreamError, match="twin"):
        list(plan_partitions(good, bad))


def test_partition_values_are_compared_as_they_are_written() -> None:
    kinds = {
        (change.values, change.kind)
        for change in plan_partitions([Partition(("DE",), "x")], [Partition(("de",), "x"), Partition(("dé",), "x")])
    }
    assert kinds == {(("DE",), Kind.CREATE), (("de",), Kind.DELETE), (("dé",), Kind.DELETE)}


def test_a_refused_partition_is_not_copied_and_its_lawful_copy_left() -> None:
    evil = Partition(("1",), "x", "outside")
    assert [change.kind for change in plan_partitions([evil], [])] == [Kind.SKIP]
    assert [change.kind for change in plan_partitions([evil], [Partition(("1",), "y")])] == [Kind.SKIP]


def test_a_partition_that_waits_is_not_copied_and_what_the_twin_has_of_it_stays() -> None:
    waits = Partition(("a",), "new", unfit="does not fit")
    assert [change.kind for change in plan_partitions([waits], [])] == [Kind.SKIP]
    assert [change.kind for change in plan_partitions([waits], [Partition(("a",), "old")])] == [Kind.SKIP]
    assert [change.kind for change in plan_partitions([waits], [Partition(("a",), "new")])] == [Kind.KEEP]


def test_a_copy_of_a_partition_outside_narrowed_prefixes_goes() -> None:
    evil = Partition(("1",), "x", "outside")
    assert [change.kind for change in plan_partitions([evil], [evil])] == [Kind.DELETE]
