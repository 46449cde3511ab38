"""`lakemesh classify`: which columns are sensitive. Only `scan` calls the cloud; `columns` needs not even a mesh."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import typer

from lakemesh.cli import classify_review, classify_scan

if TYPE_CHECKING:
    from lakemesh.classification import Rules, Verdict

app = typer.Typer(
    help="Recommend which columns are sensitive. Recommends only: a person decides.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,  # locals may hold samples
)


@unique
class Format(StrEnum):
    """How verdicts are written."""

    JSONL = "jsonl"
    TEXT = "text"


@app.callback()
def classify() -> None:
    """Recommend which columns are sensitive. Recommends only: a person decides."""


app.command()(classify_review.recommend)
app.command()(classify_scan.scan)
app.command()(classify_review.review)
app.command()(classify_review.apply)
app.command()(classify_review.status)


@app.command()
def columns(
    output: Annotated[
        Format, typer.Option("--format", help="jsonl: one verdict per line, for scripts; text: for people.")
    ] = Format.JSONL,
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="FILE", help="The company's own rules (docs/classification.md).")
    ] = None,
) -> None:
    """Judge columns given as JSON lines on standard input; verdicts follow on standard output in the same order.

    A line is {"table": …, "column": …, "type"?: …, "comment"?: …, "samples"?: […]}; lines of one table are judged
    together, so they stand together. Samples leave no trace: evidence says shares and shapes. Exit code 0: all
    judged, 1: a line
    or the rules cannot be used (said on standard error, with its number), 2: misuse.
    """
    from lakemesh.classification.jsonl import LineError, classify_lines, render

    loaded = rules_from(rules)
    if sys.stdin.isatty():
        typer.echo("Reading JSON lines from the terminal; end with Ctrl-D.", err=True)
    try:
        for verdict in classify_lines(_lines(sys.stdin.buffer), loaded, _notice):
            sys.stdout.write((render(verdict) if output is Format.JSONL else _shown(verdict)) + "\n")
            sys.stdout.flush()  # whoever feeds table by table waits for the verdicts of each
    except LineError as error:
        typer.echo(f"standard input, {error}.", err=True)
        raise typer.Exit(1) from None
    except BrokenPipeError:  # whoever reads has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def _notice(message: str) -> None:
    typer.echo(f"standard input, {message}.", err=True)


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines, none read further than it may be long."""
    from lakemesh.classification.jsonl import MAX_LINE

    while line := stream.readline(MAX_LINE + 1):
        yield line


def rules_from(path: Path | None) -> Rules:
    """The company's rules in a file. Exit code 1 where they cannot be used."""
    from lakemesh.classification import NO_RULES
    from lakemesh.classification.rules_file import load_rules
    from lakemesh.declarations.errors import InvalidMeshError

    if path is None:
        return NO_RULES
    try:
        return load_rules(path)
    except OSError as error:
        raise typer.BadParameter(f'cannot read "{path}": {error.strerror}.', param_hint="'--rules'") from None
    except InvalidMeshError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


_MARK: Final = {True: "sensitive", False: "-"}


def _shown(verdict: Verdict) -> str:
    from lakemesh.declarations.errors import printable

    name = printable(f"{verdict.table}.{verdict.column}")
    head = f"{name[:60]:60} {verdict.kind:18} {_MARK[verdict.sensitive]:9} {verdict.sensitivity:12}"
    return f"{head} {verdict.confidence:.2f}  {printable('; '.join(verdict.evidence))}"
