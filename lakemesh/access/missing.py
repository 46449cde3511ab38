"""The first thing that keeps a principal from reading a column, and the line of YAML that would supply it. Pure.

First in the order in which data travels: the contract must have reviewed the column, then a grant must reach it at its
sensitivity, then the consumer must have assigned it. Following what is said, time and again, ends in access; tests do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from itertools import count
from typing import Final

from lakemesh.access.expand import read_expression, recipients, tables_of
from lakemesh.access.filters import of_table
from lakemesh.access.holders import Access
from lakemesh.access.matching import reach
from lakemesh.access.overview import Key
from lakemesh.access.state import TagPolicyResource
from lakemesh.access.subject import Subject
from lakemesh.declarations.manifest import view_sensitivity
from lakemesh.declarations.models import Access as Kind
from lakemesh.declarations.models import Column, Grant, Product, Sensitivity, Status, Table
from lakemesh.declarations.places import Place, Places

ACCOUNT_PATH: Final = (Sensitivity.PUBLIC, Sensitivity.INTERNAL)
"""What may be granted to a whole account (docs/adr/0001)."""


@unique
class Remedy(StrEnum):
    """What kind of line supplies what is missing."""

    PRINCIPAL = "principal"
    ASK_AS_PRINCIPAL = "ask-as-principal"
    REVIVE = "revive-product"
    REVIEW = "review-column"
    RENEW = "renew-grant"
    WIDEN = "widen-grant"
    SHOW = "show-column"
    REMOVE_DISCOVER = "remove-discover"
    GRANT = "new-grant"
    ASSIGN = "assign-grant"
    DEPLOY = "deploy"
    """Not a line but a command: it is declared, and the accounts lack it."""


@dataclass(frozen=True)
class Missing:
    """What is missing first. `subject` is what the remedy is about: a column, a grant's id, an alias."""

    remedy: Remedy
    says: str
    place: Place
    yaml: str
    """What to write there; of DEPLOY, the command to run."""
    subject: str = ""


@dataclass(frozen=True)
class _Asked:
    access: Access
    places: Places
    subject: Subject
    product: Product
    table: Table
    level: Sensitivity
    column: str


def first_missing(access: Access, places: Places, subject: Subject, key: Key, column: Column) -> Missing:
    """What keeps a principal that cannot read a column from it."""
    product, table = access.tables[key]
    found = _nobody(places, subject) or _unreviewed(places, product, table, column)
    if found is not None:
        return found
    level = view_sensitivity(table) if table.kind == "view" else column.sensitivity
    assert level is not None  # noqa: S101 - reviewed, or it would have been what is missing
    return _grant(_Asked(access, places, subject, product, table, level, column.name))


def _nobody(places: Places, subject: Subject) -> Missing | None:
    """A role that the mesh grants nothing, because it does not name it or must not."""
    if subject.alias:
        return None
    if not subject.consumer or subject.administrator:
        file = places.consumer_file(subject.consumer) if subject.consumer else places.mesh_file
        path = ("administrators",) if subject.consumer else ("central", "administrators")
        who = f"account {subject.account}" if subject.consumer else "the governance account"
        says = (
            f"administrators of {who} see metadata and read nothing until they grant themselves; the mesh grants to "
            "principals, and to administrators never"
        )
        return Missing(
            Remedy.ASK_AS_PRINCIPAL, says, places.of(file, *path), "query with a role that is a principal of a consumer"
        )
    alias = subject.role.rsplit("/", 1)[-1]
    file = places.consumer_file(subject.consumer)
    yaml = _under(places, file, "principals", f"  {alias}:\n    role: {subject.role}")
    says = f"the role is no principal of consumer {subject.consumer}"
    return Missing(Remedy.PRINCIPAL, says, places.of(file, "principals"), yaml, alias)


def _under(places: Places, file: str, key: str, yaml: str) -> str:
    """Members of a list or mapping, with its key where the file does not have it yet."""
    document = places.documents.get(file)
    written = document.value if document else None
    return yaml if isinstance(written, dict) and written.get(key) else f"{key}:\n{yaml}"


