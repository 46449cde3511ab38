"""An Open Data Contract Standard v3 contract as a Product.

Reads what the mesh needs (name, version, status, servers, schema, classifications, a few custom properties) strictly
and leaves every other section alone, so contracts of 3.0, 3.1 and 3.2 load whatever else they say. The standard's own
models (`open-data-contract-standard`) say which keys exist at the places that are read, so that a misspelt key is not
taken for an absent one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from open_data_contract_standard import model as standard
from pydantic import ValidationError

from lakemesh.declarations.errors import Problem, did_you_mean
from lakemesh.declarations.models import (
    UNREVIEWED,
    Column,
    Domain,
    Mesh,
    Product,
    Sensitivity,
    ServiceLevel,
    Source,
    Status,
    Table,
)
from lakemesh.declarations.places import Places
from lakemesh.declarations.yamlfile import Document, Path, Value

VERSIONS: Final = ("3.0", "3.1", "3.2")
CUSTOM_PROPERTIES: Final = ("server", "lfTags", "personalData", "deprecatedSince")
_VERSION: Final = re.compile(r"v(3\.\d+)\.\d+")
_UNREADABLE: Final = frozenset(" \t\n/")

Mapped = dict[str, Value]


def _keys_of(model: Any) -> frozenset[str]:
    return frozenset(item.alias or name for name, item in model.model_fields.items())


_CONTRACT_KEYS: Final = _keys_of(standard.OpenDataContractStandard)
_OBJECT_KEYS: Final = _keys_of(standard.SchemaObject)
_PROPERTY_KEYS: Final = _keys_of(standard.SchemaProperty)


@dataclass
class Contract:
    """What one contract file yields: the product, if it could be built, and the places of its tables and columns."""

    product: Product | None = None
    problems: list[Problem] = field(default_factory=list)
    parts: dict[tuple[str, ...], Path] = field(default_factory=dict)
    tagged: list[tuple[Path, dict[str, str]]] = field(default_factory=list)
    """Path and content of every `lfTags` it sets."""


@dataclass(frozen=True)
class _Server:
    name: str
    path: Path
    producer: str
    source: Source | None


def read_contract(
    document: Document, file: str, places: Places, domain: str, product: str, mesh: Mesh | None
) -> Contract:
    """The contract in `file`, which says by its place that it is `product` of `domain`.

    With `mesh` None, or without that domain in it, only what the contract says by itself is checked, and no product is
    built.
    """
    return _Reader(document, file, places, domain, product, mesh).read()


class _Reader:
    def __init__(
        self, document: Document, file: str, places: Places, domain: str, product: str, mesh: Mesh | None
    ) -> None:
        self._document = document
        self._file = file
        self._places = places
        self._domain = domain
        self._product = product
        self._mesh = mesh
        self._entry: Domain | None = mesh.domains.get(domain) if mesh else None
        self._result = Contract()

    def read(self) -> Contract:
        value = self._document.value
        if not isinstance(value, dict):
            self._add("wrong-type", "The file must hold a data contract (keys and values).")
            return self._result
        self._unknown(value, _CONTRACT_KEYS, ())
        self._standard(value)
        self._identity(value)
        status = self._status(value)
        custom = self._custom(value, ())
        tags = self._tags(custom)
        servers = self._servers(value)
        tables = tuple(self._tables(value, servers, tags))
        since = self._since(custom)
        if self._entry is None or self._mesh is None:
            return self._result
        failed = bool(self._result.problems)
        try:
            product = Product(
                name=self._product,
                domain=self._domain,
                version=self._text(value, "version", ()) or "0",
                status=status,
                title=self._loose(value, "dataProduct") or self._product,
                description=self._description(value),
                deprecated_since=since,
                tables=tables,
                service_levels=tuple(self._service_levels(value)),
                tags=tags,
            )
        except ValidationError:
            if not failed:
                self._add(
                    "wrong-value",
                    f'"{self._product}" cannot name a product: it becomes a value of the LF-Tag "product".\nName the '
                    "file "
                    'with at most 50 lower-case letters, digits, "-" and "_", beginning with a letter.',
                )
            return self._result
        self._result.product = product
        return self._result

    # ------------------------------------------------------------------------------------------------- the head
    def _standard(self, value: Mapped) -> None:
        for key in ("apiVersion", "kind", "id", "version"):
            if value.get(key) in {None, ""}:
                self._add("missing-key", f'"{key}" is missing; the Open Data Contract Standard requires it.', key)
        kind = value.get("kind")
        if kind is not None and kind != "DataContract":
            self._add("wrong-value", f'"{kind}" is not a kind of contract that is read; write DataContract.', "kind")
        version = value.get("apiVersion")
        if version is not None:
            match = _VERSION.fullmatch(str(version))
            if match is None or match.group(1) not in VERSIONS:
                known = ", ".join(f"v{number}.x" for number in VERSIONS)
                self._add("contract-version", f'"{version}" is not a version that is read: {known}.', "apiVersion")

    def _identity(self, value: Mapped) -> None:
        name = self._text(value, "name", ())
        if name and name != self._product:
            text = f'The contract names itself "{name}", but its file says "{self._product}".\nGive both the same name.'
            self._add("product-name", text, "name")
        domain = self._text(value, "domain", ())
        if domain and domain != self._domain:
            where = f"products/{self._domain}/"
            text = f'The contract belongs to domain "{domain}", but lies in {where}.\nMove it, or change `domain`.'
            self._add("product-domain", text, "domain")

    def _status(self, value: Mapped) -> Status:
        given = self._text(value, "status", ())
        if not given:
            return Status.DRAFT
        try:
            return Status(given)
        except ValueError:
            names = [status.value for status in Status]
            self._add("wrong-value", f'"{given}" is not one of {", ".join(names)}.{_close(given, names)}', "status")
            return Status.DRAFT

    def _since(self, custom: Mapping[str, tuple[Value, Path]]) -> dt.date | None:
        if "deprecatedSince" not in custom:
            return None
        value, path = custom["deprecatedSince"]
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            self._add("wrong-type", f'"{value}" is not a date; write it as 2026-03-09.', *path)
            return None

    def _description(self, value: Mapped) -> str:
        description = value.get("description")
        if isinstance(description, dict):
            return str(description.get("purpose") or "")
        return str(description or "")

    def _service_levels(self, value: Mapped) -> Iterator[ServiceLevel]:
        entries = value.get("slaProperties")
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and entry.get("property") is not None:
                yield ServiceLevel(
                    property=str(entry["property"]),
                    value=str(entry.get("value", "")),
                    unit=str(entry.get("unit") or ""),
                )

    # ---------------------------------------------------------------------------------------------- the servers
    def _servers(self, value: Mapped) -> list[_Server]:
        found: list[_Server] = []
        names: set[str] = set()
        for path, entry in self._entries(value, "servers", ()):
            name = self._text(entry, "server", path)
            if name and name in names:
                self._add("duplicate-server", f'Two servers are called "{name}".', *path, "server")
            names.add(name)
            if self._text(entry, "type", path).lower() != "glue":
                continue  # where else the data may be is for the people who use it
            producer, source = self._source(entry, path)
            found.append(_Server(name, path, producer, source))
        return found

    def _source(self, entry: Mapped, path: Path) -> tuple[str, Source | None]:
        """Which of the domain's sources a server of type glue is."""
        account = self._account(entry, path)
        database = self._text(entry, "database", path).lower()
        if not database:
            self._add("missing-key", '"database" is missing: the Glue database of the tables.', *path)
        if not account or not database or self._mesh is None or self._entry is None:
            return "", None
        producer = next((name for name, item in self._mesh.producers.items() if item.account == account), "")
        if not producer:
            known = [item.account for item in self._mesh.producers.values()]
            text = f'No producer in {self._places.mesh_file} has the account "{account}".{did_you_mean(account, known)}'
            self._add("unknown-reference", text, *path, "account")
            return "", None
        matching = [s for s in self._entry.sources if s.producer == producer and s.database == database]
        if matching:
            self._location(entry, path, matching[0])
            return producer, matching[0]
        known = [source.database for source in self._entry.sources if source.producer == producer]
        text = (
            f'Database "{database}" of producer "{producer}" is not a source of domain "{self._domain}".'
            f"{did_you_mean(database, known)}\nAdd it under domains.{self._domain}.sources in {self._places.mesh_file}."
        )
        self._add("unknown-reference", text, *path, "database")
        return producer, None

    def _account(self, entry: Mapped, path: Path) -> str:
        account = entry.get("account")
        if isinstance(account, str) and re.fullmatch(r"\d{12}", account):
            return account
        if account is None:
            self._add("missing-key", '"account" is missing: the account of the producer, in quotes.', *path)
        elif isinstance(account, str):
            self._add("wrong-value", f'"{account}" must be an account id: 12 digits in quotes.', *path, "account")
        else:
            scalar = self._document.scalar((*path, "account"))
            written = scalar.value if scalar else ""
            text = f'An account id must be in quotes, or YAML drops its leading zeros: write "{written}".'
            self._add("wrong-type", text, *path, "account")
        return ""

    def _location(self, entry: Mapped, path: Path, source: Source) -> None:
        location = self._text(entry, "location", path)
        if location and not any(f"{location.rstrip('/')}/".startswith(prefix) for prefix in source.prefixes):
            text = (
                f'"{location}" is outside the prefixes of source "{source.database}" ({", ".join(source.prefixes)}), '
                "so "
                f"its tables would not be copied.\nCorrect it, or add the prefix in {self._places.mesh_file}."
            )
            self._add("location-outside", text, *path, "location")

    # ----------------------------------------------------------------------------------------------- the tables
    def _tables(self, value: Mapped, servers: list[_Server], tags: Mapping[str, str]) -> Iterator[Table]:
        for path, entry in self._entries(value, "schema", ()):
            self._unknown(entry, _OBJECT_KEYS, path)
            name = (self._text(entry, "physicalName", path) or self._text(entry, "name", path)).lower()
            if not self._glue_name(name, "table", path):
                continue
            custom = self._custom(entry, path)
            server = self._server(custom, servers, path)
            view = "view" in self._text(entry, "physicalType", path).lower()
            own = self._tags(custom)
            columns = tuple(self._columns(entry, path))
            if server is None or server.source is None:
                continue
            table = Table(
                name=name,
                producer=server.producer,
                database=server.source.database,
                twin=server.source.twin_name,
                description=self._loose(entry, "description"),
                kind="view" if view else "table",
                columns=columns,
                tags={**tags, **own},
            )
            if (self._product, table.key) in self._result.parts:
                self._add("duplicate-table", f'Table "{table.key}" stands in this contract twice.', *path)
                continue
            self._result.parts[self._product, table.key] = path
            for column, place in zip(columns, self._column_paths, strict=True):
                self._result.parts[self._product, table.key, column.name] = place
            yield table

    def _server(self, custom: Mapping[str, tuple[Value, Path]], servers: list[_Server], path: Path) -> _Server | None:
        if "server" in custom:
            value, place = custom["server"]
            chosen = next((server for server in servers if server.name == value), None)
            if chosen is None:
                names = [server.name for server in servers]
                text = f'There is no server "{value}" of type glue in this contract.{did_you_mean(str(value), names)}'
                self._add("unknown-reference", text, *place)
            return chosen
        if len(servers) == 1:
            return servers[0]
        if not servers:
            text = "No server says where this table is.\nAdd one under `servers` with type: glue, account and database."
        else:
            listed = ", ".join(server.name for server in servers)
            mend = "Say which holds this table with the custom property `server`."
            text = f"This contract has several servers ({listed}).\n{mend}"
        self._add("table-server", text, *path)
        return None

    def _glue_name(self, name: str, what: str, path: Path) -> bool:
        if not name:
            self._add("missing-key", f'"name" is missing: every {what} needs one.', *path)
        elif len(name) > 255 or _UNREADABLE & set(name):
            self._add(
                "wrong-value",
                f'"{name[:80]}" cannot name a {what} in Glue.\nGive its name there as `physicalName`.',
                *path,
            )
        else:
            return True
        return False

    # ---------------------------------------------------------------------------------------------- the columns
    def _columns(self, table: Mapped, path: Path) -> Iterator[Column]:
        self._column_paths: list[Path] = []
        names: set[str] = set()
        position = 0
        for place, entry in self._entries(table, "properties", path):
            self._unknown(entry, _PROPERTY_KEYS, place)
            # Glue's engines fold the case of column names; a contract may write them as people do.
            name = (self._text(entry, "physicalName", place) or self._text(entry, "name", place)).lower()
            if not name:
                self._add("missing-key", '"name" is missing: every column needs one.', *place)
                continue
            if name in names:
                self._add("duplicate-column", f'Column "{name}" stands in this table twice.', *place)
                continue
            names.add(name)
            if entry.get("partitioned") is True:
                position += 1
            self._column_paths.append(place)
            yield self._column(entry, name, place, position)

    def _column(self, entry: Mapped, name: str, path: Path, position: int) -> Column:
        custom = self._custom(entry, path)
        sensitivity = self._classification(entry, path)
        self._nested(entry, name, sensitivity, path)
        personal = custom.get("personalData")
        return Column(
            name=name,
            type=self._loose(entry, "physicalType") or self._loose(entry, "logicalType"),
            sensitivity=sensitivity,
            personal_data=self._personal(personal),
            partition_key=self._partition(entry, path, position),
            description=self._loose(entry, "description"),
            tags=self._tags(custom),
        )

    def _personal(self, given: tuple[Value, Path] | None) -> str | None:
        if given is None or given[0] is None:
            return None
        value, path = given
        if not isinstance(value, str):
            self._add("wrong-type", "Expected the kind of personal data as text, such as email.", *path)
            return None
        return value

    def _classification(self, entry: Mapped, path: Path) -> Sensitivity | None:
        given = self._text(entry, "classification", path)
        if not given or given == UNREVIEWED:
            return None
        try:
            return Sensitivity(given)
        except ValueError:
            names = [*(sensitivity.value for sensitivity in Sensitivity), UNREVIEWED]
            text = f'"{given}" is not a sensitivity of this mesh: {", ".join(names)}.{_close(given, names)}'
            self._add("wrong-value", text, *path, "classification")
            return None

    def _nested(self, entry: Mapped, name: str, sensitivity: Sensitivity | None, path: Path) -> None:
        """A nested column is tagged as a whole, so no field in it may be more sensitive than the column."""
        if sensitivity is None:
            return
        for place, inner in _inner(entry, path):
            given = inner.get("classification")
            if given is None:
                continue
            found = self._classification(inner, place)
            if found is not None and found.rank > sensitivity.rank:
                text = (
                    f'This field is {found}, but its column "{name}" is {sensitivity}: Lake Formation decides on '
                    "columns "
                    f"as a whole.\nClassify the column {found}."
                )
                self._add("nested-sensitivity", text, *place, "classification")

    def _partition(self, entry: Mapped, path: Path, position: int) -> int | None:
        given = entry.get("partitionKeyPosition")
        stated = given if isinstance(given, int) and not isinstance(given, bool) and given != -1 else None
        if given is not None and stated is None and given != -1:
            self._add("wrong-type", "Expected a whole number from 1.", *path, "partitionKeyPosition")
        if entry.get("partitioned") is not True:
            if stated is not None:
                text = "The column has a position among the partition keys, but `partitioned` is not true."
                self._add("partition-position", text, *path, "partitionKeyPosition")
            return None
        return position if stated is None else stated

    # --------------------------------------------------------------------------------------------------- pieces
    def _entries(self, value: Mapped, key: str, path: Path) -> Iterator[tuple[Path, Mapped]]:
        entries = value.get(key)
        if entries is None:
            return
        if not isinstance(entries, list):
            self._add("wrong-type", "Expected a list.", *path, key)
            return
        for index, entry in enumerate(entries):
            place = (*path, key, index)
            if isinstance(entry, dict):
                yield place, entry
            else:
                self._add("wrong-type", "Expected keys and values (a mapping).", *place)

    def _custom(self, value: Mapped, path: Path) -> dict[str, tuple[Value, Path]]:
        """Custom properties by name, each with the path of its value."""
        if "customProperties" not in value:
            return {}
        found: dict[str, tuple[Value, Path]] = {}
        for place, entry in self._entries(value, "customProperties", path):
            name = entry.get("property")
            if not isinstance(name, str):
                continue
            meant = _MEANT.get(name.lower().replace("_", "").replace("-", ""))
            if meant is not None and meant != name:
                self._add("custom-property", f'"{name}" is not read. Did you mean "{meant}"?', *place, "property")
            if name in found and name in CUSTOM_PROPERTIES:
                self._add("custom-property", f'The custom property "{name}" stands here twice.', *place, "property")
            found[name] = (entry.get("value"), (*place, "value"))
        return found

    def _tags(self, custom: Mapping[str, tuple[Value, Path]]) -> dict[str, str]:
        value, path = custom.get("lfTags", (None, ()))
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._add("wrong-type", "Expected LF-Tags as keys and values, such as {layer: curated}.", *path)
            return {}
        tags = {key: text for key in value if (text := self._text(value, key, path))}
        self._result.tagged.append((path, tags))
        return tags

    def _text(self, value: Mapped, key: str, path: Path) -> str:
        """Text at `key`, or "": numbers as they are written; words that YAML takes for booleans are refused."""
        given = value.get(key)
        if isinstance(given, str):
            return given
        if given is None:
            return ""
        scalar = self._document.scalar((*path, key))
        if scalar is None:
            self._add("wrong-type", "Expected text.", *path, key)
            return ""
        if isinstance(given, bool):
            text = (
                f'YAML reads {scalar.value} without quotes as {str(given).lower()}; write "{scalar.value}" in quotes.'
            )
            self._add("unquoted-text", text, *path, key)
        return str(scalar.value)

    def _loose(self, value: Mapped, key: str) -> str:
        """Text that people read and nothing depends on."""
        given = value.get(key)
        return given if isinstance(given, str) else "" if given is None else str(given)

    def _unknown(self, value: Mapped, known: frozenset[str], path: Path) -> None:
        for key in value:
            if key not in known:
                mend = "What is your own belongs under customProperties."
                text = f'The standard has no key "{key}" here.{_close(key, known)}\n{mend}'
                self._add("unknown-key", text, *path, key)

    def _add(self, rule: str, message: str, *path: str | int) -> None:
        self._result.problems.append(self._places.problem(rule, message, self._file, *path))


_MEANT: Final = {name.lower(): name for name in CUSTOM_PROPERTIES}


def _inner(entry: Mapped, path: Path) -> Iterator[tuple[Path, Mapped]]:
    """Every field inside a nested column, at any depth; the reader limits the depth."""
    children: list[tuple[Path, Value]] = []
    properties = entry.get("properties")
    if isinstance(properties, list):
        children += [((*path, "properties", index), child) for index, child in enumerate(properties)]
    children.append(((*path, "items"), entry.get("items")))
    mapped = entry.get("map")
    if isinstance(mapped, dict):
        children += [((*path, "map", side), mapped.get(side)) for side in ("key", "value")]
    for place, child in children:
        if isinstance(child, dict):
            yield place, child
            yield from _inner(child, place)


def _close(given: str, names: Any) -> str:
    hint = did_you_mean(given, names)
    return hint if "Did you mean" in hint else ""
