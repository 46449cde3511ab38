"""May a principal see or read a column, and why: Lake Formation's decision as a pure function of a `State`.

Each rule names its page of the Lake Formation developer guide ("LF-dg"). Where AWS's documentation leaves a question
open the answer here is the one that shows less, except where a wider answer is the danger to know about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lakemesh.access.matching import column_tags, every_column, matches, reach, row_filter
from lakemesh.access.state import (
    IAM_ALLOWED_PRINCIPALS,
    CatalogState,
    ColumnsResource,
    DatabaseResource,
    DatabaseState,
    DataFilterResource,
    DataLocationResource,
    Permission,
    Resource,
    State,
    TableResource,
    TableState,
    TagPolicyResource,
    TagResource,
    resource_key,
)

ALL = "ALL"
EVERY_VALUE = "*"
_NOTHING: frozenset[str] = frozenset()
RowFilters = Mapping[str, frozenset[str]]
"""By column: row filter expressions of which one must hold for a row, or its cell is null. Not here: every row."""


@dataclass(frozen=True)
class TableAccess:
    """What a principal has of one table."""

    described: bool
    """Whether the table shows at all in Glue."""
    visible: frozenset[str]
    """Columns that Glue shows."""
    selectable: frozenset[str]
    """Columns whose data may be read."""
    reasons: Mapping[str, tuple[str, ...]]
    """By column, and under "" for the table as a whole."""
    rows: RowFilters = field(default_factory=dict)
    """Of selectable columns: where only some rows may be read."""


@dataclass(frozen=True)
class DatabaseAccess:
    described: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """Something that gives a principal permissions, and how it got there."""

    permission: Permission
    why: str


def account_of(principal: str) -> str:
    """The account of an IAM ARN, or the account id itself."""
    return principal.split(":")[4] if principal.startswith("arn:") else principal


def gives(permission: Permission, wanted: str) -> bool:
    """ALL ("Super") stands for every permission of its resource (LF-dg lf-permissions-reference)."""
    return bool({wanted, ALL} & permission.permissions)


def _passes_on(permission: Permission, wanted: str) -> bool:
    return bool({wanted, ALL} & permission.grantable)


# ------------------------------------------------------------------------------------------------ whose grants count
def effective(state: State, principal: str, owner: str) -> Iterator[Source]:
    """Every grant on the catalog of `owner` that counts for a principal.

    In the owner's account: its own grants and those to IAM_ALLOWED_PRINCIPALS, a group of everyone IAM lets in (LF-dg
    change-settings). From another account: direct grants, and what its own account passed on, while the account's grant
    stands; both only once the share is accepted (LF-dg accepting-ram-invite).
    """
    home = account_of(principal)
    here = state.catalogs.get(owner)
    if here is None:
        return
    if home == owner:
        # What the account passes on of others' catalogs stands in the same list, and names may be the same.
        for who, why in ((principal, "granted"), (IAM_ALLOWED_PRINCIPALS, "granted to IAM_ALLOWED_PRINCIPALS")):
            for row in here.by_principal.get(who, ()):
                if row.resource.catalog == owner:
                    yield Source(row, why)
        return
    local = state.catalogs.get(home)
    if local is None or owner not in local.shares_accepted_from:
        return
    for row in here.by_principal.get(principal, ()):
        if row.resource.catalog == owner:
            yield Source(row, f"granted directly by {owner}")
    for row in local.by_principal.get(principal, ()):
        if row.resource.catalog == owner:
            held = frozenset(p for p in row.permissions if _cascades(state, home, owner, row.resource, p))
            if held:
                yield Source(
                    Permission(row.principal, row.resource, held, held & row.grantable), f"passed on by {home}"
                )


def account_rows(state: State, account: str, owner: str) -> tuple[Permission, ...]:
    """What `owner` granted to another account as a whole."""
    here = state.catalogs.get(owner)
    return here.by_principal.get(account, ()) if here else ()


def _cascades(state: State, account: str, owner: str, resource: Resource, permission: str) -> bool:
    """Whether an account may pass on a permission on another account's resource (LF-dg permission-cascading-rules).

    Rule 1: the very expression it was given, with grant option. Rule 2: any expression over LF-Tag values that it holds
    DESCRIBE on, with or without grant option. Named resources: what it was given with grant option covers them.
    """
    here = state.catalogs.get(owner)
    if here is not None and any(_passes_on(row, permission) for row in here.by_resource.get((account, resource), ())):
        return True
    rows = account_rows(state, account, owner)
    for row in rows:
        # Whether what an expression reaches may also be passed on by name is documented nowhere: taken as no.
        named = row.resource == resource or not isinstance(row.resource, TagPolicyResource)
        if named and _passes_on(row, permission) and _covers(state, row.resource, resource, permission):
            return True
    return isinstance(resource, TagPolicyResource) and all(
        any(gives(row, "DESCRIBE") and _covers_tag(row.resource, key, values) for row in rows)
        for key, values in resource.expression
    )


def backed(state: State, account: str, owner: str, resource: Resource, permission: str) -> bool:
    """Whether what an account passed on of another's resource stands on what the account itself was granted."""
    return _cascades(state, account, owner, resource, permission)


