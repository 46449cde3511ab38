"""How fresh a product is: what the sync knows of its tables (docs/sync.md, per-table state), summed up per product."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

KEEP_SECONDS: Final = 60.0
"""How long what was read is good for: pages do not wait for DynamoDB each time."""


@dataclass(frozen=True)
class Health:
    """What is known of one product's tables; None: not known."""

    newest: dt.datetime | None = None
    """When its data changed last: the oldest such time of its tables, since the whole is as old as its oldest part."""
    synced: dt.datetime | None = None
    """When its tables were last seen to be equal to their sources; the oldest of them."""
    held: tuple[str, ...] = ()
    """Why tables are held at an earlier schema: `table: reason`."""
    fresh: bool | None = None
    """Whether its data is as fresh as its contract promises; None where it promises nothing or nothing is known."""


class HealthOf(Protocol):
    """Says how a product is."""

    def of(self, product: str) -> Health:
        """What is known of a product."""


class Unknown:
    """Where there is no sync to ask: a mesh that is looked at before it is deployed."""

    def of(self, product: str) -> Health:  # noqa: ARG002 - every product is as unknown as the other
        """Nothing."""
        return Health()


class SyncState:
    """Reads the items of the sync's state table, again after `KEEP_SECONDS`."""

    def __init__(
        self,
        read: Callable[[], Iterable[Mapping[str, Any]]],
        promised: Mapping[str, dt.timedelta],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read`: every item, as plain values. `promised`: the oldest that data may be, by product."""
        self._read = read
        self._promised = promised
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Health] = {}
        self._until = float("-inf")

    def of(self, product: str) -> Health:
        """What the table says; what it said before where it cannot be read now is told by its times."""
        with self._lock:
            if self._clock() >= self._until:
                self._known = dict(healths(self._read(), self._promised, dt.datetime.now(dt.UTC)))
                self._until = self._clock() + KEEP_SECONDS
        return self._known.get(product, Health())


def healths(
    items: Iterable[Mapping[str, Any]], promised: Mapping[str, dt.timedelta], now: dt.datetime
) -> Iterator[tuple[str, Health]]:
    """Health of every product that the items name."""
    products: dict[str, list[Mapping[str, Any]]] = {}
    for item in items:
        if item.get("product") and str(item.get("item", "")).startswith("table#"):
            products.setdefault(str(item["product"]), []).append(item)
    for product, tables in products.items():
        newest = _oldest(table.get("freshness", {}).get("at") for table in tables)
        oldest_allowed = promised.get(product)
        yield (
            product,
            Health(
                newest=newest,
                synced=_oldest(table.get("lastSuccess") for table in tables),
                held=tuple(_held(table) for table in tables if table.get("held")),
                fresh=None if newest is None or oldest_allowed is None else now - newest <= oldest_allowed,
            ),
        )


def _held(table: Mapping[str, Any]) -> str:
    name = str(table["item"]).removeprefix("table#")
    return f"{name}: {table['held'].get('reason', 'held')}"


def _oldest(times: Iterable[str | None]) -> dt.datetime | None:
    """The oldest; None where one of them is not known, since then the whole is not."""
    found = [dt.datetime.fromisoformat(one) if one else None for one in times]
    known = [one for one in found if one is not None]
    return min(known) if known and len(known) == len(found) else None
