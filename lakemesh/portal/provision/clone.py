"""A commit in a local clone: for a mesh that one machine deploys, and for the demo.

Only the files of the change are committed. One that has edits which nobody has committed yet is somebody's work, and is
left alone.
"""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

from lakemesh.portal.provision.repository import Change, RefusedByRepositoryError, UnreachableError
from lakemesh.workflows.git import RevisionError, locate

IDENTITY = ("-c", "user.name=lakemesh portal", "-c", "user.email=portal@lakemesh.invalid")


class LocalClone:
    """The clone that a mesh directory lies in."""

    def __init__(self, mesh: Path) -> None:
        self._mesh = mesh
        self._lock = threading.Lock()

    def propose(self, change: Change) -> str:
        """Commit on the branch that is checked out. Raises RefusedByRepositoryError, UnreachableError."""
        with self._lock:
            top, inside = self._located()
            paths = {file: f"{inside}/{file}" if inside != "." else file for file in change.files}
            self._untouched(top, list(paths.values()))
            before = {file: self._text(file) for file in change.files}
            after = {file: edit(before[file]) for file, edit in change.files.items()}
            changed = [file for file in after if after[file] != before[file]]
            if not changed:
                return self._head(top)
            try:
                for file in changed:
                    self._write(file, after[file])
                names = [paths[file] for file in changed]
                self._git(top, "add", "--all", "--", *names)
                self._git(top, *IDENTITY, "commit", "--quiet", "-m", change.title, "-m", change.body, "--", *names)
            except (OSError, UnreachableError):
                self._restore(top, before, paths)
                raise
            return self._head(top)

    def merged(self, proposal: str) -> bool:
        """Whether the commit is in the history of what is checked out."""
        top, _ = self._located()
        done = self._run(top, "merge-base", "--is-ancestor", proposal, "HEAD")
        if done.returncode in {0, 1}:
            return done.returncode == 0
        raise RefusedByRepositoryError(f"The clone does not know the commit {proposal}: was its history rewritten?")

    def _located(self) -> tuple[Path, str]:
        try:
            return locate(self._mesh)
        except RevisionError as error:
            raise RefusedByRepositoryError(f"{self._mesh} is in no git repository: run git init there.") from error

    def _untouched(self, top: Path, paths: list[str]) -> None:
        said = self._git(top, "status", "--porcelain", "--", *paths)
        if said.strip():
            name = said.split("\n")[0][3:]
            raise RefusedByRepositoryError(f"{name} has edits that nobody has committed: commit or undo them first.")

    def _text(self, file: str) -> str:
        path = self._mesh / file
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def _write(self, file: str, text: str) -> None:
        path = self._mesh / file
        if not text:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def _restore(self, top: Path, before: dict[str, str], paths: dict[str, str]) -> None:
        for file, text in before.items():
            self._write(file, text)
        self._run(top, "reset", "--quiet", "--", *paths.values())

    def _head(self, top: Path) -> str:
        return self._git(top, "rev-parse", "HEAD").strip()

    def _git(self, top: Path, *arguments: str) -> str:
        done = self._run(top, *arguments)
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            raise UnreachableError(
                f"git {arguments[-1] if not arguments else _verb(arguments)}: {said[-1] if said else ''}"
            )
        return done.stdout

    @staticmethod
    def _run(top: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603 - no shell; git comes from PATH as everywhere
                ["git", "-C", str(top), *arguments],  # noqa: S607
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise RefusedByRepositoryError("git is not on PATH.") from error


def _verb(arguments: tuple[str, ...]) -> str:
    return next(one for one in arguments if not one.startswith("-") and "=" not in one)
