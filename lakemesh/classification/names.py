"""What a column's name, comment and type say about its kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lakemesh.classification.erp import NAMES_BY_SUBJECT, SHORT_NAMES, SUBJECT_OF_TABLE
from lakemesh.classification.phrases import CODED, LONGEST, PHRASES
from lakemesh.classification.taxonomy import Kind
from lakemesh.classification.tokens import MAX_NAME, fold, words_of
from lakemesh.classification.vocabulary import CONCEPT_OF, CONCEPTS, WORDS

ROLES: Final = frozenset({"player", "person", "patient", "employee", "contact", "user", "customer", "driver"})
_PLACES: Final = frozenset({"city", "state", "country"})
_OFF: Final = frozenset({"date", "is", "quality", "type", "count", "aspect"})
"""Concepts after (or before) a kind's words that speak of something else: `email_status`, `phone_count`."""
_IDS: Final = frozenset({"id", "number", "code", "key", "reference", "serial"})
_DAMPED: Final = 0.3
_HEARD: Final = 0.4
_UNKNOWN_AFTER: Final = 0.55
_LONGER: Final = 0.06
_LATER: Final = 0.03
_COMMENT: Final = 0.7
_MAX_COMMENT: Final = 160
_ACTORS: Final = frozenset({"player", "person", "driver", "contact"})
"""Roles that are told by name; a column called customer or user as often holds a number."""
_ROLE_ALONE: Final = 0.5
_SAYS_NOTHING: Final = frozenset(
    {Kind.GENERIC_ID, Kind.ACCOUNT_ID, Kind.URL, Kind.LANGUAGE, Kind.OCCUPATION, Kind.ORGANIZATION_NAME, Kind.FREE_TEXT}
)
"""Kinds that a sentence mentions without being about them."""
_STOP: Final = frozenset(("a", "an", "for", "to", "in", "that", "which", "who", "from", "la", "le", "el", "van", "da"))
_LISTS_VALUES: Final = re.compile(r"\w,\s[\w -]{1,30}\s(?:or|oder|ou|of|lub|o)\s\w")
"""A comment such as "card, transfer or cash" lists what a code can be."""
_SAP_HR: Final = re.compile(r"(?:PA|HRP|PB)\d{4}")


@dataclass(frozen=True)
class Hint:
    """One piece of evidence for a kind, by words of the vocabulary."""

    kind: Kind
    strength: float
    source: str
    """`name`, `comment` or `dictionary`."""


@dataclass(frozen=True)
class Reading:
    """Everything a name says: its concepts, and the kinds it may mean."""

    concepts: tuple[str, ...]
    hints: tuple[Hint, ...]
    name_of: str | None = None
    """For a column called a name: what it is the name of; empty text for the table's subject."""


def concepts_of(name: str) -> tuple[str, ...]:
    """The words of a name as concepts; words nobody knows stay as they are."""
    return _concepts_of(name[:MAX_NAME])


@lru_cache(maxsize=8192)
def _concepts_of(name: str) -> tuple[str, ...]:
    return tuple(CONCEPT_OF.get(word, word) for word in words_of(name, WORDS))


def subject_of(table: str) -> str:
    """Whom or what a table is about: customer, person, employee, vendor, bank, site, thing; empty if unknown."""
    last = table.rpartition(".")[2]
    upper = last.upper()
    if _SAP_HR.fullmatch(upper) or upper.startswith(("PER_", "PAY_")):
        return "employee"
    if upper in SUBJECT_OF_TABLE:
        return SUBJECT_OF_TABLE[upper]
    found = ""
    concepts = concepts_of(last)
    if "bank" in concepts or "bankaccount" in concepts:
        return "bank"
    for concept in concepts:
        if concept in ROLES | {"vendor", "organization", "site", "thing", "account"}:
            if concept in {"thing", "site"} and found:
                continue
            found = concept if concept not in {"player", "patient", "contact", "user", "driver"} else "person"
    return found


def read_name(name: str) -> Reading:
    """The hints of a column's name."""
    return _read_name(name[:MAX_NAME])  # cut first: the cache keeps its keys


@lru_cache(maxsize=8192)
def _read_name(name: str) -> Reading:
    upper = fold(name).upper().replace(" ", "_")
    if upper in NAMES_BY_SUBJECT:
        return Reading(("name",), (), "")
    known = SHORT_NAMES.get(upper)
    concepts = concepts_of(name)
    if known is not None:
        return Reading(concepts, (Hint(known, 1.0, "dictionary"),))
    return Reading(concepts, tuple(_hints(concepts)), _name_of(concepts))


