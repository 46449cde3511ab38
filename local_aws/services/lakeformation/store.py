"""Lake Formation as values: one data lake an account and region, and the `State` that the evaluator decides on.

Grants live in the account that made them: the owner's for its own catalog, a recipient's for what it passed on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lakemesh.access.evaluate import account_of
from lakemesh.access.state import (
    IAM_ALLOWED_PRINCIPALS,
    CatalogState,
    ColumnsResource,
    DatabaseResource,
    DatabaseState,
    DataFilter,
    DataFilterResource,
    Permission,
    Resource,
    State,
    TableResource,
    TableState,
)
from local_aws.services import calls, ram
from local_aws.services.glue import store as glue

Object = tuple[str, str | None, str | None]
"""Something that carries LF-Tags: database, table of it or None, column of that or None."""


FilterKey = tuple[str, str, str]
"""Database, table and name of a data cells filter."""


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


@dataclass
class Tag:
    values: list[str]
    creator: str


@dataclass(frozen=True)
class Filter:
    """A data cells filter: as it was given, and what it shows."""

    document: Mapping[str, Any]
    shows: DataFilter


@dataclass
class Row:
    """One (principal, resource) with everything granted on it so far."""

    permission: Permission
    updated: dt.datetime
    by: str


@dataclass
class Lake:
    account: str
    region: str
    settings: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    assigned: dict[Object, dict[str, str]] = field(default_factory=dict)
    rows: dict[tuple[str, Resource], Row] = field(default_factory=dict)
    registrations: dict[str, dict[str, Any]] = field(default_factory=dict)
    """ResourceInfo by S3 ARN."""
    filters: dict[FilterKey, Filter] = field(default_factory=dict)
    _version: int = 0
    _known: tuple[int, frozenset[Permission]] = (0, frozenset())

    @property
    def permissions(self) -> frozenset[Permission]:
        """Every grant. Kept by version: threads that read meet others that grant."""
        version, known = self._known
        if version != self._version:
            version = self._version
            known = frozenset(row.permission for row in list(self.rows.values()))
            self._known = version, known
        return known

    def put(self, permission: Permission, by: str) -> None:
        """Make this what the principal has on the resource; nothing at all removes it."""
        key = permission.principal, permission.resource
        if permission.permissions:
            self.rows[key] = Row(permission, now(), by)
        else:
            self.rows.pop(key, None)
        self._version += 1

    def set_filter(self, key: FilterKey, document: Mapping[str, Any], shows: DataFilter) -> None:
        self.filters[key] = Filter({**document, "TableCatalogId": self.account}, shows)

    def drop_filter(self, key: FilterKey) -> None:
        """Forget a filter and what was granted on it."""
        del self.filters[key]
        for principal, resource in list(self.rows):
            if resource == DataFilterResource(self.account, *key):
                self.put(Permission(principal, resource, frozenset()), "")

    def held(self, principal: str, resource: Resource) -> Permission:
        row = self.rows.get((principal, resource))
        return row.permission if row else Permission(principal, resource, frozenset())

    def forget(self, database: str, table: str | None = None) -> None:
        """Drop what a deleted object carried: its name does not bring it back (granting-catalog-permissions)."""
        for key in [key for key in self.assigned if key[0] == database and table in {None, key[1]}]:
            del self.assigned[key]
        for name in [each for each in self.filters if each[0] == database and table in {None, each[1]}]:
            self.drop_filter(name)
        for principal, resource in list(self.rows):
            if resource.catalog != self.account:
                continue
            gone = (isinstance(resource, DatabaseResource) and table is None and resource.database == database) or (
                isinstance(resource, TableResource | ColumnsResource)
                and resource.database == database
                and table in {None, resource.table}
            )
            if gone:
                self.put(Permission(principal, resource, frozenset()), "")

    def forget_columns(self, database: str, table: str, names: frozenset[str]) -> None:
        """Drop the tags of columns that are no longer there."""
        for key in [k for k in self.assigned if k[:2] == (database, table) and k[2] is not None and k[2] not in names]:
            del self.assigned[key]


_lakes: dict[tuple[str, str], Lake] = {}


def lake(account: str, region: str) -> Lake:
    found = _lakes.get((account, region))
    return found if found is not None else _lakes.setdefault((account, region), Lake(account, region))


@calls.on_reset
def clear() -> None:
    _lakes.clear()


# ------------------------------------------------------------------------------------------------- for the evaluator
class _Tables(Mapping[str, TableState]):
    """Tables of a database, translated when asked for."""

    def __init__(self, here: Lake, database: glue.Database) -> None:
        self._lake, self._database = here, database

    def __getitem__(self, name: str) -> TableState:
        table = self._database.tables[name]
        assigned = self._lake.assigned
        columns = {
            column: tags
            for column in (*table.columns, *table.partition_keys)
            if (tags := assigned.get((self._database.name, name, column)))
        }
        tags = assigned.get((self._database.name, name, None), {})
        filters = {
            key[2]: each.shows for key, each in list(self._lake.filters.items()) if key[:2] == (table.database, name)
        }
        return TableState(table.columns, table.partition_keys, tags, columns, table.creator, filters)

    def __iter__(self) -> Iterator[str]:
        return iter(self._database.tables)

    def __len__(self) -> int:
        return len(self._database.tables)


class _Databases(Mapping[str, DatabaseState]):
    def __init__(self, here: Lake) -> None:
        self._lake, self._databases = here, glue.catalog(here.account, here.region).databases

    def __getitem__(self, name: str) -> DatabaseState:
        database = self._databases[name]
        tags = self._lake.assigned.get((name, None, None), {})
        return DatabaseState(tags, _Tables(self._lake, database), database.target, database.creator)

    def __iter__(self) -> Iterator[str]:
        return iter(self._databases)

    def __len__(self) -> int:
        return len(self._databases)


def root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


def administrators(here: Lake) -> frozenset[str]:
    """Those of the settings, and the account's root, who stands for the person that set the account up."""
    named = (admin["DataLakePrincipalIdentifier"] for admin in here.settings.get("DataLakeAdmins", ()))
    return frozenset((*named, root(here.account)))


def state(region: str, *accounts: str) -> State:
    """What the evaluator needs to know of these accounts.

    A grant to another account counts once the RAM share that carries it is accepted, so others are left out.
    """
    catalogs = {}
    for account in accounts:
        here = lake(account, region)
        pending = ram.pending(account, region)
        permissions = here.permissions
        if pending:
            permissions = frozenset(p for p in permissions if (p.principal, ram.kind(p.resource)) not in pending)
        catalogs[account] = CatalogState(
            account,
            administrators(here),
            permissions,
            _Databases(here),
            {key: tag.creator for key, tag in list(here.tags.items())},
            ram.accepted_from(account, region),
        )
    return State(catalogs)


def is_external(principal: str, account: str) -> bool:
    """Whether a principal belongs to another account."""
    return principal != IAM_ALLOWED_PRINCIPALS and account_of(principal) != account


def share(here: Lake) -> None:
    """Make the RAM shares of a lake what its grants to other accounts ask for."""
    wanted: dict[tuple[str, str], set[Resource]] = {}
    for principal, resource in here.rows:
        if resource.catalog == here.account and is_external(principal, here.account):
            wanted.setdefault((principal, ram.kind(resource)), set()).add(resource)
    version = here.settings.get("Parameters", {}).get("CROSS_ACCOUNT_VERSION", "1")
    ram.reconcile(here.account, here.region, wanted, version)
