"""Ways to bring one database of Glue to another: this project's handler by its queue, and what people write instead."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from benchmarks.sync_catalog import CENTRAL, DATABASE, PRODUCER, client, document, listed, slices
from benchmarks.sync_counting import Ledger
from sync_handlers.budget import Budget
from sync_handlers.follow import Follow, Message
from sync_handlers.glue_access import Database
from sync_handlers.hints import RefreshWork
from sync_handlers.manifest import Manifest, Source, parse
from sync_handlers.opening import Sides

BATCH = 25
"""Messages of one invocation, as the queue hands them over."""


@dataclass
class Queue:
    """The queue in memory: what the handler sends is what it gets next."""

    waiting: list[Mapping[str, Any]] = field(default_factory=list)

    def send(self, messages: Iterable[tuple[Mapping[str, Any], int]]) -> None:
        self.waiting += [body for body, _ in messages]

    def postpone(self, receipt: str, seconds: int) -> None:
        raise RuntimeError(f"message {receipt} failed and would come back after {seconds} s")


class NoTags:
    def run(self, event: Mapping[str, Any]) -> None:
        raise RuntimeError(f"no table here has a contract: {event}")


@dataclass
class Handler:
    """Every message of a refresh, one invocation after the other."""

    endpoint: str
    twin: str
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        self._source, self._twin = client(self.endpoint, PRODUCER), client(self.endpoint, CENTRAL)
        for one in (self._source, self._twin):
            self.ledger.listen(one.meta.events)
        self._manifest = parse(document(self.twin))

    def refresh(self) -> None:
        queue = Queue([RefreshWork(self.twin).body()])
        while queue.waiting:
            some, queue.waiting = queue.waiting[:BATCH], queue.waiting[BATCH:]
            messages = [Message(str(number), str(number), json.dumps(body), 1) for number, body in enumerate(some)]
            follow = Follow(self._manifest, Budget(lambda: 900_000), queue, NoTags(), self._open)
            failed = follow.run(messages)
            if failed:
                raise RuntimeError(f"messages failed: {[some[int(number)] for number in failed]}")

    def _open(self, source: Source, _manifest: Manifest) -> Sides:
        return Sides(Database(self._source, PRODUCER, source.database), Database(self._twin, CENTRAL, self.twin))


def one_by_one(source: Any, twin: Any, database: str, tables: Sequence[str]) -> None:
    """Ask the twin for each partition of the source, and write it if it is another: the loop that everybody writes."""
    for title in tables:
        at: dict[str, Any] = {"DatabaseName": database, "TableName": title}
        names = set()
        for found in listed(source, DATABASE, title):
            wanted = given(found)
            names.add(tuple(found["Values"]))
            try:
                have = twin.get_partition(**at, PartitionValues=found["Values"])["Partition"]
            except ClientError as error:
                if error.response["Error"]["Code"] != "EntityNotFoundException":
                    raise
                twin.create_partition(**at, PartitionInput=wanted)
            else:
                if given(have) != wanted:
                    twin.update_partition(**at, PartitionValueList=found["Values"], PartitionInput=wanted)
        for found in listed(twin, database, title):
            if tuple(found["Values"]) not in names:
                twin.delete_partition(**at, PartitionValues=found["Values"])


def replace_all(source: Any, twin: Any, database: str, tables: Sequence[str]) -> None:
    """Delete every partition of the twin and create the source's, as aws-glue-data-catalog-replication-utility does:
    batches of 25 and of 100."""
    for title in tables:
        at: dict[str, Any] = {"DatabaseName": database, "TableName": title}
        wanted = [given(found) for found in listed(source, DATABASE, title)]
        for some in slices([{"Values": found["Values"]} for found in listed(twin, database, title)], 25):
            twin.batch_delete_partition(**at, PartitionsToDelete=some)
        for some in slices(wanted, 100):
            twin.batch_create_partition(**at, PartitionInputList=some)


def given(found: Mapping[str, Any]) -> dict[str, Any]:
    """What a partition was created from."""
    return {key: found[key] for key in ("Values", "StorageDescriptor", "Parameters") if key in found}


def differences(source: Any, twin: Any, database: str, tables: Sequence[str]) -> int:
    """Partitions that the two sides do not have alike, in the end."""
    wrong = 0
    for title in tables:
        here = {tuple(one["Values"]): given(one)["Parameters"]["kind"] for one in listed(source, DATABASE, title)}
        there = {
            tuple(one["Values"]): (one.get("Parameters") or {}).get("kind") for one in listed(twin, database, title)
        }
        wrong += sum(1 for values in here.keys() | there.keys() if here.get(values) != there.get(values))
    return wrong
