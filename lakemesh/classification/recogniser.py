"""Verdicts for the columns of one table."""

from __future__ import annotations

from collections.abc import Sequence

from lakemesh.classification import evidence
from lakemesh.classification.column import Column, Verdict
from lakemesh.classification.context import Context, about_people, context_of
from lakemesh.classification.decision import features, probability
from lakemesh.classification.names import subject_of
from lakemesh.classification.rules import NO_RULES, Rules, Ruling
from lakemesh.classification.scoring import Scored, score
from lakemesh.classification.taxonomy import MEANINGS, Kind, Rule
from lakemesh.declarations.sensitivity import Sensitivity

_HALF = 0.5
_EMPTY_CONFIDENCE = 0.97


def classify_table(table: str, columns: Sequence[Column], rules: Rules = NO_RULES) -> list[Verdict]:
    """One verdict per column, in the same order. Columns of a table are judged together: each is the others' context.

    Never raises for what names, types, comments and samples hold, and reads a bounded part of each.
    """
    scored, context = look_at(table, columns)
    return [_verdict(table, one, context, rules) for one in scored]


def look_at(table: str, columns: Sequence[Column]) -> tuple[list[Scored], Context]:
    """Everything that is known before it is decided what is sensitive: what fitting and tests look at, too."""
    subject = subject_of(table[:400])
    scored = [score(column, subject) for column in columns]
    if not subject and about_people(scored):
        # Only now is it known whose name a column "name" is; its values were looked at already.
        scored = [score(one.column, "person", one.values) if one.reading.name_of == "" else one for one in scored]
    return scored, context_of(subject, scored)


def _verdict(table: str, scored: Scored, context: Context, rules: Rules) -> Verdict:
    ruling = rules.ruling(table, scored.column)
    if ruling is not None:
        return _ruled(table, scored, ruling, rules)
    kind = scored.best.kind
    chance = probability(features(scored, context))
    sensitive = chance >= _HALF and not scored.empty
    return Verdict(
        table=table,
        column=scored.column.name,
        kind=kind.value,
        sensitive=sensitive,
        sensitivity=_proposed(kind, sensitive=sensitive or (scored.empty and _by_kind(kind)), rules=rules),
        confidence=_EMPTY_CONFIDENCE if scored.empty else round(max(chance, 1 - chance), 3),
        evidence=evidence.words(scored, context, sensitive=sensitive),
    )


def _by_kind(kind: Kind) -> bool:
    return MEANINGS[kind].rule is not Rule.NEVER


def _proposed(kind: Kind, *, sensitive: bool, rules: Rules) -> Sensitivity:
    if sensitive:
        return rules.sensitivity_of(kind.value)
    return rules.file.sensitivity.get(kind.value, Sensitivity.INTERNAL) if not _by_kind(kind) else Sensitivity.INTERNAL


def _ruled(table: str, scored: Scored, ruling: Ruling, rules: Rules) -> Verdict:
    kind = ruling.kind or Kind.NONE.value
    wanted = ruling.kind is not None and rules.sensitive(kind)
    proposed = rules.sensitivity_of(kind) if wanted else Sensitivity.INTERNAL
    sensitive = wanted and not scored.empty
    return Verdict(table, scored.column.name, kind, sensitive, proposed, ruling.confidence, (ruling.evidence,))
