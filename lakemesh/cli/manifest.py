"""`lakemesh manifest`: the compiled declarations, as handlers and the policy pack read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def manifest(
    mesh: Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")] = Path("mesh"),
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Default: standard output.")] = None,
) -> None:
    """Write the manifest: the mesh as one JSON document of a published schema (schemas/manifest.schema.json).

    A policy pack that runs without `lakemesh` takes it in its configuration. Exit code 0: written, 1: invalid mesh.
    """
    from lakemesh.access.check import load_mesh
    from lakemesh.declarations.errors import InvalidMeshError
    from lakemesh.declarations.manifest import manifest as compiled
    from lakemesh.declarations.manifest import to_json

    if not mesh.is_dir():
        raise typer.BadParameter(f'there is no directory "{mesh}".', param_hint="'--mesh'")
    try:
        text = to_json(compiled(load_mesh(mesh))) + "\n"
        if output is None:
            typer.echo(text, nl=False)
        else:
            output.write_text(text, encoding="utf-8")
    except (InvalidMeshError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
