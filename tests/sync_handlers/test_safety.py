"""What is deleted, what is held back, who is told, and what is remembered: the reconcile with all that guards it."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from sync_handlers import guard, observability
from sync_handlers.errors import IncompleteError
from sync_handlers.glue_access import Database, DeniedError
from sync_handlers.manifest import Manifest, parse
from sync_handlers.opening import Memory, Sides
from sync_handlers.report import Report
from sync_handlers.watch import watch
from tests.sync_handlers.fakes import FakeGlue, budget, error
from tests.sync_handlers.memory import FakePeople, FakeStore
from tests.sync_handlers.tables import (
    CENTRAL,
    PRODUCER,
    column,
    document,
    iceberg,
    orders_contract,
    parquet,
    partition,
)

DB = "sales_raw"
START = dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC)
EVERYBODY = [{"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}]


class Asked:
    """What Lake Formation says that the reader holds on all tables."""

    def __init__(self, *held: str) -> None:
        self.held, self.refused = frozenset(held), False

    def on_all_tables(self) -> frozenset[str]:
        if self.refused:
            raise DeniedError("AccessDeniedException: no")
        return self.held


class World:
    """A source that IAM governs, its twin, a state table and people; limits as told."""

    def __init__(self, *contracts: dict[str, Any], count: int = 10, share: float = 0.1, **more: Any) -> None:
        self.source, self.twin = FakeGlue(PRODUCER, DB), FakeGlue(CENTRAL, DB)
        self.source.databases[DB]["CreateTableDefaultPermissions"] = EVERYBODY
        self.store, self.people, self.asked = FakeStore(), FakePeople(), Asked()
        self.text = document(*contracts, **more)
        self.text["thresholds"] = {"gracePeriodHours": 24, "massDelete": {"count": count, "share": share}}
        self.now = START

    @property
    def manifest(self) -> Manifest:
        return parse(self.text)

    def run(self, table: str = "orders", *only: str, narrow: Any = None) -> Report:
        self.source.calls.clear()
        self.twin.calls.clear()
        theirs = Database(self.source, PRODUCER, DB)  # type: ignore[arg-type]
        ours = Database(self.twin, CENTRAL, DB)  # type: ignore[arg-type]
        sides = Sides(theirs, ours, lambda: self.asked, Memory(self.store, self.people), lambda: self.now)
        manifest = self.manifest
        work = sides.reconcile(manifest.sources[DB], manifest, budget())
        try:
            for name in (table, *only):
                work.run_table(name, narrow or (lambda _: None))
        finally:
            sides.recorder(manifest.sources[DB], manifest).record(work.outcomes.values())
        return work.report

    def item(self, table: str = "orders") -> dict[str, Any]:
        return self.store.kept.get((DB, f"table#{table}"), {})

    def orders(self, *days: str, **table: Any) -> dict[str, Any]:
        made = parquet(**table)
        self.source.put(DB, made)
        self.source.put_partitions(DB, "orders", *(partition(made, day) for day in days))
        return made

    def days(self) -> list[str]:
        return sorted(values[0] for values in self.twin.parts[DB, "orders"])

    def later(self, hours: float) -> None:
        self.now += dt.timedelta(hours=hours)

    def gone(self, table: str = "orders") -> None:
        """Gone at the source, and marked a day ago."""
        self.source.tables.pop((DB, table), None)
        self.run(table)
        self.later(25)

    def has(self, table: str = "orders") -> bool:
        return (DB, table) in self.twin.tables


# ----------------------------------------------------------------------------------------------------- deletion
def test_a_table_leaves_the_twin_after_its_grace_and_its_deletion_is_remembered() -> None:
    world = World()
    world.orders("2026-01-01")
    world.run()
    world.source.tables.clear()
    world.run()
    assert world.item()["absentSince"] == "2026-03-04T05:06:07Z"
    world.later(23)
    world.run()
    assert world.has()
    world.later(1)
    assert world.run().tables["deleted"] == 1
    assert not world.has()
    assert world.item()["deletedAt"] == "2026-03-05T05:06:07Z"
    assert world.run().writes == 0
    assert world.item() == {}


def test_a_table_that_comes_back_within_its_grace_loses_the_mark() -> None:
    world = World()
    world.orders("2026-01-01")
    world.run()
    world.gone()
    world.orders("2026-01-01")
    world.run()
    assert "lakemesh.not_seen_since" not in world.twin.tables[DB, "orders"]["Parameters"]
    assert "absentSince" not in world.item()
    world.later(100)
    world.run()
    assert world.has()


def test_a_table_that_a_contract_lists_is_only_marked() -> None:
    world = World(orders_contract())
    world.orders()
    world.run()
    world.gone()
    world.later(10_000)
    report = world.run()
    assert world.has()
    assert "a contract lists it" in report.absent[0]["reason"]
    assert world.twin.writes == []


def test_a_table_that_the_sync_did_not_make_is_never_deleted() -> None:
    world = World()
    world.twin.put(DB, parquet("made_by_hand", Parameters={"lakemesh.not_seen_since": "2020-01-01T00:00:00+00:00"}))
    world.run("made_by_hand")
    assert world.has("made_by_hand")


@pytest.mark.parametrize("held", [(), ("SELECT",), ("ALTER", "DROP")])
def test_without_proof_that_the_reader_sees_all_nothing_is_deleted(held: tuple[str, ...]) -> None:
    world = World()
    world.source.databases[DB]["CreateTableDefaultPermissions"] = []
    world.asked = Asked(*held)
    world.orders()
    world.run()
    world.gone()
    world.run()
    assert world.has()


def test_a_reader_that_may_not_ask_proves_nothing() -> None:
    world = World()
    world.source.databases[DB]["CreateTableDefaultPermissions"] = []
    world.asked.refused = True
    world.orders()
    world.run()
    world.gone()
    world.run()
    assert world.has()


@pytest.mark.parametrize("held", ["DESCRIBE", "ALL"])
def test_describe_on_all_tables_is_proof(held: str) -> None:
    world = World()
    world.source.databases[DB]["CreateTableDefaultPermissions"] = []
    world.asked = Asked(held)
    world.orders()
    world.run()
    world.gone()
    world.run()
    assert not world.has()


def test_one_who_sees_all_and_is_refused_by_name_is_told_by_the_listing() -> None:
    """Lake Formation refuses a table that is not there to a role without CREATE_TABLE."""
    world = World()
    world.source.databases[DB]["CreateTableDefaultPermissions"] = []
    world.asked = Asked("DESCRIBE")
    world.orders()
    world.run()
    world.source.fail["get_table"] = [error("AccessDeniedException")]
    with pytest.raises(DeniedError):
        world.run()  # it is listed, so it is there and something else is wrong
    world.source.tables.clear()
    world.source.before["get_table"] = lambda _: world.source.fail["get_table"].append(error("AccessDeniedException"))
    world.run()
    world.later(25)
    world.run()
    assert not world.has()


def test_one_whom_iam_lets_in_and_who_is_refused_by_name_proves_nothing() -> None:
    """A table that Lake Formation hides answers so, although its database gives tables to everybody."""
    world = World()
    world.orders()
    world.run()
    world.gone()
    world.source.fail["get_table"] = [error("AccessDeniedException")] * 9
    with pytest.raises(DeniedError):
        world.run()
    assert world.has()
    assert "AccessDenied" in world.item()["failure"]["reason"]


@pytest.mark.parametrize(
    "failure",
    [error("AccessDeniedException"), error("ThrottlingException"), error("InternalServiceException"),
     error("GlueEncryptionException"), ReadTimeoutError(endpoint_url="https://glue")],
    ids=["denied", "throttled", "internal", "encryption", "timeout"],
)  # fmt: skip
@pytest.mark.parametrize("operation", ["get_database", "get_table"])
def test_no_error_of_the_source_is_ever_a_deletion(operation: str, failure: Any) -> None:
    world = World()
    world.orders("2026-01-01")
    world.run()
    world.gone()
    world.source.fail[operation] = [failure] * 99
    with contextlib.suppress(Exception):  # it may end the run, or leave the table marked
        world.run()
    assert world.has()
    assert world.twin.writes == []


def test_a_copy_that_another_run_brought_back_meanwhile_stays() -> None:
    world = World()
    table = world.orders()
    world.run()
    world.gone()

    def back(_: Any) -> None:
        world.source.before.clear()
        world.source.put(DB, table)
        copy = dict(world.twin.tables[DB, "orders"])
        copy["Parameters"] = {key: of for key, of in copy["Parameters"].items() if "not_seen" not in key}
        world.twin.put(DB, copy, version="99")

    world.source.before["get_database"] = back  # while the proof is asked for
    world.run()
    assert world.has()
    assert "delete_table" not in world.twin.writes


# ---------------------------------------------------------------------------------------------------- the guard
def many(world: World, number: int, gone: int) -> None:
    for index in range(number):
        world.source.put(DB, parquet(f"t{index:02d}", PartitionKeys=[]))
        world.run(f"t{index:02d}")
    for index in range(gone):
        del world.source.tables[DB, f"t{index:02d}"]
        world.run(f"t{index:02d}")
    world.later(25)


def refresh(world: World, number: int) -> list[str]:
    for index in range(number):
        world.run(f"t{index:02d}")
    return sorted(name for _, name in world.twin.tables)


def test_too_many_at_once_and_none_goes_until_a_person_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    world = World(count=3)
    many(world, 10, 4)
    assert len(refresh(world, 10)) == 10
    held = world.store.kept[DB, "guard#tables"]
    assert held["names"] == ["t00", "t01", "t02", "t03"]
    assert (held["count"], held["share"], held["domain"]) == (4, 0.4, "sales")
    assert '"GuardTrips":[1.0]' in capsys.readouterr().out
    assert len(world.people.told) == 1
    assert world.people.told[0].to == ("operators",)
    refresh(world, 10)
    assert len(world.people.told) == 1, "once, not every run"

    world.store.put(guard.approval(held, "@acme/sales", world.now))
    assert refresh(world, 10) == [f"t{index:02d}" for index in range(4, 10)]
    assert (DB, "guard#tables") not in world.store.kept
    assert world.item("t00")["approval"] == held["digest"]


def test_what_joins_an_approved_list_later_is_judged_by_itself() -> None:
    world = World(count=3)
    many(world, 20, 4)
    refresh(world, 20)
    world.store.put(guard.approval(world.store.kept[DB, "guard#tables"], "somebody", world.now))
    for index in (4, 5, 6, 7):
        del world.source.tables[DB, f"t{index:02d}"]
        world.run(f"t{index:02d}")
    world.later(23.9)
    left = refresh(world, 20)
    assert "t00" not in left
    assert {"t04", "t07"} <= set(left)


def test_an_approval_that_has_expired_lets_nothing_through() -> None:
    world = World(count=3)
    many(world, 10, 4)
    refresh(world, 10)
    world.store.put(guard.approval(world.store.kept[DB, "guard#tables"], "somebody", world.now))
    world.later(24)
    assert len(refresh(world, 10)) == 10


def test_few_go_without_asking() -> None:
    world = World(count=3, share=0.0)
    many(world, 10, 3)
    assert len(refresh(world, 10)) == 7
    assert world.people.told == []


def test_many_do_not_slip_through_one_by_one_though_nothing_is_remembered_of_them() -> None:
    world = World(count=3, share=0.0)
    many(world, 10, 8)
    world.store.kept.clear()
    assert len(refresh(world, 10)) == 7, "the fourth is counted with the three that went just before"
    world.later(1)
    assert len(refresh(world, 10)) == 7


def test_the_guard_is_over_when_the_tables_come_back() -> None:
    world = World(count=3)
    many(world, 10, 4)
    refresh(world, 10)
    for index in range(4):
        world.source.put(DB, parquet(f"t{index:02d}", PartitionKeys=[]))
    refresh(world, 10)
    watch(world.manifest, world.store, world.people, world.now)
    assert (DB, "guard#tables") not in world.store.kept


def test_when_the_guard_cannot_be_asked_nothing_is_deleted() -> None:
    world = World()
    world.orders()
    world.run()
    world.gone()
    world.store.broken = True
    report = world.run()
    assert world.has()
    assert "could not be asked" in report.absent[0]["reason"]


# ------------------------------------------------------------------------------------------------- partitions
DAYS = [f"2026-01-{day:02d}" for day in range(1, 31)]


def test_too_many_partitions_at_once_stay_and_new_ones_arrive_all_the_same() -> None:
    world = World()
    table = world.orders(*DAYS)
    world.run()
    world.source.parts[DB, "orders"].clear()
    world.source.put_partitions(DB, "orders", partition(table, "2026-02-01"))
    report = world.run()
    assert world.days() == [*DAYS, "2026-02-01"]
    assert (report.partitions["created"], report.partitions["deleted"]) == (1, 0)
    assert report.held[0]["partitions"] == 30
    assert world.item()["withheld"] == 30
    assert world.item()["sourceDigest"] != world.item()["twinDigest"]
    held = world.store.kept[DB, "guard#partitions#orders"]
    assert (held["count"], held["table"]) == (30, "orders")
    assert "30 partitions of sales_raw.orders" in world.people.told[0].text
    assert world.run().writes == 0

    world.store.put(guard.approval(held, "somebody", world.now))
    assert world.run().partitions["deleted"] == 30
    assert world.days() == ["2026-02-01"]
    assert "withheld" not in world.item()
    assert (DB, "guard#partitions#orders") not in world.store.kept


def test_partitions_that_come_back_end_their_guard() -> None:
    world = World()
    table = world.orders(*DAYS)
    world.run()
    world.source.parts[DB, "orders"].clear()
    world.run()
    world.source.put_partitions(DB, "orders", *(partition(table, day) for day in DAYS))
    assert world.run().writes == 0
    assert (DB, "guard#partitions#orders") not in world.store.kept
    assert world.item()["sourceDigest"] == world.item()["twinDigest"]


def test_few_partitions_go_at_once_and_so_does_a_small_share() -> None:
    world = World()
    world.orders(*DAYS)
    world.run()
    for day in DAYS[:10]:
        del world.source.parts[DB, "orders"][(day,)]
    assert world.run().partitions["deleted"] == 10
    assert world.days() == DAYS[10:]
    assert world.store.kept.keys() == {(DB, "table#orders")}


def test_hints_of_many_deletions_are_judged_against_the_whole_table() -> None:
    world = World()
    world.orders(*DAYS)
    world.run()
    world.source.parts[DB, "orders"].clear()
    report = world.run(narrow=lambda _: tuple((day,) for day in DAYS[:15]))
    assert len(world.days()) == 30
    assert report.held[0]["partitions"] == 15


def test_partitions_that_glue_refuses_to_delete_are_named() -> None:
    world = World()
    world.orders(*DAYS)
    world.run()
    del world.source.parts[DB, "orders"]["2026-01-03",]
    world.twin.bad["2026-01-03",] = ["InvalidInputException"] * 9
    with pytest.raises(IncompleteError, match=r"(?s)orders.*2026-01-03.*InvalidInputException"):
        world.run()


# ------------------------------------------------------------------------------------------------ held schemas
GRANT = {"products": ["orders"], "to": "treasury/analyst", "expires": None}


def narrower() -> dict[str, Any]:
    """The orders, with a column narrowed and one gone."""
    table = parquet()
    table["StorageDescriptor"]["Columns"] = [column("id", "int"), column("amount", "decimal(18,2)")]
    return table


def shared(**grant: Any) -> World:
    world = World(orders_contract(), grants=[{**GRANT, **grant}])
    world.orders("2026-01-01")
    world.run()
    return world


def columns(world: World) -> list[str]:
    return [one["Name"] for one in world.twin.tables[DB, "orders"]["StorageDescriptor"]["Columns"]]


def test_a_breaking_change_of_a_product_in_use_is_held_and_people_hear_of_it_once() -> None:
    world = shared()
    world.source.put(DB, narrower(), version="1")
    report = world.run()
    assert columns(world) == ["id", "email", "amount"]
    assert "email was dropped" in report.held[0]["reason"]
    assert world.item()["held"]["change"] == "breaking"
    assert world.item()["held"]["contractVersion"] == "1.0.0"
    (notice,) = world.people.told
    assert notice.to == ("owner-sales", "consumer-treasury")
    assert "email was dropped" in notice.text
    assert "id changed from bigint to int" in notice.text
    world.run()
    assert len(world.people.told) == 1
    other = narrower()
    other["StorageDescriptor"]["Columns"].pop()
    world.source.put(DB, other, version="2")
    world.run()
    assert len(world.people.told) == 2, "another change is another notice"


def test_a_notice_that_nobody_took_is_sent_again() -> None:
    world = shared()
    world.people.deaf = True
    world.source.put(DB, narrower(), version="1")
    world.run()
    world.people.deaf = False
    world.run()
    assert len(world.people.told) == 1


def test_partitions_that_fit_the_held_schema_keep_flowing_and_others_wait() -> None:
    world = shared()
    old, new = parquet(), narrower()
    world.source.put(DB, new, version="1")
    world.source.put_partitions(DB, "orders", partition(old, "2026-01-02"), partition(new, "2026-01-03"))
    report = world.run()
    assert world.days() == ["2026-01-01", "2026-01-02"]
    assert "does not fit" in report.skipped[0]["reason"]
    world.source.put_partitions(DB, "orders", partition(new, "2026-01-01"))
    world.run()
    kept = world.twin.parts[DB, "orders"]["2026-01-01",]
    assert len(kept["StorageDescriptor"]["Columns"]) == 3, "what the copy has of it stays"
    del world.source.parts[DB, "orders"]["2026-01-02",]
    world.run()
    assert world.days() == ["2026-01-01"]


def test_a_raised_version_of_the_contract_lets_it_through() -> None:
    world = shared()
    world.source.put(DB, narrower(), version="1")
    world.source.put_partitions(DB, "orders", partition(narrower(), "2026-01-02"))
    world.run()
    world.text["products"]["orders"]["version"] = "2.0.0"
    world.run()
    assert columns(world) == ["id", "amount"]
    assert world.days() == ["2026-01-01", "2026-01-02"]
    assert "held" not in world.item()


def test_a_version_that_was_raised_before_the_change_is_not_its_release() -> None:
    world = shared()
    world.text["products"]["orders"]["version"] = "2.0.0"
    world.source.put(DB, narrower(), version="1")
    world.run()
    assert columns(world) == ["id", "email", "amount"]


def test_a_contract_that_says_the_same_lets_it_through_and_so_does_a_source_that_reverts() -> None:
    world = shared()
    world.source.put(DB, narrower(), version="1")
    world.run()
    agreed = orders_contract(id=("int", "internal"))
    agreed["columns"] = [one for one in agreed["columns"] if one["name"] != "email"]
    world.text["tables"][f"{DB}.orders"] = agreed
    world.run()
    assert columns(world) == ["id", "amount"]

    reverted = shared()
    reverted.source.put(DB, narrower(), version="1")
    reverted.run()
    reverted.source.put(DB, parquet(), version="2")
    assert reverted.run().writes == 0
    assert "held" not in reverted.item()


@pytest.mark.parametrize("grant", [{"expires": "2026-03-04"}, {"products": ["other"]}])
def test_a_product_that_nobody_uses_any_more_is_not_held(grant: dict[str, Any]) -> None:
    world = shared(**grant)
    world.source.put(DB, narrower(), version="1")
    world.run()
    assert columns(world) == ["id", "amount"]
    assert world.people.told == []


def test_additive_and_widening_changes_are_copied_to_consumers_at_once() -> None:
    world = shared()
    table = parquet()
    table["StorageDescriptor"]["Columns"][2] = column("amount", "decimal(20,2)")
    table["StorageDescriptor"]["Columns"].append(column("note"))
    world.source.put(DB, table, version="1")
    world.run()
    assert columns(world) == ["id", "email", "amount", "note"]
    assert world.people.told == []


def test_a_review_that_is_missing_is_not_replaced_by_a_version() -> None:
    listed = orders_contract(payer=("struct<name:string>", "internal"))
    world = World(listed, grants=[GRANT])
    table = parquet()
    table["StorageDescriptor"]["Columns"].append(column("payer", "struct<name:string>"))
    world.source.put(DB, table)
    world.run()
    table["StorageDescriptor"]["Columns"][-1] = column("payer", "struct<name:string,ssn:string>")
    world.source.put(DB, table, version="1")
    world.run()
    world.text["products"]["orders"]["version"] = "9.0.0"
    world.run()
    assert "ssn" not in json.dumps(world.twin.tables[DB, "orders"]["StorageDescriptor"])


def test_a_hold_stays_while_the_state_cannot_be_read() -> None:
    world = shared()
    world.source.put(DB, narrower(), version="1")
    world.run()
    world.text["products"]["orders"]["version"] = "2.0.0"
    world.store.broken = True
    world.run()
    assert columns(world) == ["id", "email", "amount"]


# ---------------------------------------------------------------------------------------------------- the state
def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    return {key: of[0] for line in lines for key, of in line.items() if isinstance(of, list)}


def test_a_reconcile_writes_one_line_of_state_and_digests_that_agree() -> None:
    world = World(orders_contract())
    world.orders("2026-01-01")
    observability.correlate("event-7")
    world.run()
    observability.correlate("")
    assert world.store.writes == [(DB, "table#orders")]
    item = world.item()
    assert item["sourceDigest"] == item["twinDigest"]
    assert (item["correlationId"], item["product"], item["domain"]) == ("event-7", "orders", "sales")
    assert item["freshness"] == {"at": "2026-01-01T00:00:00Z", "from": "partition"}
    before = item["sourceDigest"]
    world.source.put_partitions(DB, "orders", partition(parquet(), "2026-01-02"))
    world.run()
    assert world.item()["sourceDigest"] != before


def test_state_that_cannot_be_written_is_loud_and_loses_no_work(capsys: pytest.CaptureFixture[str]) -> None:
    world = World(orders_contract())
    world.orders("2026-01-01")
    world.store.broken = True
    world.run()
    assert world.days() == ["2026-01-01"]
    assert metrics(capsys)["StateFailures"] == 1


def test_lag_is_from_the_change_at_the_source_and_only_of_what_was_applied(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.source.put(DB, parquet(), created=START - dt.timedelta(seconds=90))
    world.run()
    assert metrics(capsys)["CatalogLagSeconds"] == 90
    world.run()
    assert "CatalogLagSeconds" not in metrics(capsys)


def test_a_twin_that_somebody_changes_shows_as_writes_on_no_op(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.orders("2026-01-01")
    world.run()
    assert "WritesOnNoOp" not in metrics(capsys)
    del world.twin.parts[DB, "orders"]["2026-01-01",]
    world.run()
    assert metrics(capsys)["WritesOnNoOp"] == 1


def test_a_release_is_no_write_without_a_cause(capsys: pytest.CaptureFixture[str]) -> None:
    world = shared()
    world.source.put(DB, narrower(), version="1")
    world.run()
    world.text["products"]["orders"]["version"] = "2.0.0"
    assert world.run().tables["updated"] == 1
    assert "WritesOnNoOp" not in metrics(capsys)


def test_iceberg_is_as_fresh_as_its_last_commit() -> None:
    world = World()
    world.source.put(DB, iceberg(), created=START)
    world.run("invoice")
    assert world.item("invoice")["freshness"] == {"at": "2026-03-04T05:06:07Z", "from": "table"}


def test_a_new_partition_that_was_hinted_moves_freshness_and_a_deleted_one_does_not() -> None:
    world = World()
    table = world.orders("2026-01-01", "2026-01-02")
    world.run()
    world.source.put_partitions(DB, "orders", partition(table, "2026-01-03"))
    world.source.parts[DB, "orders"]["2026-01-03",]["CreationTime"] = START
    world.run(narrow=lambda _: (("2026-01-03",),))
    assert world.item()["freshness"]["at"] == "2026-03-04T05:06:07Z"
    del world.source.parts[DB, "orders"]["2026-01-01",]
    world.run(narrow=lambda _: (("2026-01-01",), ("2026-01-02",)))
    assert world.item()["freshness"]["at"] == "2026-03-04T05:06:07Z"


def test_links_and_federated_tables_are_skipped_and_say_so_in_their_state() -> None:
    world = World()
    world.source.put(DB, {**parquet("link"), "TargetTable": {"CatalogId": "1", "DatabaseName": "d", "Name": "t"}})
    world.source.put(DB, {**parquet("far"), "FederatedTable": {"Identifier": "x"}})
    world.run("link", "far")
    assert not world.twin.tables
    assert "resource link" in world.item("link")["skipped"]
    assert "federated" in world.item("far")["skipped"]
