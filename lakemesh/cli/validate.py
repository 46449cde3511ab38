"""`lakemesh validate`: everything that is wrong with a mesh directory, before anything is deployed."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lakemesh.declarations.report import Format

if TYPE_CHECKING:
    from lakemesh.declarations.models import Declarations

_SLOW_SECONDS: Final = 1.0


def validate(
    mesh: Annotated[
        Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.", show_default=True)
    ] = Path("mesh"),
    output: Annotated[
        Format, typer.Option("--format", help="text for people, json for scripts, sarif for code review tools.")
    ] = Format.TEXT,
) -> None:
    """Check a mesh directory: every problem at once, each with its place and how to mend it.

    Calls no cloud. Exit code 0: valid, 1: problems were found, 2: there is no such directory.
    """
    from lakemesh.access.check import problems as check
    from lakemesh.declarations.report import as_json, as_sarif, as_text

    if not mesh.is_dir():
        raise typer.BadParameter(
            f'there is no directory "{mesh}". Name the directory that holds mesh.yaml.', param_hint="'--mesh'"
        )
    with _notice(f"Checking {mesh} …"):
        declarations, problems = check(mesh, dt.datetime.now(tz=dt.UTC).date())
    counts = summary(declarations) if declarations is not None and not problems else {}
    match output:
        case Format.JSON:
            typer.echo(as_json(problems, counts))
        case Format.SARIF:
            typer.echo(as_sarif(problems, version("lakemesh")))
        case Format.TEXT if problems:
            typer.echo(as_text(problems))
        case Format.TEXT:
            typer.echo(f"{mesh} is valid: {', '.join(_counted(counts))}.")
    if problems:
        raise typer.Exit(1)


def _counted(counts: dict[str, int]) -> Iterator[str]:
    for name, count in counts.items():
        if name == "unreviewed columns":
            continue
        word = name if count != 1 else name.removesuffix("s")
        pending = counts["unreviewed columns"] if name == "columns" else 0
        yield f"{count} {word}" + (f" ({pending} unreviewed)" if pending else "")


def summary(declarations: Declarations) -> dict[str, int]:
    """How much a mesh declares, in the order people think of it."""
    tables = [table for product in declarations.products.values() for table in product.tables]
    return {
        "producers": len(declarations.mesh.producers),
        "domains": len(declarations.mesh.domains),
        "consumers": len(declarations.mesh.consumers),
        "products": len(declarations.products),
        "tables": len(tables),
        "columns": sum(len(table.columns) for table in tables),
        "unreviewed columns": sum(column.sensitivity is None for table in tables for column in table.columns),
        "grants": sum(len(grants) for grants in declarations.grants.values()),
    }


@contextlib.contextmanager
def _notice(text: str) -> Iterator[None]:
    """Say what is going on, on the error stream, if it takes longer than people wait without wondering."""
    timer = threading.Timer(_SLOW_SECONDS, lambda: typer.echo(text, err=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
