"""Bring the partitions of one table to those of its source.

Listings are read page by page into (values, digest) pairs, sorted, merged, and only what differs is read in full and
written: 1 % of churn costs the listing and the batch calls for that 1 %. A table that does not fit one invocation is
compared page by page instead (`paged`), and gone on with by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from sync_handlers import canonical, glue_access, locations
from sync_handlers.batches import Batches, Failure, chunks
from sync_handlers.budget import Budget
from sync_handlers.checkpoint import Checkpoint, ContinuedError
from sync_handlers.errors import SHOWN, IncompleteError, OutOfTimeError, counted, listed
from sync_handlers.glue_access import GlueValue, Reader, Values, Writer
from sync_handlers.listing import PAGES
from sync_handlers.paged import PagedPass
from sync_handlers.planner import Kind, Partition, PartitionChange, plan_partitions
from sync_handlers.spool import SpoolFullError, sorted_by_values

PASSES = 3
"""A pass that wrote is followed by one that must find nothing to do; a source that changes all the time is left to
the next run."""
LARGE = PAGES * glue_access.PARTITIONS_PAGE
"""Partitions of one side beyond which a comparison that ran out of time is gone on with page by page; a smaller one
begins again."""

_Call = Callable[[str, Sequence[GlueValue]], list[Failure[GlueValue]]]


@dataclass
class PartitionCounts:
    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    refused: int = 0
    examples: list[tuple[Values, str]] = field(default_factory=list)
    """The first `SHOWN` of those refused, with their reasons."""
    digest: str = ""


@dataclass
class PartitionSync:
    table: str
    source: Reader
    twin: Writer
    prefixes: tuple[str, ...]
    budget: Budget
    only: tuple[Values, ...] | None = None
    """Partitions to compare, at most `GET_PARTITIONS`; None: all. One that neither side has may be another's name,
    misread: then all are compared."""
    checkpoint: Checkpoint | None = None
    """Where another invocation stopped; None: from the beginning."""
    counts: PartitionCounts = field(default_factory=PartitionCounts)
    _failed: int = 0
    _failures: list[str] = field(default_factory=list)
    _listed: int = 0
    """Partitions of the longer listing so far."""

    def run(self) -> PartitionCounts:
        """Write until a pass finds both sides equal.

        Raises IncompleteError naming the partitions that Glue refused, or when the sides do not become equal;
        ContinuedError when time ran short in a large table, OutOfTimeError when it did in another.
        """
        if self.only is not None and not self._all_known(self.only):
            self.only = None
        if self.checkpoint is not None:
            return self._by_pages(self.checkpoint, resumed=True)
        try:
            for _ in range(PASSES):
                written = self._pass()
                self._refuse()
                if not written:
                    return self.counts
        except SpoolFullError:
            return self._by_pages(Checkpoint(), resumed=False)
        except OutOfTimeError as error:
            if self._listed > LARGE:
                raise ContinuedError(str(error), Checkpoint()) from error
            raise
        raise self._restless()

    def _by_pages(self, mark: Checkpoint, *, resumed: bool) -> PartitionCounts:
        """Passes over a table of any size, from `mark` until one had nothing to write."""
        self._failed, self._failures = mark.failed, list(mark.failures)
        while True:
            self._begin()
            try:
                mark = PagedPass(self.table, self.source, self.twin, self, self.budget.spend, mark, resumed).run()
            except ContinuedError as error:
                left = error.checkpoint.with_failures(self._failed, self._failures)
                raise ContinuedError(str(error), left) from error
            self._refuse()
            if not mark.wrote:
                self.counts.digest = mark.equal
                return self.counts
            if mark.turn >= PASSES:
                raise self._restless()
            mark, resumed = Checkpoint(turn=mark.turn + 1), False

    def _pass(self) -> int:
        """One comparison and its writes; returns how many partitions it had to write."""
        kept = canonical.SetDigest()
        self._begin()
        # The twin first: what another run writes after this shows as a difference, never as an older truth winning.
        with sorted_by_values(self._listing(self.twin)) as there:
            first = next(there, None)
            # Into an empty twin each partition is created from what is read of it then: nothing is compared here.
            columns = first is not None
            with sorted_by_values(self._listing(self.source, columns=columns)) as here:
                written = self.apply(plan_partitions(here, there if first is None else chain([first], there)), kept)
        self.counts.digest = kept.hexdigest()
        return written

    def _begin(self) -> None:
        self.counts.unchanged, self.counts.refused, self.counts.examples = 0, 0, []

    def _refuse(self) -> None:
        if self._failed:
            raise IncompleteError(
                f"table {self.table}: Glue refused "
                f"{counted(self._failed, 'partition')}:\n{listed(self._failures, self._failed)}"
            )

    def _restless(self) -> IncompleteError:
        return IncompleteError(
            f"table {self.table}: partitions still differ after {PASSES} passes: its source keeps changing while it is "
            "copied."
        )

    def apply(self, plan: Iterable[PartitionChange], equal: canonical.SetDigest) -> int:
        """Write what a plan asks for and add to `equal` what is; how many partitions were not."""
        return sum(self._write(group) for group in chunks(self._changes(plan, equal), glue_access.GET_PARTITIONS))

    def _all_known(self, named: Sequence[Values]) -> bool:
        known = {
            tuple(one["Values"]) for side in (self.twin, self.source) for one in side.get_partitions(self.table, named)
        }
        return known.issuperset(named)

    def _listing(self, side: Reader, *, columns: bool = True) -> Iterator[Partition]:
        listed: Iterable[Partition]
        if self.only is None:
            listed = side.partitions(self.table, self.read, columns=columns)
        else:
            listed = map(self.read, side.get_partitions(self.table, self.only))
        for number, partition in enumerate(listed, 1):
            self._listed = max(self._listed, number)
            self.budget.spend()
            yield partition

    def read(self, partition: GlueValue) -> Partition:
        """What a comparison needs of a partition."""
        refused = locations.refusal(partition, self.prefixes)
        return Partition(tuple(partition["Values"]), canonical.partition_digest(partition), refused)

    def _changes(self, plan: Iterable[PartitionChange], kept: canonical.SetDigest) -> Iterator[PartitionChange]:
        for change in plan:
            if change.kind is Kind.KEEP:
                kept.add(change.values, change.digest or "")
                self.counts.unchanged += 1
            elif change.kind is Kind.SKIP:
                self.counts.refused += 1
                if len(self.counts.examples) < SHOWN:
                    self.counts.examples.append((change.values, change.reason))
            else:
                yield change

    def _write(self, group: list[PartitionChange]) -> int:
        """Returns how many were written or refused: as many as another comparison may find different."""
        by_kind: dict[Kind, list[Values]] = {kind: [] for kind in (Kind.CREATE, Kind.UPDATE, Kind.DELETE)}
        for change in group:
            by_kind[change.kind].append(change.values)
        # A partition that another run created, changed or deleted meanwhile is settled here and compared again by the
        # next pass.
        creations = self._batches(self.twin.create_partitions, glue_access.CREATE_PARTITIONS, "AlreadyExistsException")
        updates = self._batches(self.twin.update_partitions, glue_access.UPDATE_PARTITIONS, "EntityNotFoundException")
        deletions: Batches[Values] = Batches(
            lambda some: self.twin.delete_partitions(self.table, some),
            glue_access.DELETE_PARTITIONS,
            self.budget,
            frozenset({"EntityNotFoundException"}),
        )
        creations.apply(self._read(by_kind[Kind.CREATE]))
        updates.apply(self._read(by_kind[Kind.UPDATE]))
        deletions.apply(by_kind[Kind.DELETE])
        self.counts.created += creations.done
        self.counts.updated += updates.done
        self.counts.deleted += deletions.done
        failed = self._failed
        for failure in (*creations.failures, *updates.failures):
            self._note(failure, tuple(failure.item["Values"]))
        for gone in deletions.failures:
            self._note(gone, gone.item)
        return creations.done + updates.done + deletions.done + self._failed - failed

    def _note(self, failure: Failure[GlueValue] | Failure[Values], values: Values) -> None:
        self._failed += 1
        if len(self._failures) < SHOWN:
            self._failures.append(f"partition {list(values)}: {failure.code}: {failure.message}")

    def _batches(self, call: _Call, size: int, settled: str) -> Batches[GlueValue]:
        return Batches(lambda some: call(self.table, some), size, self.budget, frozenset({settled}))

    def _read(self, values: list[Values]) -> Iterator[GlueValue]:
        """Inputs of these partitions as the source has them now; its locations are checked again, for it may have
        changed."""
        if not values:
            return
        self.budget.spend()
        for partition in self.source.get_partitions(self.table, values):
            if locations.refusal(partition, self.prefixes) is None:
                yield canonical.partition_input(partition)
