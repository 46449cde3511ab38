"""The Glue Data Catalog as values: one catalog an account and region. Names are lower-case, as Glue stores them.

What an API returns of a table or partition is kept ready, so that reads copy nothing: those dictionaries are read-only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from local_aws.services import calls

Document = dict[str, Any]
Values = tuple[str, ...]


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


@dataclass(slots=True)
class Table:
    """A table: `output` is what GetTable returns of it, `input` the TableInput that made this version of it."""

    name: str
    database: str
    catalog: str
    creator: str
    input: Document
    created: dt.datetime = field(default_factory=now)
    version: int = 0
    archived: list[Document] = field(default_factory=list)
    """Earlier versions' outputs, oldest first; those that SkipArchive left out are not among them."""
    partitions: dict[Values, Document] = field(default_factory=dict)
    """What GetPartition returns, by values."""
    columns: tuple[str, ...] = ()
    partition_keys: tuple[str, ...] = ()
    target: tuple[str, str, str] | None = None
    """Table links are not modelled: always None."""
    output: Document = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.put(self.input)

    def put(self, given: Document) -> None:
        """Make `given` the current version's input."""
        self.input = given
        keys = given.get("PartitionKeys") or []
        self.columns = tuple(c["Name"] for c in given.get("StorageDescriptor", {}).get("Columns", ()))
        self.partition_keys = tuple(c["Name"] for c in keys)
        self.output = {
            "Retention": 0,
            **given,
            "PartitionKeys": keys,
            "DatabaseName": self.database,
            "CatalogId": self.catalog,
            "CreateTime": self.created,
            "UpdateTime": now(),
            "CreatedBy": self.creator,
            "VersionId": str(self.version),
        }

    def update(self, given: Document, *, archive: bool) -> None:
        if archive:
            self.archived.append(self.output)
        self.version += 1
        self.put(given)

    @property
    def location(self) -> str | None:
        location: str | None = self.input.get("StorageDescriptor", {}).get("Location")
        return location


@dataclass(slots=True)
class Database:
    """A database or, with a `target` (catalog, database), a resource link to one."""

    name: str
    catalog: str
    creator: str
    input: Document
    target: tuple[str, str] | None = None
    tables: dict[str, Table] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    created: dt.datetime = field(default_factory=now)

    @property
    def output(self) -> Document:
        """What GetDatabase returns of it, a link not followed."""
        return {**self.input, "Name": self.name, "CatalogId": self.catalog, "CreateTime": self.created}


@dataclass(slots=True)
class Catalog:
    account: str
    region: str
    databases: dict[str, Database] = field(default_factory=dict)
    encryption: Document = field(default_factory=dict)
    """DataCatalogEncryptionSettings; empty: never put."""
    policy: Document = field(default_factory=dict)
    """GetResourcePolicy's members; empty: none."""


_catalogs: dict[tuple[str, str], Catalog] = {}


def catalog(account: str, region: str) -> Catalog:
    """The catalog of an account in a region."""
    found = _catalogs.get((account, region))
    return found if found is not None else _catalogs.setdefault((account, region), Catalog(account, region))


@calls.on_reset
def clear() -> None:
    _catalogs.clear()
