"""`lakemesh ci`: what the workflows in .github/workflows/ do, each command one step. docs/ci.md shows them at work."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from lakemesh.declarations.models import Declarations
    from lakemesh.workflows.events import Preview
    from lakemesh.workflows.pulumi import Pulumi

app = typer.Typer(
    help="""Steps of the GitHub workflows: settings, preview, up, drift, and the pages on GitHub.

    They drive `pulumi` and `gh` as a person would. docs/ci.md says how the workflows are set up.
    """,
    no_args_is_help=True,
    rich_markup_mode="rich",
)

MeshDir = Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")]
Repository = Annotated[
    str, typer.Option("--repository", envvar="GITHUB_REPOSITORY", metavar="OWNER/NAME", help="The repository.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print it and post nothing.")]
DEFAULT_MESH = Path("mesh")


@app.command()
def settings(
    environment: Annotated[str, typer.Option("--environment", help="GitHub environment that the job runs in.")],
    repository: Repository,
    mesh: MeshDir = DEFAULT_MESH,
) -> None:
    """Print role, region, backend and secrets provider as lines for $GITHUB_OUTPUT.

    Exit code 1: the mesh is invalid, or its deploying role trusts no such run.
    """
    from lakemesh.workflows.settings import UntrustedError
    from lakemesh.workflows.settings import settings as find

    try:
        found = find(_declarations(mesh), repository, environment)
    except UntrustedError as error:
        _stop(1, str(error))
    for name, value in found.outputs().items():
        typer.echo(f"{name}={value}")


@app.command()
def preview(
    stack: Annotated[str, typer.Option("--stack", help="The stack.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write what was found, as JSON.")],
    mesh: MeshDir = DEFAULT_MESH,
) -> None:
    """Preview one stack with the policy pack. Exit code 1: it failed, or a mandatory policy is violated."""
    with _with_pulumi():
        declarations = _declarations(mesh)
        found = _pulumi(mesh, declarations).preview(_known(declarations, [stack])[0])
    out.write_text(json.dumps(found.to_json(), indent=2) + "\n", encoding="utf-8")
    _log(found)
    if not found.ok:
        raise typer.Exit(1)


@app.command()
def up(
    stacks: Annotated[list[str] | None, typer.Argument(metavar="[STACK]...", help="Default: all.")] = None,
    mesh: MeshDir = DEFAULT_MESH,
    secrets_provider: Annotated[str, typer.Option("--secrets-provider", help="For stacks that do not exist yet.")] = "",
    summary: Annotated[Path | None, typer.Option("--summary", metavar="FILE", help="Add Markdown to a file.")] = None,
) -> None:
    """Deploy stacks in the order of deployment, whatever order they are named in. Stops at the first that fails."""
    from lakemesh.workflows.comment import deployment

    with _with_pulumi():
        declarations = _declarations(mesh)
        results = _pulumi(mesh, declarations, secrets_provider).up(_known(declarations, stacks or []))
    told = deployment(results)
    if summary is not None:
        with summary.open("a", encoding="utf-8") as file:
            file.write(told)
    typer.echo(told)
    if not all(result.ok for result in results):
        raise typer.Exit(1)


@app.command()
def drift(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write what was found, as JSON.")],
    stacks: Annotated[list[str] | None, typer.Argument(metavar="[STACK]...", help="Default: all.")] = None,
    mesh: MeshDir = DEFAULT_MESH,
) -> None:
    """Compare stacks with what AWS has. Exit code 1: one of them differs, or could not be compared."""
    declarations = _declarations(mesh)
    runner = _pulumi(mesh, declarations)
    found = []
    for stack in _known(declarations, stacks or []):
        with _with_pulumi():
            found.append(runner.preview(stack, refresh=True))
        _log(found[-1])
    out.write_text(json.dumps([each.to_json() for each in found], indent=2) + "\n", encoding="utf-8")
    if not all(each.clean for each in found):
        raise typer.Exit(1)


@app.command()
def comment(
    repository: Repository,
    number: Annotated[int, typer.Option("--number", min=1, help="Number of the pull request.")],
    artifacts: Annotated[
        Path,
        typer.Option("--artifacts", metavar="DIR", help="Folder with plan.json, preview-*.json and findings-*.txt."),
    ],
    failed: Annotated[str, typer.Option("--failed", help="Jobs that failed, separated by commas.")] = "",
    dry_run: DryRun = False,
) -> None:
    """Say on a pull request what merging it deploys: one comment, changed in place by later runs."""
    from lakemesh.workflows.comment import MARKER, pull_request
    from lakemesh.workflows.github import GitHub

    plan: dict[str, Any] = {}
    if (planned := _find(artifacts, "plan.json")) and planned[0].stat().st_size:
        plan = json.loads(planned[0].read_text(encoding="utf-8"))
    order = [one["stack"] for one in plan.get("affected", [])]
    previews = sorted(
        (_read(path) for path in _find(artifacts, "preview-*.json")),
        key=lambda each: order.index(each.stack) if each.stack in order else len(order),
    )
    body = pull_request(
        previews,
        removed=plan.get("removed", []),
        findings=_findings(artifacts),
        failed=[name for name in failed.split(",") if name],
    )
    if dry_run:
        typer.echo(body)
        return
    _github(lambda: GitHub(repository).comment(number, MARKER.format("preview"), body))


@app.command()
def issue(
    repository: Repository,
    artifacts: Annotated[
        Path, typer.Option("--artifacts", metavar="DIR", help="Folder with drift.json and findings-*.txt.")
    ],
    dry_run: DryRun = False,
) -> None:
    """Open an issue about drift, bring the open one up to date, or close it when nothing differs any more."""
    from lakemesh.workflows.comment import MARKER
    from lakemesh.workflows.comment import drift as render
    from lakemesh.workflows.events import Preview
    from lakemesh.workflows.github import GitHub

    reports = _find(artifacts, "drift.json")
    if not reports:
        _stop(1, f"There is no drift.json in {artifacts}: the comparison ended before it could say anything.")
    previews = [Preview.from_json(each) for each in json.loads(reports[0].read_text(encoding="utf-8"))]
    findings = _findings(artifacts)
    body = render(previews, findings=findings)
    if dry_run:
        typer.echo(body)
        return
    wanted = bool(findings) or not all(each.clean for each in previews)
    _github(lambda: GitHub(repository).issue(MARKER.format("drift"), body, wanted=wanted))


@app.command()
def sarif(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `lakemesh validate --format sarif` wrote.")],
    repository: Repository,
    commit: Annotated[str, typer.Option("--commit", envvar="GITHUB_SHA", help="Commit that was checked.")],
    ref: Annotated[str, typer.Option("--ref", envvar="GITHUB_REF", help="Its full ref.")],
) -> None:
    """Show findings in the pull request's changed files, by GitHub's code scanning.

    Where code scanning is off, or a fork's token may not write, that is said and no failure: the findings are in the
    log of `lakemesh validate` as well.
    """
    from lakemesh.workflows.github import GitHub, GitHubError

    text = file.read_text(encoding="utf-8")
    try:
        GitHub(repository).sarif(text, commit, ref)
    except GitHubError as error:
        typer.echo(f"::warning::Findings were not uploaded to code scanning: {' '.join(str(error).split())}", err=True)
        return
    typer.echo("Uploaded.")


# ------------------------------------------------------------------------------------------------------- pieces
def _declarations(mesh: Path) -> Declarations:
    from lakemesh.access.check import load_mesh
    from lakemesh.declarations.errors import InvalidMeshError

    if not mesh.is_dir():
        _stop(2, f'There is no directory "{mesh}". Name the directory that holds mesh.yaml with --mesh.')
    try:
        return load_mesh(mesh)
    except InvalidMeshError as error:
        _stop(1, str(error))


def _known(declarations: Declarations, stacks: list[str]) -> list[str]:
    """These stacks (none: all) in the order of deployment."""
    from lakemesh.deploy.parts import Part, UnknownStackError, parts

    try:
        wanted = {Part.parse(stack, declarations) for stack in stacks}
    except UnknownStackError as error:
        _stop(2, str(error))
    return [part.stack for part in parts(declarations) if part in wanted or not stacks]


@contextlib.contextmanager
def _with_pulumi() -> Iterator[None]:
    """A missing CLI, or a rule that the policy pack does not have, is the end of the command, and said."""
    from lakemesh.deploy.results import DeployError
    from lakemesh.workflows.pulumi import PulumiMissingError

    try:
        yield
    except (PulumiMissingError, DeployError) as error:
        _stop(2, str(error))


def _pulumi(mesh: Path, declarations: Declarations, secrets_provider: str = "") -> Pulumi:
    from lakemesh.deploy.run import DeployError, find_program
    from lakemesh.workflows.pulumi import Pulumi

    try:
        root = find_program(mesh)
    except DeployError as error:
        _stop(2, str(error))
    return Pulumi(root, secrets_provider, say=typer.echo, declarations=declarations)


def _find(folder: Path, pattern: str) -> list[Path]:
    """Files of artifacts, which `gh run download` puts into a folder each."""
    return sorted(path for path in folder.rglob(pattern) if path.is_file())


def _findings(folder: Path) -> dict[str, str]:
    """What other commands printed, by command; those that printed nothing left out."""
    return {
        f"lakemesh {path.stem.removeprefix('findings-')}": text
        for path in _find(folder, "findings-*.txt")
        if (text := path.read_text(encoding="utf-8", errors="replace").strip())
    }


def _read(path: Path) -> Preview:
    from lakemesh.workflows.events import Preview

    return Preview.from_json(json.loads(path.read_text(encoding="utf-8")))


def _log(found: Preview) -> None:
    from lakemesh.workflows.events import ORDER

    counts = ", ".join(f"{number} to {op}" for op in ORDER if (number := found.count(op)))
    typer.echo(f"{found.stack}: {counts or 'no changes'}{' (new stack)' if found.new else ''}")
    for text in [*found.errors, *(f"{each.policy}: {each.message}" for each in found.violations)]:
        typer.echo(f"  {text}", err=True)


def _github(work: Callable[[], str]) -> None:
    from lakemesh.workflows.github import GitHubError

    try:
        typer.echo(work())
    except GitHubError as error:
        _stop(1, f"GitHub refused: {error}")


def _stop(code: int, text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
