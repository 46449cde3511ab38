"""Additions to YAML that people wrote: what is there stays as it is, byte for byte where that is possible.

An addition is rendered by ruamel and put in at its line. Where the place is in flow style (`[a, b]`) the whole file
goes through ruamel, which keeps comments and order. Either way the result is read by the mesh's own reader and
compared with what it has to say.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from lakemesh.declarations.yamlfile import read
from lakemesh.onboard.errors import OnboardError

Path = tuple[str | int, ...]
WIDTH: Final = 100_000
"""Lines are not folded: a folded line is a change that nobody made."""
_RESOLVER: Final[Any] = yaml.resolver.Resolver()


def _yaml() -> YAML:
    made = YAML()
    made.preserve_quotes = True
    made.width = WIDTH
    made.indent(mapping=2, sequence=4, offset=2)
    return made


def plain(value: Any) -> Any:
    """`value` for ruamel, with quotes on every text that YAML 1.1 or 1.2 would read as something else."""
    if isinstance(value, Mapping):
        made = CommentedMap((plain(key), plain(item)) for key, item in value.items())
        if not made:
            made.fa.set_flow_style()
        return made
    if isinstance(value, str):
        return DoubleQuotedScalarString(value) if _needs_quotes(value) else value
    if isinstance(value, Sequence):
        items = CommentedSeq(plain(item) for item in value)
        if not items:
            items.fa.set_flow_style()
        return items
    return value


def _needs_quotes(text: str) -> bool:
    if not text.isprintable() or text[:1] in "@`%" or text.isdigit():
        return True
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
    return tag != "tag:yaml.org,2002:str"


def render(value: Any, indent: int = 0) -> str:
    """`value` as block YAML, each line indented by `indent` more."""
    stream = io.StringIO()
    _yaml().dump(plain(value), stream)
    lines = stream.getvalue().splitlines()
    own = 2 if isinstance(value, Sequence) and not isinstance(value, str) else 0
    return "".join(f"{' ' * indent}{line[own:]}\n" if line.strip() else "\n" for line in lines)


def insert(text: str, path: Path, addition: Any, *, own: bool = True) -> str:
    """`text` with `addition` at `path`: keys for a mapping, items for a list. What is missing on the way is made.

    `own` as in `lakemesh.declarations.yamlfile.read`. Raises OnboardError where the file is not YAML, or where a key
    that would be added is there already.
    """
    before = read(text.encode(), own=own)
    if before.failed or (before.value is not None and not isinstance(before.value, dict)):
        raise OnboardError("the file cannot be read as YAML with keys and values")
    expected = _added(copy.deepcopy(before.value) or {}, path, addition)
    for attempt in (_by_line, _through_ruamel):
        try:
            after = attempt(text, path, addition)
        except (YAMLError, ValueError, TypeError, LookupError):
            continue
        if after is not None and read(after.encode(), own=own).value == expected:
            return after
    raise OnboardError("the addition cannot be put into the file without touching what is there; add it by hand")


def _added(value: Any, path: Path, addition: Any) -> Any:
    """The value that the file has to have afterwards."""
    if not path:
        if isinstance(addition, Mapping):
            present = value or {}
            taken = [key for key in addition if key in present]
            if taken:
                raise OnboardError(f'the key "{taken[0]}" is there already')
            return {**present, **_values(addition)}
        return [*(value or []), *_values(addition)]
    key, rest = path[0], path[1:]
    if isinstance(key, int):
        value[key] = _added(value[key], rest, addition)
        return value
    return {**(value or {}), key: _added((value or {}).get(key), rest, addition)}


def _values(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _values(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_values(item) for item in value]
    return value


# ---------------------------------------------------------------------------------------------------- by line
def _by_line(text: str, path: Path, addition: Any) -> str | None:
    """None where the place is in flow style."""
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += ending
    root = _yaml().compose(text)
    node, addition, indent, parent = _place(root, path, addition, lines)
    if node is None:
        return text + ("" if not lines else "".join(lines)[len(text) :]) + _ended(render(addition), ending)
    if isinstance(node, ScalarNode) and node.value not in {"", "null", "~", "Null", "NULL"}:
        return None
    if isinstance(node, CollectionNode) and node.flow_style and node.value:
        return None
    if not node.value or isinstance(node, ScalarNode):
        return _instead(lines, node, _ended(render(addition, parent + 2), ending))
    at = _end(node) + 1
    while not lines[at - 1].strip():
        at -= 1
    while at < len(lines) and _is_comment(lines[at], max(indent, parent + 1)):
        at += 1
    return "".join([*lines[:at], _ended(render(addition, indent), ending), *lines[at:]])


def _place(root: Node | None, path: Path, addition: Any, lines: list[str]) -> tuple[Node | None, Any, int, int]:
    """The deepest node on the way, what to add to it, its indentation and that of the key that holds it."""
    node, parent = root, -1
    for depth, part in enumerate(path):
        found = _child(node, part)
        if found is None:
            for missing in reversed(path[depth:]):
                addition = {missing: addition}
            break
        key, node = found
        parent = key.start_mark.column if isinstance(part, str) else parent
    if node is None:
        return None, addition, 0, -1
    return node, addition, _indentation(node, lines), parent


def _child(node: Node | None, part: str | int) -> tuple[Node, Node] | None:
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, SequenceNode) and isinstance(part, int):
        return node.value[part], node.value[part]
    return None


def _indentation(node: Node, lines: list[str]) -> int:
    """Column of a block mapping's keys, or of a block list's dashes."""
    if not isinstance(node, CollectionNode) or not node.value or node.flow_style:
        return 0
    if isinstance(node, MappingNode):
        return int(node.value[0][0].start_mark.column)
    first = node.value[0].start_mark
    before = lines[int(first.line)][: int(first.column)]
    if before.strip() != "-":
        raise ValueError("a list within a list")
    return before.index("-")


def _end(node: Node) -> int:
    """The last line that a node takes."""
    last = node
    while isinstance(last, CollectionNode) and last.value and not last.flow_style:
        last = last.value[-1][1] if isinstance(last, MappingNode) else last.value[-1]
    mark = last.end_mark
    # What is written in a block (| or >) ends where the next line begins.
    return int(mark.line - 1 if mark.column == 0 and mark.line > last.start_mark.line else mark.line)


def _is_comment(line: str, indent: int) -> bool:
    stripped = line.lstrip(" ")
    return stripped.startswith("#") and len(line) - len(stripped) >= indent


def _instead(lines: list[str], node: Node, block: str) -> str:
    """The block on the lines after an empty value, whose `{}`, `[]` or null goes."""
    start, end = node.start_mark, node.end_mark
    line = lines[start.line]
    if start.line != end.line:
        raise ValueError("an empty value over several lines")
    head, tail = line[: start.column].rstrip(" "), line[end.column :]
    kept = f"{head}{tail}" if tail.strip() else head + line[len(line.rstrip("\r\n")) :]
    return "".join([*lines[: start.line], kept, block, *lines[start.line + 1 :]])


def _ended(block: str, ending: str) -> str:
    return block if ending == "\n" else block.replace("\n", ending)


# ----------------------------------------------------------------------------------------------- through ruamel
def _through_ruamel(text: str, path: Path, addition: Any) -> str:
    content = _yaml().load(text)
    if content is None:
        content = CommentedMap()
    at = content
    for part in path:
        if isinstance(part, str) and at.get(part) is None:
            at[part] = CommentedSeq() if part == path[-1] and not isinstance(addition, Mapping) else CommentedMap()
        at = at[part]
    if isinstance(addition, Mapping):
        at.update(plain(addition))
    else:
        at.extend(plain(addition))
    stream = io.StringIO()
    _yaml().dump(content, stream)
    return stream.getvalue()
