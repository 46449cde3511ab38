"""The sync end to end, against strict stand-ins for both catalogs."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_handlers.budget import Budget
from sync_handlers.errors import IncompleteError, OutOfTimeError
from sync_handlers.glue_access import Database
from sync_handlers.manifest import Manifest
from sync_handlers.opening import Sides
from sync_handlers.pacing import ATTEMPTS
from sync_handlers.sync import reconcile
from tests.sync_handlers.fakes import CREATED, FakeGlue, budget, error
from tests.sync_handlers.tables import (
    CENTRAL,
    PRODUCER,
    column,
    contract,
    csv,
    iceberg,
    manifest,
    orders_contract,
    parquet,
    partition,
    tables,
    view,
)

DB = "sales_raw"


class World:
    """A producer's catalog, the central one, and a manifest."""

    def __init__(self, *contracts: dict[str, Any], page: int = 1000) -> None:
        self.source = FakeGlue(PRODUCER, DB, page=page)
        self.twin = FakeGlue(CENTRAL, DB, page=page)
        self.manifest: Manifest = manifest(*contracts)

    def run(self, within: Budget | None = None) -> dict[str, Any]:
        self.twin.calls.clear()
        self.source.calls.clear()
        theirs = Database(self.source, PRODUCER, DB)  # type: ignore[arg-type]
        ours = Database(self.twin, CENTRAL, DB)  # type: ignore[arg-type]
        return reconcile(Sides(theirs, ours), self.manifest.sources[DB], self.manifest, within or budget())

    def orders(self, *days: str) -> dict[str, Any]:
        table = parquet()
        self.source.put(DB, table)
        self.source.put_partitions(DB, "orders", *(partition(table, day) for day in days))
        return table

    def values(self) -> list[str]:
        return sorted(values[0] for values in self.twin.parts[DB, "orders"])


def days(count: int) -> list[str]:
    return [(dt.date(2000, 1, 1) + dt.timedelta(days=number)).isoformat() for number in range(count)]


def test_a_first_run_copies_tables_of_every_kind_with_their_partitions() -> None:
    world = World(page=2)
    world.orders(*days(5))
    for table in (csv(), iceberg(), view()):
        world.source.put(DB, table)
    result = world.run()
    assert result["tables"] == {"created": 4, "updated": 0, "unchanged": 0, "marked": 0, "deleted": 0}
    assert result["partitions"] == {"created": 5, "updated": 0, "deleted": 0, "unchanged": 5}
    assert result["sourceDigest"] == result["twinDigest"] != ""
    assert world.values() == days(5)
    assert world.twin.parts[DB, "orders"]["2000-01-01",]["StorageDescriptor"]["Location"].endswith("2000-01-01")


def test_a_second_run_writes_nothing() -> None:
    world = World(orders_contract())
    world.orders(*days(3))
    world.source.put(DB, view())
    first = world.run()
    second = world.run()
    assert world.twin.writes == []
    assert world.source.writes == []
    assert second["tables"] == {"created": 0, "updated": 0, "unchanged": 2, "marked": 0, "deleted": 0}
    assert second["partitions"]["unchanged"] == 3
    assert second["twinDigest"] == first["twinDigest"]


def test_nothing_is_ever_written_at_the_source() -> None:
    world = World()
    world.orders(*days(3))
    world.run()
    assert world.source.writes == []


