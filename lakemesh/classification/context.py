"""What the other columns of a table say: whether it is about persons, whether it holds accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lakemesh.classification.scoring import Scored
from lakemesh.classification.taxonomy import Kind

_PERSONAL: Final = frozenset(
    {
        Kind.PERSON_NAME,
        Kind.DATE_OF_BIRTH,
        Kind.GENDER,
        Kind.AGE,
        Kind.ETHNICITY,
        Kind.MARITAL_STATUS,
        Kind.GOVERNMENT_ID,
        Kind.SALARY,
    }
)
_INTIMATE: Final = frozenset(
    {Kind.DATE_OF_BIRTH, Kind.GENDER, Kind.AGE, Kind.ETHNICITY, Kind.MARITAL_STATUS, Kind.GOVERNMENT_ID, Kind.SALARY}
)
_ACCOUNTS: Final = frozenset({Kind.IBAN, Kind.BANK_ACCOUNT})
_NOT_PEOPLE: Final = frozenset({Kind.NONE, Kind.ORGANIZATION_NAME})
_RELATION: Final = frozenset({"customer", "employee", "patient"})
_PEOPLE: Final = frozenset({"customer", "employee", "person", "patient"})


@dataclass(frozen=True)
class Context:
    """Of one table. Counts are of columns that hold values, or whose values nobody saw."""

    subject: str
    personal: int
    accounts: int
    addresses: int
    organizations: int
    """Columns that speak of organizations, or name something that is no person."""
    relation: bool
    """Whether the persons have a relation with the company (customers, employees), unlike the players of a league."""

    def persons_beside(self, scored: Scored) -> bool:
        """Whether anything but this column says that the rows are about persons."""
        own = scored.best.kind in _PERSONAL | {Kind.EMAIL} and not scored.empty
        return self.personal - own > 0 or self.subject in _PEOPLE


def about_people(columns: Sequence[Scored]) -> bool:
    """Whether columns describe people as nothing but people is described: a school has a telephone, but no gender."""
    if any(scored.best.kind in _INTIMATE and not scored.empty for scored in columns):
        return True
    firms = any({"organization", "vendor", "site"} & set(scored.reading.concepts) for scored in columns)
    return not firms and any(scored.best.kind is Kind.EMAIL and not scored.empty for scored in columns)


def context_of(subject: str, columns: Sequence[Scored]) -> Context:
    """What the columns of one table say together."""
    seen = [scored for scored in columns if not scored.empty]
    people = [scored for scored in seen if scored.best.kind in _PERSONAL and scored.best.score >= 0.6]
    firms = [scored for scored in columns if {"organization", "vendor", "site"} & set(scored.reading.concepts)]
    if not firms and subject not in {"vendor", "organization", "site"}:
        people += [scored for scored in seen if scored.best.kind is Kind.EMAIL]  # of nobody else, then
    things = [scored for scored in seen if scored.reading.name_of is not None and scored.best.kind in _NOT_PEOPLE]
    accounts = [scored for scored in seen if scored.best.kind in _ACCOUNTS]
    by_role = any(concept in {"customer", "employee"} for scored in people for concept in scored.reading.concepts)
    addresses = [scored for scored in seen if scored.best.kind is Kind.POSTAL_ADDRESS]
    return Context(
        subject, len(people), len(accounts), len(addresses), len(firms) + len(things), subject in _RELATION or by_role
    )
