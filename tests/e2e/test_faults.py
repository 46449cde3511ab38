"""Real faults of HTTP between the deployed sync and its catalogs: `microburst`, a process of its own, stands between the
function and Glue. Answers are late, broken off, cut short or errors; what was written may or may not have been heard of.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lakemesh.demo.process import LocalAwsProcess, environment, free_port
from sync_handlers import canonical
from tests.e2e.conftest import SAMPLE, World
from tests.e2e.test_sync import STACKS, TWIN, Followed, table_input

pytestmark = pytest.mark.e2e
TABLES = tuple(f"fault_{number:02d}" for number in range(12))
DAYS = tuple(f"2026-03-{day:02d}" for day in range(1, 29))


@dataclass
class Between:
    """The proxy in front of Glue, as the sync function alone sees it."""

    mesh: Followed
    url: str

    def control(self, path: str, method: str = "GET", body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_microburst/{path}", data, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def rules(self, *rules: dict[str, Any]) -> None:
        """Faults from now on, instead of those before."""
        self.control("fired", "DELETE")
        self.control("rules", "POST", [{"service": "glue", **rule} for rule in rules])

    def fired(self) -> Counter[str]:
        """How often each kind of fault happened."""
        answer = self.control("fired?limit=10000")
        return Counter(str(one["action"]) for one in (answer["fired"] if isinstance(answer, dict) else answer))

    def through(self) -> int:
        return int(self.control("stats")["requests"]["total"])


def answers(url: str, proxy: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and proxy.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_microburst/health", timeout=2):  # noqa: S310 - loopback
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"microburst does not answer:\n{log.read_text()}")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Between]:
    log = tmp_path_factory.mktemp("microburst") / "log"
    with LocalAwsProcess() as aws, log.open("wb") as out:
        world = World(aws.endpoint, SAMPLE).prepare()
        world.up(None, *STACKS)
        port = free_port()
        command = [sys.executable, "-m", "microburst", "--upstream", aws.endpoint, "--port", str(port), "--no-resign"]
        proxy = subprocess.Popen(command, stdout=out, stderr=out, env=environment())
        try:
            between = Between(Followed(world), f"http://127.0.0.1:{port}")
            answers(between.url, proxy, log)
            divert(between)
            yield between
        finally:
            proxy.terminate()
            proxy.wait(timeout=10)


def divert(between: Between) -> None:
    """Point the function's Glue, and nothing else, at the proxy (boto3 guide, "Service-specific endpoints")."""
    function = between.mesh.naming.sync_function
    client = between.mesh.world.root("lambda", between.mesh.central_account)
    known = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=function, Environment={"Variables": {**known, "AWS_ENDPOINT_URL_GLUE": between.url}}
    )


@pytest.fixture
def between(installed: Between) -> Iterator[Between]:
    mesh = installed.mesh
    yield installed
    installed.rules()
    mesh.faults()
    for glue in (mesh.producer, mesh.central):
        for table in glue.get_tables(DatabaseName=TWIN)["TableList"]:
            if table["Name"].startswith("fault_"):
                glue.delete_table(DatabaseName=TWIN, Name=table["Name"])
    mesh.settle()


def put(mesh: Followed, name: str, *days: str, columns: tuple[str, ...] = ("id",), new: bool = True) -> None:
    table = {**table_input(*columns), "Name": name}
    base = f"s3://acme-procurement-lake/raw/{name}/"
    table["StorageDescriptor"]["Location"] = base
    (mesh.producer.create_table if new else mesh.producer.update_table)(DatabaseName=TWIN, TableInput=table)
    parts = [{"Values": [d], "StorageDescriptor": {**table["StorageDescriptor"], "Location": base + d}} for d in days]
    if parts:
        mesh.producer.batch_create_partition(DatabaseName=TWIN, TableName=name, PartitionInputList=parts)


def side(glue: Any, name: str) -> tuple[str, dict[tuple[str, ...], str]]:
    """A table and its partitions, each as the digest of all that is copied."""
    table = canonical.table_digest(glue.get_table(DatabaseName=TWIN, Name=name)["Table"])
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName=TWIN, TableName=name)
    parts = [part for page in pages for part in page["Partitions"]]
    return table, {tuple(part["Values"]): canonical.partition_digest(part) for part in parts}


def unequal(mesh: Followed, *names: str) -> list[str]:
    there = {table["Name"] for table in mesh.central.get_tables(DatabaseName=TWIN)["TableList"]}
    return [name for name in names if name not in there or side(mesh.producer, name) != side(mesh.central, name)]


