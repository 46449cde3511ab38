"""Declarations that are fit to deploy: the one way in for the command, the program and the demo.

`lakemesh.declarations` says what can be said of files; here stands what only shows once grants are expanded: Lake
Formation's quotas a principal, and permissions that exclude each other. Every message names the remedy.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from lakemesh.access import check_filters
from lakemesh.access.expand import (
    DEFAULT_DATABASE,
    Entry,
    UnsafeGrantError,
    expand,
    grants_in_force,
    read_expression,
    recipients,
    tables_of,
)
from lakemesh.access.state import Expression, TagPolicyResource
from lakemesh.declarations.errors import InvalidMeshError, Problem
from lakemesh.declarations.loader import Loaded, Memory, load, without_collector
from lakemesh.declarations.models import Access, Declarations, Grant, Quotas
from lakemesh.declarations.places import Places

Check = Callable[[Declarations, Places, dt.date], Iterator[Problem]]


def problems(directory: Path, today: dt.date) -> tuple[Declarations | None, tuple[Problem, ...]]:
    """Everything wrong with a mesh directory, and its declarations if they could be built at all."""
    loaded = checked(directory, today)
    return loaded.declarations, loaded.problems


def checked(directory: Path, today: dt.date, memory: Memory | None = None) -> Loaded:
    """What a mesh directory holds, with everything that is wrong with it and the place of everything in it.

    `memory`: of an earlier reading of the same mesh, so that only what changed is parsed.
    """
    with without_collector():
        return _checked(directory, today, memory)


def _checked(directory: Path, today: dt.date, memory: Memory | None) -> Loaded:
    loaded = load(directory, today, memory)
    if loaded.declarations is None:
        return loaded
    found = [*loaded.problems]
    for check in CHECKS:
        try:
            found += check(loaded.declarations, loaded.places, today)
        except UnsafeGrantError:
            if not found:  # what cannot be expanded was reported with its place
                raise
    return Loaded(loaded.declarations, tuple(sorted(found)), loaded.places)


def load_mesh(directory: Path, today: dt.date | None = None) -> Declarations:
    """The declarations of a mesh directory. Raises InvalidMeshError with everything that is wrong with it."""
    return read_mesh(directory, today or dt.datetime.now(dt.UTC).date())[0]


def read_mesh(directory: Path, today: dt.date) -> tuple[Declarations, Places]:
    """The declarations of a mesh directory, and where each stands. Raises InvalidMeshError, as `load_mesh` does."""
    loaded = checked(directory, today)
    if loaded.problems or loaded.declarations is None:
        raise InvalidMeshError(loaded.problems)
    return loaded.declarations, loaded.places


# ------------------------------------------------------------------------------------------------ what a grant becomes
def _expressions_fit(declarations: Declarations, places: Places, today: dt.date) -> Iterator[Problem]:
    """900 bytes an inline expression ("lf-tag-considerations"), 50 values a key (API, TagValueList)."""
    quotas = declarations.mesh.quotas
    for domain, grant in grants_in_force(declarations, today):
        if grant.access is not Access.READ or grant.filtered:
            continue
        tags = read_expression(domain, grant)
        place = (places.grant_file(domain), "grants", declarations.grants[domain].index(grant))
        for key, values in tags:
            if len(values) > quotas.values_per_expression:
                yield places.problem(
                    "expression-values",
                    f'grant "{grant.id}" names {len(values)} values of "{key}"; Lake Formation takes at most '
                    f"{quotas.values_per_expression} a key.\n{_FEWER_VALUES}",
                    *place,
                )
        size = expression_bytes(tags)
        if size > quotas.expression_bytes:
            yield places.problem(
                "expression-bytes",
                f'the LF-Tag expression of grant "{grant.id}" takes {size} bytes; Lake Formation takes at most '
                f"{quotas.expression_bytes}.\n{_FEWER_VALUES}",
                *place,
            )


_FEWER_VALUES = (
    "Split the grant in two, or give the tables one value of a tag of your own (tags.yaml, `lfTags` in their "
    "contracts) and grant that."
)


def expression_bytes(tags: Expression) -> int:
    """Size of an expression as the API carries it."""
    members = [{"TagKey": key, "TagValues": sorted(values)} for key, values in tags]
    return len(json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode())


def _no_discover_beside_read(declarations: Declarations, places: Places, today: dt.date) -> Iterator[Problem]:
    """DESCRIBE cannot be granted to who holds a partial SELECT (developer guide, "lf-permissions-reference")."""
    readers: dict[tuple[str, str, str], Grant] = {}
    discoverers: list[tuple[str, Grant]] = []
    for domain, grant in grants_in_force(declarations, today):
        if grant.access is Access.DISCOVER:
            discoverers.append((domain, grant))
            continue
        for table in tables_of(declarations, domain, grant):
            for principal in _principals(declarations, grant):
                readers.setdefault((principal, table.twin, table.name), grant)
    for domain, grant in discoverers:
        tables = [(table.twin, table.name) for table in tables_of(declarations, domain, grant)]
        keys = [(principal, *table) for principal in _principals(declarations, grant) for table in tables]
        clash = next((key for key in keys if key in readers), None)
        if clash is not None:
            principal, twin, name = clash
            yield places.problem(
                "discover-beside-read",
                f'grant "{grant.id}" lets {principal} discover {twin}.{name}, '
                f'which "{readers[clash].id}" lets it read.\n'
                "Lake Formation refuses DESCRIBE to who may select some columns of a table: read shows those columns.\n"
                "Remove one of the two, or give the second to another consumer or principal.",
                places.grant_file(domain), "grants", declarations.grants[domain].index(grant),
            )  # fmt: skip


def _principals(declarations: Declarations, grant: Grant) -> tuple[str, ...]:
    account = () if grant.principal else (declarations.mesh.consumers[grant.consumer].account,)
    return (*account, *recipients(declarations, grant))


# ------------------------------------------------------------------------------------------------ what a principal has
def _expressions_of_principals(declarations: Declarations, places: Places, today: dt.date) -> Iterator[Problem]:
    """50 LF-Tag expressions a principal (developer guide, "lf-tag-considerations")."""
    quotas = declarations.mesh.quotas
    held: dict[str, list[Entry]] = defaultdict(list)
    expansion = expand(declarations, today)
    for entries in (*expansion.by_domain.values(), *expansion.by_consumer.values()):
        for entry in entries:
            if isinstance(entry.resource, TagPolicyResource):
                held[entry.principal].append(entry)
    for consumer, declared in declarations.consumers.items():
        paths: dict[str, tuple[str, ...]] = {declared.account: ("account",)}
        paths |= {principal.role: ("principals", alias) for alias, principal in declared.principals.items()}
        for principal, path in paths.items():
            count = len(held[principal])
            if count > quotas.expressions_per_principal:
                ids = {grant for entry in held[principal] for grant in entry.grants}
                yield places.problem(
                    "expressions-per-principal",
                    f"{principal} would hold {count} LF-Tag expressions; Lake Formation takes at most "
                    f"{quotas.expressions_per_principal} a principal.\n{remedy(declarations, ids, quotas)}",
                    places.consumer_file(consumer), *path,
                )  # fmt: skip


def remedy(declarations: Declarations, ids: set[str], quotas: Quotas) -> str:
    """What brings the number of expressions down: the grants that could be one, and how to write that one."""
    groups: dict[tuple[str, str, frozenset[str]], list[Grant]] = defaultdict(list)
    for domain, grants in declarations.grants.items():
        for grant in grants:
            if grant.id in ids and grant.product is not None:
                groups[domain, grant.to, frozenset(grant.sensitivity)].append(grant)
    if not groups:
        return "Grant a whole domain, or a tag of your own, instead of many narrow expressions."
    (domain, to, _), alike = max(groups.items(), key=lambda item: (len(item[1]), str(item[0])))
    return (
        f"Grant a tag instead of product after product: {len(alike)} grants of domain {domain} to {to} differ only in "
        f"their product ({alike[0].id}, …).\nReplace them by one with `tags: {{product: [{alike[0].product}, …]}}` "
        f"(up to {quotas.values_per_expression} products and {quotas.expression_bytes} bytes a grant), by one on a tag "
        "of your own (tags.yaml, `lfTags` in the contracts), or by one on the whole domain (`tags: {}`)."
    )


def _default_is_not_a_twin(declarations: Declarations, places: Places, _: dt.date) -> Iterator[Problem]:
    for domain, declared in declarations.mesh.domains.items():
        for index, source in enumerate(declared.sources):
            if source.twin_name == DEFAULT_DATABASE:
                yield places.problem(
                    "twin-named-default",
                    'the twin of this source would be called "default", a database that every consumer has already.\n'
                    "Its resource link carries the twin's name. Give the source another one with `twin:`.",
                    places.mesh_file, "domains", domain, "sources", index,
                )  # fmt: skip


CHECKS: tuple[Check, ...] = (
    *check_filters.CHECKS,
    _expressions_fit,
    _no_discover_beside_read,
    _expressions_of_principals,
    _default_is_not_a_twin,
)
