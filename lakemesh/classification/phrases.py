"""Which concepts side by side name which kind, and how strongly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lakemesh.classification.taxonomy import Kind

_STRONG: Final = 1.0
_FAIR: Final = 0.75
_WEAK: Final = 0.5

_BY_KIND: Final[Mapping[Kind, Mapping[float, str]]] = {
    Kind.PERSON_NAME: {
        _STRONG: "givenname, familyname, middlename, first name, last name, middle name, given name, full name, "
        "fullname, nickname, name first, name last, name given, name middle, person name, employee name, player name, "
        "patient name, contact name, user name full, name full",
        _FAIR: "customer name, user name, initials, name person, contact person, person charge, name player, "
        "name employee, name patient, name customer, account name person, "
        "player contact, card name, name contact, home name",
    },
    Kind.EMAIL: {_STRONG: "email, mail address, electronic address, id mail", _FAIR: "mail"},
    Kind.PHONE: {
        _STRONG: "phone, mobile number, mobile phone, fax number, contact number",
        _FAIR: "mobile, fax",
    },
    Kind.POSTAL_ADDRESS: {
        _STRONG: "street address, address line, home address, address street, mailing street, street line, "
        "mailing address, street, postal address",
        _FAIR: "house number",
        0.9: "address",
    },
    Kind.POSTAL_CODE: {_STRONG: "zipcode, postal code, pin code", _FAIR: "postal"},
    Kind.DATE_OF_BIRTH: {_STRONG: "birthdate, birth date, date birth", _FAIR: "birth"},
    Kind.DEMOGRAPHIC: {
        _STRONG: "religion, political, orientation, military, military aspect",
        _FAIR: "nationality, birthplace, birth city, birth state, birth country, country birth, city birth, caste, "
        "place birth, birth place",
    },
    Kind.GOVERNMENT_ID: {
        _STRONG: "ssn, passport number, passport, social security, security social, national id, driver "
        "license, national number, "
        "government id, person identification, social insurance number, dl number, voter id, "
        "person id number",
        _FAIR: "identification number, work license, national code, id card",
    },
    Kind.TAX_ID: {
        _STRONG: "taxid, tax id, tax number, vat number, vat id, vat registration, tax reference, tax code, "
        "number vat, code tax, number tax, id tax, tax vat, tax identification",
        _FAIR: "tax account",
    },
    Kind.IBAN: {_STRONG: "iban"},
    Kind.BANK_ACCOUNT: {_STRONG: "bankaccount, bank account"},
    Kind.BANK_ROUTING: {_STRONG: "routing, swift, bank code, bank key, routing number", _FAIR: "bank name, name bank"},
    Kind.PAYMENT_CARD: {
        _STRONG: "cardnumber, card number, credit card, cvv, number card",
        _FAIR: "card date, card last",
    },
    Kind.CUSTOMER_ID: {
        _STRONG: "customer id, customer number, customer account, customer code, id customer, number customer, "
        "customer reference, code customer, account customer",
    },
    Kind.EMPLOYEE_ID: {
        _STRONG: "employeenumber, employee id, employee number, employee code, id employee, number employee",
        _FAIR: "created by, created id, badge id, badge number, username, user name, by user, created user",
    },
    Kind.PERSON_ID: {
        _STRONG: "person id, user id, patient id, patient number, id user, id person, id patient, case id, case number",
    },
    Kind.ACCOUNT_ID: {
        _STRONG: "vendor id, vendor number, vendor code, vendor account, code vendor, number vendor, id vendor",
        0.6: "account id, account number, number account, id account",
    },
    Kind.IP_ADDRESS: {_STRONG: "ip, ip address"},
    Kind.DEVICE_ID: {_STRONG: "imei, mac address, mac", _FAIR: "device id, device serial, device number"},
    Kind.GEOLOCATION: {_STRONG: "latitude, longitude, coordinates", _FAIR: "geo"},
    Kind.HEALTH: {
        _STRONG: "diagnosis, disease, disability, blood type, medication, allergy, medical, blood thing",
        _FAIR: "health, pregnant, symptom, blood, healthinsurance",
    },
    Kind.CREDENTIALS: {_STRONG: "password, secret, password key"},
    Kind.SALARY: {_STRONG: "salary, income", _FAIR: "bonus"},
    Kind.GENDER: {_STRONG: "gender"},
    Kind.AGE: {_STRONG: "age"},
    Kind.ETHNICITY: {_STRONG: "ethnicity, ethnicity thing"},
    Kind.MARITAL_STATUS: {_STRONG: "maritalstatus, marital aspect, aspect marital", _FAIR: "marital"},
    Kind.OCCUPATION: {_STRONG: "occupation, job title", _FAIR: "work, job"},
    Kind.LANGUAGE: {_STRONG: "language"},
    Kind.ORGANIZATION_NAME: {
        _STRONG: "organization name, vendor name, name organization, name vendor",
        _FAIR: "organization, vendor",
    },
    Kind.NONE: {_STRONG: "user player"},  # a user agent is a program
    Kind.URL: {_STRONG: "url, url address"},
    Kind.FREE_TEXT: {_STRONG: "note", _FAIR: "text", _WEAK: "description"},
    Kind.GENERIC_ID: {
        0.55: "id, key id, reference id",
        _WEAK: "reference, serial, key, number, code, identification",
    },
}

PHRASES: Final[Mapping[tuple[str, ...], tuple[tuple[Kind, float], ...]]] = {
    phrase: tuple(
        (kind, strength)
        for kind, by_strength in _BY_KIND.items()
        for strength, text in by_strength.items()
        if phrase in {tuple(part.split()) for part in text.split(",")}
    )
    for by_strength in _BY_KIND.values()
    for text in by_strength.values()
    for phrase in (tuple(part.split()) for part in text.split(","))
}
LONGEST: Final = max(map(len, PHRASES))

CODED: Final = frozenset(
    {
        Kind.GENDER,
        Kind.ETHNICITY,
        Kind.MARITAL_STATUS,
        Kind.LANGUAGE,
        Kind.DEMOGRAPHIC,
        Kind.OCCUPATION,
        Kind.HEALTH,
    }
)
"""Kinds whose columns often hold a code or a type: `gender_code` is a gender, `phone_code` is no phone."""
