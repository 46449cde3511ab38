"""Drift of LF-Tags, resource links and shares: see `drift`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lakemesh.access.difference import Change, Drift, Expected, Kind, Role, differences, mend, named
from lakemesh.access.matching import every_column
from lakemesh.access.observed import AccountState, InvitationState, ShareState
from lakemesh.access.state import CatalogState, DatabaseState, State, TableState

_NO_TABLE = TableState(())


# -------------------------------------------------------------------------------------------------------------- tags
def tags(expected: Expected, live: AccountState, _: State) -> Iterator[Drift]:
    """The ontology, and what databases, tables and columns carry of their own. Keys that the mesh does not declare are
    reported once, as keys: no grant of the mesh names them."""
    if expected.role is not Role.CENTRAL:
        return
    keys = expected.account.ontology
    yield from _ontology(expected, live)
    for name, stack in sorted(expected.twins.items()):
        wanted, found = expected.account.catalog.databases.get(name), live.catalog.databases.get(name)
        if found is None:
            yield _tag(expected, Change.MISSING, name, f"database {name} is not there", stack)
            continue
        if wanted is not None:
            yield from _database(expected, name, wanted, found, keys, stack)


def _ontology(expected: Expected, live: AccountState) -> Iterator[Drift]:
    wanted, found = expected.account.ontology, live.ontology
    for change, key in differences(wanted, found):
        says = "is declared and not there" if change is Change.MISSING else "is there and not declared"
        yield _tag(expected, change, f"LF-Tag/{key}", f"LF-Tag key {key} {says}", expected.stack, "delete it")
    for key in sorted(wanted.keys() & found.keys()):
        for change, value in differences(wanted[key], found[key]):
            says = "is declared and not there" if change is Change.MISSING else "is there and not declared"
            name = f"LF-Tag/{key}={value}"
            yield _tag(expected, change, name, f"LF-Tag value {key}={value} {says}", expected.stack, "delete it")


def _database(
    expected: Expected,
    name: str,
    wanted: DatabaseState,
    found: DatabaseState,
    keys: Mapping[str, frozenset[str]],
    stack: str,
) -> Iterator[Drift]:
    yield from _of(expected, name, wanted.tags, found.tags, keys, stack)
    for key, table in sorted(found.tables.items()):
        declared = wanted.tables.get(key, _NO_TABLE)
        yield from _of(expected, f"{name}.{key}", declared.tags, table.tags, keys, stack)
        for column in sorted(every_column(table)):
            # A column that central does not have yet is the sync's to report, and its tags come with it.
            those, these = declared.column_tags.get(column, {}), table.column_tags.get(column, {})
            yield from _of(expected, f"{name}.{key}.{column}", those, these, keys, stack)


def _of(
    expected: Expected,
    name: str,
    wanted: Mapping[str, str],
    found: Mapping[str, str],
    keys: Mapping[str, frozenset[str]],
    stack: str,
) -> Iterator[Drift]:
    for key in sorted((wanted.keys() | found.keys()) & keys.keys()):
        if wanted.get(key) == found.get(key):
            continue
        change = Change.DIFFERENT if key in wanted and key in found else None
        if change is not None:
            says = f"{name} carries {key}={found[key]}, and {key}={wanted[key]} is declared"
        elif key in wanted:
            change, says = Change.MISSING, f"{name} does not carry {key}={wanted[key]}, which is declared"
        else:
            change, says = Change.UNMANAGED, f"{name} carries {key}={found[key]}, which nobody declared"
        yield _tag(expected, change, f"{name}/{key}", says, stack, "take it off")


def _tag(expected: Expected, change: Change, name: str, says: str, stack: str, undo: str = "") -> Drift:
    return Drift(expected.id, Kind.TAG, change, named(name), says, mend(change, stack, undo), stack)


# ------------------------------------------------------------------------------------------------------------- links
def databases(expected: Expected, live: AccountState, world: State) -> Iterator[Drift]:
    """A consumer's resource links to the governance account; its other databases are its own."""
    if expected.role is not Role.CONSUMER:
        return
    wanted, found = (_links(each.catalog) for each in (expected.account, live))
    central = world.catalogs.get(expected.owner)
    for name in sorted(wanted.keys() | found.keys()):
        target, actual = wanted.get(name), found.get(name)
        if actual is None and target is not None:
            own = name in live.catalog.databases
            says = f"resource link {name} {'is a database of its own' if own else 'is declared and not there'}"
            yield _link(expected, Change.DIFFERENT if own else Change.MISSING, name, says)
        elif actual is not None and target is None:
            if actual[0] == expected.owner:
                gone = central is not None and actual[1] not in central.databases
                end = "leads to nothing any more, and is" if gone else f"leads to {'.'.join(actual)}, and is"
                yield _link(expected, Change.UNMANAGED, name, f"resource link {name} {end} not declared")
        elif actual is not None and actual != target:
            says = f"resource link {name} leads to {'.'.join(actual)} instead of {'.'.join(target or ())}"
            yield _link(expected, Change.DIFFERENT, name, says)
        elif actual is not None and central is not None and actual[1] not in central.databases:
            yield _link(expected, Change.DIFFERENT, name, f"resource link {name} leads to a database that is gone")


