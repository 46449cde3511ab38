"""What a batch of messages does: each table once, failures one by one, the rest of the work back on the queue."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_handlers import clients, follow
from sync_handlers.budget import Budget
from sync_handlers.errors import EventError, IncompleteError
from sync_handlers.follow import Follow, Message
from sync_handlers.glue_access import Database
from sync_handlers.hints import RefreshWork, TableWork, TagWork
from sync_handlers.manifest import Manifest, Source
from sync_handlers.opening import Sides
from tests.sync_handlers.fakes import FakeGlue, budget, error
from tests.sync_handlers.tables import CENTRAL, PRODUCER, column, manifest, orders_contract, parquet, partition
from tests.sync_handlers.test_hints import DB, event


class FakeQueue:
    def __init__(self) -> None:
        self.sent: list[tuple[dict[str, Any], int]] = []
        self.postponed: dict[str, int] = {}

    def send(self, messages: Iterable[tuple[Mapping[str, Any], int]]) -> None:
        self.sent += [(dict(body), delay) for body, delay in messages]

    def postpone(self, receipt: str, seconds: int) -> None:
        self.postponed[receipt] = seconds

    @property
    def actions(self) -> list[str]:
        return [body["action"] for body, _ in self.sent]


class FakeTags:
    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.fails = False

    def run(self, event: Mapping[str, Any]) -> None:
        if self.fails:
            raise IncompleteError("function tag: no")
        self.events.append(dict(event))


class World:
    def __init__(self) -> None:
        self.source, self.twin = FakeGlue(PRODUCER, DB), FakeGlue(CENTRAL, DB)
        self.queue, self.tags = FakeQueue(), FakeTags()
        self.manifest = manifest(orders_contract())
        self.opened = 0

    def open(self, _source: Source, _manifest: Manifest) -> Sides:
        self.opened += 1
        return Sides(Database(self.source, PRODUCER, DB), Database(self.twin, CENTRAL, DB))  # type: ignore[arg-type]

    def follow(self, *bodies: Any, within: Budget | None = None, received: int = 1) -> list[str]:
        """Ids of the messages that failed: their positions."""
        messages = [
            Message(str(number), f"r{number}", body if isinstance(body, str) else json.dumps(body.body()), received)
            for number, body in enumerate(bodies)
        ]
        self.source.calls.clear()
        self.twin.calls.clear()
        self.queue.sent.clear()
        return Follow(self.manifest, within or budget(), self.queue, self.tags, self.open).run(messages)

    def orders(self, *days: str) -> dict[str, Any]:
        table = parquet()
        self.source.put(DB, table)
        self.source.put_partitions(DB, "orders", *(partition(table, day) for day in days))
        return table

    def days(self) -> list[str]:
        return sorted(values[0] for values in self.twin.parts[DB, "orders"])


@pytest.fixture
def world() -> World:
    return World()


def test_many_events_of_one_table_are_one_comparison(world: World) -> None:
    world.orders("2026-01-01", "2026-01-02")
    assert world.follow(*[event()] * 5) == []
    assert world.days() == ["2026-01-01", "2026-01-02"]
    assert world.opened == 1
    assert world.twin.writes == ["create_table", "batch_create_partition"]


def test_hinted_partitions_alone_are_read_where_the_table_is_equal(world: World) -> None:
    table = world.orders("2026-01-01")
    world.follow(event())
    world.source.put_partitions(DB, "orders", partition(table, "2026-01-02"))
    assert world.follow(event(detail={"changedPartitions": ["[2026-01-02]"]})) == []
    assert world.days() == ["2026-01-01", "2026-01-02"]
    assert world.source.count("get_partitions") == world.twin.count("get_partitions") == 0
    assert world.twin.writes == ["batch_create_partition"]


def test_a_deleted_partition_is_deleted_by_its_hint_and_nothing_is_listed(world: World) -> None:
    world.orders("2026-01-01", "2026-01-02")
    world.follow(event())
    del world.source.parts[DB, "orders"]["2026-01-02",]
    assert world.follow(event(detail={"typeOfChange": "DeletePartition", "changedPartitions": ["2026-01-02"]})) == []
    assert world.days() == ["2026-01-01"]
    assert world.twin.count("get_partitions") == 0


@pytest.mark.parametrize("named", ["never-heard-of", "a,b", "[a, b]"])
def test_a_hint_that_names_no_partition_of_either_side_is_not_trusted(world: World, named: str) -> None:
    table = world.orders("2026-01-01")
    world.follow(event())
    world.source.put_partitions(DB, "orders", partition(table, "2026-01-02"))
    assert world.follow(event(detail={"changedPartitions": [named]})) == []
    assert world.days() == ["2026-01-01", "2026-01-02"]


def test_a_table_that_differs_is_compared_as_a_whole_whatever_was_hinted(world: World) -> None:
    world.orders("2026-01-01")
    world.follow(event())
    table = parquet()
    table["StorageDescriptor"]["Columns"].append(column("note"))
    world.source.put(DB, table, version="1")
    world.source.put_partitions(DB, "orders", partition(table, "2026-01-02"), partition(table, "2026-01-03"))
    assert world.follow(event(detail={"changedPartitions": ["2026-01-02"]})) == []
    assert world.days() == ["2026-01-01", "2026-01-02", "2026-01-03"]


@given(st.lists(st.tuples(st.sampled_from(["put", "drop"]), st.integers(1, 4), st.booleans()), max_size=12))
def test_hints_in_any_number_leave_a_twin_that_one_refresh_makes_equal(steps: list[tuple[str, int, bool]]) -> None:
    world = World()
    table = world.orders("2026-01-01")
    world.follow(event())
    told: list[str] = []
    for action, day, heard in steps:
        value = f"2026-01-{day:02d}"
        if action == "put":
            world.source.put_partitions(DB, "orders", partition(table, value))
        else:
            world.source.parts[DB, "orders"].pop((value,), None)
        if heard:
            told.append(event(detail={"changedPartitions": [value]}))
    if told:
        assert world.follow(*told) == []
    assert world.follow(TableWork(DB, "orders")) == []
    assert world.days() == sorted(values[0] for values in world.source.parts[DB, "orders"])
    world.follow(TableWork(DB, "orders"))
    assert world.twin.writes == []


def test_a_changed_table_of_a_contract_asks_for_its_tags_in_a_message_of_its_own(world: World) -> None:
    world.orders("2026-01-01")
    world.follow(event())
    assert world.queue.sent == [(TagWork("orders", frozenset({f"{DB}.orders"})).body(), 0)]
    world.follow(event())
    assert world.queue.sent == [], "nothing changed"


def test_tags_are_the_tag_functions_and_its_failure_is_a_failed_message(world: World) -> None:
    work = TagWork("orders", frozenset({f"{DB}.orders"}))
    assert world.follow(work) == []
    (asked,) = world.tags.events
    assert (asked["action"], asked["product"], list(asked["tables"])) == ("tag", "orders", [f"{DB}.orders"])
    world.tags.fails = True
    assert world.follow(work) == ["0"]


def test_a_message_that_fails_fails_alone_and_comes_back_later_each_time(world: World) -> None:
    world.orders("2026-01-01")
    assert world.follow("{poison", event()) == ["0"]
    assert world.days() == ["2026-01-01"]
    waits = []
    for received in (1, 2, 3, 20):
        world.follow("{poison", received=received)
        waits.append(world.queue.postponed["r0"])
    assert waits == [15, 30, 60, 960]


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "InternalServiceException"])
def test_an_error_at_the_source_fails_the_message_and_changes_nothing(world: World, code: str) -> None:
    world.orders("2026-01-01")
    world.follow(event())
    world.source.fail["get_table"] = [error(code)] * 9
    assert world.follow(event()) == ["0"]
    assert world.twin.writes == []


def test_a_table_that_is_gone_is_marked_and_one_that_nobody_has_is_nothing(world: World) -> None:
    world.orders("2026-01-01")
    world.follow(event())
    del world.source.tables[DB, "orders"]
    assert world.follow(event()) == []
    assert "lakemesh.not_seen_since" in world.twin.tables[DB, "orders"]["Parameters"]
    assert world.follow(TableWork(DB, "unheard-of")) == []
    assert world.twin.writes == []


def test_work_that_was_not_begun_goes_back_on_the_queue_and_is_no_failure(world: World) -> None:
    world.orders("2026-01-01")
    assert world.follow(event(), within=Budget(lambda: 1000)) == []
    assert world.queue.sent == [(TableWork(DB, "orders").body(), 0)]
    assert world.twin.writes == []


def test_a_table_too_large_for_one_invocation_goes_on_from_what_it_wrote(world: World) -> None:
    world.orders(*(f"2026-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 26)))
    time = Countdown(batches=1)
    world.twin.before["batch_create_partition"] = time.batch
    assert world.follow(TableWork(DB, "orders"), within=Budget(time)) == []
    (left,) = [body for body, _ in world.queue.sent if body["action"] == "table"]
    assert left == TableWork(DB, "orders", turn=1).body()
    assert 0 < len(world.days()) < 300
    world.twin.before.clear()
    assert world.follow(TableWork(DB, "orders", turn=1)) == []
    assert len(world.days()) == 300
    assert "table" not in world.queue.actions


class Countdown:
    """Time that runs out after so many batches."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def batch(self, _params: Any) -> None:
        self.left -= 1

    def __call__(self) -> int:
        return 900_000 if self.left > 0 else 1_000


