"""May a principal read a column, and why; and if it may not, the first thing that is missing. Pure.

The verdict is always the evaluator's, over the declared state. The chain is read off the entries that reach the column,
and what is missing is looked for in the order in which data travels: contract, grant, assignment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum, unique

from lakemesh.access.evaluate import table_access
from lakemesh.access.expand import Entry
from lakemesh.access.holders import Access, sensitivity
from lakemesh.access.missing import Missing, first_missing
from lakemesh.access.overview import Key
from lakemesh.access.state import DatabaseResource, State, TagPolicyResource, resource_key
from lakemesh.access.subject import Subject
from lakemesh.declarations.models import Declarations, Grant
from lakemesh.declarations.places import Place, Places


@unique
class Verdict(StrEnum):
    READ = "read"
    """Queries return the column."""
    DISCOVER = "discover"
    """Glue shows the column; a query of it is refused."""
    DENIED = "denied"


@dataclass(frozen=True)
class Step:
    """One link of the chain, and the declaration it comes from."""

    says: str
    place: Place | None = None


@dataclass(frozen=True)
class ColumnAnswer:
    table: str
    """`twin.table`"""
    column: str
    sensitivity: str
    """As the contract says; `unreviewed` where it says nothing."""
    verdict: Verdict
    chain: tuple[Step, ...]
    missing: Missing | None
    """Unless the column can be read."""
    place: Place
    """Where the contract says it, or does not."""


def explain(access: Access, places: Places, subject: Subject, key: Key, column: str) -> ColumnAnswer:
    """The answer about one column. Raises KeyError for a table or column that no contract lists."""
    product, table = access.tables[key]
    declared = next((each for each in table.columns if each.name == column), None)
    if declared is None:
        raise KeyError(column)
    verdict, reasons = verdict_of(access.state, subject, key, column)
    chain = tuple(_chain(access, places, subject, key, column)) if verdict is not Verdict.DENIED else ()
    if verdict is not Verdict.DENIED and not chain:
        chain = tuple(Step(reason) for reason in reasons)  # implicit: nobody declared it
    where = places.parts.get((product.name, table.key, column), ())
    return ColumnAnswer(
        table.key,
        column,
        sensitivity(declared),
        verdict,
        chain,
        None if verdict is Verdict.READ else first_missing(access, places, subject, key, declared),
        places.of(places.product_file(product.name), *where, "classification"),
    )


def verdict_of(state: State, subject: Subject, key: Key, column: str) -> tuple[Verdict, tuple[str, ...]]:
    """As the principal would ask: through the link of its own account, where its account has one."""
    found = table_access(state, subject.role, subject.account, *key)
    reasons = found.reasons.get(column) or found.reasons.get("", ())
    if column in found.selectable:
        return Verdict.READ, reasons
    return (Verdict.DISCOVER if column in found.visible else Verdict.DENIED), reasons


# ------------------------------------------------------------------------------------------------------------- chain
def _chain(access: Access, places: Places, subject: Subject, key: Key, column: str) -> Iterator[Step]:
    product, table = access.tables[key]
    ways = [entry for entry in access.entries.get(subject.role, ()) if _reaches(access, entry, key, column)]
    if not ways:
        return
    yield _tag(access, places, key, column)
    for entry in sorted(ways, key=lambda each: each.name):
        for grant_id in entry.grants:
            domain, grant = _grant(access.declarations, grant_id, product.domain)
            yield Step(_granted(grant), _at(places, domain, grant))
            yield from _path(access, places, subject, entry, grant)
    yield from _around(access, subject, table.twin)


def _reaches(access: Access, entry: Entry, key: Key, column: str) -> bool:
    return column in access.overview.reached(entry.resource).get(key, ())


def _tag(access: Access, places: Places, key: Key, column: str) -> Step:
    product, table = access.tables[key]
    declared = next(each for each in table.columns if each.name == column)
    where = places.parts.get((product.name, table.key, column), ())
    place = places.of(places.product_file(product.name), *where, "classification")
    return Step(f"{table.key}.{column} is {sensitivity(declared)} and part of product {product.name}", place)


def _grant(declarations: Declarations, grant_id: str, first: str) -> tuple[str, Grant]:
    """A grant by its id: those of the product's domain first, since ids are unique in a valid mesh alone."""
    domains = sorted(declarations.grants, key=lambda domain: (domain != first, domain))
    return next((domain, grant) for domain in domains for grant in declarations.grants[domain] if grant.id == grant_id)


def _granted(grant: Grant) -> str:
    if grant.product is not None:
        what = f"product {grant.product}"
    else:
        tags = ", ".join(f"{key}: [{', '.join(values)}]" for key, values in sorted((grant.tags or {}).items()))
        what = f"what carries the tags {tags}" if tags else "the whole domain"
    levels = f", sensitivity [{', '.join(map(str, grant.sensitivity))}]" if grant.sensitivity else ""
    until = f", until {grant.expires}" if grant.expires else ""
    return f'grant "{grant.id}": {grant.access} {what}{levels}, to {grant.to}{until}'


def _at(places: Places, domain: str, grant: Grant) -> Place:
    return places.of(places.grant_file(domain), *places.grants.get((domain, grant.id), ()))


def _path(access: Access, places: Places, subject: Subject, entry: Entry, grant: Grant) -> Iterator[Step]:
    owner = access.declarations.mesh.central.account
    what = f"{', '.join(entry.permissions)} on {resource_key(entry.resource)}"
    if grant.principal is not None:
        yield Step(f"{owner} grants {what} straight to the role, without grant option")
        return
    yield Step(f"{owner} grants {what} to account {subject.account}, with grant option")
    yield Step(f"consumer {subject.consumer} assigns it to {subject.alias}", assigned(access, places, subject, grant))
    same = "the identical expression" if isinstance(entry.resource, TagPolicyResource) else "it"
    yield Step(f"{subject.account} passes {same} on to the role")


def assigned(access: Access, places: Places, subject: Subject, grant: Grant) -> Place | None:
    """Where a consumer assigns a grant to a principal."""
    consumer = access.declarations.consumers[subject.consumer]
    for position, given in enumerate(consumer.assignments):
        if given.grant == grant.id and subject.alias in given.principals:
            return places.of(places.consumer_file(subject.consumer), "assignments", position)
    return None


def _around(access: Access, subject: Subject, twin: str) -> Iterator[Step]:
    """What a query needs beside permissions on columns: share, database, link."""
    mesh = access.declarations.mesh
    owner, account = mesh.central.account, subject.account
    yield Step(
        f"{owner}'s share with {account} is in force: "
        + (
            "RAM sharing is on in the organization, so there is no invitation"
            if mesh.organization.ram_sharing
            else "the consumer's stack accepts its invitations"
        )
    )
    held = {entry.resource for entry in access.entries.get(subject.role, ())}
    if DatabaseResource(owner, twin) in held:
        yield Step(f"the role has DESCRIBE on the database {twin} of {owner}")
    if DatabaseResource(account, twin) in held:
        yield Step(f"{account} has a resource link {twin} to it, and the role has DESCRIBE on the link")
