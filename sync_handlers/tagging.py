"""Which LF-Tags a table and its columns should carry, and how they differ from those they do. Pure.

Fail closed: a column that nobody reviewed carries no tag of its own and inherits `unreviewed` from its database, which
no grant names. So whatever is doubtful here ends in *no* tag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync_handlers import schemas
from sync_handlers.manifest import SENSITIVITY, Table

Tags = Mapping[str, str]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Assigned:
    """LF-Tags that are set directly, without what is inherited."""

    table: Tags = field(default_factory=dict)
    columns: Mapping[str, Tags] = field(default_factory=dict)


@dataclass(frozen=True)
class Held:
    """A column (None: every column of the table) that stays unreviewed though its contract has a review, and why."""

    column: str | None
    reason: str


@dataclass(frozen=True)
class Wanted:
    assigned: Assigned
    pending: tuple[str, ...] = ()
    """Columns of the contract that the table does not have."""
    unreviewed: tuple[str, ...] = ()
    """Columns of the table that stay unreadable."""
    held: tuple[Held, ...] = ()


@dataclass(frozen=True)
class Step:
    """One call: the same tags for a table (`columns` empty) or for some of its columns."""

    columns: tuple[str, ...]
    tags: Pairs


@dataclass(frozen=True)
class Plan:
    add: tuple[Step, ...]
    remove: tuple[Step, ...]

    @property
    def empty(self) -> bool:
        return not self.add and not self.remove


def wanted(contract: Table, table: Mapping[str, Any]) -> Wanted:
    """What a Glue table should carry by its contract, and what is left open."""
    columns = [column for column in (*schemas.columns(table), *schemas.partition_keys(table)) if schemas.live(column)]
    actual = schemas.names(columns)
    pending = tuple(column.name for column in contract.columns if column.name not in actual)
    if schemas.is_view(table) or contract.kind == "view":
        return _view(contract, table, actual, pending)
    held = _held(contract, table, columns)
    whole = any(hold.column is None for hold in held)
    withheld = {hold.column for hold in held}
    tagged = {
        name: contract.by_name[name].tags
        for name in actual
        if not whole and name not in withheld and name in contract.by_name and contract.by_name[name].reviewed
    }
    # Set on the table, a sensitivity would be inherited by every column to come.
    own = {key: value for key, value in contract.tags.items() if key != SENSITIVITY}
    return Wanted(Assigned(own, tagged), pending, tuple(name for name in actual if name not in tagged), tuple(held))


def _view(contract: Table, table: Mapping[str, Any], actual: Sequence[str], pending: tuple[str, ...]) -> Wanted:
    """Lake Formation keeps no column permissions on views (Athena user guide, "lf-athena-limitations"): one value
    covers all."""
    own = {key: value for key, value in contract.tags.items() if key != SENSITIVITY}
    if schemas.is_view(table) != (contract.kind == "view"):
        found = "a view" if schemas.is_view(table) else "a table"
        reason = f"the contract says {contract.kind}, the catalog has {found}: correct physicalType in the contract"
        return Wanted(Assigned(own), pending, tuple(actual), (Held(None, reason),))
    open_ = [name for name in actual if name not in contract.by_name or not contract.by_name[name].reviewed]
    if open_ or SENSITIVITY not in contract.tags:
        reason = f"a view is readable when every column is reviewed; open: {', '.join(open_) or 'the contract'}"
        return Wanted(Assigned(own), pending, tuple(actual), (Held(None, reason),))
    return Wanted(Assigned(contract.tags), pending)


def _held(contract: Table, table: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> list[Held]:
    keys = schemas.names(schemas.partition_keys(table))
    unknown = [key for key in keys if key not in contract.by_name or not contract.by_name[key].reviewed]
    if unknown:
        reason = f"partition keys cannot be withheld from readers, and nobody reviewed {', '.join(unknown)}"
        return [Held(None, reason)]
    if schemas.positional(table) and not schemas.in_step(contract, schemas.names(schemas.columns(table))):
        reason = "a format that is read by position, and its columns are in another order than the contract's"
        return [Held(None, reason)]
    reasons = ((column["Name"].lower(), schemas.uncovered(contract, column)) for column in columns)
    return [Held(name, f"{reason}: review its fields") for name, reason in reasons if reason]


def removal(assigned: Assigned, keys: frozenset[str]) -> Plan:
    """Take away what the mesh manages and nothing else."""
    return plan(Assigned(), assigned, keys)


def plan(wish: Assigned, actual: Assigned, keys: frozenset[str]) -> Plan:
    """Steps from `actual` to `wish`, for LF-Tag keys in `keys`; other keys are somebody else's.

    A value replaces another value of its key in place, so nothing is ever untagged in between; columns that need the
    same tags share a call.
    """
    add: dict[Pairs, list[str]] = {}
    remove: dict[Pairs, list[str]] = {}
    for column in sorted(wish.columns.keys() | actual.columns.keys()):
        more, less = _differ(wish.columns.get(column, {}), actual.columns.get(column, {}), keys)
        if more:
            add.setdefault(more, []).append(column)
        if less:
            remove.setdefault(less, []).append(column)
    more, less = _differ(wish.table, actual.table, keys)
    return Plan(_steps(more, add), _steps(less, remove))


def _differ(wish: Tags, actual: Tags, keys: frozenset[str]) -> tuple[Pairs, Pairs]:
    more = tuple(sorted((key, value) for key, value in wish.items() if actual.get(key) != value))
    less = tuple(sorted((key, value) for key, value in actual.items() if key in keys and key not in wish))
    return more, less


def _steps(table: Pairs, columns: Mapping[Pairs, list[str]]) -> tuple[Step, ...]:
    own = (Step((), table),) if table else ()
    return own + tuple(Step(tuple(names), tags) for tags, names in sorted(columns.items()))
