"""From contracts (and perhaps samples) to a domain's recommendations. Pure: what is decided stays decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lakemesh.classification import NO_RULES, Column, Rules, Verdict, classify_table
from lakemesh.declarations.models import Column as Declared
from lakemesh.declarations.models import Declarations, Product, Table
from lakemesh.declarations.recommendations import Basis, Recommendation, Recommendations
from lakemesh.review import fingerprints
from lakemesh.review.central import Central

Key = tuple[str, str, str]
"""Product, table (`twin.table`), column."""
Samples = Mapping[tuple[str, str], Mapping[str, Sequence[object]]]
"""Values by (product, table) and column; a table that nobody looked at is not in it."""
NO_SAMPLES: Final[Samples] = {}
NOTHING: Final = Central()


@dataclass
class Outcome:
    """What became of a domain's recommendations."""

    after: Recommendations
    new: list[Key] = field(default_factory=list)
    asked_again: dict[Key, str] = field(default_factory=dict)
    """Rejections that hold no longer, with the reason."""
    gone: list[Key] = field(default_factory=list)
    """Decided on, and no longer in the contract."""


def products_of(declarations: Declarations, domain: str) -> list[Product]:
    """A domain's products, by name."""
    return sorted((one for one in declarations.products.values() if one.domain == domain), key=lambda one: one.name)


def columns_of(declarations: Declarations, domain: str) -> Iterator[tuple[Key, Declared]]:
    for product in products_of(declarations, domain):
        for table in product.tables:
            for column in table.columns:
                yield (product.name, table.key, column.name), column


def recommend(
    declarations: Declarations,
    domain: str,
    before: Recommendations,
    today: dt.date,
    *,
    rules: Rules = NO_RULES,
    samples: Samples = NO_SAMPLES,
    central: Central = NOTHING,
) -> Outcome:
    """The domain's recommendations as they are to be now. The same input gives the same outcome.

    `samples`: values that were looked at here. `central`: what functions in the cloud found.
    """
    known = dict(before.each())
    outcome = Outcome(Recommendations())
    products: dict[str, dict[str, dict[str, Recommendation]]] = {}
    declared: set[Key] = set()
    for product in products_of(declarations, domain):
        for table in product.tables:
            proposals = _proposals(table, today, rules, samples.get((product.name, table.key)))
            for column in table.columns:
                key = (product.name, table.key, column.name)
                declared.add(key)
                proposal = central.better(table.key, column.name, proposals[column.name])
                entry = _entry(key, column, known.get(key), proposal, outcome)
                if entry is not None:
                    products.setdefault(product.name, {}).setdefault(table.key, {})[column.name] = entry
    outcome.gone = [key for key, entry in known.items() if key not in declared and not entry.pending]
    outcome.after = Recommendations(products=products)
    return outcome


def _entry(
    key: Key, column: Declared, before: Recommendation | None, proposal: Recommendation, outcome: Outcome
) -> Recommendation | None:
    """What the file has to say of one column; None: nothing."""
    if column.sensitivity is not None:
        # People have classified it. Their decision stays as a record, a proposal that nobody needs goes.
        return before if before is not None and not before.pending else None
    if before is None:
        outcome.new.append(key)
        return proposal
    if before.pending:
        return _refreshed(before, proposal)
    why = "the contract says unreviewed again" if before.applied is not None else None
    if before.rejected:
        why = fingerprints.stale(before, proposal)
    if why is None:
        return before
    outcome.asked_again[key] = why
    said = f"{before.decision}: {before.reason}" if before.reason else str(before.decision)
    return proposal.model_copy(update={"earlier": f"{said} ({why})"[:2000]})


def _refreshed(before: Recommendation, proposal: Recommendation) -> Recommendation:
    """A pending entry, proposed anew; what a scan saw outweighs metadata for as long as the column is the same."""
    better = before.basis is Basis.SAMPLES and proposal.basis is Basis.METADATA
    if better and fingerprints.stale(before, proposal) is None and before.recogniser == proposal.recogniser:
        return before
    return proposal.model_copy(update={"since": before.since, "earlier": before.earlier, "reason": before.reason})


def _proposals(
    table: Table, today: dt.date, rules: Rules, samples: Mapping[str, Sequence[object]] | None
) -> dict[str, Recommendation]:
    """All of a table's columns are judged together, whoever reviewed them: neighbours are evidence."""
    looked = samples or {}
    by_name = _verdicts(table, rules, {})
    seen = _verdicts(table, rules, looked) if looked else by_name
    return {
        column.name: Recommendation(
            sensitivity=max(seen[at].sensitivity, by_name[at].sensitivity, key=lambda one: one.rank),
            kind=seen[at].kind,
            sensitive=seen[at].sensitive,
            confidence=round(seen[at].confidence, 2),
            evidence=tuple(_evidence(seen[at], by_name[at])),
            basis=Basis.SAMPLES if column.name in looked else Basis.METADATA,
            recogniser=seen[at].version,
            since=today,
            metadata=fingerprints.of_metadata(column),
            samples=fingerprints.of_samples(looked[column.name]) if column.name in looked else None,
        )
        for at, column in enumerate(table.columns)
    }


def _verdicts(table: Table, rules: Rules, looked: Mapping[str, Sequence[object]]) -> list[Verdict]:
    columns = [
        Column(one.name, one.type or None, one.description or None, looked.get(one.name)) for one in table.columns
    ]
    return classify_table(table.name, columns, rules)


def _evidence(seen: Verdict, by_name: Verdict) -> Iterator[str]:
    yield from seen.evidence
    if by_name.sensitivity.rank > seen.sensitivity.rank:
        # Customers are companies, until one is not: rows that were not looked at may hold what the name says.
        yield f"without the values it would be {by_name.kind}, and a few rows cannot rule that out"
