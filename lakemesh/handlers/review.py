"""Lambda `review`: judge new and changed columns of the central catalog, from metadata alone, after each sync.

Two things invoke it: the catalog's own events, each about the table that the sync has just written, and a schedule,
which looks at every twin, finds what events missed, and publishes how far the review is. It reads the central catalog,
and keeps what it found in one bucket; it tags nothing and grants nothing.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from lakemesh.handlers.bundled import lines
from lakemesh.handlers.store import Store
from lakemesh.handlers.tables import columns_of
from lakemesh.review.findings import METADATA, Findings, judge, object_key
from sync_handlers import clients
from sync_handlers.budget import Budget
from sync_handlers.errors import EventError, IncompleteError
from sync_handlers.manifest import Manifest, bundled
from sync_handlers.observability import count, logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from lakemesh.classification import Column

ACTION = "review"
"""What the schedule asks for."""


class Catalog(Protocol):
    """The central catalog, as far as the review reads it."""

    def table(self, twin: str, name: str) -> Mapping[str, Any] | None:
        """A table; None where it is gone."""

    def tables(self, twin: str) -> Iterator[Mapping[str, Any]]:
        """Every table of a twin."""


@dataclass
class Coverage:
    """How far the review of one domain is."""

    reviewed: int = 0
    pending: int = 0
    oldest: float = 0.0
    """Seconds that the oldest pending column has waited."""


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    store = Store(clients.s3(), os.environ["REVIEWS_BUCKET"])
    budget = Budget(context.get_remaining_time_in_millis)
    return Review(bundled(), GlueCatalog(clients.glue()), store, budget, dt.datetime.now(dt.UTC)).run(event)


@dataclass
class Review:
    manifest: Manifest
    catalog: Catalog
    store: Store
    budget: Budget
    now: dt.datetime
    coverage: dict[str, Coverage] = field(default_factory=dict)

    def run(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The schedule's whole pass, or the tables of one event of Glue. Raises EventError, and IncompleteError where
        the time ran short."""
        if event.get("action") == ACTION:
            return self._everything()
        written = looked = 0
        for twin, name in named(event):
            table = self.catalog.table(twin, name) if twin in self.manifest.sources else None
            if table is not None:
                written, looked = written + self._table(twin, table), looked + 1
        logger.info("columns reviewed", extra={"tables": looked, "changed": written})
        return {"tables": looked, "changed": written}

    def _everything(self) -> dict[str, Any]:
        written = looked = 0
        for twin in sorted(self.manifest.sources):
            self.coverage.setdefault(self.manifest.sources[twin].domain, Coverage())
            for table in self.catalog.tables(twin):
                if self.budget.short():
                    raise IncompleteError(
                        f"The review looked at {looked} tables and its time ran short. Raise the function's timeout, "
                        "or split the mesh in two."
                    )
                written, looked = written + self._table(twin, table), looked + 1
        for domain, found in sorted(self.coverage.items()):
            count("ColumnsReviewed", found.reviewed, domain=domain)
            count("ColumnsPending", found.pending, domain=domain)
            count("OldestPendingSeconds", int(found.oldest), domain=domain)
        logger.info("catalog reviewed", extra={"tables": looked, "changed": written})
        return {"tables": looked, "changed": written}

    def _table(self, twin: str, table: Mapping[str, Any]) -> bool:
        """Whether there was something new to keep."""
        name, domain = str(table["Name"]).lower(), self.manifest.sources[twin].domain
        contract = self.manifest.tables.get(f"{twin}.{name}")
        reviewed = {column.name for column in contract.columns if column.reviewed} if contract else set()
        columns = columns_of(table)
        key = object_key(METADATA, twin, name)
        before = self.store.read(key)
        after = judge(Findings(twin, name, domain), columns, reviewed, self.now, before)
        self._count(domain, columns, after)
        if after == (before or Findings(twin, name, domain)):
            return False
        self.store.write(key, after)
        return True

    def _count(self, domain: str, columns: list[Column], found: Findings) -> None:
        # What people rejected waits for nobody.
        waiting = [one for name, one in found.columns.items() if self._waits(found, name)]
        coverage = self.coverage.setdefault(domain, Coverage())
        coverage.pending += len(waiting)
        coverage.reviewed += len(columns) - len(found.columns)
        ages = [(self.now - one.since).total_seconds() for one in waiting]
        coverage.oldest = max([coverage.oldest, *ages])

    def _waits(self, found: Findings, column: str) -> bool:
        return f"{found.twin}.{found.table}.{column}" not in rejected()


def rejected() -> frozenset[str]:
    """Columns that people decided to leave unreviewed, as `twin.table.column`: bundled with the manifest."""
    return lines("rejected.txt")


def named(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Twin and table that an event of Glue is about (Glue developer guide, "Automating AWS Glue with EventBridge").
    Raises EventError."""
    detail = event.get("detail")
    if not isinstance(detail, Mapping) or not isinstance(detail.get("databaseName"), str):
        raise EventError(f'neither an event of Glue nor {{"action": "{ACTION}"}}: nothing is reviewed.')
    tables = [detail["tableName"]] if "tableName" in detail else detail.get("changedTables") or ()
    for table in tables:
        if isinstance(table, str):
            yield detail["databaseName"].lower(), table.lower()


@dataclass(frozen=True)
class GlueCatalog:
    """Through boto3."""

    client: Any

    def table(self, twin: str, name: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self.client.get_table(DatabaseName=twin, Name=name)["Table"]
        except self.client.exceptions.EntityNotFoundException:
            return None
        return found

    def tables(self, twin: str) -> Iterator[Mapping[str, Any]]:
        for page in self.client.get_paginator("get_tables").paginate(DatabaseName=twin):
            yield from page["TableList"]
