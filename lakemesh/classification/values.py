"""What sample values look like: shares of shapes, never the values themselves.

Bounded whatever comes: at most `MAX_SAMPLES` values spread over what was given, of each the first `MAX_LENGTH`
characters.
A `Profile` keeps counts only, so nothing that is made from it can show a value.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lakemesh.classification import lexicon
from lakemesh.classification.checks import national_shapes, valid_card, valid_email, valid_iban, valid_imei
from lakemesh.classification.tokens import fold

MAX_SAMPLES: Final = 50
MAX_LENGTH: Final = 256
_MAX_DEPTH: Final = 4

_INTEGER: Final = re.compile(r"[+-]?\d{1,20}(?:\.0)?")
_DECIMAL: Final = re.compile(
    r"[+-]?[$€£]?\d{1,15}(?:[.,]\d{3})*[.,]\d{1,17}(?:e[+-]?\d{1,3})?(?: ?[$€£%])?", re.IGNORECASE
)
_YEARS: Final = re.compile(
    r"\d{1,3} ?(?:y|yo|yrs?|years?|jahre?|ans|anni|a[nñ]os|jaar|anos|lat)\.?(?: old)?", re.IGNORECASE
)
_DATE: Final = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))(?:[T ].{0,30})?"
    r"|[A-Za-z]{3,9}\.? \d{1,2},? \d{4}.{0,30}|\d{1,2}\.? [A-Za-z]{3,9}\.? \d{4}.{0,20}"
)
_URL: Final = re.compile(
    r"(?:https?://|ftp://|www\.)\S{3,}|[a-z0-9-]{2,40}(?:\.[a-z0-9-]{2,40}){0,3}\.(?:com|org|net|io|edu|gov|"
    r"de|fr|es|it|nl|pt|pl|uk|eu)(?:/\S*)?",
    re.IGNORECASE,
)
_UUID: Final = re.compile(r"\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?", re.IGNORECASE)
_HEX: Final = re.compile(r"(?=.*\d)[0-9a-f]{16,128}", re.IGNORECASE)
_MAC: Final = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}", re.IGNORECASE)
_IP: Final = re.compile(r"[0-9a-f:.]{3,45}", re.IGNORECASE)
_PHONE: Final = re.compile(
    r"\+\d[\d ()./-]{6,24}|\(?\d{2,5}\)?[ ./-]\d{2,5}(?:[ ./-]\d{2,7}){1,4}|\(\d{2,5}\) ?\d{4,9}|0\d{1,4}[ /-]\d{5,9}"
)
_PAIR: Final = re.compile(r"\(?(-?\d{1,3}\.\d{1,17}), ?(-?\d{1,3}\.\d{1,17})\)?")
_SSN: Final = re.compile(r"(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}")
_ZIP: Final = re.compile(
    r"\d{4,6}(?:\.0)?|\d{5}-\d{4}|\d{2}-\d{3}|\d{5}-\d{3}|\d{3} \d{2}|\d{4} ?[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|"
    r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}",
    re.IGNORECASE,
)
_SECRET: Final = re.compile(
    r"\$(?:2[aby]|5|6|argon2id?|1)\$.{8,}|eyJ[\w-]{5,}\.[\w-]{5,}\..*|AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]{3,}-----.*|"
    r"(?:ghp|gho|xox[bp]|sk|pk)[_-][\w-]{16,}",
    re.DOTALL,
)
_BIC: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_MASKED: Final = re.compile(r"(?:[*xX•#][ -]?){4,}\d{2,4}")
_CODE: Final = re.compile(r"(?=.*\d)[\w.:/#-]{2,64}")
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]*)*")
_FORMS: Final = (("zip", _ZIP), ("ssn", _SSN), ("coordinates", _PAIR), ("masked", _MASKED))
_INNER_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{2,63}")


@dataclass(frozen=True)
class Profile:
    """Shares of shapes among the values that are not blank. Never a value."""

    looked: int = 0
    """Samples looked at, blank ones included."""
    filled: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    distinct: int = 0
    largest: int = 0
    """Largest whole number, where all values are whole numbers."""

    def share(self, *shapes: str) -> float:
        """Share of filled values with a shape: the most frequent of `shapes`, so that overlaps do not add up."""
        return max((self.counts.get(shape, 0) for shape in shapes), default=0) / self.filled if self.filled else 0.0


def profile(samples: Sequence[object]) -> Profile:
    """Look at a bounded part of `samples`."""
    values = list(_texts(_spread(samples)))
    filled = [text for text in values if text.lower() not in lexicon.BLANK]
    counts: Counter[str] = Counter()
    for text in filled:
        counts.update(shapes(text))
    numbers = [int(float(text)) for text in filled if len(text) <= 18 and _INTEGER.fullmatch(text)]
    return Profile(
        looked=len(values),
        filled=len(filled),
        counts=dict(counts),
        distinct=len(set(filled)),
        largest=max(numbers) if filled and len(numbers) == len(filled) else 0,
    )


def _spread(samples: Sequence[object]) -> Iterator[object]:
    size = len(samples)
    if size <= MAX_SAMPLES:
        yield from samples
    else:
        yield from (samples[index * size // MAX_SAMPLES] for index in range(MAX_SAMPLES))


def _texts(values: Iterator[object]) -> Iterator[str]:
    for value in values:
        yield text_of(value)


def text_of(value: object, depth: int = 0) -> str:
    """A value as bounded text; the first of what a list or mapping holds stands for it."""
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 (nan)
        return ""
    if isinstance(value, str):
        return value[: MAX_LENGTH * 2].strip()[:MAX_LENGTH]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() < 256 else "9" * 64
    if isinstance(value, bytes | bytearray):
        return bytes(value[:MAX_LENGTH]).decode("utf-8", "replace").strip()
    if isinstance(value, Mapping | list | tuple) and depth < _MAX_DEPTH:
        inner = list(value.values())[:8] if isinstance(value, Mapping) else list(value[:8])
        return next(filter(None, (text_of(part, depth + 1) for part in inner)), "")
    if isinstance(value, Mapping | list | tuple):
        return ""
    return str(value)[:MAX_LENGTH].strip()


def shapes(text: str) -> set[str]:
    """Every shape one value has. Cheap tests first; validators only where the form fits."""
    found: set[str] = set()
    if _is_binary(text):
        return {"binary"}
    digits = sum(char.isdigit() for char in text)
    lower = fold(text).lower()
    if lower in lexicon.STATUS:
        found.add("status")
    if digits:
        found |= _with_digits(text, digits)
    if "@" in text:
        found |= {"email"} if valid_email(text) else ({"holds-email"} if _INNER_EMAIL.search(text) else set())
    if "." in text and "email" not in found and _URL.fullmatch(text):
        found.add("url")
    if _SECRET.fullmatch(text):
        found.add("secret")
    if not digits or " " in text:
        found |= _in_words(text, lower, digits)
    if len(text) <= 2:
        found.add("short")
    return found


def _is_binary(text: str) -> bool:
    odd = sum(not char.isprintable() and not char.isspace() for char in text)
    return odd > 2 or text.count("\ufffd") > 1


def _with_digits(text: str, digits: int) -> set[str]:
    found = {"digits"}
    compact = text.replace(" ", "").replace("-", "")
    found |= {shape for shape, form in _FORMS if form.fullmatch(text)}
    if _INTEGER.fullmatch(text):
        found |= _whole(text)
    elif _YEARS.fullmatch(text):
        found.add("age")
    elif _DECIMAL.fullmatch(text):
        found.add("decimal")
        found |= _position(text)
    if digits <= 24 and _DATE.fullmatch(text):
        found.add("date")
    elif digits >= 7 and digits <= 15 and _PHONE.fullmatch(text) and "decimal" not in found:
        found.add("phone")
    if digits >= 7 and 10 <= len(compact) <= 34:
        found |= _checked(compact)
    if digits >= 5 and len(text) <= 24:
        found |= national_shapes(text)
    if " " not in text:
        found |= _lump(text)
    return found


def _checked(compact: str) -> set[str]:
    """Long numbers that carry check digits."""
    if compact[:2].isalpha():
        return {"iban"} if valid_iban(compact) else set()
    if not compact.isdigit():
        return set()
    found = {"card"} if valid_card(compact) else set()
    return found | ({"imei"} if len(compact) == 15 and valid_imei(compact) else set())


def _whole(text: str) -> set[str]:
    found = {"integer"}
    value = int(float(text)) if len(text) < 16 else 10**16
    if 0 <= value <= 120:
        found.add("age")
    if 1 <= value <= 31 or 1900 <= value <= 2035:
        found.add("date-part")
    size = len(text.removesuffix(".0").lstrip("+-"))
    if 7 <= size <= 15:
        found.add("phone-digits")
    return found


def _position(text: str) -> set[str]:
    head, _, tail = text.replace(",", ".").partition(".")
    if len(tail) >= 3 and head.lstrip("+-").isdigit() and len(head.lstrip("+-")) <= 3 and abs(int(head)) <= 180:
        return {"geo"}
    return set()


def _lump(text: str) -> set[str]:
    """Values without a space that hold a digit."""
    if _UUID.fullmatch(text):
        return {"uuid", "code"}
    found = {"code"} if _CODE.fullmatch(text) and not text.replace(".", "").isdigit() else set()
    if _HEX.fullmatch(text):
        found.add("hex")
    if _MAC.fullmatch(text):
        found.add("mac")
    elif _IP.fullmatch(text) and (text.count(".") == 3 or ":" in text):
        try:
            ipaddress.ip_address(text)
        except ValueError:
            return found
        found.add("ip")
    return found


def _in_words(text: str, lower: str, digits: int) -> set[str]:
    """Values that are made of words."""
    words = text.split()
    folded = [word.strip(".,;:()\"'").lower() for word in lower.split()]
    found: set[str] = {"words"} if any(char.isalpha() for char in text) else set()
    if lower in lexicon.GENDER:
        found |= {"gender"} | ({"gender-word"} if lower in lexicon.GENDER_WORDS else set())
    if folded and folded[0] in lexicon.MARITAL and len(folded) <= 3:
        found.add("marital")
    if len(folded) <= 5 and any(part in lexicon.ETHNIC for word in folded for part in re.split(r"[/_-]", word)):
        found.add("ethnic")
    if lower in lexicon.LANGUAGES:
        found.add("language")
    if len(words) >= 6 and sum(len(word) for word in words) > 24:
        found.add("text")
    if any(word in lexicon.ORGANIZATION for word in folded):
        found.add("organization")
    if digits and len(words) >= 2 and len(words) <= 14 and _street(folded):
        found.add("street")
    if not digits and _BIC.fullmatch(text):
        found.add("bic")
    if not digits and 1 <= len(words) <= 5 and len(text) <= 60:
        found |= _person(words, folded, found)
    return found


def _street(folded: list[str]) -> bool:
    # "St." in front is a saint, "rue" in front is a street.
    return any(
        (word in lexicon.STREET and (at or word in lexicon.STREET_FIRST))
        or word.endswith(("strasse", "straat", "weg", "gasse", "laan", "str"))
        for at, word in enumerate(folded)
    )


def _person(words: list[str], folded: list[str], found: set[str]) -> set[str]:
    if (
        2 <= len(words) <= 3
        and folded[0] in lexicon.GIVEN
        and "organization" not in found
        and "".join(folded).isalpha()
    ):
        return {"person", "person-shape", "full-name"}
    letters = [word for word in words if _WORD.fullmatch(word.strip(",;()"))]
    if (
        len(letters) != len(words)
        or "organization" in found
        or not all(word[:1].isupper() for word in words[:1] + words[-1:])
    ):
        return {"caseless"} if len(letters) == len(words) and not any(word.isascii() for word in words) else set()
    shape = {"person-shape"}
    if any(word in lexicon.GIVEN for word in folded[:3]):
        shape |= {"person", "full-name"} if len(words) > 1 else {"person"}
    return shape
