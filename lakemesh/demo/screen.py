"""The demonstration on a terminal: steps as they happen, a matrix of principals and tables, what to try next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table
from rich.text import Text

from lakemesh.declarations.models import Declarations
from lakemesh.demo.expected import Verdict
from lakemesh.demo.outcome import Change, ChapterOutcome, Check, Outcome, Step
from lakemesh.demo.proof import Proof, TableProof
from lakemesh.demo.stage import DEPLOY

LEGEND = (
    "8 of 12: columns that Athena returns, of all; discover: Glue shows it, Athena refuses; denied: neither shows it"
)
WIDE = 12
"""Characters of a consumer's name above which it is broken at its hyphens."""
NEW_LINE = "\n"
MOST_DIFFERENCES = 40
"""Differences shown; the rest are counted."""


class Terminal:
    """A `Screen` of `lakemesh.demo.stage`."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._status: Status | None = None

    def opened(self, directory: Path, declarations: Declarations) -> None:
        mesh, products = declarations.mesh, len(declarations.products)
        principals = sum(len(consumer.principals) for consumer in declarations.consumers.values())
        grants = sum(len(grants) for grants in declarations.grants.values())
        self.console.print(
            f"[bold]lakemesh demo[/bold]: {escape(directory.name)}/ on a local AWS. Nothing leaves this machine.\n"
            f"[dim]{len(mesh.producers)} producers, {len(mesh.domains)} domains with {products} products, "
            f"{len(mesh.consumers)} consumers with {principals} principals, {grants} grants[/dim]\n",
            highlight=False,
        )

    def begin(self, title: str) -> None:
        if self.console.is_terminal:
            self._status = self.console.status(title)
            self._status.start()

    def end(self, step: Step) -> None:
        self.stop()
        title, detail = escape(step.title), escape(step.detail)
        self.console.print(f"[green]✓[/green] {title} [dim]{step.seconds:.1f} s  {detail}[/dim]", highlight=False)

    def stop(self) -> None:
        """Take the spinner away; also after a step that failed."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def proved(self, title: str, proof: Proof) -> None:
        self.console.print()
        self.console.print(matrix(title, proof))
        self.console.print(LEGEND, style="dim")
        example = refusal(proof)
        if example:
            self.console.print(example)
        if proof.ok:
            self.console.print(f"[bold green]All {proof.columns} verdicts are as expected.[/bold green]\n")
        else:
            self._differences(proof.differences)

    def _differences(self, differences: Sequence[str]) -> None:
        self.console.print(f"[bold red]{len(differences)} differences from expected.yaml:[/bold red]")
        for text in differences[:MOST_DIFFERENCES]:
            self.console.print(Text(f"  {text}", style="red"))
        if len(differences) > MOST_DIFFERENCES:
            self.console.print(f"  and {len(differences) - MOST_DIFFERENCES} more; --format json shows all")

    def edited(self, edits: Sequence[str]) -> None:
        self.console.print("[bold]Now people edit the mesh[/bold] (a copy of it):")
        for text in edits:
            self.console.print(Text(f"  {text}"))
        self.console.print()

    def changed(self, changes: Sequence[Change]) -> None:
        self.console.print("[bold]What the edit changed, and nothing else:[/bold]")
        for change in changes:
            self.console.print(Text(f"  {change.principal} on {change.table}"))
            for word, columns, style in (
                ("can now read", change.gained, "green"),
                ("no longer", change.lost, "yellow"),
            ):
                if columns:
                    self.console.print(Text(f"    {word}: {', '.join(columns)}", style=style))
        self.console.print()

    def chapter(self, title: str) -> None:
        self.console.print()
        self.console.rule(f"[bold]{escape(title)}[/bold]", align="left", style="dim")

    def said(self, text: str) -> None:
        self.console.print(Text(text))

    def checked(self, check: Check) -> None:
        mark, style = ("✓", "green") if check.holds else ("✗", "bold red")
        self.console.print(Text.assemble((f"{mark} ", style), check.claim, (f"  {check.found}", "dim")))


