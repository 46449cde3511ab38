"""How far a column may travel. A module of its own: functions in the cloud need it, and carry nothing of pydantic."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Sensitivity(StrEnum):
    """How far a column may travel, in order; each member outranks those before it.

    `unreviewed` is not a rank: it marks what nobody has looked at and can never be granted.
    """

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"

    @property
    def rank(self) -> int:
        return list(Sensitivity).index(self)
