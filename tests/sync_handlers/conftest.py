"""Tests of the handlers never wait for a pace."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync_handlers import pacing


@pytest.fixture(autouse=True, scope="session")
def _nobody_waits() -> Iterator[None]:
    """Calls are repeated as always, and at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pacing, "of", lambda _account: pacing.Pace(1e9, sleep=lambda _seconds: None))
        yield
