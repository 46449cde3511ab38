"""What one sync did, as the values the invocation returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SHOWN = 100
"""Entries of each list in a result, which deployments keep in their state."""


def bounded(name: str, entries: Sequence[Any]) -> dict[str, Any]:
    """A list of a result, cut at `SHOWN`; `<name>Omitted` counts the rest."""
    rest = len(entries) - SHOWN
    return {name: list(entries[:SHOWN]), **({f"{name}Omitted": rest} if rest > 0 else {})}


@dataclass
class Report:
    twin: str
    tables: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("created", "updated", "unchanged", "marked", "deleted"), 0)
    )
    partitions: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("created", "updated", "deleted", "unchanged"), 0)
    )
    skipped: list[dict[str, Any]] = field(default_factory=list)
    """Tables and partitions that are not copied, each with its reason."""
    held: list[dict[str, Any]] = field(default_factory=list)
    """Tables whose schema waits for its contract, each with its reason."""
    absent: list[dict[str, Any]] = field(default_factory=list)
    """Copies whose source is not seen, and whether a contract lists them."""
    missing: list[str] = field(default_factory=list)
    """Tables that a contract lists and nobody has seen."""
    notes: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    source_digest: str = ""
    twin_digest: str = ""

    @property
    def writes(self) -> int:
        """Tables and partitions that were written."""
        tables = sum(self.tables[name] for name in ("created", "updated", "marked", "deleted"))
        return tables + sum(self.partitions[name] for name in ("created", "updated", "deleted"))

    @property
    def withheld(self) -> int:
        """Changes that wait: schemas for their contracts, deletions for the guard."""
        return sum(int(entry.get("partitions", 1)) for entry in self.held)

    def result(self) -> dict[str, Any]:
        """The JSON answer of the handler."""
        answer: dict[str, Any] = {"twin": self.twin, "tables": self.tables, "partitions": self.partitions}
        for name in ("skipped", "held", "absent", "missing", "notes"):
            answer |= bounded(name, getattr(self, name))
        return {**answer, "sourceDigest": self.source_digest, "twinDigest": self.twin_digest}
