"""Validators of single values. Strong ones may decide; weak ones (`WEAK`) only ever support a name.

A check digit alone proves little: one random number in ten passes Luhn, nine in ten pass as a nine-digit US number.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from email_validator import EmailNotValidError, validate_email
from stdnum import iban, luhn
from stdnum.exceptions import ValidationError

_EMAIL: Final = re.compile(r"[^\s@<>()\[\],;:\"]{1,64}@[^\s@<>()\[\],;:\"]{1,190}\.[^\s@<>.]{2,24}")
_BRANDS: Final = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|3[47]\d{13}|6(?:011|5\d\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}"
)

STRONG: Final = ("codice-fiscale", "dni", "nir", "vat", "cpf-written", "pan-in", "curp", "rfc")
"""Forms that hardly anything else has."""
WEAK: Final = ("pesel", "idnr", "cpf", "bsn", "nhs", "aadhaar")
"""Digits with a check digit: only with a name that says so."""

_FORMS: Final[tuple[tuple[str, str, str], ...]] = (
    ("codice-fiscale", r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]", "it.codicefiscale"),
    ("dni", r"\d{8}-?[A-Z]|[XYZ]\d{7}-?[A-Z]", "es.nif"),
    ("nir", r"[12]\d{2}(?:0[1-9]|1[0-2])\w{2}\d{8}", "fr.nir"),
    (
        "vat",
        r"(?:AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK)[\dA-Z]{8,12}",
        "eu.vat",
    ),
    ("cpf-written", r"\d{3}\.\d{3}\.\d{3}-\d{2}", "br.cpf"),
    ("pan-in", r"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]", "in_.pan"),
    ("curp", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z\d]\d", "mx.curp"),
    ("pesel", r"\d{11}", "pl.pesel"),
    ("idnr", r"[1-9]\d{10}", "de.idnr"),
    ("cpf", r"\d{11}", "br.cpf"),
    ("bsn", r"\d{9}", "nl.bsn"),
    ("nhs", r"\d{10}", "gb.nhs"),
    ("aadhaar", r"[2-9]\d{11}", "in_.aadhaar"),
)
_COMPILED: Final = tuple((name, re.compile(form), module) for name, form, module in _FORMS)


@lru_cache(maxsize=32)
def _validator(module: str) -> Callable[[str], Any]:
    loaded: Any = importlib.import_module(f"stdnum.{module}")
    validate: Callable[[str], Any] = loaded.validate
    return validate


def _passes(module: str, text: str) -> bool:
    try:
        _validator(module)(text)
    except ValidationError:
        return False
    except (ValueError, IndexError, KeyError, TypeError):  # a validator that stumbles over junk says no
        return False
    return True


def national_shapes(text: str) -> set[str]:
    """Names of the national and tax number schemes `text` fits, check digits included."""
    upper = text.upper().replace(" ", "")
    return {name for name, form, module in _COMPILED if form.fullmatch(upper) and _passes(module, upper)}


def valid_email(text: str) -> bool:
    """Syntax only: nothing is looked up."""
    if not _EMAIL.fullmatch(text):
        return False
    try:
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


def valid_iban(text: str) -> bool:
    """Country, length and check digits. Not the country's own check digits: samples in test data often lack them."""
    try:
        iban.validate(text, check_country=False)
    except ValidationError:
        return False
    return True


def valid_card(text: str) -> bool:
    """A brand's prefix and length, and the check digit."""
    return bool(_BRANDS.fullmatch(text)) and luhn.is_valid(text) and len(set(text)) > 1


def valid_imei(text: str) -> bool:
    """Fifteen digits with their check digit."""
    return bool(luhn.is_valid(text))
