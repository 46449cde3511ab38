"""What of a change of declarations bears on access, whether or not anybody's access changes by it today. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lakemesh.access.holders import Access
from lakemesh.access.matching import column_tags, every_column, table_tags
from lakemesh.access.overview import Key
from lakemesh.access.state import DatabaseState, TableState
from lakemesh.declarations.models import Declarations, Grant

_SAYS: Final = ("product", "tags", "to", "access", "sensitivity", "columns", "exclude", "rows", "expires")
"""What of a grant decides whom it gives what."""


@dataclass(frozen=True, order=True)
class Cause:
    """One change. `before` and `after` are empty where there was, or is, no such thing."""

    kind: str
    """grant, assignment, principal, table or column."""
    name: str
    before: str
    after: str
    readers_before: tuple[str, ...] = ()
    """Of a table or column: principals that can read it (any of its columns)."""
    readers_after: tuple[str, ...] = ()


def causes(before: Access | None, after: Access) -> Iterator[Cause]:
    """Everything between two revisions that decides on access, and differs."""
    old = before.declarations if before else None
    yield from _grants(old, after.declarations)
    for kind, say in (("assignment", _assignments), ("principal", _principals)):
        yield from _differing(kind, say(old) if old else {}, say(after.declarations))
    yield from _tags(before, after)


def _differing(kind: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Cause]:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name, "") != new.get(name, ""):
            yield Cause(kind, name, old.get(name, ""), new.get(name, ""))


def _grants(before: Declarations | None, after: Declarations) -> Iterator[Cause]:
    """Of a grant that is there before and after, only what differs about it."""
    old, new = (_by_name(each) if each else {} for each in (before, after))
    for name in sorted(old.keys() | new.keys()):
        had, has = old.get(name, {}), new.get(name, {})
        keys = [key for key in _SAYS if had.get(key) != has.get(key)]
        if keys:
            yield Cause("grant", name, _sentence(had, keys), _sentence(has, keys))


def _by_name(declarations: Declarations) -> dict[str, dict[str, str]]:
    return {f"{domain}/{grant.id}": _grant(grant) for domain, grants in declarations.grants.items() for grant in grants}


def _grant(grant: Grant) -> dict[str, str]:
    said = grant.model_dump(mode="json", include=set(_SAYS), exclude_none=True)
    return {key: _value(said[key]) for key in _SAYS if key in said and said[key] != []}


def _sentence(said: Mapping[str, str], keys: Iterable[str]) -> str:
    return "" if not said else "; ".join(f"{key}: {said.get(key, 'not there')}" for key in keys)


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_value(each)}" for key, each in sorted(value.items())) + "}"
    return str(value)


def _assignments(declarations: Declarations) -> dict[str, str]:
    aliases: dict[str, set[str]] = {}
    for name, consumer in declarations.consumers.items():
        for given in consumer.assignments:
            aliases.setdefault(f"{name}: {given.grant}", set()).update(given.principals)
    return {name: ", ".join(sorted(each)) for name, each in aliases.items()}


def _principals(declarations: Declarations) -> dict[str, str]:
    return {
        f"{name}/{alias}": principal.role
        for name, consumer in declarations.consumers.items()
        for alias, principal in consumer.principals.items()
    }


# -------------------------------------------------------------------------------------------------- tags and columns
def _tags(before: Access | None, after: Access) -> Iterator[Cause]:
    old, new = _tables(before), _tables(after)
    readers = _Readers(before, after)
    for key in sorted(old.keys() | new.keys()):
        was, is_ = old.get(key), new.get(key)
        if was == is_:
            continue
        name = ".".join(key)
        had, has = was and _tagged(*was), is_ and _tagged(*is_)
        if had is None or has is None:
            yield readers.cause("table", name, key, None, had and _said(had[0]), has and _said(has[0]))
            continue
        if had[0] != has[0]:
            yield readers.cause("table", name, key, None, *_only_differing(had[0], has[0]))
        for column in sorted(had[1].keys() | has[1].keys()):
            pair = _column(had, has, column)
            if pair is not None:
                yield readers.cause("column", f"{name}.{column}", key, column, *pair)


_Tags = Mapping[str, str]
_Table = tuple[_Tags, Mapping[str, _Tags]]
"""LF-Tags of a table and, with what they inherit, of its columns."""


def _tables(side: Access | None) -> dict[Key, tuple[_Tags, TableState]]:
    """Every table, with the LF-Tags of its database."""
    if side is None:
        return {}
    catalog = side.state.catalogs[side.declarations.mesh.central.account]
    return {
        (name, key): (database.tags, table)
        for name, database in catalog.databases.items()
        for key, table in database.tables.items()
    }


def _tagged(inherited: _Tags, table: TableState) -> _Table:
    database = DatabaseState(inherited)
    columns = {column: column_tags(database, table, column) for column in every_column(table)}
    return table_tags(database, table), columns


def _column(had: _Table, has: _Table, column: str) -> tuple[str, str] | None:
    """How a column's LF-Tags changed, beside what it merely inherits; None where they did not."""
    old, new = had[1].get(column), has[1].get(column)
    if old is None or new is None:
        return (_said(old) if old else "", _said(new) if new else "")
    own = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    inherited = {key for key in own if old.get(key) == had[0].get(key) and new.get(key) == has[0].get(key)}
    left = own - inherited
    return None if not left else (_said(_some(old, left)), _said(_some(new, left)))


def _only_differing(old: _Tags, new: _Tags) -> tuple[str, str]:
    keys = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    return _said(_some(old, keys)), _said(_some(new, keys))


def _some(tags: _Tags, keys: set[str]) -> _Tags:
    return {key: value for key, value in tags.items() if key in keys}


def _said(tags: _Tags) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(tags.items())) or "no LF-Tags"


@dataclass(frozen=True)
class _Readers:
    before: Access | None
    after: Access

    def cause(self, kind: str, name: str, key: Key, column: str | None, before: str | None, after: str | None) -> Cause:
        return Cause(
            kind, name, before or "", after or "", _readers(self.before, key, column), _readers(self.after, key, column)
        )


def _readers(side: Access | None, key: Key, column: str | None) -> tuple[str, ...]:
    readers = side.readers.get(key, ()) if side else ()
    return tuple(sorted(holder.name for holder, columns in readers if column is None or column in columns))
