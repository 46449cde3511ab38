"""Partitions of one table, with what must not be copied or deleted yet held back.

Two things stand between the comparison (`partitions`) and the catalogs: a twin that collects deletions until the guard
has seen all of them, and a source that notes how new its partitions are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from sync_handlers import freshness, glue_access, schema_changes
from sync_handlers.batches import Batches, Failure
from sync_handlers.budget import Budget
from sync_handlers.canonical import SetDigest
from sync_handlers.deletions import Permit
from sync_handlers.errors import IncompleteError, counted, listed
from sync_handlers.glue_access import GlueValue, Reader, Values, Writer
from sync_handlers.partitions import PartitionSync
from sync_handlers.planner import Partition

T = TypeVar("T")
May = Callable[[str, int, int], Permit]
"""Whether partitions may go, given the digest of which, how many, and how many the twin has."""


@dataclass
class WatchedSource:
    """A source that notes the newest partition which passes."""

    inner: Reader
    newest: dt.datetime | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def partitions(self, table: str, read: Callable[[GlueValue], T], *, columns: bool = True) -> Iterator[T]:
        def noted(partition: GlueValue) -> T:
            self._note(partition)
            return read(partition)

        return self.inner.partitions(table, noted, columns=columns)

    def page(
        self, table: str, segment: Any = None, token: str | None = None, *, columns: bool = True
    ) -> tuple[Sequence[GlueValue], str | None]:
        items, following = self.inner.page(table, segment, token, columns=columns)
        for item in items:
            self._note(item)
        return items, following

    def get_partitions(self, table: str, values: Sequence[Values]) -> Iterator[GlueValue]:
        for partition in self.inner.get_partitions(table, values):
            self._note(partition)
            yield partition

    def _note(self, partition: GlueValue) -> None:
        at = freshness.of_partition(partition)
        if at is not None and (self.newest is None or at > self.newest):
            self.newest = at


@dataclass
class GuardedTwin:
    """A twin whose partitions are deleted last, and only if the guard lets them all go.

    Until then they count as deleted, so that the comparison ends.
    """

    inner: Writer
    waiting: dict[Values, None] = field(default_factory=dict)
    gone: int = 0
    """Partitions that were deleted."""
    withheld: int = 0
    """Partitions that the guard keeps."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def partitions(self, table: str, read: Callable[[GlueValue], T], *, columns: bool = True) -> Iterator[T]:
        def named(partition: GlueValue) -> tuple[Values, T]:
            return tuple(partition["Values"]), read(partition)

        for values, found in self.inner.partitions(table, named, columns=columns):
            if values not in self.waiting:
                yield found

    def page(
        self, table: str, segment: Any = None, token: str | None = None, *, columns: bool = True
    ) -> tuple[Sequence[GlueValue], str | None]:
        items, following = self.inner.page(table, segment, token, columns=columns)
        return [item for item in items if tuple(item["Values"]) not in self.waiting], following

    def get_partitions(self, table: str, values: Sequence[Values]) -> Iterator[GlueValue]:
        for partition in self.inner.get_partitions(table, values):
            if tuple(partition["Values"]) not in self.waiting:
                yield partition

    def delete_partitions(self, table: str, values: Sequence[Values]) -> list[Failure[Values]]:  # noqa: ARG002 -- the API
        self.waiting.update(dict.fromkeys(values))
        return []

    def settle(self, table: str, may: May, most: int, budget: Budget) -> str | None:
        """Delete what waits, if it may go; the guard's reason when it may not.

        Up to `most` the guard lets go unasked, so the twin is not counted. Raises IncompleteError naming what Glue
        refused to delete, or OutOfTimeError; the next comparison finds what is left.
        """
        leaving, self.waiting = list(self.waiting), {}
        if len(leaving) > most:
            permit = may(self._digest(leaving), len(leaving), self._total(table, budget))
            if not permit.allowed:
                self.withheld = len(leaving)
                return permit.reason
        deletions: Batches[Values] = Batches(
            lambda some: self.inner.delete_partitions(table, some),
            glue_access.DELETE_PARTITIONS,
            budget,
            frozenset({"EntityNotFoundException"}),
        )
        try:
            deletions.apply(leaving)
        finally:
            self.gone += deletions.done
        if deletions.failures:
            failed = [f"partition {list(one.item)}: {one.code}: {one.message}" for one in deletions.failures]
            raise IncompleteError(f"table {table}: Glue refused {counted(len(failed), 'partition')}:\n{listed(failed)}")
        return None

    def _digest(self, gone: Sequence[Values]) -> str:
        together = SetDigest()
        for values in gone:
            together.add(values, "")
        return together.hexdigest().partition(":")[2][:32]

    def _total(self, table: str, budget: Budget) -> int:
        seen: set[int] = set()  # a listing may repeat a partition
        for values in self.inner.partitions(table, lambda one: hash(tuple(one["Values"])), columns=False):
            budget.spend()
            seen.add(values)
        return len(seen)


@dataclass
class HeldSync(PartitionSync):
    """The comparison under a schema that is held back: partitions that do not fit the twin wait."""

    held: GlueValue = field(default_factory=dict)
    """The twin's table."""

    def read(self, partition: GlueValue) -> Partition:
        return replace(super().read(partition), unfit=schema_changes.fits(partition, self.held))

    def _listing(self, side: Reader, *, columns: bool = True) -> Iterator[Partition]:  # noqa: ARG002 -- columns decide
        return super()._listing(side, columns=True)

    def _read(self, values: list[Values]) -> Iterator[GlueValue]:
        for partition in super()._read(values):
            if schema_changes.fits(partition, self.held) is None:
                yield partition
