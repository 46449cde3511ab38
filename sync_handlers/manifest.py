"""Typed reader of `manifest.json`: what the declarations want, as the bundle carries it.

Only what handlers use is read; fields added by a newer compiler are ignored, a version this code does not know is
refused.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sync_handlers.errors import ManifestError, NotDeployedError, deploy
from sync_handlers.settings import settings

VERSION = 1
SENSITIVITY = "sensitivity"
BUILT_IN = frozenset({"domain", "product", SENSITIVITY})


@dataclass(frozen=True)
class Producer:
    name: str
    account: str
    governance: str
    reader_role: str
    external_id: str
    stack: str


@dataclass(frozen=True)
class Source:
    """One source database and its twin."""

    twin: str
    domain: str
    producer: str
    database: str
    prefixes: tuple[str, ...]
    listed: frozenset[str]
    """Tables of it that contracts list."""
    digest: str


@dataclass(frozen=True)
class Column:
    """One column of a contract."""

    name: str
    type: str
    sensitivity: str | None
    partition_key: int | None
    tags: Mapping[str, str] = field(default_factory=dict)
    """LF-Tags wanted on the column, `sensitivity` among them; empty while it is unreviewed."""

    @property
    def reviewed(self) -> bool:
        return self.sensitivity is not None


@dataclass(frozen=True)
class Table:
    """One table that a contract lists."""

    twin: str
    name: str
    product: str
    kind: str
    """`table` or `view`."""
    tags: Mapping[str, str]
    columns: tuple[Column, ...]
    digest: str

    @property
    def key(self) -> str:
        return f"{self.twin}.{self.name}"

    @functools.cached_property
    def by_name(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}


@dataclass(frozen=True)
class Product:
    """What the sync has to know of a data product."""

    name: str
    domain: str
    version: str
    """Of its contract: raising it lets a breaking change through."""
    max_age: int | None = None
    """Seconds after which its data is stale, by the contract; None: it promises nothing."""


@dataclass(frozen=True)
class Grant:
    """Who uses a product."""

    products: frozenset[str]
    consumer: str
    expires: dt.date | None
    """The first day without it."""


@dataclass(frozen=True)
class Limits:
    """What bounds deletions (`sync` in mesh.yaml)."""

    grace: dt.timedelta = dt.timedelta(hours=24)
    count: int = 10
    share: float = 0.1


@dataclass(frozen=True)
class Manifest:
    mesh: str
    account: str
    """Account of the central catalog."""
    producers: Mapping[str, Producer]
    domains: Mapping[str, str]
    """Stack of each domain."""
    keys: frozenset[str]
    """LF-Tag keys that the mesh manages."""
    sources: Mapping[str, Source]
    tables: Mapping[str, Table]
    products: Mapping[str, Product] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def consumers(self, product: str, today: dt.date) -> tuple[str, ...]:
        """Consumers with a grant on the product that has not expired, sorted."""
        return tuple(
            sorted(
                {
                    grant.consumer
                    for grant in self.grants
                    if product in grant.products and (grant.expires is None or grant.expires > today)
                }
            )
        )

    def twins(self, domain: str) -> tuple[str, ...]:
        """The twins that a domain answers for, sorted."""
        return tuple(sorted(twin for twin, source in self.sources.items() if source.domain == domain))

    def source(self, twin: str, digest: str) -> Source:
        """The declared source of a twin, as the invocation knows it.

        Raises NotDeployedError when it is absent or differs: this function then carries an older manifest
        (docs/adr/0005).
        """
        found = self.sources.get(twin)
        if found is None or found.digest != digest:
            raise stale(f"database {twin}", found.digest if found else None, digest)
        return found

    def table(self, key: str, digest: str) -> Table:
        """The contract of a table (`twin.table`), as the invocation knows it; raises like `source`."""
        found = self.tables.get(key)
        if found is None or found.digest != digest:
            raise stale(f"table {key}", found.digest if found else None, digest)
        return found

    def split(self, key: str) -> tuple[str, str]:
        """Twin and table of `twin.table`, also of a table that is no longer in the manifest; names may hold dots."""
        twins = [twin for twin in self.sources if key.startswith(f"{twin}.")]
        twin = max(twins, key=len) if twins else key.partition(".")[0]
        return twin, key[len(twin) + 1 :]


def stale(what: str, has: str | None, wanted: str) -> NotDeployedError:
    carries = f"digest {has}" if has else "nothing"
    return NotDeployedError(
        f"{what}: this function carries {carries} of it, the invocation is about digest {wanted}. The manifest is "
        f"bundled with the functions of stack central: {deploy('central')}."
    )


def load(path: Path) -> Manifest:
    """Read and check the manifest; raises ManifestError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ManifestError(
            f"{path}: the function was bundled without its manifest. {deploy('central').capitalize()}."
        ) from None
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path}: not a readable manifest ({error}). {deploy('central').capitalize()}.") from error
    return parse(document, str(path))


