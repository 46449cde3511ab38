"""Whether a column is still what a person decided on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from lakemesh.classification.values import profile

if TYPE_CHECKING:
    from lakemesh.declarations.models import Column
    from lakemesh.declarations.recommendations import Recommendation

_MOSTLY: Final = 0.5


def of_metadata(column: Column) -> str:
    """Of type and comment. Case, spaces and punctuation change nothing, nor does the length or precision of a type."""
    return of_words(column.type, column.description)


def of_words(kind: str, comment: str) -> str:
    """The same of what a catalog says."""
    plain = re.sub(r"\((?:\s*\d+\s*,?)+\)|\s", "", kind).lower()
    return _digest([plain, *re.findall(r"\w+", comment.casefold())])


def of_samples(samples: Sequence[object]) -> str:
    """Of the shapes that most values have, or of being empty: other values of the same form change nothing."""
    seen = profile(samples)
    return _digest(sorted(shape for shape in seen.counts if seen.share(shape) >= _MOSTLY) if seen.filled else ["empty"])


def stale(decided: Recommendation, now: Recommendation) -> str | None:
    """Why a decision may hold no longer, in words; None where it is about the same column and recogniser."""
    if decided.metadata != now.metadata:
        return "its type or comment has changed"
    if major(decided.recogniser) != major(now.recogniser):
        return "the recogniser has a new major version"
    if now.samples is None or decided.samples == now.samples:
        return None
    if decided.samples is not None:
        return "its values look different"
    # Nobody had looked at values when it was decided: only another proposal is news.
    return "a scan has looked at its values" if _proposal(decided) != _proposal(now) else None


def major(version: str) -> str:
    return version.partition(".")[0]


def _proposal(entry: Recommendation) -> tuple[str, str, bool]:
    return entry.sensitivity, entry.kind, entry.sensitive


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps(list(parts), ensure_ascii=False).encode()).hexdigest()[:16]
