"""JSON lines in, verdicts out: tables stream through, the lines of one table are judged together.

Memory holds one table, and a number for each that went by. Fields that nobody knows are ignored. A line that cannot be
used raises `LineError` with its number and never quotes the line, since it may hold values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from lakemesh.classification.column import Column, Verdict
from lakemesh.classification.recogniser import classify_table
from lakemesh.classification.rules import NO_RULES, Rules

MAX_LINE: Final = 64_000_000
"""Bytes of one line; a longer one is refused, not read."""
MAX_COLUMNS: Final = 200_000
"""Columns of one table; Glue allows far fewer."""
_FIELDS: Final = frozenset({"table", "column", "type", "comment", "samples"})
_SHAPES: Final = {
    dict: "an object",
    list: "a list",
    str: "text",
    int: "a number",
    float: "a number",
    bool: "true or false",
}


class LineError(ValueError):
    """A line that cannot be used: its number, what is wrong and what is expected. Holds nothing of the line itself."""

    def __init__(self, number: int, message: str) -> None:
        self.number = number
        super().__init__(f"line {number}: {message}")


@dataclass(frozen=True)
class Line:
    """One line that could be read."""

    number: int
    table: str
    column: Column


def _quiet(_message: str) -> None:
    """Nobody wants to know."""


def classify_lines(
    lines: Iterable[bytes], rules: Rules = NO_RULES, notice: Callable[[str], None] = _quiet
) -> Iterator[Verdict]:
    """A verdict per line, in the same order. Raises LineError, after the verdicts of the tables before the bad line.

    `notice` hears, once, of lines that are used but perhaps not as they were meant.
    """
    table: str | None = None
    waiting: list[Column] = []
    seen: set[int] = set()
    told = False
    for line in read_lines(lines, notice):
        if line.table != table:
            if table is not None:
                yield from classify_table(table, waiting, rules)
            if hash(line.table) in seen and not told:
                notice(f"line {line.number}: its table stood further up already; lines apart are judged apart")
                told = True
            seen.add(hash(line.table))
            table, waiting = line.table, []
        if len(waiting) >= MAX_COLUMNS:
            raise LineError(
                line.number, f"its table has more than {MAX_COLUMNS:,} columns; none that a catalog holds has"
            )
        waiting.append(line.column)
    if table is not None:
        yield from classify_table(table, waiting, rules)


def read_lines(lines: Iterable[bytes], notice: Callable[[str], None] = _quiet) -> Iterator[Line]:
    """Every line that is not blank. Raises LineError at the first that cannot be used."""
    told = False
    for number, raw in enumerate(lines, start=1):
        if len(raw) > MAX_LINE:
            raise LineError(number, f"it has more than {MAX_LINE:,} bytes; give fewer or shorter samples")
        if raw.strip():
            value = _parsed(number, raw)
            if not told and value.keys() - _FIELDS:
                notice(f"line {number}: fields other than table, column, type, comment and samples are ignored")
                told = True
            yield _line(number, value)


def _parsed(number: int, raw: bytes) -> dict[str, Any]:
    try:
        value: object = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        raise LineError(number, "it is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise LineError(number, f"it is not JSON ({error.msg}, column {error.colno})") from None
    except (RecursionError, ValueError):
        raise LineError(number, "it is nested too deeply, or holds a number too long to read") from None
    if not isinstance(value, dict):
        raise LineError(number, f"expected an object with table and column, found {_shape(value)}")
    return value


def _line(number: int, value: dict[str, Any]) -> Line:
    missing = [name for name in ("table", "column") if name not in value]
    if missing:
        raise LineError(number, f"it has no {' and no '.join(missing)}")
    column = Column(
        _text(number, value, "column"), _optional(number, value, "type"), _optional(number, value, "comment")
    )
    return Line(number, _text(number, value, "table"), _with_samples(number, value, column))


def _text(number: int, value: dict[str, Any], name: str) -> str:
    found = value[name]
    if not isinstance(found, str):
        raise LineError(number, f"its {name} must be text, found {_shape(found)}")
    return found


def _optional(number: int, value: dict[str, Any], name: str) -> str | None:
    found = value.get(name)
    if found is not None and not isinstance(found, str):
        raise LineError(number, f"its {name} must be text, found {_shape(found)}")
    return found


def _with_samples(number: int, value: dict[str, Any], column: Column) -> Column:
    samples = value.get("samples")
    if samples is None:
        return column
    if not isinstance(samples, list):
        raise LineError(number, f"its samples must be a list, found {_shape(samples)}")
    return Column(column.name, column.type, column.comment, samples)


def _shape(value: object) -> str:
    return "nothing" if value is None else _SHAPES.get(type(value), "something else")


def render(verdict: Verdict) -> str:
    """A verdict as one line of JSON, ASCII only: no terminal acts on what a name may hold."""
    return json.dumps(
        {
            "table": verdict.table,
            "column": verdict.column,
            "kind": verdict.kind,
            "sensitive": verdict.sensitive,
            "sensitivity": verdict.sensitivity.value,
            "confidence": verdict.confidence,
            "evidence": list(verdict.evidence),
            "version": verdict.version,
        }
    )
