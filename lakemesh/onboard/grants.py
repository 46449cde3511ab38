"""Grants that Lake Formation has in a producer's account already: what becomes of each. Pure.

Nothing here takes effect. A grant that has a place in the mesh becomes an entry of the domain's file in comments, for
an approver to complete; every other is a note in the producer's onboarding page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lakemesh.declarations.models import Access, Declarations
from lakemesh.onboard.facts import PermissionFacts, is_open, resource_name

_NO_PLACE = {
    "LFTagPolicy": "a grant on an LF-Tag expression of the producer: the mesh has LF-Tags of its own",
    "LFTagExpression": "a grant on a saved LF-Tag expression of the producer: the mesh has LF-Tags of its own",
    "LFTag": "a permission on an LF-Tag of the producer: the mesh has LF-Tags of its own",
    "DataLocation": "a data location permission: it lets its holder make tables there, and reads nothing",
    "DataCellsFilter": "a data cells filter: a grant of the mesh names sensitivities, no rows",
    "Catalog": "a permission on the catalog: it lets its holder make databases, and reads nothing",
}


@dataclass(frozen=True)
class Proposed:
    """A grant that the mesh could make."""

    id: str
    product: str
    to: str
    access: Access
    found: tuple[str, ...]
    """What there is today, in words."""


@dataclass(frozen=True)
class Note:
    """A grant that the mesh does not make, and why. `key` tells it apart from every other."""

    key: str
    why: str
    own: bool
    """Of the producer's own principals: it stays as it is and is of no concern to the mesh."""


@dataclass(frozen=True)
class Imported:
    proposed: Mapping[str, tuple[Proposed, ...]]
    """By domain."""
    notes: tuple[Note, ...]


def imported(
    permissions: Iterable[PermissionFacts], account: str, producer: str, declarations: Declarations
) -> Imported:
    """What becomes of each grant, with `declarations` as they are after onboarding."""
    products = {
        (table.database, table.name): (product.name, product.domain)
        for product in declarations.products.values()
        for table in product.tables
        if table.producer == producer
    }
    found: dict[tuple[str, str, str, Access], list[str]] = {}
    notes: dict[str, Note] = {}
    for permission in permissions:
        if is_open(permission):
            continue
        key = described(permission)
        places, why = _places(permission, account, declarations, products)
        for place in places:
            found.setdefault(place, []).append(key)
        if not places:
            notes[key] = Note(key, why, own=_account_of(permission.principal) == account)
    proposed: dict[str, list[Proposed]] = {}
    for (domain, product, to, access), keys in sorted(found.items()):
        name = f"imported-{product}-{to.replace('/', '-')}-{access}".lower()
        proposed.setdefault(domain, []).append(Proposed(name, product, to, access, tuple(dict.fromkeys(keys))))
    return Imported(
        {domain: tuple(each) for domain, each in proposed.items()}, tuple(note for _, note in sorted(notes.items()))
    )


def described(permission: PermissionFacts) -> str:
    """One grant in one line: who, what, on what."""
    what = ", ".join(permission.permissions)
    option = f" (grantable: {', '.join(permission.grantable)})" if permission.grantable else ""
    return f"{permission.principal}: {what}{option} on {_resource(permission.resource)}"


def _resource(resource: Mapping[str, Any]) -> str:
    kind = next(iter(resource), "nothing")
    database, table = resource_name(resource)
    if kind == "Database":
        return f"database {database}"
    if kind in {"Table", "TableWithColumns"}:
        columns = resource[kind].get("ColumnNames") or ()
        excluded = (resource[kind].get("ColumnWildcard") or {}).get("ExcludedColumnNames") or ()
        part = f" (columns {', '.join(columns)})" if columns else ""
        part += f" (without columns {', '.join(excluded)})" if excluded else ""
        return f"every table of {database}{part}" if table == "*" else f"table {database}.{table}{part}"
    details = ", ".join(f"{key} {value}" for key, value in sorted(resource[kind].items()) if key != "CatalogId")
    return f"{kind} {details}".strip()


_Place = tuple[str, str, str, Access]


