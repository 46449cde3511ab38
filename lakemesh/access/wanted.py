"""Every account of a mesh as the declarations want it, down to the grants of the mesh's own roles. Pure.

`declared_state` is what decides who can read what; this adds what the mesh's functions need to work, the settings and
the ontology, so that whatever else is found in an account is nobody's (`drift`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace

from lakemesh.access.declared import declared_state
from lakemesh.access.difference import RULES, Expected, Role, Waiver
from lakemesh.access.expand import Entry, Expansion, expand
from lakemesh.access.observed import AccountState, SettingsState
from lakemesh.access.state import (
    CatalogResource,
    CatalogState,
    DatabaseResource,
    DataLocationResource,
    Permission,
    TableResource,
    TagResource,
    resource_key,
)
from lakemesh.declarations.models import Declarations, Governance
from lakemesh.declarations.naming import Naming

_WORK_ON_TABLES = frozenset({"ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"})
"""What tagging a table asks of who does not own it (developer guide, "TBAC-assigning-tags")."""
_DESCRIBE = frozenset({"DESCRIBE"})


def expected(declarations: Declarations, today: dt.date) -> tuple[Expected, ...]:
    """The governance account, the consumers' and those producers' that Lake Formation governs."""
    made = expand(declarations, today)
    # Every grant there ever was in the files: what is not wanted any more may have been, until it expired.
    before = expand(declarations, dt.date.min)
    state = declared_state(declarations, today, made)
    return (
        _central(declarations, made, before, state.catalogs[declarations.mesh.central.account]),
        *(
            _consumer(declarations, name, made, before, state.catalogs[entry.account])
            for name, entry in declarations.mesh.consumers.items()
        ),
        *(
            _producer(declarations, name)
            for name, producer in declarations.mesh.producers.items()
            if producer.governance is Governance.LAKE_FORMATION
        ),
    )


def waivers(declarations: Declarations) -> tuple[Waiver, ...]:
    """Exceptions about drift; the others are the policy pack's."""
    return tuple(
        Waiver(each.rule, each.resource, each.stack, each.reason, each.expires)
        for each in declarations.exceptions
        if each.rule in RULES
    )


def _by_key(entries: Iterable[Entry]) -> Iterator[tuple[tuple[str, str], Entry]]:
    return (((entry.principal, resource_key(entry.resource)), entry) for entry in entries)


def _expired(before: Iterable[Entry], made: Iterable[Entry]) -> dict[tuple[str, str], tuple[str, ...]]:
    wanted = dict(_by_key(made))
    return {key: entry.grants for key, entry in _by_key(before) if key not in wanted}


# ----------------------------------------------------------------------------------------------------------- central
def _central(declarations: Declarations, made: Expansion, before: Expansion, state: CatalogState) -> Expected:
    mesh, naming = declarations.mesh, Naming(declarations.mesh)
    domains = {domain: naming.stack("domain", domain) for domain in mesh.domains}
    entries, all_entries = (
        [entry for domain in mesh.domains for entry in each.central(domain)] for each in (made, before)
    )
    return Expected(
        role=Role.CENTRAL,
        name="central",
        owner=mesh.central.account,
        account=AccountState(
            replace(state, permissions=state.permissions | frozenset(_of_functions(declarations))),
            SettingsState(administrators=state.administrators, version=mesh.central.cross_account_version),
            {key: frozenset(tag.values) for key, tag in declarations.tags.items() if tag.values},
        ),
        stack="central",
        stacks={key: domains[domain] for domain in mesh.domains for key, _ in _by_key(made.central(domain))},
        twins={source.twin_name: domains[name] for name, domain in mesh.domains.items() for source in domain.sources},
        table_owners=frozenset({naming.sync_role_arn()}),
        expired=_expired(all_entries, entries),
    )


def _of_functions(declarations: Declarations) -> Iterator[Permission]:
    """Grants of the roles that sync, tag and review; components/ makes them."""
    mesh, naming = declarations.mesh, Naming(declarations.mesh)
    owner, sync, tag = mesh.central.account, naming.sync_role_arn(), naming.tag_role_arn()
    for key, values in declarations.tags.items():
        if values.values:
            yield Permission(tag, TagResource(owner, key, frozenset({"*"})), frozenset({"ASSOCIATE", "DESCRIBE"}))
    for domain in mesh.domains.values():
        for source in domain.sources:
            database = DatabaseResource(owner, source.twin_name)
            tables = TableResource(owner, source.twin_name, None)
            yield Permission(sync, database, frozenset({"CREATE_TABLE", "DESCRIBE"}))
            yield Permission(sync, tables, frozenset({"ALTER", "DESCRIBE", "DROP"}))
            yield Permission(tag, database, _DESCRIBE)
            yield Permission(tag, tables, _WORK_ON_TABLES, _WORK_ON_TABLES)
            if mesh.classification.after_sync:
                review = naming.role_arn(owner, naming.review_role)
                yield from (Permission(review, each, _DESCRIBE) for each in (database, tables))
            for prefix in source.prefixes:
                where = f"arn:{naming.partition}:s3:::{prefix.removeprefix('s3://')}".rstrip("/")
                yield Permission(sync, DataLocationResource(owner, where), frozenset({"DATA_LOCATION_ACCESS"}))


# ---------------------------------------------------------------------------------------------------------- consumer
def _consumer(
    declarations: Declarations, name: str, made: Expansion, before: Expansion, state: CatalogState
) -> Expected:
    mesh, naming = declarations.mesh, Naming(declarations.mesh)
    owner, own = mesh.central.account, mesh.consumers[name].account
    accepts = Permission(
        naming.role_arn(own, naming.shares_role(name)), CatalogResource(own), frozenset({"CREATE_DATABASE"})
    )
    granted = any(
        entry.principal == own or f"::{own}:" in entry.principal
        for domain in mesh.domains
        for entry in made.central(domain)
    )
    return Expected(
        role=Role.CONSUMER,
        name=name,
        owner=owner,
        account=AccountState(
            replace(
                state,
                permissions=state.permissions | {accepts},
                shares_accepted_from=frozenset({owner}) if granted else frozenset(),
            ),
            SettingsState(
                administrators=state.administrators,
                version=mesh.central.cross_account_version,
                trusted_owners=frozenset({owner}),
            ),
        ),
        stack=naming.stack("consumer", name),
        expired=_expired(before.consumer(name), made.consumer(name)),
    )


# ---------------------------------------------------------------------------------------------------------- producer
def _producer(declarations: Declarations, name: str) -> Expected:
    mesh, naming = declarations.mesh, Naming(declarations.mesh)
    own = mesh.producers[name].account
    roles = [naming.reader_role_arn(name)]
    if mesh.producers[name].scan:
        roles.append(naming.role_arn(own, naming.scan_role(name)))
    databases = {
        source.database for domain in mesh.domains.values() for source in domain.sources if source.producer == name
    }
    permissions = frozenset(
        Permission(role, resource, _DESCRIBE)
        for role in roles
        for database in databases
        for resource in (DatabaseResource(own, database), TableResource(own, database, None))
    )
    return Expected(
        role=Role.PRODUCER,
        name=name,
        owner=mesh.central.account,
        account=AccountState(CatalogState(own, permissions=permissions)),
        stack=naming.stack("producer", name),
    )
