"""How long a change of a producer takes to its twin, on a deployed sample mesh whose events and queue are at work."""

from __future__ import annotations

import json
import shutil
import time
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.sync_catalog import partition, table
from lakemesh.access.check import load_mesh
from lakemesh.demo import data
from lakemesh.demo.clients import Clients
from lakemesh.demo.process import LocalAwsProcess
from lakemesh.demo.seed import fill, guard
from lakemesh.deploy.prepare import prepare
from lakemesh.deploy.run import deploy

PRODUCER, DATABASE, TWIN, TITLE = "procurement", "procurement_raw", "procurement_raw", "bench_receipt"
STACKS = ("central", "producer-erp", "producer-procurement", "domain-ap", "domain-ar")
PREFIX, OURS = "s3://acme-procurement-lake/raw/", "s3://lake/raw/sales/"
DEADLINE = 60.0


def seconds_to_the_twin(mesh: Path, directory: Path, times: int) -> list[float]:
    """Seconds from a producer's CreatePartition to the twin's answer, one change after the other."""
    copy = Path(shutil.copytree(mesh, directory / "mesh"))
    declarations = load_mesh(copy)
    with LocalAwsProcess() as aws:
        prepare(declarations, aws.endpoint)
        clients = Clients(aws.endpoint, declarations.mesh.region)
        guard(declarations, clients)
        fill(declarations, clients, data.tables(declarations))
        failed = [text for result in deploy(copy, STACKS, aws.endpoint) for text in result.errors]
        if failed:
            raise SystemExit("\n".join(failed))
        source = clients.root("glue", declarations.mesh.producers[PRODUCER].account)
        twin = clients.root("glue", declarations.mesh.central.account)
        source.create_table(DatabaseName=DATABASE, TableInput=_here(table(TITLE)))
        _settle(aws.endpoint)
        return [_once(source, twin, f"2026-01-{number + 1:02d}", aws.endpoint) for number in range(times)]


def _once(source: Any, twin: Any, value: str, endpoint: str) -> float:
    given = _here(partition(TITLE, value))
    started = time.monotonic()
    source.create_partition(DatabaseName=DATABASE, TableName=TITLE, PartitionInput=given)
    while time.monotonic() - started < DEADLINE:
        found = twin.batch_get_partition(DatabaseName=TWIN, TableName=TITLE, PartitionsToGet=[{"Values": [value]}])[
            "Partitions"
        ]
        if found:
            took = time.monotonic() - started
            _settle(endpoint)
            return took
        time.sleep(0.02)
    raise SystemExit(f"partition {value} did not arrive in {DEADLINE:.0f} s")


def _here(value: dict[str, Any]) -> dict[str, Any]:
    """The same, in a place of the sample's producer."""
    moved: dict[str, Any] = json.loads(json.dumps(value).replace(OURS, PREFIX))
    return moved


def _settle(endpoint: str) -> None:
    with urllib.request.urlopen(f"{endpoint}/_local/idle?timeout=120", timeout=130) as answer:  # noqa: S310
        json.load(answer)
