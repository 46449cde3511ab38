"""Who may find what. Whatever shows a product to a person asks here: search, pages, API and requests alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lakemesh.declarations.models import Declarations, Product, Status
from lakemesh.portal.requests.model import Person


@dataclass(frozen=True)
class Viewer:
    """A person in front of one mesh."""

    declarations: Declarations
    person: Person

    def sees(self, product: Product) -> bool:
        """Whether the product exists for this person.

        A draft is its domain's own affair. What names `discoverableBy` is there for people of those consumers alone;
        its approvers and stewards see everything of theirs.
        """
        if self.person.steward or product.domain in self.domains:
            return True
        if product.status is Status.DRAFT:
            return False
        return product.discoverable_by is None or bool(self.person.consumers.intersection(product.discoverable_by))

    def products(self) -> Iterator[Product]:
        """Every product that exists for this person."""
        return (product for product in self.declarations.products.values() if self.sees(product))

    def product(self, name: str) -> Product | None:
        """One product; None where there is none for this person, and nothing tells why."""
        product = self.declarations.products.get(name)
        return product if product is not None and self.sees(product) else None

    @cached_property
    def domains(self) -> frozenset[str]:
        """Domains whose requests the person decides about."""
        email = self.person.email.casefold()
        return frozenset(
            name
            for name, domain in self.declarations.mesh.domains.items()
            if email in (approver.casefold() for approver in domain.approvers)
        )

    @cached_property
    def principals(self) -> tuple[str, ...]:
        """`consumer/alias` of every principal that the person may ask for, sorted."""
        return tuple(
            f"{name}/{alias}"
            for name in sorted(self.person.consumers)
            if name in self.declarations.consumers
            for alias in sorted(self.declarations.consumers[name].principals)
        )
