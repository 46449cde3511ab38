"""The prefixes of a source: few, apart from each other, and with nothing in them that is somebody else's. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from lakemesh.onboard.formats import outermost


def prefixes(places: Iterable[str], foreign: Iterable[str], home: str | None = None) -> tuple[str, ...]:
    """Prefixes that hold every directory of `places`, sorted; none lies in another.

    A prefix is where several tables have their common ground, as long as nothing of `foreign` (directories of other
    databases) lies there: Lake Formation hands out credentials for whatever lies below a registered prefix. A whole
    bucket is never taken because tables merely share it. `home`: the database's own location, taken where it fits.
    """
    wanted = outermost(places)
    others = tuple(foreign)
    if home is not None and wanted and _is_clear(home, others) and all(place.startswith(home) for place in wanted):
        return (home,)
    by_bucket: dict[str, list[str]] = {}
    for place in wanted:
        by_bucket.setdefault(place.removeprefix("s3://").partition("/")[0], []).append(place)
    found: list[str] = []
    for bucket in sorted(by_bucket):
        found += _cover(by_bucket[bucket], others)
    return outermost(found)


def _cover(places: list[str], foreign: tuple[str, ...]) -> list[str]:
    if len(places) == 1:
        return places
    common = _common(places)
    if _is_clear(common, foreign):
        return [common]
    groups: dict[str, list[str]] = {}
    for place in places:
        groups.setdefault(place[len(common) :].partition("/")[0], []).append(place)
    return [prefix for group in groups.values() for prefix in _cover(group, foreign)]


def _common(places: list[str]) -> str:
    """The deepest directory that holds all of `places`, which do not lie in each other."""
    first, last = min(places), max(places)
    length = next(
        (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    return first[: first.rfind("/", 0, length) + 1]


def _is_clear(prefix: str, foreign: tuple[str, ...]) -> bool:
    """Whether a prefix is less than a bucket and holds nothing that is somebody else's."""
    return prefix.removeprefix("s3://").count("/") > 1 and not any(place.startswith(prefix) for place in foreign)
