"""What a person finds: search and filters over the products that exist for that person."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from lakemesh.declarations.models import Declarations, Product, Sensitivity, Status
from lakemesh.portal.catalogue.health import Health, HealthOf, Unknown
from lakemesh.portal.catalogue.index import Index
from lakemesh.portal.catalogue.visible import Viewer
from lakemesh.portal.requests.model import Person

_MOST_INDEXES = 64
"""Groups of people, by what they may find, whose indexes are kept."""


@dataclass(frozen=True)
class Filters:
    """What else a product has to be; None: whatever it is."""

    domain: str | None = None
    sensitivity: Sensitivity | None = None
    """It has a column of this sensitivity."""
    status: Status | None = None
    """None: all but retired ones."""
    fresh: bool | None = None
    """Whether its data is as fresh as its contract promises; what is not known is neither."""

    def pass_(self, result: Result) -> bool:
        """Whether a product is what is wanted."""
        product = result.product
        wanted_status = product.status is not Status.RETIRED if self.status is None else product.status is self.status
        return (
            wanted_status
            and self.domain in {None, product.domain}
            and (self.sensitivity is None or self.sensitivity in result.levels)
            and self.fresh in {None, result.health.fresh}
        )


@dataclass(frozen=True)
class Result:
    """One product of a list."""

    product: Product
    levels: tuple[Sensitivity, ...]
    """Sensitivities of its columns, in their order."""
    unreviewed: int
    """Columns that nobody has reviewed."""
    health: Health


@dataclass(frozen=True)
class Results:
    """Products, the best first."""

    results: tuple[Result, ...]
    instead: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Words that nothing holds, each with those that were searched for instead."""


class Catalogue:
    """Products of one mesh, for whoever asks. Safe to use from several threads."""

    def __init__(self, declarations: Declarations, health: HealthOf | None = None) -> None:
        self.declarations = declarations
        self.health = health or Unknown()
        self._lock = threading.Lock()
        self._indexes: dict[frozenset[str], Index] = {}

    def find(self, person: Person, text: str, filters: Filters = Filters()) -> Results:
        """Products that hold the words of `text`, or all of them, as far as they exist for the person."""
        visible = {product.name: product for product in Viewer(self.declarations, person).products()}
        if text.strip():
            found = self._index(visible).search(text)
            names, instead = [hit.product for hit in found.hits], found.instead
        else:
            names, instead = sorted(visible), ()
        results = (self.result(visible[name]) for name in names)
        return Results(tuple(one for one in results if filters.pass_(one)), instead)

    def result(self, product: Product) -> Result:
        """What a list says of a product."""
        columns = [column for table in product.tables for column in table.columns]
        held = {column.sensitivity for column in columns}
        return Result(
            product,
            tuple(level for level in Sensitivity if level in held),
            sum(column.sensitivity is None for column in columns),
            self.health.of(product.name),
        )

    def _index(self, visible: dict[str, Product]) -> Index:
        """One index for each set of products that somebody sees: there are as many as there are groups of people."""
        key = frozenset(visible)
        with self._lock:
            index = self._indexes.get(key)
            if index is None:
                while len(self._indexes) >= _MOST_INDEXES:
                    del self._indexes[next(iter(self._indexes))]
                index = self._indexes[key] = Index(self.declarations, visible.values())
        return index
