"""Data contracts from Glue's schema: a new one with every column unreviewed, or what an existing one lacks. Pure."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lakemesh.declarations.models import UNREVIEWED
from lakemesh.declarations.naming import shorten
from lakemesh.declarations.yamlfile import read
from lakemesh.onboard.facts import ColumnFacts, TableFacts, TableKind
from lakemesh.onboard.formats import logical_type
from lakemesh.onboard.yamltext import Path, insert, render

API_VERSION: Final = "v3.1.0"
MAX_PRODUCT: Final = 50
"""A product's name becomes a value of an LF-Tag ("lf-tag-considerations")."""
_HEAD: Final = """\
# Written by `lakemesh onboard` from the Glue catalog of producer {producer}, and yours from now on: onboarding adds
# tables and columns that are new at the producer and changes nothing else. Every column is unreviewed, so nobody can
# read it. Set its `classification` to public, internal, confidential or restricted; of a partitioned table the
# partition keys first.
"""


@dataclass(frozen=True)
class Place:
    """Where the tables of one source database are, as a contract's server says it."""

    account: str
    database: str
    location: str


def product_name(table: TableFacts, producer: str, taken: frozenset[str]) -> str:
    """A name for the product of one table: the table's, and what tells it apart from products of that name."""
    for parts in ((table.name,), (table.database, table.name), (producer, table.database, table.name)):
        name = slug("_".join(parts))
        if name and name not in taken:
            return name
    return shorten(f"{slug(producer)}_{uuid.uuid5(uuid.NAMESPACE_URL, table.key).hex}", MAX_PRODUCT)


def slug(text: str) -> str:
    """Lower-case letters, digits and underscores, beginning with a letter; empty where nothing is left."""
    found = "_".join(part for part in re.split(r"[^a-z0-9]+", text.lower()) if part)
    found = found if not found or found[0].isalpha() else f"t_{found}"
    return shorten(found, MAX_PRODUCT)


def contract(
    product: str, domain: str, producer: str, tables: Sequence[TableFacts], places: Mapping[str, Place]
) -> str:
    """The text of a new contract. `places` by database."""
    databases = sorted({table.database for table in tables})
    several = len(databases) > 1
    account = places[databases[0]].account
    value: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        # Made from what it is about, so that onboarding the same twice gives the same contract.
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"glue:{account}:{tables[0].key}:{product}")),
        "name": product,
        "version": "0.1.0",
        "status": "draft",
        "domain": domain,
    }
    if len(tables) == 1 and tables[0].description:
        value["description"] = {"purpose": tables[0].description}
    value["servers"] = [server(places[name], [t for t in tables if t.database == name]) for name in databases]
    value["schema"] = [schema_entry(table, table.database if several else None) for table in tables]
    return _HEAD.format(producer=producer) + render(value)


def server(place: Place, tables: Sequence[TableFacts]) -> dict[str, Any]:
    formats = {table.format for table in tables if table.kind is TableKind.TABLE}
    made = {
        "server": place.database,
        "type": "glue",
        "account": place.account,
        "database": place.database,
        "location": place.location,
    }
    if len(formats) == 1 and (only := formats.pop()):
        made["format"] = only
    return made


def schema_entry(table: TableFacts, server_name: str | None) -> dict[str, Any]:
    """One table under `schema`; `server_name` where the contract has several servers."""
    made: dict[str, Any] = {
        "name": table.name,
        "physicalName": table.name,
        "physicalType": "view" if table.kind is TableKind.VIEW else "table",
    }
    if table.description:
        made["description"] = table.description
    if server_name:
        made["customProperties"] = [{"property": "server", "value": server_name}]
    made["properties"] = [property_entry(column, position) for column, position in every_column(table)]
    return made


def every_column(table: TableFacts) -> Iterator[tuple[ColumnFacts, int | None]]:
    """Columns, each once, then partition keys with their positions from 1."""
    keys = {key.name for key in table.partition_keys}
    seen: set[str] = set()
    for column in table.columns:
        # Hive lets a column be named as a partition key; engines then read the key.
        if column.name not in keys | seen:
            seen.add(column.name)
            yield column, None
    for position, key in enumerate(table.partition_keys, start=1):
        yield key, position


