"""What a principal has of every table at once: `evaluate.table_access` for each of them, in a fraction of its time.

A grant is asked only about the tables that it can concern: those that carry, somewhere, a value of each key that its
expression names. Tests hold every answer to `table_access`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lakemesh.access.evaluate import (
    Reached,
    RowFilters,
    Source,
    account_of,
    account_rows,
    effective,
    gives,
    implicit_columns,
    readable_rows,
    shown,
)
from lakemesh.access.matching import reach, row_filter
from lakemesh.access.state import (
    CatalogState,
    ColumnsResource,
    DatabaseResource,
    DataFilterResource,
    Permission,
    Resource,
    State,
    TableResource,
    TagPolicyResource,
)

Key = tuple[str, str]
"""(database, table)"""
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Columns:
    """What a principal has of one table: columns that Glue shows, and those whose data may be read."""

    visible: frozenset[str] = _NOTHING
    selectable: frozenset[str] = _NOTHING
    rows: RowFilters = field(default_factory=dict, hash=False)
    """Of selectable columns: where only some rows may be read."""


@dataclass
class Overview:
    """Answers about one state; remembers what a resource reaches, which the whole mesh asks again and again."""

    state: State
    owner: str
    _tables: dict[tuple[str, str], set[Key]] = field(default_factory=dict)
    _creators: set[str | None] = field(default_factory=set)
    _reached: dict[Resource, dict[Key, frozenset[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, database in self._catalog.databases.items():
            for key, table in database.tables.items():
                self._creators.add(table.creator)
                for tags in (database.tags, table.tags, *table.column_tags.values()):
                    for pair in tags.items():
                        self._tables.setdefault(pair, set()).add((name, key))

    @property
    def _catalog(self) -> CatalogState:
        return self.state.catalogs[self.owner]

    def reached(self, resource: Resource) -> Mapping[Key, frozenset[str]]:
        """Columns of the owner's tables that a grant on a resource covers, by table."""
        found = self._reached.get(resource)
        if found is None:
            found = self._reached[resource] = dict(self._reach(resource))
        return found

    def _reach(self, resource: Resource) -> Iterator[tuple[Key, frozenset[str]]]:
        for name, key in self._candidates(resource):
            database = self._catalog.databases[name]
            columns = reach(resource, name, database, key, database.tables[key])
            if columns is not None:
                yield (name, key), columns

    def _candidates(self, resource: Resource) -> Iterable[Key]:
        match resource:
            case TagPolicyResource(_, "TABLE", ((_, _), *_) as tags):
                # One key is enough, the rarest: `reach` decides, and `sensitivity` alone is on every table.
                carrying = ([self._tables.get((key, value), set()) for value in values] for key, values in tags)
                return set().union(*min(carrying, key=lambda sets: sum(map(len, sets))))
            case TagPolicyResource(_, "TABLE"):
                return [(name, key) for name, database in self._catalog.databases.items() for key in database.tables]
            case TableResource(_, name, None) if name in self._catalog.databases:
                return [(name, key) for key in self._catalog.databases[name].tables]
            case TableResource(_, name, str(key)) | ColumnsResource(_, name, key) | DataFilterResource(_, name, key):
                return [(name, key)] if self._exists(name, key) else []
            case _:
                return []

    def _exists(self, name: str, key: str) -> bool:
        return name in self._catalog.databases and key in self._catalog.databases[name].tables

    def tables(self, principal: str) -> dict[Key, Columns]:
        """What a principal of another account has of the owner's tables, through the links of its own account.

        Tables of which it has nothing are left out.
        """
        here = self.state.catalogs.get(account_of(principal))
        if here is None:
            return {}
        local = tuple(effective(self.state, principal, here.account))
        remote = tuple(effective(self.state, principal, self.owner))
        linked = {
            database.link_to[1]
            for name, database in here.databases.items()
            if database.link_to is not None
            and database.link_to[0] == self.owner
            and shown(self.state, principal, here.account, name, database, local).described
        }
        open_ = {name for name in linked if self._shown(principal, name, remote)}
        visible: dict[Key, frozenset[str]] = {}
        selecting: dict[Key, list[Reached]] = {}
        for key, reached in self._all(principal, remote, open_):
            visible[key] = visible.get(key, _NOTHING) | reached.columns
            if reached.selects:
                selecting.setdefault(key, []).append(reached)
        return {key: _columns(columns, selecting.get(key, [])) for key, columns in visible.items() if columns}

    def _shown(self, principal: str, name: str, sources: Iterable[Source]) -> bool:
        database = self._catalog.databases.get(name)
        return database is not None and (shown(self.state, principal, self.owner, name, database, sources).described)

    def _all(self, principal: str, sources: Iterable[Source], databases: set[str]) -> Iterator[tuple[Key, Reached]]:
        for source in sources:
            selects = gives(source.permission, "SELECT")
            for key, columns in self.reached(source.permission.resource).items():
                if key[0] in databases:
                    table = self._catalog.databases[key[0]].tables[key[1]]
                    yield key, Reached(columns, selects, source.why, row_filter(source.permission.resource, table))
        if not self._implied(principal):
            return
        for name in databases:
            database = self._catalog.databases[name]
            for one, table in database.tables.items():
                for reached in implicit_columns(self.state, principal, self._catalog, name, database, one, table):
                    yield (name, one), reached

    def _implied(self, principal: str) -> bool:
        here = self.state.catalogs[account_of(principal)]
        return principal in here.administrators or principal in self._creators

    def account(self, account: str) -> dict[Key, Columns]:
        """What the administrators of another account can come to have: what they may grant to themselves.

        They may pass on to any principal of their account, so also to their own, what the account holds with grant
        option (Lake Formation developer guide, "permission-cascading-rules").
        """
        here = self.state.catalogs.get(account)
        if here is None or self.owner not in here.shares_accepted_from:
            return {}
        found: dict[Key, Columns] = {}
        rows = [row for row in account_rows(self.state, account, self.owner) if row.grantable]
        open_ = {row.resource.database for row in rows if isinstance(row.resource, DatabaseResource)}
        for row in rows:
            given = Permission(account, row.resource, row.grantable)
            for key, columns in self.reached(row.resource).items():
                if key[0] in open_ and columns:
                    had = found.get(key, Columns())
                    reads = columns if gives(given, "SELECT") else _NOTHING
                    found[key] = Columns(had.visible | columns, had.selectable | reads)
        return found


def _columns(visible: frozenset[str], selecting: list[Reached]) -> Columns:
    selectable = _NOTHING.union(*(each.columns for each in selecting))
    filtered = any(each.rows is not None for each in selecting)
    return Columns(visible, selectable, readable_rows(selecting) if filtered else {})
