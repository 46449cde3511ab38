"""Who gains or loses which columns between two revisions of a mesh, and what of the change is behind it. Pure.

Both revisions are asked for the same day, so that a grant that merely expired in between is no part of a change that
did not touch it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lakemesh.access.causes import Cause, causes
from lakemesh.access.declared import administrators
from lakemesh.access.holders import Access, Holder, Kind, sensitivity
from lakemesh.access.overview import Columns, Key
from lakemesh.declarations.models import UNREVIEWED, Column, Sensitivity
from lakemesh.declarations.naming import Naming

LEVELS: Final = (*(str(level) for level in Sensitivity), UNREVIEWED)
"""Sensitivities in order. `unreviewed` comes last: nobody knows what it hides."""
_NONE: Final = Columns()


@dataclass(frozen=True, order=True)
class ColumnChange:
    """A column that somebody gains or loses, with its sensitivity: afterwards for a gain, before for a loss."""

    name: str
    sensitivity: str
    was: str | None = None
    """Its sensitivity on the other side, where that differs: a gain because of it is a declassification."""


@dataclass(frozen=True, order=True)
class RowChange:
    """Columns of which other rows can be read than before: by row filters of which one must hold. None: every row."""

    columns: tuple[str, ...]
    before: tuple[str, ...] | None
    after: tuple[str, ...] | None

    @property
    def widens(self) -> bool:
        """Whether there may be more rows: anything but fewer of the same filters counts as more."""
        return self.before is not None and (self.after is None or not set(self.after) <= set(self.before))


@dataclass(frozen=True)
class Difference:
    """What changes for one holder about one table."""

    holder: Holder
    product: str
    table: str
    """`twin.table`"""
    gained: tuple[ColumnChange, ...] = ()
    """Columns that it can read now."""
    lost: tuple[ColumnChange, ...] = ()
    shown: tuple[ColumnChange, ...] = ()
    """Columns that Glue shows it now, without their data."""
    hidden: tuple[ColumnChange, ...] = ()
    gained_by: tuple[str, ...] = ()
    """Grants, of the later revision, behind what is gained or shown."""
    lost_with: tuple[str, ...] = ()
    """Grants, of the earlier revision, behind what is lost or hidden."""
    rows: tuple[RowChange, ...] = ()
    """Of columns that can be read before and after."""

    @property
    def widens(self) -> bool:
        return bool(self.gained or self.shown) or any(each.widens for each in self.rows)

    @property
    def highest(self) -> str | None:
        """Highest sensitivity that it can read now and could not before."""
        return highest(self.gained)


@dataclass(frozen=True, order=True)
class Administrators:
    """Data lake administrators that come or go: of a consumer's account, or ("") of the central one."""

    consumer: str
    account: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True)
class AccessDiff:
    differences: tuple[Difference, ...] = ()
    administrators: tuple[Administrators, ...] = ()
    causes: tuple[Cause, ...] = field(default_factory=tuple)

    @property
    def widens(self) -> bool:
        """Whether anybody can read, see or hand on more than before."""
        return any(each.widens for each in self.differences) or any(each.added for each in self.administrators)

    @property
    def empty(self) -> bool:
        return not self.differences and not self.administrators

    def of(self, kind: Kind) -> tuple[Difference, ...]:
        return tuple(each for each in self.differences if each.holder.kind is kind)

    @property
    def highest(self) -> str | None:
        """Highest sensitivity that anybody can read now and could not before."""
        return highest(column for each in self.differences for column in each.gained)


def highest(columns: Iterator[ColumnChange] | tuple[ColumnChange, ...]) -> str | None:
    """The highest sensitivity that columns have, or had on the other side of the change."""
    levels = {level for column in columns for level in (column.sensitivity, column.was) if level in LEVELS}
    return max(levels, key=LEVELS.index, default=None)


