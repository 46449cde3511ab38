"""Which columns of a table a grant reaches: LF-Tag inheritance and matching, names, wildcards.

Each rule names its page of the Lake Formation developer guide ("LF-dg").
"""

from __future__ import annotations

from collections.abc import Mapping

from lakemesh.access.state import (
    ColumnsResource,
    DatabaseState,
    DataFilterResource,
    Expression,
    Resource,
    TableResource,
    TableState,
    TagPolicyResource,
)


def matches(tags: Expression, actual: Mapping[str, str]) -> bool:
    """Every key must match one of its values; keys that are not named do not restrict (LF-dg lf-tag-considerations)."""
    return all(actual.get(key) in values for key, values in tags)


def table_tags(database: DatabaseState, table: TableState) -> dict[str, str]:
    """Tables inherit the tags of their database and may override a value (LF-dg TBAC-assigning-tags)."""
    return {**database.tags, **table.tags}


def column_tags(database: DatabaseState, table: TableState, column: str) -> dict[str, str]:
    """Columns inherit the tags of their table and may override a value (LF-dg TBAC-assigning-tags)."""
    return {**table_tags(database, table), **table.column_tags.get(column, {})}


def every_column(table: TableState) -> frozenset[str]:
    return frozenset((*table.columns, *table.partition_keys))


def reach(resource: Resource, name: str, database: DatabaseState, key: str, table: TableState) -> frozenset[str] | None:
    """Columns of a table that a grant on `resource` covers; None: it does not concern the table.

    Partition keys cannot be restricted: whoever reaches one column reaches them all (LF-dg data-filtering-notes).
    A table whose own tags do not match is covered in those columns that do (LF-dg managing-dl-tutorial).
    """
    keys = frozenset(table.partition_keys)
    match resource:
        case TableResource(_, of, wanted) if of == name and wanted in {None, key}:
            return every_column(table)
        case ColumnsResource(_, of, wanted, include, exclude) if (of, wanted) == (name, key):
            columns = every_column(table) - exclude if include is None else every_column(table) & include
            return columns | keys if columns else columns
        case DataFilterResource(_, of, wanted, filtered) if (of, wanted) == (name, key):
            shown = table.filters.get(filtered)
            if shown is None:
                return None
            return reach(ColumnsResource("", name, key, shown.include, shown.exclude), name, database, key, table)
        case TagPolicyResource(_, "TABLE", tags):
            found = frozenset(c for c in every_column(table) if matches(tags, column_tags(database, table, c)))
            if found:
                return found | keys
            return found if matches(tags, table_tags(database, table)) else None
        case _:
            return None


def row_filter(resource: Resource, table: TableState) -> str | None:
    """The condition that rows meet which a grant on `resource` shows; None: it shows every row."""
    shown = table.filters.get(resource.name) if isinstance(resource, DataFilterResource) else None
    return shown.rows if shown else None
