"""`lakemesh import`: the file that brings a stack's resources back into a state that was lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from lakemesh.declarations.models import Declarations
    from lakemesh.deploy.import_file import ImportFile


def import_(
    stack: Annotated[str, typer.Option("--stack", help="The stack whose state is lost.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to write the file. Default: import-<stack>.json."),
    ] = None,
    ids: Annotated[
        list[str] | None,
        typer.Option(
            "--id", metavar="NAME=ID", help="Id of a resource that AWS made up; asked for where it is needed."
        ),
    ] = None,
    mesh: Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")] = Path("mesh"),
) -> None:
    """Write the import file of a stack for `pulumi import`, from the declarations alone: no cloud is called.

    Exit code 0: written, 1: invalid mesh, or ids are missing (printed with how to find them), 2: misuse.
    """
    from lakemesh.access.check import load_mesh
    from lakemesh.declarations.errors import InvalidMeshError
    from lakemesh.deploy.import_file import UnlistedTypeError
    from lakemesh.deploy.parts import UnknownStackError
    from lakemesh.deploy.recording import RecordingError

    if not mesh.is_dir():
        _stop(2, f'There is no directory "{mesh}". Name the directory that holds mesh.yaml with --mesh.')
    given = _ids(ids or [])
    try:
        declarations = load_mesh(mesh)
        found = _build(stack, mesh, declarations, given)
    except (InvalidMeshError, RecordingError, UnlistedTypeError) as error:
        _stop(1, str(error))
    except UnknownStackError as error:
        _stop(2, str(error))
    if found.unknown:
        lines = [f"AWS made up the ids of {len(found.unknown)} resources. Find each, and pass it:"]
        lines += [f'  --id {each.name}="$({each.command})"' for each in found.unknown]
        _stop(1, "\n".join(lines))
    target = out or Path(f"import-{stack}.json")
    target.write_text(json.dumps(found.document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    typer.echo(_told(found, stack, target))


def _build(stack: str, mesh: Path, declarations: Declarations, ids: dict[str, str]) -> ImportFile:
    from lakemesh.declarations.naming import Naming
    from lakemesh.deploy.import_file import Place, build, computed
    from lakemesh.deploy.parts import Part, account
    from lakemesh.deploy.recording import RecordingError, record
    from lakemesh.deploy.run import DeployError, find_program
    from local_aws.inprocess.project import Project, ProjectError

    part = Part.parse(stack, declarations)
    place = Place(account(part, declarations), declarations.mesh.region, Naming(declarations.mesh).partition)
    try:
        project = Project.load(find_program(mesh))
        config = project.config(stack, {f"{project.name}:mesh": str(mesh.resolve())})
    except (DeployError, ProjectError) as error:
        raise RecordingError(str(error)) from error
    return build(record(project.root, project.name, stack, config, computed(place)), place, ids)


def _ids(given: list[str]) -> dict[str, str]:
    ids = {}
    for each in given:
        name, equals, identifier = each.partition("=")
        if not equals or not name or not identifier:
            _stop(2, f'"{each}" is not NAME=ID.')
        ids[name] = identifier
    return ids


def _told(found: ImportFile, stack: str, target: Path) -> str:
    """What was written, what was not and why, and what to type next."""
    from lakemesh.deploy.import_file import REMADE

    lines = [f"{target}: {len(found.imported)} resources of stack {stack}."]
    if found.remade:
        lines += ["", "Not in it, since AWS's provider cannot import them; the next up makes them once more:"]
        lines += [f"  {len(names)} × {type_}: {REMADE[type_]}" for type_, names in found.remade.items()]
    lines += [
        "",
        "Next, with credentials that reach the account (docs/disaster-recovery.md):",
        f"  pulumi import --stack {stack} --file {target} --generate-code=false --protect=false --yes",
        f"  pulumi preview --stack {stack} --diff",
        f"  pulumi up --stack {stack}",
    ]
    return "\n".join(lines)


def _stop(code: int, text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
