"""The published taxonomy: what a column can hold, how sensitive that is by default, and what each word means.

The words are those that contracts carry as `personalData`. `Category` groups them as the reports do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

from lakemesh.declarations.sensitivity import Sensitivity


@unique
class Category(StrEnum):
    """Kinds that are reported together."""

    IDENTITY = "identity"
    CONTACT = "contact"
    GOVERNMENT = "government"
    FINANCIAL = "financial"
    REFERENCE = "reference"
    TECHNICAL = "technical"
    DEMOGRAPHIC = "demographic"
    HEALTH = "health"
    TEXT = "text"
    NOTHING = "nothing"


@unique
class Kind(StrEnum):
    """What a column holds."""

    PERSON_NAME = "person-name"
    EMAIL = "email"
    PHONE = "phone"
    POSTAL_ADDRESS = "postal-address"
    POSTAL_CODE = "postal-code"
    DATE_OF_BIRTH = "date-of-birth"
    GOVERNMENT_ID = "government-id"
    TAX_ID = "tax-id"
    IBAN = "iban"
    BANK_ACCOUNT = "bank-account"
    BANK_ROUTING = "bank-routing"
    PAYMENT_CARD = "payment-card"
    CUSTOMER_ID = "customer-id"
    EMPLOYEE_ID = "employee-id"
    PERSON_ID = "person-id"
    """Of a person who is neither known as a customer nor as an employee: user, patient, member of a case."""
    ACCOUNT_ID = "account-id"
    IP_ADDRESS = "ip-address"
    DEVICE_ID = "device-id"
    GEOLOCATION = "geolocation"
    HEALTH = "health"
    CREDENTIALS = "credentials"
    SALARY = "salary"
    GENDER = "gender"
    AGE = "age"
    ETHNICITY = "ethnicity"
    MARITAL_STATUS = "marital-status"
    OCCUPATION = "occupation"
    LANGUAGE = "language"
    DEMOGRAPHIC = "demographic"
    ORGANIZATION_NAME = "organization-name"
    URL = "url"
    FREE_TEXT = "free-text"
    GENERIC_ID = "generic-id"
    NONE = "none"


@unique
class Rule(StrEnum):
    """When a column of a kind is sensitive."""

    ALWAYS = "always"
    IN_CONTEXT = "in context"
    """Only where the table is about persons (or, for bank routing, holds accounts)."""
    NEVER = "never"


@dataclass(frozen=True)
class Meaning:
    """What is known of a kind before any table is seen."""

    label: str
    category: Category
    rule: Rule
    sensitivity: Sensitivity
    """Proposed where the column is sensitive; `internal` is proposed where it is not."""


_C, _R, _S = Category, Rule, Sensitivity

MEANINGS: Final[Mapping[Kind, Meaning]] = {
    Kind.PERSON_NAME: Meaning("name of a person", _C.IDENTITY, _R.ALWAYS, _S.CONFIDENTIAL),
    Kind.EMAIL: Meaning("e-mail address", _C.CONTACT, _R.ALWAYS, _S.CONFIDENTIAL),
    Kind.PHONE: Meaning("telephone number", _C.CONTACT, _R.ALWAYS, _S.CONFIDENTIAL),
    Kind.POSTAL_ADDRESS: Meaning("postal address", _C.CONTACT, _R.IN_CONTEXT, _S.CONFIDENTIAL),
    Kind.POSTAL_CODE: Meaning("postal code", _C.CONTACT, _R.IN_CONTEXT, _S.CONFIDENTIAL),
    Kind.DATE_OF_BIRTH: Meaning("date of birth", _C.IDENTITY, _R.ALWAYS, _S.CONFIDENTIAL),
    Kind.GOVERNMENT_ID: Meaning("government identifier", _C.GOVERNMENT, _R.ALWAYS, _S.RESTRICTED),
    Kind.TAX_ID: Meaning("tax identifier", _C.GOVERNMENT, _R.ALWAYS, _S.CONFIDENTIAL),
    Kind.IBAN: Meaning("IBAN", _C.FINANCIAL, _R.ALWAYS, _S.RESTRICTED),
    Kind.BANK_ACCOUNT: Meaning("bank account", _C.FINANCIAL, _R.ALWAYS, _S.RESTRICTED),
    Kind.BANK_ROUTING: Meaning("bank or routing code", _C.FINANCIAL, _R.IN_CONTEXT, _S.CONFIDENTIAL),
    Kind.PAYMENT_CARD: Meaning("payment card", _C.FINANCIAL, _R.ALWAYS, _S.RESTRICTED),
    Kind.CUSTOMER_ID: Meaning("customer identifier", _C.REFERENCE, _R.ALWAYS, _S.INTERNAL),
    Kind.EMPLOYEE_ID: Meaning("employee or user", _C.REFERENCE, _R.ALWAYS, _S.CONFIDENTIAL),
    Kind.PERSON_ID: Meaning("identifier of a person", _C.REFERENCE, _R.IN_CONTEXT, _S.INTERNAL),
    Kind.ACCOUNT_ID: Meaning("account or vendor number", _C.REFERENCE, _R.NEVER, _S.INTERNAL),
    Kind.IP_ADDRESS: Meaning("IP address", _C.TECHNICAL, _R.ALWAYS, _S.CONFIDENTIAL),
    Kind.DEVICE_ID: Meaning("device identifier", _C.TECHNICAL, _R.ALWAYS, _S.CONFIDENTIAL),
    Kind.GEOLOCATION: Meaning("geographic position", _C.CONTACT, _R.IN_CONTEXT, _S.CONFIDENTIAL),
    Kind.HEALTH: Meaning("health", _C.HEALTH, _R.ALWAYS, _S.RESTRICTED),
    Kind.CREDENTIALS: Meaning("credentials", _C.TECHNICAL, _R.ALWAYS, _S.RESTRICTED),
    Kind.SALARY: Meaning("salary", _C.FINANCIAL, _R.ALWAYS, _S.RESTRICTED),
    Kind.GENDER: Meaning("gender", _C.DEMOGRAPHIC, _R.ALWAYS, _S.CONFIDENTIAL),
    Kind.AGE: Meaning("age", _C.DEMOGRAPHIC, _R.ALWAYS, _S.CONFIDENTIAL),
    Kind.ETHNICITY: Meaning("ethnic origin", _C.DEMOGRAPHIC, _R.ALWAYS, _S.RESTRICTED),
    Kind.MARITAL_STATUS: Meaning("marital status", _C.DEMOGRAPHIC, _R.ALWAYS, _S.CONFIDENTIAL),
    Kind.OCCUPATION: Meaning("occupation", _C.DEMOGRAPHIC, _R.NEVER, _S.INTERNAL),
    Kind.LANGUAGE: Meaning("language", _C.DEMOGRAPHIC, _R.NEVER, _S.INTERNAL),
    Kind.DEMOGRAPHIC: Meaning("nationality, religion, birth place", _C.DEMOGRAPHIC, _R.IN_CONTEXT, _S.CONFIDENTIAL),
    Kind.ORGANIZATION_NAME: Meaning("name of an organization", _C.REFERENCE, _R.NEVER, _S.INTERNAL),
    Kind.URL: Meaning("web address", _C.TECHNICAL, _R.NEVER, _S.INTERNAL),
    Kind.FREE_TEXT: Meaning("free text that may hold personal data", _C.TEXT, _R.IN_CONTEXT, _S.CONFIDENTIAL),
    Kind.GENERIC_ID: Meaning("identifier without meaning", _C.REFERENCE, _R.NEVER, _S.INTERNAL),
    Kind.NONE: Meaning("nothing personal", _C.NOTHING, _R.NEVER, _S.INTERNAL),
}


PUBLISHED: Final = {kind.value: meaning for kind, meaning in MEANINGS.items()}
"""By the word that contracts carry."""
