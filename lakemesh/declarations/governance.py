"""Who decides on reads of a producer's catalog; a module of its own, for functions in the cloud without pydantic."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Governance(StrEnum):
    """Who decides on reads of a producer's own catalog: IAM alone, or Lake Formation."""

    IAM = "iam"
    LAKE_FORMATION = "lake-formation"