def _unreviewed(places: Places, product: Product, table: Table, column: Column) -> Missing | None:
    if product.status is Status.RETIRED:
        place = places.of(places.product_file(product.name), "status")
        says = f"product {product.name} is retired, so its tables carry no LF-Tags and no grant reaches them"
        return Missing(Remedy.REVIVE, says, place, "status: active", product.name)
    if table.kind == "view":
        open_ = next((each for each in table.columns if each.sensitivity is None), None)
        why = f"{table.key} is a view, readable as a whole or not at all"
    else:
        open_ = next((key for key in table.partition_keys if key.sensitivity is None), None)
        why = "a partition key cannot be withheld, so no column of the table is readable before it is reviewed"
    if open_ is None and column.sensitivity is None:
        open_, why = column, "an unreviewed column is readable by nobody"
    if open_ is None:
        return None
    where = places.parts.get((product.name, table.key, open_.name), ())
    place = places.of(places.product_file(product.name), *where, "classification")
    levels = "|".join(Sensitivity)
    return Missing(
        Remedy.REVIEW,
        f"nobody has reviewed {table.key}.{open_.name}: {why}",
        place,
        f"classification: <{levels}>",
        open_.name,
    )


# ------------------------------------------------------------------------------------------------------------ grants
def _grant(asked: _Asked) -> Missing:
    grants = asked.access.declarations.grants.get(asked.product.domain, ())
    mine = [
        (index, grant)
        for index, grant in enumerate(grants)
        if grant.consumer == asked.subject.consumer and grant.principal in {None, asked.subject.alias}
    ]
    clash = next((pair for pair in mine if _discovers(asked, pair[1])), None)
    if clash is not None:
        return _discover(asked, *clash)
    reading = [pair for pair in mine if pair[1].access is Kind.READ and _would_reach(asked, pair[1])]
    # Validation refuses a tag grant beside a data filter, so where one is in force it is that which has to change.
    reading = [pair for pair in reading if pair[1].filtered and _in_force(asked, pair[1])] or reading
    # The narrowest first: to the principal alone, of the product alone.
    reading.sort(key=lambda pair: (pair[1].principal is None, pair[1].product is None))
    for find in (_assign, _renew, _widen, _show):
        for index, grant in reading:
            found = find(asked, index, grant)
            if found is not None:
                return found
    return _new(asked)


def _in_force(asked: _Asked, grant: Grant) -> bool:
    return grant.expires is None or grant.expires > asked.access.today


def _would_reach(asked: _Asked, grant: Grant) -> bool:
    """Whether a grant's expression covers the column once it names the column's sensitivity."""
    levels = (*grant.sensitivity, asked.level)
    expression = read_expression(asked.product.domain, grant.model_copy(update={"sensitivity": levels}))
    owner = asked.access.declarations.mesh.central.account
    database = asked.access.state.catalogs[owner].databases[asked.table.twin]
    table = database.tables[asked.table.name]
    policy = TagPolicyResource(owner, "TABLE", expression)
    return asked.column in (reach(policy, asked.table.twin, database, asked.table.name, table) or ())


def _place(asked: _Asked, index: int, *path: str) -> Place:
    return asked.places.of(asked.places.grant_file(asked.product.domain), "grants", index, *path)


def _discovers(asked: _Asked, grant: Grant) -> bool:
    """A `discover` in force for the role on the table: Lake Formation takes no SELECT on columns beside it."""
    return (
        grant.access is Kind.DISCOVER
        and _in_force(asked, grant)
        and (asked.subject.role in recipients(asked.access.declarations, grant) or asked.level in ACCOUNT_PATH)
        and asked.table in tables_of(asked.access.declarations, asked.product.domain, grant)
    )


def _discover(asked: _Asked, index: int, grant: Grant) -> Missing:
    says = (
        f'grant "{grant.id}" gives {grant.to} `discover`, which shows the columns and reads none; Lake Formation takes '
        "no `read` beside it for the same principal and table"
    )
    if replaceable(grant, asked.level):
        yaml = f"access: read\nsensitivity: [{asked.level}]   # after a new approval: approvedBy, approvedAt, ticket"
    else:
        yaml = f"# take this grant out, or narrow it; then grant `read` to {asked.subject.name}"
    return Missing(Remedy.REMOVE_DISCOVER, says, _place(asked, index, "access"), yaml, grant.id)


def replaceable(grant: Grant, level: Sensitivity) -> bool:
    """Whether a `discover` grant can become the `read` that is wanted, without reading more than its product."""
    return grant.product is not None and (grant.principal is not None or level in ACCOUNT_PATH)


def _assign(asked: _Asked, _: int, grant: Grant) -> Missing | None:
    if grant.principal is not None or asked.level not in grant.sensitivity or not _in_force(asked, grant):
        return None
    consumer, alias = asked.subject.consumer, asked.subject.alias
    given = asked.access.declarations.consumers[consumer].assignments
    index = next((position for position, each in enumerate(given) if each.grant == grant.id), None)
    file = asked.places.consumer_file(consumer)
    path: tuple[str | int, ...] = ("assignments",) if index is None else ("assignments", index, "principals")
    names = [alias] if index is None else [*given[index].principals, alias]
    listed = f"principals: [{', '.join(names)}]"
    account = asked.subject.account
    says = f'grant "{grant.id}" lets account {account} read it, and {consumer} has not assigned it to {alias}'
    whole = f"  - grant: {grant.id}\n    {listed}"
    yaml = _under(asked.places, file, "assignments", whole) if index is None else listed
    return Missing(Remedy.ASSIGN, says, asked.places.of(file, *path), yaml, grant.id)


