"""The parts of a mesh: one stack each, in the order in which they are deployed.

`central`, then every `producer-<p>` (their policies name central's roles), every `domain-<d>` (its first sync assumes
the producers' reader roles), every `consumer-<c>` (it uses what the domains shared).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum, unique

from lakemesh.declarations.models import Declarations


class UnknownStackError(Exception):
    """A stack name that is no part of the mesh; the text lists the parts."""


@unique
class Kind(StrEnum):
    """What a part is; members stand in the order of deployment."""

    CENTRAL = "central"
    PRODUCER = "producer"
    DOMAIN = "domain"
    CONSUMER = "consumer"


@dataclass(frozen=True)
class Part:
    """One part of the mesh. `name` is the producer's, domain's or consumer's; "" for central."""

    kind: Kind
    name: str = ""

    @property
    def stack(self) -> str:
        """The name of the part's stack."""
        return f"{self.kind}-{self.name}" if self.name else str(self.kind)

    @staticmethod
    def parse(stack: str, declarations: Declarations) -> Part:
        """The part that a stack's name says. Raises UnknownStackError, which lists the parts."""
        known = {part.stack: part for part in parts(declarations)}
        if stack in known:
            return known[stack]
        close = difflib.get_close_matches(stack, known, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise UnknownStackError(
            f'Stack "{stack}" is no part of the mesh "{declarations.mesh.name}".{hint} Its parts: {", ".join(known)}.'
        )


CENTRAL = Part(Kind.CENTRAL)


def parts(declarations: Declarations) -> tuple[Part, ...]:
    """Every part, in the order of deployment."""
    mesh = declarations.mesh
    return (
        CENTRAL,
        *(Part(Kind.PRODUCER, name) for name in sorted(mesh.producers)),
        *(Part(Kind.DOMAIN, name) for name in sorted(mesh.domains)),
        *(Part(Kind.CONSUMER, name) for name in sorted(mesh.consumers)),
    )


def predecessors(part: Part, declarations: Declarations) -> tuple[Part, ...]:
    """What must be deployed before `part`, in the order of deployment.

    A domain needs the producers of its sources; a consumer needs the domains that grant it something.
    """
    if part.kind is Kind.CENTRAL:
        return ()
    if part.kind is Kind.PRODUCER:
        return (CENTRAL,)
    if part.kind is Kind.DOMAIN:
        producers = {source.producer for source in declarations.mesh.domains[part.name].sources}
        return (CENTRAL, *(Part(Kind.PRODUCER, name) for name in sorted(producers)))
    domains = {domain for domain, grants in declarations.grants.items() if any(g.consumer == part.name for g in grants)}
    return (CENTRAL, *(Part(Kind.DOMAIN, name) for name in sorted(domains)))


def account(part: Part, declarations: Declarations) -> str:
    """The account that the part's stack deploys into: a domain lives in the governance account."""
    mesh = declarations.mesh
    if part.kind is Kind.PRODUCER:
        return mesh.producers[part.name].account
    if part.kind is Kind.CONSUMER:
        return mesh.consumers[part.name].account
    return mesh.central.account