def _links(catalog: CatalogState) -> dict[str, tuple[str, str]]:
    return {name: each.link_to for name, each in catalog.databases.items() if each.link_to is not None}


def _link(expected: Expected, change: Change, name: str, says: str) -> Drift:
    how = mend(change, expected.stack, "delete it")
    return Drift(expected.id, Kind.LINK, change, f"link/{name}", says, how, expected.stack)


# ------------------------------------------------------------------------------------------------------------ shares
def shares(expected: Expected, live: AccountState, _: State) -> Iterator[Drift]:
    """A consumer's shares from the governance account, and those of the governance account that lead nowhere."""
    if expected.role is Role.CONSUMER:
        yield from _received(expected, live)
    elif expected.role is Role.CENTRAL:
        for share in live.shares:
            if gone := _orphaned(share, live.catalog):
                says = f"share {share.name} carries {gone}: what it was made for was deleted before it was revoked"
                undo = f"delete-resource-share --resource-share-arn {share.arn}"
                yield Drift(
                    expected.id,
                    Kind.SHARE,
                    Change.UNMANAGED,
                    named(share.name),
                    says,
                    mend(Change.UNMANAGED, expected.stack, undo),
                    expected.stack,
                )


def _received(expected: Expected, live: AccountState) -> Iterator[Drift]:
    wants = expected.owner in expected.account.catalog.shares_accepted_from
    for one in sorted(unanswered(live.invitations, live.received, expected.owner)):
        says = f"the invitation to share {one.name} is {one.status.lower()}, so what it carries opens nothing"
        how = (
            f"pulumi up --refresh --stack {expected.stack}"
            if one.status == "PENDING"
            else "have central grant it again: remove the grants, deploy, declare them again, deploy (docs/access.md)"
        )
        yield Drift(expected.id, Kind.SHARE, Change.MISSING, named(one.name), says, how, expected.stack)
        wants = False
    if wants and expected.owner not in live.catalog.shares_accepted_from:
        says = f"no share of {expected.owner} is in force, and something is granted to the account or its principals"
        how = f"deploy the domains, then pulumi up --refresh --stack {expected.stack}"
        yield Drift(expected.id, Kind.SHARE, Change.MISSING, expected.owner, says, how, expected.stack)


def unanswered(invitations: tuple[InvitationState, ...], received: frozenset[str], owner: str) -> list[InvitationState]:
    """Invitations of an owner whose shares are not in force, one a share: the pending before the lost."""
    found: dict[str, InvitationState] = {}
    for one in sorted(invitations, key=lambda each: each.status == "PENDING"):
        if one.owner == owner and one.share not in received and one.status != "ACCEPTED":
            found[one.share] = one
    return list(found.values())


def _orphaned(share: ShareState, catalog: CatalogState) -> str:
    """What of a share is not there any more; empty: it leads somewhere."""
    if not share.resources:
        return "nothing"
    gone = [arn for arn in share.resources if not _is_there(arn, catalog)]
    return ", ".join(gone) if len(gone) == len(share.resources) else ""


def _is_there(arn: str, catalog: CatalogState) -> bool:
    kind, _, rest = arn.split(":", 5)[5].partition("/")
    database, _, table = rest.partition("/")
    if kind == "catalog" or not database:
        return True
    found = catalog.databases.get(database)
    return found is not None and (kind != "table" or table in {"*", "ALL_TABLES"} or table in found.tables)
