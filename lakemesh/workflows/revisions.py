"""The arguments of a mesh at an earlier revision, to compare stacks with."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from lakemesh.access.check import load_mesh
from lakemesh.declarations.errors import InvalidMeshError
from lakemesh.deploy.arguments import Arguments, Options
from lakemesh.workflows.git import directory_at


def arguments_at(directory: Path, revision: str, today: dt.date, options: Options) -> Arguments | None:
    """Arguments of the mesh as `directory` was at a revision; None where there was no valid mesh then.

    Raises RevisionError for a revision that does not exist.
    """
    with directory_at(directory, revision) as there:
        if there is None:
            return None
        try:
            declarations = load_mesh(there, today)
        except InvalidMeshError:
            return None
        return Arguments(declarations, options, today)
