"""What the recogniser says of columns, one by one and in their tables. Every value here is made up."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import pytest

from lakemesh.classification import MEANINGS, Column, Kind, Sensitivity, Verdict, classify_table
from lakemesh.classification.taxonomy import PUBLISHED

ERP = Path(__file__).with_name("erp_columns.csv")


def verdict(name: str, *, table: str = "t", beside: tuple[Column, ...] = (), **known: object) -> Verdict:
    return classify_table(table, [Column(name, **known), *beside])[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("customer_email", Kind.EMAIL),
        ("eMailAdresse", Kind.EMAIL),
        ("correo_electronico", Kind.EMAIL),
        ("Vorname", Kind.PERSON_NAME),
        ("NACHNAME", Kind.PERSON_NAME),
        ("prenom", Kind.PERSON_NAME),
        ("apellidos", Kind.PERSON_NAME),
        ("cognome", Kind.PERSON_NAME),
        ("achternaam", Kind.PERSON_NAME),
        ("sobrenome", Kind.PERSON_NAME),
        ("nazwisko", Kind.PERSON_NAME),
        ("custFirstName2", Kind.PERSON_NAME),
        ("geburtsdatum", Kind.DATE_OF_BIRTH),
        ("date_de_naissance", Kind.DATE_OF_BIRTH),
        ("DoB", Kind.DATE_OF_BIRTH),
        ("socialsecuritynumber", Kind.GOVERNMENT_ID),
        ("homephone", Kind.PHONE),
        ("Telefonnummer", Kind.PHONE),
        ("indirizzo", Kind.POSTAL_ADDRESS),
        ("plz", Kind.POSTAL_CODE),
        ("codice_fiscale", Kind.TAX_ID),
        ("BANKN", Kind.BANK_ACCOUNT),
        ("STCD1", Kind.TAX_ID),
        ("KUNNR", Kind.CUSTOMER_ID),
        ("LIFNR", Kind.ACCOUNT_ID),
        ("beneficiary_iban", Kind.IBAN),
        ("credit_card_no", Kind.PAYMENT_CARD),
        ("ip_addr", Kind.IP_ADDRESS),
        ("pwd_hash", Kind.CREDENTIALS),
        ("base_salary", Kind.SALARY),
        ("approved_by", Kind.EMPLOYEE_ID),
        ("blood_type", Kind.HEALTH),
        ("ethnicity_code", Kind.ETHNICITY),
    ],
)
def test_a_name_alone_says_what_a_column_is_in_several_languages(name: str, kind: Kind) -> None:
    found = verdict(name)
    assert found.kind == kind
    assert any("name" in reason for reason in found.evidence)


@pytest.mark.parametrize(
    "name",
    ["email_status", "HasOptedOutOfEmail", "phone_count", "address_type", "country_name", "product_name", "median_income",
     "invoice_date", "gross_amount", "currency", "payment_terms", "company_code", "age_rating_score_x", "file_name",
     "page_count", "birth_rate", "is_active", "table_name"],
)  # fmt: skip
def test_words_around_a_kind_can_make_it_something_harmless(name: str) -> None:
    assert not verdict(name).sensitive


def test_a_vendors_name_is_a_company_and_a_customers_may_be_a_person() -> None:
    assert verdict("NAME1", table="LFA1").kind == Kind.ORGANIZATION_NAME
    assert not verdict("NAME1", table="LFA1").sensitive
    assert verdict("NAME1", table="KNA1").kind == Kind.PERSON_NAME
    assert verdict("NAME1", table="KNA1").sensitive
    assert not verdict("NAME1", table="T001W").sensitive


def test_whose_name_a_name_is_is_told_by_the_other_columns() -> None:
    names = ["Ngozi Obi", "Thabo Dlamini", "Siiri Kask"]
    alone = verdict("name", samples=names)
    beside = verdict(
        "name", samples=names, beside=(Column("gender", samples=["F", "M"]), Column("dob", samples=["1970-01-01"]))
    )
    assert beside.kind == Kind.PERSON_NAME
    assert beside.sensitive
    assert alone.confidence <= beside.confidence or not alone.sensitive


def test_places_that_are_called_after_people_are_no_people() -> None:
    assert not verdict("city", samples=["Charlotte", "Austin", "San Martin", "Santa Maria"]).sensitive
    assert not verdict("station_name", samples=["Central Park", "Harbour Gate", "Lake View"]).sensitive


@pytest.mark.parametrize(
    ("samples", "kind"),
    [
        (["ann@post.example", "bo@post.example", None], Kind.EMAIL),
        (["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"], Kind.IBAN),
        (["4111 1111 1111 1111", "5500-0055-5555-5559", "4012888888881881"], Kind.PAYMENT_CARD),
        (["192.0.2.1", "2001:db8::1"], Kind.IP_ADDRESS),
        (["RSSMRA85T10A562S", "RSSMRA85T10A562S"], Kind.GOVERNMENT_ID),
        (["+49 30 901820", "+44 20 7946 0958"], Kind.PHONE),
        (["48.1372, 11.5756", "52.5200, 13.4050"], Kind.GEOLOCATION),
        (["$2b$12$abcdefghijklmnopqrstuv", "$2b$12$zyxwvutsrqponmlkjihgfe"], Kind.CREDENTIALS),
    ],
)
def test_values_say_what_a_column_without_a_telling_name_is(samples: list[object], kind: Kind) -> None:
    assert verdict("col_7", samples=samples).kind == kind


@pytest.mark.parametrize(
    "samples",
    [
        ["123456789", "987654321", "078051120"],  # nine in ten such numbers pass as a US number
        ["4539578763621486"],  # one value that passes Luhn, as one random number in ten does
        ["79927398713", "18", "26"],  # Luhn without a card's prefix and length
        ["2025550143", "5551234567"],  # ten digits are not a telephone number by themselves
        ["44051401359", "12345678901", "99999999999"],
    ],
)
def test_weak_checksums_never_decide_by_themselves(samples: list[object]) -> None:
    found = verdict("f3", samples=samples)
    assert found.kind in {Kind.NONE, Kind.GENERIC_ID}
    assert not found.sensitive


def test_one_address_in_a_column_of_codes_is_presence_and_not_prevalence() -> None:
    found = verdict("reference", samples=["A-1", "A-2", "A-3", "ann@post.example", "A-5", "A-6"])
    assert found.kind != Kind.EMAIL
    assert any("hold an e-mail address" in reason for reason in found.evidence)


def test_values_that_contradict_the_name_win_over_it() -> None:
    found = verdict("email", samples=["yes", "no", "yes"])
    assert not found.sensitive
    assert any("do not look like" in reason for reason in found.evidence)


def test_an_empty_column_is_not_sensitive_yet_but_is_proposed_as_its_name_says() -> None:
    found = verdict("ssn", samples=["", None, " "])
    assert not found.sensitive
    assert found.sensitivity is Sensitivity.RESTRICTED
    assert any("empty" in reason for reason in found.evidence)


def test_a_column_whose_values_nobody_saw_is_judged_by_its_name() -> None:
    found = verdict("ssn")
    assert found.sensitive
    assert "no values were looked at" in found.evidence


def test_numbers_that_only_count_rows_are_surrogate_keys() -> None:
    assert verdict("customer_id", samples=[1, 2, 3]).kind == Kind.GENERIC_ID
    assert verdict("customer_id", samples=["C-20391", "C-88112"]).kind == Kind.CUSTOMER_ID


def test_a_bank_code_is_sensitive_only_beside_an_account() -> None:
    assert not verdict("BANKL", table="BNKA").sensitive
    assert verdict("BANKL", table="LFBK", beside=(Column("BANKN"),)).sensitive


def test_coordinates_are_sensitive_where_persons_live_and_not_where_stations_stand() -> None:
    spots = ["48.137", "52.520"]
    assert not verdict("latitude", samples=spots, beside=(Column("station_name", samples=["North Gate"]),)).sensitive
    persons = (Column("first_name", samples=["Ann"]), Column("last_name", samples=["Bo"]))
    assert verdict("latitude", samples=spots, beside=persons).sensitive


def test_the_most_sensitive_field_speaks_for_a_nested_column() -> None:
    payer = "struct<name:string,iban:string,address:struct<street:string,city:string>>"
    assert verdict("payer", type=payer).kind == Kind.IBAN
    assert verdict("payer", type=payer).sensitivity is Sensitivity.RESTRICTED
    assert not verdict("lines", type="array<struct<invoice_number:string,amount:double>>").sensitive


def test_a_map_may_hold_anything() -> None:
    found = verdict("headers", type="map<string,string>")
    assert found.kind == Kind.FREE_TEXT
    assert found.sensitive


@pytest.mark.parametrize(("name", "type_name"), [("birth", "boolean"), ("email", "boolean"), ("street", "decimal(18,2)"),
                                                 ("name", "timestamp"), ("account_holder", "double")])  # fmt: skip
def test_a_type_that_cannot_hold_a_kind_rules_it_out(name: str, type_name: str) -> None:
    assert not verdict(name, type=type_name).sensitive


def test_a_comment_explains_a_name_that_is_no_word() -> None:
    assert verdict("ZZ_F01", comment="Date of birth of the insured").kind == Kind.DATE_OF_BIRTH
    assert verdict("ZZ_F02", comment="card, transfer or iban").kind == Kind.NONE, "a list of codes is no iban"


def test_every_kind_is_published_with_its_meaning() -> None:
    assert set(MEANINGS) == set(Kind)
    assert all(meaning.label for meaning in MEANINGS.values())
    assert {"iban", "email", "phone", "tax-id", "person-name", "employee-id"} <= set(PUBLISHED), "words of contracts"


def test_verdicts_come_in_the_order_of_the_columns_and_carry_the_version() -> None:
    names = ["b", "email", "a", "iban"]
    found = classify_table("t", [Column(name) for name in names])
    assert [one.column for one in found] == names
    assert all(one.version.count(".") == 2 and 0 <= one.confidence <= 1 and one.evidence for one in found)


def test_hand_labelled_erp_columns_are_found_with_few_false_alarms() -> None:
    with ERP.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) >= 300
    right = wrong = missed = 0
    for key, group in itertools.groupby(lines, key=lambda line: (line["system"], line["table"])):
        members = list(group)
        columns = [Column(line["column"], line["type"], line["comment"] or None) for line in members]
        for line, found in zip(members, classify_table(key[1], columns), strict=True):
            right += found.sensitive and line["sensitive"] == "1"
            wrong += found.sensitive and line["sensitive"] == "0"
            missed += not found.sensitive and line["sensitive"] == "1"
    assert right / (right + wrong) > 0.95
    assert right / (right + missed) > 0.95


FIRMS = [f"{name} {form}" for name in ("Lemaire Castings", "Quist Anlagenbau", "Marsden") for form in ("GmbH", "Ltd")]
PEOPLE = ["Katja Jansen", "Hugo Dubois"]


@pytest.mark.parametrize("name", ["beneficiary_name", "customer_name", "payer_name"])
def test_a_register_of_firms_with_some_people_in_it_is_one_of_people(name: str) -> None:
    (found,) = classify_table("payment", [Column(name, "string", samples=FIRMS * 6 + PEOPLE)])
    assert (found.kind, found.sensitive, found.sensitivity) == ("person-name", True, "confidential")


@pytest.mark.parametrize("name", ["beneficiary_name", "customer_name", "payer_name"])
def test_parties_that_are_all_firms_are_named_as_such(name: str) -> None:
    (found,) = classify_table("payment", [Column(name, "string", samples=FIRMS * 6)])
    assert (found.kind, found.sensitive) == ("organization-name", False)


def test_one_firm_called_after_its_founder_makes_no_register_of_people() -> None:
    (found,) = classify_table("payment", [Column("payer_name", "string", samples=[*FIRMS * 6, PEOPLE[0]])])
    assert (found.kind, found.sensitive) == ("organization-name", False)
