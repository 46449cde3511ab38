"""What a Glue table says of itself, as facts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from lakemesh.onboard.facts import ColumnFacts, TableFacts, TableKind
from sync_handlers.locations import locations

# First of: what a table format writes, what a crawler or CREATE TABLE writes, what the SerDe reads.
_SERDES: Final = (
    ("parquet", "parquet"), ("orcserde", "orc"), ("avro", "avro"), ("opencsv", "csv"), ("jsonserde", "json"),
    ("regexserde", "regex"), ("grok", "grok"), ("ion", "ion"), ("cloudtrail", "json"),
)  # fmt: skip
_S3: Final = re.compile(r"^s3[an]?://(?P<bucket>[^/]+)(?:/(?P<key>.*))?$", re.IGNORECASE | re.DOTALL)
# What a prefix of mesh.yaml may hold; anything else would mean something in a policy, or nothing at all.
_PREFIX: Final = re.compile(r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/(?:[A-Za-z0-9!_.'()&@=;:+ ,%~-]+/)*$")
_LOGICAL: Final = {
    "string": "string", "char": "string", "varchar": "string",
    "tinyint": "integer", "smallint": "integer", "int": "integer", "integer": "integer", "bigint": "integer",
    "float": "number", "double": "number", "real": "number", "decimal": "number",
    "boolean": "boolean", "date": "date", "timestamp": "timestamp",
    "array": "array", "struct": "object", "map": "object",
}  # fmt: skip


def logical_type(glue: str) -> str:
    """The ODCS logical type of a Glue type; empty where the standard has none (binary, interval …)."""
    return _LOGICAL.get(re.split(r"[(<\s]", glue.strip().lower(), maxsplit=1)[0], "")


def table_facts(database: str, table: Mapping[str, Any], partitions: Iterable[Mapping[str, Any]] = ()) -> TableFacts:
    """One entry of GetTables, with those of its partitions that were read."""
    descriptor = table.get("StorageDescriptor") or {}
    kind = table_kind(table)
    places = [] if kind in {TableKind.LINK, TableKind.VIEW} else list(_directories(table, partitions))
    return TableFacts(
        database=database,
        name=str(table["Name"]),
        kind=kind,
        format="" if kind is not TableKind.TABLE else table_format(table),
        columns=tuple(_columns(descriptor.get("Columns") or ())),
        partition_keys=tuple(_columns(table.get("PartitionKeys") or ())),
        directories=outermost(place for _, place in places if place),
        unreachable=tuple(dict.fromkeys(text for text, place in places if place is None)),
        description=_description(table),
    )


def _description(table: Mapping[str, Any]) -> str:
    """What people say of a table: in Glue's own field, or in the parameter that Hive and Spark use."""
    comment = str((table.get("Parameters") or {}).get("comment") or "")
    # Athena writes this one into every view.
    return str(table.get("Description") or ("" if comment == "Presto View" else comment))


def table_kind(table: Mapping[str, Any]) -> TableKind:
    if table.get("TargetTable"):
        return TableKind.LINK
    if table.get("IsMultiDialectView") or table.get("ViewDefinition") or table.get("IsMaterializedView"):
        return TableKind.CATALOG_VIEW
    return TableKind.VIEW if table.get("TableType") == "VIRTUAL_VIEW" else TableKind.TABLE


def table_format(table: Mapping[str, Any]) -> str:
    """iceberg, delta, hudi, parquet, csv …"""
    parameters = {str(key).lower(): str(value).lower() for key, value in (table.get("Parameters") or {}).items()}
    described = parameters.get("table_type") or parameters.get("spark.sql.sources.provider") or ""
    if described in {"iceberg", "delta", "hudi"}:
        return described
    descriptor = table.get("StorageDescriptor") or {}
    serde = str((descriptor.get("SerdeInfo") or {}).get("SerializationLibrary") or "").lower()
    if "hoodie" in str(descriptor.get("InputFormat") or "").lower():
        return "hudi"
    if parameters.get("classification"):
        return parameters["classification"]
    return next((name for part, name in _SERDES if part in serde), "csv" if "lazysimple" in serde else "")


def is_projected(table: Mapping[str, Any]) -> bool:
    """Whether Athena computes the partitions, and Glue's are not looked at ("partition-projection")."""
    return str((table.get("Parameters") or {}).get("projection.enabled", "")).lower() == "true"


def _columns(entries: Iterable[Mapping[str, Any]]) -> Iterator[ColumnFacts]:
    for entry in entries:
        if (entry.get("Parameters") or {}).get("iceberg.field.current") == "false":
            continue  # a column that the Iceberg table has dropped: Glue keeps it for old snapshots
        yield ColumnFacts(str(entry["Name"]).lower(), str(entry.get("Type") or ""), str(entry.get("Comment") or ""))


def _directories(table: Mapping[str, Any], partitions: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str | None]]:
    """(location as written, its directory); None for a location that no prefix can name."""
    for holder in (table, *partitions):
        for label, location in locations(holder):
            if not location.strip():
                continue
            # A parameter names a file (Iceberg's metadata, Avro's schema) or a pattern.
            yield location, directory(location, file=not label.endswith(("Location", "Locations", "Maps", " path")))


def directory(location: str, *, file: bool = False) -> str | None:
    """`s3://bucket/path/` of a location; of a file the directory it lies in. None: no prefix of mesh.yaml can be it."""
    match = _S3.match(location.strip())
    if match is None:
        return None
    key = (match["key"] or "").partition("${")[0] if "${" in location else match["key"] or ""
    if file or "${" in location:
        key = key.rpartition("/")[0]
    key = key.strip("/") if "//" not in key else key.removesuffix("/")
    found = f"s3://{match['bucket']}/{key}/" if key else f"s3://{match['bucket']}/"
    if _PREFIX.fullmatch(found) is None or any(part in {".", ".."} for part in key.split("/")):
        return None
    return found


def outermost(directories: Iterable[str]) -> tuple[str, ...]:
    """Those of some directories that lie in none of the others, sorted."""
    kept: list[str] = []
    for place in sorted(set(directories)):
        if not kept or not place.startswith(kept[-1]):
            kept.append(place)
    return tuple(kept)
