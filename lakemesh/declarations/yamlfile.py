"""YAML as plain values with the place of every one of them.

PyYAML's C parser composes the nodes, which carry their marks; this module turns them into values and refuses what must
not be in a file that people review: duplicate keys, tags that build objects, merge keys, aliases without an end.
Dates, numbers and booleans are read as YAML 1.1 reads them, so that what was meant as text can be told from the rest.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import yaml

from lakemesh.declarations.errors import path_text

Value = None | bool | int | float | str | dt.date | list["Value"] | dict[str, "Value"]
Path = tuple[str | int, ...]

MAX_BYTES: Final = 8_000_000
MAX_DEPTH: Final = 64
MAX_VALUES: Final = 1_000_000
"""Values after aliases are followed: nine lines of aliases can stand for a thousand million values."""
_SHORT: Final = 60

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG: Final = "tag:yaml.org,2002:"
_SCALARS: Final = frozenset(_TAG + kind for kind in ("null", "bool", "int", "float", "str", "timestamp"))
_CONSTRUCTOR: Final = yaml.constructor.SafeConstructor()
_KINDS: Final = {
    "timestamp": "a date",
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "null": "nothing",
}
_ACCOUNT: Final = re.compile(r"0[0-9]{11}")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


_Built = tuple[Value, int, int]
"""A value, how many values it stands for, and how many levels are below it."""


@dataclass(frozen=True)
class Finding:
    """A problem of one file, before its name is known."""

    line: int
    column: int
    path: str
    message: str
    rule: str


@dataclass
class Document:
    """One YAML file: its value, the findings of reading it, and where everything in it stands."""

    value: Value = None
    root: yaml.Node | None = None
    findings: list[Finding] = field(default_factory=list)
    unread: bool = False
    """The file is there but could not be read at all."""

    @property
    def failed(self) -> bool:
        """Whether nothing can be said of what the file holds."""
        return self.unread or (self.value is None and bool(self.findings))

    def place(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Line and column, from 1, of the key or list item at `path`, or of what is nearest around it."""
        mark, node = (self.root.start_mark if self.root else None), self.root
        for part in path:
            step = _step(node, part)
            if step is None:
                break
            mark, node = step
        return (mark.line + 1, mark.column + 1) if mark else (1, 1)

    def scalar(self, path: Sequence[str | int]) -> yaml.ScalarNode | None:
        """The scalar as it is written at `path`, or None."""
        node = self.root
        for part in path:
            step = _step(node, part)
            if step is None:
                return None
            node = step[1]
        return node if isinstance(node, yaml.ScalarNode) else None


def _step(node: yaml.Node | None, part: str | int) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(part):
                return key.start_mark, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark, node.value[part]
    return None


def read(data: bytes, *, own: bool = True) -> Document:
    """Parse one file. Never raises for what the file contains: whatever is wrong is in `findings`.

    `own`: the file is in lakemesh's own format, so a word such as `on`, which YAML 1.1 and 1.2 read differently, is
    refused wherever it stands. In contracts it is refused only where text is read from it.
    """
    document = Document()
    if len(data) > MAX_BYTES:
        document.findings.append(
            Finding(
                1, 1, "", f"The file has {len(data):,} bytes; no more than {MAX_BYTES:,} are read.", "file-too-large"
            )
        )
        return document
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        document.findings.append(
            Finding(line, 1, "", "The file is not UTF-8 text.\nSave it with the encoding UTF-8.", "not-utf8")
        )
        return document
    try:
        document.root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        document.findings.append(_syntax(error, text))
        return document
    except RecursionError:
        document.findings.append(_too_deep(1, 1, ()))
        return document
    if document.root is not None:
        document.value = _Builder(document.findings, own=own).build(document.root)
    return document


def _syntax(error: yaml.YAMLError, text: str) -> Finding:
    """The parser's complaint with its place, in words that help."""
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position] if isinstance(error.position, int) else ""
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        return Finding(line, column, "", "The file holds a character that YAML does not allow.", "yaml-syntax")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    lines = text.count("\n") + 1
    line, column = (min(mark.line + 1, lines), mark.column + 1) if mark else (1, 1)
    cause = getattr(error, "problem", None) or str(error)
    context = getattr(error, "context", None)
    said = f"{context}: {cause}" if context else str(cause)
    mend = _syntax_mend(said)
    return Finding(line, column, "", f"This is not YAML: {said}.{mend}", "yaml-syntax")


def _syntax_mend(said: str) -> str:
    if "token" in said and ("'\\t'" in said or "cannot start any token" in said):
        return "\nIndent with spaces, not tabs; put text that begins with @, ` or % in quotes."
    if "mapping values are not allowed" in said:
        return "\nPut text that holds a colon in quotes, or check the indentation of this line."
    if "expected <block end>" in said or "expected a single document" in said:
        return "\nCheck the indentation of this line, and that the file holds one document."
    return ""


def _too_deep(line: int, column: int, path: Path) -> Finding:
    return Finding(
        line,
        column,
        path_text(path[:8]),
        f"Nested deeper than {MAX_DEPTH} levels; nothing a mesh declares is.",
        "too-deep",
    )


