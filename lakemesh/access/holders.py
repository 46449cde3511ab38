"""Who there is in a mesh to have access, and what each of them has of every table as declared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from functools import cached_property

from lakemesh.access.declared import declared_state
from lakemesh.access.expand import Entry, Expansion, expand
from lakemesh.access.overview import Columns, Key, Overview
from lakemesh.access.state import State
from lakemesh.declarations.models import UNREVIEWED, Column, Declarations, Product, Table


@unique
class Kind(StrEnum):
    PRINCIPAL = "principal"
    """A role that a consumer names."""
    ACCOUNT = "account"
    """A consumer's account: whoever administers it can read what it was granted, and hand it on."""


@dataclass(frozen=True, order=True)
class Holder:
    """Somebody who may have access. `id`: the role's ARN, or the account's id."""

    kind: Kind
    name: str
    id: str


@dataclass(frozen=True)
class Access:
    """A mesh on one day: its holders, its tables, and who has what."""

    declarations: Declarations
    today: dt.date

    @cached_property
    def expansion(self) -> Expansion:
        return expand(self.declarations, self.today)

    @cached_property
    def state(self) -> State:
        return declared_state(self.declarations, self.today, self.expansion)

    @cached_property
    def overview(self) -> Overview:
        return Overview(self.state, self.declarations.mesh.central.account)

    @cached_property
    def tables(self) -> Mapping[Key, tuple[Product, Table]]:
        return {
            (table.twin, table.name): (product, table)
            for product in self.declarations.products.values()
            for table in product.tables
        }

    @cached_property
    def holders(self) -> Mapping[tuple[Kind, str], Holder]:
        return {(holder.kind, holder.id): holder for holder in self._holders()}

    def _holders(self) -> Iterator[Holder]:
        for name, entry in self.declarations.mesh.consumers.items():
            yield Holder(Kind.ACCOUNT, name, entry.account)
            declared = self.declarations.consumers.get(name)
            for alias, principal in (declared.principals if declared else {}).items():
                yield Holder(Kind.PRINCIPAL, f"{name}/{alias}", principal.role)

    @cached_property
    def principals(self) -> tuple[Holder, ...]:
        return tuple(holder for holder in self.holders.values() if holder.kind is Kind.PRINCIPAL)

    @cached_property
    def _of(self) -> Mapping[tuple[Kind, str], Mapping[Key, Columns]]:
        ask = {Kind.ACCOUNT: self.overview.account, Kind.PRINCIPAL: self.overview.tables}
        return {key: ask[holder.kind](holder.id) for key, holder in self.holders.items()}

    def of(self, holder: Holder) -> Mapping[Key, Columns]:
        """What a holder has, by table; nothing where the mesh does not have it."""
        return self._of.get((holder.kind, holder.id), {})

    @cached_property
    def readers(self) -> Mapping[Key, list[tuple[Holder, frozenset[str]]]]:
        """Principals that can read anything of a table, with the columns."""
        found: dict[Key, list[tuple[Holder, frozenset[str]]]] = {}
        for holder in self.principals:
            for key, columns in self.of(holder).items():
                if columns.selectable:
                    found.setdefault(key, []).append((holder, columns.selectable))
        return found

    @cached_property
    def entries(self) -> Mapping[str, tuple[Entry, ...]]:
        """Entries of either side, by principal."""
        found: dict[str, list[Entry]] = {}
        for entries in (*self.expansion.by_domain.values(), *self.expansion.by_consumer.values()):
            for entry in entries:
                found.setdefault(entry.principal, []).append(entry)
        return {principal: tuple(each) for principal, each in found.items()}

    def grants_behind(self, who: str, key: Key, columns: frozenset[str], permission: str) -> tuple[str, ...]:
        """Ids of the grants by which a role or account has a permission on any of some columns."""
        if not columns:
            return ()
        entries = self._by_table(who).get(key, ())
        return tuple(
            sorted({
                grant
                for entry, reached in entries
                if permission in entry.permissions and columns & reached
                for grant in entry.grants
            })
        )  # fmt: skip

    def _by_table(self, who: str) -> Mapping[Key, list[tuple[Entry, frozenset[str]]]]:
        """Entries of a principal by the tables that they reach."""
        found = self._tables_of.get(who)
        if found is None:
            found = self._tables_of[who] = {}
            for entry in self.entries.get(who, ()):
                for key, reached in self.overview.reached(entry.resource).items():
                    found.setdefault(key, []).append((entry, reached))
        return found

    @cached_property
    def _tables_of(self) -> dict[str, dict[Key, list[tuple[Entry, frozenset[str]]]]]:
        return {}


def sensitivity(column: Column | None) -> str:
    """What a contract says of a column, in the words of the LF-Tag."""
    return str(column.sensitivity) if column is not None and column.sensitivity else UNREVIEWED
