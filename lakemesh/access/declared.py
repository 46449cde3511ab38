"""The state of Lake Formation that a mesh's declarations lead to, once everything is deployed, synced and tagged. Pure.

Holds what contracts list and nothing else: a table that no contract lists is readable by nobody. Assumes that catalog
and contract agree, and that every consumer's stack has accepted its shares.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace

from lakemesh.access.expand import DEFAULT_DATABASE, Entry, Expansion, expand
from lakemesh.access.state import CatalogState, DatabaseState, DataFilter, Permission, State, TableState
from lakemesh.declarations.manifest import view_sensitivity
from lakemesh.declarations.models import UNREVIEWED, Column, Declarations, Product, Status, Table
from lakemesh.declarations.naming import Naming


def declared_state(declarations: Declarations, today: dt.date, expansion: Expansion | None = None) -> State:
    """Every account of the mesh but the producers', whose own catalogs consumers never ask.

    `expansion`: that of the same declarations and day, where it is there already.
    """
    mesh, naming = declarations.mesh, Naming(declarations.mesh)
    made = expand(declarations, today) if expansion is None else expansion
    owner = mesh.central.account
    central = CatalogState(
        owner,
        administrators=frozenset({naming.deploy_role_arn("central"), *mesh.central.administrators}),
        permissions=as_permissions(entry for domain in mesh.domains for entry in made.central(domain)),
        databases=_twins(declarations, made),
    )
    consumers = {
        entry.account: CatalogState(
            entry.account,
            administrators=frozenset(administrators(declarations, name)),
            permissions=as_permissions(made.consumer(name)),
            databases={
                DEFAULT_DATABASE: DatabaseState(),
                **{twin: DatabaseState(link_to=(owner, twin)) for twin in made.databases(name)},
            },
            shares_accepted_from=frozenset({owner}),
        )
        for name, entry in mesh.consumers.items()
    }
    return State({owner: central, **consumers})


def administrators(declarations: Declarations, consumer: str) -> tuple[str, ...]:
    """Data lake administrators of a consumer's account: those it declares, and the role that deploys it."""
    declared = declarations.consumers.get(consumer)
    deployer = Naming(declarations.mesh).deploy_role_arn("consumer", consumer)
    return tuple(sorted({deployer, *(declared.administrators if declared else ())}))


def as_permissions(entries: Iterable[Entry]) -> frozenset[Permission]:
    """Entries as the rows that Lake Formation lists once they are granted."""
    return frozenset(
        Permission(entry.principal, entry.resource, frozenset(entry.permissions), frozenset(entry.grantable))
        for entry in entries
    )


def _twins(declarations: Declarations, made: Expansion) -> dict[str, DatabaseState]:
    filters: dict[tuple[str, str], dict[str, DataFilter]] = {}
    for domain in declarations.mesh.domains:
        for entry in made.filters(domain):
            key = entry.resource.database, entry.resource.table
            filters.setdefault(key, {})[entry.resource.name] = entry.shows
    tables: dict[str, dict[str, TableState]] = {}
    for product in declarations.products.values():
        for table in product.tables:
            state = table_state(product, table)
            shown = filters.get((table.twin, table.name))
            tables.setdefault(table.twin, {})[table.name] = replace(state, filters=shown) if shown else state
    return {
        source.twin_name: DatabaseState({"domain": name, "sensitivity": UNREVIEWED}, tables.get(source.twin_name, {}))
        for name, domain in declarations.mesh.domains.items()
        for source in domain.sources
    }


def table_state(product: Product, table: Table) -> TableState:
    """A twin's table as sync and tagging leave it (manifest.py says why for each rule)."""
    keys = tuple(key.name for key in table.partition_keys)
    columns = tuple(column.name for column in table.columns if column.partition_key is None)
    if product.status is Status.RETIRED:  # lets go of its LF-Tags
        return TableState(columns, keys)
    tags = {**table.tags, "product": product.name}
    if table.kind == "view":
        # One value covers the whole view: Lake Formation keeps no column permissions on views.
        highest = view_sensitivity(table)
        return TableState(columns, keys, {**tags, "sensitivity": highest.value} if highest else tags)
    if any(key.sensitivity is None for key in table.partition_keys):
        return TableState(columns, keys, tags)  # no column is tagged until every partition key is reviewed
    return TableState(
        columns, keys, tags, {column.name: _tags(column) for column in table.columns if column.sensitivity}
    )


def _tags(column: Column) -> Mapping[str, str]:
    return {**column.tags, "sensitivity": str(column.sensitivity)}
