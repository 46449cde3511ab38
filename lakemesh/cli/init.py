"""`lakemesh init`: an empty mesh directory that validates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    directory: Annotated[Path, typer.Argument(metavar="[DIR]", help="Made if it is not there.")] = Path("mesh"),
    name: Annotated[str, typer.Option("--name", help="First word of every resource the mesh makes.")] = "",
    organization: Annotated[str, typer.Option("--organization", metavar="ID", help="Id of the AWS organization.")] = "",
    region: Annotated[str, typer.Option("--region", help="Region of the whole mesh.")] = "",
    account: Annotated[str, typer.Option("--account", metavar="ID", help="The governance account.")] = "",
) -> None:
    """Make an empty mesh directory that validates, with commented examples of each kind of file.

    Nothing is overwritten: a directory that is not empty is refused. Exit code 0: made, 1: refused.
    """
    from lakemesh.scaffold.mesh import ScaffoldError, Settings, scaffold

    settings = Settings(name, organization, region, account)
    try:
        made = scaffold(directory, settings)
    except (ScaffoldError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    for path in made:
        typer.echo(f"{directory / path}")
    if missing := settings.missing():
        typer.echo(f"\nReplace the placeholders in {directory / 'mesh.yaml'}: {', '.join(missing)}.")
    typer.echo(
        f"\nNext: lakemesh validate --mesh {directory}, then from each account that has data: "
        f"lakemesh onboard producer NAME --account ID --mesh {directory}"
    )
