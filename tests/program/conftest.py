"""Fixtures of tests that run the program."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.program.engine import Engine

ROOT = Path(__file__).parents[2]
Deploy = Callable[..., Engine]


@pytest.fixture
def engine() -> Engine:
    """An engine of the test's own, with an event loop of its own for each run."""
    return Engine()


@pytest.fixture
def program() -> Deploy:
    """`program(stack, mesh)`: run the project's program for one stack, as Pulumi's language host would."""

    def run(stack: str, mesh: Path = ROOT / "mesh", *, preview: bool = False, **config: str) -> Engine:
        return Engine().run(
            lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"),
            stack=stack,
            preview=preview,
            config={"mesh": str(mesh), **config},
        )

    return run
