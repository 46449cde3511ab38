"""From an event to every line, message and item that comes of it; and people who are told, or not."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from sync_handlers import observability
from sync_handlers.notices import Notice
from sync_handlers.notify_access import Silent, Topics
from sync_handlers.observability import logger
from sync_handlers.opening import Memory
from sync_handlers.queue_access import SqsQueue
from tests.sync_handlers.fakes import error
from tests.sync_handlers.memory import FakePeople, FakeStore
from tests.sync_handlers.test_follow import World
from tests.sync_handlers.test_hints import DB, event

NOTICE = Notice(("owner-sales", "consumer-treasury"), "subject", "text")


class Sqs:
    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    def send_message_batch(self, **params: Any) -> dict[str, Any]:
        self.bodies += [json.loads(entry["MessageBody"]) for entry in params["Entries"]]
        return {}


class Sns:
    def __init__(self, *broken: str) -> None:
        self.published: list[str] = []
        self.broken = broken

    def publish(self, **params: Any) -> None:
        topic = params["TopicArn"].rpartition(":")[2]
        if topic in self.broken:
            raise error("NotFoundException", "Topic does not exist")
        self.published.append(topic)


def test_an_events_id_is_in_the_log_and_in_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    world, store = World(), FakeStore()
    plain = world.open
    world.open = lambda source, of: type(plain(source, of))(  # type: ignore[method-assign]
        plain(source, of).theirs, plain(source, of).twin, None, Memory(store, FakePeople())
    )
    world.orders("2026-01-01")
    assert world.follow(event(id="event-7")) == []
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    written = [line for line in lines if line["message"].startswith("table ")]
    assert {line["correlation_id"] for line in written} == {"event-7"}
    assert store.kept[DB, "table#orders"]["correlationId"] == "event-7"
    assert observability.correlation() == ""


def test_messages_carry_on_what_they_came_from() -> None:
    sqs = Sqs()
    queue = SqsQueue(sqs, "url")  # type: ignore[arg-type]
    observability.correlate("event-7")
    queue.send([({"action": "watch"}, 0)])
    observability.correlate("")
    queue.send([({"action": "watch"}, 0)])
    assert sqs.bodies == [{"action": "watch", "correlation": "event-7"}, {"action": "watch"}]


def test_each_audience_has_its_topic_and_one_that_is_missing_keeps_nobody_else_from_hearing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sns = Sns("mesh-owner-sales")
    assert Topics(sns, "arn:aws:sns:eu-west-3:1:mesh-").tell(NOTICE)  # type: ignore[arg-type]
    assert sns.published == ["mesh-consumer-treasury"]
    assert '"NoticesFailed":[1.0]' in capsys.readouterr().out
    deaf = Sns("mesh-owner-sales", "mesh-consumer-treasury")
    assert not Topics(deaf, "arn:aws:sns:eu-west-3:1:mesh-").tell(NOTICE)  # type: ignore[arg-type]


def test_a_mesh_without_topics_tells_nobody_and_says_so() -> None:
    assert not Silent().tell(NOTICE)
