"""`lakemesh portal`: the portal on this machine alone, signed in to by whoever sits at it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lakemesh.cli.catalogue import Mesh, stop

DEFAULT_PORT = 8400


def portal(
    mesh: Mesh = Path("mesh"),
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Where it listens.")] = DEFAULT_PORT,
) -> None:
    """Serve the portal on this machine: find products, ask for access, decide.

    Over the log in the governance account, by this terminal's credentials; on the local AWS, `lakemesh local env` sets
    them. Its sign-in believes everybody, so it listens on loopback and nowhere else. docs/portal.md says how a company
    serves it. Ends with Ctrl+C.
    Exit code 1: the mesh is not valid, 2: misuse.
    """
    try:
        import uvicorn

        from lakemesh.portal.at import portal_of
        from lakemesh.portal.web.serve import HOST, local
    except ModuleNotFoundError as error:
        stop(2, f"{error.name} is not installed. Install the portal with it: pip install 'lakemesh[portal]'")
    from lakemesh.declarations.errors import InvalidMeshError

    if not mesh.is_dir():
        stop(2, f'There is no directory "{mesh}". Name the directory that holds mesh.yaml with --mesh.')
    try:
        app = local(portal_of(mesh), mesh, port)
    except InvalidMeshError as error:
        stop(1, str(error))
    typer.echo(f"The portal of {mesh} is at http://{HOST}:{port}; Ctrl+C ends it.")
    uvicorn.run(app, host=HOST, port=port, log_level="warning")
