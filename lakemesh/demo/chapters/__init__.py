"""The chapters of `lakemesh demo`, in the order in which they run.

A chapter is a module with a `TITLE`, one line that a screen shows above it, and `run(stage)`. It says what it does,
does it by the same commands and calls a person would use, and checks what it claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from lakemesh.demo.chapters import classification, edit, policies, sync
from lakemesh.demo.stage import Stage


class Chapter(Protocol):
    """What a chapter's module holds."""

    TITLE: str

    def run(self, stage: Stage) -> None:
        """Play the chapter. Raises DemoError for a step that fails."""


CHAPTERS: Mapping[str, Chapter] = {"edit": edit, "sync": sync, "policies": policies, "classification": classification}
"""By the name that `--chapter` takes."""
