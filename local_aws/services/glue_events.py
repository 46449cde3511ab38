"""What Glue tells EventBridge of its catalogs, and a plan of faults for it: events are best effort.

Source: Glue developer guide, "Automating AWS Glue with EventBridge": both detail types, which operation sends which, up
to 100 names an event. A plan (`PUT /_local/faults`) has a seed, and says which share of the events is dropped,
duplicated, or delayed by up to so many seconds, which puts them out of order.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.services import authorize, events
from local_aws.services.calls import Call, after_call, on_reset

DATABASE_CHANGE = "Glue Data Catalog Database State Change"
TABLE_CHANGE = "Glue Data Catalog Table State Change"
MOST_NAMES = 100


@dataclass(frozen=True)
class Faults:
    seed: int = 0
    drop: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    """Share of the events that are delayed."""
    seconds: float = 2.0
    """At most so long."""


class _Plan:
    def __init__(self) -> None:
        self.set(Faults())

    def set(self, faults: Faults) -> None:
        self.faults, self.random = faults, random.Random(faults.seed)  # noqa: S311 - to be repeated
        self.sent = self.dropped = 0


_plan = _Plan()


def plan(faults: Faults) -> None:
    _plan.set(faults)


def counts() -> dict[str, int]:
    """Events sent and dropped since the plan was made."""
    return {"sent": _plan.sent, "dropped": _plan.dropped}


@on_reset
def clear() -> None:
    _plan.set(Faults())


@after_call
def emit(call: Call, result: Mapping[str, Any]) -> None:
    if call.service != "glue":
        return
    bus = events.Bus(call.catalog, call.region)
    if not bus.listens:
        return
    for kind, detail, tables in _changes(call, result):
        resources = [authorize.arn(call, "glue", resource, call.catalog) for resource in tables]
        _send(events.new_event("aws.glue", kind, call.catalog, call.region, detail, resources), bus)


def _send(event: events.Event, bus: events.Bus) -> None:
    faults, chance = _plan.faults, _plan.random.random
    _plan.sent += 1
    if chance() < faults.drop:
        _plan.dropped += 1
        return
    for _ in range(2 if chance() < faults.duplicate else 1):
        events.publish(event, bus, chance() * faults.seconds if chance() < faults.delay else 0.0)


def _changes(call: Call, result: Mapping[str, Any]) -> list[tuple[str, dict[str, Any], list[str]]]:
    """Detail type, detail and resources of each event of a call."""
    params, operation = call.params, call.operation
    database = str(params.get("DatabaseName") or params.get("DatabaseInput", {}).get("Name") or params.get("Name"))
    database = database.lower()
    if operation in {"CreateDatabase", "DeleteDatabase"}:
        detail: dict[str, Any] = {"databaseName": database, "typeOfChange": operation, "changedTables": []}
        return [(DATABASE_CHANGE, detail, [f"database/{database}"])]
    if operation in {"CreateTable", "DeleteTable", "BatchDeleteTable"}:
        refused = {error["TableName"] for error in result.get("Errors") or ()}
        named = params.get("TablesToDelete") or [params.get("Name") or params["TableInput"]["Name"]]
        tables = [name.lower() for name in named if name not in refused]
        return [
            (
                DATABASE_CHANGE,
                {"databaseName": database, "typeOfChange": operation, "changedTables": some},
                [f"table/{database}/{table}" for table in some],
            )
            for some in _hundreds(tables)
        ]
    if operation == "UpdateTable":
        return [_table(database, params["TableInput"]["Name"], operation, [])]
    if operation.endswith("Partition") and not operation.startswith(("Get", "BatchGet")):
        values = _written(params, result)
        return [_table(database, params["TableName"], operation, some) for some in _hundreds(values)]
    return []


def _table(database: str, table: str, operation: str, partitions: list[str]) -> tuple[str, dict[str, Any], list[str]]:
    detail: dict[str, Any] = {"databaseName": database, "tableName": table.lower(), "typeOfChange": operation}
    detail["changedPartitions"] = partitions
    return TABLE_CHANGE, detail, [f"table/{database}/{table.lower()}"]


def _written(params: Mapping[str, Any], result: Mapping[str, Any]) -> list[str]:
    """Partitions that a call changed, each as Glue spells it: `[2025, 01]`."""
    refused = {
        tuple(error.get("PartitionValues") or error.get("PartitionValueList") or ())
        for error in result.get("Errors") or ()
    }
    named = [entry["Values"] for entry in params.get("PartitionInputList") or params.get("PartitionsToDelete") or ()]
    named += [entry["PartitionValueList"] for entry in params.get("Entries") or ()]
    named += [params[member] for member in ("PartitionValues", "PartitionValueList") if member in params]
    if "PartitionInput" in params:
        named.append(params["PartitionInput"].get("Values") or [])
    unique = dict.fromkeys(tuple(values) for values in named if values)
    return [f"[{', '.join(values)}]" for values in unique if values not in refused]


def _hundreds(names: list[str]) -> list[list[str]]:
    return [names[start : start + MOST_NAMES] for start in range(0, len(names), MOST_NAMES)]
