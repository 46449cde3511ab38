"""The engines by name. A module of its own: the command line needs the names before anything heavy is loaded."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Choice(StrEnum):
    """`--engine`."""

    AUTO = "auto"
    PULUMI = "pulumi"
    INPROCESS = "inprocess"