@settings(max_examples=25)
@given(st.lists(tables(), max_size=5), st.lists(tables(), max_size=5))
def test_after_any_two_states_of_the_source_a_further_run_writes_nothing(
    first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    world = World()
    for state in (first, second):
        for table in state:
            # A number per state keeps Iceberg tables moving forward.
            if "metadata_location" in table["Parameters"]:
                location = table["Parameters"]["metadata_location"]
                table["Parameters"]["metadata_location"] = location.replace("00003-", f"0000{3 + (state is second)}-")
            world.source.put(DB, table)
        world.run()
    result = world.run()
    assert world.twin.writes == []
    assert result["sourceDigest"] == result["twinDigest"]


def test_one_percent_of_churn_costs_the_calls_for_that_one_percent() -> None:
    world = World()
    table = world.orders(*days(1000))
    world.run()
    changed = partition(table, days(1000)[3])
    changed["Parameters"]["kind"] = "corrected"
    world.source.put_partitions(DB, "orders", changed, partition(table, "2031-01-01"))
    del world.source.parts[DB, "orders"]["2000-01-01",]
    result = world.run()
    assert result["partitions"]["created"] == result["partitions"]["updated"] == result["partitions"]["deleted"] == 1
    assert sorted(world.twin.writes) == ["batch_create_partition", "batch_delete_partition", "batch_update_partition"]
    assert len(world.source.calls) < 12
    assert "2000-01-01" not in world.values()


def test_writes_travel_in_batches_of_the_size_the_api_allows() -> None:
    world = World()
    world.orders(*days(250))
    world.run()
    assert world.twin.count("batch_create_partition") == 3
    assert world.source.count("batch_get_partition") == 1
    world.source.parts[DB, "orders"].clear()
    world.run()
    assert world.twin.count("batch_delete_partition") == 10
    assert world.values() == []


def test_keys_that_a_read_leaves_unprocessed_are_asked_for_again() -> None:
    world = World()
    world.orders(*days(6))
    world.source.unprocessed = 4
    assert world.run()["partitions"]["created"] == 6


def test_a_batch_that_is_too_large_is_halved() -> None:
    world = World()
    world.orders(*days(40))
    world.twin.too_large_over = 7
    assert world.run()["partitions"]["created"] == 40


def test_partitions_that_glue_refuses_fail_the_run_by_name_and_the_rest_is_copied() -> None:
    world = World()
    world.orders(*days(10))
    world.source.put(DB, view())
    world.twin.bad["2000-01-04",] = ["InvalidInputException"] * 9
    with pytest.raises(IncompleteError, match=r"(?s)orders.*2000-01-04.*InvalidInputException") as failed:
        world.run()
    assert "2000-01-05" not in str(failed.value)
    assert len(world.values()) == 9
    assert (DB, "open_orders") in world.twin.tables, "other tables are copied all the same"
    world.twin.bad.clear()
    assert world.run()["partitions"]["created"] == 1


def test_partitions_after_those_that_glue_refuses_are_copied_all_the_same() -> None:
    world = World()
    world.orders(*days(2500))
    for day in days(2500)[:40]:
        world.twin.bad[day,] = ["InvalidInputException"] * 9
    with pytest.raises(IncompleteError, match=r"(?s)Glue refused 40 partitions:.*… and 20 more"):
        world.run()
    assert len(world.values()) == 2460


def test_refused_partitions_are_shown_by_example_and_counted() -> None:
    world = World()
    table = world.orders()
    world.source.put_partitions(
        DB, "orders", *(partition(table, day, location="s3://lake/raw/hr/x") for day in days(60))
    )
    skipped = world.run()["skipped"]
    assert len(skipped) == 21
    assert skipped[-1] == {"table": "orders", "reason": "40 partitions more like these"}


def test_partitions_that_failed_for_a_moment_are_copied() -> None:
    world = World()
    world.orders(*days(3))
    world.twin.bad["2000-01-02",] = ["InternalServiceException", "ThrottlingException"]
    assert world.run()["partitions"]["created"] == 3


def test_a_partition_that_another_run_made_meanwhile_ends_as_the_source_has_it() -> None:
    world = World()
    table = world.orders(*days(3))
    old = partition(table, "2000-01-02")
    old["Parameters"]["kind"] = "old"
    world.twin.before["batch_create_partition"] = lambda _: world.twin.put_partitions(DB, "orders", old)
    world.run()
    assert world.twin.parts[DB, "orders"]["2000-01-02",]["Parameters"]["kind"] == "day"


def test_a_table_that_another_run_changed_meanwhile_is_read_and_planned_again() -> None:
    world = World()
    world.orders()
    world.run()
    table = parquet(Description="new")
    world.source.put(DB, table, version="2")

    def interfere(_: dict[str, Any]) -> None:
        world.twin.before.pop("update_table", None)
        stored = world.twin.tables[DB, "orders"]
        stored["VersionId"] = str(int(stored["VersionId"]) + 5)

    world.twin.before["update_table"] = interfere
    world.run()
    assert world.twin.tables[DB, "orders"]["Description"] == "new"


def test_a_table_that_always_changes_underneath_is_given_up_by_name() -> None:
    world = World()
    world.orders()
    world.run()
    world.source.put(DB, parquet(Description="new"), version="2")
    conflict = error("ConcurrentModificationException", "Update table failed due to concurrent modifications.")
    world.twin.fail["update_table"] = [conflict] * 9
    with pytest.raises(IncompleteError, match=r"table orders: ConcurrentModificationException"):
        world.run()
    assert world.twin.count("update_table") == 3


def test_an_iceberg_twin_that_another_run_moved_further_meanwhile_stays_there() -> None:
    world = World()
    world.source.put(DB, iceberg(sequence=1))
    world.run()
    world.source.put(DB, iceberg(sequence=2), version="1")

    def further(_: dict[str, Any]) -> None:
        world.twin.before.pop("update_table", None)
        newer = copy.deepcopy(world.twin.tables[DB, "invoice"])
        newer["Parameters"]["metadata_location"] = iceberg(sequence=3)["Parameters"]["metadata_location"]
        world.twin.put(DB, newer, version="9")

    world.twin.before["update_table"] = further
    assert "forward" in world.run()["skipped"][0]["reason"]
    assert "00003-" in world.twin.tables[DB, "invoice"]["Parameters"]["metadata_location"]


def test_a_partition_outside_the_prefixes_is_refused_and_reported_and_the_others_copied() -> None:
    world = World()
    table = world.orders(*days(2))
    world.source.put_partitions(
        DB, "orders", partition(table, "2000-02-01", location="s3://lake/raw/sales/../hr/salaries")
    )
    result = world.run()
    assert world.values() == days(2)
    assert [(item["table"], item["partition"]) for item in result["skipped"]] == [("orders", ["2000-02-01"])]
    assert "hr/salaries" in result["skipped"][0]["reason"]


def test_a_partition_that_moves_outside_between_listing_and_reading_is_not_copied() -> None:
    world = World()
    table = world.orders(*days(2))
    evil = partition(table, "2000-01-02", location="s3://lake/raw/hr/salaries")
    world.source.before["batch_get_partition"] = lambda _: world.source.put_partitions(DB, "orders", evil)
    world.run()
    assert world.values() == ["2000-01-01"]


def test_a_copy_that_points_outside_narrowed_prefixes_fails_the_run_with_the_mend() -> None:
    world = World()
    table = parquet(PartitionKeys=[])
    table["StorageDescriptor"]["Location"] = "s3://lake/raw/hr/orders"
    table["Parameters"]["lakemesh.synced_by"] = "shopmesh"
    world.twin.put(DB, table)
    with pytest.raises(IncompleteError, match=r"orders: its copy points outside.*aws glue delete-table"):
        world.run()


def test_access_denied_at_the_source_deletes_nothing() -> None:
    world = World()
    world.orders(*days(4))
    world.run()
    world.source.fail["get_partitions"] = [error("AccessDeniedException", "Insufficient Lake Formation permission(s)")]
    with pytest.raises(IncompleteError, match=r"orders: AccessDeniedException"):
        world.run()
    assert world.values() == days(4)
    assert not world.twin.writes


def test_access_denied_in_the_middle_of_a_listing_deletes_nothing() -> None:
    world = World(page=2)
    world.orders(*days(6))
    world.run()
    world.source.fail["get_partitions"] = [None, error("AccessDeniedException")]
    with pytest.raises(IncompleteError):
        world.run()
    assert world.values() == days(6)


def test_a_source_that_shows_no_tables_at_all_deletes_nothing() -> None:
    """Lake Formation hides what it does not grant: an empty list is no proof that anything was deleted."""
    world = World(orders_contract())
    world.orders(*days(2))
    world.source.put(DB, view())
    world.run()
    world.source.tables.clear()
    result = world.run()
    assert result["tables"]["marked"] == 2
    assert [(item["table"], item["listed"]) for item in result["absent"]] == [("open_orders", False), ("orders", True)]
    assert world.values() == days(2)
    world.run()
    assert world.twin.writes == [], "a mark is set once"


def test_a_table_that_comes_back_is_a_copy_again() -> None:
    world = World()
    world.orders(*days(1))
    world.run()
    hidden = world.source.tables.copy()
    world.source.tables.clear()
    world.run()
    world.source.tables.update(hidden)
    assert world.run()["tables"]["updated"] == 1
    assert "lakemesh.not_seen_since" not in world.twin.tables[DB, "orders"]["Parameters"]


def test_listed_tables_that_nobody_has_seen_are_named() -> None:
    assert World(orders_contract()).run()["missing"] == ["orders"]


def test_a_held_table_is_left_with_its_partitions_until_its_contract_says_the_same() -> None:
    listed = contract("orders", payer=("struct<name:string>", "internal"), day=("date", "public", 1))
    world = World(listed)
    table = parquet()
    table["StorageDescriptor"]["Columns"] = [column("payer", "struct<name:string>")]
    world.source.put(DB, table)
    world.run()
    table["StorageDescriptor"]["Columns"] = [column("payer", "struct<name:string,ssn:string>")]
    world.source.put(DB, table, version="1")
    world.source.put_partitions(DB, "orders", partition(table, "2026-01-01"))
    result = world.run()
    assert world.twin.writes == []
    assert result["held"][0]["table"] == "orders"
    reviewed = contract("orders", payer=("struct<name:string,ssn:string>", "restricted"), day=("date", "public", 1))
    world.manifest = manifest(reviewed)
    assert world.run()["tables"]["updated"] == 1
    assert world.values() == ["2026-01-01"]


def test_a_table_dropped_between_listing_and_reading_its_partitions_is_named_and_keeps_its_copy() -> None:
    world = World()
    world.orders(*days(2))
    world.run()
    world.source.before["get_partitions"] = lambda _: world.source.tables.pop((DB, "orders"), None)
    with pytest.raises(IncompleteError, match="orders: EntityNotFoundException"):
        world.run()
    assert world.values() == days(2)


def test_a_run_that_is_short_of_time_stops_between_batches_and_says_what_is_left() -> None:
    world = World()
    world.orders(*days(300))
    world.source.put(DB, parquet("returns"))
    clock = Budget(lambda: 20_000 if world.twin.count("batch_create_partition") else 900_000, sleep=lambda _: None)
    with pytest.raises(OutOfTimeError, match=r"2 tables left:\s+orders\s+returns\s+Run up again"):
        world.run(clock)
    done = len(world.values())
    assert done == 100
    assert world.run()["partitions"]["created"] == 300 - done, "it continues where it stopped"


def test_a_call_that_was_throttled_is_made_again_and_one_that_always_is_names_its_table() -> None:
    world = World()
    world.orders()
    world.source.put(DB, view())
    throttled = error("ThrottlingException", "Rate exceeded")
    world.twin.fail["create_table"] = [throttled]
    assert world.run()["tables"]["created"] == 2
    world.twin.tables.clear()
    world.twin.fail["create_table"] = [throttled] * ATTEMPTS
    with pytest.raises(IncompleteError, match=r"open_orders: ThrottlingException: Rate exceeded"):
        world.run()
    assert (DB, "orders") in world.twin.tables


def test_a_copy_that_reads_back_otherwise_fails_the_run() -> None:
    world = World()
    world.orders()

    def mangle(params: dict[str, Any]) -> None:
        params["TableInput"] = {**params["TableInput"], "Description": "mangled"}

    world.twin.before["create_table"] = mangle
    with pytest.raises(IncompleteError, match="orders: read back, the copy differs"):
        world.run()


def test_many_failures_are_counted_and_the_first_named() -> None:
    world = World()
    for number in range(40):
        world.source.put(DB, parquet(f"t{number:02d}", PartitionKeys=[]))
    world.twin.fail["create_table"] = [error("AccessDeniedException", "Insufficient Lake Formation permission(s)")] * 40
    with pytest.raises(IncompleteError) as failed:
        world.run()
    assert "40 failures" in str(failed.value)
    assert "… and 20 more" in str(failed.value)


def test_a_recreated_table_is_updated_in_place() -> None:
    """Dropping the copy would drop its LF-Tags and every grant on it (developer guide, "granting-catalog-permissions")."""
    world = World()
    world.orders()
    world.run()
    world.source.put(DB, parquet(Description="again"), created=CREATED + dt.timedelta(days=9))
    world.run()
    assert world.twin.writes == ["update_table"]
