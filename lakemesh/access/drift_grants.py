"""Drift of settings, grants and data filters: see `drift`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from lakemesh.access.difference import Change, Drift, Expected, Kind, Role, differences, mend, named
from lakemesh.access.evaluate import account_of, backed
from lakemesh.access.observed import AccountState
from lakemesh.access.state import (
    IAM_ALLOWED_PRINCIPALS,
    CatalogResource,
    DatabaseResource,
    DataFilter,
    DataLocationResource,
    Permission,
    Resource,
    State,
    TableResource,
    TagPolicyResource,
    TagResource,
    resource_key,
)

_DATABASE: Final = frozenset({"ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"})
_TABLE: Final = frozenset({"ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"})
_DATA: Final = frozenset({"DELETE", "INSERT", "SELECT"})


# ---------------------------------------------------------------------------------------------------------- settings
def settings(expected: Expected, live: AccountState, _: State) -> Iterator[Drift]:
    """Administrators, default permissions, cross-account version, trusted owners. A producer's are its own."""
    if expected.role is Role.PRODUCER:
        return
    wanted, found = expected.account.settings, live.settings
    for what, those, these in (
        ("administrator", wanted.administrators, found.administrators),
        ("read-only administrator", wanted.read_only_administrators, found.read_only_administrators),
        ("trusted resource owner", wanted.trusted_owners, found.trusted_owners),
    ):
        for change, who in differences(those, these):
            says = f"{who} is {'no' if change is Change.MISSING else 'a'} {what}"
            yield _setting(expected, change, f"{what}/{who}", says, f"take it from the account's {what}s")
    for what, is_open in (("databases", found.open_databases), ("tables", found.open_tables)):
        if is_open:
            says = (
                f"default permissions give new {what} to {IAM_ALLOWED_PRINCIPALS}: whoever IAM lets in uses them, "
                "whatever is granted"
            )
            undo = "clear them with put-data-lake-settings (Pulumi leaves them alone once they are set)"
            yield _setting(expected, Change.DIFFERENT, f"default-permissions/{what}", says, undo, by_hand=True)
    if found.external_filtering and not wanted.external_filtering:
        says = "engines that filter data themselves are let at it (AllowExternalDataFiltering)"
        yield _setting(expected, Change.UNMANAGED, "external-data-filtering", says, "switch it off")
    if found.version != wanted.version:
        says = f"the cross-account version is {found.version}, and {wanted.version} is declared"
        lower = found.version > wanted.version
        undo = f"declare crossAccountVersion: {found.version}: a version is never lowered"
        yield _setting(expected, Change.DIFFERENT, "cross-account-version", says, undo, by_hand=lower)


def _setting(expected: Expected, change: Change, name: str, says: str, undo: str, *, by_hand: bool = False) -> Drift:
    how = undo if by_hand else mend(change, expected.stack, undo)
    return Drift(expected.id, Kind.SETTING, change, named(name), says, how, expected.stack)


# ------------------------------------------------------------------------------------------------------------ grants
@dataclass
class _Held:
    """What one principal holds on one resource: rows that were granted apart are one."""

    permissions: set[str] = field(default_factory=set)
    grantable: set[str] = field(default_factory=set)


_Key = tuple[str, Resource]


def grants(expected: Expected, live: AccountState, world: State) -> Iterator[Drift]:
    """Every grant of either side, by principal and resource."""
    wanted = _merged(expected.account.catalog.permissions, live)
    found = _merged(live.catalog.permissions, live)
    for key in sorted(wanted.keys() | found.keys(), key=lambda each: (each[0], resource_key(each[1]))):
        has = found.get(key)
        if key not in wanted:
            if has is not None and _judges(expected, live, key[1]) and not _implicit(expected, key, has):
                yield _unmanaged(expected, key, has, world)
            continue
        yield from _compared(expected, live, key, wanted[key], has)
        declared = wanted[key].permissions
        lost = [each for each in _unbacked(expected, key, has, world) if each in declared] if has is not None else []
        if lost:
            says = (
                f"{', '.join(lost)} on {resource_key(key[1])} stands for {key[0]}, and account {expected.id} "
                f"itself is not granted it by {expected.owner} any more: it opens nothing"
            )
            yield _grant(expected, Change.DIFFERENT, key, says, _stack(expected, key))


def _merged(rows: Iterable[Permission], live: AccountState) -> dict[_Key, _Held]:
    merged: dict[_Key, _Held] = {}
    for row in rows:
        resource = _canonical(row.resource, live)
        held = merged.setdefault((row.principal, resource), _Held())
        held.permissions |= _listed(resource, row.permissions)
        held.grantable |= _listed(resource, row.grantable)
    return merged


def _canonical(resource: Resource, live: AccountState) -> Resource:
    """All the values of an LF-Tag are `*`, however they are listed."""
    if isinstance(resource, TagResource):
        every = live.ontology.get(resource.key)
        if every and resource.values >= every:
            return TagResource(resource.catalog, resource.key, frozenset({"*"}))
    return resource


def _listed(resource: Resource, permissions: Iterable[str]) -> set[str]:
    """ALL ("Super") as the list of what it stands for (developer guide, "lf-permissions-reference")."""
    given = set(permissions)
    if "ALL" not in given:
        return given
    match resource:
        case DatabaseResource() | TagPolicyResource(kind="DATABASE"):
            return (given | _DATABASE) - {"ALL"}
        case TableResource() | TagPolicyResource():
            return (given | _TABLE) - {"ALL"}
        case _:
            return given


