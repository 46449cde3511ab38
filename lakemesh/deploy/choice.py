"""The engines by name. A module of its own: the command line needs the names before anything heavy is loaded."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Final

IN_PROCESS_IS_LOCAL: Final = (
    "The in-process engine deploys to a local AWS only (--local): it keeps its state there, and has neither "
    "secrets nor refresh. Real accounts are deployed by Pulumi: leave --engine out."
)


@unique
class Choice(StrEnum):
    """`--engine`."""

    AUTO = "auto"
    PULUMI = "pulumi"
    INPROCESS = "inprocess"
