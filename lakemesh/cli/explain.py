"""`lakemesh explain`: may a principal read a column, why, and what is missing first where it may not."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from lakemesh.access.explain import ColumnAnswer
    from lakemesh.access.holders import Access
    from lakemesh.access.overview import Key
    from lakemesh.access.subject import Subject
    from lakemesh.declarations.places import Place, Places


@unique
class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


def explain(
    principal: Annotated[str, typer.Argument(metavar="PRINCIPAL", help="consumer/alias, or the ARN of a role.")],
    target: Annotated[
        str, typer.Argument(metavar="PRODUCT|TABLE", help="A product, database.table, or a table's name alone.")
    ],
    column: Annotated[
        str | None, typer.Argument(metavar="[COLUMN]", help="One column; every column if left out.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="REV", help="As the mesh was at a revision, on the day of its commit."),
    ] = None,
    mesh: Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")] = Path("mesh"),
    output: Annotated[Format, typer.Option("--format", help="text for people, json for scripts.")] = Format.TEXT,
    live: Annotated[bool, typer.Option("--live", help="Ask the accounts themselves, read-only.")] = False,
) -> None:
    """Say whether a principal can read a column and by what, or the first thing that is missing and how to supply it.

    Answers from the declarations, as they are once deployed, and calls no cloud; with --live from what the accounts
    hold now, read as their deploying roles.
    Exit code 0: answered, whatever the answer, 1: invalid mesh or an account that cannot be read, 2: misuse or an
    unknown name.
    """
    from lakemesh.access.explain import explain as answer
    from lakemesh.access.holders import Access
    from lakemesh.access.subject import UnknownError, subject, targets
    from lakemesh.declarations.errors import InvalidMeshError, printable
    from lakemesh.declarations.loader import without_collector
    from lakemesh.live.caller import LiveError
    from lakemesh.workflows.git import RevisionError

    if live and at is not None:
        _stop(2, "--live asks what the accounts hold now, and --at what was declared then: leave one of them out.")
    if not mesh.is_dir():
        _stop(2, f'There is no directory "{mesh}". Name the directory that holds mesh.yaml with --mesh.')
    try:
        with _directory(mesh, at) as (there, day):
            declarations, places = _read(there, day)
        access = Access(declarations, day)
        with without_collector():
            who = subject(access, principal)
            asked = targets(access, target, column)
            if live:
                answers = _live(access, places, who, asked)
            else:
                answers = [answer(access, places, who, key, name) for key, names in asked for name in names]
    except (InvalidMeshError, LiveError) as error:
        _stop(1, str(error))
    except (RevisionError, UnknownError) as error:
        _stop(2, "\n".join(printable(line) for line in str(error).split("\n")))
    if output is Format.JSON:
        typer.echo(json.dumps(as_json(who, answers, at, day), indent=2))
    else:
        typer.echo(as_text(who, answers, at, day))


@contextlib.contextmanager
def _directory(mesh: Path, at: str | None) -> Iterator[tuple[Path, dt.date]]:
    """The mesh that is asked about, and the day on which."""
    from lakemesh.workflows.git import RevisionError, day_of, directory_at

    if at is None:
        yield mesh, dt.datetime.now(dt.UTC).date()
        return
    with directory_at(mesh, at) as there:
        if there is None:
            raise RevisionError(f"There was no {mesh} at {at}.")
        yield there, day_of(mesh, at)


def _read(directory: Path, day: dt.date) -> Any:
    from lakemesh.access.check import read_mesh

    return read_mesh(directory, day)


def _live(
    access: Access, places: Places, who: Subject, asked: Sequence[tuple[Key, tuple[str, ...]]]
) -> list[ColumnAnswer]:
    """Answers from the governance account and the principal's own. Raises LiveError."""
    from lakemesh.access.difference import Role
    from lakemesh.access.drift import drift
    from lakemesh.access.explain_live import Live, explain_live
    from lakemesh.access.wanted import expected
    from lakemesh.live.mesh import read

    twins = {key[0] for key, _ in asked}
    wanted = [
        # Only the databases that are asked about: reading LF-Tags takes calls for every table.
        replace(one, twins={name: stack for name, stack in one.twins.items() if name in twins})
        for one in expected(access.declarations, access.today)
        if one.role is Role.CENTRAL or (one.role is Role.CONSUMER and one.id == who.account)
    ]
    accounts = read(access.declarations, wanted)
    live = Live(accounts, drift(wanted, accounts, (), access.today))
    return [explain_live(access, live, places, who, key, name) for key, names in asked for name in names]


# -------------------------------------------------------------------------------------------------------------- json
def as_json(who: Subject, answers: Iterable[ColumnAnswer], at: str | None, day: dt.date) -> dict[str, Any]:
    """`{"principal", "role", "at", "day", "columns": [{"table", "column", "verdict", "chain", "missing", …}]}`."""
    return {
        "principal": who.name,
        "role": who.role,
        "at": at,
        "day": day.isoformat(),
        "columns": [asdict(each) for each in answers],
    }


# -------------------------------------------------------------------------------------------------------------- text
def as_text(who: Subject, answers: Sequence[ColumnAnswer], at: str | None, day: dt.date) -> str:
    """A paragraph for all columns of a table that have one answer for one reason."""
    from lakemesh.declarations.errors import printable

    when = f" at {at}, on {day}" if at else ""
    lines = [f"{who.name}{f' ({who.role})' if who.alias else ''}{when}"]
    for group in _groups(answers):
        lines += ["", *_paragraph(group)]
    return "\n".join(printable(line) for line in lines)


def _groups(answers: Iterable[ColumnAnswer]) -> Iterator[list[ColumnAnswer]]:
    """Columns of one table with one answer, the readable first."""
    groups: dict[tuple[Any, ...], list[ColumnAnswer]] = {}
    for each in answers:
        # The first step is about the column itself.
        path = tuple(step.says for step in each.chain[1:])
        lacks = (each.missing.remedy, each.missing.place, each.missing.yaml) if each.missing else None
        groups.setdefault((each.table, each.verdict, each.sensitivity, path, lacks), []).append(each)
    merged: dict[tuple[Any, ...], list[ColumnAnswer]] = {}
    for (table, verdict, _, path, lacks), those in groups.items():
        merged.setdefault((table, verdict, path, lacks), []).extend(those)
    yield from merged.values()


def _paragraph(group: Sequence[ColumnAnswer]) -> Iterator[str]:
    first = group[0]
    verb = {"read": "can read", "discover": "can see, and not read,", "denied": "cannot read"}[first.verdict]
    levels: dict[str, list[str]] = {}
    for each in group:
        levels.setdefault(each.sensitivity, []).append(each.column)
    yield f"{verb} {first.table}"
    yield from (f"  {level}: {', '.join(names)}" for level, names in levels.items())
    steps = first.chain if len(group) == 1 else first.chain[1:]
    if steps:
        yield "  because"
        yield from (f"    {step.says}{_at(step.place)}" for step in steps)
    if first.missing is not None:
        yield f"  missing first: {first.missing.says}"
        run = first.missing.remedy == "deploy"  # declared already, and not in the accounts
        yield "  run" if run else f"  in {_shown(first.missing.place)} write"
        yield from (f"    {line}" for line in first.missing.yaml.split("\n"))


def _at(place: Place | None) -> str:
    return f"  ({_shown(place)})" if place is not None else ""


def _shown(place: Place) -> str:
    return f"{place.file}:{place.line}"


def _stop(code: int, text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
