"""`lakemesh up`, `preview` and `destroy`, in Pulumi's words."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from lakemesh.deploy.progress import ConsoleReporter
    from lakemesh.deploy.run import StackResult


@unique
class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


Stacks = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[STACK]...", help="Stacks, as central, producer-<p>, domain-<d>, consumer-<c>. Default: all."
    ),
]
Local = Annotated[bool, typer.Option("--local", help="On the local AWS (`lakemesh local start`).")]
MeshDir = Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")]
Output = Annotated[Format, typer.Option("--format", help="text for people, json for scripts.")]
DEFAULT_MESH = Path("mesh")


def up(stacks: Stacks = None, local: Local = False, mesh: MeshDir = DEFAULT_MESH, output: Output = Format.TEXT) -> None:
    """Deploy the mesh: create, update, replace and delete until the accounts are what the declarations say.

    Exit code 0: deployed, 1: invalid mesh or a stack failed, 2: misuse.
    """
    from lakemesh.deploy.run import deploy, orphans

    directory, endpoint = _target("up", stacks, local=local, mesh=mesh)

    def work(reporter: ConsoleReporter) -> list[StackResult]:
        from lakemesh.access.check import load_mesh
        from lakemesh.deploy.prepare import prepare

        declarations = load_mesh(directory)
        prepare(declarations, endpoint)
        results = deploy(directory, stacks or [], endpoint, reporter)
        for stack in orphans(declarations, endpoint, directory):
            reporter.say(
                f"Stack {stack} is no part of the mesh any more. Take it down: lakemesh destroy --local {stack}"
            )
        return results

    _run("up", work, output)


def preview(
    stacks: Stacks = None, local: Local = False, mesh: MeshDir = DEFAULT_MESH, output: Output = Format.TEXT
) -> None:
    """Say what `lakemesh up` would do, and change nothing.

    Exit code 0: it can be said, 1: invalid mesh or a stack failed, 2: misuse.
    """
    from lakemesh.deploy.run import deploy

    directory, endpoint = _target("preview", stacks, local=local, mesh=mesh)
    _run("preview", lambda reporter: deploy(directory, stacks or [], endpoint, reporter, preview=True), output)


def destroy(
    stacks: Stacks = None,
    local: Local = False,
    mesh: MeshDir = DEFAULT_MESH,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    exclude_protected: Annotated[
        bool, typer.Option("--exclude-protected", help="Keep protected resources and what they need.")
    ] = False,
    output: Output = Format.TEXT,
) -> None:
    """Delete everything that stacks have made, the last deployed first. Data lake settings are kept.

    Exit code 0: done, 1: a stack failed or nothing was confirmed, 2: misuse.
    """
    from lakemesh.deploy.run import destroy as run

    directory, endpoint = _target("destroy", stacks, local=local, mesh=mesh)
    if not yes:
        what = ", ".join(stacks) if stacks else "every stack"
        typer.confirm(f"Delete what {what} made on the local AWS at {endpoint}?", abort=True, err=True)

    def work(reporter: ConsoleReporter) -> list[StackResult]:
        results = run(directory, stacks or [], endpoint, reporter, exclude_protected=exclude_protected)
        if any("because it is protected" in error for result in results for error in result.errors):
            reporter.say("To keep protected resources and what they need, and delete the rest: --exclude-protected")
        return results

    _run("destroy", work, output)


def _target(action: str, stacks: list[str] | None, *, local: bool, mesh: Path) -> tuple[Path, str]:
    """The mesh directory and the local AWS, or the end of the command with what to do."""
    if not local:
        example = stacks[0] if stacks else "central"
        _stop(
            2,
            f"lakemesh {action} deploys to the local AWS: add --local.\n"
            f"Real accounts are deployed by Pulumi itself, stack by stack: pulumi {action} --stack {example}",
        )
    if not mesh.is_dir():
        _stop(2, f'There is no directory "{mesh}". Name the directory that holds mesh.yaml with --mesh.')
    from lakemesh.cli.local import endpoint as started_here

    endpoint = started_here() or _from_environment()
    if endpoint is None:
        _stop(1, "No local AWS is running here. Start one: lakemesh local start --detach")
    return mesh, endpoint


def _from_environment() -> str | None:
    """`AWS_ENDPOINT_URL`, if a local AWS answers there: nothing else is ever deployed to."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
    if not endpoint.startswith(("http://127.0.0.1:", "http://localhost:", "http://[::1]:")):
        return None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{endpoint}/_local/health", timeout=5) as answer:
            return endpoint if answer.status == 200 else None
    except OSError:
        return None


def _run(action: str, work: Callable[[ConsoleReporter], list[StackResult]], output: Format) -> None:
    """Do it with progress, print what came of it, end with the right exit code."""
    from rich.console import Console

    from lakemesh.declarations.errors import InvalidMeshError
    from lakemesh.deploy.progress import ConsoleReporter, as_json, sentence, table
    from lakemesh.deploy.run import DeployError

    # Scripts read stdout: people's progress goes beside it.
    console = Console(stderr=output is Format.JSON)
    if not console.is_terminal:
        console.width = 160
    is_preview = action == "preview"
    try:
        with ConsoleReporter(console, preview=is_preview) as reporter:
            results = work(reporter)
    except (InvalidMeshError, DeployError) as error:
        if output is Format.JSON:
            _print_json({"action": action, "ok": False, "error": str(error), "stacks": []})
            raise typer.Exit(1) from error
        _stop(1, str(error))
    if output is Format.JSON:
        _print_json(as_json(action, results))
    else:
        console.print(table(results, preview=is_preview))
        console.print(sentence(results, preview=is_preview), highlight=False, soft_wrap=True)
    if not all(result.ok for result in results):
        raise typer.Exit(1)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, sort_keys=True, default=str))


def _stop(code: int, text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
