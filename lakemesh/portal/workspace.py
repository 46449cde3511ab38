"""The mesh as it is now, read again when its files change, and as it would be with an edit that is only tried."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lakemesh.access.check import checked
from lakemesh.access.holders import Access
from lakemesh.declarations.errors import InvalidMeshError, Problem
from lakemesh.declarations.loader import Loaded, Memory
from lakemesh.declarations.models import Declarations
from lakemesh.declarations.places import Places


@dataclass(frozen=True)
class MeshNow:
    """One reading of a mesh without a mistake in it."""

    declarations: Declarations
    places: Places
    access: Access
    broken: tuple[Problem, ...] = ()
    """Where the files have mistakes now: this is the last reading that had none, and these are the mistakes."""


@dataclass(frozen=True)
class Trial:
    """What an edit would lead to."""

    problems: tuple[Problem, ...]
    access: Access | None
    """None where the mesh could not be built with it."""


class Workspace:
    """One mesh directory. Safe to use from several threads."""

    def __init__(self, directory: Path, clock: Callable[[], dt.datetime]) -> None:
        self.directory = directory
        self._clock = clock
        self._lock = threading.RLock()
        self._memory = Memory()
        self._seen: object = None
        self._now: MeshNow | None = None

    def mesh(self) -> MeshNow:
        """The mesh, read again where a file or the day is another. Raises InvalidMeshError where it never was whole."""
        with self._lock:
            today = self._clock().astimezone(dt.UTC).date()
            seen = (today, fingerprint(self.directory))
            if self._now is None or seen != self._seen:
                self._now = self._read(today)
                self._seen = seen
            return self._now

    def _read(self, today: dt.date) -> MeshNow:
        loaded = checked(self.directory, today, self._memory)
        if loaded.declarations is not None and not loaded.problems:
            return MeshNow(loaded.declarations, loaded.places, Access(loaded.declarations, today))
        if self._now is None:
            raise InvalidMeshError(loaded.problems)
        return MeshNow(self._now.declarations, self._now.places, self._now.access, loaded.problems)

    def text(self, file: str) -> str:
        """A file of the mesh directory, such as `grants/sales.yaml`; empty where there is none."""
        path = self.directory / file
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def trial(self, edits: Mapping[str, str]) -> Trial:
        """The mesh with some files as they are given, by their path in the directory. Writes nothing into it."""
        with self._lock, tempfile.TemporaryDirectory(prefix="lakemesh-trial-") as scratch:
            today = self._clock().astimezone(dt.UTC).date()
            copy = Path(scratch) / self.directory.resolve().name
            overlay(self.directory, copy, edits)
            loaded: Loaded = checked(copy, today, self._memory)
        access = Access(loaded.declarations, today) if loaded.declarations is not None else None
        return Trial(loaded.problems, access)


def overlay(directory: Path, copy: Path, edits: Mapping[str, str]) -> None:
    """A copy of a mesh directory that costs little: links to what is there, and files of its own for the edits."""
    for folder, _, names in os.walk(directory):
        there = copy / os.path.relpath(folder, directory)
        there.mkdir(parents=True, exist_ok=True)
        for name in names:
            (there / name).symlink_to(Path(folder).resolve() / name)
    for file, text in edits.items():
        path = copy / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")


def fingerprint(directory: Path) -> tuple[tuple[str, int, int], ...]:
    """Every file with its size and time: another where anything was edited."""
    found = []
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - hundreds of files at every page
            status = os.stat(path)  # noqa: PTH116
            found.append((path, status.st_mtime_ns, status.st_size))
    return tuple(sorted(found))