def property_entry(column: ColumnFacts, position: int | None) -> dict[str, Any]:
    made: dict[str, Any] = {"name": column.name}
    if logical := logical_type(column.type):
        made["logicalType"] = logical
    made["physicalType"] = column.type or "string"
    if column.comment:
        made["description"] = column.comment
    if position is not None:
        made |= {"partitioned": True, "partitionKeyPosition": position}
    return {**made, "classification": UNREVIEWED}


# ------------------------------------------------------------------------------------------- an existing contract
def _insert(text: str, path: Path, addition: Any) -> str:
    return insert(text, path, addition, own=False)


@dataclass(frozen=True)
class Comparison:
    """What an existing contract lacks of a table, and where the two disagree."""

    added: tuple[ColumnFacts, ...]
    text: str
    """The contract with what it lacked."""
    notes: tuple[str, ...]


def compared(text: str, table: TableFacts, file: str) -> Comparison:
    """The contract in `text` with the columns that the table has gained; nothing else in it changes."""
    value = read(text.encode(), own=False).value
    index = _index(value, table) if isinstance(value, dict) else None
    if not isinstance(value, dict) or index is None:
        return Comparison((), text, (f"{file}: {table.key} stands there in a way that cannot be compared.",))
    listed = _columns_of(value, index)
    columns = list(every_column(table))
    new = [(column, position) for column, position in columns if column.name not in listed]
    notes = [
        f"{file}: partition key {column.name} of {table.key} is new. Whoever reads one column reads it, so add it by "
        "hand, with its classification."
        for column, position in new
        if position is not None
    ]
    now = {column.name: column.type for column, _ in columns}
    notes += [f"{file}: column {name} is not in {table.key} any more." for name in listed if name not in now]
    notes += [
        f"{file}: column {name} of {table.key} is {now[name]} now, and {kind} in the contract."
        for name, kind in listed.items()
        if name in now and kind and _same_type(kind) != _same_type(now[name])
    ]
    added = [column for column, position in new if position is None]
    if added:
        text = _insert(text, ("schema", index, "properties"), [property_entry(column, None) for column in added])
    return Comparison(tuple(added), text, tuple(notes))


def _same_type(text: str) -> str:
    return re.sub(r"\s+", "", text.lower()).replace("integer", "int")


def _index(value: Mapping[str, Any], table: TableFacts) -> int | None:
    """Which entry of `schema` is the table."""
    entries = value.get("schema")
    servers = {
        str(one.get("server")): str(one.get("database")).lower()
        for one in value.get("servers") or ()
        if isinstance(one, dict) and str(one.get("type", "")).lower() == "glue"
    }
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict) or physical_name(entry) != table.name:
            continue
        chosen = server_of(entry)
        database = servers.get(chosen) if chosen else next(iter(servers.values()), None)
        if database == table.database:
            return index
    return None


def physical_name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("physicalName") or entry.get("name") or "").lower()


def server_of(entry: Mapping[str, Any]) -> str | None:
    """The custom property `server` of a table."""
    for one in entry.get("customProperties") or ():
        if isinstance(one, dict) and one.get("property") == "server":
            return str(one.get("value"))
    return None


def _columns_of(value: Mapping[str, Any], index: int) -> dict[str, str]:
    entries = value["schema"][index].get("properties") or ()
    return {
        physical_name(entry): str(entry.get("physicalType") or "")
        for entry in entries
        if isinstance(entry, dict) and entry.get("semanticType") != "measure"
    }


def with_table(text: str, table: TableFacts, place: Place) -> str | None:
    """The contract with one more table; None where its servers leave no place for it without changing what is there."""
    value = read(text.encode(), own=False).value
    if not isinstance(value, dict):
        return None
    glue = [
        one
        for one in value.get("servers") or ()  # type: ignore[union-attr]
        if isinstance(one, dict) and str(one.get("type", "")).lower() == "glue"
    ]
    entries = [one for one in value.get("schema") or () if isinstance(one, dict)]  # type: ignore[union-attr]
    matching = [
        str(one.get("server"))
        for one in glue
        if one.get("account") == place.account and str(one.get("database")).lower() == place.database
    ]
    if not matching:
        if not all(server_of(entry) for entry in entries):
            return None  # with a second server, tables that name none would belong to neither
        text = _insert(text, ("servers",), [server(place, [table])])
        return _insert(text, ("schema",), [schema_entry(table, place.database)])
    name = matching[0] if len(glue) > 1 or any(server_of(entry) for entry in entries) else None
    return _insert(text, ("schema",), [schema_entry(table, name)])
