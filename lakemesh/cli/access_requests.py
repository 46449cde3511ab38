"""`lakemesh request`, `approve`, `reject` and `requests`: what the portal does, from a terminal.

The log is the table in the governance account, by whatever credentials the terminal has; on the local AWS,
`lakemesh local env` sets them. Who acts is said with --me: with the files and the credentials at hand, a terminal is
trusted as much as who sits at it. The portal is where people who have neither decide.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakemesh.cli.catalogue import Format, Mesh, stop
from lakemesh.declarations.models import Access, Sensitivity

if TYPE_CHECKING:
    from lakemesh.portal.requests.model import Person, Request
    from lakemesh.portal.requests.validate import Preview
    from lakemesh.portal.service import Portal

Me = Annotated[str, typer.Option("--me", envvar="LAKEMESH_ME", metavar="EMAIL", help="Who acts.")]
Output = Annotated[Format, typer.Option("--format", help="text for people, json for scripts.")]
Identifier = Annotated[str, typer.Argument(metavar="REQUEST", help="Such as REQ-73BXRY2M72.")]


def request(  # noqa: PLR0913, PLR0917 - options of a command
    product: Annotated[str, typer.Argument(metavar="PRODUCT")],
    to: Annotated[str, typer.Option("--to", metavar="CONSUMER/ALIAS", help="For whom: one principal, or a consumer.")],
    me: Me,
    purpose: Annotated[str, typer.Option("--purpose", help="What the data is for.")],
    sensitivity: Annotated[list[Sensitivity] | None, typer.Option("--sensitivity", help="May be given again.")] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="TABLE.COLUMN", help="Only these columns; may be given again."),
    ] = None,
    rows: Annotated[str | None, typer.Option("--rows", help="Only rows that meet this condition.")] = None,
    discover: Annotated[bool, typer.Option("--discover", help="Only see that it is there.")] = False,
    until: Annotated[
        dt.datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="First day without.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Send it without asking.")] = False,
    mesh: Mesh = Path("mesh"),
    output: Output = Format.TEXT,
) -> None:
    """Ask for access to a data product, after a look at what would become readable.

    Exit code 0: sent, 1: refused, or the mesh is not valid, 2: misuse.
    """
    from lakemesh.portal.requests.desk import new_token
    from lakemesh.portal.requests.model import Ask

    portal, person = _at(mesh, me)
    ask = Ask(
        product=product,
        to=to,
        access=Access.DISCOVER if discover else Access.READ,
        sensitivity=tuple(level for level in Sensitivity if level in (sensitivity or ())),
        columns=_by_table(columns or []) or None,
        rows=rows,
        expires=until.date() if until else None,
        purpose=purpose,
    )

    def send() -> Request:
        found, approval = portal.draft(person, ask)
        if output is Format.TEXT:
            typer.echo(_preview(found, approval.needed, approval.approvers))
        if not yes and not typer.confirm("Send the request?", err=True):
            stop(1, "Nothing was sent.")
        return portal.submit(person, ask, new_token())

    _say(_tried(send), output)


def approve(identifier: Identifier, me: Me, mesh: Mesh = Path("mesh"), output: Output = Format.TEXT) -> None:
    """Approve a request as it is. Exit code 0: done, 1: refused, 2: misuse."""
    portal, person = _at(mesh, me)
    _say(_tried(lambda: portal.approve(person, identifier)), output)


def reject(
    identifier: Identifier,
    me: Me,
    reason: Annotated[str, typer.Option("--reason", help="Why, so that the requester knows what to do.")],
    mesh: Mesh = Path("mesh"),
    output: Output = Format.TEXT,
) -> None:
    """Reject a request. Exit code 0: done, 1: refused, 2: misuse."""
    portal, person = _at(mesh, me)
    _say(_tried(lambda: portal.reject(person, identifier, reason)), output)


def requests(
    me: Me,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only those that wait for you.")] = False,
    mesh: Mesh = Path("mesh"),
    output: Output = Format.TEXT,
) -> None:
    """List requests that you may see, the newest first. Exit code 0: listed, 1: the mesh is not valid, 2: misuse."""
    portal, person = _at(mesh, me)
    found = _tried(lambda: portal.waiting(person) if waiting else portal.requests(person))
    if output is Format.JSON:
        from lakemesh.portal.web.bodies import request_json

        typer.echo(json.dumps([request_json(one) for one in found], indent=2))
        return
    for one in found:
        typer.echo(f"{one.id}  {one.status:11}  {one.ask.product} to {one.ask.to}, asked by {one.requester}")
    if not found:
        typer.echo("None.")


# ---------------------------------------------------------------------------------------------------------- shared
def _at(mesh: Path, me: str) -> tuple[Portal, Person]:
    from lakemesh.portal.at import portal_of
    from lakemesh.portal.people import person

    if "@" not in me:
        stop(2, f'"{me}" is no e-mail address. Say who you are with --me, or in LAKEMESH_ME.')
    if not mesh.is_dir():
        stop(2, f'There is no directory "{mesh}". Name the directory that holds mesh.yaml with --mesh.')
    portal = _tried(lambda: portal_of(mesh))
    return portal, person(portal.mesh().declarations, me, me, ())


def _tried(work: Callable[[], Any]) -> Any:
    """What `work` returns, or an exit with what refused it."""
    from botocore.exceptions import BotoCoreError, ClientError

    from lakemesh.declarations.errors import InvalidMeshError
    from lakemesh.portal.requests.commands import RefusedError

    try:
        return work()
    except (InvalidMeshError, RefusedError) as error:
        stop(1, str(error))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        missing = code == "ResourceNotFoundException"
        what = " Is stack central deployed, with `portal.members` in mesh.yaml?" if missing else ""
        stop(1, f"The log of requests cannot be used: {error.response['Error']['Message']} ({code}).{what}")
    except BotoCoreError as error:
        stop(1, f"The governance account cannot be reached: {error}")


def _by_table(chosen: list[str]) -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {}
    for one in chosen:
        table, dot, column = one.partition(".")
        if not dot or not column:
            stop(2, f'"{one}" is no TABLE.COLUMN.')
        tables.setdefault(table, []).append(column)
    return tables


def _preview(found: Preview, needed: int, approvers: tuple[str, ...]) -> str:
    lines = [f"{len(found.gains)} columns would become readable:"]
    lines += [f"  {gain.principal}: {gain.table}.{gain.column} ({gain.sensitivity})" for gain in found.gains]
    if found.held:
        lines.append(f"{found.held} can be read already.")
    decided = "Approved by rule." if needed == 0 else f"Decided by {needed} of: {', '.join(approvers)}."
    return "\n".join([*lines, decided])


def _say(made: Request, output: Format) -> None:
    if output is Format.JSON:
        from lakemesh.portal.web.bodies import request_json

        typer.echo(json.dumps(request_json(made), indent=2))
    else:
        typer.echo(f"{made.id} is {made.status}.")
