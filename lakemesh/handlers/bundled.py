"""Files beside a function's code, made by the program that deployed it."""

from __future__ import annotations

import functools
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def lines(name: str) -> frozenset[str]:
    """The lines of a text file; none where there is no such file."""
    file = ROOT / name
    return frozenset(file.read_text(encoding="utf-8").splitlines()) if file.is_file() else frozenset()
