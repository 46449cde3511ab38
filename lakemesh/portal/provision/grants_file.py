"""A grants file that people wrote, with an entry added, exchanged or taken out: every other line stays as it is.

What a person edited meanwhile is never overwritten: an entry is exchanged or taken out only where it still says what it
is known to say. Every result is read again by the mesh's own reader and compared with what it has to say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import yaml

from lakemesh.declarations.yamlfile import read
from lakemesh.onboard.errors import OnboardError
from lakemesh.onboard.yamltext import insert

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NEW_FILE: Final = "grants:\n"


class EditConflictError(Exception):
    """The file does not say what it was expected to say; the text says what to do."""


def added(text: str, entry: Mapping[str, Any]) -> str:
    """The file with one more grant, at its end; as it is where the grant is there already.

    Raises EditConflictError where another grant has its id, or the file cannot be added to.
    """
    there = found(text, str(entry["id"]))
    if there is not None:
        if there == plain(entry):
            return text
        raise EditConflictError(f'There is a grant "{entry["id"]}" already, and it says something else.')
    try:
        return insert(text or NEW_FILE, ("grants",), [dict(entry)])
    except OnboardError as error:
        raise EditConflictError(f"The grant cannot be written into the file: {error}.") from error


def exchanged(text: str, was: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """The file with one grant instead of another of the same id. Raises EditConflictError."""
    if found(text, str(entry["id"])) == plain(entry):
        return text
    return added(removed(text, was), entry)


def removed(text: str, was: Mapping[str, Any]) -> str:
    """The file without a grant; as it is where there is none. Raises EditConflictError where somebody edited it."""
    identifier = str(was["id"])
    there = found(text, identifier)
    if there is None:
        return text
    if there != plain(was):
        raise EditConflictError(
            f'Somebody edited the grant "{identifier}" by hand: {_differs(there, plain(was))}. It is left as it is; '
            "change or remove it in its file, or write it as it was and try again."
        )
    lines = text.splitlines(keepends=True)
    grants, position = _entry(text, identifier)
    if grants.flow_style or grants.value[position].flow_style:
        raise EditConflictError(f'The grant "{identifier}" is written on one line; take it out of its file by hand.')
    start = grants.value[position].start_mark.line
    end = grants.value[position + 1].start_mark.line if position + 1 < len(grants.value) else _last(grants, lines)
    while end - 1 > start and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1  # what stands above the next entry is about that one
    if end < len(lines) and not lines[end].strip():
        end += 1
    kept = [*lines[:start], *lines[end:]]
    if len(grants.value) == 1:
        kept = [line.rstrip().removesuffix(":") + ": []\n" if line.startswith("grants:") else line for line in kept]
    after = "".join(kept).rstrip("\n") + "\n"
    if _values(after) != [one for one in _values(text) if one.get("id") != identifier]:
        raise EditConflictError(f'The grant "{identifier}" cannot be taken out without touching others; do it by hand.')
    return after


def found(text: str, identifier: str) -> dict[str, Any] | None:
    """What the file says of a grant; None where it has none of that id. Raises EditConflictError."""
    return next((one for one in _values(text) if one.get("id") == identifier), None)


def plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as it is read back."""
    return {key: _plain(value) for key, value in entry.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _values(text: str) -> list[dict[str, Any]]:
    if not text.strip():
        return []
    document = read(text.encode())
    value: Any = document.value
    grants = (value.get("grants") or []) if isinstance(value, dict) else None
    if document.failed or not isinstance(grants, list) or not all(isinstance(one, dict) for one in grants):
        raise EditConflictError(
            "The grants file cannot be read as a list of grants; mend it first (lakemesh validate)."
        )
    return [dict(one) for one in grants]


def _entry(text: str, identifier: str) -> tuple[yaml.SequenceNode, int]:
    """The node of all grants, and the position of one that is known to be there."""
    root: Any = yaml.compose(text, Loader=_LOADER)
    grants = next(value for key, value in root.value if key.value == "grants")
    for position, item in enumerate(grants.value):
        if any(key.value == "id" and value.value == identifier for key, value in item.value):
            return grants, position
    raise EditConflictError(f'The grant "{identifier}" is not written where it is read; take it out by hand.')


def _last(grants: yaml.SequenceNode, lines: list[str]) -> int:
    """The line after the last of a block list."""
    end = int(grants.end_mark.line)
    return len(lines) if end == 0 else end if grants.end_mark.column == 0 else end + 1


def _differs(there: Mapping[str, Any], was: Mapping[str, Any]) -> str:
    keys = sorted(key for key in there.keys() | was.keys() if there.get(key) != was.get(key))
    return ", ".join(f"{key} is {_shown(there.get(key))} and was {_shown(was.get(key))}" for key in keys)


def _shown(value: Any) -> str:
    if value is None:
        return "not there"
    return value.isoformat() if isinstance(value, dt.date) else repr(value)
