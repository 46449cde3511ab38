"""How the sync stands, from what it remembers (docs/sync.md, "What `sync` remembers"). Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lakemesh.declarations.models import Declarations
from lakemesh.declarations.service_levels import max_age

TABLE: Final = "table#"
GUARDS: Final = ("guard#tables", "guard#partitions#")


@dataclass(frozen=True)
class TableStatus:
    """One table of a twin."""

    domain: str
    table: str
    """`twin.table`"""
    product: str | None
    last_success: dt.datetime | None
    late: bool
    """Not reconciled for longer than two refreshes."""
    held: str | None
    """Why its schema is held."""
    failure: str | None
    absent_since: dt.datetime | None
    skipped: str | None
    deleted: bool
    different: bool
    """Source and twin differed at the last comparison, and nothing holds them apart."""
    fresh_at: dt.datetime | None
    stale: bool
    """Its data is older than its contract promises."""

    @property
    def wrong(self) -> bool:
        """Whether somebody has to look at it."""
        return self.late or self.stale or self.different or bool(self.held or self.failure)


@dataclass(frozen=True)
class Guard:
    """Deletions that wait for a person."""

    domain: str
    twin: str
    item: str
    count: int
    share: float
    since: str
    digest: str
    names: tuple[str, ...] = ()
    """Tables that would go; empty where it is about partitions of one table."""

    @property
    def what(self) -> str:
        return (
            f"tables of {self.twin}" if self.item == "guard#tables" else f"partitions of {self.twin}.{self.item[17:]}"
        )


@dataclass(frozen=True)
class Status:
    """Everything at once."""

    tables: tuple[TableStatus, ...]
    guards: tuple[Guard, ...]
    waiting: int
    """Messages of the queue."""
    dead: int
    """Messages that failed again and again."""
    never: tuple[str, ...]
    """Tables of contracts that the sync has never seen."""

    @property
    def wrong(self) -> bool:
        """Whether anything needs a person."""
        return bool(self.dead or self.guards or self.never) or any(table.wrong for table in self.tables)


def status(
    declarations: Declarations,
    items: Iterable[Mapping[str, Any]],
    queues: tuple[int, int],
    now: dt.datetime,
    refresh: dt.timedelta,
    domain: str | None = None,
) -> Status:
    """The status of all domains, or of one. `queues`: messages that wait, and dead ones. `refresh`: its period."""
    found = [item for item in items if domain in {None, item.get("domain")}]
    tables = tuple(_tables(declarations, found, now, refresh))
    seen = {table.table for table in tables}
    listed = sorted(
        table.key
        for product in declarations.products.values()
        if domain in {None, product.domain}
        for table in product.tables
    )
    guards = tuple(guard(item) for item in found if str(item["item"]).startswith(GUARDS))
    return Status(tables, guards, *queues, tuple(name for name in listed if name not in seen))


def _tables(
    declarations: Declarations, items: Iterable[Mapping[str, Any]], now: dt.datetime, refresh: dt.timedelta
) -> Iterator[TableStatus]:
    promised = {name: max_age(product.service_levels) for name, product in declarations.products.items()}
    for item in sorted(items, key=lambda one: (str(one.get("domain")), str(one["twin"]), str(one["item"]))):
        if not str(item["item"]).startswith(TABLE):
            continue
        success, fresh = _moment(item.get("lastSuccess")), _moment((item.get("freshness") or {}).get("at"))
        product = item.get("product")
        allowed = promised.get(str(product)) if product else None
        held, deleted = item.get("held") or {}, bool(item.get("deletedAt"))
        apart = bool(held or item.get("withheld") or item.get("skipped") or deleted)
        yield TableStatus(
            domain=str(item.get("domain") or ""),
            table=f"{item['twin']}.{str(item['item']).removeprefix(TABLE)}",
            product=product,
            last_success=success,
            late=not deleted and (success is None or now - success > 2 * refresh),
            held=held.get("reason"),
            failure=(item.get("failure") or {}).get("reason"),
            absent_since=_moment(item.get("absentSince")),
            skipped=item.get("skipped"),
            deleted=deleted,
            different=not apart and item.get("sourceDigest") != item.get("twinDigest"),
            fresh_at=fresh,
            stale=allowed is not None and fresh is not None and (now - fresh).total_seconds() > allowed,
        )


def guard(item: Mapping[str, Any]) -> Guard:
    """A guard's item as a value."""
    return Guard(
        domain=str(item.get("domain") or ""),
        twin=str(item["twin"]),
        item=str(item["item"]),
        count=int(item.get("count") or 0),
        share=float(item.get("share") or 0),
        since=str(item.get("since") or ""),
        digest=str(item.get("digest") or ""),
        names=tuple(str(name) for name in item.get("names") or ()),
    )


def _moment(text: Any) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
