"""What is wrong with a mesh: one value per finding, its place, its cause and its mend.

A problem is found by the reader, the models or a check; it is never raised on its own, so that people see all of them
at once. `report` renders them for people and for tools.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_SUGGESTIONS = 8
"""Names listed where none is close enough to be meant."""


@dataclass(frozen=True, order=True)
class Problem:
    """One finding. `line` and `column` count from 1; `path` is the place in the file's terms: `grants[2].to`."""

    file: str
    line: int
    column: int
    path: str
    message: str
    """The first line says what is wrong; further lines say why it matters and how to mend it."""
    rule: str
    """Stable kebab-case id, for SARIF and for tests."""

    def __str__(self) -> str:
        place = f"{printable(self.file)}:{self.line}:{self.column}"
        first, *rest = map(printable, self.message.split("\n"))
        head = f"{place}  {printable(self.path)}: {first}" if self.path else f"{place}  {first}"
        return "\n".join([head, *(f"    {line}" for line in rest)])


def printable(text: str) -> str:
    """`text` with everything escaped that a terminal would act on instead of showing it: files quote what they like."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


class InvalidMeshError(Exception):
    """A mesh that cannot be deployed; `str()` is the text form of every problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


def did_you_mean(name: str, known: Iterable[str], *, case: bool = True) -> str:
    """` Did you mean "x"?` where one is close to `name`, else the known names if they are few, else nothing."""
    names: Sequence[str] = sorted(set(known))
    if case:
        same = [other for other in names if other.lower() == name.lower()]
        if same:
            return f' Did you mean "{same[0]}"?'
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f' Did you mean "{close[0]}"?'
    if 0 < len(names) <= MOST_SUGGESTIONS:
        return f" Known: {', '.join(names)}."
    return ""


def path_text(path: Sequence[str | int]) -> str:
    """`("grants", 2, "to")` -> `grants[2].to`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
