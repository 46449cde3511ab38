"""What the mesh makes of somebody: `portal` of mesh.yaml says who is a steward, and who asks for which consumer."""

from __future__ import annotations

from collections.abc import Iterable

from lakemesh.declarations.models import Declarations
from lakemesh.portal.requests.model import Person


def person(declarations: Declarations, email: str, name: str, groups: Iterable[str]) -> Person:
    """A person by address and groups: member of consumers, steward, or neither."""
    portal = declarations.mesh.portal
    known = {email.casefold(), *(group.casefold() for group in groups)}

    def one_of(names: Iterable[str]) -> bool:
        return any(listed.casefold() in known for listed in names)

    return Person(
        email=email,
        name=name,
        consumers=frozenset(consumer for consumer, members in portal.members.items() if one_of(members)),
        steward=one_of(portal.stewards),
    )
