"""Evidence in words. Says what kind of evidence there is and how much; quotes no value, comment or name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lakemesh.classification.context import Context
from lakemesh.classification.scoring import Scored
from lakemesh.classification.taxonomy import MEANINGS, Kind, Rule

_SOURCES: Final = {
    "name": "the name says {label}",
    "role": "the name is the role of a person",
    "dictionary": "an ERP dictionary name that means {label}",
    "comment": "the comment speaks of {label}",
    "table": "a name in a table about {subject}s",
    "type": "a map: its keys and values can be anything",
}


def words(scored: Scored, context: Context, *, sensitive: bool) -> tuple[str, ...]:
    """Why a column is judged as it is, strongest first."""
    return tuple(_words(scored, context, sensitive=sensitive)) or (
        "nothing in its name, type, comment or values says otherwise",
    )


def _words(scored: Scored, context: Context, *, sensitive: bool) -> Iterator[str]:
    kind, meaning = scored.best.kind, MEANINGS[scored.best.kind]
    for reason in scored.best.reasons:
        if reason in _SOURCES and (kind is not Kind.NONE or reason != "name"):
            yield _SOURCES[reason].format(label=meaning.label, subject=context.subject or "person")
    if "nested" in scored.best.reasons:
        yield f"a nested field is {meaning.label}"
    if "surrogate" in scored.best.reasons:
        yield "its values only count rows: a surrogate key"
    yield from _of_values(scored)
    yield from _of_context(scored, context, sensitive=sensitive)


def _of_values(scored: Scored) -> Iterator[str]:
    values, kind = scored.values, scored.best.kind
    if values is None:
        yield "no values were looked at"
        return
    if not values.filled:
        yield f"all {values.looked} samples are empty" if values.looked else "there are no values"
        return
    share = scored.best.support.shown
    if kind is not Kind.NONE and share > 0:
        yield f"{share:.0%} of {values.filled} value{'s' if values.filled > 1 else ''} fit it"
    for rejected in dict.fromkeys(scored.rejected):
        if rejected is not kind:
            yield f"the values do not look like {MEANINGS[rejected].label}"
    minority = values.share("email", "holds-email")
    if kind is not Kind.EMAIL and 0 < minority < 0.5:
        yield f"{minority:.0%} of the values hold an e-mail address"


def _of_context(scored: Scored, context: Context, *, sensitive: bool) -> Iterator[str]:
    rule = MEANINGS[scored.best.kind].rule
    if rule is not Rule.IN_CONTEXT:
        return
    if scored.best.kind is Kind.BANK_ROUTING:
        yield "beside an account number" if context.accounts else "no account number beside it"
    elif context.persons_beside(scored):
        yield "other columns or the table speak of persons"
    elif not sensitive:
        yield "nothing beside it speaks of persons"
