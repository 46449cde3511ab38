"""`lakemesh check`: whether the policy pack lets the mesh be deployed."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from lakemesh.check.formats import Format
from lakemesh.cli.deploy import DEFAULT_MESH, Backend, MeshDir, Stacks, _target
from lakemesh.declarations.levels import Profile
from lakemesh.deploy.choice import IN_PROCESS_IS_LOCAL, Choice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakemesh.check.finding import Judged, Rule
    from lakemesh.check.run import Checking
    from lakemesh.declarations.models import Declarations


def check(
    stacks: Stacks = None,
    mesh: MeshDir = DEFAULT_MESH,
    profile: Annotated[
        Profile | None,
        typer.Option(
            "--profile",
            help="advisory: nothing is refused. standard: what is critical or high is. strict: everything is. "
            "Default: what mesh.yaml says.",
        ),
    ] = None,
    output: Annotated[
        Format,
        typer.Option("--format", help="text for people, json for scripts, sarif for code review, markdown to comment."),
    ] = Format.TEXT,
    engine: Annotated[
        Choice,
        typer.Option(
            "--engine",
            envvar="LAKEMESH_ENGINE",
            help="pulumi: previews by Pulumi's CLI, with your credentials and state. inprocess: the program runs in "
            "this process; nothing else is needed. auto: pulumi where it is installed.",
        ),
    ] = Choice.AUTO,
    local: Annotated[
        bool, typer.Option("--local", help="Preview against the local AWS (`lakemesh local start`).")
    ] = False,
    backend: Backend = None,
    live: Annotated[
        bool, typer.Option("--live", help="Judge what is deployed, as the state has it, not what would be.")
    ] = False,
) -> None:
    """Ask the policy pack about every stack, before anything is deployed. Changes nothing.

    In CI, with GITHUB_TOKEN, it looks up whether each grant was reviewed by the approver that it names.

    Exit code 0: nothing is refused, 1: something is, or could not be checked, 2: misuse.
    """
    from rich.console import Console

    from lakemesh.check.report import as_json, as_markdown, as_sarif, sentence, write_text
    from lakemesh.check.run import Checking, UnknownStackError
    from lakemesh.deploy.results import DeployError

    target = _target(mesh, local=local)
    declarations = _declarations(mesh)
    if live and engine is Choice.INPROCESS and not local:
        _stop(2, IN_PROCESS_IS_LOCAL)
    checking = Checking(mesh, declarations, profile, engine, target.endpoint, backend, live=live)
    try:
        rules, results = _results(checking, stacks or [])
    except (DeployError, UnknownStackError) as error:
        _stop(2, str(error))
    named = (profile or declarations.mesh.policies.profile).value
    summary = f"{sentence(results, len(rules), named)} {checking.approvals.sentence}"
    match output:
        case Format.JSON:
            typer.echo(as_json(results, rules, named, checking.approvals))
        case Format.SARIF:
            typer.echo(as_sarif(results, rules, _files(mesh, declarations), version("lakemesh")))
        case Format.MARKDOWN:
            typer.echo(as_markdown(results, summary), nl=False)
        case Format.TEXT:
            console = Console()
            console.width = console.width if console.is_terminal else 160
            write_text(console, results, summary)
    if not all(result.ok for result in results):
        raise typer.Exit(1)


def _results(checking: Checking, stacks: Sequence[str]) -> tuple[Mapping[str, Rule], Sequence[Judged]]:
    """The pack's rules, and what it says of stacks; a terminal shows how far it is."""
    from rich.console import Console

    chosen = checking.stacks(stacks)
    results: list[Judged] = []
    with Console(stderr=True).status(f"Checking {chosen[0]} …") as status, checking.asked(chosen) as (rules, asked):
        for number, result in enumerate(asked, 1):
            results.append(result)
            status.update(f"Checking {chosen[min(number, len(chosen) - 1)]} …")
        return rules, results


def _declarations(mesh: Path) -> Declarations:
    from lakemesh.access.check import load_mesh
    from lakemesh.declarations.errors import InvalidMeshError

    try:
        return load_mesh(mesh)
    except InvalidMeshError as error:
        _stop(1, str(error))


def _files(mesh: Path, declarations: Declarations) -> dict[str, str]:
    """What people would edit to mend a stack, from the directory that the mesh lies in."""
    from lakemesh.deploy.parts import Kind, parts

    inside = {Kind.DOMAIN: "grants/{}.yaml", Kind.CONSUMER: "consumers/{}.yaml"}
    files = {"exceptions": "exceptions.yaml"} if (mesh / "exceptions.yaml").is_file() else {}
    for part in parts(declarations):
        own = inside.get(part.kind, "mesh.yaml").format(part.name)
        files[part.stack] = own if (mesh / own).is_file() else "mesh.yaml"
    return {name: f"{mesh.resolve().name}/{file}" for name, file in files.items()}


def _stop(code: int, text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
