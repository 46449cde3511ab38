"""Edit a scratch copy of a mesh directory as a person would edit the mesh: the same files, comments and order kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from lakemesh.demo.expected import Edit


def edited_copy(directory: Path, scratch: Path, edit: Edit) -> tuple[Path, tuple[str, ...]]:
    """A copy of the mesh directory below `scratch`, edited, and what was edited, in sentences.

    The copy has the directory's own name, so that messages about it name files as people know them.
    """
    copy = scratch / directory.name
    shutil.copytree(directory, copy)
    return copy, edit_in_place(copy, edit)


def edit_in_place(directory: Path, edit: Edit) -> tuple[str, ...]:
    """Edit a mesh directory; what was edited, in sentences."""
    done: list[str] = []
    for path in sorted((directory / "grants").glob("*.yaml")):
        done += _rewrite(path, lambda content: _edit_grants(content, edit))
    for path in sorted((directory / "consumers").glob("*.yaml")):
        done += _rewrite(path, lambda content: _edit_assignments(content, edit))
    return tuple(done)


def _rewrite(path: Path, change: Callable[[Any], Iterator[str]]) -> list[str]:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    content = yaml.load(path)
    said = [f"{path.parent.name}/{path.name}: {text}" for text in change(content)]
    if said:
        yaml.dump(content, path)
    return said


def _edit_grants(content: Any, edit: Edit) -> Iterator[str]:
    grants = content.get("grants") or []
    for grant in list(grants):
        if grant["id"] in edit.withdraw:
            grants.remove(grant)
            yield f"{grant['id']} is withdrawn"
        added = [value for value in edit.widen.get(grant["id"], ()) if value not in grant["sensitivity"]]
        if added:
            grant["sensitivity"].extend(str(value) for value in added)
            yield f"{grant['id']} may also read {', '.join(added)}"


def _edit_assignments(content: Any, edit: Edit) -> Iterator[str]:
    assignments = content.get("assignments") or []
    for assignment in list(assignments):
        if assignment["grant"] in edit.withdraw:
            assignments.remove(assignment)
            yield f"{', '.join(assignment['principals'])} no longer assigned to {assignment['grant']}"
