"""Accounts receivable: invoices, what customers paid, and what they wrote about it."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

from lakemesh.demo.fictions import CUSTOMERS, EMPLOYEES, Party, generator
from lakemesh.demo.tables import Format, Row, SourceTable, columns

FIRST_DAY = dt.date(2026, 5, 1)
CLOSED = dt.date(2026, 10, 31)
"""Last day of the last closed month: what is overdue is overdue as of this day."""
BY_NUMBER = {customer.number: customer for customer in CUSTOMERS}
CENT = Decimal("0.01")


def _money(cents: int) -> Decimal:
    return Decimal(cents) * CENT


@functools.cache
def invoices() -> tuple[Row, ...]:
    dice = generator("invoices")
    rows: list[dict[str, Any]] = []
    for index in range(420):
        customer = dice.choice(CUSTOMERS)
        issued = FIRST_DAY + dt.timedelta(days=index * 180 // 420)
        gross = dice.randint(8_000, 2_400_000)
        if index % 29 == 28:
            gross = -gross // 10  # credit notes are negative invoices
        rows.append({
            "invoice_number": f"INV-2026-{index + 1:05d}",
            "customer_number": customer.number,
            "customer_name": customer.name,
            "customer_email": customer.email,
            "customer_vat_id": customer.vat_id,
            "direct_debit_iban": customer.iban if customer.payment_terms == "NET14" else None,
            "issue_date": issued,
            "due_date": issued + dt.timedelta(days=int(customer.payment_terms[3:])),
            "currency": customer.currency,
            "gross_amount": _money(gross),
            "open_amount": _money(gross if dice.random() < 0.35 else 0),
            "payment_terms": customer.payment_terms,
            "dunning_note": _dunning_note(customer) if dice.random() < 0.1 else None,
        })  # fmt: skip
    return tuple(rows)


def _dunning_note(customer: Party) -> str:
    return f"Spoke to {customer.contact} ({customer.phone}): payment promised, asks for instalments."


@functools.cache
def payments() -> tuple[tuple[Row, dt.date, str], ...]:
    """Settled invoices with the day and the reference of their payment. Payments are applied once a week."""
    dice = generator("payments")
    found = []
    for invoice in invoices():
        if invoice["open_amount"] or invoice["gross_amount"] < 0:
            continue
        paid = invoice["due_date"] + dt.timedelta(days=dice.randint(-12, 20))
        tuesday = paid + dt.timedelta(days=(1 - paid.weekday()) % 7)
        if tuesday <= CLOSED:
            found.append((invoice, tuesday, f"PAY{dice.randint(10**9, 10**10 - 1)}"))
    return tuple(sorted(found, key=lambda payment: (payment[1], payment[0]["invoice_number"])))


@functools.cache
def cash_applications() -> tuple[Row, ...]:
    dice = generator("cash applications")
    rows: list[Row] = []
    for invoice, day, reference in payments():
        customer = BY_NUMBER[invoice["customer_number"]]
        halves = [invoice["gross_amount"]]
        if dice.random() < 0.2:  # paid in two parts
            first = (invoice["gross_amount"] * 6 / 10).quantize(CENT)
            halves = [first, invoice["gross_amount"] - first]
        for amount in halves:
            method = dice.choice(("reference", "reference", "reference", "amount", "manual"))
            by_hand = method == "manual"
            rows.append({
                "application_id": f"CA{len(rows) + 1:06d}",
                "invoice_number": invoice["invoice_number"],
                "payment_reference": reference,
                "customer_number": customer.number,
                "payer_name": customer.contact if customer.is_person else customer.name,
                "payer_iban": customer.iban,
                "amount_applied": amount,
                "currency": customer.currency,
                "match_method": method,
                "applied_by": dice.choice(EMPLOYEES) if by_hand else None,
                "clearing_note": f"Asked {customer.contact} by mail to {customer.email}." if by_hand else None,
                "posting_date": day,
            })  # fmt: skip
    return tuple(rows)


@functools.cache
def remittance_advices() -> tuple[Row, ...]:
    dice = generator("remittance advices")
    by_customer: dict[tuple[str, dt.date], list[tuple[Row, str]]] = defaultdict(list)
    for invoice, day, reference in payments():
        by_customer[invoice["customer_number"], day].append((invoice, reference))
    rows: list[Row] = []
    for (number, day), settled in by_customer.items():
        customer = BY_NUMBER[number]
        channel = dice.choice(("edi", "e-mail", "portal"))
        received = dt.datetime.combine(day, dt.time(6, dice.randint(0, 59)), dt.UTC)
        rows.append({
            "advice_id": f"RA-{len(rows) + 1:05d}",
            "received_at": received.isoformat().replace("+00:00", "Z"),
            "channel": channel,
            "payer": {
                "name": customer.name,
                "iban": customer.iban,
                "address": {"street": customer.street, "city": customer.city, "country": customer.country},
            },
            "lines": [
                {"invoice_number": invoice["invoice_number"], "amount": float(invoice["gross_amount"]), "discount": 0.0}
                for invoice, _ in settled
            ],
            "headers": {"message-id": f"{settled[0][1].lower()}@mail.example", "from": customer.email},
        })  # fmt: skip
    return tuple(rows)


@functools.cache
def bank_statement_lines() -> tuple[Row, ...]:
    rows = []
    for index, (invoice, day, reference) in enumerate(payments()):
        customer = BY_NUMBER[invoice["customer_number"]]
        rows.append({
            "statement_id": f"ST{day:%y%m%d}-{index + 1:04d}",
            "booking_date": day.isoformat(),
            "value_date": (day - dt.timedelta(days=1)).isoformat(),
            "counterparty_name": customer.contact if customer.is_person else customer.name,
            "counterparty_iban": customer.iban,
            "amount": float(invoice["gross_amount"]),
            "currency": customer.currency,
            "purpose_text": f'{reference}; "{invoice["invoice_number"]}" thanks, {customer.contact}',
        })  # fmt: skip
    return tuple(rows)


AGING_SQL = f"""SELECT
  customer_number,
  currency,
  CASE
    WHEN date_diff('day', due_date, DATE '{CLOSED}') <= 0 THEN 'not due'
    WHEN date_diff('day', due_date, DATE '{CLOSED}') <= 30 THEN '1-30'
    WHEN date_diff('day', due_date, DATE '{CLOSED}') <= 60 THEN '31-60'
    WHEN date_diff('day', due_date, DATE '{CLOSED}') <= 90 THEN '61-90'
    ELSE 'over 90'
  END AS aging_bucket,
  count(*) AS invoices,
  sum(open_amount) AS open_amount