WEATHER = (
    {"probability": 0.3, "latency": {"min": 5, "max": 80}},
    {"probability": 0.06, "reset": True},
    {"probability": 0.06, "error": {"code": "InternalServiceException", "status": 500}},
    {"probability": 0.06, "error": {"code": "ThrottlingException", "status": 400}},
    {"probability": 0.06, "response": {"truncate_frac": 0.5}},
    {"probability": 0.06, "response": {"abort_frac": 0.5}},
)


def test_a_refresh_through_bad_weather_is_finished_by_the_ones_after_it(between: Between) -> None:
    mesh = between.mesh
    mesh.faults(drop=1.0)  # nothing is heard of but what the refreshes find
    for name in TABLES:
        put(mesh, name, *DAYS)
    between.rules(*WEATHER)
    mesh.refresh()
    for name in TABLES[::2]:
        put(mesh, name, columns=("id", "more"), new=False)
        mesh.producer.delete_partition(DatabaseName=TWIN, TableName=name, PartitionValues=[DAYS[0]])
    mesh.refresh()
    happened = between.fired()
    assert len(happened) >= len(WEATHER), happened
    between.rules()
    mesh.refresh()
    assert unequal(mesh, *TABLES) == []
    point = len(mesh.world.journal())
    mesh.refresh()
    assert mesh.writes(point) == [], "equal, and so left alone"


@pytest.mark.parametrize("operation", ["BatchCreatePartition", "CreateTable", "UpdateTable"])
@pytest.mark.parametrize("lost", [{"abort_frac": 0.0}, {"truncate_frac": 0.5}], ids=["broken-off", "cut-short"])
def test_a_write_whose_answer_is_lost_is_found_done(between: Between, operation: str, lost: dict[str, Any]) -> None:
    mesh = between.mesh
    before = between.through()
    if operation == "UpdateTable":
        put(mesh, TABLES[0], *DAYS[:3])
        mesh.settle()
    between.rules({"operation": operation, "times": 1, "response": lost})
    put(mesh, TABLES[0], *(() if operation == "UpdateTable" else DAYS[:3]), columns=("id", "x"),
        new=operation != "UpdateTable")  # fmt: skip
    mesh.settle()
    mesh.advance(60)  # a message that failed comes back
    assert sum(between.fired().values()) == 1
    assert between.through() > before
    assert unequal(mesh, TABLES[0]) == []
    assert mesh.waiting(mesh.naming.sync_queue) == mesh.waiting(mesh.naming.dead_letter_queue) == 0


def test_one_tables_trouble_ends_in_the_dead_letter_queue_and_sent_back_it_is_healed(between: Between) -> None:
    mesh = between.mesh
    sick, well = TABLES[0], TABLES[1]
    refused = {"operation": "CreateTable", "body": f"TableInput.Name == '{sick}'"}
    between.rules({**refused, "error": {"code": "AccessDeniedException", "status": 400}})
    dead = mesh.queue.get_queue_url(QueueName=mesh.naming.dead_letter_queue)["QueueUrl"]
    url = mesh.queue.get_queue_url(QueueName=mesh.naming.sync_queue)["QueueUrl"]
    mesh.queue.send_message(QueueUrl=url, MessageBody="{not json")
    put(mesh, sick, *DAYS[:2])
    put(mesh, well, *DAYS[:2])
    mesh.settle()
    assert unequal(mesh, well) == [], "it keeps nothing else back"
    for _ in range(6):
        mesh.advance(1000)
    assert unequal(mesh, sick) == [sick]
    assert mesh.waiting(mesh.naming.dead_letter_queue) >= 2
    assert mesh.waiting(mesh.naming.sync_queue) == 0

    between.rules()
    bodies = back(mesh, dead, url)
    assert any(sick in body for body in bodies)
    assert "{not json" in bodies
    mesh.settle()
    assert unequal(mesh, sick, well) == []
    for _ in range(6):
        mesh.advance(1000)
    assert back(mesh, dead, None) == ["{not json"], "what nobody can read comes back, and nothing else does"


def back(mesh: Followed, dead: str, to: str | None) -> list[str]:
    """Bodies of what lies in the dead-letter queue; sent to a queue again, or thrown away."""
    found: list[str] = []
    while messages := mesh.queue.receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(message["Body"])
            if to is not None:
                mesh.queue.send_message(QueueUrl=to, MessageBody=message["Body"])
            mesh.queue.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
    return found
