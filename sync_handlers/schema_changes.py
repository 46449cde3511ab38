"""What a change of a table's schema means to those who read it: additive, widening or breaking. Pure.

Compared are the twin (what readers have now), the source, and the contract: a change that the contract says already is
agreed, whatever it is. Dropping a column that no contract lists breaks nobody, for nobody can read it.

Rules of widening, which every value survives: Athena user guide, "updates-changing-column-type" (TINYINT, SMALLINT,
INT, BIGINT upwards; FLOAT to DOUBLE); Iceberg specification, "Schema evolution" (decimal of the same scale and more
digits); Hive language manual, "DDL", VARCHAR of a greater length. Any other change of type counts as narrowing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any

from sync_handlers import schemas
from sync_handlers.manifest import Table

_INTEGERS = ("tinyint", "smallint", "int", "bigint")
_NAMES = {"byte": "tinyint", "integer": "int", "long": "bigint"}
_DECIMAL = re.compile(r"^(?:decimal|numeric)\((\d+),(\d+)\)$")
_VARCHAR = re.compile(r"^varchar\((\d+)\)$")
_SPACE = re.compile(r"\s+")


@unique
class Change(StrEnum):
    """How far a change of schema reaches, in order; each member outranks those before it."""

    ADDITIVE = "additive"
    """New columns: unreviewed, so readable by nobody until somebody looks at them."""
    WIDENING = "widening"
    """A type that holds every value of the old one."""
    BREAKING = "breaking"
    """What read the table before may fail, or read something else."""

    @property
    def rank(self) -> int:
        return list(Change).index(self)


@dataclass(frozen=True)
class Detail:
    change: Change
    text: str
    """What changed, of which column."""


@dataclass(frozen=True)
class SchemaChange:
    details: tuple[Detail, ...] = ()

    @property
    def change(self) -> Change | None:
        """The furthest of its details; None when the schema is the same."""
        return max((detail.change for detail in self.details), key=lambda change: change.rank, default=None)

    @property
    def breaking(self) -> str | None:
        """What breaks, in words; None when nothing does."""
        texts = [detail.text for detail in self.details if detail.change is Change.BREAKING]
        return "; ".join(texts) or None


def classify(before: Mapping[str, Any], after: Mapping[str, Any], contract: Table | None = None) -> SchemaChange:
    """The change from one Glue `Table` (or `Partition`) to another, both with their columns; with `contract`, what it
    says already is agreed and breaks nothing."""
    return SchemaChange((*_columns(before, after, contract), *_keys(before, after, contract)))


def fits(partition: Mapping[str, Any], twin: Mapping[str, Any]) -> str | None:
    """Why a partition of the source does not fit a twin whose schema is held back; None when it does.

    It fits if the twin's columns read it as they read the others: no column of them dropped, moved, renamed or of
    another type. Columns that the twin does not have are not seen through it.
    """
    keys = len(schemas.partition_keys(twin))
    if len(partition.get("Values") or ()) != keys:
        return f"does not fit the schema that is held: {keys} partition keys there"
    if not schemas.columns(partition):
        # It is read by the columns of its table, which are what changed.
        return "does not fit the schema that is held: it has no columns of its own"
    # The partition's own SerDe says how it is read; the twin's columns say as what.
    other = [detail for detail in _columns(twin, partition, None) if detail.change is not Change.ADDITIVE]
    return f"does not fit the schema that is held: {other[0].text}" if other else None


def _columns(before: Mapping[str, Any], after: Mapping[str, Any], contract: Table | None) -> Iterator[Detail]:
    old, new = _types(before), _types(after)
    dropped, added = [name for name in old if name not in new], [name for name in new if name not in old]
    renamed = _renames(old, new, dropped, added)
    for name in dropped:
        if contract is not None and name not in contract.by_name:
            yield Detail(Change.ADDITIVE, f"column {name} was dropped, which no contract lists")
        elif name in renamed:
            yield Detail(Change.BREAKING, f"column {name} was renamed to {renamed[name]}")
        else:
            yield Detail(Change.BREAKING, f"column {name} was dropped")
    for name in added:
        yield Detail(Change.ADDITIVE, f"column {name} is new")
    for name in old:
        if name in new and not schemas.same_type(old[name], new[name]):
            yield _retyped(name, old[name], new[name], contract)
    moved = not schemas.appended(tuple(old), tuple(new))
    agreed = contract is not None and schemas.in_step(contract, tuple(new))
    if schemas.positional(after) and moved and not agreed:
        yield Detail(Change.BREAKING, "columns moved in a format that is read by position")


def _types(table: Mapping[str, Any]) -> dict[str, str]:
    """Types of the columns that readers see, by lower-cased name, in order."""
    return {
        column["Name"].lower(): column.get("Type") or "" for column in schemas.columns(table) if schemas.live(column)
    }


def _renames(old: Mapping[str, str], new: Mapping[str, str], dropped: list[str], added: list[str]) -> dict[str, str]:
    """Columns that went where another of the same type came, at the same place: what a rename looks like."""
    before, after = list(old), list(new)
    return {
        name: after[place]
        for place, name in enumerate(before)
        if name in dropped and place < len(after) and after[place] in added and old[name] == new[after[place]]
    }


def _retyped(name: str, old: str, new: str, contract: Table | None) -> Detail:
    declared = contract.by_name.get(name) if contract is not None else None
    text = f"column {name} changed from {old or 'no type'} to {new or 'no type'}"
    if declared is not None and declared.type and schemas.same_type(declared.type, new):
        return Detail(Change.WIDENING, f"{text}, as its contract says")
    if contract is not None and declared is None:
        return Detail(Change.WIDENING, f"{text}, which no contract lists")
    if schemas.nested(old) or schemas.nested(new):
        return Detail(Change.BREAKING, f"{text}: a nested change")
    if widens(old, new):
        return Detail(Change.WIDENING, text)
    return Detail(Change.BREAKING, f"{text}: not every value survives")


def widens(old: str, new: str) -> bool:
    """Whether every value of one Glue type is a value of another."""
    before, after = _plain(old), _plain(new)
    if before in _INTEGERS and after in _INTEGERS:
        return _INTEGERS.index(before) <= _INTEGERS.index(after)
    if (before, after) == ("float", "double"):
        return True
    digits, wanted = _DECIMAL.match(before), _DECIMAL.match(after)
    if digits and wanted:
        return wanted[2] == digits[2] and int(wanted[1]) >= int(digits[1])
    length, longer = _VARCHAR.match(before), _VARCHAR.match(after)
    if length:
        return after == "string" or bool(longer and int(longer[1]) >= int(length[1]))
    return before == after


def _plain(kind: str) -> str:
    plain = _SPACE.sub("", kind).lower()
    return _NAMES.get(plain, plain)


def _keys(before: Mapping[str, Any], after: Mapping[str, Any], contract: Table | None) -> Iterator[Detail]:
    old = [(column["Name"].lower(), _plain(column.get("Type") or "")) for column in schemas.partition_keys(before)]
    new = [(column["Name"].lower(), _plain(column.get("Type") or "")) for column in schemas.partition_keys(after)]
    if old == new:
        return
    text = f"partition keys changed from ({_listed(old)}) to ({_listed(new)})"
    declared = [] if contract is None else sorted(
        (column for column in contract.columns if column.partition_key is not None),
        key=lambda column: column.partition_key or 0,
    )  # fmt: skip
    if declared and [(column.name, _plain(column.type)) for column in declared] == new:
        yield Detail(Change.WIDENING, f"{text}, as its contract says")
    else:
        yield Detail(Change.BREAKING, text)


def _listed(keys: list[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {kind}".strip() for name, kind in keys)


def newer(version: str, than: str) -> bool:
    """Whether one version of a contract comes after another: by its numbers, else by being another."""
    here, there = _numbers(version), _numbers(than)
    return here > there if here and there else version != than


def _numbers(version: str) -> tuple[int, ...]:
    head = version.strip().removeprefix("v").partition("-")[0].partition("+")[0]
    parts = head.split(".")
    return tuple(int(part) for part in parts) if all(part.isascii() and part.isdigit() for part in parts) else ()