def _renew(asked: _Asked, index: int, grant: Grant) -> Missing | None:
    if asked.level not in grant.sensitivity or _in_force(asked, grant):
        return None
    says = f'grant "{grant.id}" would let {grant.to} read it, but expired on {grant.expires}'
    yaml = "expires: <a day to come>   # after a new approval: approvedBy, approvedAt, ticket"
    return Missing(Remedy.RENEW, says, _place(asked, index, "expires"), yaml, grant.id)


def _widen(asked: _Asked, index: int, grant: Grant) -> Missing | None:
    if asked.level in grant.sensitivity or not _in_force(asked, grant):
        return None
    if grant.principal is None and asked.level not in ACCOUNT_PATH:
        return None  # an account is never granted that: a grant of the principal's own
    named = ", ".join(map(str, grant.sensitivity))
    says = f'it is {asked.level}, and grant "{grant.id}" to {grant.to} names [{named}] only'
    yaml = f"sensitivity: [{named}, {asked.level}]   # after a new approval: approvedBy, approvedAt, ticket"
    return Missing(Remedy.WIDEN, says, _place(asked, index, "sensitivity"), yaml, grant.id)


def _show(asked: _Asked, index: int, grant: Grant) -> Missing | None:
    """A data filter in force that names the column's sensitivity and leaves the column out."""
    if not grant.filtered or asked.level not in grant.sensitivity or not _in_force(asked, grant):
        return None
    says = f'grant "{grant.id}" to {grant.to} is a data filter of '
    only, without = of_table(grant.columns, asked.table), of_table(grant.exclude, asked.table)
    if only is not None and asked.column not in only:
        says += f"{', '.join(only)} alone"
        return _named(asked, index, grant, says, "columns", (*only, asked.column))
    if without is not None and asked.column in without:
        says += f"{asked.table.key} without {', '.join(without)}"
        return _named(asked, index, grant, says, "exclude", tuple(name for name in without if name != asked.column))
    says = f'grant "{grant.id}" to {grant.to} is by data filters, and a view has none'
    yaml = "# take `columns`, `exclude` and `rows` out   # after a new approval: approvedBy, approvedAt, ticket"
    return Missing(Remedy.SHOW, says, _place(asked, index), yaml, grant.id)


def _named(asked: _Asked, index: int, grant: Grant, says: str, key: str, names: tuple[str, ...]) -> Missing:
    """Other names for a table under `columns` or `exclude`; none: the table is taken out there."""
    mapping = getattr(grant, key)
    name = asked.table.name if asked.table.name in mapping else asked.table.key
    if names:
        yaml = f"{name}: [{', '.join(names)}]   # after a new approval: approvedBy, approvedAt, ticket"
    else:
        yaml = f"# take `{name}` out of `{key}`   # after a new approval: approvedBy, approvedAt, ticket"
    return Missing(Remedy.SHOW, says, _place(asked, index, key, name), yaml, grant.id)


def _new(asked: _Asked) -> Missing:
    subject = asked.subject
    to = subject.consumer if asked.level in ACCOUNT_PATH else subject.name
    direct = "" if asked.level in ACCOUNT_PATH else f"; {asked.level} data is granted to single principals alone"
    what = f"{asked.level} columns of {asked.product.name}"
    says = f"no grant of domain {asked.product.domain} lets {subject.name} read {what}{direct}"
    yaml = "\n".join((
        f"  - id: {_free_id(asked, to)}",
        f"    product: {asked.product.name}",
        f"    to: {to}",
        "    access: read",
        f"    sensitivity: [{asked.level}]",
        "    purpose: …",
        "    requestedBy: …",
        "    approvedBy: …",
        "    approvedAt: …",
        "    ticket: …",
    ))  # fmt: skip
    file = asked.places.grant_file(asked.product.domain)
    return Missing(Remedy.GRANT, says, asked.places.of(file, "grants"), _under(asked.places, file, "grants", yaml), to)


def _free_id(asked: _Asked, to: str) -> str:
    """An id that no grant of the mesh has yet."""
    taken = {grant.id for grants in asked.access.declarations.grants.values() for grant in grants}
    plain = f"{asked.product.name}-{to}".replace("_", "-").replace("/", "-").lower()
    return next(each for number in count(1) if (each := plain if number == 1 else f"{plain}-{number}") not in taken)
