"""The `Expression` of GetPartitions: SQL-like filters over partition keys.

Source: Glue API reference, GetPartitions: comparison operators, LIKE, IN, BETWEEN, AND, OR, NOT, IS NULL; keys of type
string, date, timestamp, int, bigint, long, tinyint, smallint, decimal. Dates and timestamps compare as text, which
their ISO forms allow. Whatever is not of this grammar is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from local_aws.services import policy
from local_aws.services.calls import AwsError

Row = tuple[str, ...]
Predicate = Callable[[Row], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'(?:[^']|'')*'|"(?:[^"])*")|(?P<number>-?\d+(?:\.\d+)?)
    |(?P<operator><=|>=|<>|!=|=|<|>|\(|\)|,)|(?P<word>`[^`]+`|[A-Za-z_][\w.]*))""",
    re.VERBOSE,
)
_NUMBERS = frozenset({"int", "integer", "bigint", "long", "tinyint", "smallint", "decimal"})
_TEXTS = frozenset({"string", "date", "timestamp", "char", "varchar"})
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b, "<>": lambda a, b: a != b, "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


def _invalid(text: str) -> AwsError:
    return AwsError("InvalidInputException", f"Unsupported expression: {text}")


class _Parser:
    """Recursive descent: or < and < not < comparison."""

    def __init__(self, text: str, keys: Mapping[str, tuple[int, str]]) -> None:
        self.text, self.keys = text, keys
        self.tokens: list[tuple[str, str]] = []
        position = 0
        while text[position:].strip():
            found = _TOKEN.match(text, position)
            if found is None or found.lastgroup is None:
                raise _invalid(f"{text!r} at character {position + 1}")
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()

    def take(self, *wanted: str) -> bool:
        """Consume the next token if it is one of these words or operators."""
        if self.tokens and self.tokens[0][0] in {"word", "operator"} and self.tokens[0][1].lower() in wanted:
            self.tokens.pop(0)
            return True
        return False

    def expect(self, wanted: str) -> None:
        if not self.take(wanted):
            raise _invalid(f"{wanted!r} expected in {self.text!r}")

    def either(self) -> Predicate:
        terms = [self.both()]
        while self.take("or"):
            terms.append(self.both())
        return terms[0] if len(terms) == 1 else lambda row: any(term(row) for term in terms)

    def both(self) -> Predicate:
        terms = [self.negation()]
        while self.take("and"):
            terms.append(self.negation())
        return terms[0] if len(terms) == 1 else lambda row: all(term(row) for term in terms)

    def negation(self) -> Predicate:
        if self.take("not"):
            inner = self.negation()
            return lambda row: not inner(row)
        if self.take("("):
            grouped = self.either()
            self.expect(")")
            return grouped
        return self.comparison()

    def comparison(self) -> Predicate:
        place, convert = self.key()
        if self.take("is"):
            negated = self.take("not")
            self.expect("null")
            return lambda row: (row[place] == "__HIVE_DEFAULT_PARTITION__") != negated
        negated = self.take("not")
        if self.take("in"):
            self.expect("(")
            values = {self.value(convert)}
            while self.take(","):
                values.add(self.value(convert))
            self.expect(")")
            return lambda row: (convert(row[place]) in values) != negated
        if self.take("between"):
            low = self.value(convert)
            self.expect("and")
            high = self.value(convert)
            return lambda row: (low <= convert(row[place]) <= high) != negated
        if self.take("like"):
            glob = str(self.value(str)).replace("%", "*").replace("_", "?")
            return lambda row: policy.matches(glob, row[place]) != negated
        operator = self.tokens.pop(0)[1] if self.tokens else ""
        if operator not in _COMPARE or negated:
            raise _invalid(f"an operator expected in {self.text!r}")
        compare, wanted = _COMPARE[operator], self.value(convert)
        return lambda row: compare(convert(row[place]), wanted)

    def key(self) -> tuple[int, Callable[[str], Any]]:
        kind, text = self.tokens.pop(0) if self.tokens else ("", "")
        found = self.keys.get(text.strip("`").lower())
        if kind != "word" or found is None:
            raise _invalid(f"{text or 'the end'} is not a partition key, in {self.text!r}")
        place, declared = found
        declared = declared.split("(")[0].lower()
        if declared not in _NUMBERS | _TEXTS:
            raise _invalid(f"partition keys of type {declared} cannot be compared")
        return place, _number if declared in _NUMBERS else str

    def value(self, convert: Callable[[str], Any]) -> Any:
        if self.take("date", "timestamp"):
            pass
        kind, text = self.tokens.pop(0) if self.tokens else ("", "")
        if kind == "string":
            return convert(text[1:-1].replace("''", "'"))
        if kind == "number":
            return convert(text)
        raise _invalid(f"a value expected in {self.text!r}")


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise _invalid(f"{text!r} is not a number") from error


def predicate(text: str, keys: list[dict[str, Any]]) -> Predicate:
    """A test of partition values. Raises `AwsError` InvalidInputException for what the grammar does not have."""
    places = {key["Name"].lower(): (place, key.get("Type", "string")) for place, key in enumerate(keys)}
    parser = _Parser(text, places)
    made = parser.either()
    if parser.tokens:
        raise _invalid(f"{parser.tokens[0][1]!r} not expected in {text!r}")
    return made
