"""`lakemesh diff`: who gains or loses which columns of which products by a change of the mesh."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from lakemesh.access.diff import AccessDiff, Difference
    from lakemesh.access.holders import Access


@unique
class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def diff(
    base: Annotated[
        str, typer.Option("--base", metavar="REV", help="Revision to compare with, for example origin/main.")
    ] = "HEAD",
    mesh: Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")] = Path("mesh"),
    output: Annotated[
        Format,
        typer.Option("--format", help="text for people, json for scripts, markdown for a pull request's comment."),
    ] = Format.TEXT,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where anybody gains access or is made administrator.")
    ] = False,
) -> None:
    """Say who gains or loses which columns since a revision, flagged by sensitivity, and what is behind it.

    Compares what the declarations lead to, edits that are not committed included; calls no cloud.
    Exit code 0: answered, 1: invalid mesh, or with --exit-code access widens, 2: misuse.
    """
    from lakemesh.access.check import load_mesh
    from lakemesh.access.diff import compare
    from lakemesh.access.holders import Access
    from lakemesh.declarations.errors import InvalidMeshError, printable
    from lakemesh.declarations.loader import without_collector
    from lakemesh.workflows.access_diff import as_markdown, as_text
    from lakemesh.workflows.git import RevisionError

    if not mesh.is_dir():
        _stop(2, f'There is no directory "{mesh}". Name the directory that holds mesh.yaml with --mesh.')
    today = dt.datetime.now(dt.UTC).date()
    try:
        before = _earlier(mesh, base, today)
        after = Access(load_mesh(mesh, today), today)
    except InvalidMeshError as error:
        _stop(1, str(error))
    except RevisionError as error:
        _stop(2, "\n".join(map(printable, str(error).split("\n"))))
    with without_collector():
        found = compare(before, after)
    match output:
        case Format.JSON:
            typer.echo(json.dumps(as_json(found, base), indent=2))
        case Format.MARKDOWN:
            typer.echo(as_markdown(found, base))
        case Format.TEXT:
            typer.echo(as_text(found, base))
    if exit_code and found.widens:
        raise typer.Exit(1)


def _earlier(mesh: Path, base: str, today: dt.date) -> Access | None:
    """The mesh at a revision; None, with a note, where there was none: then everything counts as gained."""
    from lakemesh.access.check import load_mesh
    from lakemesh.access.holders import Access
    from lakemesh.declarations.errors import InvalidMeshError, printable
    from lakemesh.workflows.git import directory_at

    with directory_at(mesh, base) as there:
        if there is None:
            typer.echo(printable(f"There was no {mesh} at {base}: everything counts as gained."), err=True)
            return None
        try:
            return Access(load_mesh(there, today), today)
        except InvalidMeshError as error:
            count = len(error.problems)
            said = f"The mesh at {base} is not valid ({count} problems): everything counts as gained. The first:"
            typer.echo(f"{printable(said)}\n{error.problems[0]}", err=True)
            return None


def as_json(found: AccessDiff, base: str) -> dict[str, Any]:
    """`{"base", "widens", "highest", "changes", "administrators", "causes"}`; docs/access.md describes them."""
    return {
        "base": base,
        "widens": found.widens,
        "highest": found.highest,
        "changes": [_change(each) for each in found.differences],
        "administrators": [asdict(each) for each in found.administrators],
        "causes": [asdict(each) for each in found.causes],
    }


def _change(each: Difference) -> dict[str, Any]:
    return {**asdict(each), "widens": each.widens, "highest": each.highest}


def _stop(code: int, text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
