"""`lakemesh up`, `preview` and `destroy`, in Pulumi's words."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lakemesh.deploy.choice import IN_PROCESS_IS_LOCAL, Choice

if TYPE_CHECKING:
    from lakemesh.declarations.models import Declarations
    from lakemesh.deploy.progress import ConsoleReporter
    from lakemesh.deploy.run import Engine, StackResult


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
Local = Annotated[
    bool, typer.Option("--local", help="On the local AWS (`lakemesh local start`), not on real accounts.")
]
MeshDir = Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")]
Output = Annotated[Format, typer.Option("--format", help="text for people, json for scripts.")]
ByEngine = Annotated[
    Choice,
    typer.Option(
        "--engine",
        envvar="LAKEMESH_ENGINE",
        help="pulumi: Pulumi's CLI. inprocess: this process, local AWS only. auto: pulumi where it is installed.",
    ),
]
Backend = Annotated[
    str | None,
    typer.Option(
        "--backend",
        metavar="URL",
        help="Where Pulumi keeps state: s3://…, file://…, https://api.pulumi.com. Default: as `pulumi login` says; "
        "with --local, beside the local AWS.",
    ),
]
Secrets = Annotated[
    str | None,
    typer.Option(
        "--secrets-provider",
        metavar="URL",
        help="What encrypts the secrets of stacks that are not there yet: passphrase, awskms://alias/…",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DEFAULT_MESH = Path("mesh")


def up(
    stacks: Stacks = None,
    local: Local = False,
    mesh: MeshDir = DEFAULT_MESH,
    engine: ByEngine = Choice.AUTO,
    backend: Backend = None,
    secrets_provider: Secrets = None,
    yes: Yes = False,
    output: Output = Format.TEXT,
) -> None:
    """Deploy the mesh: create, update, replace and delete until the accounts are what the declarations say.

    Asks before it changes real accounts. Exit code 0: deployed, 1: invalid mesh or a stack failed, 2: misuse.
    """
    from lakemesh.deploy.run import deploy, orphans

    target = _target(mesh, local=local)
    _refuse_in_process(engine, local=local)
    if not local and not yes:
        what = ", ".join(stacks) if stacks else "every stack"
        typer.confirm(f"Deploy {what} of {mesh} to real accounts?", abort=True, err=True)

    def work(reporter: ConsoleReporter, declarations: Declarations, opened: ExitStack) -> list[StackResult]:
        chosen = _engine(engine, declarations, target, opened, backend, secrets_provider)
        if target.endpoint:
            from lakemesh.deploy.prepare import prepare

            prepare(declarations, target.endpoint)
        _preflight(chosen, declarations, stacks, target)
        results = deploy(mesh, stacks or [], chosen, reporter)
        for stack in orphans(declarations, chosen, mesh):
            command = " ".join(filter(None, ["lakemesh destroy", chosen.flags, stack]))
            reporter.say(f"Stack {stack} is no part of the mesh any more. Take it down: {command}")
        return results

    _run("up", target, work, output)


def preview(
    stacks: Stacks = None,
    local: Local = False,
    mesh: MeshDir = DEFAULT_MESH,
    engine: ByEngine = Choice.AUTO,
    backend: Backend = None,
    output: Output = Format.TEXT,
) -> None:
    """Say what `lakemesh up` would do, and whose access it would interrupt. Changes nothing.

    Exit code 0: it can be said, 1: invalid mesh or a stack failed, 2: misuse.
    """
    from lakemesh.deploy.run import deploy

    target = _target(mesh, local=local)
    _refuse_in_process(engine, local=local)

    def work(reporter: ConsoleReporter, declarations: Declarations, opened: ExitStack) -> list[StackResult]:
        chosen = _engine(engine, declarations, target, opened, backend, None)
        if not local:
            _preflight(chosen, declarations, stacks, target)
        return deploy(mesh, stacks or [], chosen, reporter, preview=True)

    _run("preview", target, work, output)


def destroy(
    stacks: Stacks = None,
    local: Local = False,
    mesh: MeshDir = DEFAULT_MESH,
    engine: ByEngine = Choice.AUTO,
    backend: Backend = None,
    yes: Yes = False,
    exclude_protected: Annotated[
        bool, typer.Option("--exclude-protected", help="Keep protected resources and what they need.")
    ] = False,
    output: Output = Format.TEXT,
) -> None:
    """Delete everything that stacks have made, the last deployed first. Data lake settings are kept.

    Exit code 0: done, 1: a stack failed or nothing was confirmed, 2: misuse.
    """
    from lakemesh.deploy.run import destroy as run

    target = _target(mesh, local=local)
    _refuse_in_process(engine, local=local)
    if not yes:
        what = ", ".join(stacks) if stacks else "every stack"
        where = f"the local AWS at {target.endpoint}" if target.endpoint else "REAL ACCOUNTS"
        typer.confirm(f"Delete what {what} made on {where}?", abort=True, err=True)

    def work(reporter: ConsoleReporter, declarations: Declarations, opened: ExitStack) -> list[StackResult]:
        chosen = _engine(engine, declarations, target, opened, backend, None)
        _preflight(chosen, declarations, stacks, target)
        results = run(mesh, stacks or [], chosen, reporter, exclude_protected=exclude_protected)
        if any("it is protected" in error for result in results for error in result.errors):
            reporter.say("To keep protected resources and what they need, and delete the rest: --exclude-protected")
        return results

    _run("destroy", target, work, output)


@dataclass(frozen=True)
class _Target:
    """What is deployed, and where to: `endpoint` of the local AWS, None for real accounts."""

    mesh: Path
    endpoint: str | None


def _target(mesh: Path, *, local: bool) -> _Target:
    """The mesh directory and the local AWS, or the end of the command with what to do."""
    if not mesh.is_dir():
        _stop(2, f'There is no directory "{mesh}". Name the directory that holds mesh.yaml with --mesh.')
    if not local:
        return _Target(mesh, None)
    from lakemesh.cli.local import endpoint as started_here

    endpoint = started_here() or _from_environment()
    if endpoint is None:
        _stop(1, "No local AWS is running here. Start one: lakemesh local start --detach")
    return _Target(mesh, endpoint)


def _refuse_in_process(choice: Choice, *, local: bool) -> None:
    """Misuse that needs nobody's yes first: the in-process engine never touches real accounts."""
    if choice is Choice.INPROCESS and not local:
        _stop(2, IN_PROCESS_IS_LOCAL)


