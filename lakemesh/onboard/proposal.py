"""What an onboarding would write: shown as a diff, tried on a copy, written all at once."""

from __future__ import annotations

import contextlib
import datetime as dt
import difflib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakemesh.access.check import problems
from lakemesh.declarations.errors import printable
from lakemesh.declarations.models import Declarations
from lakemesh.onboard.errors import OnboardError


@dataclass(frozen=True)
class Change:
    """One file. `name` is its path in the mesh directory; `before` is None for a new one."""

    name: str
    before: str | None
    after: str

    def diff(self, root: str) -> str:
        """Unified, as `git diff` shows it."""
        old = [] if self.before is None else self.before.splitlines()
        lines = difflib.unified_diff(
            old,
            self.after.splitlines(),
            "/dev/null" if self.before is None else f"a/{root}/{self.name}",
            f"b/{root}/{self.name}",
            lineterm="",
        )
        return "".join(f"{printable(line)}\n" for line in lines)


@dataclass(frozen=True)
class Refused:
    """Something of the account that does not go into the mesh."""

    what: str
    why: str
    mend: str = ""


@dataclass(frozen=True)
class Merge:
    """Statements that one existing policy gets; `state`: present, to add, or refused with its reason."""

    policy: str
    statements: tuple[Mapping[str, Any], ...]
    state: str
    reason: str = ""


@dataclass
class Proposal:
    """Everything that one onboarding has to say."""

    changes: list[Change] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    """What the changes are, in sentences."""


class Draft:
    """The files of a mesh directory while a plan edits them. Reads a file once; nothing is written here."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._before: dict[str, str | None] = {}
        self._after: dict[str, str] = {}

    def text(self, name: str) -> str | None:
        """The file as it is by now; None where there is none."""
        if name in self._after:
            return self._after[name]
        if name not in self._before:
            path = self.directory / name
            self._before[name] = path.read_bytes().decode("utf-8") if path.is_file() else None
        return self._before[name]

    def put(self, name: str, text: str) -> None:
        self.text(name)
        self._after[name] = text

    def changes(self) -> list[Change]:
        """What differs, sorted by name."""
        return [
            Change(name, self._before[name], after)
            for name, after in sorted(self._after.items())
            if after != self._before[name]
        ]


def tried(directory: Path, changes: Iterable[Change], today: dt.date | None = None) -> Declarations:
    """The declarations as they would be. Raises OnboardError where they would not be valid."""
    with tempfile.TemporaryDirectory(prefix="lakemesh-onboard-") as scratch:
        copy = Path(scratch) / (directory.name or directory.resolve().name)
        shutil.copytree(directory, copy)
        for change in changes:
            path = copy / change.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(change.after.encode())
        declarations, found = problems(copy, today or dt.datetime.now(dt.UTC).date())
    if found or declarations is None:
        said = "\n".join(map(str, found))
        raise OnboardError(f"With these entries the mesh would not be valid, so nothing was written:\n{said}")
    return declarations


def write(directory: Path, changes: Iterable[Change]) -> None:
    """Write every file, or none: each is complete beside its place before the first takes it.

    Raises OnboardError where a file has changed since it was read, and OSError after putting everything back.
    """
    every = list(changes)
    for change in every:
        path = directory / change.name
        now = path.read_bytes().decode("utf-8") if path.is_file() else None
        if now != change.before:
            raise OnboardError(
                f"{path} has changed while you were looking at the proposal. Nothing was written; run it again."
            )
    with _made_ready(directory, every) as ready:
        replaced: list[Change] = []
        try:
            for change, temporary in ready:
                temporary.replace((directory / change.name).resolve())
                replaced.append(change)
        except OSError:
            for change in replaced:
                _restore(directory / change.name, change)
            raise


@contextlib.contextmanager
def _made_ready(directory: Path, changes: list[Change]) -> Iterator[list[tuple[Change, Path]]]:
    """Every new content in a file beside its place; those that are left go in the end."""
    ready: list[tuple[Change, Path]] = []
    try:
        for change in changes:
            path = (directory / change.name).resolve()
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            ready.append((change, Path(name)))
            with os.fdopen(handle, "wb") as file:
                file.write(change.after.encode())
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                shutil.copymode(path, name)
            else:
                Path(name).chmod(0o644)
        yield ready
    finally:
        for _, temporary in ready:
            temporary.unlink(missing_ok=True)


def _restore(path: Path, change: Change) -> None:
    if change.before is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(change.before.encode())
