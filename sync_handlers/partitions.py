"""Bring the partitions of one table to those of its source.

Listings are read page by page into (values, digest) pairs, sorted, merged, and only what differs is read in full and
written: 1 % of churn costs the listing and the batch calls for that 1 %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sync_handlers import canonical, glue_access, locations
from sync_handlers.batches import Batches, Failure, chunks
from sync_handlers.budget import Budget
from sync_handlers.errors import SHOWN, IncompleteError, counted, listed
from sync_handlers.glue_access import GlueValue, Reader, Values, Writer
from sync_handlers.planner import Kind, Partition, PartitionChange, plan_partitions
from sync_handlers.spool import sorted_by_values

PASSES = 3
"""A pass that wrote is followed by one that must find nothing to do; a source that changes all the time is left to
the next run."""

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
    counts: PartitionCounts = field(default_factory=PartitionCounts)
    _failed: int = 0
    _failures: list[str] = field(default_factory=list)

    def run(self) -> PartitionCounts:
        """Write until a pass finds both sides equal.

        Raises IncompleteError naming the partitions that Glue refused, or when the sides do not become equal.
        """
        if self.only is not None and not self._all_known(self.only):
            self.only = None
        for _ in range(PASSES):
            written = self._pass()
            if self._failed:
                raise IncompleteError(
                    f"table {self.table}: Glue refused "
                    f"{counted(self._failed, 'partition')}:\n{listed(self._failures, self._failed)}"
                )
            if not written:
                return self.counts
        raise IncompleteError(
            f"table {self.table}: partitions still differ after {PASSES} passes: its source keeps changing while it is "
            "copied."
        )

    def _pass(self) -> int:
        """One comparison and its writes; returns how many partitions it had to write."""
        written, kept = 0, canonical.SetDigest()
        self.counts.unchanged, self.counts.refused, self.counts.examples = 0, 0, []
        # The twin first: what another run writes after this shows as a difference, never as an older truth winning.
        with (
            sorted_by_values(self._listing(self.twin)) as there,
            sorted_by_values(self._listing(self.source)) as here,
        ):
            for group in chunks(self._changes(plan_partitions(here, there), kept), glue_access.GET_PARTITIONS):
                written += self._write(group)
        self.counts.digest = kept.hexdigest()
        return written

    def _all_known(self, named: Sequence[Values]) -> bool:
        known = {
            tuple(one["Values"]) for side in (self.twin, self.source) for one in side.get_partitions(self.table, named)
        }
        return known.issuperset(named)

    def _listing(self, side: Reader) -> Iterator[Partition]:
        listed = side.partitions(self.table) if self.only is None else side.get_partitions(self.table, self.only)
        for partition in listed:
            self.budget.spend()
            yield Partition(
                tuple(partition["Values"]),
                canonical.partition_digest(partition),
                locations.refusal(partition, self.prefixes),
            )

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
        for failure in (*creations.failures, *updates.failures):
            self._note(failure, tuple(failure.item["Values"]))
        for gone in deletions.failures:
            self._note(gone, gone.item)
        return creations.done + updates.done + deletions.done

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
