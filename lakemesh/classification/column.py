"""What goes into the recogniser and what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lakemesh.declarations.sensitivity import Sensitivity

VERSION: Final = "1.0.0"
"""Of the recogniser. The major version changes when verdicts change so much that rejections have to be asked again."""


@dataclass(frozen=True)
class Column:
    """One column as a catalog, and perhaps a scan, knows it."""

    name: str
    type: str | None = None
    """As Glue spells it, such as `decimal(18,2)` or `struct<name:string>`."""
    comment: str | None = None
    samples: Sequence[object] | None = None
    """None: nobody looked at values. An empty or blank sequence: somebody did, and there was nothing."""


@dataclass(frozen=True)
class Verdict:
    """What is recommended for one column. Holds no value of the column, masked or not: shares and shapes only."""

    table: str
    column: str
    kind: str
    """A `Kind`, or a kind of the company's rules."""
    sensitive: bool
    """Whether what the column holds is personal or otherwise protected. False for a column without any value."""
    sensitivity: Sensitivity
    """The proposed tag. That of its kind even while the column is empty, since values may come."""
    confidence: float
    """In [0, 1], calibrated: of verdicts with 0.9, nine in ten are right about `sensitive`."""
    evidence: tuple[str, ...]
    version: str = VERSION