def compare(before: Access | None, after: Access) -> AccessDiff:
    """What changes from one revision to another; from nothing at all where `before` is None."""
    holders = {**(before.holders if before else {}), **after.holders}
    found = [each for holder in holders.values() for each in _differences(before, after, holder)]
    return AccessDiff(
        tuple(sorted(found, key=_order)), tuple(_administrators(before, after)), tuple(causes(before, after))
    )


def _order(each: Difference) -> tuple[int, str, str, str]:
    level = LEVELS.index(each.highest) if each.highest else -1
    return -level, each.holder.name, each.product, each.table


def _differences(before: Access | None, after: Access, holder: Holder) -> Iterator[Difference]:
    old, new = before.of(holder) if before else {}, after.of(holder)
    for key in sorted(old.keys() | new.keys()):
        had, has = old.get(key, _NONE), new.get(key, _NONE)
        if had != has:
            yield _difference(before, after, holder, key, had, has)


def _difference(
    before: Access | None, after: Access, holder: Holder, key: Key, had: Columns, has: Columns
) -> Difference:
    gained, lost = has.selectable - had.selectable, had.selectable - has.selectable
    shown, hidden = has.visible - had.visible - gained, had.visible - has.visible - lost
    old, new = _contract(before, key), _contract(after, key)
    more = {
        *after.grants_behind(holder.id, key, gained, "SELECT"),
        *after.grants_behind(holder.id, key, shown, "DESCRIBE"),
    }
    less = set() if before is None else {
        *before.grants_behind(holder.id, key, lost, "SELECT"),
        *before.grants_behind(holder.id, key, hidden, "DESCRIBE"),
    }  # fmt: skip
    side = after if key in after.tables or before is None else before
    return Difference(
        holder,
        side.tables[key][0].name,
        ".".join(key),
        gained=_columns(gained, new, old),
        lost=_columns(lost, old, new),
        shown=_columns(shown, new, old),
        hidden=_columns(hidden, old, new),
        gained_by=tuple(sorted(more)),
        lost_with=tuple(sorted(less)),
        rows=_rows(had, has),
    )


def _rows(had: Columns, has: Columns) -> tuple[RowChange, ...]:
    found: dict[tuple[tuple[str, ...] | None, tuple[str, ...] | None], list[str]] = {}
    for column in sorted(had.selectable & has.selectable):
        before, after = (tuple(sorted(side.rows[column])) if column in side.rows else None for side in (had, has))
        if before != after and had.rows.get(column) != has.rows.get(column):
            found.setdefault((before, after), []).append(column)
    return tuple(RowChange(tuple(columns), *pair) for pair, columns in found.items())


def _contract(side: Access | None, key: Key) -> Mapping[str, Column]:
    found = side.tables.get(key) if side else None
    return {column.name: column for column in found[1].columns} if found else {}


def _columns(
    names: frozenset[str], here: Mapping[str, Column], there: Mapping[str, Column]
) -> tuple[ColumnChange, ...]:
    return tuple(
        ColumnChange(
            name,
            sensitivity(here.get(name)),
            sensitivity(there[name])
            if name in there and sensitivity(there[name]) != sensitivity(here.get(name))
            else None,
        )
        for name in sorted(names)
    )


def _administrators(before: Access | None, after: Access) -> Iterator[Administrators]:
    old, new = _administering(before), _administering(after)
    for consumer, account in sorted(old.keys() | new.keys()):
        had, has = old.get((consumer, account), set()), new.get((consumer, account), set())
        if had != has:
            yield Administrators(consumer, account, tuple(sorted(has - had)), tuple(sorted(had - has)))


def _administering(side: Access | None) -> dict[tuple[str, str], set[str]]:
    if side is None:
        return {}
    mesh = side.declarations.mesh
    central = {Naming(mesh).deploy_role_arn("central"), *mesh.central.administrators}
    return {
        ("", mesh.central.account): central,
        **{
            (name, entry.account): set(administrators(side.declarations, name))
            for name, entry in mesh.consumers.items()
        },
    }
