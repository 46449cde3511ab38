"""The sample mesh's contracts were classified by hand: the recogniser finds what its people found."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from lakemesh.access.check import load_mesh
from lakemesh.classification import Column, Sensitivity, Verdict, classify_table
from lakemesh.declarations.models import Column as Declared
from lakemesh.declarations.models import Table
from lakemesh.demo import data

MESH = Path(__file__).parents[2] / "mesh"
DECLARATIONS = load_mesh(MESH, dt.date(2026, 11, 1))
TABLES = [table for product in DECLARATIONS.products.values() for table in product.tables]
ROWS = {source.key: source.rows for sources in data.tables(DECLARATIONS).values() for source in sources}
PROTECTED = {"confidential", "restricted"}


def judged(table: Table, *, sampled: bool = False) -> list[tuple[Declared, Verdict]]:
    rows = ROWS[f"{table.database}.{table.name}"][:200] if sampled else None
    columns = [
        Column(one.name, one.type, one.description, None if rows is None else [row.get(one.name) for row in rows])
        for one in table.columns
    ]
    return list(zip(table.columns, classify_table(table.name, columns), strict=True))


LOOKED = pytest.mark.parametrize("sampled", [False, True], ids=["from metadata", "from samples"])


@LOOKED
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_sensitive_column_of_the_sample_is_found(table: Table, sampled: bool) -> None:
    found = judged(table, sampled=sampled)
    assert [column.name for column, one in found if column.sensitivity in PROTECTED and not one.sensitive] == []


@LOOKED
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_amounts_dates_codes_and_names_of_things_raise_no_alarm(table: Table, sampled: bool) -> None:
    allowed = {"customer-id"}  # customer numbers are reported, and proposed as internal, which they are in the sample
    alarms = [
        column.name
        for column, found in judged(table, sampled=sampled)
        if column.sensitivity in {"public", "internal"} and found.sensitive and found.kind not in allowed
    ]
    assert alarms == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_proposal_is_laxer_than_what_the_samples_people_decided(table: Table) -> None:
    order = list(Sensitivity)
    for column, found in judged(table):
        if column.sensitivity in PROTECTED:
            assert order.index(found.sensitivity) >= order.index(Sensitivity(column.sensitivity)), column.name


def test_the_kinds_are_the_words_that_the_contracts_use() -> None:
    for table in TABLES:
        for column, found in judged(table):
            if column.personal_data is not None:
                assert found.kind == column.personal_data, column.name