def _places(
    permission: PermissionFacts,
    account: str,
    declarations: Declarations,
    products: Mapping[tuple[str, str], tuple[str, str]],
) -> tuple[list[_Place], str]:
    """(domain, product, recipient, access) of each grant that this could be; none, with the reason."""
    owner = _account_of(permission.principal)
    if owner == account:
        return [], "of the producer's own account: it stays as it is, the mesh grants in the central catalog"
    if owner == declarations.mesh.central.account:
        return [], "of the governance account: the mesh's own roles read through what its stacks grant"
    kind = next(iter(permission.resource), "")
    if kind in _NO_PLACE:
        return [], _NO_PLACE[kind]
    to, why = _recipient(permission.principal, owner, declarations)
    if not to:
        return [], why
    access = Access.READ if "SELECT" in permission.permissions else Access.DISCOVER
    if access is Access.DISCOVER and "DESCRIBE" not in permission.permissions:
        return [], "it lets others change tables: the mesh grants reading and discovering, nothing else"
    if kind == "Database":
        return [], "a permission on the database alone: grants of the mesh are on products"
    database, table = resource_name(permission.resource)
    reached = {place for (of, name), place in products.items() if of == database and (table in {"*", name})}
    if not reached:
        return [], "its table is in no product of the mesh; run onboarding for it, then this again"
    return [(domain, product, to, access) for product, domain in sorted(reached)], ""


def _recipient(principal: str, owner: str, declarations: Declarations) -> tuple[str, str]:
    """`consumer` or `consumer/principal`; empty with the reason."""
    for name, entry in declarations.mesh.consumers.items():
        if entry.account != owner:
            continue
        if principal == owner or principal.endswith(":root"):
            return name, ""
        declared = declarations.consumers.get(name)
        for alias, role in (declared.principals if declared else {}).items():
            if role.role == principal:
                return f"{name}/{alias}", ""
        return "", f"it is no principal of consumer {name}; list it in consumers/{name}.yaml, then run this again"
    if ":organizations:" in principal:
        return "", "to an organization or a unit of it: grants of the mesh name consumers"
    if not owner:
        return "", "its principal is of a kind that grants of the mesh do not name"
    return (
        "",
        f"account {owner} is no consumer of the mesh; onboard it (lakemesh onboard consumer), then run this again",
    )


def _account_of(principal: str) -> str:
    if principal.isdigit():
        return principal
    parts = principal.split(":")
    return parts[4] if len(parts) > 4 and parts[2] != "organizations" else ""


# --------------------------------------------------------------------------------------------------------- as text
def comments(entries: Iterable[Proposed], producer: str, account: str) -> str:
    """Entries for a domain's file, every line a comment: nothing is granted before a person completes them."""
    lines = [
        f"# Found in Lake Formation of producer {producer} ({account}) by `lakemesh onboard`, and NOT in force here.",
        "# Each needs an approver of this domain: fill in what stands in <angle brackets>, then take the `# ` of its",
        "# lines away.",
        "# To decline one, delete it: it is listed in mesh/onboarding and not proposed again.",
    ]
    for entry in entries:
        lines += [f"#   today: {key}" for key in entry.found]
        lines += [
            f"# - id: {entry.id}",
            f"#   product: {entry.product}",
            f"#   to: {entry.to}",
            f"#   access: {entry.access}",
            *(["#   sensitivity: [<public, internal>]"] if entry.access is Access.READ else []),
            "#   purpose: <what the data is used for>",
            "#   requestedBy: <who asks>",
            "#   approvedBy: <an approver of this domain, not who asks>",
            "#   approvedAt: <day, as 2026-03-09>",
            "#   ticket: <where it was decided>",
        ]
    return "".join(f"{line}\n" for line in lines)


def page(
    producer: str, account: str, known: str, proposed: Iterable[tuple[str, Proposed]], notes: Iterable[Note]
) -> str:
    """The producer's onboarding page: `known` is what it says already, and only what is not in it is added."""
    text = known or _PAGE.format(producer=producer, account=account)
    sections: list[tuple[str, list[str]]] = [
        ("Proposed as grants, in comments", list(_proposed_lines(proposed, known))),
        ("Without a place in the mesh", [_line(note) for note in notes if not note.own and _mark(note) not in known]),
        ("The producer's own", [_line(note) for note in notes if note.own and _mark(note) not in known]),
    ]
    for title, lines in sections:
        if lines:
            text = text.rstrip("\n") + f"\n\n## {title}\n\n" + "".join(f"{line}\n" for line in lines)
    return text


_PAGE = """\
# Grants found at producer {producer} ({account})

Written by `lakemesh onboard producer`, which adds what it finds and changes nothing that is here: tick, comment and
cross out as you like. None of it is in force in the mesh; all of it stays in force at the producer until somebody
revokes it there.
"""


def _proposed_lines(proposed: Iterable[tuple[str, Proposed]], known: str) -> Iterator[str]:
    for domain, entry in proposed:
        if f"`{entry.id}`" not in known:
            yield f"- [ ] `{entry.id}` in grants/{domain}.yaml, for: " + "; ".join(f"`{key}`" for key in entry.found)


def _mark(note: Note) -> str:
    return f"`{note.key}`"


def _line(note: Note) -> str:
    return f"- [ ] {_mark(note)}: {note.why}"
