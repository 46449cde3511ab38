"""`lakemesh classify scan`: recommendations from samples, made in the producer's account."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lakemesh.cli.classify_review import DEFAULT_MESH, MeshDir, RulesFile, Session, fail, say, say_written, session

if TYPE_CHECKING:
    from lakemesh.classify_scan.scan import Limits, Looked
    from lakemesh.declarations.models import Table

LIBRARIES: Final = ("pyarrow", "pyiceberg")
"""What reads files; `lakemesh` itself does without."""
Producer = Annotated[str, typer.Option("--producer", metavar="P", help="The producer whose account is read.")]
Profile = Annotated[str | None, typer.Option("--profile", metavar="P", help="Profile of the AWS configuration.")]
Role = Annotated[str | None, typer.Option("--role", metavar="ARN", help="Role of the account to assume for reading.")]
Tables = Annotated[
    list[str] | None,
    typer.Option("--table", metavar="PATTERN", help="Tables, as orders_* or sales.orders; repeat. Default: all."),
]
Rows = Annotated[int, typer.Option("--rows", min=1, max=10_000, help="Rows of a table that are looked at.")]
Megabytes = Annotated[int, typer.Option("--megabytes", min=1, max=1000, help="Read at most this much of a table.")]


def scan(
    producer: Producer,
    mesh: MeshDir = DEFAULT_MESH,
    profile: Profile = None,
    role: Role = None,
    table: Tables = None,
    rules: RulesFile = None,
    rows: Rows = 200,
    megabytes: Megabytes = 8,
) -> None:
    """Recommend from sample values too: reads a few rows of the producer's tables that have unreviewed columns.

    Run it with credentials of the producer's account. Samples stay in this process; only verdicts and evidence in words
    and shares are written, into mesh/recommendations/. Reads Parquet, CSV, JSON lines and Iceberg; anything else is
    judged by its metadata. Exit code 0: written or nothing new, 1: refused or denied, 2: misuse.
    """
    if missing := [name for name in LIBRARIES if importlib.util.find_spec(name) is None]:
        fail(f"The scan needs {' and '.join(missing)}.\nInstall them with the extra: pip install 'lakemesh[local]'")
    from lakemesh.classify_scan.scan import Limits, due

    work = session(mesh, None)
    if producer not in work.declarations.mesh.producers:
        from lakemesh.declarations.errors import did_you_mean

        known = work.declarations.mesh.producers
        raise typer.BadParameter(
            f'there is no producer "{producer}".{did_you_mean(producer, known)}', param_hint="'--producer'"
        )
    tables = list(due(work.declarations, producer, table or []))
    if not tables:
        typer.echo("Nothing to look at: no such table of this producer has an unreviewed column.")
        return
    looked = _look(work, producer, (profile, role), tables, Limits(rows, megabytes * 1_000_000))
    _write(work, tables, looked, rules)


def _look(
    work: Session,
    producer: str,
    credentials: tuple[str | None, str | None],
    tables: Sequence[tuple[str, Table]],
    limits: Limits,
) -> Looked:
    """What the account shows. Exit code 1 with the mend where it shows too little."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from lakemesh.classify_scan.scan import scan as look
    from lakemesh.declarations.errors import printable
    from lakemesh.onboard.account import open_account
    from lakemesh.onboard.errors import MissingPermissionsError, OnboardError

    mesh = work.declarations.mesh
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    try:
        account = open_account(mesh.producers[producer].account, mesh.region, *credentials)
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("Looking", total=len(tables))
            return look(
                account,
                tables,
                limits,
                lambda number, name: bar.update(task, completed=number, description=printable(name)),
            )
    except MissingPermissionsError as error:
        lines = "\n".join(f"  {one.action} on {one.resource}: {one.what}" for one in error.missing)
        statement = {**error.statement, "Sid": "LakemeshScan"}
        fail(
            f"The scan may not read everything it needs:\n{lines}\nNothing was written. Add this statement to the "
            f"policy of who runs it (or leave tables out with --table):\n{json.dumps(statement, indent=2)}"
        )
    except OnboardError as error:
        fail(str(error))


def _write(work: Session, tables: Sequence[tuple[str, Table]], looked: Looked, rules: Path | None) -> None:
    from lakemesh.cli.classify import rules_from
    from lakemesh.declarations.errors import printable
    from lakemesh.review.recommend import recommend

    loaded = rules_from(rules)
    domains = sorted({work.declarations.products[product].domain for product, _ in tables})
    for domain in domains:
        outcome = recommend(
            work.declarations, domain, work.recommendations(domain), work.today, rules=loaded, samples=looked.samples
        )
        work.put(domain, outcome.after)
        say(domain, outcome)
    typer.echo(f"Looked into {len(looked.samples)} of {len(tables)} tables, {looked.bytes:,} bytes read.")
    for name, why in looked.notes.items():
        typer.echo(f"  {printable(name)} by its metadata alone: {why}")
    say_written(work.write())
