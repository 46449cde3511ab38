from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from lakemesh.declarations.models import Declarations
from lakemesh.demo import data, fictions, files
from lakemesh.demo.tables import Format, SourceTable

TABLES = {table.key: table for table in data.sample()}
DIGEST = """
import hashlib
from lakemesh.demo import data
print(hashlib.sha256(repr([(table.key, table.rows) for table in data.sample()]).encode()).hexdigest())
"""


def test_rows_are_the_same_in_every_run() -> None:
    here = hashlib.sha256(repr([(table.key, table.rows) for table in data.sample()]).encode()).hexdigest()
    other = subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == here


def test_each_kind_of_table_that_people_have_is_there() -> None:
    assert {table.format for table in data.sample()} == set(Format)


@pytest.mark.parametrize("table", data.sample(), ids=lambda table: table.key)
def test_a_table_has_hundreds_of_rows_and_each_row_every_column(table: SourceTable) -> None:
    assert len(table.rows) >= 100
    assert all(set(row) == set(table.column_names) for row in table.rows)


def test_a_contract_lists_columns_that_its_producer_has_with_the_same_types(sample: Declarations) -> None:
    for product in sample.products.values():
        for table in product.tables:
            source = TABLES[f"{table.database}.{table.name}"]
            assert {column.name: column.type for column in table.columns}.items() <= {
                name: source.column_type(name) for name in source.column_names
            }.items(), source.key
            keys = [column.name for column in table.partition_keys]
            assert keys == [column.name for column in source.partition_keys], source.key


def test_the_crawler_found_one_column_beyond_the_contract(sample: Declarations) -> None:
    (contract,) = sample.products["vendor"].tables
    listed = [column.name for column in contract.columns]
    assert list(TABLES["procurement_raw.vendor_master"].column_names) == [*listed, "changed_by"]


def test_dates_run_over_several_months() -> None:
    months = {f"{row['posting_date']:%Y-%m}" for row in TABLES["ar_curated.cash_application"].rows}
    assert len(months) >= 5


def test_every_iban_passes_its_check_digits_and_belongs_to_no_bank() -> None:
    ibans = [party.iban for party in (*fictions.CUSTOMERS, *fictions.VENDORS)]
    assert all(map(fictions.iban_is_valid, ibans))
    assert {iban[4:12] for iban in ibans} == {"00000000", "99999999", "TEST0000"}


@pytest.mark.parametrize(
    ("country", "serial", "number"),
    [
        ("DE", 1, "DE999000017"),
        ("FR", 1, "FR66999000011"),
        ("GB", 1, "GB990000157"),
    ],
)
def test_vat_ids_have_the_check_digits_of_their_country(country: str, serial: int, number: str) -> None:
    assert fictions.vat_id(country, serial) == number


def test_addresses_of_people_end_in_a_reserved_domain() -> None:
    assert all(party.email.endswith(".example") for party in (*fictions.CUSTOMERS, *fictions.VENDORS))


def test_parquet_files_lie_in_their_partitions_without_the_keys() -> None:
    table = TABLES["general_ledger.ledger_balance"]
    found = {file.path: file.body for file in files.data_files(table)}
    assert "fiscal_year=2026/fiscal_period=5/part-00000.parquet" in found
    schema = pq.read_schema(io.BytesIO(next(iter(found.values()))))
    assert schema.names == [column.name for column in table.columns]


def test_csv_has_a_header_and_needs_no_quotes() -> None:
    (file,) = files.data_files(TABLES["procurement_raw.vendor_master"])
    header, *lines = file.body.decode().splitlines()
    assert header.split(",")[-1] == "changed_by"
    assert all(line.count(",") == 12 and '"' not in line for line in lines)


def test_quoted_csv_keeps_semicolons_and_quotes_inside_a_value() -> None:
    (file,) = files.data_files(TABLES["ar_raw.bank_statement_import"])
    assert '; \\"INV-2026-' in file.body.decode().splitlines()[1]


def test_json_is_one_document_a_line_with_nested_values() -> None:
    (file,) = files.data_files(TABLES["ar_raw.remittance_advice"])
    first = json.loads(file.body.decode().splitlines()[0])
    assert set(first["payer"]) == {"name", "iban", "address"}
    assert first["lines"][0]["invoice_number"].startswith("INV-")


def test_the_view_adds_up_to_the_open_invoices() -> None:
    invoices, aging = TABLES["ar_curated.invoice"].rows, TABLES["ar_curated.invoice_aging"].rows
    assert sum(row["open_amount"] for row in aging) == sum(row["open_amount"] for row in invoices)
    assert sum(row["invoices"] for row in aging) == sum(1 for row in invoices if row["open_amount"])


def test_a_table_that_the_sample_does_not_know_gets_rows_of_its_declared_types(sample: Declarations) -> None:
    (table,) = sample.products["vendor_payment"].tables
    made = data.made_up(table.model_copy(update={"name": "other"}))
    assert made.column_names == tuple(column.name for column in table.columns)
    assert len(list(made.partitions())) == 4
    assert pq.read_table(io.BytesIO(next(iter(files.data_files(made))).body)).num_rows == 10


def test_a_nested_column_cannot_be_made_up_and_the_error_names_it(sample: Declarations) -> None:
    table = next(one for one in sample.products["cash_application"].tables if one.name == "remittance_advice")
    with pytest.raises(data.NoRowsError, match=r"ar_raw\.other: the demo cannot make up values of payer"):
        data.made_up(table.model_copy(update={"name": "other"}))
