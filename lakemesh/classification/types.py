"""What a column's type allows, and the leaves of nested types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lakemesh.classification.taxonomy import Kind

MAX_TYPE: Final = 8000
MAX_LEAVES: Final = 200
_MAX_DEPTH: Final = 12
_FLAGS: Final = frozenset({Kind.HEALTH, Kind.GENDER, Kind.MARITAL_STATUS})
_DATES: Final = frozenset({Kind.DATE_OF_BIRTH})
_NUMBERS: Final = frozenset(
    {
        Kind.DATE_OF_BIRTH,
        Kind.SALARY,
        Kind.GEOLOCATION,
        Kind.AGE,
        Kind.HEALTH,
        Kind.CUSTOMER_ID,
        Kind.EMPLOYEE_ID,
        Kind.ACCOUNT_ID,
        Kind.GENERIC_ID,
    }
)
_FRACTIONS: Final = frozenset({Kind.SALARY, Kind.GEOLOCATION, Kind.AGE, Kind.HEALTH})
_NOT_WHOLE: Final = frozenset(
    {Kind.EMAIL, Kind.PERSON_NAME, Kind.POSTAL_ADDRESS, Kind.ORGANIZATION_NAME, Kind.URL, Kind.FREE_TEXT, Kind.IBAN}
)
_FIELD: Final = re.compile(r"\s*([^:<>,\s]{1,160})\s*:")
_SCALED: Final = re.compile(r"(?:decimal|numeric|number)\s*\(\s*\d+\s*,\s*(\d+)\s*\)")


def allows(kind: Kind, type_name: str | None) -> bool:
    """Whether a column of this type can be of `kind`; every kind where the type is unknown or text."""
    if type_name is None or kind is Kind.NONE:
        return True
    name = type_name[:64].strip().lower()
    if name.startswith(("bool", "bit")):
        return kind in _FLAGS
    if name.startswith(("date", "timestamp", "datetime", "time")):
        return kind in _DATES or kind is Kind.PAYMENT_CARD
    if name.startswith(("double", "float", "real")):
        return kind in _FRACTIONS
    scaled = _SCALED.match(name)
    if scaled:
        return kind in (_FRACTIONS if int(scaled.group(1)) else _NUMBERS)
    if name.startswith(("decimal", "numeric", "number")):
        return kind in _NUMBERS
    if name.startswith(("int", "bigint", "smallint", "tinyint", "long", "integer")):
        return kind not in _NOT_WHOLE
    return True


def is_map(type_name: str | None) -> bool:
    """Whether keys are data: nobody knows from the schema what is in it."""
    return bool(type_name) and str(type_name)[:64].lstrip().lower().startswith("map<")


def leaves(type_name: str | None) -> list[tuple[str, str]]:
    """Names (`payer.iban` is `iban`) and types of a nested type's fields; empty for what is not nested."""
    if not type_name or "<" not in type_name:
        return []
    return list(_leaves(type_name[:MAX_TYPE], 0))[:MAX_LEAVES]


def _leaves(text: str, depth: int) -> Iterator[tuple[str, str]]:
    inner = text[text.find("<") + 1 : text.rfind(">") if ">" in text else len(text)]
    if depth > _MAX_DEPTH:
        return
    if not text.lstrip().lower().startswith("struct"):
        for part in _parts(inner):
            if "<" in part:
                yield from _leaves(part.strip(), depth + 1)
        return
    for part in _parts(inner):
        match = _FIELD.match(part)
        if match:
            rest = part[match.end() :].strip()
            if "<" in rest:
                yield from _leaves(rest, depth + 1)
            else:
                yield match.group(1), rest


def _parts(text: str) -> Iterator[str]:
    """Cut at the commas of the top level."""
    level = start = 0
    for at, char in enumerate(text):
        if char in "<(":
            level += 1
        elif char in ">)":
            level -= 1
        elif char == "," and level == 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]
