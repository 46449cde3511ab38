"""Property tests here have no deadline: the machine that runs them may be busy with something else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from sync_handlers import pacing

settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture(autouse=True, scope="session")
def _nobody_waits() -> Iterator[None]:
    """Calls are repeated as always, and at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pacing, "of", lambda _account: pacing.Pace(1e9, sleep=lambda _seconds: None))
        yield
