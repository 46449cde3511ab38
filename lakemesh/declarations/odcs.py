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
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from lakemesh.declarations.errors import did_you_mean
from lakemesh.declarations.models import GLUE_NAME, Domain, Mesh, Product, ServiceLevel, Source, Status, Table
from lakemesh.declarations.odcs_columns import Columns
from lakemesh.declarations.odcs_pieces import (
    CONTRACT_KEYS,
    OBJECT_KEYS,
    Contract,
    Custom,
    Mapped,
    Pieces,
    close,
)
from lakemesh.declarations.places import Places
from lakemesh.declarations.yamlfile import Document, Path, is_quoted

VERSIONS: Final = ("3.0", "3.1", "3.2")
_VERSION: Final = re.compile(r"v(3\.[0-9]+)\.[0-9]+")


@dataclass(frozen=True)
class _Server:
    name: str
    path: Path
    producer: str
    source: Source | None


def read_contract(
    document: Document, file: str, places: Places, domain: str, product: str, mesh: Mesh | None, *, whole: bool = True
) -> Contract:
    """The contract in `file`, which says by its place that it is `product` of `domain`.

    With `mesh` None, or without that domain in it, only what the contract says by itself is checked, and no product is
    built. `whole`: mesh.yaml has no mistake, so what is not in `mesh` does not exist.
    """
    return _Reader(document, file, places, (domain, product), mesh, whole=whole).read()


