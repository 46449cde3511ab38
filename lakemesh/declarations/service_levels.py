"""How old a product's data may be, by its contract's `slaProperties`. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lakemesh.declarations.models import ServiceLevel

# ODCS v3, "Service-Level Agreement (SLA)": words of `unit`; `m` could be minutes or months and is neither here.
_SECONDS: Final = {
    60: ("min", "minute", "minutes"),
    3600: ("h", "hr", "hour", "hours"),
    86_400: ("d", "day", "days"),
    7 * 86_400: ("w", "week", "weeks"),
    365 * 86_400: ("y", "yr", "year", "years"),
    1: ("s", "sec", "second", "seconds"),
}
_FRESHNESS: Final = frozenset({"freshness", "fr"})
_LATENCY: Final = frozenset({"latency", "ly"})
_FREQUENCY: Final = frozenset({"frequency", "fy"})


def max_age(levels: Iterable[ServiceLevel]) -> int | None:
    """Seconds after which a product's data counts as stale; None when the contract promises nothing of the kind.

    `freshness` says it outright. Otherwise data that is made every `frequency` and arrives `latency` later is at most
    both together old. A value that is no number, or a unit that ODCS does not know, promises nothing.
    """
    found: dict[str, int] = {}
    for level in levels:
        seconds = _seconds(level)
        if seconds is not None:
            found.setdefault(level.property.lower(), seconds)
    outright = [seconds for name, seconds in found.items() if name in _FRESHNESS]
    if outright:
        return min(outright)
    parts = [next((found[name] for name in sorted(names) if name in found), None) for names in (_LATENCY, _FREQUENCY)]
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _seconds(level: ServiceLevel) -> int | None:
    unit = next((seconds for seconds, words in _SECONDS.items() if level.unit.lower() in words), None)
    try:
        value = float(level.value)
    except ValueError:
        return None
    if unit is None or not 0 < value < 10**6:
        return None
    return round(value * unit)
