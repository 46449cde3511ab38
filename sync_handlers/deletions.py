"""What may be deleted from a domain's twins: the mass-delete guard, asked and remembered in the state table.

Whatever keeps the guard from being asked keeps everything from being deleted.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sync_handlers import guard, notices, state
from sync_handlers.guard import Key, Verdict
from sync_handlers.manifest import Manifest
from sync_handlers.notify_access import Notifier
from sync_handlers.observability import count, logger
from sync_handlers.state_access import Store


@dataclass(frozen=True)
class Permit:
    """Whether something may be deleted."""

    allowed: bool
    reason: str = ""
    approval: str | None = None
    """Digest of the list in which a person approved it."""


@dataclass
class _Domain:
    """What the state table knows of a domain's deletions."""

    total: int = 0
    gone: set[Key] = field(default_factory=set)
    deleted: set[Key] = field(default_factory=set)
    approved: dict[Key, str] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    """`guard#tables` by twin."""


@dataclass
class Deletions:
    """The guard of one domain, for one invocation."""

    manifest: Manifest
    domain: str
    store: Store | None
    """None: stack central has no state table yet."""
    notifier: Notifier
    now: dt.datetime
    _said: bool = False

    def table(self, twin: str, name: str) -> Permit:
        """Whether a table whose time has come may go."""
        try:
            known = self._known()
        except (ClientError, BotoCoreError, NoStateError) as error:
            return self._unasked(error)
        known.gone.add((twin, name))
        verdict = self._judge(known)
        approved = known.approved.get((twin, name))
        self._remember(known, verdict)
        if approved or not verdict.trips:
            return Permit(allowed=True, approval=approved)
        self._trip()
        return Permit(allowed=False, reason=verdict.reason)

    def partitions(self, twin: str, table: str, digest: str, number: int, total: int) -> Permit:
        """Whether so many of a table's partitions may go; `digest` is that of which ones."""
        verdict = guard.judge(number, total, self.manifest.limits)
        if not verdict.trips:
            return Permit(allowed=True)
        try:
            store = self._store()
            approval = store.get(twin, f"{guard.APPROVAL}{digest}")
            before = store.get(twin, f"{guard.PARTITIONS}{table}")
            if approval is not None and approval.get("table") == table and guard.approves(approval, self.now):
                store.delete(twin, f"{guard.PARTITIONS}{table}")
                return Permit(allowed=True, approval=digest)
            item = guard.partitions_item(twin, self.domain, table, digest, verdict, before, self.now)
            self._put(item, before)
        except (ClientError, BotoCoreError, NoStateError) as error:
            return self._unasked(error)
        self._trip()
        return Permit(allowed=False, reason=verdict.reason)

    def review(self) -> Verdict:
        """Look at the domain again: a guard whose tables came back, or were approved, is over. Raises what DynamoDB
        answers."""
        known = self._known()
        verdict = self._judge(known)
        self._remember(known, verdict)
        if verdict.trips:
            self._trip()
        return verdict

    # ------------------------------------------------------------------------------------------------- the state
    def _store(self) -> Store:
        if self.store is None:
            raise NoStateError("stack central has no state table yet: deploy it")
        return self.store

    def _known(self) -> _Domain:
        store, known = self._store(), _Domain()
        since = self.now - max(self.manifest.limits.grace, dt.timedelta(hours=1))
        for twin in self.manifest.twins(self.domain):
            for item in store.items(twin, state.TABLE):
                self._count(known, state.read(item), since)
            approvals = list(store.items(twin, guard.APPROVAL))
            for name in guard.approved_tables(approvals, self.now):
                known.approved[twin, name] = next(
                    str(one["item"]).removeprefix(guard.APPROVAL) for one in approvals if name in one.get("names", ())
                )
            item_of = store.get(twin, guard.TABLES)
            if item_of is not None:
                known.items[twin] = item_of
        return known

    def _count(self, known: _Domain, table: state.TableState, since: dt.datetime) -> None:
        key = (table.twin, table.table)
        if table.deleted_at is not None:
            # Gone, but lately: many that go one after the other are many all the same.
            if table.deleted_at > since and table.approval is None:
                known.deleted.add(key)
                known.total += 1
            return
        known.total += 1
        if table.absent_since is not None and f"{table.twin}.{table.table}" not in self.manifest.tables:
            known.gone.add(key)

    def _judge(self, known: _Domain) -> Verdict:
        everything = max(known.total, len(known.gone | known.deleted))
        return guard.judge_tables(known.gone, known.deleted, known.approved.keys(), everything, self.manifest.limits)

    def _remember(self, known: _Domain, verdict: Verdict) -> None:
        """`guard#tables` of each twin as it is now; operators are told of a new one."""
        for twin in self.manifest.twins(self.domain):
            before = known.items.get(twin)
            names = {name for of, name in known.gone - known.approved.keys() if of == twin} if verdict.trips else set()
            try:
                if not names:
                    if before is not None:
                        self._store().delete(twin, guard.TABLES)
                    continue
                item = guard.tables_item(twin, self.domain, names, verdict, before, self.now)
                self._put(item, before)
            except (ClientError, BotoCoreError) as error:
                self._unasked(error)

    def _put(self, item: dict[str, Any], before: dict[str, Any] | None) -> None:
        if before is not None and all(before.get(key) == item[key] for key in ("digest", "count")):
            return
        if guard.to_be_told(item):
            limits = self.manifest.limits
            if self.notifier.tell(notices.guarded(self.manifest.mesh, item, limits.count, limits.share)):
                item["notified"] = item["count"]
        self._store().put(item)

    def _trip(self) -> None:
        if not self._said:
            count("GuardTrips", 1, domain=self.domain)
            self._said = True

    def _unasked(self, error: Exception) -> Permit:
        logger.error("the mass-delete guard could not be asked", extra={"domain": self.domain, "reason": str(error)})
        count("StateFailures", 1, domain=self.domain)
        return Permit(allowed=False, reason=f"not deleted, because the mass-delete guard could not be asked: {error}")


class NoStateError(Exception):
    """There is nothing that the guard could ask."""
