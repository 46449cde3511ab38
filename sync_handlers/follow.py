"""Messages of the queue: bring what they name to its source.

A message that fails comes back after a growing while, and after too many times goes to the dead-letter queue; it never
keeps another of its batch from being done (partial batch responses: Lambda developer guide, "Handling errors for an SQS
event source"). Work that the time of an invocation does not suffice for goes back on the queue.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sync_handlers import checkpoint, clients, hints, state
from sync_handlers.budget import Budget
from sync_handlers.checkpoint import ContinuedError
from sync_handlers.errors import EventError, HandlerError, OutOfTimeError
from sync_handlers.glue_access import ConflictError, DeniedError, MissingError, Values
from sync_handlers.hints import RefreshWork, TableWork, TagWork, WatchWork, Work
from sync_handlers.manifest import Manifest, Source
from sync_handlers.observability import correlate, count, logger
from sync_handlers.opening import Memory, Sides, open_memory, open_sides, unexpected
from sync_handlers.planner import has_partitions
from sync_handlers.queue_access import Queue, SqsQueue, TagFunction, Tagging
from sync_handlers.report import Report
from sync_handlers.settings import settings
from sync_handlers.watch import watch

FIRST_WAIT = 15
"""Seconds after which a message that failed comes back; twice as long each time."""
Open = Callable[[Source, Manifest], Sides]


@dataclass(frozen=True)
class Message:
    id: str
    receipt: str
    body: str
    received: int
    """How often it has been received, this time included."""


def handle(event: Mapping[str, Any], manifest: Manifest, budget: Budget) -> dict[str, Any]:
    """The answer to a batch of SQS messages: which of them failed."""
    environment = settings()
    queue = SqsQueue(clients.sqs(), environment.queue)
    tagging = Tagging(clients.functions(), environment.tag_function)
    failed = Follow(manifest, budget, queue, tagging, open_sides, open_memory()).run(messages(event))
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def messages(event: Mapping[str, Any]) -> list[Message]:
    """Records of a batch (Lambda developer guide, "Using Lambda with Amazon SQS"). Raises EventError."""
    try:
        return [
            Message(
                id=record["messageId"],
                receipt=record["receiptHandle"],
                body=record["body"],
                received=int(record["attributes"]["ApproximateReceiveCount"]),
            )
            for record in event["Records"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise EventError(f"event.Records: not messages of SQS ({type(error).__name__}: {error}).") from error


@dataclass
class Follow:
    manifest: Manifest
    budget: Budget
    queue: Queue
    tagging: TagFunction
    open: Open
    memory: Memory = field(default_factory=Memory)
    _opened: dict[str, Sides] = field(default_factory=dict)

    def run(self, received: Sequence[Message]) -> list[str]:
        """Do what the messages ask for; the ids of those that failed."""
        batch = hints.sort(((message.id, message.body) for message in received), self.manifest)
        count("MessagesReceived", len(received))
        for reason, number in batch.dropped.items():
            count("EventsDropped", number, reason=reason.value)
            logger.warning("events dropped", extra={"reason": reason.value, "events": number})
        failed: dict[str, None] = {}
        for identifier, wrong in batch.poison.items():
            count("MessagesFailed", 1, reason="poison")
            logger.error("message not understood", extra={"message_id": identifier, "reason": wrong})
            failed[identifier] = None
        for work, identifiers in batch.work.items():
            correlate(batch.origins[identifiers[0]])
            if not self._done(work):
                failed |= dict.fromkeys(identifiers)
        correlate("")
        self._postpone([message for message in received if message.id in failed])
        return list(failed)

    # ------------------------------------------------------------------------------------------ one piece of work
    def _done(self, work: Work) -> bool:
        try:
            if self.budget.short():
                # Not begun: a fresh message, so that waiting does not count as failing.
                self.queue.send([(work.body(), 0)])
                return True
            self._do(work)
        except HandlerError as error:
            return self._failed(work, str(error))
        except (MissingError, DeniedError, ConflictError, BotoCoreError) as error:
            return self._failed(work, str(self._explained(work, str(error))))
        except ClientError as error:
            return self._failed(work, str(self._explained(work, clients.text(error))))
        return True

    def _explained(self, work: Work, text: str) -> HandlerError | str:
        source = None if isinstance(work, TagWork | WatchWork) else self.manifest.sources.get(work.twin or "")
        return unexpected(text, source, self.manifest) if source else text

    def _failed(self, work: Work, reason: str) -> bool:
        count("MessagesFailed", 1, reason="work", **self._dimensions(work))
        logger.error("work failed", extra={"work": work.body()["action"], "reason": reason})
        return False

    def _dimensions(self, work: Work) -> dict[str, str]:
        source = None if isinstance(work, TagWork | WatchWork) else self.manifest.sources.get(work.twin or "")
        return {"domain": source.domain} if source else {}

    def _do(self, work: Work) -> None:
        match work:
            case TableWork():
                self._table(work, self.manifest.sources[work.twin])
            case RefreshWork(twin=None):
                self.queue.send((again.body(), 0) for again in self._everything(work))
            case RefreshWork(twin=str(twin)):
                self.queue.send(self._tables(self.manifest.sources[twin], work.window))
            case TagWork():
                digests = {key: self.manifest.tables[key].digest for key in sorted(work.tables)}
                self.tagging.run({"action": "tag", "product": work.product, "tables": digests})
                count("ProductsTagged", 1)
            case WatchWork():
                if self.memory.store is not None:
                    watch(self.manifest, self.memory.store, self.memory.notifier, dt.datetime.now(dt.UTC))

    def _everything(self, work: RefreshWork) -> Iterator[Work]:
        """A message a twin, so that one producer that cannot be reached keeps no other back; and each product's LF-Tags
        are looked at again, whatever a lost message was about."""
        for twin in sorted(self.manifest.sources):
            yield RefreshWork(twin, work.window)
        products: dict[str, set[str]] = {}
        for key, table in self.manifest.tables.items():
            products.setdefault(table.product, set()).add(key)
        for product, tables in sorted(products.items()):
            yield TagWork(product, frozenset(tables))

    def _tables(self, source: Source, window: int) -> Iterator[tuple[Mapping[str, Any], int]]:
        """A message for every table of either side, spread over the window by the table's name."""
        sides = self._sides(source)
        names = {table["Name"] for side in (sides.twin, sides.theirs) for table in side.tables()}
        if sides.memory.store is not None:
            # What is remembered and on neither side any more is looked at once more, and then forgotten.
            remembered = map(state.read, sides.memory.store.items(source.twin, state.TABLE))
            names |= {table.table for table in remembered if table.deleted_at is None}
        count("TablesEnqueued", len(names), domain=source.domain)
        for name in sorted(names):
            digest = hashlib.sha256(f"{source.twin}.{name}".encode()).digest()
            yield TableWork(source.twin, name).body(), int.from_bytes(digest[:4]) % (window + 1)

    def _table(self, work: TableWork, source: Source) -> None:
        reconcile = self._sides(source).reconcile(source, self.manifest, self.budget)
        place = checkpoint.parse(work.checkpoint) if work.checkpoint else None
        try:
            reconcile.run_table(work.table, lambda table: narrowed(work, table), place)
        except OutOfTimeError as error:
            ahead = error.checkpoint if isinstance(error, ContinuedError) else place
            if ahead == place and not reconcile.report.writes:
                raise  # nothing was gained: the message counts as failed, and ends where a person looks
            left = replace(work, turn=work.turn + 1)
            if ahead:
                left = replace(left, partitions=None, checkpoint=ahead.body())
            self.queue.send([(left.body(), 0)])
            count("TablesContinued", 1, domain=source.domain)
        finally:
            self._sides(source).recorder(source, self.manifest).record(reconcile.outcomes.values())
            failed = any(outcome.failure for outcome in reconcile.outcomes.values())
            self._written(source, work.table, reconcile.report, failed=failed)

    def _written(self, source: Source, table: str, report: Report, *, failed: bool) -> None:
        count("TablesReconciled", 1, domain=source.domain)
        if report.writes or failed or report.withheld:
            count("Writes", report.writes, domain=source.domain)
            count("ChangesPlanned", report.writes + report.withheld + failed, domain=source.domain)
            count("ChangesApplied", report.writes, domain=source.domain)
            count("ChangesFailed", int(failed), domain=source.domain)
        logger.info("table reconciled", extra={"result": report.result()})
        contract = self.manifest.tables.get(f"{source.twin}.{table}")
        if contract and (report.tables["created"] or report.tables["updated"]):
            # Its columns may be others now: the tag function brings LF-Tags to the contract, by a message of its own so
            # that a failure there is tried again when the table itself is done (docs/adr/0010).
            self.queue.send([(TagWork(contract.product, frozenset({contract.key})).body(), 0)])

    def _sides(self, source: Source) -> Sides:
        if source.twin not in self._opened:
            self._opened[source.twin] = self.open(source, self.manifest)
        return self._opened[source.twin]

    def _postpone(self, failed: Sequence[Message]) -> None:
        for message in failed:
            try:
                self.queue.postpone(message.receipt, FIRST_WAIT * 2 ** min(message.received - 1, 6))
            except ClientError as error:
                # It comes back all the same, after the queue's own visibility timeout.
                logger.warning("message not postponed", extra={"reason": clients.text(error)})


def narrowed(work: TableWork, table: Mapping[str, Any]) -> tuple[Values, ...] | None:
    """Partitions of a table that alone have to be compared; None: all of them."""
    if work.partitions is None or not has_partitions(table):
        return None
    keys = len(table.get("PartitionKeys") or ())
    found = [hints.partition_values(text, keys) for text in sorted(work.partitions)]
    return None if None in found else tuple(sorted({values for values in found if values is not None}))
