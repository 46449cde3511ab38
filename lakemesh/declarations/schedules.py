"""How often a schedule of EventBridge comes. Pure."""

from __future__ import annotations

import datetime as dt


def period(schedule: str) -> dt.timedelta:
    """That of `rate(…)`; a day for `cron(…)`, whose periods differ."""
    if not schedule.startswith("rate("):
        return dt.timedelta(days=1)
    number, _, unit = schedule.removeprefix("rate(").rstrip(")").partition(" ")
    return dt.timedelta(**{f"{unit.rstrip('s')}s": int(number)})
