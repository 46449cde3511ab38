"""`lakemesh codeowners`: who approves changes of which file, from the owners in mesh.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def codeowners(
    mesh: Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")] = Path("mesh"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if the file is not current.")] = False,
    platform: Annotated[
        str, typer.Option("--platform", metavar="TEAM", help="Owner of everything else; needed once.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Default: where GitHub finds it already.")
    ] = None,
) -> None:
    """Write CODEOWNERS: a domain owns its products and grants, a consumer its file, the platform team the rest.

    What people wrote outside the generated block stays. Exit code 0: current or written, 1: not current, or refused.
    """
    from lakemesh.access.check import load_mesh
    from lakemesh.declarations.errors import InvalidMeshError
    from lakemesh.scaffold.codeowners import PLACES, CodeownersError, block, merged, platform_of, root_of

    if not mesh.is_dir():
        raise typer.BadParameter(f'there is no directory "{mesh}".', param_hint="'--mesh'")
    root = root_of(mesh)
    file = output or next((root / place for place in PLACES if (root / place).is_file()), root / PLACES[0])
    try:
        existing = file.read_text(encoding="utf-8") if file.is_file() else ""
        owner = platform or platform_of(existing)
        folder = mesh.resolve().relative_to(root).as_posix()
        wanted = merged(existing, block(load_mesh(mesh).mesh, folder, owner))
        if wanted != existing and not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(wanted, encoding="utf-8")
    except (CodeownersError, InvalidMeshError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if wanted == existing:
        typer.echo(f"{file} is current.")
    elif check:
        typer.echo(f"{file} is not current. Write it anew: lakemesh codeowners --mesh {mesh}", err=True)
        raise typer.Exit(1)
    else:
        typer.echo(f"{file} written.")
