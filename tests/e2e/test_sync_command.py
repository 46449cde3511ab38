"""`lakemesh sync` over a deployed mesh, by the commands a person types."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from lakemesh.cli.main import app
from lakemesh.declarations.naming import Naming
from lakemesh.demo.process import LocalAwsProcess
from tests.e2e.conftest import SAMPLE, World

pytestmark = pytest.mark.e2e
STACKS = ("central", "producer-erp", "producer-procurement", "domain-ap", "domain-ar")
TWIN, TABLE = "procurement_curated", "vendor_payment"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with LocalAwsProcess() as aws:
        made = World(aws.endpoint, SAMPLE).prepare()
        made.up(None, *STACKS)
        yield made


@pytest.fixture
def sync(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`lakemesh sync …` as the governance account, once the queue is quiet."""
    mesh = world.declarations.mesh
    for name, value in {
        "AWS_ENDPOINT_URL": world.endpoint, "AWS_ACCESS_KEY_ID": mesh.central.account, "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": mesh.region,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    settle(world)
    return lambda *arguments, typed="": CliRunner().invoke(
        app, ["sync", *arguments, "--mesh", str(SAMPLE)], input=typed
    )


def settle(world: World) -> None:
    with urllib.request.urlopen(f"{world.endpoint}/_local/idle?timeout=120", timeout=130) as answer:  # noqa: S310
        assert json.load(answer) == {"idle": True}


def told(result: Result) -> Any:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return json.loads(result.stdout)


def central(world: World) -> Any:
    return world.root("glue", world.declarations.mesh.central.account)


def test_a_fresh_mesh_is_equal_to_its_producers_and_says_so(sync: Any) -> None:
    done = sync("run", "--wait")
    assert done.exit_code == 0, done.output
    report = told(sync("verify", "--format", "json"))
    assert report["equal"] is True
    assert {one["state"] for one in report["tables"]} == {"equal"}
    assert all(one["source"] == one["twin"] for one in report["tables"] if one["partitions"])
    assert len(report["tables"]) == 9


def test_a_twin_that_somebody_changed_is_found_and_repaired(world: World, sync: Any) -> None:
    glue = central(world)
    first = glue.get_partitions(DatabaseName=TWIN, TableName=TABLE)["Partitions"][0]["Values"]
    glue.delete_partition(DatabaseName=TWIN, TableName=TABLE, PartitionValues=first)
    found = sync("verify", "--table", f"{TWIN}.{TABLE}")
    assert found.exit_code == 1
    assert f"! {TWIN}.{TABLE}: 1 partitions differ" in found.stdout
    assert sync("run", "--table", f"{TWIN}.{TABLE}", "--wait").exit_code == 0
    settle(world)
    assert sync("verify", "--domain", "ap").exit_code == 0


def test_verifying_writes_nothing(world: World, sync: Any) -> None:
    before = len(world.journal())
    sync("verify")
    assert [entry for entry in world.journal()[before:] if entry["service"] in {"glue", "lakeformation"}] == []


def test_the_status_names_what_needs_a_person_and_repair_asks_for_it(world: World, sync: Any) -> None:
    sync("run", "--wait")
    settle(world)
    naming = Naming(world.declarations.mesh)
    well = told(sync("status", "--format", "json"))
    assert [one["table"] for one in well["tables"] if one["failure"] or one["late"] or one["different"]] == []
    sqs = world.root("sqs", world.declarations.mesh.central.account)
    dead = sqs.get_queue_url(QueueName=naming.dead_letter_queue)["QueueUrl"]
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps({"action": "table", "twin": TWIN, "table": TABLE}))
    wrong = sync("status")
    assert wrong.exit_code == 1
    assert "dead-letter queue: 1 (lakemesh sync redrive)" in wrong.stdout
    assert "1 messages go back to the queue" in sync("redrive", "--wait").stdout
    assert told(sync("status", "--format", "json"))["dead"] == 0


def test_deletions_that_the_guard_holds_go_when_a_person_says_so(world: World, sync: Any) -> None:
    account, naming = world.declarations.mesh.central.account, Naming(world.declarations.mesh)
    dynamo = world.root("dynamodb", account)
    from sync_handlers import guard

    names = ["left_over", "other"]
    held = {
        "twin": {"S": TWIN}, "item": {"S": guard.TABLES}, "domain": {"S": "ap"}, "count": {"N": "2"},
        "share": {"N": "0.5"}, "since": {"S": "2026-03-09T10:00:00Z"}, "digest": {"S": guard.digest(names)},
        "names": {"L": [{"S": name} for name in names]},
    }  # fmt: skip
    dynamo.put_item(TableName=naming.sync_state, Item=held)
    refused = sync("approve-deletes", "--domain", "ap", "--me", "ines@acme.example", typed="n\n")
    assert (refused.exit_code, "Nothing was approved." in refused.stderr) == (1, True)
    done = sync("approve-deletes", "--domain", "ap", "--me", "ines@acme.example", "--yes")
    assert done.exit_code == 0, done.output
    assert f"{TWIN}.left_over" in done.stdout
    key = {"twin": {"S": TWIN}, "item": {"S": f"approval#{guard.digest(names)}"}}
    approval = dynamo.get_item(TableName=naming.sync_state, Key=key)["Item"]
    assert approval["by"]["S"] == "ines@acme.example"
    assert "Nothing of domain ar is held." in sync("approve-deletes", "--domain", "ar", "--me", "a@b.example").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--table", "no_such.table"), 'no twin "no_such"'),
        (("run", "--table", "procurement_curated"), "no TWIN.TABLE"),
        (("status", "--domain", "app"), 'no domain "app"'),
    ],
)
def test_misuse_is_told_and_nothing_is_asked(sync: Any, arguments: tuple[str, ...], said: str) -> None:
    done = sync(*arguments)
    assert (done.exit_code, said in done.stderr) == (2, True)
