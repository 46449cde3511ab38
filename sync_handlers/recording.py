"""Write down how each table's reconcile ended, and tell whoever has to know.

Never the cause of a failure: what was done to the twin is done. A write that fails is logged and counted, and the next
run of the table writes again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sync_handlers import guard, notices, state
from sync_handlers.manifest import Manifest, Source
from sync_handlers.notify_access import Notifier
from sync_handlers.observability import correlation, count, gauge, logger
from sync_handlers.planner import Kind
from sync_handlers.state import About, Outcome, Update
from sync_handlers.state_access import Store


@dataclass
class Recorder:
    manifest: Manifest
    source: Source
    store: Store | None
    """None: stack central has no state table yet."""
    notifier: Notifier
    now: dt.datetime

    def record(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.changed_at is not None and outcome.writes:
                lag = max(0.0, (self.now - outcome.changed_at).total_seconds())
                gauge("CatalogLagSeconds", lag, domain=self.source.domain)
            try:
                self._one(outcome)
            except (ClientError, BotoCoreError) as error:
                logger.error("state not written", extra={"table": outcome.table, "reason": str(error)})
                count("StateFailures", 1, domain=self.source.domain)

    def _one(self, outcome: Outcome) -> None:
        if self.store is None:
            return
        twin, item = self.source.twin, f"{state.TABLE}{outcome.table}"
        change = state.update(outcome, self._about(outcome.table))
        if change is None:
            self.store.delete(twin, item)
            return
        before = self.store.update(twin, item, change)
        if outcome.writes and outcome.source_digest is not None and _agreed(before) == outcome.source_digest:
            # Source and twin agreed, the source is what it was, and still something was written: somebody changes the
            # twin, or the comparison does not converge.
            count("WritesOnNoOp", outcome.writes, domain=self.source.domain)
        if before is not None and before.get("withheld") and not (outcome.withheld or outcome.failure):
            self.store.delete(twin, f"{guard.PARTITIONS}{outcome.table}")  # nothing waits any more
        if outcome.kind is Kind.HOLD:
            self._tell(outcome, before, item)

    def _about(self, table: str) -> About:
        contract = self.manifest.tables.get(f"{self.source.twin}.{table}")
        product = self.manifest.products.get(contract.product) if contract else None
        return About(
            domain=self.source.domain,
            product=product.name if product else None,
            version=product.version if product else "",
            correlation=correlation(),
            now=self.now,
            grace=self.manifest.limits.grace,
        )

    def _tell(self, outcome: Outcome, before: Mapping[str, Any] | None, item: str) -> None:
        """Owner and consumers hear of each held change once."""
        change = state.change_digest(outcome.reason)
        if self.store is None or ((before or {}).get("held") or {}).get("notified") == change:
            return
        about = self._about(outcome.table)
        consumers = self.manifest.consumers(about.product, self.now.date()) if about.product else ()
        table = f"{self.source.twin}.{outcome.table}"
        notice = notices.held(
            self.manifest.mesh, about.domain, about.product or "", table, outcome.reason, about.version, consumers
        )
        if self.notifier.tell(notice):
            self.store.update(self.source.twin, item, Update({"held.notified": change}))


def _agreed(item: Mapping[str, Any] | None) -> Any:
    """The digest in which source and twin agreed when the table was last compared; None when they did not."""
    known = item or {}
    return known.get("sourceDigest") if known.get("sourceDigest") == known.get("twinDigest") else None
