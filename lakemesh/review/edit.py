"""Classifications put into a contract that people wrote: every line that says something else stays as it is.

Places come from the parser's marks, all edits are made at once, and the result is read again and compared with what it
has to say, so that a file with anchors, or in a style nobody thought of, is refused instead of being changed wrongly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from lakemesh.declarations.models import Sensitivity
from lakemesh.declarations.yamlfile import Path, read

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PERSONAL: Final = "personalData"


class EditError(Exception):
    """The file cannot be changed without touching what else is in it."""


@dataclass(frozen=True)
class Classified:
    """What one column becomes. `path` is its place in the contract."""

    path: Path
    sensitivity: Sensitivity
    personal_data: str | None


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str


def classified(text: str, columns: Iterable[Classified]) -> str:
    """The contract with those columns classified. Kinds of personal data that are there stay. Raises EditError."""
    wanted = list(columns)
    before = read(text.encode(), own=False)
    if before.failed or not isinstance(before.value, dict):
        raise EditError("the contract cannot be read as YAML with keys and values")
    root = yaml.compose(text, Loader=_LOADER)
    ending = "\r\n" if "\r\n" in text else "\n"
    expected: Any = _apart(before.value)
    edits: list[_Edit] = []
    for column in wanted:
        _expect(expected, column)
        edits += _Column(text, _node(root, column.path), ending).edits(column)
    after = text
    # From the end to the beginning, so that places before an edit stay true; of two at one place the later goes first.
    for _, edit in sorted(enumerate(edits), key=lambda one: (one[1].start, one[0]), reverse=True):
        after = after[: edit.start] + edit.text + after[edit.end :]
    if read(after.encode(), own=False).value != expected:
        raise EditError("the classification cannot be put in without touching what is there; write it by hand")
    return after


def _expect(value: Any, column: Classified) -> None:
    entry = value
    for part in column.path:
        entry = entry[part]
    entry["classification"] = str(column.sensitivity)
    if column.personal_data is not None and not _has_personal(entry.get("customProperties")):
        added = {"property": PERSONAL, "value": column.personal_data}
        entry["customProperties"] = [*(entry.get("customProperties") or ()), added]


def _apart(value: Any) -> Any:
    """A copy in which nothing is two things at once: an alias would have an edit change both."""
    if isinstance(value, dict):
        return {key: _apart(item) for key, item in value.items()}
    return [_apart(item) for item in value] if isinstance(value, list) else value


def _has_personal(properties: Any) -> bool:
    return any(isinstance(one, dict) and one.get("property") == PERSONAL for one in properties or ())


def _node(root: Any, path: Path) -> yaml.MappingNode:
    node = root
    for part in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
    if not isinstance(node, yaml.MappingNode) or not node.value:
        raise EditError("a column is not where it was")
    return node


class _Column:
    """The edits of one column."""

    def __init__(self, text: str, node: yaml.MappingNode, ending: str) -> None:
        self._text = text
        self._node = node
        self._ending = ending
        self._keys: dict[str, tuple[Any, Any]] = {key.value: (key, value) for key, value in node.value}

    def edits(self, column: Classified) -> Iterator[_Edit]:
        level, kind = str(column.sensitivity), column.personal_data
        held = self._keys.get("customProperties")
        given = self._keys.get("classification")
        if given is not None:
            yield self._instead(*given, level)
        elif held is not None and not self._node.flow_style:
            at = held[0].start_mark
            yield _Edit(at.index, at.index, f"classification: {level}{self._ending}{' ' * at.column}")
        else:
            yield self._added(f"classification: {level}", ())
        if kind is None or (held is not None and _names(held[1])):
            return
        item = f"{{property: {PERSONAL}, value: {kind}}}"
        if held is None:
            yield self._added(f"customProperties: [{item}]", ("customProperties:", *_item("  ", kind)))
        elif not isinstance(held[1], yaml.SequenceNode) or not held[1].value:
            yield self._instead(*held, f"[{item}]")
        elif held[1].flow_style:
            at = held[1].value[-1].end_mark
            yield _Edit(at.index, at.index, f", {item}")
        else:
            first = held[1].value[0].start_mark
            line = self._text[first.index - first.column : first.index]
            yield self._lines(held[1], _item(" " * line.rindex("-"), kind))

    def _instead(self, key: Any, value: Any, text: str) -> _Edit:
        if isinstance(value, yaml.ScalarNode) and value.start_mark.index == value.end_mark.index:
            colon = self._text.index(":", key.end_mark.index) + 1
            return _Edit(colon, colon, f" {text}")
        if isinstance(value, yaml.CollectionNode) and value.value:
            raise EditError("a list or a mapping stands where text belongs")
        return _Edit(value.start_mark.index, value.end_mark.index, text)

    def _added(self, flow: str, block: tuple[str, ...]) -> _Edit:
        """A key at the end of the column."""
        if self._node.flow_style:
            at = self._node.value[-1][1].end_mark.index
            return _Edit(at, at, f", {flow}")
        indent = " " * self._node.value[0][0].start_mark.column
        return self._lines(self._node, tuple(f"{indent}{line}" for line in block or (flow,)))

    def _lines(self, node: Any, lines: tuple[str, ...]) -> _Edit:
        """Lines after the last one of a node in block style."""
        last = node
        while isinstance(last, yaml.CollectionNode) and last.value and not last.flow_style:
            last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
        end = last.end_mark
        at = end.index
        if end.column == 0 and end.line > last.start_mark.line:  # text in a block ends where the next line begins
            return _Edit(at, at, "".join(f"{line}{self._ending}" for line in lines))
        line_end = self._text.find("\n", at)
        if line_end < 0:
            return _Edit(len(self._text), len(self._text), "".join(f"{self._ending}{line}" for line in lines))
        return _Edit(line_end + 1, line_end + 1, "".join(f"{line}{self._ending}" for line in lines))


def _item(indent: str, kind: str) -> tuple[str, str]:
    return f"{indent}- property: {PERSONAL}", f"{indent}  value: {kind}"


def _names(node: Any) -> bool:
    """Whether a list of custom properties has the kind of personal data."""
    if not isinstance(node, yaml.SequenceNode):
        return False
    return any(
        key.value == "property" and value.value == PERSONAL
        for item in node.value
        if isinstance(item, yaml.MappingNode)
        for key, value in item.value
    )