def test_an_invocation_that_gained_nothing_is_a_failure_and_no_loop(world: World) -> None:
    world.orders("2026-01-01")
    world.follow(event())
    calls = iter([900_000] * 1 + [1_000] * 100)
    assert world.follow(TableWork(DB, "orders"), within=Budget(lambda: next(calls))) == ["0"]


def test_a_refresh_names_every_twin_and_every_product(world: World) -> None:
    assert world.follow(RefreshWork(window=900)) == []
    assert [body for body, _ in world.queue.sent] == [
        RefreshWork(DB, 900).body(),
        TagWork("orders", frozenset({f"{DB}.orders"})).body(),
    ]


def test_a_refresh_of_a_twin_spreads_the_tables_of_both_sides_over_the_window(world: World) -> None:
    for number in range(60):
        world.source.put(DB, parquet(f"at_the_source_{number}"))
    world.twin.put(DB, parquet("only_in_the_twin"))
    assert world.follow(RefreshWork(DB, 900)) == []
    assert len(world.queue.sent) == 61
    delays = sorted(delay for _, delay in world.queue.sent)
    assert 0 <= delays[0] < 200
    assert 700 < delays[-1] <= 900
    first = {body["table"]: delay for body, delay in world.queue.sent}
    world.follow(RefreshWork(DB, 900))
    assert {body["table"]: delay for body, delay in world.queue.sent} == first, "each table at its own time"
    world.follow(RefreshWork(DB, 0))
    assert {delay for _, delay in world.queue.sent} == {0}


