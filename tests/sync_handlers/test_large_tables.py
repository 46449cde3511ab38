"""Tables that need more than a page, more than a disk or more than one invocation."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_handlers import checkpoint, spool
from sync_handlers.budget import Budget
from sync_handlers.checkpoint import SEGMENTS, Checkpoint, ContinuedError
from sync_handlers.errors import EventError, IncompleteError
from sync_handlers.glue_access import Database
from sync_handlers.hints import TableWork
from sync_handlers.listing import PAGES
from sync_handlers.partitions import PASSES, PartitionCounts, PartitionSync
from tests.sync_handlers.fakes import FakeGlue, budget
from tests.sync_handlers.tables import CENTRAL, PREFIXES, PRODUCER, column, parquet, partition
from tests.sync_handlers.test_follow import World
from tests.sync_handlers.test_hints import event

DB, TABLE = "sales_raw", "orders"


class Table:
    """One table on both sides; partitions by number."""

    def __init__(self, *numbers: int, page: int = 1000) -> None:
        self.source, self.twin = FakeGlue(PRODUCER, DB, page=page), FakeGlue(CENTRAL, DB, page=page)
        self.table = parquet()
        for side in (self.source, self.twin):
            side.put(DB, self.table)
        self.put(*numbers)

    def put(self, *numbers: int, kind: str = "day", to: FakeGlue | None = None) -> None:
        for number in numbers:
            one = partition(self.table, f"{number:06d}")
            one["Parameters"]["kind"] = kind
            (to or self.source).put_partitions(DB, TABLE, one)

    def sync(self, within: Budget | None = None, mark: Checkpoint | None = None) -> PartitionCounts:
        source, twin = Database(self.source, PRODUCER, DB), Database(self.twin, CENTRAL, DB)  # type: ignore[arg-type]
        return PartitionSync(TABLE, source, twin, PREFIXES, within or budget(), None, mark).run()

    def equal(self) -> bool:
        def state(side: FakeGlue) -> dict[Any, Any]:
            return {
                values: (one["Parameters"]["kind"], one["StorageDescriptor"])
                for values, one in side.parts[DB, TABLE].items()
            }

        return state(self.source) == state(self.twin)

    def written(self) -> Counter[str]:
        """How often each partition was sent to be written."""
        sent: Counter[str] = Counter()
        for name, params in self.twin.calls:
            for item in params.get("PartitionInputList") or params.get("PartitionsToDelete") or ():
                sent[item["Values"][0]] += name.startswith("batch_") and not name.startswith("batch_get")
            sent.update(entry["PartitionValueList"][0] for entry in params.get("Entries") or ())
        return sent


def in_turns(calls: int, table: Table) -> Callable[[], Budget]:
    """Budgets that end after so many calls to either side."""

    def fresh() -> Budget:
        begun = len(table.source.calls) + len(table.twin.calls)
        return Budget(
            lambda: 900_000 if len(table.source.calls) + len(table.twin.calls) < begun + calls else 1_000,
            sleep=lambda _: None,
        )

    return fresh


def to_the_end(table: Table, calls: int, mark: Checkpoint | None = None, most: int = 500) -> list[Checkpoint]:
    """Invocations until one ends; the checkpoints that they left."""
    fresh, left = in_turns(calls, table), list[Checkpoint]()
    for _ in range(most):
        try:
            table.sync(fresh(), mark)
        except ContinuedError as error:
            mark = checkpoint.parse(error.checkpoint.body())
            left.append(mark)
        else:
            return left
    raise AssertionError(f"not done after {most} invocations: {mark}")


# ------------------------------------------------------------------------------------------------------ listings
def test_a_table_of_one_page_costs_one_call_a_side() -> None:
    table = Table(*range(900))
    table.sync()
    for side in (table.source, table.twin):
        side.calls.clear()
    table.sync()
    assert [name for name, _ in table.source.calls + table.twin.calls] == ["get_partitions"] * 2


def test_a_large_table_is_listed_by_segments_and_compared_as_any_other() -> None:
    table = Table(*range(100), page=10)
    assert table.sync().created == 100
    asked = [params.get("Segment") for name, params in table.source.calls if name == "get_partitions"]
    assert asked.count(None) == 2 * PAGES
    assert {one["TotalSegments"] for one in asked if one} <= set(range(2, 11)), "Glue API, Segment: at most 10"
    assert table.equal()
    assert table.sync().unchanged == 100


def test_a_fault_in_one_segment_ends_the_listing_and_changes_nothing() -> None:
    table = Table(*range(100), page=10)
    table.sync()
    table.twin.calls.clear()
    seen: list[int] = []

    def fail(params: dict[str, Any]) -> None:
        if "Segment" in params:
            seen.append(1)
            raise RuntimeError("a segment is gone")

    table.source.before["get_partitions"] = fail
    with pytest.raises(RuntimeError):
        table.sync()
    assert seen
    assert table.twin.writes == []


def test_columns_are_left_out_only_where_nothing_is_compared() -> None:
    """Into an empty twin partitions are created from what is read of each; after that their columns count."""
    table = Table(1, 2, 3)
    assert table.sync().created == 3
    listed = [params.get("ExcludeColumnSchema") for name, params in table.source.calls if name == "get_partitions"]
    assert listed == [True, None], "the pass that proves both sides equal reads columns"
    assert all("ExcludeColumnSchema" not in params for _, params in table.twin.calls)


def test_a_partition_whose_columns_differ_from_its_table_is_seen_and_copied() -> None:
    table = Table(1, 2)
    table.sync()
    odd = partition(table.table, "000002")
    odd["Parameters"]["kind"] = "day"
    odd["StorageDescriptor"]["Columns"] = [column("id", "bigint"), column("added_later")]
    table.source.put_partitions(DB, TABLE, odd)
    assert table.sync().updated == 1
    assert table.equal()


# ------------------------------------------------------------------------------------------------- page by page
def test_a_large_table_is_done_over_several_invocations_and_each_partition_is_written_once() -> None:
    table = Table(*range(20_000))
    left = to_the_end(table, calls=60)
    assert len(left) > 3
    assert table.equal()
    assert set(table.written().values()) == {1}
    places = [(mark.turn, mark.deleting, mark.segment) for mark in left]
    assert places == sorted(places), "no invocation goes back"
    table.twin.calls.clear()
    to_the_end(table, calls=60)
    assert table.twin.writes == []


def test_invocations_of_a_few_calls_each_still_come_to_the_end() -> None:
    table = Table(*range(6_000))
    table.put(*range(3_000), to=table.twin)
    table.put(*range(90_000, 90_030), to=table.twin)
    left = to_the_end(table, calls=4, mark=Checkpoint())
    assert table.equal()
    assert set(table.written().values()) == {1}
    assert max(len(mark.body()) for mark in left) < 2_000, "a message holds it"


def test_a_token_that_is_no_longer_taken_begins_its_segment_again_and_no_other() -> None:
    table = Table(*range(300), page=7)
    table.put(*range(300), to=table.twin)
    fresh = in_turns(3, table)
    with pytest.raises(ContinuedError) as stopped:
        table.sync(fresh(), Checkpoint(segment=4))
    mark = stopped.value.checkpoint
    assert mark.token
    table.source.expired.add("0")
    table.source.era = "1"
    whole = Table(*range(300)).sync(mark=Checkpoint())
    assert whole.created == 300
    table.source.calls.clear()
    digest = table.sync(mark=mark).digest
    asked = [params["Segment"]["SegmentNumber"] for name, params in table.source.calls if name == "get_partitions"]
    assert asked[0] == asked[1] == mark.segment
    assert sorted(set(asked)) == list(range(4, SEGMENTS))
    rest = Table(*range(300), page=7)
    rest.put(*range(300), to=rest.twin)
    assert digest == rest.sync(mark=Checkpoint(segment=4)).digest, "nothing is counted twice"


def test_a_refusal_of_the_first_page_of_a_segment_is_no_worn_out_token() -> None:
    table = Table(1)
    table.source.expired.add("")
    with pytest.raises(Exception, match="no longer valid"):
        table.sync(mark=Checkpoint(segment=2))
    assert table.twin.writes == []


def test_a_source_that_changes_behind_the_pass_is_equal_in_the_end() -> None:
    table = Table(*range(200), page=10)
    changed: list[int] = []

    def change(_: dict[str, Any]) -> None:
        if len(changed) < 8:
            changed.append(len(changed))
            table.put(changed[-1], kind="corrected")
            table.source.parts[DB, TABLE].pop((f"{199 - changed[-1]:06d}",), None)

    table.twin.before["batch_create_partition"] = change
    to_the_end(table, calls=12, mark=Checkpoint())
    assert changed
    assert table.equal()


def test_a_source_that_never_rests_is_left_to_the_next_run_after_a_bounded_number_of_passes() -> None:
    table = Table(1, 2)

    def change(_: dict[str, Any]) -> None:
        table.put(1, kind=f"{len(table.twin.calls)}")

    table.twin.before["batch_get_partition"] = change
    with pytest.raises(IncompleteError, match=f"differ after {PASSES} passes"):
        table.sync(mark=Checkpoint())


def test_a_partition_that_glue_refuses_keeps_a_later_invocation_from_calling_the_table_equal() -> None:
    table = Table(*range(400), page=10)
    table.twin.bad["000123",] = ["InvalidInputException"] * 99
    with pytest.raises(IncompleteError, match=r"000123.*InvalidInputException"):
        to_the_end(table, calls=9, mark=Checkpoint())
    assert len(table.twin.parts[DB, TABLE]) == 399


def test_partitions_outside_the_prefixes_stay_out_page_by_page_too() -> None:
    table = Table(*range(5))
    table.source.put_partitions(DB, TABLE, partition(table.table, "evil", location="s3://lake/raw/hr/x"))
    counts = table.sync(mark=Checkpoint())
    assert counts.refused == 1
    assert ("evil",) not in table.twin.parts[DB, TABLE]


@settings(max_examples=30)
@given(
    st.sets(st.integers(0, 60)),
    st.sets(st.integers(0, 60)),
    st.sets(st.integers(0, 60)),
    st.integers(5, 40),
    st.integers(1, 9),
)
def test_page_by_page_ends_as_the_merge_does(
    here: set[int], there: set[int], changed: set[int], calls: int, page: int
) -> None:
    digests = []
    for paged in (True, False):
        table = Table(*sorted(here), page=page)
        table.put(*sorted(there), to=table.twin)
        table.put(*sorted(there & changed), kind="old", to=table.twin)
        if paged:
            to_the_end(table, calls, Checkpoint())
        digests.append(table.sync(mark=Checkpoint() if paged else None).digest)
        assert table.equal()
        assert set(table.written().values()) <= {1}
    assert digests[0] == digests[1]


def test_a_table_that_does_not_fit_the_disk_is_compared_page_by_page_in_the_same_invocation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spool, "RUN_CHARACTERS", 60)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=spool.RESERVE))
    table = Table(*range(50))
    assert table.sync().created == 50
    assert any(params.get("Segment", {}).get("TotalSegments") == SEGMENTS for _, params in table.source.calls)
    assert table.equal()


# ------------------------------------------------------------------------------------------------- by the queue
def test_the_queue_carries_a_large_table_from_invocation_to_invocation() -> None:
    world = World()
    table = world.orders(*(f"{number:06d}" for number in range(6_000)))
    assert len(world.source.parts[DB, "orders"]) == 6_000
    work: list[Any] = [TableWork(DB, "orders")]
    turns = 0
    while work:
        turns += 1
        assert turns < 40
        used = Calls(world, 40)
        assert world.follow(*work, within=Budget(used, sleep=lambda _: None)) == []
        work = [Body(body) for body, _ in world.queue.sent if body["action"] == "table"]
    assert turns > 3
    assert len(world.days()) == 6_000
    assert table["Name"] == "orders"


def test_another_message_for_a_table_under_way_makes_another_pass_follow() -> None:
    world = World()
    world.orders("2026-01-01", "2026-01-02")
    world.follow(TableWork(DB, "orders"))
    place = Checkpoint(deleting=True, segment=SEGMENTS - 1)
    world.source.put_partitions(DB, "orders", partition(parquet(), "2026-01-03"))
    assert world.follow(TableWork(DB, "orders", turn=3, checkpoint=place.body())) == []
    assert len(world.days()) == 2, "the end of a pass does not look at the source's pages again"
    assert world.follow(TableWork(DB, "orders", turn=3, checkpoint=place.body()), event()) == []
    assert len(world.days()) == 3


def test_a_place_in_a_table_that_was_changed_meanwhile_is_followed_by_another_pass() -> None:
    world = World()
    world.orders("2026-01-01")
    world.follow(TableWork(DB, "orders"))
    world.orders("2026-01-01", "2026-01-02")
    world.source.put(DB, parquet(Description="another"), version="4")
    place = Checkpoint(deleting=True, segment=SEGMENTS)
    assert world.follow(TableWork(DB, "orders", checkpoint=place.body())) == []
    assert len(world.days()) == 2


@pytest.mark.parametrize(
    "text", ["", "{}x", "[]", '{"turn": "1"}', '{"segment": 11}', '{"before": "x"}', '{"token": 3}', '{"other": 1}']
)
def test_a_checkpoint_that_nobody_wrote_is_poison(text: str) -> None:
    with pytest.raises(EventError, match="checkpoint"):
        checkpoint.parse(text)
    world = World()
    assert world.follow(TableWork(DB, "orders", checkpoint=text)) == ["0"]


class Calls:
    """Time that runs out after so many calls of either side of a world."""

    def __init__(self, world: World, most: int) -> None:
        self.world, self.most = world, most

    def __call__(self) -> int:
        return 900_000 if len(self.world.source.calls) + len(self.world.twin.calls) < self.most else 1_000


class Body:
    """A message as it was sent."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body

    def body(self) -> dict[str, Any]:
        return self._body
