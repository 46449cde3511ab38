"""Fixtures of tests that build components by themselves."""

from __future__ import annotations

import pytest

from tests.program.engine import Engine


@pytest.fixture
def engine() -> Engine:
    """An engine of the test's own, with an event loop of its own for each run."""
    return Engine()
