"""Bring one twin to its source: read both, plan, apply, compare again."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from botocore.exceptions import BotoCoreError, ClientError

from sync_handlers import canonical, clients, freshness
from sync_handlers.budget import Budget
from sync_handlers.checkpoint import Checkpoint, ContinuedError
from sync_handlers.errors import IncompleteError, OutOfTimeError, counted, listed
from sync_handlers.glue_access import ConflictError, DeniedError, GlueValue, MissingError, Reader, Values, Writer
from sync_handlers.held_partitions import GuardedTwin, HeldSync, WatchedSource
from sync_handlers.manifest import Table
from sync_handlers.observability import logger
from sync_handlers.partitions import PartitionSync
from sync_handlers.planner import Kind, Origin, TableChange, due, has_partitions, plan_table
from sync_handlers.report import Report
from sync_handlers.safety import Safety
from sync_handlers.state import Outcome

LEAST_MARGIN = 10.0
"""Seconds kept for the answer when deletions end an invocation whose time is short."""
ATTEMPTS = 3
"""How often a table is planned again after somebody else wrote it in between."""
_WRITTEN = frozenset({Kind.CREATE, Kind.UPDATE, Kind.MARK, Kind.DELETE})
_COPIED = frozenset({Kind.CREATE, Kind.UPDATE, Kind.KEEP})
_COUNTED = {
    Kind.CREATE: "created",
    Kind.UPDATE: "updated",
    Kind.KEEP: "unchanged",
    Kind.MARK: "marked",
    Kind.DELETE: "deleted",
}

Narrow = Callable[[GlueValue], tuple[Values, ...] | None]
"""Which partitions of a table to compare, given the table; None: all."""


@dataclass
class _Partitions:
    """How the comparison of a table's partitions ended."""

    digest: str = ""
    whole: bool = True
    withheld: int = 0
    newest: dt.datetime | None = None
    created: int = 0


