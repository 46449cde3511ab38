"""People, companies, accounts and tax numbers that look real and belong to nobody.

Every number passes its check digits, so that classification and validation meet what they would meet in production, and
every number lies in a range that is never given out: bank codes that no bank has, telephone numbers that regulators
keep for films and books, domains of RFC 2606.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

GIVEN_NAMES = (
    "Amara", "Anton", "Beatriz", "Camille", "Dariusz", "Elif", "Emil", "Fiona", "Greta", "Hugo", "Ingrid", "Jasper",
    "Katja", "Lars", "Maeve", "Milan", "Noor", "Orla", "Pascal", "Quentin", "Rosa", "Stefan", "Thea", "Viktor",
)  # fmt: skip
FAMILY_NAMES = (
    "Albrecht", "Bellamy", "Carrasco", "Dubois", "Engelhardt", "Farrow", "Girard", "Hartwig", "Ivers", "Jansen",
    "Kowalczyk", "Lemaire", "Marsden", "Neuberg", "Okonkwo", "Pfeiffer", "Quist", "Rossi", "Sandoval", "Thorne",
    "Ullrich", "Vasseur", "Whitlock", "Zeller",
)  # fmt: skip
TRADES = (
    "Anlagenbau", "Bindery", "Castings", "Dairy", "Elektronik", "Fasteners", "Gartenbau", "Hydraulics", "Imprimerie",
    "Joinery", "Kunststoffe", "Logistics", "Metallbau", "Nettoyage", "Optics", "Packaging", "Quarry", "Robotics",
    "Spedition", "Tooling", "Uniforms", "Verlag", "Werkzeuge", "Workwear",
)  # fmt: skip
LEGAL_FORMS = {"DE": "GmbH", "FR": "SARL", "GB": "Ltd"}
CITIES = {
    "DE": ("Hannover", "Leipzig", "Mannheim", "Rostock"),
    "FR": ("Dijon", "Lille", "Nantes", "Rouen"),
    "GB": ("Bristol", "Dundee", "Leeds", "Norwich"),
}
STREETS = {"DE": "Musterweg", "FR": "rue de l'Exemple", "GB": "Sample Street"}
BANKS = {"DE": "Musterbank AG", "FR": "Banque Exemple SA", "GB": "Example Bank plc"}
CURRENCIES = {"DE": "EUR", "FR": "EUR", "GB": "GBP"}
COUNTRIES = ("DE", "FR", "GB")


def generator(name: str) -> random.Random:
    """Numbers that are the same on every machine and in every run, by the name of what they are for."""
    return random.Random(f"lakemesh sample: {name}")  # noqa: S311 - a sample needs repeatable numbers, not secret ones


def _mod97(text: str) -> int:
    """ISO 7064 MOD 97-10 of a string in which letters count as A=10 … Z=35."""
    return int("".join(str(int(char, 36)) for char in text)) % 97


def iban(country: str, serial: int) -> str:
    """An IBAN with right check digits (ISO 13616) at a bank that does not exist."""
    if country == "DE":  # the Bundesbank gives out no bank code that begins with 0
        bban = f"00000000{serial:010d}"
    elif country == "FR":  # bank 99999, branch 99999; the national key is 97 minus the rest
        account = f"{serial:011d}"
        key = 97 - (89 * 99999 + 15 * 99999 + 3 * int(account)) % 97
        bban = f"9999999999{account}{key:02d}"
    elif country == "GB":  # TEST is no bank's identifier
        bban = f"TEST000000{serial:08d}"
    else:
        raise ValueError(f"no form of IBAN for {country}")
    return f"{country}{98 - _mod97(f'{bban}{country}00'):02d}{bban}"


def iban_is_valid(text: str) -> bool:
    return _mod97(text[4:] + text[:4]) == 1


def _german_check_digit(digits: str) -> int:
    """ISO 7064 MOD 11,10, as the Bundeszentralamt für Steuern computes it."""
    product = 10
    for digit in digits:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10


def _luhn_check_digit(digits: str) -> int:
    doubled = (int(digit) * (2 if index % 2 == 0 else 1) for index, digit in enumerate(reversed(digits)))
    return -sum(value // 10 + value % 10 for value in doubled) % 10


def vat_id(country: str, serial: int) -> str:
    """A VAT identification number with right check digits, from the end of its range."""
    if country == "DE":
        digits = f"999{serial:05d}"
        return f"DE{digits}{_german_check_digit(digits)}"
    if country == "FR":
        stem = f"999{serial:05d}"
        siren = f"{stem}{_luhn_check_digit(stem)}"
        return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"
    if country == "GB":
        digits = f"99{serial:05d}"
        weighted = sum(int(digit) * weight for digit, weight in zip(digits, range(8, 1, -1), strict=True))
        return f"GB{digits}{97 - weighted % 97:02d}"
    raise ValueError(f"no form of VAT id for {country}")


def phone(country: str, serial: int) -> str:
    """A number that its country's regulator keeps for fiction."""
    if country == "DE":
        return f"+49 30 23125 {serial % 1000:03d}"
    if country == "FR":
        return f"+33 1 99 00 {serial // 100 % 100:02d} {serial % 100:02d}"
    return f"+44 20 7946 0{serial % 1000:03d}"


@dataclass(frozen=True)
class Party:
    """A customer or a vendor."""

    number: str
    name: str
    is_person: bool
    contact: str
    email: str
    phone: str
    country: str
    city: str
    street: str
    currency: str
    vat_id: str
    bank: str
    iban: str
    payment_terms: str


def _party(number: str, serial: int, dice: random.Random) -> Party:
    country = dice.choice(COUNTRIES)
    contact = f"{dice.choice(GIVEN_NAMES)} {dice.choice(FAMILY_NAMES)}"
    is_person = dice.random() < 0.15
    name = contact if is_person else f"{dice.choice(FAMILY_NAMES)} {dice.choice(TRADES)} {LEGAL_FORMS[country]}"
    mailbox = contact.lower().replace(" ", ".")
    domain = "".join(char for char in name.lower() if char.isalpha())
    return Party(
        number=number,
        name=name,
        is_person=is_person,
        contact=contact,
        email=f"{mailbox}@{domain}.example",
        phone=phone(country, serial * 7),
        country=country,
        city=dice.choice(CITIES[country]),
        street=f"{STREETS[country]} {dice.randint(1, 120)}",
        currency=CURRENCIES[country],
        vat_id=vat_id(country, serial),
        bank=BANKS[country],
        iban=iban(country, serial * 7919),
        payment_terms=dice.choice(("NET14", "NET30", "NET30", "NET60")),
    )


def parties(kind: str, prefix: str, first: int, count: int) -> tuple[Party, ...]:
    """`count` parties numbered `prefix` and a running number from `first`."""
    dice = generator(kind)
    return tuple(_party(f"{prefix}{first + index}", first + index, dice) for index in range(count))


CUSTOMERS = parties("customers", "C", 10001, 60)
VENDORS = parties("vendors", "V", 70001, 240)
EMPLOYEES = tuple(f"E{4100 + 17 * index}" for index in range(12))