def _covers_tag(held: Resource, key: str, values: frozenset[str]) -> bool:
    return isinstance(held, TagResource) and held.key == key and (EVERY_VALUE in held.values or values <= held.values)


def _find(
    state: State, catalog: str, database: str, table: str | None
) -> tuple[DatabaseState, TableState | None] | None:
    here = state.catalogs.get(catalog)
    found = here.databases.get(database) if here else None
    return None if found is None else (found, found.tables.get(table) if table else None)


def _covers(state: State, held: Resource, wanted: Resource, permission: str) -> bool:
    """Whether a grant on `held` is one on the whole of `wanted`."""
    if held == wanted:
        return True
    if held.catalog != wanted.catalog:
        return False
    match wanted:
        case DatabaseResource(catalog, name):
            found = _find(state, catalog, name, None)
            return (
                isinstance(held, TagPolicyResource)
                and held.kind == "DATABASE"
                and found is not None
                and matches(held.expression, found[0].tags)
            )
        case TableResource(_, name, key) | ColumnsResource(_, name, key) | DataFilterResource(_, name, key):
            return key is not None and _covers_table(state, held, wanted, permission)
        case TagResource(_, key, values):
            return _covers_tag(held, key, values)
        case DataLocationResource(_, arn):
            # A grant on a location holds below it (LF-dg access-control-underlying-data).
            return isinstance(held, DataLocationResource) and arn.startswith(held.arn.rstrip("/") + "/")
        case _:
            return False


def _covers_table(
    state: State, held: Resource, wanted: TableResource | ColumnsResource | DataFilterResource, permission: str
) -> bool:
    name, key = wanted.database, wanted.table or ""
    if isinstance(held, TableResource):
        return held.database == name and held.table in {None, key}
    found = _find(state, wanted.catalog, name, key)
    if found is None or found[1] is None:
        return False
    reached = reach(held, name, found[0], key, found[1])
    if reached is None:
        return False
    if isinstance(held, DataFilterResource) and row_filter(held, found[1]) is not None and permission != "DESCRIBE":
        return False  # some rows are never the whole
    if isinstance(wanted, ColumnsResource | DataFilterResource):
        return (reach(wanted, name, found[0], key, found[1]) or _NOTHING) <= reached
    # A part of a table is never the whole, whatever the permission: only its metadata shows (LF-dg
    # lf-tag-considerations: ALTER, DROP, INSERT and DELETE by an expression that matches some columns become DESCRIBE).
    return reached == every_column(found[1]) or permission == "DESCRIBE"


# ----------------------------------------------------------------------------------------------------------- databases
def database_access(state: State, principal: str, catalog: str, database: str) -> DatabaseAccess:
    """Whether a database shows: the link itself where it is a resource link, not its target.

    In one account any permission on a table shows its database; across accounts DESCRIBE on the database must be
    granted by name (LF-dg granting-catalog-permissions).
    """
    found = _find(state, catalog, database, None)
    if found is None:
        return DatabaseAccess(described=False, reasons=("there is no such database",))
    return shown(state, principal, catalog, database, found[0], effective(state, principal, catalog))


def shown(
    state: State, principal: str, catalog: str, name: str, database: DatabaseState, sources: Iterable[Source]
) -> DatabaseAccess:
    """`database_access` for who has asked already what counts for the principal in the catalog."""
    wanted = DatabaseResource(catalog, name)
    reasons = [*_implicit_database(state, principal, state.catalogs[catalog], wanted, database)]
    for source in sources:
        resource = source.permission.resource
        if _covers(state, resource, wanted, "DESCRIBE"):
            reasons.append(f"{_text(source.permission)} {source.why}")
        elif account_of(principal) == catalog and _concerns_a_table(resource, name, database):
            reasons.append(f"{_text(source.permission)} {source.why}, which shows its database")
    return DatabaseAccess(described=bool(reasons), reasons=tuple(sorted(reasons)) or ("no grant on the database",))


def _concerns_a_table(resource: Resource, name: str, database: DatabaseState) -> bool:
    if isinstance(resource, TableResource | ColumnsResource | DataFilterResource):
        return resource.database == name
    return isinstance(resource, TagPolicyResource) and any(
        reach(resource, name, database, key, table) is not None for key, table in database.tables.items()
    )


