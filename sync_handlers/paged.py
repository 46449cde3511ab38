"""Compare a table that is too large for one invocation: page by page, each page settled before the next is read.

A page of one side is looked up on the other by its values (BatchGetPartition), so nothing is sorted or kept, and every
page is progress: first the source's pages against the twin, which creates and updates, then the twin's values against
the source, which deletes. It reads each side twice where the merge (`partitions`) reads it once, and may be stopped and
resumed at any page. Segments of the two sides are not compared with each other: how Glue assigns partitions to segments
is not documented.

The source may change meanwhile. So a pass that wrote is followed by another, until one finds nothing to write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from botocore.exceptions import ClientError

from sync_handlers import canonical
from sync_handlers.checkpoint import SEGMENTS, Checkpoint, ContinuedError
from sync_handlers.errors import OutOfTimeError
from sync_handlers.glue_access import GlueValue, Reader, Values
from sync_handlers.planner import Kind, Partition, PartitionChange, plan_partitions


class Work(Protocol):
    """What a pass needs of the table's sync."""

    def read(self, partition: GlueValue) -> Partition: ...
    def apply(self, plan: Iterable[PartitionChange], equal: canonical.SetDigest) -> int: ...


@dataclass
class PagedPass:
    table: str
    source: Reader
    twin: Reader
    work: Work
    spend: Callable[[], None]
    """Raises OutOfTimeError when there is no time for another page."""
    mark: Checkpoint
    resumed: bool = False
    """Whether the token of `mark` is another invocation's."""

    def run(self) -> Checkpoint:
        """To the end of this pass. Raises ContinuedError with the place it came to."""
        writing = False
        try:
            while not self.mark.done:
                self.spend()
                items, token = self._page()
                equal = canonical.SetDigest.parse(self.mark.equal)
                writing = True
                wrote = self.work.apply(self._plan(items), equal)
                writing = False
                self.mark = self.mark.after_page(token, equal.hexdigest(), wrote=bool(wrote))
        except OutOfTimeError as error:
            # A page that was written in part looks equal when it is read again: the next pass has to prove it.
            raise ContinuedError(str(error), replace(self.mark, wrote=self.mark.wrote or writing)) from error
        return self.mark

    def _page(self) -> tuple[Sequence[GlueValue], str | None]:
        resumed, self.resumed = self.resumed, False
        try:
            return self._get()
        except ClientError:
            # Tokens end; how long they are good for and what Glue answers then is not documented. The segment begins
            # again, and what is wrong for another reason is wrong again.
            if not (resumed and self.mark.token):
                raise
            self.mark = self.mark.at_segment()
            return self._get()

    def _get(self) -> tuple[Sequence[GlueValue], str | None]:
        side, mark = (self.twin if self.mark.deleting else self.source), self.mark
        # Columns are left out where values are all that is asked of a page.
        return side.page(self.table, (mark.segment, SEGMENTS), mark.token, columns=not mark.deleting)

    def _plan(self, items: Sequence[GlueValue]) -> Iterator[PartitionChange]:
        if not items:
            return iter(())
        if self.mark.deleting:
            return self._gone([tuple(item["Values"]) for item in items])
        here = {partition.values: partition for partition in map(self.work.read, items)}
        there = map(self.work.read, self.twin.get_partitions(self.table, list(here)))
        return plan_partitions(
            (here[values] for values in sorted(here)), iter(sorted(there, key=lambda partition: partition.values))
        )

    def _gone(self, values: list[Values]) -> Iterator[PartitionChange]:
        there = {tuple(partition["Values"]) for partition in self.source.get_partitions(self.table, values)}
        return (
            PartitionChange(Kind.DELETE, one, "gone at the source")
            for one in sorted(dict.fromkeys(values))
            if one not in there
        )