def took(outcome: Outcome) -> str:
    """How long it all took, by what: deployments, proofs, the rest."""
    every = sum(step.seconds for step in outcome.steps)
    deploying = sum(step.seconds for step in outcome.steps if step.title.startswith(DEPLOY))
    return f"{every:.0f} s in all, {deploying:.0f} s of it for {len(outcome.proofs)} deployments of every stack"


def matrix(title: str, proof: Proof) -> Table:
    """Tables by principals; what differs from expected.yaml is red."""
    principals = list(dict.fromkeys(one.principal for one in proof.tables))
    cells = {(one.table, one.principal): one for one in proof.tables}
    table = Table(
        title=f"Who can read what, {title}",
        title_justify="left",
        title_style="bold",
        # Narrow enough for the sample on 80 columns.
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
        pad_edge=False,
    )
    table.add_column("table", no_wrap=True)
    for principal in principals:
        table.add_column(_heading(principal), no_wrap=True)
    last = ""
    for name in dict.fromkeys(one.table for one in proof.tables):
        database, _, short = name.partition(".")
        if database != last:
            table.add_row(Text(database, style="bold"))
        last = database
        table.add_row(f" {short}", *(_cell(cells.get((name, principal))) for principal in principals))
    return table


def _heading(principal: str) -> str:
    """A principal over a few short lines: the columns below are narrow."""
    consumer, _, name = principal.partition("/")
    return f"{consumer.replace('-', '-' + NEW_LINE) if len(consumer) > WIDE else consumer}/\n{name}"


def _cell(one: TableProof | None) -> Text:
    if one is None:
        return Text("")
    count = sum(verdict is Verdict.READ for verdict in one.actual.values())
    if count:
        text, style = f"{count} of {len(one.actual)}", "green"
    elif Verdict.DISCOVER in one.actual.values():
        text, style = "discover", "cyan"
    else:
        text, style = "denied", "dim"
    return Text(f"{text} !", style="bold red") if one.differences else Text(text, style=style)


def refusal(proof: Proof) -> Text | None:
    """One refused column of a table that the principal can read otherwise, in Athena's own words."""
    for one in proof.tables:
        if Verdict.READ in one.actual.values() and one.refusals:
            column, reason = next(iter(one.refusals.items()))
            words = reason.strip().splitlines()[0]
            return Text(f"For example, {one.principal} asks for {column} of {one.table}:\n  {words}", style="dim")
    return None


def as_json(outcome: Outcome, endpoint: str | None) -> dict[str, Any]:
    """The outcome for tools. `endpoint`: of the local AWS where it is kept running."""
    return {
        "ok": outcome.ok,
        "mesh": outcome.mesh,
        "endpoint": endpoint,
        "steps": [
            {"title": step.title, "seconds": round(step.seconds, 3), "detail": step.detail} for step in outcome.steps
        ],
        "proofs": {title: _proof_json(proof) for title, proof in outcome.proofs.items()},
        "chapters": {name: _chapter_json(one) for name, one in outcome.chapters.items()},
        "edits": list(outcome.edits),
        "changes": [
            {"principal": one.principal, "table": one.table, "gained": list(one.gained), "lost": list(one.lost)}
            for one in outcome.changes
        ],
    }


def _chapter_json(chapter: ChapterOutcome) -> dict[str, Any]:
    return {
        "title": chapter.title,
        "said": list(chapter.said),
        "checks": [{"claim": one.claim, "holds": one.holds, "found": one.found} for one in chapter.checks],
    }


def _proof_json(proof: Proof) -> dict[str, Any]:
    return {
        "ok": proof.ok,
        "queries": proof.queries,
        "differences": list(proof.differences),
        "tables": [
            {
                "principal": one.principal,
                "table": one.table,
                "columns": {
                    column: {
                        "expected": str(one.expected[column]),
                        "actual": str(verdict),
                        **({"refusal": one.refusals[column]} if column in one.refusals else {}),
                    }
                    for column, verdict in one.actual.items()
                },
            }
            for one in proof.tables
        ],
    }
