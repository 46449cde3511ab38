"""Lambda `scan`: look at samples in the producer's account, and send away only what the recogniser says of them.

A schedule invokes it. It reads a few rows of the tables that have unreviewed columns (`lakemesh.classify_scan`, with
the same bounds as the command), judges them, and puts verdicts, evidence in words and fingerprints of shapes into the
mesh's bucket of reviews, under the producer's own prefix. Values stay in the memory of one invocation.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3

from lakemesh.classification import Column
from lakemesh.classify_scan.scan import Limits, Looked, scan
from lakemesh.handlers.bundled import lines
from lakemesh.handlers.store import Store
from lakemesh.handlers.tables import columns_of
from lakemesh.onboard.account import Account
from lakemesh.review.findings import SAMPLES, Findings, judge, object_key
from sync_handlers.budget import Budget
from sync_handlers.errors import IncompleteError, counted, listed
from sync_handlers.observability import count, logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

TABLES = "tables.jsonl"
"""A line a table, beside the code: which tables have unreviewed columns, and which of their columns are reviewed."""


@dataclass(frozen=True)
class Wanted:
    """One table, as the program that deployed the function knows it."""

    domain: str
    twin: str
    database: str
    name: str
    reviewed: frozenset[str] = frozenset()
    columns: Sequence[Column] = ()

    @property
    def key(self) -> str:
        return f"{self.twin}.{self.name}"


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    del event
    account = Account(boto3.Session(), os.environ["AWS_LAMBDA_FUNCTION_NAME"], os.environ["PRODUCER_ACCOUNT"])
    store = Store(boto3.client("s3"), os.environ["REVIEWS_BUCKET"], os.environ["REVIEWS_OWNER"])
    tables = [wanted(line) for line in sorted(lines(TABLES))]
    budget = Budget(context.get_remaining_time_in_millis)
    return Scan(account, store, os.environ["PRODUCER"], budget, dt.datetime.now(dt.UTC)).run(tables)


def wanted(line: str) -> Wanted:
    given = json.loads(line)
    return Wanted(
        given["domain"], given["twin"], given["database"], given["table"], frozenset(map(str, given["reviewed"]))
    )


@dataclass
class Scan:
    account: Account
    store: Store
    producer: str
    budget: Budget
    now: dt.datetime
    limits: Limits = field(default_factory=Limits)
    look: Callable[..., Looked] = scan

    def run(self, tables: Sequence[Wanted]) -> dict[str, Any]:
        """Look at each table, and keep what is new. Raises IncompleteError where the time ran short, and
        MissingPermissionsError with everything that was denied."""
        looked = changed = sampled = 0
        for table in self._oldest_first(tables):
            if self.budget.short():
                left = [one.key for one in tables][looked:]
                raise IncompleteError(
                    f"The scan's time ran short with {counted(len(left), 'table')} left:\n{listed(left)}\n"
                    "The next one goes on with them."
                )
            found = self._table(table)
            looked += 1
            if found is not None:
                sampled, changed = sampled + found[0], changed + found[1]
        count("TablesScanned", looked, producer=self.producer)
        logger.info("scanned", extra={"tables": looked, "sampled": sampled, "changed": changed})
        return {"tables": looked, "sampled": sampled, "changed": changed}

    def _oldest_first(self, tables: Sequence[Wanted]) -> Iterator[Wanted]:
        """Begins at another table each day, so that one run that ends early does not starve the same tables always."""
        start = self.now.toordinal() % len(tables) if tables else 0
        yield from [*tables[start:], *tables[:start]]

    def _table(self, table: Wanted) -> tuple[bool, bool] | None:
        """Whether values were found, and whether there was something new; None where the table is gone."""
        answer = self.account.read(
            "glue", "GetTable", f"table {table.database}.{table.name}",
            absent=("EntityNotFoundException",), DatabaseName=table.database, Name=table.name,
        )  # fmt: skip
        self.account.complete()
        if answer is None:
            return None
        columns = columns_of(answer["Table"])
        asked = Wanted(table.domain, table.twin, table.database, table.name, table.reviewed, columns)
        looked = self.look(self.account, [(table.domain, asked)], self.limits)
        for why in looked.notes.values():
            logger.info("judged by metadata alone", extra={"table": table.key, "reason": why})
        values: Mapping[str, Sequence[object]] = looked.samples.get((table.domain, table.key), {})
        seen = [Column(one.name, one.type, one.comment, values.get(one.name)) for one in columns]
        key = object_key(f"{SAMPLES}/{self.producer}", table.twin, table.name)
        before = self.store.read(key)
        after = judge(Findings(table.twin, table.name, table.domain), seen, table.reviewed, self.now, before)
        changed = after != before
        if changed:
            self.store.write(key, after)
        return bool(values), changed
