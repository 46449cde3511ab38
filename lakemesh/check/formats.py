"""The formats by name. A module of its own: the command line needs the names before anything heavy is loaded."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    MARKDOWN = "markdown"