def _judges(expected: Expected, live: AccountState, resource: Resource) -> bool:
    """Whether a grant that is not declared is the mesh's business."""
    if expected.role is Role.CENTRAL:
        return True
    if expected.role is Role.PRODUCER:
        return False
    if resource.catalog == expected.owner:
        return True
    if not isinstance(resource, DatabaseResource):
        return False
    database = live.catalog.databases.get(resource.database)
    return database is not None and database.link_to is not None and database.link_to[0] == expected.owner


def _implicit(expected: Expected, key: _Key, held: _Held) -> bool:
    """What Lake Formation lists of administrators and creators, and nobody granted ("implicit-permissions").

    An administrator's own SELECT is none of it: administrators read nothing until they grant it to themselves.
    """
    principal, resource = key
    if principal in expected.account.settings.administrators:
        whole = CatalogResource | DatabaseResource | TagResource | DataLocationResource
        return isinstance(resource, whole) or not held.permissions & _DATA
    if principal in expected.table_owners:
        return (
            isinstance(resource, TableResource) and resource.table is not None and resource.database in expected.twins
        )
    return False


def _compared(expected: Expected, live: AccountState, key: _Key, wanted: _Held, found: _Held | None) -> Iterator[Drift]:
    stack = _stack(expected, key)
    if found is None:
        yield _grant(expected, Change.MISSING, key, _sentence(key, wanted, "is declared and not granted"), stack)
        return
    judges = _judges(expected, live, key[1])
    lacks = wanted.permissions - found.permissions, wanted.grantable - found.grantable
    more = (found.permissions - wanted.permissions, found.grantable - wanted.grantable) if judges else (set(), set())
    parts = [
        f"{verb} {', '.join(sorted(names))}{option}"
        for verb, both in (("lacks", lacks), ("holds, undeclared,", more))
        for names, option in ((both[0], ""), (both[1], " with grant option"))
        if names
    ]
    if parts:
        yield _grant(
            expected, Change.DIFFERENT, key, f"{key[0]} {' and '.join(parts)} on {resource_key(key[1])}", stack
        )


def _unmanaged(expected: Expected, key: _Key, held: _Held, world: State) -> Drift:
    principal, resource = key
    says = _sentence(key, held, "is granted and not declared")
    if ids := expected.expired.get((principal, resource_key(resource))):
        says += f"; grant {', '.join(ids)} has expired"
    elif principal == IAM_ALLOWED_PRINCIPALS:
        says += ": whoever IAM lets in holds it"
    elif principal in expected.account.settings.administrators:
        says += ": an administrator granted it to itself"
    if _unbacked(expected, key, held, world):
        says += f", and no grant of {expected.owner} to the account stands behind it"
    return _grant(expected, Change.UNMANAGED, key, says, _stack(expected, key))


def _unbacked(expected: Expected, key: _Key, held: _Held, world: State) -> tuple[str, ...]:
    """Permissions that a consumer's account passed on, and is not granted itself any more."""
    principal, resource = key
    local = expected.role is Role.CONSUMER and resource.catalog == expected.owner and principal != expected.id
    if not local or expected.owner not in world.catalogs or account_of(principal) != expected.id:
        return ()
    return tuple(
        each for each in sorted(held.permissions) if not backed(world, expected.id, expected.owner, resource, each)
    )


def _sentence(key: _Key, held: _Held, end: str) -> str:
    option = f" ({', '.join(sorted(held.grantable))} with grant option)" if held.grantable else ""
    return f"{', '.join(sorted(held.permissions))}{option} on {resource_key(key[1])} to {key[0]} {end}"


def _stack(expected: Expected, key: _Key) -> str:
    principal, resource = key
    stack = expected.stacks.get((principal, resource_key(resource)))
    if stack is None and expected.role is Role.CENTRAL:
        stack = expected.twins.get(getattr(resource, "database", ""))
    return stack or expected.stack


def _grant(expected: Expected, change: Change, key: _Key, says: str, stack: str) -> Drift:
    name = named(f"{key[0]}@{resource_key(key[1])}")
    return Drift(expected.id, Kind.GRANT, change, name, says, mend(change, stack, "revoke it"), stack)


# ----------------------------------------------------------------------------------------------------------- filters
def filters(expected: Expected, live: AccountState, _: State) -> Iterator[Drift]:
    """Data cells filters of the governance account: whether they are there, and show what they should."""
    if expected.role is not Role.CENTRAL:
        return
    wanted, found = (dict(_filters(each)) for each in (expected.account, live))
    for key in sorted(wanted.keys() | found.keys()):
        database, table, name = key
        stack = expected.twins.get(database, expected.stack)
        what = f"data filter {name} of {database}.{table}"
        if key not in found:
            change, says = Change.MISSING, f"{what} is declared and not there"
        elif key not in wanted:
            change, says = Change.UNMANAGED, f"{what} is there and not declared"
        elif wanted[key] != found[key]:
            change, says = Change.DIFFERENT, f"{what} shows {_shows(found[key])} instead of {_shows(wanted[key])}"
        else:
            continue
        yield Drift(
            expected.id,
            Kind.FILTER,
            change,
            f"{database}.{table}/{name}",
            says,
            mend(change, stack, "delete it"),
            stack,
        )


def _filters(account: AccountState) -> Iterator[tuple[tuple[str, str, str], DataFilter]]:
    for name, database in account.catalog.databases.items():
        for key, table in database.tables.items():
            yield from (((name, key, of), shows) for of, shows in table.filters.items())


def _shows(shows: DataFilter) -> str:
    if shows.include is None:
        columns = f"every column but {', '.join(sorted(shows.exclude))}" if shows.exclude else "every column"
    else:
        columns = ", ".join(sorted(shows.include))
    return f"{columns} of {f'rows with {shows.rows}' if shows.rows else 'every row'}"
