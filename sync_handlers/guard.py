"""The mass-delete guard: when very much would be deleted at once, nothing is, until a person says so. Pure.

A producer that is emptied by mistake, a role that lost its permissions in a way nobody thought of, a restored backup:
each looks like many deletions. Above both bounds of `sync.massDelete` in mesh.yaml, a number and a share, deletions of
a domain's tables (or of one table's partitions) are held.

Items of the state table (keys `twin`, `item`):

* `guard#tables`: `domain`, `names` (tables of this twin that are held, sorted, at most `MOST_NAMES`), `digest` of those
  names, `count` and `share` (of the whole domain), `since`, `notified` (the count that operators last heard of);
* `guard#partitions#<table>`: `domain`, `table`, `digest` of the partitions, `count`, `share`, `since`, `notified`;
* `approval#<digest>`: `by`, `at`, `expires` (seconds since 1970, which DynamoDB's time to live reads too), and the
  `names` or the `table` of the guard it approves. It lets exactly those through, and nothing that joins them later.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from sync_handlers.manifest import Limits

TABLES = "guard#tables"
PARTITIONS = "guard#partitions#"
APPROVAL = "approval#"
MOST_NAMES = 1000
"""Names in one item: 255 characters each, it stays under DynamoDB's 400 KB. Approving them brings up the next."""
APPROVED_FOR = dt.timedelta(hours=24)
Key = tuple[str, str]
"""Twin and table."""


@dataclass(frozen=True)
class Verdict:
    """What the guard says about a number of deletions."""

    trips: bool
    count: int
    share: float

    @property
    def reason(self) -> str:
        return f"held by the mass-delete guard: {self.count:,} deletions, {self.share:.0%} of what there is"


def judge(count: int, total: int, limits: Limits) -> Verdict:
    """Whether `count` deletions out of `total` are too many: above the number *and* above the share."""
    share = min(1.0, count / total) if total else float(count > 0)
    return Verdict(count > limits.count and share > limits.share, count, share)


def judge_tables(
    gone: AbstractSet[Key], deleted: AbstractSet[Key], approved: AbstractSet[Key], total: int, limits: Limits
) -> Verdict:
    """The verdict on a domain's tables.

    `gone` are all that wait for deletion, due or not, and `deleted` those that went within the grace period: otherwise
    many would slip through one by one. What was approved counts for nothing.
    """
    return judge(len((gone - approved) | deleted), total, limits)


def digest(names: Iterable[str]) -> str:
    """Digest of a list of tables, whatever its order."""
    return hashlib.sha256(json.dumps(sorted(set(names)), ensure_ascii=False).encode()).hexdigest()[:32]


def tables_item(
    twin: str, domain: str, names: Iterable[str], verdict: Verdict, before: Mapping[str, Any] | None, now: dt.datetime
) -> dict[str, Any]:
    """`guard#tables` of one twin. `before`: the item that is there, whose `since` and `notified` go on."""
    held = sorted(set(names))[:MOST_NAMES]
    return {
        "twin": twin,
        "item": TABLES,
        "names": held,
        "digest": digest(held),
        **_common(domain, verdict, before, now),
    }


def partitions_item(
    twin: str,
    domain: str,
    table: str,
    digest_of: str,
    verdict: Verdict,
    before: Mapping[str, Any] | None,
    now: dt.datetime,
) -> dict[str, Any]:
    """`guard#partitions#<table>`; `digest_of` is that of the partitions which would be deleted."""
    return {
        "twin": twin,
        "item": f"{PARTITIONS}{table}",
        "table": table,
        "digest": digest_of,
        **_common(domain, verdict, before, now),
    }


def _common(domain: str, verdict: Verdict, before: Mapping[str, Any] | None, now: dt.datetime) -> dict[str, Any]:
    return {
        "domain": domain,
        "count": verdict.count,
        "share": round(verdict.share, 4),
        "since": (before or {}).get("since") or stamp(now),
        "notified": int((before or {}).get("notified") or 0),
    }


def to_be_told(item: Mapping[str, Any]) -> bool:
    """Whether operators should hear of a guard: when it begins, and when what it holds has doubled."""
    return bool(item["count"] >= 2 * item["notified"]) if item["notified"] else True


def approval(held: Mapping[str, Any], by: str, now: dt.datetime, lasts: dt.timedelta = APPROVED_FOR) -> dict[str, Any]:
    """The item that lets through what a guard item holds, and nothing else.

    `held` is a `guard#…` item as read from the state table, `by` who answers for it. Raises ValueError for any other
    item, and when the names are not those of the digest.
    """
    kind = str(held.get("item", ""))
    if not kind.startswith("guard#"):
        raise ValueError(f"{kind or 'an item without a name'} is no guard: only what a guard holds can be approved")
    if kind == TABLES and digest(held["names"]) != held["digest"]:
        raise ValueError(
            f"{kind} of {held['twin']}: its names are not those of its digest; let the sync write it again"
        )
    what = {"names": list(held["names"])} if kind == TABLES else {"table": held["table"]}
    return {
        "twin": held["twin"],
        "item": f"{APPROVAL}{held['digest']}",
        "by": by,
        "at": stamp(now),
        "expires": int((now + lasts).timestamp()),
        **what,
    }


def approves(item: Mapping[str, Any], now: dt.datetime) -> bool:
    """Whether an approval still holds. Time to live removes items days late, so the time is looked at here."""
    return int(item.get("expires") or 0) > now.timestamp()


def approved_tables(approvals: Iterable[Mapping[str, Any]], now: dt.datetime) -> frozenset[str]:
    """Tables of a twin that unexpired approvals let go, each only under the digest of the list it was approved in."""
    return frozenset(
        name
        for item in approvals
        if approves(item, now) and "names" in item and item["item"] == f"{APPROVAL}{digest(item['names'])}"
        for name in item["names"]
    )


def stamp(moment: dt.datetime) -> str:
    """ISO 8601 in UTC, seconds, `Z`."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: Any) -> dt.datetime | None:
    """The moment of a stamp; None for anything else."""
    try:
        read = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=dt.UTC)
