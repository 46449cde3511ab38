"""`lakemesh drift`: what the accounts hold of Lake Formation against what the declarations say."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from lakemesh.access.difference import Drift, Expected
    from lakemesh.declarations.models import Declarations


@unique
class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


def drift(
    account: Annotated[
        list[str] | None,
        typer.Option("--account", metavar="NAME", help="central, a consumer, a producer or an account id; repeatable."),
    ] = None,
    mesh: Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")] = Path("mesh"),
    output: Annotated[Format, typer.Option("--format", help="text for people, json for scripts.")] = Format.TEXT,
) -> None:
    """Compare grants, LF-Tags, settings, shares and links of the accounts with the declarations; writes nothing.

    Reads each account as its deploying role, by whatever credentials the terminal has.
    Exit code 0: nothing differs, or only what an exception covers, 1: something differs, an account could not be read,
    or the mesh is not valid, 2: misuse.
    """
    from lakemesh.access.check import load_mesh
    from lakemesh.access.drift import drift as compare
    from lakemesh.access.wanted import expected, waivers
    from lakemesh.declarations.errors import InvalidMeshError
    from lakemesh.live.caller import LiveError
    from lakemesh.live.mesh import read

    if not mesh.is_dir():
        _stop(2, f'There is no directory "{mesh}". Name the directory that holds mesh.yaml with --mesh.')
    today = dt.datetime.now(dt.UTC).date()
    try:
        declarations = load_mesh(mesh, today)
    except InvalidMeshError as error:
        _stop(1, str(error))
    wanted = _chosen(declarations, expected(declarations, today), account or [])
    try:
        found = compare(wanted, read(declarations, wanted), waivers(declarations), today)
    except LiveError as error:
        _stop(1, str(error))
    typer.echo(json.dumps(as_json(wanted, found), indent=2) if output is Format.JSON else as_text(wanted, found))
    if any(not each.exception for each in found):
        raise typer.Exit(1)


def _chosen(declarations: Declarations, every: Sequence[Expected], names: Sequence[str]) -> Sequence[Expected]:
    from lakemesh.declarations.errors import did_you_mean
    from lakemesh.live.mesh import chosen

    if not names:
        return every
    found, unknown = chosen(every, names)
    if unknown:
        if unknown[0] in declarations.mesh.producers:
            _stop(2, f"Producer {unknown[0]} is governed by IAM alone: the mesh grants nothing there.")
        known = [key for one in every for key in (one.name, one.id)]
        _stop(2, f'No account of the mesh is called "{unknown[0]}".{did_you_mean(unknown[0], known)}')
    return found


def as_json(wanted: Sequence[Expected], found: Sequence[Drift]) -> dict[str, Any]:
    """`{"accounts": [name], "drift": [{"account", "kind", "change", "name", "says", "mend", …}]}`."""
    return {
        "accounts": [one.name for one in wanted],
        "clean": all(each.exception for each in found),
        "drift": [asdict(each) for each in found],
    }


def as_text(wanted: Sequence[Expected], found: Sequence[Drift]) -> str:
    """A paragraph an account, a line a difference, what excepted ones wait for at the end."""
    from lakemesh.declarations.errors import printable

    lines: list[str] = []
    for one in wanted:
        those = [each for each in found if each.account == one.id and not each.exception]
        if those:
            lines += ["", f"{one.name} ({one.id})", *(line for each in those for line in _lines(each))]
    counted = [each for each in found if not each.exception]
    excepted = [each for each in found if each.exception]
    if excepted:
        lines += ["", "Excepted", *(f"  {each.kind} {each.name}  {each.exception}" for each in excepted)]
    accounts = f"{len(wanted)} account{'' if len(wanted) == 1 else 's'}"
    head = f"{len(counted)} difference{'' if len(counted) == 1 else 's'} in {accounts}."
    if not counted:
        head = f"Nothing differs from the declarations in {accounts}."
    return "\n".join(printable(line) for line in (head, *lines))


def _lines(each: Drift) -> Iterator[str]:
    yield f"  {each.change} {each.kind}: {each.says}"
    if each.lapsed:
        yield f"    {each.lapsed}"
    yield f"    {each.mend}"
    if each.change == "unmanaged":
        yield f"    as an exception: rule drift-{each.kind}, resource {each.name}"


def _stop(code: int, text: str) -> NoReturn:
    from lakemesh.declarations.errors import printable

    typer.echo("\n".join(printable(line) for line in text.split("\n")), err=True)
    raise typer.Exit(code)