def _implicit_database(
    state: State, principal: str, here: CatalogState, wanted: DatabaseResource, database: DatabaseState
) -> Iterator[str]:
    """What nobody granted (LF-dg implicit-permissions)."""
    if principal in here.administrators:
        yield "data lake administrators see all metadata of their catalog"
    if database.creator == principal:
        yield "created the database"
    if any(table.creator == principal for table in database.tables.values()):
        yield "created a table of the database"
    if _administers_share(state, principal, here.account) and any(
        _covers(state, row.resource, wanted, "DESCRIBE")
        for row in account_rows(state, account_of(principal), here.account)
    ):
        yield "data lake administrators see what was shared with their account"


def _administers_share(state: State, principal: str, owner: str) -> bool:
    home = state.catalogs.get(account_of(principal))
    return (
        home is not None
        and home.account != owner
        and principal in home.administrators
        and owner in home.shares_accepted_from
    )


# -------------------------------------------------------------------------------------------------------------- tables
def table_access(state: State, principal: str, catalog: str, database: str, table: str) -> TableAccess:
    """What a principal has of a table, through a resource link where (catalog, database) is one.

    A link takes two grants: DESCRIBE on the link, and permissions on its target; one does not give the other. Links are
    followed once (LF-dg granting-link-permissions, resource-links-about).
    """
    found = _find(state, catalog, database, None)
    if found is None:
        return _nothing("there is no such database")
    if found[0].link_to is not None:
        if not database_access(state, principal, catalog, database).described:
            return _nothing("no DESCRIBE on the resource link")
        catalog, database = found[0].link_to
        found = _find(state, catalog, database, table)
        if found is None or found[0].link_to is not None:
            return _nothing("the resource link leads to no database")
    target = found[0].tables.get(table)
    if target is None:
        return _nothing("there is no such table")
    if account_of(principal) != catalog and not database_access(state, principal, catalog, database).described:
        return _nothing("no DESCRIBE on the database, which another account owns")
    return _decide(state, principal, state.catalogs[catalog], database, found[0], table, target)


def _nothing(reason: str) -> TableAccess:
    return TableAccess(described=False, visible=_NOTHING, selectable=_NOTHING, reasons={"": (reason,)})


@dataclass(frozen=True)
class Reached:
    """Columns that one grant, or none, gives."""

    columns: frozenset[str]
    selects: bool
    why: str
    rows: str | None = None
    """Row filter; None: every row."""


def _decide(
    state: State, principal: str, here: CatalogState, name: str, database: DatabaseState, key: str, table: TableState
) -> TableAccess:
    """Permissions are a union: each grant adds the columns it reaches (LF-dg lf-permissions-reference)."""
    reached = list(implicit_columns(state, principal, here, name, database, key, table))
    for source in effective(state, principal, here.account):
        columns = reach(source.permission.resource, name, database, key, table)
        if columns is not None:
            selects = gives(source.permission, "SELECT")
            rows = row_filter(source.permission.resource, table)
            where = f", of rows where {rows}" if rows is not None else ""
            reached.append(Reached(columns, selects, f"{_text(source.permission)} {source.why}{where}", rows))
    visible = frozenset().union(*(each.columns for each in reached))
    selectable = frozenset().union(*(each.columns for each in reached if each.selects))
    reasons = {
        column: tuple(sorted(each.why for each in reached if column in each.columns))
        or (f"no grant matches {_tag_text(column_tags(database, table, column))}",)
        for column in every_column(table)
    }
    reasons[""] = tuple(sorted(each.why for each in reached)) or ("no grant concerns the table",)
    return TableAccess(bool(reached), visible, selectable, reasons, readable_rows(reached))


def readable_rows(reached: Iterable[Reached]) -> RowFilters:
    """Row filters by column. A union too: whoever may read a column without a filter reads all of its rows.

    A cell outside every filter that shows its column is null (LF-dg data-filters-about).
    """
    found: dict[str, frozenset[str]] = {}
    whole: set[str] = set()
    for each in reached:
        if not each.selects:
            continue
        if each.rows is None:
            whole |= each.columns
            continue
        for column in each.columns:
            found[column] = found.get(column, _NOTHING) | {each.rows}
    return {column: filters for column, filters in found.items() if column not in whole}


