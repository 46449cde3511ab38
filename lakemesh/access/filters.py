"""Data cells filters of grants that name columns or rows: which filter a grant becomes on each table of its product.

A filter lists its columns one by one, never as "all but": a column that is new tomorrow is in no filter until its
contract was reviewed and somebody deployed. Its name is made from what it shows, so an edited grant becomes another
filter, which is there before the old one goes, and grants that ask for the same share one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from lakemesh.access.rowfilter import RowFilter, parse
from lakemesh.access.state import DataFilter, DataFilterResource
from lakemesh.declarations.models import EVERY_TABLE, Declarations, Grant, Table

MAX_NAME = 255
"""Lake Formation API, DataCellsFilter, Name."""


@dataclass(frozen=True, order=True)
class FilterEntry:
    """One DataCellsFilter resource: its columns sorted, its row filter in canonical form (None: every row)."""

    name: str
    """Logical name, from what the filter is about and shows."""
    resource: DataFilterResource
    columns: tuple[str, ...]
    rows: str | None

    @property
    def shows(self) -> DataFilter:
        return DataFilter(include=frozenset(self.columns), rows=self.rows)


def filters_of(declarations: Declarations, grant: Grant, tables: tuple[Table, ...]) -> Iterator[FilterEntry]:
    """The filter of each table that a grant shows anything of. Raises RowFilterError for what validation refuses."""
    for table in tables:
        columns = shown_columns(grant, table)
        if columns:
            written = row_filter_of(grant, table)
            yield _entry(declarations, table, columns, written.text if written else None)


def shown_columns(grant: Grant, table: Table) -> tuple[str, ...]:
    """Columns of a table that a grant shows, sorted, partition keys left out: they cannot be withheld.

    None at all while a partition key is unreviewed, as with LF-Tags; of a view none, which has no filters.
    """
    if table.kind == "view" or any(key.sensitivity is None for key in table.partition_keys):
        return ()
    only, without = of_table(grant.columns, table), of_table(grant.exclude, table) or ()
    return tuple(
        sorted(
            column.name
            for column in table.columns
            if column.partition_key is None
            and column.sensitivity in grant.sensitivity
            and (only is None or column.name in only)
            and column.name not in without
        )
    )


def of_table(named: dict[str, tuple[str, ...]] | None, table: Table) -> tuple[str, ...] | None:
    """What a grant names for a table, by its name or as twin.table; None: nothing."""
    return (named or {}).get(table.name, (named or {}).get(table.key))


def rows_of(grant: Grant, table: Table) -> str | None:
    """A grant's condition on the rows of a table, as it was written."""
    rows = grant.rows or {}
    return next((rows[name] for name in (table.name, table.key, EVERY_TABLE) if name in rows), None)


def row_filter_of(grant: Grant, table: Table) -> RowFilter | None:
    """That condition, parsed. Raises RowFilterError."""
    written = rows_of(grant, table)
    if written is None:
        return None
    keys = [key.name for key in table.partition_keys]
    return parse(written, {column.name: column.type for column in table.columns}, keys)


def _entry(declarations: Declarations, table: Table, columns: tuple[str, ...], rows: str | None) -> FilterEntry:
    shown = hashlib.sha256(json.dumps([columns, rows]).encode()).hexdigest()[:10]
    name = f"{table.name[: MAX_NAME - len(shown) - 1]}-{shown}"
    resource = DataFilterResource(declarations.mesh.central.account, table.twin, table.name, name)
    logical = hashlib.sha256(f"{table.key} {shown}".encode()).hexdigest()[:8]
    return FilterEntry(f"{table.name[:50]}-{logical}", resource, columns, rows)
