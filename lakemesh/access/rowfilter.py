"""Row filter expressions: parsed, checked against a table's columns, and written out again from what was understood.

The grammar is the part of PartiQL that Lake Formation documents (developer guide, "partiql-support"): a column compared
with constants by =, <>, !=, <, <=, >, >=, BETWEEN, IN, LIKE or IS [NOT] NULL, combined by AND, OR and NOT. No
functions, no other columns on the right, fewer than 2,048 characters. Whatever else the parser can read is refused: a
filter is never the text that somebody typed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sqlglot import exp

CHARACTERS: Final = 2048
"""An expression must be shorter than this (developer guide, "partiql-support")."""
_TEXT: Final = frozenset({"string", "char", "varchar"})
_WHOLE: Final = frozenset({"int", "integer", "long", "bigint"})
_NUMBER: Final = _WHOLE | {"float", "decimal", "double"}
_BOOLEAN: Final = frozenset({"boolean"})
_OPERATORS: Final = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_MEMBERS: Final = {
    "Paren": {"this"},
    "And": {"this", "expression"},
    "Or": {"this", "expression"},
    "Not": {"this"},
    "Between": {"this", "low", "high"},
    "In": {"this", "expressions"},
    "Like": {"this", "expression", "negate"},
    "Is": {"this", "expression", "negate"},
    "Column": {"this"},
    "Identifier": {"this", "quoted"},
    "Literal": {"this", "is_string"},
    "Neg": {"this"},
    "Boolean": {"this"},
    "Null": set[str](),
    **{operator: {"this", "expression"} for operator in _OPERATORS},
}
"""What each node of the tree may have: a member that is not here would be left out of what is written."""
_FORM: Final = "Write comparisons of a column with constants, such as country = 'DE' AND amount >= 100."


class RowFilterError(ValueError):
    """An expression that is no row filter of the table; the text says what is wrong and how to mend it."""


@dataclass(frozen=True)
class RowFilter:
    """A row filter that was understood. `text`: its one form, columns quoted; equal filters have equal texts."""

    text: str
    columns: frozenset[str]
    """Columns that it decides by."""


def parse(text: str, columns: Mapping[str, str], partition_keys: Collection[str] = ()) -> RowFilter:
    """Read a row filter of a table with these `columns` (types by name, as Glue writes them). Raises RowFilterError.

    `partition_keys`: those of the columns that are partition keys; IS NULL is not for them.
    """
    if len(text) >= CHARACTERS:
        raise RowFilterError(
            f"The row filter has {len(text)} characters; Lake Formation takes fewer than {CHARACTERS}.\n"
            "Filter by a column that says it shorter."
        )
    tree = _read(text)
    reader = _Reader({name.lower(): kind.lower().strip() for name, kind in columns.items()}, frozenset(partition_keys))
    try:
        written = reader.condition(tree)
    except RecursionError as error:
        raise RowFilterError(
            "The row filter is nested too deep to be read.\nWrite it with fewer parentheses."
        ) from error
    if len(written) >= CHARACTERS:
        raise RowFilterError(
            f"Written out, the row filter has {len(written)} characters; Lake Formation takes fewer than "
            f"{CHARACTERS}.\n"
            "Filter by a column that says it shorter."
        )
    return RowFilter(written, frozenset(reader.used))


def _read(text: str) -> exp.Expression:
    """The syntax tree of a condition. sqlglot takes a moment to import, and few meshes have row filters."""
    import sqlglot  # noqa: PLC0415 - the module says why it is imported late
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    try:
        trees = [tree for tree in sqlglot.parse(f"SELECT 1 WHERE {text}", dialect="trino") if tree is not None]
    except (SqlglotError, RecursionError) as error:
        said = re.sub(r"\x1b\[\d*m", "", str(error)).split("\n", 1)[0].split(". Line ")[0]
        raise RowFilterError(f"The row filter cannot be read: {said}.\n{_FORM}") from error
    where = trees[0].args.get("where") if len(trees) == 1 else None
    others = (
        {key for key, value in trees[0].args.items() if value} - {"expressions", "where", "kind"} if trees else set()
    )
    if where is None or others:
        raise RowFilterError(f"The row filter is more than one condition.\n{_FORM}")
    condition: exp.Expression = where.this
    return condition


@dataclass(frozen=True)
class _Column:
    name: str
    kind: str
    """Its type without what stands in brackets."""


class _Reader:
    """Turns a syntax tree into the text of a filter, and refuses every node that the grammar does not have."""

    def __init__(self, columns: Mapping[str, str], keys: frozenset[str]) -> None:
        self._columns, self._keys = columns, keys
        self.used: set[str] = set()

    def condition(self, node: exp.Expression) -> str:
        kind = type(node).__name__
        if kind in _MEMBERS:
            _whole(node, kind)
        match kind:
            case "Paren":
                return self.condition(node.this)
            case "And" | "Or":
                return self._combined(node, kind)
            case "Not":
                return self._negated(node)
            case "Between" | "In" | "Like" | "Is":
                return self._simple(node, kind)
            case _ if kind in _OPERATORS:
                column = self._column(node.this)
                return f"{_quoted(column.name)} {_OPERATORS[kind]} {self._constant(node.expression, column)}"
            case "Column":
                column = self._column(node)
                mend = f"{column.name} = true" if column.kind in _BOOLEAN else f"{column.name} = …"
                raise RowFilterError(f'"{column.name}" alone is no comparison.\nWrite {mend}.')
            case _:
                raise RowFilterError(
                    f"A row filter cannot have {_said(node)}: Lake Formation takes no functions, calculations or "
                    "queries in "
                    f"it.\n{_FORM}"
                )

    def _combined(self, node: exp.Expression, kind: str) -> str:
        parts = [f"({self.condition(part)})" for part in _flat(node, kind)]
        return f" {kind.upper()} ".join(parts)

    def _negated(self, node: exp.Expression) -> str:
        inner = node.this
        while type(inner).__name__ == "Paren":
            inner = inner.this
        kind = type(inner).__name__
        if kind in {"In", "Like", "Between", "Is"}:
            return self._simple(inner, kind, negated=True)
        return f"NOT ({self.condition(inner)})"

    def _simple(self, node: exp.Expression, kind: str, *, negated: bool = False) -> str:
        column = self._column(node.this)
        _whole(node, kind)
        negated ^= bool(node.args.get("negate"))
        name, no = _quoted(column.name), "NOT " if negated else ""
        match kind:
            case "Between":
                low, high = (self._constant(node.args[end], column) for end in ("low", "high"))
                text = f"{name} BETWEEN {low} AND {high}"
                return f"NOT ({text})" if negated else text
            case "In":
                return f"{name} {no}IN ({', '.join(self._listed(node, column))})"
            case "Like":
                return self._like(node, column, no)
            case _:
                return self._null(node, column, no)

    def _listed(self, node: exp.Expression, column: _Column) -> list[str]:
        if node.args.get("query") is not None or node.args.get("unnest") is not None or not node.expressions:
            raise RowFilterError(f"IN takes a list of constants.\nWrite {column.name} IN (…, …).")
        return sorted({self._constant(value, column) for value in node.expressions})

    def _like(self, node: exp.Expression, column: _Column, no: str) -> str:
        if column.kind not in _TEXT:
            raise RowFilterError(
                f'LIKE compares text, and "{column.name}" is {self._columns[column.name]}.\nCompare it with =, < or >.'
            )
        return f"{_quoted(column.name)} {no}LIKE {self._constant(node.expression, column)}"

    def _null(self, node: exp.Expression, column: _Column, no: str) -> str:
        if type(node.expression).__name__ != "Null":
            raise RowFilterError(f"IS stands before NULL or NOT NULL alone.\nWrite {column.name} = … instead.")
        if column.name in self._keys:
            raise RowFilterError(
                f'"{column.name}" is a partition key, and Lake Formation takes no IS NULL of partition '
                "keys.\nCompare it with "
                "a value."
            )
        return f"{_quoted(column.name)} IS {no}NULL"

    def _column(self, node: exp.Expression) -> _Column:
        if type(node).__name__ != "Column" or node.args.get("table") is not None:
            if type(node).__name__ in {"Column", "Dot"}:
                raise RowFilterError(
                    f"{_said(node)} is a field of a column; lakemesh filters rows by whole columns.\nName a column "
                    "of the "
                    "table."
                )
            raise RowFilterError(f"A comparison starts with a column, not with {_said(node)}.\n{_FORM}")
        _whole(node, "Column")
        name = str(node.name).lower()
        if name not in self._columns:
            near = difflib.get_close_matches(name, self._columns, n=1)
            hint = f' Did you mean "{near[0]}"?' if near else ""
            raise RowFilterError(
                f'The table has no column "{name}".{hint}\nA text stands in single quotes. The columns are: '
                f"{', '.join(self._columns)}."
            )
        kind = re.split(r"[(<]", self._columns[name], maxsplit=1)[0].strip()
        if kind not in _TEXT | _NUMBER | _BOOLEAN:
            raise RowFilterError(
                f'"{name}" is {self._columns[name]}, and Lake Formation filters rows by text, numbers (int, '
                "bigint, float, "
                "double, decimal) and booleans only.\nFilter by another column, or ask the producer for one that "
                "says the same."
            )
        self.used.add(name)
        return _Column(name, kind)

    def _constant(self, node: exp.Expression, column: _Column) -> str:
        kind, value = type(node).__name__, node
        sign = ""
        if kind == "Neg":
            value, sign = node.this, "-"
            kind = type(value).__name__
        if kind == "Literal" and value.is_string and not sign:
            return self._expect(column, _TEXT, _text(str(value.this)), f"the text {_text(str(value.this))}")
        if kind == "Literal" and not value.is_string:
            return self._number(column, sign + str(value.this))
        if kind == "Boolean" and not sign:
            return self._expect(column, _BOOLEAN, "true" if value.this else "false", "a boolean")
        if kind == "Null":
            raise RowFilterError(f"A comparison with NULL is never true.\nWrite {column.name} IS NULL.")
        if kind == "Column":
            raise RowFilterError(
                f"{_said(node)} is a column, and columns are compared with constants only.\nIf it is a text, write "
                "it in single "
                f"quotes: '{value.name}'."
            )
        raise RowFilterError(
            f"{_said(node)} is no constant.\nCompare {column.name} with a text, a number, true or false."
        )

    def _number(self, column: _Column, text: str) -> str:
        try:
            number = Decimal(text)
        except InvalidOperation as error:
            raise RowFilterError(f"{text} is no number.\nWrite it in decimal digits.") from error
        if column.kind in _WHOLE and number != number.to_integral_value():
            raise RowFilterError(
                f'"{column.name}" is {column.kind}, and {text} is no whole number.\nWrite a whole number.'
            )
        if abs(number.adjusted()) > 38:  # the widest decimal (Glue, "decimal(38,s)")
            raise RowFilterError(f"{text} is beyond what a column holds.\nWrite a smaller number.")
        return self._expect(column, _NUMBER, format(number, "f"), f"the number {text}")

    def _expect(self, column: _Column, kinds: frozenset[str], written: str, said: str) -> str:
        if column.kind not in kinds:
            mends = {True: "a text in single quotes", False: "a number without quotes"}
            mend = "true or false" if column.kind in _BOOLEAN else mends[column.kind in _TEXT]
            raise RowFilterError(
                f'"{column.name}" is {self._columns[column.name]}, and is compared with {said}.\nCompare it with '
                f"{mend}."
            )
        return written


def _whole(node: exp.Expression, kind: str) -> None:
    """Refuse a node that says more than what would be written of it."""
    more = {member for member, value in node.args.items() if value} - _MEMBERS[kind]
    if more:
        raise RowFilterError(
            f"A row filter cannot have {_said(node)}: Lake Formation does not take it with "
            f"{', '.join(sorted(more)).upper()}."
            f"\n{_FORM}"
        )


def _flat(node: exp.Expression, kind: str) -> Iterator[exp.Expression]:
    """Parts of a chain of ANDs or ORs, in their order, parentheses of the same kind dissolved."""
    for part in (node.this, node.expression):
        inner: Any = part
        while type(inner).__name__ == "Paren":
            inner = inner.this
        if type(inner).__name__ == kind:
            yield from _flat(inner, kind)
        else:
            yield inner


def _said(node: exp.Expression) -> str:
    return f"`{node.sql(dialect='trino')[:60]}`"


def _quoted(name: str) -> str:
    """In double quotes, which keep names from being read as keywords ("partiql-support")."""
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
