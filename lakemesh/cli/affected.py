"""`lakemesh affected`: which stacks a change of the mesh affects."""

from __future__ import annotations

import datetime as dt
import json
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from lakemesh.workflows.affected import Changes


@unique
class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    MATRIX = "matrix"


def affected(
    base: Annotated[str, typer.Option("--base", metavar="REV", help="Revision to compare with, for example main.")],
    mesh: Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")] = Path("mesh"),
    output: Annotated[
        Format,
        typer.Option("--format", help="text for people, json for scripts, matrix: a JSON list of the stacks' names."),
    ] = Format.TEXT,
) -> None:
    """Say which stacks have to be deployed for what changed since a revision, in the order of deployment.

    Compares what the program makes of the declarations, so a comment affects nothing; deploys and calls nothing.
    Exit code 0: answered, 1: invalid mesh, 2: misuse.
    """
    from lakemesh.access.check import load_mesh
    from lakemesh.declarations.errors import InvalidMeshError
    from lakemesh.deploy.arguments import Arguments, ArgumentsError, Options
    from lakemesh.workflows.affected import compare
    from lakemesh.workflows.git import RevisionError, changed_files
    from lakemesh.workflows.revisions import arguments_at

    if not mesh.is_dir():
        _stop(2, f'There is no directory "{mesh}". Name the directory that holds mesh.yaml with --mesh.')
    today = dt.datetime.now(dt.UTC).date()
    try:
        after = Arguments(load_mesh(mesh, today), Options(), today)
        before = arguments_at(mesh, base, today, Options())
        changes = compare(before, after, changed_files(mesh, base))
    except (InvalidMeshError, ArgumentsError) as error:
        _stop(1, str(error))
    except RevisionError as error:
        _stop(2, str(error))
    match output:
        case Format.JSON:
            typer.echo(json.dumps(as_json(changes, base), indent=2))
        case Format.MATRIX:
            typer.echo(json.dumps([one.stack for one in changes.affected]))
        case Format.TEXT:
            typer.echo(as_text(changes, base))


def as_json(changes: Changes, base: str) -> dict[str, object]:
    """`{"base", "affected": [{"stack", "kind", "reasons"}], "removed": [stack]}`."""
    return {
        "base": base,
        "affected": [
            {"stack": one.stack, "kind": str(one.kind), "reasons": list(one.reasons)} for one in changes.affected
        ],
        "removed": list(changes.removed),
    }


def as_text(changes: Changes, base: str) -> str:
    """A line a stack, with what changed about it."""
    if not changes.affected and not changes.removed:
        return f"Nothing that a stack is made of differs from {base}."
    width = max((len(one.stack) for one in changes.affected), default=0)
    lines = [f"{one.stack:<{width}}  {'; '.join(one.reasons)}" for one in changes.affected]
    lines += [
        f"{stack} left the mesh. What it made stays until it is destroyed: pulumi destroy --stack {stack}"
        for stack in changes.removed
    ]
    return "\n".join(lines)


def _stop(code: int, text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