@functools.cache
def bundled() -> Manifest:
    """The manifest of this bundle, read once per execution environment."""
    return load(settings().manifest)


def parse(document: Any, where: str = "manifest.json") -> Manifest:
    """A manifest from its JSON value; raises ManifestError for another version or a missing field."""
    version = document.get("version") if isinstance(document, dict) else None
    if version != VERSION or isinstance(version, bool):
        raise ManifestError(
            f"{where}: manifest version {version!r}; these handlers read version {VERSION}. Bundle and manifest come "
            f"from different releases: {deploy('central')}."
        )
    try:
        return _parse(document)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ManifestError(
            f"{where}: a field is missing or of the wrong type ({type(error).__name__}: {error}); "
            "schemas/manifest.schema.json says what it holds."
        ) from error


def _parse(document: Mapping[str, Any]) -> Manifest:
    return Manifest(
        mesh=_text(document["mesh"]),
        account=_text(document["central"]["account"]),
        producers={name: _producer(name, value) for name, value in document["producers"].items()},
        domains={name: _text(value["stack"]) for name, value in document["domains"].items()},
        keys=BUILT_IN | frozenset(document["ontology"]),
        sources={twin: _source(twin, value) for twin, value in document["sources"].items()},
        tables={key: _table(value) for key, value in document["tables"].items()},
        products={name: _product(name, value) for name, value in document["products"].items()},
        grants=tuple(_grant(value) for value in document["grants"]),
        limits=_limits(document["thresholds"]),
    )


def _product(name: str, value: Mapping[str, Any]) -> Product:
    age = value["maxAgeSeconds"]
    return Product(name, _text(value["domain"]), _text(value["version"]), None if age is None else int(age))


def _grant(value: Mapping[str, Any]) -> Grant:
    expires = value["expires"]
    return Grant(
        products=frozenset(_text(name) for name in value["products"]),
        consumer=_text(value["to"]).partition("/")[0],
        expires=None if expires is None else dt.date.fromisoformat(expires),
    )


def _limits(value: Mapping[str, Any]) -> Limits:
    bounds = value["massDelete"]
    return Limits(
        grace=dt.timedelta(hours=int(value["gracePeriodHours"])),
        count=int(bounds["count"]),
        share=float(bounds["share"]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"expected a text, got {value!r}")
    return value


def _producer(name: str, value: Mapping[str, Any]) -> Producer:
    return Producer(
        name=name,
        account=_text(value["account"]),
        governance=_text(value["governance"]),
        reader_role=_text(value["readerRole"]),
        external_id=_text(value["externalId"]),
        stack=_text(value["stack"]),
    )


def _source(twin: str, value: Mapping[str, Any]) -> Source:
    return Source(
        twin=twin,
        domain=_text(value["domain"]),
        producer=_text(value["producer"]),
        database=_text(value["database"]),
        prefixes=tuple(_text(prefix) for prefix in value["prefixes"]),
        listed=frozenset(_text(name) for name in value["tables"]),
        digest=_text(value["digest"]),
    )


def _table(value: Mapping[str, Any]) -> Table:
    kind = _text(value["kind"])
    if kind not in {"table", "view"}:
        raise ValueError(f"kind {kind!r} is neither table nor view")
    return Table(
        twin=_text(value["twin"]),
        name=_text(value["table"]),
        product=_text(value["product"]),
        kind=kind,
        tags={key: _text(tag) for key, tag in value["tags"].items()},
        columns=tuple(_column(column) for column in value["columns"]),
        digest=_text(value["digest"]),
    )


def _column(value: Mapping[str, Any]) -> Column:
    sensitivity = value["sensitivity"]
    # Nothing is set on a column that nobody has reviewed: it inherits `unreviewed` from its database.
    tags = {key: _text(tag) for key, tag in value["tags"].items()} if sensitivity is not None else {}
    if sensitivity is not None and tags.setdefault(SENSITIVITY, _text(sensitivity)) != sensitivity:
        raise ValueError(f"column {value['name']!r}: tag {tags[SENSITIVITY]!r} is not its sensitivity {sensitivity!r}")
    return Column(
        name=_text(value["name"]).lower(),
        type=str(value["type"]),
        sensitivity=sensitivity,
        partition_key=value["partitionKey"],
        tags=tags,
    )
