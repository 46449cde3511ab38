"""What a producer has before any mesh, as values: tables with their columns, rows and format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any

Row = Mapping[str, Any]


@unique
class Format(StrEnum):
    """How a producer keeps a table. Each member is a kind that people have."""

    PARQUET = "parquet"
    CSV = "csv"
    """As a crawler catalogs it: LazySimpleSerDe, a header line, the crawler's own parameters."""
    QUOTED_CSV = "quoted-csv"
    """OpenCSVSerde with semicolons, as banks deliver it."""
    JSON = "json"
    """One document a line."""
    ICEBERG = "iceberg"
    VIEW = "view"


@dataclass(frozen=True)
class SourceColumn:
    name: str
    type: str
    """As Glue writes it."""
    comment: str = ""


@dataclass(frozen=True)
class SourceTable:
    """One table of a source database. `columns` leaves out the partition keys, as Glue does."""

    database: str
    name: str
    format: Format
    columns: tuple[SourceColumn, ...]
    rows: tuple[Row, ...]
    """By column name, partition keys included. Of a view: what it must return."""
    partition_keys: tuple[SourceColumn, ...] = ()
    sql: str = ""
    """Of a view."""
    description: str = ""

    @property
    def key(self) -> str:
        return f"{self.database}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in (*self.columns, *self.partition_keys))

    def column_type(self, name: str) -> str:
        """Raises KeyError for a column that the table does not have."""
        return {column.name: column.type for column in (*self.columns, *self.partition_keys)}[name]

    def partitions(self) -> Iterator[tuple[tuple[str, ...], list[Row]]]:
        """Rows by the values of the partition keys (as Glue keeps them, strings), in order of first appearance."""
        found: dict[tuple[str, ...], list[Row]] = {}
        for row in self.rows:
            found.setdefault(tuple(str(row[key.name]) for key in self.partition_keys), []).append(row)
        yield from found.items()


def columns(text: str) -> tuple[SourceColumn, ...]:
    """Columns from lines of `name type`; empty lines are skipped.

    >>> columns("id string")
    (SourceColumn(name='id', type='string', comment=''),)
    """
    lines = (line.strip() for line in text.splitlines())
    return tuple(SourceColumn(*re.split(r"\s+", line, maxsplit=1)) for line in lines if line)
