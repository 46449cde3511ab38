"""What a change of schema does to columns that were reviewed. Pure.

LF-Tags hang on column *names*. Three changes put data that nobody reviewed under a name that somebody did review, so
they wait for the contract to say the same (DESIGN: fail closed on columns):

* the type of a nested column changes: its tag would cover the new field;
* in a positional format, columns are not just appended: the data moves under other names;
* the partition keys change: they cannot be withheld from anybody who reads the table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sync_handlers.manifest import Table

# Readers of these formats go by position (Athena user guide, "handling-schema-updates-chapter"; ORC reads by index
# unless told otherwise).
_POSITIONAL = ("LazySimpleSerDe", "OpenCSVSerde", "RegexSerDe", "GrokSerDe", "MultiDelimitSerDe")
_SPACE = re.compile(r"\s+")
Columns = Sequence[Mapping[str, Any]]


def columns(table: Mapping[str, Any]) -> Columns:
    """Ordinary columns of a Glue table, in order."""
    return (table.get("StorageDescriptor") or {}).get("Columns") or ()


def partition_keys(table: Mapping[str, Any]) -> Columns:
    return table.get("PartitionKeys") or ()


def live(column: Mapping[str, Any]) -> bool:
    """Whether readers still see the column: Iceberg keeps dropped ones in Glue with `iceberg.field.current=false`."""
    return (column.get("Parameters") or {}).get("iceberg.field.current") != "false"


def names(of: Columns) -> tuple[str, ...]:
    return tuple(column["Name"].lower() for column in of)


def same_type(one: str, other: str) -> bool:
    return _SPACE.sub("", one).lower() == _SPACE.sub("", other).lower()


def nested(kind: str) -> bool:
    """Whether a Glue type holds fields of its own."""
    return kind.strip().lower().startswith(("struct", "array", "map", "uniontype"))


def is_view(table: Mapping[str, Any]) -> bool:
    return (table.get("TableType") or "").upper() == "VIRTUAL_VIEW"


def is_iceberg(table: Mapping[str, Any]) -> bool:
    parameters = table.get("Parameters") or {}
    return any(key.lower() == "table_type" and value.upper() == "ICEBERG" for key, value in parameters.items())


def positional(table: Mapping[str, Any]) -> bool:
    """Whether readers match data to columns by position rather than by name."""
    if is_iceberg(table) or is_view(table):
        return False
    serde = (table.get("StorageDescriptor") or {}).get("SerdeInfo") or {}
    library, parameters = serde.get("SerializationLibrary") or "", serde.get("Parameters") or {}
    if "Orc" in library:
        return bool(parameters.get("orc.column.index.access", "true").lower() != "false")
    if "Parquet" in library:
        return bool(parameters.get("parquet.column.index.access", "false").lower() == "true")
    return str(library).endswith(_POSITIONAL)


def appended(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether `after` is `before` with nothing but additions at its end."""
    return tuple(after[: len(before)]) == tuple(before)


def in_step(contract: Table, actual: Sequence[str]) -> bool:
    """Whether a contract and the columns of a positional table number their columns alike, as far as both go."""
    declared = [column.name for column in contract.columns if column.partition_key is None]
    return appended(declared, actual) or appended(actual, declared)


def uncovered(contract: Table, column: Mapping[str, Any]) -> str | None:
    """Why the contract's review of a column does not cover what the column is now; None when it does."""
    declared = contract.by_name.get(column["Name"].lower())
    if declared is None or not declared.reviewed:
        return None
    actual = column.get("Type") or ""
    if (nested(actual) or nested(declared.type)) and not same_type(actual, declared.type):
        return f"column {declared.name} is {actual}, reviewed as {declared.type or 'no type'}"
    return None


def unsafe_change(contract: Table, source: Mapping[str, Any], twin: Mapping[str, Any]) -> str | None:
    """Why the source's schema must not reach a twin whose columns are tagged by this contract; None when it may."""
    if is_view(source) or not any(column.reviewed for column in contract.columns):
        return None
    before, after = columns(twin), columns(source)
    old_types = {column["Name"].lower(): column.get("Type") or "" for column in (*before, *partition_keys(twin))}
    for column in after:
        reason = uncovered(contract, column)
        name = column["Name"].lower()
        if reason and name in old_types and not same_type(old_types[name], column.get("Type") or ""):
            return f"{reason}: a nested type changed"
    keys = names(partition_keys(source))
    unknown = [key for key in keys if key not in contract.by_name or not contract.by_name[key].reviewed]
    if keys != names(partition_keys(twin)) and unknown:
        return f"partition keys changed, and nobody reviewed {', '.join(unknown)}"
    moved = not appended(names(before), names(after))
    if positional(source) and moved and not in_step(contract, names(after)):
        return "columns moved in a format that is read by position"
    return None