class _Builder:
    """Builds values from nodes; every node is built once, however many aliases point to it."""

    def __init__(self, findings: list[Finding], *, own: bool) -> None:
        self._findings = findings
        self._own = own
        self._built: dict[int, _Built] = {}
        self._open: set[int] = set()
        self._overflow = False

    def build(self, node: yaml.Node) -> Value:
        value, _size, _height = self._node(node, (), 0)
        return None if self._overflow else value

    def _node(self, node: yaml.Node, path: Path, depth: int) -> _Built:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path), 1, 0
        done = self._built.get(id(node))
        if done is not None and depth + done[2] <= MAX_DEPTH:
            return done
        if id(node) in self._open:
            self._add(node, path, "This alias points to what it is part of; write the content out.", "yaml-alias")
            return None, 1, 0
        if depth >= MAX_DEPTH or done is not None:
            self._findings.append(_too_deep(node.start_mark.line + 1, node.start_mark.column + 1, path))
            return None, 1, 0
        self._open.add(id(node))
        build = self._mapping if isinstance(node, yaml.MappingNode) else self._sequence
        result = build(node, path, depth)
        self._open.discard(id(node))
        self._built[id(node)] = result
        if result[1] > MAX_VALUES and not self._overflow:
            self._overflow = True
            text = f"Its aliases stand for more than {MAX_VALUES:,} values; write the content out."
            self._add(node, path, text, "yaml-alias")
        return result

    def _sequence(self, node: yaml.Node, path: Path, depth: int) -> _Built:
        self._tag(node, path, "seq")
        items: list[Value] = []
        total, height = 1, 0
        for index, child in enumerate(node.value):
            value, size, below = self._node(child, (*path, index), depth + 1)
            items.append(value)
            total += size
            height = max(height, below + 1)
        return items, total, height

    def _mapping(self, node: yaml.Node, path: Path, depth: int) -> _Built:
        self._tag(node, path, "map")
        result: dict[str, Value] = {}
        first: dict[str, int] = {}
        total, height = 1, 0
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._add(key_node, path, "A key must be text, not a list or a mapping.", "yaml-key")
                continue
            key = key_node.value
            if key_node.tag == _TAG + "merge":
                text = "Merge keys (<<) are not read: write the keys out, so that a review sees what the mapping holds."
                self._add(key_node, path, text, "yaml-merge")
                continue
            if key in first:
                text = (
                    f'The key "{_short(key)}" stands here twice; the first is in line {first[key]}.\nKeep one of them.'
                )
                self._add(key_node, (*path, key), text, "duplicate-key")
                continue
            first[key] = key_node.start_mark.line + 1
            if self._own and key_node.tag != _TAG + "str":
                self._text_key(key_node, (*path, key))
            value, size, below = self._node(value_node, (*path, key), depth + 1)
            result[key] = value
            total += size + 1
            height = max(height, below + 1)
        return result, total, height

    def _text_key(self, node: yaml.ScalarNode, path: Path) -> None:
        read = _KINDS.get(node.tag.removeprefix(_TAG), "something else")
        self._add(node, path, f"YAML reads the key {node.value} as {read}; write it in quotes.", "unquoted-text")

    def _tag(self, node: yaml.Node, path: Path, kind: str) -> None:
        if node.tag != _TAG + kind:
            allowed = "declarations are plain text, numbers, dates, lists and mappings"
            text = f'The tag "{_short(node.tag)}" is not allowed: {allowed}.'
            self._add(node, path, text, "yaml-tag")

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Value:
        tag, text = node.tag, node.value
        if tag == _TAG + "str":
            if self._own and not is_quoted(node) and _ACCOUNT.fullmatch(text):
                # With an 8 or a 9 in it, YAML 1.1 takes 012345678901 for text, and YAML 1.2 for a number.
                self._add(node, path, f'An account id must be in quotes: write "{text}".', "unquoted-text")
            return str(text)
        if tag not in _SCALARS:
            if tag in {_TAG + "value", _TAG + "merge"}:  # a plain = or << stands for itself
                return str(text)
            self._tag(node, path, "str")
            return str(text)
        try:
            value = _construct(tag, node)
        except (ValueError, KeyError, OverflowError, AttributeError, IndexError):
            read = _KINDS[tag.removeprefix(_TAG)]
            said = f'"{_short(text)}" looks like {read} but is none; write text in quotes.'
            self._add(node, path, said, "yaml-scalar")
            return str(text)
        if self._own and isinstance(value, bool) and text.lower() not in {"true", "false"}:
            plain = str(value).lower()
            said = f'Without quotes, {text} is {plain} to YAML 1.1 and the text "{text}" to YAML 1.2.'
            self._add(node, path, f'{said}\nWrite "{text}" in quotes, or {plain}.', "unquoted-text")
        return value

    def _add(self, node: yaml.Node, path: Path, message: str, rule: str) -> None:
        mark = node.start_mark
        self._findings.append(Finding(mark.line + 1, mark.column + 1, path_text(path), message, rule))


def _construct(tag: str, node: yaml.ScalarNode) -> Value:
    match tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return bool(_CONSTRUCTOR.construct_yaml_bool(node))
        case "int":
            return int(_CONSTRUCTOR.construct_yaml_int(node))
        case "float":
            return float(_CONSTRUCTOR.construct_yaml_float(node))
        case _:
            if not _DATE.fullmatch(node.value):
                # A moment is only ever text to us: dates have no time, and a contract keeps its own.
                _CONSTRUCTOR.construct_yaml_timestamp(node)
                return str(node.value)
            return dt.date.fromisoformat(node.value)


def is_quoted(node: yaml.ScalarNode | None) -> bool:
    """Whether text stands in quotes (or in a block), so that no reader takes it for anything else."""
    return node is not None and node.style not in {None, ""}


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
