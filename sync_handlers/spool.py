"""Sort a stream of partitions of any length in memory that does not grow with it.

Glue promises no order of GetPartitions, and a merge needs one. Listings are sorted in runs that fit memory; longer ones
go to temporary files and are merged from there (an external merge sort). One entry is its values, a digest and, rarely,
a reason: about 130 bytes on disk, so Lambda's default 512 MB of /tmp hold some 3.5 million; `ephemeral_storage` of the
function raises that, and a table that is larger still is compared page by page (`paged`).
"""

from __future__ import annotations

import heapq
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO

from sync_handlers.planner import Partition

RUN = 50_000
"""Entries sorted in memory at once: about 25 MB."""
RUN_CHARACTERS = 8_000_000
"""Characters of values in a run, which count where values are long: one may have 1,024 (Glue API, ValueString)."""
RESERVE = 64 * 1024 * 1024
"""Bytes of /tmp that are left to others."""
_ENTRY = 600
"""Bytes that an entry is on disk at most, without its values; a character of those can be 6 (escaped)."""


class SpoolFullError(Exception):
    """The temporary files would fill the disk."""


@contextmanager
def sorted_by_values(stream: Iterable[Partition], run: int = RUN) -> Iterator[Iterator[Partition]]:
    """The partitions of `stream`, each once and ascending by `values`; its temporary files end with the context.

    Raises SpoolFullError when there is no room for them.
    """
    with ExitStack() as files:
        spooled: list[Iterator[Partition]] = []
        batch: list[Partition] = []
        characters = 0
        for partition in stream:
            batch.append(partition)
            characters += sum(map(len, partition.values))
            if len(batch) >= run or characters >= RUN_CHARACTERS:
                _make_room(len(batch), characters)
                spooled.append(_spool(batch, files))
                batch, characters = [], 0
        batch.sort(key=_key)
        yield _once(heapq.merge(*spooled, batch, key=_key))


def _make_room(entries: int, characters: int) -> None:
    if shutil.disk_usage(tempfile.gettempdir()).free < entries * _ENTRY + 6 * characters + RESERVE:
        raise SpoolFullError("the temporary files of this comparison would fill the disk")


def _once(ordered: Iterable[Partition]) -> Iterator[Partition]:
    """Each partition once: a listing may give one twice (`listing`), and so may Glue while partitions are added."""
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
