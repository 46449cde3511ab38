"""The state of Lake Formation as values: what the evaluator reads, `expand` writes and `diff` compares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

IAM_ALLOWED_PRINCIPALS = "IAM_ALLOWED_PRINCIPALS"

Expression = tuple[tuple[str, frozenset[str]], ...]
"""An LF-Tag expression: every key must match one of its values; sorted by key."""


def expression(tags: Mapping[str, Iterable[str]]) -> Expression:
    """The one form of an expression: keys sorted, values a set."""
    return tuple((key, frozenset(tags[key])) for key in sorted(tags))


@dataclass(frozen=True, order=True)
class CatalogResource:
    catalog: str


@dataclass(frozen=True, order=True)
class DatabaseResource:
    catalog: str
    database: str


@dataclass(frozen=True, order=True)
class TableResource:
    """A named table, or every table of the database when `table` is None (ALL_TABLES, the wildcard)."""

    catalog: str
    database: str
    table: str | None


@dataclass(frozen=True)
class ColumnsResource:
    """Columns of one table: `include` names them; `include=None` is every column but `exclude`."""

    catalog: str
    database: str
    table: str
    include: frozenset[str] | None = None
    exclude: frozenset[str] = frozenset()


@dataclass(frozen=True, order=True)
class DataFilterResource:
    """A data cells filter of one table, by its name; what it shows stands with the table."""

    catalog: str
    database: str
    table: str
    name: str


@dataclass(frozen=True)
class TagPolicyResource:
    """Every DATABASE or TABLE of the catalog whose LF-Tags match the expression."""

    catalog: str
    kind: str
    expression: Expression


@dataclass(frozen=True)
class TagResource:
    """An LF-Tag key with some of its values, as the object of DESCRIBE or ASSOCIATE."""

    catalog: str
    key: str
    values: frozenset[str]


@dataclass(frozen=True, order=True)
class DataLocationResource:
    catalog: str
    arn: str


Resource = (
    CatalogResource
    | DatabaseResource
    | TableResource
    | ColumnsResource
    | DataFilterResource
    | TagPolicyResource
    | TagResource
    | DataLocationResource
)


def resource_key(resource: Resource) -> str:
    """A readable text that is the same for equal resources and different for others: sorts and names entries."""
    match resource:
        case CatalogResource(catalog):
            return f"{catalog} catalog"
        case DatabaseResource(catalog, database):
            return f"{catalog} database {database}"
        case TableResource(catalog, database, table):
            return f"{catalog} table {database}.{'*' if table is None else table}"
        case ColumnsResource(catalog, database, table, include, exclude):
            columns = f"without {_join(exclude)}" if include is None else f"only {_join(include)}"
            return f"{catalog} columns {database}.{table} {columns}"
        case DataFilterResource(catalog, database, table, name):
            return f"{catalog} data filter {database}.{table} {name}"
        case TagPolicyResource(catalog, kind, tags):
            text = " AND ".join(f"{key} IN ({_join(values)})" for key, values in tags)
            return f"{catalog} {kind} expression {text}"
        case TagResource(catalog, key, values):
            return f"{catalog} LF-Tag {key} IN ({_join(values)})"
        case DataLocationResource(catalog, arn):
            return f"{catalog} location {arn}"


def _join(values: Iterable[str]) -> str:
    return ", ".join(sorted(values))


@dataclass(frozen=True)
class Permission:
    """One explicit grant: a row of ListPermissions.

    `principal` is an IAM ARN, a 12-digit account id or IAM_ALLOWED_PRINCIPALS.
    """

    principal: str
    resource: Resource
    permissions: frozenset[str]
    grantable: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DataFilter:
    """What a data cells filter shows: `include` names columns, None is every column but `exclude`."""

    include: frozenset[str] | None = None
    exclude: frozenset[str] = frozenset()
    rows: str | None = None
    """Row filter expression; None: every row."""


@dataclass(frozen=True)
class TableState:
    """A table: names in order, partition keys apart, LF-Tags set on it and on its columns (not inherited ones)."""

    columns: tuple[str, ...]
    partition_keys: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    column_tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    creator: str | None = None
    filters: Mapping[str, DataFilter] = field(default_factory=dict)
    """Its data cells filters, by name."""


@dataclass(frozen=True)
class DatabaseState:
    tags: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, TableState] = field(default_factory=dict)
    link_to: tuple[str, str] | None = None
    """(catalog, database) of the target where this database is a resource link."""
    creator: str | None = None


@dataclass(frozen=True)
class CatalogState:
    """Lake Formation and Glue of one account and region."""

    account: str
    administrators: frozenset[str] = frozenset()
    permissions: frozenset[Permission] = frozenset()
    """Grants made *in* this account: for its own catalog, and re-grants of what others shared with it."""
    databases: Mapping[str, DatabaseState] = field(default_factory=dict)
    tag_creators: Mapping[str, str] = field(default_factory=dict)
    """Who created each LF-Tag key."""
    shares_accepted_from: frozenset[str] = frozenset()
    """Owners whose LakeFormation* RAM shares with this account are in force (accepted, or needing no invitation)."""

    @cached_property
    def by_principal(self) -> Mapping[str, tuple[Permission, ...]]:
        """`permissions` by principal: a catalog holds a thousand of them, a principal a few."""
        rows: dict[str, list[Permission]] = {}
        for row in self.permissions:
            rows.setdefault(row.principal, []).append(row)
        return {principal: tuple(each) for principal, each in rows.items()}

    @cached_property
    def by_resource(self) -> Mapping[tuple[str, Resource], tuple[Permission, ...]]:
        """`permissions` by natural key: more than one row a key where some were granted apart."""
        rows: dict[tuple[str, Resource], list[Permission]] = {}
        for row in self.permissions:
            rows.setdefault((row.principal, row.resource), []).append(row)
        return {key: tuple(each) for key, each in rows.items()}


@dataclass(frozen=True)
class State:
    """Every account that matters to a question, by account id."""

    catalogs: Mapping[str, CatalogState]
