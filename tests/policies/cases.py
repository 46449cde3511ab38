"""Compliant programs with one field changed, and exactly what the rules then say: mostly nothing.

The corpus of `bad/` shows what each rule refuses; these show where it stops.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi_aws as aws

from tests.policies import baseline as b
from tests.policies.baseline import BARE, CENTRAL, CONSUMER, LATER, document, expression

Found = set[tuple[str, str]]


@dataclass(frozen=True)
class Case:
    """A program, what the pack is configured with, and what it says."""

    program: Callable[[], None]
    expected: Found = field(default_factory=set)
    mesh: Callable[[dict[str, Any]], Any] | None = None
    config: dict[str, dict[str, Any]] = field(default_factory=dict)
    manifest: bool = True


CASES: dict[str, Case] = {}


def add(name: str, program: Callable[[], None], expected: Found | None = None, **more: Any) -> None:
    assert name not in CASES
    CASES[name] = Case(program, expected or set(), **more)
