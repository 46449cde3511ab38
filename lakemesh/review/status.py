"""How far the review is: what `lakemesh classify status` tells."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from lakemesh.declarations.models import Declarations
from lakemesh.declarations.recommendations import Recommendations
from lakemesh.review.recommend import columns_of


@dataclass(frozen=True)
class Coverage:
    """A domain's columns: each is reviewed, or pending, rejected or decided and not yet applied."""

    domain: str
    columns: int
    reviewed: int
    """Classified in the contract."""
    pending: int
    rejected: int
    decided: int
    """Accepted or changed, and not yet written into the contract."""
    unrecommended: int
    """Of the pending, those that no recommendation has been made for."""
    oldest_pending_days: int | None
    """Age of the oldest pending recommendation."""

    def document(self) -> dict[str, Any]:
        """In the words of the JSON format."""
        words = {"oldest_pending_days": "oldestPendingDays"}
        return {words.get(name, name): value for name, value in asdict(self).items()}


def coverage(declarations: Declarations, domain: str, recommendations: Recommendations, today: dt.date) -> Coverage:
    entries = dict(recommendations.each())
    counts = dict.fromkeys(("columns", "reviewed", "pending", "rejected", "decided", "unrecommended"), 0)
    ages: list[int] = []
    for key, column in columns_of(declarations, domain):
        counts["columns"] += 1
        entry = entries.get(key)
        if column.sensitivity is not None:
            counts["reviewed"] += 1
        elif entry is None or entry.pending or entry.applied is not None:
            counts["pending"] += 1
            counts["unrecommended"] += entry is None
            ages += [] if entry is None else [max(0, (today - entry.since).days)]
        else:
            counts["rejected" if entry.rejected else "decided"] += 1
    return Coverage(domain, **counts, oldest_pending_days=max(ages, default=None))
