"""What goes wrong is heard of within minutes: from a message that nobody can read to a notice, and back to quiet."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lakemesh.declarations.naming import Naming
from lakemesh.demo.process import LocalAwsProcess
from tests.e2e.conftest import SAMPLE, World

pytestmark = pytest.mark.e2e
STACKS = ("central", "producer-erp", "producer-procurement", "domain-ap", "domain-ar")


@dataclass
class Watched:
    """A deployed mesh, its clock and its alarms."""

    world: World

    @property
    def account(self) -> str:
        return self.world.declarations.mesh.central.account

    @property
    def naming(self) -> Naming:
        return Naming(self.world.declarations.mesh)

    def control(self, path: str, method: str = "GET", body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.world.endpoint}/_local/{path}", data, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=130) as answer:  # noqa: S310
            return json.load(answer)

    def advance(self, seconds: int) -> None:
        self.control("advance", "POST", {"seconds": seconds})
        assert self.control("idle?timeout=120") == {"idle": True}

    def state(self, alarm: str) -> str:
        found = self.world.root("cloudwatch", self.account).describe_alarms(
            AlarmNames=[alarm], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        (one,) = [*found["MetricAlarms"], *found["CompositeAlarms"]]
        return str(one["StateValue"])

    def notices(self) -> list[dict[str, Any]]:
        return list(self.control("notifications")["notifications"])


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with LocalAwsProcess() as aws:
        world = World(aws.endpoint, SAMPLE).prepare()
        world.up(None, *STACKS)
        yield Watched(world)


def test_a_message_that_nobody_can_read_is_heard_of_and_then_quiet_again(watched: Watched) -> None:
    sqs = watched.world.root("sqs", watched.account)
    url = sqs.get_queue_url(QueueName=watched.naming.sync_queue)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="nobody can read this")
    for _ in range(8):  # five tries, each after a longer wait
        watched.advance(300)
    assert watched.state("lakemesh-sync-dead-letters") == "ALARM"
    assert watched.state("lakemesh-unhealthy") == "ALARM"
    said = [one for one in watched.notices() if "sync-dead-letters" in json.dumps(one)]
    assert {one["topic"].rpartition(":")[2] for one in said} >= {"lakemesh-operators"}
    assert "runbooks/sync-dead-letters.md" in json.dumps(said)

    sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=watched.naming.dead_letter_queue)["QueueUrl"])
    for _ in range(4):
        watched.advance(300)
    assert watched.state("lakemesh-sync-dead-letters") == "OK"


def test_a_sync_that_stands_still_is_heard_of_though_it_says_nothing(watched: Watched) -> None:
    """The watch is off, so nothing publishes: missing data is what sets the alarm off."""
    for _ in range(4):
        watched.advance(900)
    assert watched.state("lakemesh-ap-sync-late") == "OK"
    watched.world.root("events", watched.account).disable_rule(Name=watched.naming.watch_rule)
    for _ in range(8):
        watched.advance(900)
    assert watched.state("lakemesh-ap-sync-late") == "ALARM"
    assert watched.state("lakemesh-ap-unhealthy") == "ALARM"
    topics = {one["topic"].rpartition(":")[2] for one in watched.notices() if "ap-" in json.dumps(one)}
    assert topics >= {"lakemesh-operators", "lakemesh-owner-ap"}