class _Reader(Pieces):
    def __init__(
        self,
        document: Document,
        file: str,
        places: Places,
        speaks_of: tuple[str, str],
        mesh: Mesh | None,
        *,
        whole: bool,
    ) -> None:
        super().__init__(document, file, places)
        self._domain, self._product = speaks_of
        self._whole = whole
        self._mesh = mesh
        self._entry: Domain | None = mesh.domains.get(self._domain) if mesh else None

    def read(self) -> Contract:
        value = self.document.value
        if not isinstance(value, dict):
            self.add("wrong-type", "The file must hold a data contract (keys and values).")
            return self.result
        self.unknown(value, CONTRACT_KEYS, ())
        self._standard(value)
        self._identity(value)
        status = self._status(value)
        custom = self.custom(value, ())
        tags = self.tags(custom)
        servers = self._servers(value)
        tables = tuple(self._tables(value, servers, tags))
        since = self._since(custom)
        finders = self._finders(custom)
        if self._entry is None or self._mesh is None:
            return self.result
        failed = bool(self.result.problems)
        try:
            product = Product(
                name=self._product,
                domain=self._domain,
                version=self.text(value, "version", ()) or "0",
                status=status,
                title=self.loose(value, "dataProduct") or self._product,
                description=self._description(value),
                deprecated_since=since,
                discoverable_by=finders,
                tables=tables,
                service_levels=tuple(self._service_levels(value)),
                tags=tags,
            )
        except ValidationError:
            if not failed:
                self.add(
                    "wrong-value",
                    f'"{self._product}" cannot name a product: it becomes a value of the LF-Tag "product".\n'
                    'Name the file with at most 50 lower-case letters, digits, "-" and "_", beginning with a letter.',
                )
            return self.result
        self.result.product = product
        return self.result

    # ------------------------------------------------------------------------------------------------- the head
    def _standard(self, value: Mapped) -> None:
        for key in ("apiVersion", "kind", "id", "version"):
            if value.get(key) is None or value[key] == "":
                self.add("missing-key", f'"{key}" is missing; the Open Data Contract Standard requires it.', key)
        kind = value.get("kind")
        if kind is not None and kind != "DataContract":
            self.add("wrong-value", f'"{kind}" is not a kind of contract that is read; write DataContract.', "kind")
        version = value.get("apiVersion")
        if version is not None:
            match = _VERSION.fullmatch(str(version))
            if match is None or match.group(1) not in VERSIONS:
                known = ", ".join(f"v{number}.x" for number in VERSIONS)
                self.add("contract-version", f'"{version}" is not a version that is read: {known}.', "apiVersion")

    def _identity(self, value: Mapped) -> None:
        name = self.text(value, "name", ())
        if name and name != self._product:
            text = f'The contract names itself "{name}", but its file says "{self._product}".\nGive both the same name.'
            self.add("product-name", text, "name")
        domain = self.text(value, "domain", ())
        if domain and domain != self._domain:
            where = f"products/{self._domain}/"
            text = f'The contract belongs to domain "{domain}", but lies in {where}.\nMove it, or change `domain`.'
            self.add("product-domain", text, "domain")

    def _status(self, value: Mapped) -> Status:
        given = self.text(value, "status", ())
        if not given:
            return Status.DRAFT
        try:
            return Status(given)
        except ValueError:
            names = [status.value for status in Status]
            self.add("wrong-value", f'"{given}" is not one of {", ".join(names)}.{close(given, names)}', "status")
            return Status.DRAFT

    def _since(self, custom: Custom) -> dt.date | None:
        if "deprecatedSince" not in custom:
            return None
        value, path = custom["deprecatedSince"]
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            self.add("wrong-type", f'"{value}" is not a date; write it as 2026-03-09.', *path)
            return None

    def _finders(self, custom: Custom) -> tuple[str, ...] | None:
        """Consumers that may find the product; None where it says nothing, and everybody may."""
        if "discoverableBy" not in custom:
            return None
        value, path = custom["discoverableBy"]
        names = value if isinstance(value, list) else [value]
        known = self._mesh.consumers if self._mesh else {}
        for position, name in enumerate(names):
            if not isinstance(name, str):
                self.add("wrong-type", "Expected names of consumers, such as [treasury].", *path)
            elif self._mesh is not None and self._whole and name not in known:
                place = (*path, position) if isinstance(value, list) else path
                text = f'There is no consumer "{name}" in {self.places.mesh_file}.{did_you_mean(name, known)}'
                self.add("unknown-reference", text, *place)
        return tuple(str(name) for name in names)

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
        for path, entry in self.entries(value, "servers", ()):
            name = self.text(entry, "server", path)
            if name and name in names:
                self.add("duplicate-server", f'Two servers are called "{name}".', *path, "server")
            names.add(name)
            if self.text(entry, "type", path).lower() != "glue":
                continue  # where else the data may be is for the people who use it
            producer, source = self._source(entry, path)
            found.append(_Server(name, path, producer, source))
        return found

    def _source(self, entry: Mapped, path: Path) -> tuple[str, Source | None]:
        """Which of the domain's sources a server of type glue is."""
        account = self._account(entry, path)
        database = self.text(entry, "database", path).lower()
        if not database:
            self.add("missing-key", '"database" is missing: the Glue database of the tables.', *path)
        if not account or not database or self._mesh is None or self._entry is None:
            return "", None
        producer = next((name for name, item in self._mesh.producers.items() if item.account == account), "")
        if not producer and not self._whole:
            return "", None
        if not producer:
            known = [item.account for item in self._mesh.producers.values()]
            text = f'No producer in {self.places.mesh_file} has the account "{account}".{did_you_mean(account, known)}'
            self.add("unknown-reference", text, *path, "account")
            return "", None
        matching = [s for s in self._entry.sources if s.producer == producer and s.database == database]
        if matching:
            self._location(entry, path, matching)
            return producer, matching[0]
        # A source whose producer is misspelt may well be the one that is meant.
        misspelt = [s for s in self._entry.sources if s.database == database and s.producer not in self._mesh.producers]
        if misspelt or not self._whole:
            return producer, None
        known = [source.database for source in self._entry.sources if source.producer == producer]
        text = (
            f'Database "{database}" of producer "{producer}" is not a source of domain "{self._domain}".'
            f"{did_you_mean(database, known)}\nAdd it under domains.{self._domain}.sources in {self.places.mesh_file}."
        )
        self.add("unknown-reference", text, *path, "database")
        return producer, None

    def _account(self, entry: Mapped, path: Path) -> str:
        account = entry.get("account")
        scalar = self.document.scalar((*path, "account"))
        if isinstance(account, str) and re.fullmatch("[0-9]{12}", account) and is_quoted(scalar):
            return account
        if account is None:
            self.add("missing-key", '"account" is missing: the account of the producer, in quotes.', *path)
        elif isinstance(account, str) and not re.fullmatch("[0-9]{12}", account):
            self.add("wrong-value", f'"{account}" must be an account id: 12 digits in quotes.', *path, "account")
        else:
            written = scalar.value if scalar else ""
            text = f'An account id must be in quotes, or YAML drops its leading zeros: write "{written}".'
            self.add("wrong-type", text, *path, "account")
        return ""

    def _location(self, entry: Mapped, path: Path, sources: list[Source]) -> None:
        location = self.text(entry, "location", path)
        prefixes = [prefix for source in sources for prefix in source.prefixes]
        if location and not any(f"{location.rstrip('/')}/".startswith(prefix) for prefix in prefixes):
            text = (
                f'"{location}" is outside the prefixes of source "{sources[0].database}" ({", ".join(prefixes)}), '
                f"so its tables would not be copied.\nCorrect it, or add the prefix in {self.places.mesh_file}."
            )
            self.add("location-outside", text, *path, "location")

    # ----------------------------------------------------------------------------------------------- the tables
    def _tables(self, value: Mapped, servers: list[_Server], tags: Mapping[str, str]) -> Iterator[Table]:
        for path, entry in self.entries(value, "schema", ()):
            self.unknown(entry, OBJECT_KEYS, path)
            name = (self.text(entry, "physicalName", path) or self.text(entry, "name", path)).lower()
            if not self._glue_name(name, "table", path):
                continue
            custom = self.custom(entry, path)
            server = self._server(custom, servers, path)
            view = "view" in self.text(entry, "physicalType", path).lower()
            own = self.tags(custom)
            columns = list(Columns(self).of(entry, path))
            if server is None or server.source is None:
                continue
            table = Table(
                name=name,
                producer=server.producer,
                database=server.source.database,
                twin=server.source.twin_name,
                description=self.loose(entry, "description"),
                kind="view" if view else "table",
                columns=tuple(column for _, column in columns),
                tags={**tags, **own},
            )
            if (self._product, table.key) in self.result.parts:
                self.add("duplicate-table", f'Table "{table.key}" stands in this contract twice.', *path)
                continue
            self.result.parts[self._product, table.key] = path
            for place, column in columns:
                self.result.parts[self._product, table.key, column.name] = place
            yield table

    def _server(self, custom: Custom, servers: list[_Server], path: Path) -> _Server | None:
        if "server" in custom:
            value, place = custom["server"]
            chosen = next((server for server in servers if server.name == value), None)
            if chosen is None:
                names = [server.name for server in servers]
                text = f'There is no server "{value}" of type glue in this contract.{did_you_mean(str(value), names)}'
                self.add("unknown-reference", text, *place)
            return chosen
        if len(servers) == 1:
            return servers[0]
        if not servers:
            text = "No server says where this table is.\nAdd one under `servers` with type: glue, account and database."
        else:
            listed = ", ".join(server.name for server in servers)
            mend = "Say which holds this table with the custom property `server`."
            text = f"This contract has several servers ({listed}).\n{mend}"
        self.add("table-server", text, *path)
        return None

    def _glue_name(self, name: str, what: str, path: Path) -> bool:
        if not name:
            self.add("missing-key", f'"name" is missing: every {what} needs one.', *path)
        elif not re.fullmatch(GLUE_NAME, name):
            self.add(
                "wrong-value",
                f'"{name[:80]}" cannot name a {what} in Glue.\nGive its name there as `physicalName`.',
                *path,
            )
        else:
            return True
        return False