FROM ar_curated.invoice
WHERE open_amount <> 0
GROUP BY 1, 2, 3"""  # noqa: S608 - the only value in it is a date of this module


def _bucket(overdue: int) -> str:
    for limit, name in ((0, "not due"), (30, "1-30"), (60, "31-60"), (90, "61-90")):
        if overdue <= limit:
            return name
    return "over 90"


@functools.cache
def invoice_aging() -> tuple[Row, ...]:
    """What the view must return, computed from the invoices and not by SQL."""
    number: Counter[tuple[str, str, str]] = Counter()
    amount: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for invoice in invoices():
        if invoice["open_amount"]:
            bucket = _bucket((CLOSED - invoice["due_date"]).days)
            key = (invoice["customer_number"], invoice["currency"], bucket)
            number[key] += 1
            amount[key] += invoice["open_amount"]
    names = ("customer_number", "currency", "aging_bucket")
    return tuple(
        {**dict(zip(names, key, strict=True)), "invoices": number[key], "open_amount": amount[key]}
        for key in sorted(number)
    )


def tables() -> tuple[SourceTable, ...]:
    return (
        SourceTable(
            "ar_raw", "remittance_advice", Format.JSON,
            columns("""
                advice_id string
                received_at string
                channel string
                payer struct<name:string,iban:string,address:struct<street:string,city:string,country:string>>
                lines array<struct<invoice_number:string,amount:double,discount:double>>
                headers map<string,string>
            """),
            remittance_advices(),
        ),
        SourceTable(
            "ar_raw", "bank_statement_import", Format.QUOTED_CSV,
            columns("""
                statement_id string
                booking_date string
                value_date string
                counterparty_name string
                counterparty_iban string
                amount double
                currency string
                purpose_text string
            """),
            bank_statement_lines(),
        ),
        SourceTable(
            "ar_curated", "cash_application", Format.PARQUET,
            columns("""
                application_id string
                invoice_number string
                payment_reference string
                customer_number string
                payer_name string
                payer_iban string
                amount_applied decimal(18,2)
                currency string
                match_method string
                applied_by string
                clearing_note string
            """),
            cash_applications(),
            columns("posting_date date"),
        ),
        SourceTable(
            "ar_curated", "invoice", Format.ICEBERG,
            columns("""
                invoice_number string
                customer_number string
                customer_name string
                customer_email string
                customer_vat_id string
                direct_debit_iban string
                issue_date date
                due_date date
                currency string
                gross_amount decimal(18,2)
                open_amount decimal(18,2)
                payment_terms string
                dunning_note string
            """),
            invoices(),
        ),
        SourceTable(
            "ar_curated", "invoice_aging", Format.VIEW,
            columns("""
                customer_number string
                currency string
                aging_bucket string
                invoices bigint
                open_amount decimal(38,2)
            """),
            invoice_aging(),
            sql=AGING_SQL,
        ),
    )  # fmt: skip
