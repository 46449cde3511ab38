"""Every quarter of an hour: what the state table says of each domain, as metrics that alarms and the dashboard read.

It asks neither source nor twin, so it says how the mesh stands even while nothing can be reconciled.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from sync_handlers import freshness, state
from sync_handlers.deletions import Deletions
from sync_handlers.manifest import Manifest
from sync_handlers.notify_access import Notifier
from sync_handlers.observability import count, gauge, logger
from sync_handlers.state import TableState
from sync_handlers.state_access import Store


@dataclass
class Standing:
    """How one domain stands."""

    oldest_success: float = 0.0
    """Seconds since the table that waits longest was last reconciled."""
    held: int = 0
    absent: int = 0
    ages: dict[str, float] = field(default_factory=dict)
    """Seconds since the data of each product is: of its table that is oldest."""
    stale: list[str] = field(default_factory=list)
    """Products that are older than their contracts promise, sorted."""


def standing(tables: Iterable[TableState], manifest: Manifest, now: dt.datetime) -> Standing:
    """How the tables of one domain stand. Pure."""
    found = Standing()
    oldest: dict[str, dt.datetime] = {}
    for table in tables:
        if table.deleted_at is not None:
            continue
        since = table.last_success or table.first_seen
        if since is not None:
            found.oldest_success = max(found.oldest_success, (now - since).total_seconds())
        found.held += table.held is not None
        found.absent += table.absent_since is not None
        if table.product in manifest.products and table.fresh_at is not None:
            product = str(table.product)
            oldest[product] = min(oldest.get(product, table.fresh_at), table.fresh_at)
    for product, at in sorted(oldest.items()):
        found.ages[product] = max(0.0, (now - at).total_seconds())
        if freshness.stale(at, manifest.products[product].max_age, now):
            found.stale.append(product)
    return found


def watch(manifest: Manifest, store: Store, notifier: Notifier, now: dt.datetime) -> None:
    """Publish how every domain stands, and look at its mass-delete guard again. Raises what DynamoDB answers."""
    for domain in sorted(manifest.domains):
        twins = manifest.twins(domain)
        if not twins:
            continue
        tables = [state.read(item) for twin in twins for item in store.items(twin, state.TABLE)]
        found = standing(tables, manifest, now)
        gauge("OldestSuccessSeconds", found.oldest_success, domain=domain)
        count("TablesHeld", found.held, domain=domain)
        count("SourcesAbsent", found.absent, domain=domain)
        count("ProductsStale", len(found.stale), domain=domain)
        for product, age in found.ages.items():
            gauge("FreshnessSeconds", age, domain=domain, product=product)
        if found.stale:
            logger.warning("products are stale", extra={"domain": domain, "products": found.stale})
        Deletions(manifest, domain, store, notifier, now).review()