def test_a_producer_that_cannot_be_reached_fails_its_own_messages_alone(world: World) -> None:
    def refuse(_source: Source, _manifest: Manifest) -> Sides:
        raise IncompleteError("the reader role cannot be assumed")

    world.open = refuse  # type: ignore[method-assign]
    assert world.follow(event(), RefreshWork(DB), TagWork("orders", frozenset({f"{DB}.orders"}))) == ["0", "1"]


def test_records_of_sqs_are_read_and_anything_else_is_refused() -> None:
    record = {"messageId": "m", "receiptHandle": "r", "body": "{}", "attributes": {"ApproximateReceiveCount": "3"}}
    assert follow.messages({"Records": [record]}) == [Message("m", "r", "{}", 3)]
    with pytest.raises(EventError, match="not messages of SQS"):
        follow.messages({"Records": [{"s3": {}}]})


def test_the_answer_to_a_batch_names_its_failures(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Sqs:
        def __init__(self) -> None:
            self.changed: list[int] = []

        def change_message_visibility(self, **params: Any) -> None:
            self.changed.append(params["VisibilityTimeout"])

    sqs = Sqs()
    monkeypatch.setattr(clients, "sqs", lambda: sqs)
    monkeypatch.setattr(clients, "functions", lambda: None)
    record = {"messageId": "m", "receiptHandle": "r", "body": "{", "attributes": {"ApproximateReceiveCount": "9"}}
    answer = follow.handle({"Records": [record]}, world.manifest, budget())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert sqs.changed == [900]


def test_dropped_events_are_counted_by_their_reason(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.follow(event(account=CENTRAL), event(account=CENTRAL)) == []
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    (dropped,) = [one for one in metrics if "EventsDropped" in one]
    assert (dropped["EventsDropped"], dropped["reason"]) == ([2.0], "foreign_account")
