"""A producer's change arrives by its event; events are lost; the refresh repairs; both sides are equal."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import boto3

from lakemesh.demo.clients import Clients
from lakemesh.demo.outcome import DemoError
from lakemesh.demo.stage import Stage
from lakemesh.sync.account import Account

TITLE = "The central catalog follows the producers, whatever becomes of their events"


def run(stage: Stage) -> None:
    """Add a partition and see it arrive; lose the events of another; refresh; compare both sides of every table."""
    twin, table = _partitioned(stage)
    sources = [source for domain in stage.declarations.mesh.domains.values() for source in domain.sources]
    source = next(source for source in sources if source.twin_name == twin)
    producer = stage.clients.root("glue", stage.declarations.mesh.producers[source.producer].account)
    central = stage.clients.root("glue", stage.declarations.mesh.central.account)
    model = producer.get_partitions(DatabaseName=source.database, TableName=table)["Partitions"][0]

    first = _values(model, "demo-1")
    stage.say(f"The producer adds partition {'/'.join(first)} to {source.database}.{table}. Glue sends an event.")
    stage.step("Wait for the event", lambda: _add(stage, producer, source.database, table, model, first))
    stage.check("the twin has it, by the event alone", _has(central, twin, table, first))

    second = _values(model, "demo-2")
    _control(stage, "faults", "PUT", {"drop": 1.0})
    stage.say("Now every event is lost, which Glue does not rule out, and the producer adds another.")
    stage.step("Wait for nothing", lambda: _add(stage, producer, source.database, table, model, second))
    stage.check("the twin does not know of it", not _has(central, twin, table, second))
    _control(stage, "faults", "PUT", {})
    account = Account(stage.declarations, _Root(stage.clients, stage.declarations.mesh.central.account))
    found = account.verify({twin: [table]}, lambda _: None)
    stage.say(f"lakemesh sync verify --table {twin}.{table}\n  ! {found[0].reason}")
    stage.check("the convergence report finds the difference", found[0].state == "different", found[0].reason)

    stage.say("lakemesh sync run: the same comparison that the schedule makes every few hours.")
    stage.step("Refresh every twin", lambda: _refresh(stage, account))
    stage.check("the refresh brought what the event did not", _has(central, twin, table, second))
    report = stage.step(
        "Compare both sides of every table",
        lambda: account.verify(dict.fromkeys(one.twin_name for one in sources), lambda _: None),
        lambda done: f"{len(done)} tables, {sum(one.partitions for one in done)} partitions",
    )
    apart = [f"{one.table}: {one.reason}" for one in report if one.state != "equal"]
    stage.check("every twin is equal to its source, by digest", not apart, "; ".join(apart))


def _partitioned(stage: Stage) -> tuple[str, str]:
    """A table of a contract that has partitions."""
    for product in stage.declarations.products.values():
        for table in product.tables:
            if table.partition_keys and table.kind == "table":
                return table.twin, table.name
    raise DemoError("The mesh has no table with partition keys: this chapter adds partitions to one.")


def _values(model: Any, last: str) -> list[str]:
    return [*model["Values"][:-1], last]


def _add(stage: Stage, glue: Any, database: str, table: str, model: Any, values: list[str]) -> None:
    descriptor = {key: value for key, value in model["StorageDescriptor"].items() if key != "Location"}
    base = str(model["StorageDescriptor"]["Location"]).rstrip("/").rpartition("/")[0]
    descriptor["Location"] = f"{base}/{values[-1]}/"
    glue.create_partition(
        DatabaseName=database, TableName=table, PartitionInput={"Values": values, "StorageDescriptor": descriptor}
    )
    _settle(stage)


def _has(glue: Any, database: str, table: str, values: list[str]) -> bool:
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=table)
    return any(partition["Values"] == values for page in pages for partition in page["Partitions"])


def _refresh(stage: Stage, account: Account) -> None:
    account.send([{"action": "refresh", "window": 0}])
    _settle(stage)


def _settle(stage: Stage) -> None:
    if _control(stage, "idle?timeout=60", "GET", None) != {"idle": True}:
        raise DemoError("The queue of the sync is not quiet after a minute.")


def _control(stage: Stage, path: str, method: str, body: Any) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{stage.endpoint}/_local/{path}", data, method=method)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=90) as answer:  # noqa: S310
        return json.load(answer)


class _Root:
    """As a boto3 session of an account's root."""

    def __init__(self, clients: Clients, account: str) -> None:
        keys = {"aws_access_key_id": account, "aws_secret_access_key": "local"}
        self._session = boto3.Session(**keys, region_name=clients.region)  # type: ignore[arg-type]
        self._endpoint = clients.endpoint

    def client(self, service: str, **options: Any) -> Any:
        return self._session.client(service, endpoint_url=self._endpoint, **options)  # type: ignore[call-overload]
