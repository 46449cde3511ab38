"""Sort a stream of partitions of any length in memory that does not grow with it.

Glue promises no order of GetPartitions, and a merge needs one. Listings are sorted in runs that fit memory; longer ones
go to temporary files and are merged from there (an external merge sort). One entry is its values, a digest and, rarely,
a reason: about 130 bytes on disk, so Lambda's default 512 MB of /tmp hold some 4 million; `ephemeral_storage` of the
function raises that.
"""

from __future__ import annotations

import heapq
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO

from sync_handlers.planner import Partition

RUN = 50_000
"""Entries sorted in memory at once: about 25 MB."""


@contextmanager
def sorted_by_values(stream: Iterable[Partition], run: int = RUN) -> Iterator[Iterator[Partition]]:
    """The partitions of `stream`, each once and ascending by `values`; its temporary files end with the context."""
    with ExitStack() as files:
        spooled: list[Iterator[Partition]] = []
        batch: list[Partition] = []
        for partition in stream:
            batch.append(partition)
            if len(batch) >= run:
                spooled.append(_spool(batch, files))
                batch = []
        batch.sort(key=_key)
        yield _once(heapq.merge(*spooled, batch, key=_key))


def _once(ordered: Iterable[Partition]) -> Iterator[Partition]:
    """Each partition once: a listing that runs while partitions are added may repeat one on its next page."""
    last: Partition | None = None
    for partition in ordered:
        if last is not None and partition.values != last.values:
            yield last
        last = partition
    if last is not None:
        yield last


def _key(partition: Partition) -> tuple[str, ...]:
    return partition.values


def _spool(batch: list[Partition], files: ExitStack) -> Iterator[Partition]:
    handle = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115 -- the exit stack closes it
    files.enter_context(handle)
    for partition in sorted(batch, key=_key):
        handle.write(json.dumps([partition.values, partition.digest, partition.refused]) + "\n")
    handle.seek(0)
    return _read(handle)


def _read(handle: IO[str]) -> Iterator[Partition]:
    for line in handle:
        values, digest, refused = json.loads(line)
        yield Partition(tuple(values), digest, refused)
