"""Accounts payable and the general ledger: vendors, requisitions, payments, balances."""

from __future__ import annotations

import datetime as dt
import functools
from decimal import Decimal
from typing import Any

from lakemesh.demo.fictions import EMPLOYEES, FAMILY_NAMES, GIVEN_NAMES, VENDORS, Party, generator
from lakemesh.demo.tables import Format, Row, SourceTable, columns

FIRST_DAY = dt.date(2026, 5, 4)
ACCOUNTS = {
    "100000": "Bank accounts",
    "120000": "Trade receivables",
    "160000": "Trade payables",
    "400000": "Raw materials consumed",
    "420000": "Wages and salaries",
    "470000": "Office costs",
    "800000": "Revenue",
}
COMPANIES = {"1000": "EUR", "2000": "EUR", "3000": "GBP"}
PERIODS = (*((2025, period) for period in (11, 12)), *((2026, period) for period in range(1, 11)))
GOODS = ("laptop", "office chair", "safety shoes", "steel plate", "hydraulic pump", "consulting day", "toner")


def _person(key: str) -> str:
    dice = generator(key)
    return f"{dice.choice(GIVEN_NAMES)} {dice.choice(FAMILY_NAMES)}"


@functools.cache
def vendors() -> tuple[Row, ...]:
    dice = generator("vendor master")
    return tuple(_vendor(vendor, dice.random(), dice.choice(EMPLOYEES)) for vendor in VENDORS)


def _vendor(vendor: Party, luck: float, clerk: str) -> Row:
    return {
        "vendor_number": vendor.number,
        "vendor_name": vendor.name,
        "country": vendor.country,
        "contact_name": vendor.contact,
        "contact_email": vendor.email,
        "contact_phone": vendor.phone,
        "tax_id": vendor.vat_id,
        "bank_name": vendor.bank,
        "iban": vendor.iban,
        "payment_terms": vendor.payment_terms,
        "blocked": luck < 0.05,
        # No comma in it: LazySimpleSerDe knows no quotes.
        "notes": f"{vendor.contact} prefers calls before noon" if luck > 0.8 else "",
        "changed_by": clerk,
    }


@functools.cache
def vendor_payments() -> tuple[Row, ...]:
    dice = generator("vendor payments")
    rows: list[Row] = []
    for index in range(540):
        vendor = dice.choice(VENDORS)
        day = FIRST_DAY + dt.timedelta(days=index * 178 // 540)
        rows.append({
            "payment_id": f"VP{index + 1:06d}",
            "vendor_number": vendor.number,
            "invoice_reference": f"{vendor.number}-{dice.randint(1000, 9999)}",
            "payment_date": day,
            "amount": Decimal(dice.randint(5_000, 5_000_000)) / 100,
            "currency": vendor.currency,
            "method": "swift" if vendor.currency == "GBP" else dice.choice(("sepa", "sepa", "sepa", "card")),
            "beneficiary_name": vendor.contact if vendor.is_person else vendor.name,
            "beneficiary_iban": vendor.iban,
            "approved_by": dice.choice(EMPLOYEES),
            "payment_month": f"{day:%Y-%m}",
        })  # fmt: skip
    return tuple(rows)


@functools.cache
def purchase_requisitions() -> tuple[Row, ...]:
    dice = generator("purchase requisitions")
    rows: list[Row] = []
    for index in range(220):
        name = _person(f"requester {index % 30}")
        created = dt.datetime(2026, 5, 4, 8, tzinfo=dt.UTC) + dt.timedelta(hours=index * 19)
        items = [
            {
                "description": dice.choice(GOODS),
                "quantity": dice.randint(1, 12),
                "unit_price": dice.randint(900, 250_000) / 100,
            }
            for _ in range(dice.randint(1, 3))
        ]  # fmt: skip
        rows.append({
            "requisition_id": f"PR-{index + 1:05d}",
            "created_at": created.isoformat().replace("+00:00", "Z"),
            "requester": {
                "employee_id": dice.choice(EMPLOYEES),
                "name": name,
                "email": f"{name.lower().replace(' ', '.')}@acme.example",
            },
            "cost_center": f"CC{dice.randint(10, 24)}00",
            "items": items,
            "justification": f"Replacement, agreed with {_person(f'lead {index % 7}')}",
        })  # fmt: skip
    return tuple(rows)


@functools.cache
def ledger_balances() -> tuple[Row, ...]:
    dice = generator("ledger balances")
    balance: dict[tuple[str, str], Decimal] = {}
    rows: list[Row] = []
    for year, period in PERIODS:
        for company, currency in COMPANIES.items():
            for number, account in ACCOUNTS.items():
                key = (company, number)
                opening = balance.get(key, Decimal(dice.randint(0, 90_000_000)) / 100)
                debit, credit = (Decimal(dice.randint(0, 30_000_000)) / 100 for _ in range(2))
                balance[key] = opening + debit - credit
                row: dict[str, Any] = {
                    "company_code": company,
                    "account_number": number,
                    "account_name": account,
                    "cost_center": f"CC{10 + int(number[0])}00",
                    "currency": currency,
                    "opening_balance": opening,
                    "debit": debit,
                    "credit": credit,
                    "closing_balance": balance[key],
                    "prepared_by": dice.choice(EMPLOYEES),
                    "journal_comment": f"Accrual agreed with {_person(number)}" if dice.random() < 0.3 else None,
                    "fiscal_year": year,
                    "fiscal_period": period,
                }
                rows.append(row)
    return tuple(rows)


def tables() -> tuple[SourceTable, ...]:
    return (
        SourceTable(
            "general_ledger", "ledger_balance", Format.PARQUET,
            columns("""
                company_code string
                account_number string
                account_name string
                cost_center string
                currency string
                opening_balance decimal(18,2)
                debit decimal(18,2)
                credit decimal(18,2)
                closing_balance decimal(18,2)
                prepared_by string
                journal_comment string
            """),
            ledger_balances(),
            columns("""
                fiscal_year int
                fiscal_period int
            """),
        ),
        SourceTable(
            "procurement_raw", "vendor_master", Format.CSV,
            columns("""
                vendor_number string
                vendor_name string
                country string
                contact_name string
                contact_email string
                contact_phone string
                tax_id string
                bank_name string
                iban string
                payment_terms string
                blocked boolean
                notes string
                changed_by string
            """),
            vendors(),
        ),
        SourceTable(
            "procurement_raw", "purchase_requisition", Format.JSON,
            columns("""
                requisition_id string
                created_at string
                requester struct<employee_id:string,name:string,email:string>
                cost_center string
                items array<struct<description:string,quantity:int,unit_price:double>>
                justification string
            """),
            purchase_requisitions(),
        ),
        SourceTable(
            "procurement_curated", "vendor_payment", Format.PARQUET,
            columns("""
                payment_id string
                vendor_number string
                invoice_reference string
                payment_date date
                amount decimal(18,2)
                currency string
                method string
                beneficiary_name string
                beneficiary_iban string
                approved_by string
            """),
            vendor_payments(),
            columns("payment_month string"),
        ),
    )  # fmt: skip
