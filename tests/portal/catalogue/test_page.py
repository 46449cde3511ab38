from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlglot

from lakemesh.access.check import read_mesh
from lakemesh.access.explain import Verdict
from lakemesh.access.holders import Access
from lakemesh.access.subject import UnknownError
from lakemesh.portal.catalogue.page import ProductPage, product_page

DAY = dt.date(2026, 3, 9)
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def page() -> ProductPage:
    declarations, places = read_mesh(ROOT / "mesh", DAY)
    product = declarations.products["ar_invoice"]
    return product_page(Access(declarations, DAY), places, product, "finance-analytics/analyst")


def test_each_column_says_whether_it_can_be_read_and_why_not(page: ProductPage) -> None:
    columns = {column.name: column for column in page.tables[0].columns}
    assert (columns["invoice_number"].verdict, columns["invoice_number"].why) == (Verdict.READ, "")
    iban = columns["direct_debit_iban"]
    assert (iban.verdict, iban.sensitivity, iban.personal_data) == (Verdict.DENIED, "restricted", "iban")
    assert "restricted" in iban.why


def test_it_says_who_else_can_read_it_and_by_what(page: ProductPage) -> None:
    readers = {reader.name: reader for reader in page.readers}
    assert readers["finance-analytics/controller"].columns == 11
    assert "ar-invoice-confidential-controller" in readers["finance-analytics/controller"].grants
    assert "finance-analytics/intern" not in readers


def test_a_sample_query_reads_nothing_that_is_refused(page: ProductPage) -> None:
    samples = page.tables[0].samples
    assert set(samples) == {"Athena", "EMR and Glue (Spark)", "Redshift Spectrum"}
    for engine, dialect in (("Athena", "athena"), ("EMR and Glue (Spark)", "spark"), ("Redshift Spectrum", "redshift")):
        (statement,) = sqlglot.parse(samples[engine], dialect=dialect)
        assert statement is not None
        named = {column.name for column in statement.find_all(sqlglot.exp.Column)}
        readable = {column.name for column in page.tables[0].columns if column.verdict is Verdict.READ}
        assert named
        assert named <= readable


def test_without_a_principal_nobodys_verdicts_are_shown() -> None:
    declarations, places = read_mesh(ROOT / "mesh", DAY)
    page = product_page(Access(declarations, DAY), places, declarations.products["vendor"], None)
    assert {column.verdict for table in page.tables for column in table.columns} == {None}
    assert all(not table.samples for table in page.tables)


def test_a_principal_that_is_not_there_is_named() -> None:
    declarations, places = read_mesh(ROOT / "mesh", DAY)
    with pytest.raises(UnknownError, match="analist"):
        product_page(Access(declarations, DAY), places, declarations.products["vendor"], "finance-analytics/analist")
