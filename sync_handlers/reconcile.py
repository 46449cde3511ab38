"""Bring one twin to its source: read both, plan, apply, compare again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from botocore.exceptions import BotoCoreError, ClientError

from sync_handlers import canonical, clients
from sync_handlers.budget import Budget
from sync_handlers.checkpoint import Checkpoint
from sync_handlers.errors import IncompleteError, OutOfTimeError, counted, listed
from sync_handlers.glue_access import ConflictError, DeniedError, GlueValue, MissingError, Reader, Values, Writer
from sync_handlers.manifest import Table
from sync_handlers.observability import logger
from sync_handlers.partitions import PartitionSync
from sync_handlers.planner import Kind, Origin, TableChange, has_partitions, plan_table, plan_tables
from sync_handlers.report import Report

ATTEMPTS = 3
"""How often a table is planned again after somebody else wrote it in between."""
_WRITTEN = frozenset({Kind.CREATE, Kind.UPDATE, Kind.MARK})
_COPIED = frozenset({Kind.CREATE, Kind.UPDATE, Kind.KEEP})
_COUNTED = {Kind.CREATE: "created", Kind.UPDATE: "updated", Kind.KEEP: "unchanged", Kind.MARK: "marked"}

Narrow = Callable[[GlueValue], tuple[Values, ...] | None]
"""Which partitions of a table to compare, given the table; None: all."""


@dataclass
class Reconcile:
    source: Reader
    twin: Writer
    origin: Origin
    contracts: Mapping[str, Table]
    """Contracts of the twin's tables, by table name."""
    budget: Budget
    now: dt.datetime
    report: Report = field(init=False)
    _copied: dict[str, tuple[GlueValue, str]] = field(init=False, default_factory=dict)
    """What was copied: the source's table, and the digest of its partitions."""

    def __post_init__(self) -> None:
        self.report = Report(self.origin.twin)

    def run(self) -> Report:
        """Raises IncompleteError naming each table that failed, or OutOfTimeError naming what is left; the rest stays
        done."""
        # The twin first, so that a concurrent run's newer write collides with ours instead of losing to it.
        twins = {table["Name"]: table for table in self.twin.tables()}
        sources = {table["Name"]: table for table in self.source.tables()}
        self.report.missing = sorted(self.contracts.keys() - sources.keys() - twins.keys())
        plan = list(plan_tables(sources.values(), twins.values(), self.origin, self.contracts, self.now))
        for done, change in enumerate(plan):
            try:
                self.budget.spend()
                self._table(change, sources.get(change.table))
            except OutOfTimeError:
                raise self._out_of_time([left.table for left in plan[done:]]) from None
            except IncompleteError as error:
                self.report.failures.append(str(error))
            except (MissingError, DeniedError, ConflictError, BotoCoreError) as error:
                self.report.failures.append(f"table {change.table}: {error}")
            except ClientError as error:
                self.report.failures.append(f"table {change.table}: {clients.text(error)}")
        if any(self.report.tables[name] for name in ("created", "updated")):
            twins = {table["Name"]: table for table in self.twin.tables()}
        self._converge(twins)
        if self.report.failures:
            raise IncompleteError(self._incomplete())
        return self.report

    def run_table(self, name: str, narrow: Narrow, checkpoint: Checkpoint | None = None) -> Report:
        """One table only, its partitions narrowed where that is safe: where the table itself is equal on both sides.
        Then all that its hints can be about is partitions. `checkpoint`: where another invocation stopped in them.

        Raises IncompleteError, OutOfTimeError (ContinuedError with the place it came to), or what Glue answered; what
        was written stays.
        """
        twin, source = _found(self.twin, name), _found(self.source, name)
        change = plan_table(name, source, twin, self.origin, self.contracts.get(name), self.now)
        if source is None and twin is None:
            change = TableChange(Kind.ABSENT, name, "gone on both sides")
        only = narrow(source) if source is not None and change.kind is Kind.KEEP else None
        if checkpoint is not None and change.kind is not Kind.KEEP:
            checkpoint = replace(checkpoint, wrote=True)
        self._table(change, source, only, checkpoint)
        if name in self._copied and self.report.writes:
            self._converge({name: self.twin.table(name)})
        if self.report.failures:
            raise IncompleteError(self._incomplete())
        return self.report

    # ---------------------------------------------------------------------------------------------- one table
    def _table(
        self,
        change: TableChange,
        source: GlueValue | None,
        only: tuple[Values, ...] | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        change, source = self._apply(change, source)
        self._note(change)
        if source is None or change.kind not in _COPIED:
            return
        digest = ""
        if has_partitions(source):
            digest = self._partitions(change.table, only, checkpoint)
        self._copied[change.table] = (source, digest)

    def _apply(self, change: TableChange, source: GlueValue | None) -> tuple[TableChange, GlueValue | None]:
        """Write a change; when the twin is no longer what was compared, read and plan again."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._write(change)
            except (ConflictError, MissingError):
                if attempt == ATTEMPTS:
                    raise
                self.budget.back_off(attempt)
                twin, source = _found(self.twin, change.table), _found(self.source, change.table)
                if source is None and twin is None:
                    return TableChange(Kind.ABSENT, change.table, "gone on both sides meanwhile"), None
                contract = self.contracts.get(change.table)
                change = plan_table(change.table, source, twin, self.origin, contract, self.now)
            else:
                break
        return change, source

    def _write(self, change: TableChange) -> None:
        if change.kind not in _WRITTEN or change.input is None:
            return
        if change.kind is Kind.CREATE:
            self.twin.create_table(change.input)
        else:
            self.twin.update_table(change.input, change.version)
        logger.info("table %s", change.kind, extra={"table": change.table, "reason": change.reason})

    def _partitions(self, table: str, only: tuple[Values, ...] | None, checkpoint: Checkpoint | None) -> str:
        sync = PartitionSync(table, self.source, self.twin, self.origin.prefixes, self.budget, only, checkpoint)
        try:
            sync.run()
        finally:
            for name in self.report.partitions:
                self.report.partitions[name] += getattr(sync.counts, name)
            self.report.skipped += [
                {"table": table, "partition": list(values), "reason": reason} for values, reason in sync.counts.examples
            ]
            more = sync.counts.refused - len(sync.counts.examples)
            if more:
                self.report.skipped.append({"table": table, "reason": f"{counted(more, 'partition')} more like these"})
        return sync.counts.digest

    def _note(self, change: TableChange) -> None:
        report, table = self.report, change.table
        if change.kind in _COUNTED:
            report.tables[_COUNTED[change.kind]] += 1
        if change.kind in {Kind.ABSENT, Kind.MARK}:
            report.absent.append({"table": table, "listed": table in self.contracts, "reason": change.reason})
        elif change.kind is Kind.SKIP:
            report.skipped.append({"table": table, "reason": change.reason})
        elif change.kind is Kind.HOLD:
            report.held.append({"table": table, "reason": change.reason})
        if change.note:
            report.notes.append({"table": table, "note": change.note})
        if change.danger:
            report.failures.append(
                f"table {table}: its copy points outside the prefixes of its source ({change.danger}). Declare the "
                f"prefix in mesh.yaml, or remove the copy: aws glue delete-table --database-name {self.origin.twin} "
                f"--name {table}"
            )

    # --------------------------------------------------------------------------------------------------- the end
    def _converge(self, twins: Mapping[str, GlueValue]) -> None:
        """Digests of what was copied, `twins` read back if anything was written; a difference is a failure."""
        source, twin = [], []
        for name, (table, partitions) in sorted(self._copied.items()):
            here = canonical.table_digest(table)
            there = canonical.table_digest(twins[name]) if name in twins else "missing"
            source.append([name, here, partitions])
            twin.append([name, there, partitions])
            if here != there:
                self.report.failures.append(f"table {name}: read back, the copy differs from what was written.")
        self.report.source_digest, self.report.twin_digest = canonical.digest(source), canonical.digest(twin)

    def _incomplete(self) -> str:
        return (
            f"Twin {self.origin.twin}: {counted(len(self.report.failures), 'failure')}; everything else is copied and "
            "stays.\n"
            f"{listed(self.report.failures)}\nRun up again when the causes are mended: it continues where it stopped."
        )

    def _out_of_time(self, left: Iterable[str]) -> OutOfTimeError:
        names = list(left)
        failed = f"\nFailed before that:\n{listed(self.report.failures)}" if self.report.failures else ""
        return OutOfTimeError(
            f"Twin {self.origin.twin}: stopped because the function's time ran short; {counted(len(names), 'table')} "
            f"left:\n{listed(names)}\n"
            f"Run up again: it continues where it stopped.{failed}"
        )


def _found(side: Reader, table: str) -> GlueValue | None:
    try:
        return side.table(table)
    except MissingError:
        return None