def implicit_columns(
    state: State, principal: str, here: CatalogState, name: str, database: DatabaseState, key: str, table: TableState
) -> Iterator[Reached]:
    """What nobody granted (LF-dg implicit-permissions): administrators see all and read nothing; creators do all."""
    if table.creator == principal:
        yield Reached(every_column(table), selects=True, why="created the table")
    if principal in here.administrators:
        yield Reached(every_column(table), selects=False, why="data lake administrators see all metadata")
    if _administers_share(state, principal, here.account):
        for row in account_rows(state, account_of(principal), here.account):
            columns = reach(row.resource, name, database, key, table)
            if columns is not None:
                yield Reached(columns, selects=False, why="data lake administrators see what their account was shared")


# ------------------------------------------------------------------------------------------------- single permissions
def holds(state: State, principal: str, resource: Resource, permission: str) -> bool:
    """Whether a principal holds a permission on the whole of a resource, by grant or implicitly."""
    return _implies(state, principal, resource, permission) or any(
        (gives(source.permission, permission) or permission == "DESCRIBE")
        and _covers(state, source.permission.resource, resource, permission)
        for source in effective(state, principal, resource.catalog)
    )


_ADMINISTRATORS_LACK = frozenset({"ALL", "SELECT", "INSERT", "DELETE", "ALTER", "DROP", "CREATE_TABLE"})
"""On databases and tables that others made; they may grant these to themselves (LF-dg implicit-permissions)."""


def _implies(state: State, principal: str, resource: Resource, permission: str) -> bool:
    here = state.catalogs.get(resource.catalog)
    if here is None:
        return False
    if _created(here, principal, resource):
        return True
    data = DatabaseResource | TableResource | ColumnsResource | DataFilterResource | TagPolicyResource
    if principal in here.administrators:
        return not isinstance(resource, data) or permission not in _ADMINISTRATORS_LACK
    if permission == "DESCRIBE" and isinstance(resource, DatabaseResource):
        return database_access(state, principal, resource.catalog, resource.database).described
    if permission == "DESCRIBE" and isinstance(resource, TableResource) and resource.table is not None:
        return table_access(state, principal, resource.catalog, resource.database, resource.table).described
    return False


def _created(here: CatalogState, principal: str, resource: Resource) -> bool:
    """Creators of databases, tables and LF-Tags may do everything with them (LF-dg implicit-permissions)."""
    match resource:
        case DatabaseResource(_, name):
            return name in here.databases and here.databases[name].creator == principal
        case TableResource(_, name, key) | ColumnsResource(_, name, key) | DataFilterResource(_, name, key) if key:
            table = here.databases[name].tables.get(key) if name in here.databases else None
            return table is not None and table.creator == principal
        case TagResource(_, key):
            return here.tag_creators.get(key) == principal
        case _:
            return False


# --------------------------------------------------------------------------------------------------------- granting
def may_grant(state: State, grantor: str, permission: Permission) -> str | None:
    """None if `grantor` may make this grant, else why not.

    Administrators may grant anything of their own catalog, others what they hold with grant option (LF-dg
    implicit-permissions, granting-catalog-permissions). What another account shared may be passed on to principals of
    one's own account alone (LF-dg cross-account-notes), within the cascading rules.
    """
    owner, home = permission.resource.catalog, account_of(grantor)
    here = state.catalogs.get(home)
    if here is None:
        return f"Account {home} is not known."
    if home == owner:
        if grantor in here.administrators:
            return None
        return _missing_option(state, grantor, permission)
    if permission.principal == IAM_ALLOWED_PRINCIPALS or account_of(permission.principal) != home:
        return f"A resource shared by {owner} can only be granted to principals of account {home}."
    if owner not in here.shares_accepted_from:
        return f"Account {home} has not accepted a share from {owner}."
    if grantor not in here.administrators:
        return _missing_option(state, grantor, permission)
    for wanted in sorted(permission.permissions | permission.grantable):
        if not _cascades(state, home, owner, permission.resource, wanted):
            return (
                f"Account {home} may not pass on {wanted} on {resource_key(permission.resource)}: it holds neither "
                "this very grant with grant option nor DESCRIBE on all the LF-Tag values."
            )
    return None


def _missing_option(state: State, grantor: str, permission: Permission) -> str | None:
    here = state.catalogs.get(permission.resource.catalog)
    if here is not None and _created(here, grantor, permission.resource):
        return None
    rows = [source.permission for source in effective(state, grantor, permission.resource.catalog)]
    for wanted in sorted(permission.permissions | permission.grantable):
        if not any(
            _passes_on(row, wanted) and _covers(state, row.resource, permission.resource, wanted) for row in rows
        ):
            return f"{grantor} holds no {wanted} with grant option on {resource_key(permission.resource)}."
    return None


def _text(permission: Permission) -> str:
    return f"{', '.join(sorted(permission.permissions))} on {resource_key(permission.resource)}"


def _tag_text(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(tags.items())) or "a column without LF-Tags"
