"""Who decides about a request, and how many of them it takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lakemesh.declarations.models import Access, Declarations, Sensitivity
from lakemesh.portal.requests.model import Ask

TWO_APPROVERS: Final = 2


@dataclass(frozen=True)
class Approval:
    """How many of whom have to say yes."""

    needed: int
    """0: approved by rule, without a person."""
    approvers: tuple[str, ...]
    """E-mail addresses of the product's approvers, the requester left out."""


def levels(ask: Ask) -> frozenset[Sensitivity]:
    """Sensitivities that the ask would open; discovery opens no data."""
    return frozenset(ask.sensitivity) if ask.access is Access.READ else frozenset()


def approval(declarations: Declarations, ask: Ask, requester: str) -> Approval:
    """What the ask needs. The highest sensitivity decides; `approvals` of mesh.yaml says how many a level needs."""
    product = declarations.products[ask.product]
    rules = declarations.mesh.approvals
    needed = max((rules.needed(level) for level in levels(ask)), default=rules.needed(None))
    return Approval(needed, others(declarations.mesh.domains[product.domain].approvers, requester))


def others(people: Iterable[str], requester: str) -> tuple[str, ...]:
    """Nobody decides about a request of their own."""
    return tuple(person for person in people if person.casefold() != requester.casefold())
