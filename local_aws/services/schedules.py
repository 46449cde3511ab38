"""When schedule expressions fall due (EventBridge user guide, "Creating a rule that runs on a schedule"): UTC."""

from __future__ import annotations

import datetime as dt
import re
from itertools import islice

from local_aws.services.calls import not_implemented

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MINUTES_OF_A_YEAR = 366 * 24 * 60


def seconds_until_next(expression: str, now: float) -> float:
    """Seconds from `now` (since 1970) until the expression falls due. Raises AwsError for what is not modelled."""
    if rate := _RATE.fullmatch(expression):
        return int(rate[1]) * _UNITS[rate[2]]
    cron = _CRON.fullmatch(expression)
    if cron is None or re.search(r"[LW#]", expression.removeprefix("cron")):
        raise not_implemented("events", f"schedule {expression}")
    minute, hour, day, month, weekday, year = cron.groups()
    start = dt.datetime.fromtimestamp(now, dt.UTC).replace(second=0, microsecond=0)
    minutes = (start + dt.timedelta(minutes=step) for step in range(1, _MINUTES_OF_A_YEAR))
    fields = ((minute, 0, 59, ()), (hour, 0, 23, ()), (day, 1, 31, ()), (month, 1, 12, _MONTHS), (weekday, 1, 7, _DAYS),
              (year, 1970, 2199, ()))  # fmt: skip
    wanted = [_values(text, low, high, names) for text, low, high, names in fields]
    found = next(islice((at for at in minutes if _parts(at, wanted)), 1), None)
    if found is None:
        raise not_implemented("events", f"schedule {expression}: more than a year ahead")
    return found.timestamp() - now


def _parts(at: dt.datetime, wanted: list[set[int]]) -> bool:
    parts = (at.minute, at.hour, at.day, at.month, at.isoweekday() % 7 + 1, at.year)
    return all(part in allowed for part, allowed in zip(parts, wanted, strict=True))


def _values(text: str, low: int, high: int, names: tuple[str, ...]) -> set[int]:
    for index, name in enumerate(names):
        text = text.replace(name, str(index + 1))
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = low if first in {"*", "?"} else int(first)
        end = int(last) if last else (high if first in {"*", "?"} or step else begin)
        found |= set(range(begin, end + 1, int(step or 1)))
    return found