@dataclass
class Reconcile:
    source: Reader
    twin: Writer
    origin: Origin
    contracts: Mapping[str, Table]
    """Contracts of the twin's tables, by table name."""
    budget: Budget
    now: dt.datetime
    safety: Safety = field(default_factory=Safety)
    report: Report = field(init=False)
    outcomes: dict[str, Outcome] = field(init=False, default_factory=dict)
    """How each table ended, for the state; one that goes on in another invocation is not there."""
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
        names = sorted(sources.keys() | twins.keys())
        for done, name in enumerate(names):
            try:
                self.budget.spend()
                self._table(name, sources.get(name), twins.get(name))
            except OutOfTimeError:
                raise self._out_of_time(names[done:]) from None
            except IncompleteError as error:
                self._failed(name, str(error), str(error))
            except (MissingError, DeniedError, ConflictError, BotoCoreError) as error:
                self._failed(name, str(error), f"table {name}: {error}")
            except ClientError as error:
                self._failed(name, clients.text(error), f"table {name}: {clients.text(error)}")
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
        try:
            twin, source = found(self.twin, name), self._seen(name)
            self._table(name, source, twin, narrow, checkpoint)
            if name in self._copied and self.report.writes:
                self._converge({name: self.twin.table(name)})
        except OutOfTimeError:
            raise
        except IncompleteError as error:
            self._record_failure(name, str(error))
            raise
        except (MissingError, DeniedError, ConflictError, BotoCoreError, ClientError) as error:
            self._record_failure(name, clients.text(error) if isinstance(error, ClientError) else str(error))
            raise
        if self.report.failures:
            raise IncompleteError(self._incomplete())
        return self.report

    def look(self, name: str, source: GlueValue | None, twin: GlueValue | None) -> TableChange:
        """What a reconcile of the table would do to the twin's definition, without doing it."""
        return self._plan(name, source, twin)[0]

    # ---------------------------------------------------------------------------------------------- one table
    def _table(
        self,
        name: str,
        source: GlueValue | None,
        twin: GlueValue | None,
        narrow: Narrow | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        change, source = self._plan(name, source, twin)
        only = narrow(source) if narrow and source is not None and change.kind is Kind.KEEP else None
        if checkpoint is not None and change.kind is not Kind.KEEP:
            checkpoint = replace(checkpoint, wrote=True)
        before = self.report.writes
        change, source, twin, approval = self._apply(change, source, twin)
        self._note(change)
        found = _Partitions()
        held = twin if change.kind is Kind.HOLD and twin is not None and has_partitions(twin) else None
        if source is not None and has_partitions(source) and (change.kind in _COPIED or held is not None):
            found = self._partitions(name, only, checkpoint, held)
        if source is not None and change.kind in _COPIED:
            self._copied[name] = (source, found.digest)
        self.outcomes[name] = replace(
            self._outcome(change, source, twin, found), writes=self.report.writes - before, approval=approval
        )

    def _plan(
        self, name: str, source: GlueValue | None, twin: GlueValue | None
    ) -> tuple[TableChange, GlueValue | None]:
        if source is None and twin is None:
            return TableChange(Kind.ABSENT, name, "gone on both sides"), None
        contract = self.contracts.get(name)
        known = self.safety.circumstances(contract)
        if source is None and twin is not None and contract is None and due(twin, self.now, known.grace):
            sighting = self.safety.look(name)
            source = sighting.table
            known = replace(known, gone=sighting.why if sighting.absent else None)
        change = plan_table(name, source, twin, self.origin, contract, self.now, known)
        if change.kind is Kind.HOLD and contract is not None and self.safety.released(contract):
            change = plan_table(name, source, twin, self.origin, contract, self.now, replace(known, released=True))
        return change, source

    def _apply(
        self, change: TableChange, source: GlueValue | None, twin: GlueValue | None
    ) -> tuple[TableChange, GlueValue | None, GlueValue | None, str | None]:
        """Write a change; when the twin is no longer what was compared, read and plan again."""
        approval: str | None = None
        for attempt in range(1, ATTEMPTS + 1):
            if change.kind is Kind.DELETE:
                permit = self.safety.may_delete(self.origin.twin, change.table)
                approval = permit.approval
                if not permit.allowed:
                    return replace(change, kind=Kind.ABSENT, reason=permit.reason, input=None), source, twin, None
            try:
                self._write(change)
            except (ConflictError, MissingError):
                if attempt == ATTEMPTS:
                    raise
                self.budget.back_off(attempt)
                twin, source = found(self.twin, change.table), self._seen(change.table)
                change, source = self._plan(change.table, source, twin)
            else:
                break
        return change, source, twin, approval

    def _write(self, change: TableChange) -> None:
        if change.kind is Kind.DELETE:
            # DeleteTable compares no version: a copy that another run has brought back meanwhile must stay.
            if self.twin.table(change.table).get("VersionId") != change.version:
                raise ConflictError(f"table {change.table} of the twin was changed meanwhile")
            self.twin.delete_table(change.table)
        elif change.kind not in _WRITTEN or change.input is None:
            return
        elif change.kind is Kind.CREATE:
            self.twin.create_table(change.input)
        else:
            self.twin.update_table(change.input, change.version)
        logger.info("table %s", change.kind, extra={"table": change.table, "reason": change.reason})

    def _partitions(
        self, table: str, only: tuple[Values, ...] | None, checkpoint: Checkpoint | None, held: GlueValue | None
    ) -> _Partitions:
        source, twin = WatchedSource(self.source), GuardedTwin(self.twin)
        given = (table, source, twin, self.origin.prefixes, self.budget, only, checkpoint)
        sync = PartitionSync(*given) if held is None else HeldSync(*given, held=held)
        try:
            self._compared(sync, twin)
        finally:
            counts = sync.counts
            counts.deleted = twin.gone
            for name in self.report.partitions:
                self.report.partitions[name] += getattr(counts, name)
            self.report.skipped += [
                {"table": table, "partition": list(values), "reason": reason} for values, reason in counts.examples
            ]
            more = counts.refused - len(counts.examples)
            if more:
                self.report.skipped.append({"table": table, "reason": f"{counted(more, 'partition')} more like these"})
        return _Partitions(counts.digest, sync.only is None, twin.withheld, source.newest, counts.created)

    def _compared(self, sync: PartitionSync, twin: GuardedTwin) -> None:
        """Compare and write; then delete what was kept back until all of it was known, if the guard lets it go."""
        try:
            sync.run()
        except ContinuedError:
            # What the time left does not suffice for is found again: a pass that wrote is followed by another.
            with contextlib.suppress(OutOfTimeError):
                self._settle(sync.table, twin, replace(self.budget, margin=LEAST_MARGIN))
            raise
        except IncompleteError:
            self._settle(sync.table, twin, self.budget)
            raise
        self._settle(sync.table, twin, self.budget)

    def _settle(self, table: str, twin: GuardedTwin, budget: Budget) -> None:
        kept = twin.settle(table, self.safety.partitions(self.origin.twin, table), self.safety.count, budget)
        if kept is not None:
            self.report.held.append({"table": table, "partitions": twin.withheld, "reason": kept})

    def _outcome(
        self, change: TableChange, source: GlueValue | None, twin: GlueValue | None, found: _Partitions
    ) -> Outcome:
        here = there = None
        if source is not None and change.kind in _COPIED | {Kind.HOLD} and found.whole:
            copied = source if change.kind in _COPIED else twin or {}
            here = canonical.digest([canonical.table_digest(source), found.digest])
            waits = f"{found.digest}+{found.withheld}" if found.withheld else found.digest
            there = canonical.digest([canonical.table_digest(copied), waits])
        # Of partitions that were named alone, only a new one is sure to be the newest.
        fresh = source is not None and (found.whole or found.created)
        return Outcome(
            table=change.table,
            kind=change.kind,
            reason=change.reason,
            change=change.change,
            absent_since=change.absent_since,
            source_digest=here,
            twin_digest=there,
            freshness=freshness.of_table(source, found.newest) if fresh and source is not None else None,
            changed_at=_changed_at(change, source, found),
            withheld=found.withheld,
        )

    def _seen(self, name: str) -> GlueValue | None:
        """The source's table; None when it is not there. A refusal is no absence, unless who sees every table of the
        database does not see this one."""
        try:
            return found(self.source, name)
        except DeniedError:
            if not self.safety.unlisted(name):
                raise
            return None

    def _failed(self, name: str, reason: str, line: str) -> None:
        self.report.failures.append(line)
        self._record_failure(name, reason)

    def _record_failure(self, name: str, reason: str) -> None:
        self.outcomes[name] = Outcome(name, Kind.ABSENT, reason, failure=reason)

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
                self._failed(
                    name,
                    "read back, the copy differs",
                    f"table {name}: read back, the copy differs from what was written.",
                )
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


def found(side: Reader, table: str) -> GlueValue | None:
    """A table of one side; None where it is not there."""
    try:
        return side.table(table)
    except MissingError:
        return None


def _changed_at(change: TableChange, source: GlueValue | None, found: _Partitions) -> dt.datetime | None:
    """When the source made the change that was applied; None when nothing was, or nothing tells."""
    if source is None:
        return None
    if change.kind in {Kind.CREATE, Kind.UPDATE}:
        return freshness.changed_at(source)
    return found.newest if found.created else None
