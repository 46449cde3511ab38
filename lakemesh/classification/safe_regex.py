"""Regular expressions of company rules, bounded in time before they are ever run.

Python's engine backtracks, so a careless pattern can take years on one value. A pattern is accepted only when the
number of ways in which it can match or fail on a value of `MAX_LENGTH` characters is small; lookarounds and back-
references are refused. The bound is on paths, so it holds for every value.
"""

from __future__ import annotations

import re
import warnings
from typing import Any, Final

from lakemesh.classification.values import MAX_LENGTH

MAX_PATTERN: Final = 300
MAX_WAYS: Final = 20_000
_ONE: Final = frozenset({"LITERAL", "NOT_LITERAL", "IN", "ANY", "CATEGORY", "AT", "RANGE"})


class UnsafePatternError(ValueError):
    """A pattern that is no regular expression, or could take too long; the text says why and how to mend it."""


def compile_safe(pattern: str) -> re.Pattern[str]:
    """`pattern` compiled, for `fullmatch` on values of at most `MAX_LENGTH` characters. Raises UnsafePatternError."""
    if len(pattern) > MAX_PATTERN:
        raise UnsafePatternError(f"has {len(pattern)} characters; no more than {MAX_PATTERN} are allowed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled = re.compile(pattern)
            parsed: Any = getattr(re, "_parser").parse(pattern)  # noqa: B009 (the parser has no public name)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise UnsafePatternError(f"is not a regular expression: {error}") from error
    if ways(parsed) > MAX_WAYS:
        raise UnsafePatternError(
            "could take too long on some value: use fixed counts such as {8} instead of several *, + or nested repeats"
        )
    return compiled


def ways(parsed: Any) -> int:
    """An upper bound of the paths that matching can try."""
    total = 1
    for operation, argument in parsed:
        total = min(total * _ways_of(str(operation), argument), MAX_WAYS + 1)
    return total


def _ways_of(operation: str, argument: Any) -> int:
    if operation in _ONE:
        return 1
    if operation == "BRANCH":
        return sum(ways(branch) for branch in argument[1])
    if operation == "SUBPATTERN":
        return ways(argument[3])
    if operation == "ATOMIC_GROUP":
        return ways(argument)
    if operation in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        least, most, inner = argument
        return _repeated(int(least), min(int(most), MAX_LENGTH), ways(inner))
    raise UnsafePatternError("uses a lookaround, back-reference or condition, which company rules do not need")


def _repeated(least: int, most: int, inner: int) -> int:
    if inner == 1:
        return max(1, most - least + 1)
    total = 0
    for times in range(least, most + 1):
        total += inner**times if times < 20 else MAX_WAYS + 1
        if total > MAX_WAYS:
            return MAX_WAYS + 1
    return max(1, total)
