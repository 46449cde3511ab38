"""What people are told, and who. Pure.

A notice names tables, columns and counts: what anyone who may see the catalog sees. It holds no data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

OPERATORS = "operators"
SUBJECT_CHARACTERS = 99
"""SNS API, Publish: fewer than 100, ASCII, no line breaks."""
SHOWN = 20


@dataclass(frozen=True)
class Notice:
    to: tuple[str, ...]
    """Topics, by their own part of the name: `operators`, `owner-<domain>`, `consumer-<consumer>`."""
    subject: str
    text: str


def owner(domain: str) -> str:
    return f"owner-{domain}"


def consumer(name: str) -> str:
    return f"consumer-{name}"


def held(
    mesh: str, domain: str, product: str, table: str, reason: str, version: str, consumers: Iterable[str]
) -> Notice:  # fmt: skip
    """A change of a table's schema does not reach those who read it."""
    named = tuple(consumers)
    lines = [
        f"Table {table} of product {product} changed at its source in a way that breaks what reads it:",
        f"    {reason}",
        "Its copy in the central catalog stays as it was. Partitions that still fit it keep arriving; others wait.",
        f"Consumers with a grant: {', '.join(named) or 'none'}.",
        "",
        f"Owner of {domain}: agree with the consumers, then let the change through by writing it into the contract, or",
        f"by raising the contract's version above {version or 'the present one'}, and deploy.",
        "If the change was a mistake, undo it at the source: the copy follows by itself.",
    ]
    return Notice(
        (owner(domain), *map(consumer, named)), _subject(f"{mesh}: schema of {table} is held"), "\n".join(lines)
    )


def guarded(mesh: str, item: Mapping[str, Any], minimum: int, share: float) -> Notice:
    """The mass-delete guard holds deletions: `item` as in `guard`."""
    names, twin, domain = item.get("names"), item["twin"], item["domain"]
    if names is None:
        what = f"{item['count']:,} partitions of {twin}.{item['table']}"
    else:
        what = f"{item['count']:,} tables of domain {domain}, {len(names):,} of them in {twin}"
    lines = [
        f"{what} are gone at their source: {item['share']:.0%} of what there is.",
        f"The guard lets at most {minimum:,} or {share:.0%} go at a time, so none of them was deleted.",
        *(f"    {twin}.{name}" for name in (names or ())[:SHOWN]),
        *([f"    … and {len(names) - SHOWN:,} more"] if names and len(names) > SHOWN else ()),
        "",
        "Look at the producer first: lost permissions and a database that was emptied by mistake look like this.",
        f"If they are meant to go: lakemesh sync approve-deletes --domain {domain} (list {item['digest']}).",
    ]
    return Notice((OPERATORS,), _subject(f"{mesh}: deletions of {domain} are held"), "\n".join(lines))


def _subject(text: str) -> str:
    plain = text.encode("ascii", "replace").decode()
    return plain if len(plain) <= SUBJECT_CHARACTERS else f"{plain[: SUBJECT_CHARACTERS - 3]}..."