def _hints(concepts: tuple[str, ...]) -> Iterator[Hint]:
    whole = len(concepts)
    for start in range(whole):
        for end in range(start + 1, min(start + LONGEST, whole) + 1):
            for kind, strength in PHRASES.get(concepts[start:end], ()):
                damped = _damp(kind, concepts[:start], concepts[end:])
                if damped < _HEARD:
                    continue
                place = _LONGER * (end - start - 1) + _LATER * (end / whole)
                yield Hint(kind, strength * damped + place * damped, "name")
    if concepts and concepts[-1] in ROLES and "name" not in concepts:
        yield Hint(Kind.PERSON_NAME, _ROLE_ALONE if concepts[-1] in _ACTORS else 0.4, "role")
    if concepts and (concepts[-1] in _OFF or "is" in concepts[:1]):
        yield Hint(Kind.NONE, 0.7, "name")
    elif concepts and concepts[-1] in _PLACES:
        yield Hint(Kind.NONE, 0.6, "name")


def _off(kind: Kind) -> frozenset[str]:
    """Concepts that turn a kind off when they stand after it."""
    off = _OFF - {"type", "aspect"} if kind in CODED else _OFF
    if kind is Kind.HEALTH:
        return off - {"is", "quality"}
    if kind in {Kind.DATE_OF_BIRTH, Kind.AGE}:
        return off - {"date"}
    if kind is Kind.SALARY:
        return off - {"count"}  # a salary's amount is the salary; an average of salaries is none
    return off


def _damp(kind: Kind, before: tuple[str, ...], after: tuple[str, ...], *, sentence: bool = False) -> float:
    """How much of a phrase's strength is left among the other words of the name."""
    off = _off(kind)
    if kind is Kind.BANK_ROUTING and "name" in after:
        return 1.0
    if kind is Kind.GENERIC_ID or kind is Kind.NONE:
        return 1.0 if not after else 0.6
    if any(word in off for word in after):
        return _DAMPED
    if "count" in before or ("is" in before and kind is not Kind.HEALTH):
        return _DAMPED
    ids = (
        _IDS
        if kind in {Kind.EMAIL, Kind.POSTAL_ADDRESS, Kind.PERSON_NAME, Kind.ORGANIZATION_NAME}
        else frozenset({"code"})
    )
    if kind not in CODED and any(word in ids for word in after) and kind is not Kind.EMAIL:
        return _DAMPED
    if kind in {Kind.URL, Kind.LANGUAGE, Kind.OCCUPATION} and after:
        return 0.6
    if "thing" in after and kind not in CODED:
        return 0.6
    if any(word in _PLACES for word in after) and kind is not Kind.DEMOGRAPHIC:
        return _DAMPED
    if after and not sentence and any(word not in CONCEPTS for word in after):
        return _UNKNOWN_AFTER  # in English the last word says what it is, and nobody knows this one
    return 1.0


def _name_of(concepts: tuple[str, ...]) -> str | None:
    if concepts in {
        ("name",),
        ("full", "name"),
        ("text", "name"),
        ("name", "text"),
        ("search", "name"),
        ("sort", "name"),
    }:
        return ""
    if "name" not in concepts:
        return None
    at = len(concepts) - 1 - concepts[::-1].index("name")
    if any(word in _OFF | {"id", "key", "code"} for word in concepts[at + 1 :]):
        return None
    others = [word for word in concepts if word != "name"]
    beside = [concepts[at - 1]] if at else list(concepts[1:2])
    for word in [*beside, *others[:at]]:
        if word in ROLES | {"vendor", "organization", "site", "thing", "bank", "account", "mailing"} | _PLACES:
            return word
    return others[-1] if others and at else ""


def read_comment(comment: str) -> tuple[Hint, ...]:
    """The hints of a comment: weaker than a name's, since a sentence mentions many things."""
    start = comment[:_MAX_COMMENT]
    return () if _LISTS_VALUES.search(start) else _read_comment(start)


@lru_cache(maxsize=4096)
def _read_comment(comment: str) -> tuple[Hint, ...]:
    concepts = tuple(word for word in concepts_of(comment) if word not in _STOP)
    if not concepts:
        return ()
    best: dict[Kind, float] = {}
    negated = any(word in {"is", "whether", "count"} for word in concepts)
    for start in range(len(concepts)):
        for end in range(start + 1, min(start + LONGEST, len(concepts)) + 1):
            for kind, strength in PHRASES.get(concepts[start:end], ()):
                if kind in _SAYS_NOTHING and (len(concepts) > 4 or end < len(concepts)):
                    continue
                if strength < 1 and len(concepts) > 4:
                    continue
                scale = _COMMENT if start <= 4 else _COMMENT * 0.6
                scale *= _damp(kind, concepts[max(0, start - 2) : start], concepts[end : end + 2], sentence=True)
                scale *= 0.4 if negated and kind not in CODED else 1.0
                best[kind] = max(best.get(kind, 0.0), (strength + _LONGER * (end - start - 1)) * scale)
    if ("person" in concepts and "created" in concepts) or concepts[:2] == ("user", "name"):
        best[Kind.EMPLOYEE_ID] = 0.85
    return tuple(Hint(kind, strength, "comment") for kind, strength in best.items() if strength >= 0.2)
