"""Revisions of a mesh directory out of git: what it held then, when that was, and what has changed since."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path


class RevisionError(Exception):
    """A revision that git does not know, or a directory that it does not keep."""


@contextlib.contextmanager
def directory_at(directory: Path, revision: str) -> Iterator[Path | None]:
    """A copy of `directory` as it was at a revision, gone afterwards; None where it was not there then.

    Raises RevisionError for a revision that does not exist.
    """
    top, inside = locate(directory)
    _commit(top, revision)
    if not _known(top, f"{revision}:{inside}"):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="lakemesh-") as scratch:
        packed = _git(top, ["archive", "--format=tar", revision, "--", inside])
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(scratch, filter="data")
        yield Path(scratch) / inside


def day_of(directory: Path, revision: str) -> dt.date:
    """The day, in UTC, on which a revision was committed. Raises RevisionError for one that does not exist."""
    top, _ = locate(directory)
    _commit(top, revision)
    shown = _git(top, ["show", "--no-patch", "--format=%ct", f"{revision}^{{commit}}", "--"]).decode()
    return dt.datetime.fromtimestamp(int(shown.strip()), dt.UTC).date()


def _commit(top: Path, revision: str) -> None:
    if not _known(top, f"{revision}^{{commit}}"):
        raise RevisionError(
            f'git knows no revision "{revision}" in {top}. A shallow clone does not have it: fetch it '
            f"(`git fetch origin {revision}`), or check out with its whole history (`fetch-depth: 0`)."
        )


def changed_files(directory: Path, revision: str) -> tuple[str, ...]:
    """Paths, from the project's root, that differ between a revision and what is checked out, edits included.

    The project's root is the directory above the mesh.
    """
    top, inside = locate(directory)
    root = inside.rpartition("/")[0]
    names = _git(top, ["diff", "--name-only", "-z", revision, "--"]).decode().split("\0")
    names += _git(top, ["ls-files", "--others", "--exclude-standard", "-z", "--", root or "."]).decode().split("\0")
    prefix = f"{root}/" if root else ""
    return tuple(sorted({name.removeprefix(prefix) for name in names if name and name.startswith(prefix)}))


def locate(directory: Path) -> tuple[Path, str]:
    """The top of the repository that a directory lies in, and the directory's path from there."""
    full = directory.resolve()
    top = Path(_git(full, ["rev-parse", "--show-toplevel"]).decode().strip())
    return top, full.relative_to(top.resolve()).as_posix()


def _known(top: Path, name: str) -> bool:
    if name.startswith("-"):
        return False
    return _run(top, ["rev-parse", "--verify", "--quiet", "--end-of-options", name]).returncode == 0


def _git(where: Path, arguments: Sequence[str]) -> bytes:
    done = _run(where, arguments)
    if done.returncode != 0:
        raise RevisionError(f"git {arguments[0]} in {where}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _run(where: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - no shell; git comes from PATH as everywhere
            ["git", "-C", str(where), *arguments],  # noqa: S607
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise RevisionError("git is not on PATH; comparing revisions needs it.") from error
