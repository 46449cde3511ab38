"""What was read of an account, as values: plans are made from these alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any

from lakemesh.declarations.governance import Governance


@unique
class TableKind(StrEnum):
    """What a Glue table is, as far as the mesh cares."""

    TABLE = "table"
    VIEW = "view"
    CATALOG_VIEW = "data catalog view"
    """Multi-dialect: its definition cannot reference tables of another account."""
    LINK = "resource link"


@dataclass(frozen=True)
class ColumnFacts:
    name: str
    type: str
    comment: str = ""


@dataclass(frozen=True)
class TableFacts:
    database: str
    name: str
    kind: TableKind
    format: str
    """parquet, csv, iceberg …; empty where nothing says it."""
    columns: tuple[ColumnFacts, ...]
    partition_keys: tuple[ColumnFacts, ...] = ()
    directories: tuple[str, ...] = ()
    """Every S3 directory that it names, its partitions' included: `s3://bucket/path/`."""
    unreachable: tuple[str, ...] = ()
    """Locations that are not in S3, or that no prefix can name."""
    description: str = ""

    @property
    def key(self) -> str:
        return f"{self.database}.{self.name}"


@dataclass(frozen=True)
class DatabaseFacts:
    name: str
    tables: tuple[TableFacts, ...]
    location: str = ""
    link_to: str = ""
    """Account that a resource link points to."""


@dataclass(frozen=True)
class KeyFacts:
    arn: str
    customer_managed: bool
    policy: str | None = None


@dataclass(frozen=True)
class BucketFacts:
    name: str
    key: KeyFacts | None = None
    """Key of its default encryption, where that is SSE-KMS."""
    policy: str | None = None


@dataclass(frozen=True)
class PermissionFacts:
    """One line of Lake Formation's ListPermissions."""

    principal: str
    resource: Mapping[str, Any]
    permissions: tuple[str, ...]
    grantable: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProducerFacts:
    account: str
    databases: tuple[DatabaseFacts, ...]
    """Every database, with every table."""
    own_buckets: frozenset[str] = frozenset()
    buckets: Mapping[str, BucketFacts] = field(default_factory=dict)
    """Those of its own in which tables lie that were chosen."""
    catalog_key: KeyFacts | None = None
    catalog_policy: str | None = None
    administrators: tuple[str, ...] = ()
    permissions: tuple[PermissionFacts, ...] | None = None
    """None: Lake Formation does not show them to these credentials."""
    sees_all: bool = True
    """Whether `permissions` are all there are: only administrators see those of others."""
    open_by_default: bool = True
    """Whether Lake Formation gives new tables to IAMAllowedPrincipals."""
    caveats: tuple[str, ...] = ()
    """What could not be seen."""

    def governance(self, databases: frozenset[str]) -> Governance:
        """Who decides on reads: IAM, where IAMAllowedPrincipals holds ALL on each of `databases` and its tables."""
        if self.permissions is None or not self.sees_all:
            return Governance.IAM if self.open_by_default else Governance.LAKE_FORMATION
        left_to_iam = {resource_name(one.resource) for one in self.permissions if is_open(one)}
        for database in self.databases:
            if database.name not in databases:
                continue
            whole = (database.name, "*") in left_to_iam
            names = {(database.name, "")} | {(database.name, table.name) for table in database.tables if not whole}
            if not names <= left_to_iam:
                return Governance.LAKE_FORMATION
        return Governance.IAM


@dataclass(frozen=True)
class RoleFacts:
    name: str
    arn: str
    path: str
    trust: Mapping[str, Any]
    statements: tuple[Mapping[str, Any], ...]
    """Of every policy it has, inline and managed."""


@dataclass(frozen=True)
class ConsumerFacts:
    account: str
    roles: tuple[RoleFacts, ...]
    administrators: tuple[str, ...]
    open_by_default: bool
    trusted_owners: tuple[str, ...]
    databases: Mapping[str, str]
    """Its databases, each with the account that it links to, or an empty text."""


IAM_ALLOWED_PRINCIPALS = "IAM_ALLOWED_PRINCIPALS"


def is_open(permission: PermissionFacts) -> bool:
    """Whether this leaves a resource to IAM."""
    return permission.principal == IAM_ALLOWED_PRINCIPALS and "ALL" in permission.permissions


def resource_name(resource: Mapping[str, Any]) -> tuple[str, str]:
    """(database, table) of a Lake Formation resource; "*" for all tables, "" for the database or for none."""
    if found := resource.get("Database"):
        return str(found["Name"]), ""
    found = resource.get("Table") or resource.get("TableWithColumns")
    if not found:
        return "", ""
    return str(found["DatabaseName"]), str(found.get("Name") or "*") if "TableWildcard" not in found else "*"
