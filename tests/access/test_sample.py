"""The sample's verdicts, written by hand in mesh/expected.yaml, come out of expand and evaluate on a state built by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from lakemesh.access.check import load_mesh
from lakemesh.access.evaluate import may_grant, table_access
from lakemesh.access.expand import Entry, Expansion, expand
from lakemesh.access.state import CatalogState, DatabaseState, DataFilter, Permission, State, TableState
from lakemesh.declarations.models import Declarations, Table

MESH = Path(__file__).parents[2] / "mesh"
TODAY = dt.date(2026, 11, 1)
EXPECTED: dict[str, Any] = yaml.safe_load((MESH / "expected.yaml").read_text())
DECLARATIONS = load_mesh(MESH, TODAY)


def permissions(entries: Iterable[Entry]) -> frozenset[Permission]:
    return frozenset(
        Permission(entry.principal, entry.resource, frozenset(entry.permissions), frozenset(entry.grantable))
        for entry in entries
    )


def twin_table(table: Table | None, product: str, columns: list[str], view: bool) -> TableState:
    """A table as sync and tagging leave it; one without a contract carries no tag of its own."""
    if table is None:
        return TableState(columns=tuple(columns))
    tags = {**table.tags, "product": product}
    levels = {column.name: column.sensitivity for column in table.columns}
    if view:
        return TableState(
            columns=tuple(columns), tags={**tags, "sensitivity": max(levels.values(), key=lambda s: s.rank)}
        )
    keys = tuple(key.name for key in table.partition_keys)
    return TableState(
        columns=tuple(name for name in columns if name not in keys),
        partition_keys=keys,
        tags=tags,
        column_tags={name: {"sensitivity": levels[name].value} for name in columns if levels.get(name) is not None},
    )


def central_databases(declarations: Declarations) -> dict[str, DatabaseState]:
    contracts = {
        f"{table.twin}.{table.name}": (table, product.name)
        for product in declarations.products.values()
        for table in product.tables
    }
    databases = {}
    for domain, declared in declarations.mesh.domains.items():
        for source in declared.sources:
            twin = source.twin_name
            tables = {
                key.partition(".")[2]: twin_table(
                    *contracts.get(key, (None, "")), columns, key.endswith("invoice_aging")
                )
                for key, columns in EXPECTED["tables"].items()
                if key.startswith(f"{twin}.")
            }
            databases[twin] = DatabaseState({"domain": domain, "sensitivity": "unreviewed"}, tables)
    return databases


def filtered(
    databases: dict[str, DatabaseState], expansion: Expansion, declarations: Declarations
) -> dict[str, DatabaseState]:
    """With the data filters that the domains' stacks make."""
    for domain in declarations.mesh.domains:
        for made in expansion.filters(domain):
            tables = databases[made.resource.database].tables
            table = tables[made.resource.table]
            both = {**table.filters, made.resource.name: DataFilter(frozenset(made.columns), rows=made.rows)}
            databases[made.resource.database] = replace(
                databases[made.resource.database],
                tables={**tables, made.resource.table: replace(table, filters=both)},
            )
    return databases


def state(declarations: Declarations, expansion: Expansion) -> State:
    mesh = declarations.mesh
    central = CatalogState(
        mesh.central.account,
        permissions=permissions(entry for domain in mesh.domains for entry in expansion.central(domain)),
        databases=filtered(central_databases(declarations), expansion, declarations),
    )
    consumers = {
        entry.account: CatalogState(
            entry.account,
            administrators=frozenset({f"arn:aws:iam::{entry.account}:role/deploy"}),
            permissions=permissions(expansion.consumer(name)),
            databases={twin: DatabaseState(link_to=(mesh.central.account, twin)) for twin in expansion.databases(name)},
            shares_accepted_from=frozenset({mesh.central.account}),
        )
        for name, entry in mesh.consumers.items()
    }
    return State({mesh.central.account: central, **consumers})


def verdicts(world: State, principal: str, key: str) -> dict[str, str]:
    """Through the resource link of the principal's own account, as they would ask."""
    consumer, alias = principal.split("/")
    role = DECLARATIONS.consumers[consumer].principals[alias].role
    account = DECLARATIONS.mesh.consumers[consumer].account
    access = table_access(world, role, account, *key.split("."))
    return {
        column: "read" if column in access.selectable else "discover" if column in access.visible else "denied"
        for column in EXPECTED["tables"][key]
    }


def wanted(verdict: str | dict[str, list[str]], key: str) -> dict[str, str]:
    if isinstance(verdict, str):
        return dict.fromkeys(EXPECTED["tables"][key], verdict)
    return {column: word for word, columns in verdict.items() if word != "rows" for column in columns}


def edited(declarations: Declarations) -> Declarations:
    edit = EXPECTED["edit"]
    grants = {
        domain: tuple(
            grant.model_copy(update={"sensitivity": (*grant.sensitivity, *edit["widen"].get(grant.id, []))})
            for grant in grants
            if grant.id not in edit["withdraw"]
        )
        for domain, grants in declarations.grants.items()
    }
    return declarations.model_copy(update={"grants": grants})


@pytest.fixture(scope="module", params=["before", "after"])
def proof(request) -> tuple[State, dict[str, Any]]:
    """The state, and what every principal must have in it."""
    if request.param == "before":
        return state(DECLARATIONS, expand(DECLARATIONS, TODAY)), EXPECTED["principals"]
    changed = EXPECTED["edit"]["principals"]
    after = {
        principal: {**tables, **changed.get(principal, {})} for principal, tables in EXPECTED["principals"].items()
    }
    declarations = edited(DECLARATIONS)
    return state(declarations, expand(declarations, TODAY)), after


@pytest.mark.parametrize("principal", EXPECTED["principals"])
@pytest.mark.parametrize("key", EXPECTED["tables"])
def test_every_principal_has_of_every_column_what_is_expected(proof, principal, key):
    world, expected = proof
    assert verdicts(world, principal, key) == wanted(expected[principal][key], key)


def test_every_local_entry_may_be_granted_by_the_consumers_deploy_role(proof):
    """permission-cascading-rules: else the consumer's stack could not be deployed."""
    world, _ = proof
    for entry in DECLARATIONS.mesh.consumers.values():
        for permission in world.catalogs[entry.account].permissions:
            assert may_grant(world, f"arn:aws:iam::{entry.account}:role/deploy", permission) is None
