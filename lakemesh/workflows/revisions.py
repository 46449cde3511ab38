"""Two revisions of a mesh out of git: the one that is checked out, and an earlier one."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lakemesh.access.check import load_mesh
from lakemesh.declarations.errors import InvalidMeshError
from lakemesh.deploy.arguments import Arguments, Options


class RevisionError(Exception):
    """A revision that git does not know, or a directory that it does not keep."""


def arguments_at(directory: Path, revision: str, today: dt.date, options: Options) -> Arguments | None:
    """Arguments of the mesh as `directory` was at a revision; None where there was no valid mesh then.

    Raises RevisionError for a revision that does not exist.
    """
    top, inside = locate(directory)
    if not _known(top, f"{revision}^{{commit}}"):
        raise RevisionError(
            f'git knows no revision "{revision}" in {top}. A shallow clone does not have it: fetch it '
            f"(`git fetch origin {revision}`), or check out with its whole history (`fetch-depth: 0`)."
        )
    if not _known(top, f"{revision}:{inside}"):
        return None
    with tempfile.TemporaryDirectory(prefix="lakemesh-") as scratch:
        packed = _git(top, ["archive", "--format=tar", revision, "--", inside])
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(scratch, filter="data")
        try:
            declarations = load_mesh(Path(scratch) / inside, today)
        except InvalidMeshError:
            return None
        return Arguments(declarations, options, today)


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
