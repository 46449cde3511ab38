"""`lakemesh demo`: deploy a mesh to a local AWS and prove by real calls who can read what."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Sequence
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from lakemesh.demo.outcome import Outcome
    from lakemesh.demo.process import LocalAwsProcess
    from lakemesh.demo.screen import Terminal

NEEDED = ("moto", "duckdb", "pyarrow", "pyiceberg")


@unique
class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the local AWS running, and say how to use it.")] = False,
    mesh: Annotated[
        Path, typer.Option("--mesh", metavar="DIR", help="The mesh directory; expected.yaml says what to prove.")
    ] = Path("mesh"),
    chapter: Annotated[
        list[str] | None,
        typer.Option("--chapter", metavar="NAME", help="Only this chapter after the proof; may be given again."),
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="text for people, json for tools.")] = Format.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Deploy the sample mesh to a local AWS and prove who can read what.

    Starts a local AWS on a free port, makes the producers as one finds them, deploys every stack, and then tries every
    principal on every column by Glue and Athena. Then its chapters: what people and producers change, and what comes of
    it. Your mesh is not touched.

    Exit code: 0 everything is as expected.yaml says, 1 something is not or a step failed, 2 it cannot run here.
    """
    from rich.console import Console

    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        typer.echo(
            f"The local AWS needs {', '.join(missing)}: install lakemesh with its extra, "
            "pip install 'lakemesh[local]', or run make setup.",
            err=True,
        )
        raise typer.Exit(2)
    if not mesh.is_dir():
        typer.echo(f"{mesh} is no directory. Say where your mesh is: lakemesh demo --mesh DIR", err=True)
        raise typer.Exit(2)
    chapters = _chapters(chapter)
    _forget_real_accounts()
    # Steps go to standard error where standard output is for a tool.
    console = Console(stderr=format is Format.JSON, soft_wrap=False)
    if not console.is_terminal:
        console = Console(stderr=format is Format.JSON, width=120)
    raise typer.Exit(_demo(mesh.resolve(), console, chapters, keep=keep, json_wanted=format is Format.JSON))


def _chapters(chosen: list[str] | None) -> Sequence[str]:
    from lakemesh.declarations.errors import did_you_mean
    from lakemesh.demo.chapters import CHAPTERS

    for name in chosen or ():
        if name not in CHAPTERS:
            known = ", ".join(CHAPTERS)
            typer.echo(f'There is no chapter "{name}".{did_you_mean(name, CHAPTERS)} There are: {known}.', err=True)
            raise typer.Exit(2)
    return tuple(chosen or CHAPTERS)


def _forget_real_accounts() -> None:
    """Nothing of a real account reaches the demo: no profile or key of the person's, no proxy for loopback."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "MOTO_"))]:
        del os.environ[name]
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1", "localhost")))


def _demo(mesh: Path, console: Console, chapters: Sequence[str], *, keep: bool, json_wanted: bool) -> int:
    from lakemesh.declarations.errors import InvalidMeshError
    from lakemesh.demo.data import NoRowsError
    from lakemesh.demo.outcome import DemoError
    from lakemesh.demo.process import LocalAwsError, LocalAwsProcess
    from lakemesh.demo.run import run
    from lakemesh.demo.screen import Terminal, as_json
    from lakemesh.deploy.run import DeployError

    screen = Terminal(console)
    aws = LocalAwsProcess()
    try:
        outcome = run(mesh, aws, screen, chapters)
        if json_wanted:
            typer.echo(json.dumps(as_json(outcome, aws.endpoint if keep else None), indent=2))
        if not json_wanted or keep:
            _what_next(console, aws, outcome, keep=keep)
        if keep:
            aws.keep()
    except InvalidMeshError as error:
        _failed(
            f"{error}\nNothing was started. lakemesh validate checks a mesh without deploying it.", screen, json_wanted
        )
        return 1
    except (DemoError, DeployError, LocalAwsError, NoRowsError) as error:
        _failed(f"The demo failed. {error}", screen, json_wanted)
        return 1
    finally:
        screen.stop()
        aws.__exit__()
    return 0 if outcome.ok else 1


def _failed(text: str, screen: Terminal, json_wanted: bool) -> None:
    screen.stop()
    typer.echo(text, err=True)
    if json_wanted:
        typer.echo(json.dumps({"ok": False, "error": text}, indent=2))


def _what_next(console: Console, aws: LocalAwsProcess, outcome: Outcome, *, keep: bool) -> None:
    from lakemesh.cli import local
    from lakemesh.demo.screen import took

    console.print(f"{took(outcome)}\n", style="dim", highlight=False)
    if not outcome.ok:
        console.print("What is marked with ! or ✗ is not as it should be; each difference is listed above.")
    console.print("[bold]Next[/bold]")
    if keep and local.running() is None:
        local.STATE.parent.mkdir(exist_ok=True)
        local.STATE.write_text(json.dumps({"port": aws.port, "pid": aws.pid}) + "\n")
        console.print(
            "  It runs on, with everything in it:\n"
            f'  eval "$(lakemesh local env --region {outcome.region} --role {outcome.principal})"\n'
            "      be one of the principals: boto3 and the AWS CLI follow\n"
            "  lakemesh up --local\n"
            "      deploy your edits of mesh/ to it\n"
            "  lakemesh local stop\n"
            "      end it",
            highlight=False,
            markup=False,
        )
        return
    if keep:
        console.print(
            f"  It runs on at {aws.endpoint} (another local AWS is running here; this one ends with: kill {aws.pid})",
            highlight=False,
        )
        return
    console.print(
        "  mesh/grants/ar.yaml    add a sensitivity to a grant, and run the demo again: it says what is different\n"
        "  mesh/expected.yaml     what the demo holds the mesh to: change a line and see it fail\n"
        "  lakemesh demo --keep   leaves the local AWS running, to look around in it\n"
        "  lakemesh validate      every mistake in your mesh, with file, line and the mend",
        highlight=False,
    )