def _engine(
    choice: Choice,
    declarations: Declarations,
    target: _Target,
    opened: ExitStack,
    backend: str | None,
    secrets_provider: str | None,
) -> Engine:
    from lakemesh.cli.local import STATE
    from lakemesh.deploy.choose import engine

    return engine(
        choice,
        declarations,
        target.mesh,
        opened,
        endpoint=target.endpoint,
        backend=backend,
        secrets_provider=secrets_provider,
        home=STATE.parent,
    )


def _preflight(engine: Engine, declarations: Declarations, stacks: list[str] | None, target: _Target) -> None:
    """Whether the credentials reach every account that is about to change. The in-process engine has its own."""
    if engine.name == Choice.INPROCESS:
        return
    from lakemesh.deploy.parts import parts
    from lakemesh.deploy.preflight import check

    client = None
    if target.endpoint:
        client = {
            "endpoint_url": target.endpoint,
            "aws_access_key_id": declarations.mesh.central.account,
            "aws_secret_access_key": "local",
        }
    # Stacks that left the mesh have no deploying role that could be computed.
    check(declarations, [part for part in parts(declarations) if part.stack in (stacks or [part.stack])], client)


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


def _run(
    action: str,
    target: _Target,
    work: Callable[[ConsoleReporter, Declarations, ExitStack], list[StackResult]],
    output: Format,
) -> None:
    """Do it with progress, print what came of it, end with the right exit code."""
    from rich.console import Console

    from lakemesh.access.check import load_mesh
    from lakemesh.declarations.errors import InvalidMeshError
    from lakemesh.deploy.progress import ConsoleReporter, as_json, sentence, table
    from lakemesh.deploy.run import DeployError

    # Scripts read stdout: people's progress goes beside it.
    console = Console(stderr=output is Format.JSON)
    if not console.is_terminal:
        console.width = 160
    is_preview = action == "preview"
    try:
        with ExitStack() as opened:
            declarations = load_mesh(target.mesh)
            with ConsoleReporter(console, preview=is_preview) as reporter:
                results = work(reporter, declarations, opened)
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
