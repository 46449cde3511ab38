"""What the sync remembers of each table, between runs and for people who look. Pure.

One item a table (`twin`, `item` = `table#<name>`), written once each time the table is reconciled, in place and without
being read before: what a run does not know stays as it was. A lost item costs nothing but memory, because what is
written to a twin is decided by reading source and twin.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync_handlers.canonical import digest
from sync_handlers.freshness import Freshness
from sync_handlers.guard import moment, stamp
from sync_handlers.planner import Kind
from sync_handlers.schema_changes import Change, newer

TABLE = "table#"
REASON_CHARACTERS = 2000
"""Longer reasons are cut: an item stays small, the whole text is in the log."""


@dataclass(frozen=True)
class Outcome:
    """How one reconcile of a table ended."""

    table: str
    kind: Kind
    reason: str
    change: Change | None = None
    """What kind of schema change is held, with HOLD."""
    absent_since: dt.datetime | None = None
    source_digest: str | None = None
    """Of the table and its partitions; None: not compared as a whole."""
    twin_digest: str | None = None
    freshness: Freshness | None = None
    changed_at: dt.datetime | None = None
    """When the source was changed, if that change was applied."""
    writes: int = 0
    withheld: int = 0
    """Deletions of partitions that the guard holds."""
    failure: str | None = None
    approval: str | None = None
    """With DELETE: digest of the list in which a person approved it."""


@dataclass(frozen=True)
class Update:
    """What becomes of an item: attributes set, set unless they are there, and removed."""

    set: Mapping[str, Any]
    first: Mapping[str, Any] = field(default_factory=dict)
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class About:
    """What of a run goes into each item that it writes."""

    domain: str
    product: str | None
    version: str
    """Of the product's contract; "" without one."""
    correlation: str
    now: dt.datetime
    grace: dt.timedelta


def update(outcome: Outcome, about: About) -> Update | None:
    """The one write that a reconcile of a table leaves; None when its item is to be deleted: nothing is left of it."""
    if outcome.kind is Kind.ABSENT and outcome.absent_since is None and not outcome.failure:
        return None
    now = about.now
    sets: dict[str, Any] = {"lastAttempt": stamp(now), "domain": about.domain, "correlationId": about.correlation}
    removes: set[str] = set()
    _either(sets, removes, "product", about.product)
    if outcome.failure:
        sets["failure"] = {"reason": _cut(outcome.failure), "at": stamp(now)}
        return Update(sets, {"firstSeen": stamp(now)}, tuple(sorted(removes)))
    sets["lastSuccess"] = stamp(now)
    removes.add("failure")
    if outcome.source_digest is not None and outcome.twin_digest is not None:
        sets |= {"sourceDigest": outcome.source_digest, "twinDigest": outcome.twin_digest}
    if outcome.freshness is not None:
        sets["freshness"] = {"at": stamp(outcome.freshness.at), "from": outcome.freshness.seen.value}
    _either(sets, removes, "skipped", _cut(outcome.reason) if outcome.kind is Kind.SKIP else None)
    _either(sets, removes, "absentSince", stamp(outcome.absent_since) if outcome.absent_since else None)
    _either(sets, removes, "withheld", outcome.withheld or None)
    if outcome.kind is Kind.HOLD:
        sets["held.reason"] = _cut(outcome.reason)
        sets["held.change"] = (outcome.change or Change.BREAKING).value
    else:
        removes.add("held")
    if outcome.kind is Kind.DELETE:
        # Kept for as long as the guard counts it, then DynamoDB's time to live takes it away.
        sets |= {"deletedAt": stamp(now), "expires": int((now + max(about.grace, dt.timedelta(hours=1))).timestamp())}
        _either(sets, removes, "approval", outcome.approval)
    else:
        removes |= {"deletedAt", "expires", "approval"}
    firsts = {"firstSeen": stamp(now)}
    if outcome.kind is Kind.HOLD:
        firsts |= {"held.since": stamp(now), "held.contractVersion": about.version}
    return Update(sets, firsts, tuple(sorted(removes)))


def _either(sets: dict[str, Any], removes: set[str], name: str, value: Any) -> None:
    if value is None:
        removes.add(name)
    else:
        sets[name] = value


def _cut(text: str) -> str:
    return text if len(text) <= REASON_CHARACTERS else f"{text[:REASON_CHARACTERS]}…"


def merged(item: Mapping[str, Any] | None, change: Update) -> dict[str, Any]:
    """An item after an update: attributes with a dot are members of a map, whose map is made when it is not there."""
    after: dict[str, Any] = {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in (item or {}).items()
    }
    for name in change.remove:
        after.pop(name, None)
    for values, keep in ((change.first, True), (change.set, False)):
        for name, value in values.items():
            place, _, member = name.partition(".")
            target = after.setdefault(place, {}) if member else after
            if not (keep and (member or place) in target):
                target[member or place] = value
    return after


# ------------------------------------------------------------------------------------------------ reading an item
@dataclass(frozen=True)
class TableState:
    """What the sync, its watch and people read of an item."""

    twin: str
    table: str
    domain: str
    product: str | None
    last_success: dt.datetime | None
    first_seen: dt.datetime | None
    held: Mapping[str, Any] | None
    absent_since: dt.datetime | None
    deleted_at: dt.datetime | None
    approval: str | None
    failure: Mapping[str, Any] | None
    fresh_at: dt.datetime | None
    source_digest: str | None
    twin_digest: str | None


def read(item: Mapping[str, Any]) -> TableState:
    """A table's item as values; members that are missing or unreadable are None."""
    return TableState(
        twin=str(item["twin"]),
        table=str(item["item"]).removeprefix(TABLE),
        domain=str(item.get("domain") or ""),
        product=item.get("product"),
        last_success=moment(item.get("lastSuccess")),
        first_seen=moment(item.get("firstSeen")),
        held=item.get("held"),
        absent_since=moment(item.get("absentSince")),
        deleted_at=moment(item.get("deletedAt")),
        approval=item.get("approval"),
        failure=item.get("failure"),
        fresh_at=moment((item.get("freshness") or {}).get("at")),
        source_digest=item.get("sourceDigest"),
        twin_digest=item.get("twinDigest"),
    )


def released(held: Mapping[str, Any] | None, version: str) -> bool:
    """Whether a contract's version was raised since its table's schema was first held."""
    recorded = (held or {}).get("contractVersion")
    return bool(recorded) and newer(version, str(recorded))


def change_digest(reason: str) -> str:
    """What tells one held change from the next: people hear of each once."""
    return digest([reason])[:16]
