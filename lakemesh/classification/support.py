"""Whether sample values support or contradict a kind that a name proposes, and which kinds they show alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lakemesh.classification.checks import STRONG, WEAK
from lakemesh.classification.taxonomy import Kind
from lakemesh.classification.values import Profile

_PREVALENT: Final = 0.8
_MAJORITY: Final = 0.5
_FEW: Final = 2
_FEW_SHARE: Final = 0.04


@dataclass(frozen=True)
class Support:
    """Shares of the filled values: those that show the kind, those that cannot be it."""

    shown: float
    against: float


Test = Callable[[Profile], Support]


def _only(*shapes: str) -> Test:
    """What does not have one of the shapes is against."""

    def test(values: Profile) -> Support:
        shown = values.share(*shapes)
        return Support(shown, 1 - shown)

    return test


def _unless(shown: tuple[str, ...], against: tuple[str, ...], weight: float = 1.0) -> Test:
    """Only the shapes of `against` are against; `weight` is what a shown value proves."""

    def test(values: Profile) -> Support:
        positive = values.share(*shown) if shown else 0.0
        return Support(positive * weight, max(0.0, values.share(*against) - positive))

    return test


_NOT_WORDS: Final = ("integer", "decimal", "date", "email", "url", "status", "uuid", "text", "geo", "binary", "code")
_NOT_ID: Final = ("status", "date", "text", "geo", "binary")


def _emails(values: Profile) -> Support:
    shown = values.share("email", "holds-email")
    return Support(shown, 1 - max(shown, values.share("masked")))


def _government(values: Profile) -> Support:
    shown = max(values.share(*STRONG, "ssn"), 0.8 * values.share(*WEAK), 0.3 * values.share("digits"))
    return Support(shown, max(1 - values.share("digits"), values.share("status", "date")) if values.filled else 0.0)


def _account(values: Profile) -> Support:
    shown = max(values.share("iban"), 0.4 * values.share("digits"), values.share("masked"))
    return Support(shown, max(1 - values.share("digits"), values.share("date", "decimal", "status")))


def _numeric(values: Profile) -> Support:
    shown = 0.4 * min(1.0, values.share("integer") + values.share("decimal"))
    return Support(shown, 1 - values.share("digits"))


def persons_among_firms(values: Profile) -> bool:
    """Whether a register of firms also has people in it: sole traders, private customers. One may be a firm that is
    called after its founder."""
    people = values.counts.get("full-name", 0)
    return people >= _FEW and values.share("full-name") >= _FEW_SHARE


def _person(values: Profile) -> Support:
    shown = max(values.share("person"), 0.7 * values.share("person-shape", "caseless"))
    firms = 0.0 if persons_among_firms(values) else values.share("organization")
    against = max(values.share(*_NOT_WORDS), firms)
    # Two letters are initials, which name nobody.
    return Support(shown, max(0.0, against - 0.5 * shown, 0.9 * values.share("short")))


TESTS: Final[Mapping[Kind, Test]] = {
    Kind.PERSON_NAME: _person,
    Kind.EMAIL: _emails,
    Kind.PHONE: _only("phone", "phone-digits", "masked"),
    Kind.POSTAL_ADDRESS: _unless(
        ("street",), ("integer", "decimal", "date", "status", "email", "url", "uuid", "short")
    ),
    Kind.POSTAL_CODE: _only("zip"),
    Kind.DATE_OF_BIRTH: _only("date", "date-part"),
    Kind.GOVERNMENT_ID: _government,
    Kind.TAX_ID: _government,
    Kind.IBAN: _only("iban", "masked", "code"),
    Kind.BANK_ACCOUNT: _account,
    Kind.BANK_ROUTING: _unless(("bic",), ("status", "date", "decimal", "text")),
    Kind.PAYMENT_CARD: _unless(("card", "masked"), ("status", "text", "person-shape", "decimal")),
    Kind.CUSTOMER_ID: _unless(("code", "integer"), _NOT_ID, 0.3),
    Kind.EMPLOYEE_ID: _unless(("code", "person-shape"), _NOT_ID, 0.3),
    Kind.ACCOUNT_ID: _unless(("code", "integer"), _NOT_ID, 0.3),
    Kind.PERSON_ID: _unless(("code", "integer", "uuid"), _NOT_ID, 0.3),
    Kind.GENERIC_ID: _unless(("uuid", "hex", "code", "integer"), _NOT_ID, 0.4),
    Kind.IP_ADDRESS: _only("ip"),
    Kind.DEVICE_ID: _unless(
        ("imei", "mac", "uuid", "hex"), ("status", "date", "text", "decimal", "person-shape", "age", "code")
    ),
    Kind.GEOLOCATION: _unless(("geo", "coordinates"), ("status", "date", "text", "words", "email", "binary")),
    Kind.HEALTH: _unless((), ("date", "email", "url")),
    Kind.CREDENTIALS: _unless(("secret", "hex"), ("status", "date", "email")),
    Kind.SALARY: _numeric,
    Kind.GENDER: _unless(("gender",), ("date", "decimal", "email", "url", "text", "uuid", "person-shape", "code")),
    Kind.AGE: _only("age"),
    Kind.ETHNICITY: _only("ethnic", "short", "integer"),
    Kind.MARITAL_STATUS: _unless(("marital",), ("date", "email", "decimal", "url", "text", "code")),
    Kind.LANGUAGE: _unless(("language",), ("date", "email", "decimal", "integer", "url", "text")),
    Kind.OCCUPATION: _unless((), ("date", "email", "decimal", "integer", "url", "status", "code")),
    Kind.DEMOGRAPHIC: _unless((), ("date", "email", "decimal", "url", "status")),
    Kind.ORGANIZATION_NAME: _unless(
        ("organization",), ("integer", "decimal", "date", "email", "url", "status", "short", "code")
    ),
    Kind.URL: _only("url"),
    Kind.FREE_TEXT: _unless(("text",), ("integer", "decimal", "date", "status", "url")),
}


def support(kind: Kind, values: Profile) -> Support:
    """What the values say about `kind`; nothing where there are none."""
    if not values.filled or kind not in TESTS:
        return Support(0.0, 0.0)
    return TESTS[kind](values)


def shown_by_values(values: Profile) -> Iterator[tuple[Kind, float]]:
    """Kinds that values show without any name, with the share of values that do. Prevalence, not presence."""
    if not values.filled:
        return
    for kind, shapes, least in (
        (Kind.EMAIL, ("email",), _MAJORITY),
        (Kind.IBAN, ("iban",), _MAJORITY),
        (Kind.CREDENTIALS, ("secret",), _MAJORITY),
        (Kind.GOVERNMENT_ID, ("ssn", "nir", "dni", "curp", "codice-fiscale"), _PREVALENT),
        (Kind.TAX_ID, ("vat", "cpf-written"), _PREVALENT),
        (Kind.IP_ADDRESS, ("ip",), _PREVALENT),
        (Kind.DEVICE_ID, ("mac",), _PREVALENT),
        (Kind.PHONE, ("phone",), _PREVALENT),
        (Kind.GEOLOCATION, ("coordinates",), _PREVALENT),
        (Kind.URL, ("url",), _PREVALENT),
        (Kind.GENERIC_ID, ("uuid",), _PREVALENT),
        (Kind.POSTAL_ADDRESS, ("street",), 0.6),
        (Kind.GENDER, ("gender-word",), _PREVALENT),
        (Kind.MARITAL_STATUS, ("marital",), _PREVALENT),
        (Kind.FREE_TEXT, ("text",), 0.6),
    ):
        share = values.share(*shapes)
        if share >= least:
            yield kind, share
    if values.share("card") >= _PREVALENT and values.filled >= 3 and values.distinct >= 2:
        yield Kind.PAYMENT_CARD, values.share("card")
    people = values.share("full-name")
    if people >= 0.6 and values.filled >= 2 and values.distinct >= 2:
        yield Kind.PERSON_NAME, people
