"""Which kind one column is of: hints of the name and comment weighed against what its values show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from lakemesh.classification.column import Column
from lakemesh.classification.names import Hint, Reading, read_comment, read_name
from lakemesh.classification.support import Support, shown_by_values, support
from lakemesh.classification.taxonomy import MEANINGS, Kind, Rule
from lakemesh.classification.types import allows, is_map, leaves
from lakemesh.classification.values import Profile, profile
from lakemesh.declarations.sensitivity import Sensitivity

LEAST: Final = 0.45
"""Score from which a kind is believed."""
_AGAINST: Final = 0.6
"""Share of contradicting values from which a name is not believed."""
_VALUES: Final = 0.6
_VALUES_ALONE: Final = 0.5
_PERSON_SUBJECTS: Final = frozenset(
    {"customer", "person", "employee", "player", "patient", "contact", "user", "driver", "mailing"}
)
_SURROGATE: Final = 100_000
_ROLE_SHOWN: Final = 0.3
_QUIET: Final = frozenset({Kind.PERSON_NAME, Kind.GENERIC_ID})
_IDENTIFYING: Final = frozenset({Kind.CUSTOMER_ID, Kind.EMPLOYEE_ID, Kind.PERSON_ID, Kind.ACCOUNT_ID})


_NO_SUPPORT: Final = Support(0.0, 0.0)


@dataclass(frozen=True)
class Candidate:
    """A kind with its score and why."""

    kind: Kind
    score: float
    support: Support = _NO_SUPPORT
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scored:
    """One column after it was looked at alone."""

    column: Column
    reading: Reading
    values: Profile | None
    best: Candidate
    rejected: tuple[Kind, ...] = field(default=())
    """Kinds the name proposed and the values contradict."""

    @property
    def empty(self) -> bool:
        """Somebody looked and found no value."""
        return self.values is not None and self.values.filled == 0


def score(column: Column, subject: str, values: Profile | None = None) -> Scored:
    """The most likely kind of a column in a table about `subject`."""
    nested = leaves(column.type)
    if nested:
        return _score_nested(column, nested, subject)
    reading = read_name(column.name)
    if values is None and column.samples is not None:
        values = profile(column.samples)
    seen = values or Profile()
    candidates: dict[Kind, Candidate] = {}
    rejected: list[Kind] = []
    for hint in _hints(column, reading, seen, subject):
        _add(candidates, rejected, hint, seen, column)
    named = max(candidates.values(), key=lambda candidate: candidate.score, default=None)
    for kind, share in shown_by_values(seen):
        if kind in _QUIET and named is not None and named.score >= LEAST:
            continue  # places are called after people, and identifiers of people are written as UUIDs
        _add_shown(candidates, kind, share, column)
    best = max(candidates.values(), key=lambda candidate: candidate.score, default=None)
    if best is None or best.score < LEAST:
        best = _fallback(rejected, reading, seen, column)
    return Scored(column, reading, values, _refine(best, seen), tuple(rejected))


def _hints(column: Column, reading: Reading, values: Profile, subject: str) -> Iterator[Hint]:
    for hint in reading.hints:
        yield hint if hint.source == "dictionary" else _by_table(hint, subject)
    if reading.name_of is not None:
        yield _name_hint(reading.name_of, values, subject)
    if column.comment and not any(hint.source == "dictionary" for hint in reading.hints):
        strongest = max((hint.strength for hint in reading.hints), default=0.0)
        for hint in read_comment(column.comment):
            if strongest < 0.95 or hint.strength > 0.6:
                yield hint
    if is_map(column.type):
        yield Hint(Kind.FREE_TEXT, 0.7, "type")


def _by_table(hint: Hint, subject: str) -> Hint:
    """Whose account or identifier a column speaks of, where only its table says so."""
    if hint.kind is Kind.ACCOUNT_ID and hint.strength < 1:
        owner = {"customer": Kind.CUSTOMER_ID, "employee": Kind.BANK_ACCOUNT, "bank": Kind.BANK_ACCOUNT}.get(subject)
        return Hint(owner or hint.kind, hint.strength, "name")
    if hint.kind is Kind.PERSON_ID and subject in {"customer", "employee"}:
        return Hint(Kind.CUSTOMER_ID if subject == "customer" else Kind.EMPLOYEE_ID, hint.strength, "name")
    return hint


def _name_hint(of: str, values: Profile, subject: str) -> Hint:
    """A column that is called a name: of a person or of anything else, which the words beside it or the table say."""
    about = of or subject
    known, firms = values.share("person"), values.share("organization")
    if about in _PERSON_SUBJECTS:
        return Hint(Kind.PERSON_NAME, 0.95 if of else 0.85, "name" if of else "table")
    if about in {"vendor", "organization"}:
        return Hint(Kind.ORGANIZATION_NAME, 0.95, "name" if of else "table")
    if about == "bank":
        return Hint(Kind.BANK_ROUTING, 0.9, "name")
    if about in {"thing", "site", "case", "city", "state", "country"} or (about == "account" and not of):
        return Hint(Kind.NONE, 0.9 if known < 0.6 else 0.2, "name")
    if firms >= 0.4:
        return Hint(Kind.ORGANIZATION_NAME, 0.6, "name")
    if known >= (0.5 if of else 0.3):
        return Hint(Kind.PERSON_NAME, 0.55 if of else 0.7, "name")
    if about == "account":
        return Hint(Kind.PERSON_NAME, 0.7, "name") if subject == "bank" else Hint(Kind.NONE, 0.6, "name")
    return Hint(Kind.PERSON_NAME, 0.0, "name")


def _add(candidates: dict[Kind, Candidate], rejected: list[Kind], hint: Hint, values: Profile, column: Column) -> None:
    if not allows(hint.kind, column.type):
        return
    backing = support(hint.kind, values)
    if hint.source == "role" and values.filled and backing.shown < _ROLE_SHOWN:
        return
    if backing.against >= _AGAINST:
        rejected.append(hint.kind)
        return
    total = hint.strength + _VALUES * backing.shown - 0.5 * backing.against
    known = candidates.get(hint.kind)
    if known is None or total > known.score:
        reasons = (*(known.reasons if known else ()), hint.source)
        candidates[hint.kind] = Candidate(hint.kind, total, backing, tuple(dict.fromkeys(reasons)))


def _add_shown(candidates: dict[Kind, Candidate], kind: Kind, share: float, column: Column) -> None:
    if not allows(kind, column.type):
        return
    known = candidates.get(kind)
    alone = _VALUES_ALONE + _VALUES * share
    if known is None:
        candidates[kind] = Candidate(kind, alone, Support(share, 0.0), ("values",))
    elif known.score < alone:
        candidates[kind] = Candidate(kind, alone, known.support, (*known.reasons, "values"))


def _fallback(rejected: list[Kind], reading: Reading, values: Profile, column: Column) -> Candidate:
    """An identifier whose values are not what its name says is still an identifier, if they can be one; a name of
    parties that are firms is a name of firms."""
    if Kind.PERSON_NAME in rejected and values.share("organization") >= _AGAINST:
        return Candidate(Kind.ORGANIZATION_NAME, LEAST, support(Kind.ORGANIZATION_NAME, values), ("name",))
    words = {"id", "number", "key", "code", "reference", "imei", "ssn", "mac"}
    named = any(concept in words for concept in reading.concepts) or Kind.DEVICE_ID in rejected
    if named and allows(Kind.GENERIC_ID, column.type) and values.filled:
        backing = support(Kind.GENERIC_ID, values)
        if backing.against < _AGAINST and values.share("code", "integer") >= 0.4:
            return Candidate(Kind.GENERIC_ID, LEAST, backing, ("name",))
    return Candidate(Kind.NONE, LEAST)


def _refine(best: Candidate, values: Profile) -> Candidate:
    """A customer number that only counts rows is a surrogate key; one that names people is a user."""
    counts_rows = 0 < values.largest < _SURROGATE and values.share("integer") >= 0.9
    if best.kind in _IDENTIFYING and "dictionary" not in best.reasons and counts_rows:
        return Candidate(Kind.GENERIC_ID, best.score, best.support, (*best.reasons, "surrogate"))
    return best


def _score_nested(column: Column, nested: list[tuple[str, str]], subject: str) -> Scored:
    """The most sensitive leaf stands for the whole column: a tag covers all of it."""
    from_outer = subject_of_name(column.name) or subject
    inner = [score(Column(name, type_name), from_outer) for name, type_name in nested]
    best = max(inner, key=lambda scored: (severity(scored.best.kind), scored.best.score))
    candidate = Candidate(best.best.kind, best.best.score, best.best.support, (*best.best.reasons, "nested"))
    values = None if column.samples is None else profile(column.samples)
    return Scored(column, best.reading, values, candidate)


def subject_of_name(name: str) -> str:
    """Whom a nested column is about: `payer` holds a person's fields."""
    concepts = read_name(name).concepts
    return next((concept for concept in concepts if concept in _PERSON_SUBJECTS | {"vendor", "organization"}), "")


def severity(kind: Kind) -> int:
    """Order of kinds by how sensitive they are, for columns that hold several."""
    meaning = MEANINGS[kind]
    by_rule = {Rule.ALWAYS: 20, Rule.IN_CONTEXT: 10, Rule.NEVER: 0}[meaning.rule]
    return by_rule + list(Sensitivity).index(meaning.sensitivity)
