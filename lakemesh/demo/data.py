"""The tables of a mesh's producers with their rows: the sample's by name, others made up from their contracts."""

from __future__ import annotations

import datetime as dt
import functools
from decimal import Decimal
from typing import Any

from lakemesh.declarations.models import Column, Declarations, Table
from lakemesh.demo.rows import payables, receivables
from lakemesh.demo.tables import Format, SourceColumn, SourceTable

ROWS_OF_OTHERS = 40
"""Rows made up for a table that the sample does not know."""


class NoRowsError(Exception):
    """A declared table that rows cannot be made up for."""


@functools.cache
def sample() -> tuple[SourceTable, ...]:
    return (*receivables.tables(), *payables.tables())


def tables(declarations: Declarations) -> dict[str, tuple[SourceTable, ...]]:
    """The source tables by the twin of their database, views after the tables they read.

    A database that the sample knows gets the sample's tables, with or without contract. Every other table that a
    contract lists gets rows made up from its declared types. Raises `NoRowsError`.
    """
    sources = [source for domain in declarations.mesh.domains.values() for source in domain.sources]
    declared = [table for product in declarations.products.values() for table in product.tables]
    found: dict[str, tuple[SourceTable, ...]] = {}
    for source in sources:
        known = {table.name: table for table in sample() if table.database == source.database}
        others = (table for table in declared if table.twin == source.twin_name and table.name not in known)
        every = (*known.values(), *map(made_up, others))
        found[source.twin_name] = tuple(sorted(every, key=lambda table: table.format is Format.VIEW))
    return found


def made_up(table: Table) -> SourceTable:
    """A Parquet table with the columns of a contract. Raises `NoRowsError` for a nested column."""
    ordinary = [column for column in table.columns if column.partition_key is None]
    rows = tuple(
        {column.name: _value(table, column, index) for column in table.columns} for index in range(ROWS_OF_OTHERS)
    )
    return SourceTable(
        table.database,
        table.name,
        Format.PARQUET,
        tuple(SourceColumn(column.name, column.type) for column in ordinary),
        rows,
        tuple(SourceColumn(column.name, column.type) for column in table.partition_keys),
    )


def _value(table: Table, column: Column, index: int) -> Any:
    # Few values for a partition key: each of them is a partition.
    number = index % 4 if column.partition_key is not None else index
    kind = column.type.partition("(")[0].lower()
    if kind in {"string", "varchar", "char"}:
        return f"{column.name} {number:03d}"
    if kind in {"tinyint", "smallint", "int", "integer", "bigint"}:
        return number
    if kind in {"double", "float"}:
        return number + 0.5
    if kind == "decimal":
        return Decimal(number)
    if kind == "boolean":
        return number % 2 == 0
    if kind == "date":
        return dt.date(2026, 1, 1) + dt.timedelta(days=number)
    raise NoRowsError(
        f"{table.database}.{table.name}: the demo cannot make up values of {column.name}, which is {column.type}. "
        "It makes up scalar columns alone; leave such a column out of the contract for the demo."
    )
