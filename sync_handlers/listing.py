"""List the partitions of a table: a small one in as many calls as it has pages, a large one by segments at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

T = TypeVar("T")
Page = tuple[Sequence[Mapping[str, Any]], str | None]
GetPage = Callable[[int | None, str | None], Page]
"""Partitions of one page and the next page's token, given the segment (None: the whole table) and this page's token."""

PAGES = 5
"""Pages read one after the other before a table counts as large: up to 5,000 partitions cost one call a thousand."""
SEGMENTS = 4
"""Segments that are read at a time; Glue allows 10 (Glue API, Segment). Reading an answer takes as long as waiting for
it, so more of them would only hold more pages in memory."""


def listing(page: GetPage, read: Callable[[Mapping[str, Any]], T]) -> Iterator[T]:
    """What `read` makes of each partition, in no order.

    Of a large table the first pages come again with its segments, so a partition may be given twice: whoever sorts them
    drops the second. `read` runs in the thread that got the page, so that at most `SEGMENTS` whole pages are in memory.
    """
    token: str | None = None
    for _ in range(PAGES):
        items, token = page(None, token)
        yield from map(read, items)
        if not token:
            return
    yield from _segments(page, read)


def _segments(page: GetPage, read: Callable[[Mapping[str, Any]], T]) -> Iterator[T]:
    def get(segment: int, token: str | None) -> tuple[list[T], str | None]:
        items, following = page(segment, token)
        return [read(item) for item in items], following

    pool = ThreadPoolExecutor(SEGMENTS, thread_name_prefix="listing")
    try:
        under_way: dict[Future[tuple[list[T], str | None]], int] = {
            pool.submit(get, segment, None): segment for segment in range(SEGMENTS)
        }
        while under_way:
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                segment = under_way.pop(future)
                found, token = future.result()
                if token:
                    under_way[pool.submit(get, segment, token)] = segment
                yield from found
    finally:
        # A page that is under way is waited for: none may be left running when the function is frozen.
        pool.shutdown(wait=True, cancel_futures=True)
