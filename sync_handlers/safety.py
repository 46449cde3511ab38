"""What a reconcile has to ask before it does something that cannot be taken back.

By default nothing is known: no table counts as gone, no consumer is there to protect, nothing is held back by a guard.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from sync_handlers import state
from sync_handlers.deletions import Deletions, Permit
from sync_handlers.glue_access import DeniedError
from sync_handlers.held_partitions import May
from sync_handlers.manifest import Manifest, Table
from sync_handlers.observability import count, logger
from sync_handlers.planner import Circumstances
from sync_handlers.state_access import Store
from sync_handlers.visibility import UNKNOWN, Sight, Sighting


@dataclass(frozen=True)
class Safety:
    manifest: Manifest | None = None
    sight: Sight | None = None
    deletions: Deletions | None = None
    store: Store | None = None
    today: dt.date | None = None

    @property
    def count(self) -> int:
        """How many partitions may go without the guard being asked."""
        return self.manifest.limits.count if self.manifest else 0

    def circumstances(self, contract: Table | None) -> Circumstances:
        """What protects a table, as far as the manifest says."""
        if self.manifest is None:
            return Circumstances()
        consumers = self.manifest.consumers(contract.product, self.today) if contract and self.today else ()
        return Circumstances(consumers=consumers, grace=self.manifest.limits.grace)

    def released(self, contract: Table) -> bool:
        """Whether a held change may pass, because its contract's version was raised since; not while nobody can say."""
        product = self.manifest.products.get(contract.product) if self.manifest else None
        if product is None or self.store is None:
            return False
        try:
            item = self.store.get(contract.twin, f"{state.TABLE}{contract.name}")
        except (ClientError, BotoCoreError) as error:
            logger.error("state not read", extra={"table": contract.name, "reason": str(error)})
            count("StateFailures", 1, domain=product.domain)
            return False
        return state.released((item or {}).get("held"), product.version)

    def look(self, table: str) -> Sighting:
        """Look again for a table that was not seen; a refusal proves nothing."""
        if self.sight is None:
            return UNKNOWN
        try:
            return self.sight.look(table)
        except DeniedError as error:
            return Sighting(None, absent=False, why=str(error))

    def unlisted(self, table: str) -> bool:
        """Whether a table that Glue refused by name is not there, by the listing of one who sees all."""
        return self.sight is not None and self.sight.unlisted(table)

    def may_delete(self, twin: str, table: str) -> Permit:
        if self.deletions is None:
            return Permit(allowed=False, reason="not deleted: there is no guard to ask")
        return self.deletions.table(twin, table)

    def partitions(self, twin: str, table: str) -> May:
        """The guard of a table's partitions, as a question."""

        def may(digest: str, number: int, total: int) -> Permit:
            if self.deletions is None:
                return Permit(allowed=True)
            return self.deletions.partitions(twin, table, digest, number, total)

        return may
