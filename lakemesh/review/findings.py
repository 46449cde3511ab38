"""What functions in the cloud found of the columns of one table that nobody has reviewed, as they keep it.

Verdicts, evidence in words and fingerprints: never a value of a column, nor its comment. Free of pydantic, since it
travels in functions; whoever reads it again on a person's machine checks every field.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from lakemesh.classification import NO_RULES, Column, Rules, Verdict, classify_table
from lakemesh.declarations.sensitivity import Sensitivity
from lakemesh.review import fingerprints

FORMAT: Final = 1
METADATA: Final = "metadata"
SAMPLES: Final = "scans"


class FindingsError(Exception):
    """What was kept is not what this version writes; the text says what is wrong with it, and quotes nothing of it."""


@dataclass(frozen=True)
class Finding:
    """One column."""

    kind: str
    sensitive: bool
    sensitivity: Sensitivity
    confidence: float
    evidence: tuple[str, ...]
    recogniser: str
    since: dt.datetime
    """When the column was first found so."""
    metadata: str
    """Fingerprint of its type and comment in the catalog."""
    samples: str | None = None
    """Fingerprint of the shapes that its values had; None: nobody looked at values."""


@dataclass(frozen=True)
class Findings:
    """One table's unreviewed columns."""

    twin: str
    table: str
    domain: str
    columns: Mapping[str, Finding] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        columns = {
            name: {
                **asdict(one),
                "sensitivity": one.sensitivity.value,
                "since": stamp(one.since),
                "evidence": list(one.evidence),
            }
            for name, one in sorted(self.columns.items())
        }
        return {"format": FORMAT, **asdict(self), "columns": columns}


def _document(one: Finding) -> dict[str, Any]:
    plain = {"sensitivity": one.sensitivity.value, "since": stamp(one.since), "evidence": list(one.evidence)}
    return {**asdict(one), **plain}


def object_key(folder: str, twin: str, table: str) -> str:
    """Where a table's findings are kept. `folder`: `metadata`, or `scans/<producer>`."""
    return f"{folder}/{twin}/{table}.json"


def stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def judge(
    findings: Findings,
    columns: Sequence[Column],
    reviewed: Iterable[str],
    now: dt.datetime,
    before: Findings | None,
    rules: Rules = NO_RULES,
) -> Findings:
    """The table judged anew: all columns together, kept of those that nobody reviewed.

    A column keeps its `since` while its type and comment are the same. Where values were looked at, the stricter of
    what they say and what the name says is proposed.
    """
    done = set(reviewed)
    seen = classify_table(findings.table, columns, rules)
    by_name = classify_table(findings.table, [Column(one.name, one.type, one.comment) for one in columns], rules)
    known = before.columns if before else {}
    found = {
        column.name: _finding(column, verdict, plain, now, known.get(column.name))
        for column, verdict, plain in zip(columns, seen, by_name, strict=True)
        if column.name not in done
    }
    return Findings(findings.twin, findings.table, findings.domain, found)


def _finding(column: Column, seen: Verdict, by_name: Verdict, now: dt.datetime, before: Finding | None) -> Finding:
    metadata = fingerprints.of_words(column.type or "", column.comment or "")
    stricter = by_name.sensitivity.rank > seen.sensitivity.rank
    more = (f"without the values it would be {by_name.kind}, and a few rows cannot rule that out",) if stricter else ()
    return Finding(
        kind=seen.kind,
        sensitive=seen.sensitive,
        sensitivity=by_name.sensitivity if stricter else seen.sensitivity,
        confidence=round(seen.confidence, 2),
        evidence=(*seen.evidence, *more),
        recogniser=seen.version,
        since=before.since if before and before.metadata == metadata else now,
        metadata=metadata,
        samples=fingerprints.of_samples(column.samples) if column.samples is not None else None,
    )


def parse(document: Any) -> Findings:
    """Findings from JSON. Raises FindingsError for what this version does not write."""
    try:
        if document["format"] != FORMAT:
            raise FindingsError("it is of another version of lakemesh")
        columns = {_text(name): _column(one) for name, one in document["columns"].items()}
        return Findings(_text(document["twin"]), _text(document["table"]), _text(document["domain"]), columns)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise FindingsError(f"a field is missing or of the wrong type ({type(error).__name__})") from None


def _column(value: Mapping[str, Any]) -> Finding:
    samples = value["samples"]
    if not isinstance(value["sensitive"], bool) or not 0 <= value["confidence"] <= 1:
        raise TypeError
    return Finding(
        kind=_text(value["kind"]),
        sensitive=value["sensitive"],
        sensitivity=Sensitivity(value["sensitivity"]),
        confidence=float(value["confidence"]),
        evidence=tuple(_text(one) for one in value["evidence"]),
        recogniser=_text(value["recogniser"]),
        since=dt.datetime.strptime(value["since"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC),
        metadata=_text(value["metadata"]),
        samples=None if samples is None else _text(samples),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
