"""One pending column on the terminal, and the key that decides on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import typer
from rich.console import Console
from rich.markup import escape

from lakemesh.declarations.errors import printable
from lakemesh.declarations.recommendations import ACCEPT, CHANGE, DECISION, REJECT, Recommendation

KEYS: Final = "[b]a[/b]ccept  [b]r[/b]eject  [b]c[/b]hange  [b]s[/b]kip  [b]b[/b]ulk by confidence  [b]q[/b]uit"


def ask(
    key: tuple[str, str, str], entry: Recommendation, number: int, total: int
) -> Mapping[str, object] | float | None:
    """What to write into the entry; a confidence from which the rest is accepted; None: left pending.

    Raises KeyboardInterrupt for quit.
    """
    console = Console(highlight=False)
    _show(console, key, entry, number, total)
    while True:
        match typer.getchar().lower():
            case "a":
                return {"decision": ACCEPT}
            case "r":
                return {"decision": REJECT, "reason": _reason()}
            case "c":
                return {"decision": _change()}
            case "s" | " ":
                return None
            case "b":
                return _bound()
            case "q" | "\x1b":
                raise KeyboardInterrupt


def _show(console: Console, key: tuple[str, str, str], entry: Recommendation, number: int, total: int) -> None:
    product, table, column = (escape(printable(part)) for part in key)
    found = f"[b]{entry.sensitivity}[/b], {escape(entry.kind)}" + (", sensitive" if entry.sensitive else "")
    console.print(f"\n[dim]{number}/{total}  {product}[/dim]  {table}.[b]{column}[/b]")
    console.print(f"  {found}  [dim]sure to {entry.confidence:.0%}, from {entry.basis}[/dim]")
    for text in entry.evidence:
        console.print(f"  [dim]- {escape(printable(text))}[/dim]")
    if entry.earlier:
        console.print(f"  earlier: {escape(printable(entry.earlier))}")
    console.print(f"  {KEYS}")


def _reason() -> str:
    while True:
        given = str(typer.prompt("Why not")).strip()
        if given:
            return given[:2000]


def _bound() -> float:
    while True:
        given = str(typer.prompt("Accept all that is at least this sure, as 0.9"))
        if re.fullmatch(r"0|1|[01]?\.\d{1,6}", given) and float(given) <= 1:
            return float(given)
        typer.echo("A number between 0 and 1.")


def _change() -> str:
    while True:
        level = str(typer.prompt("Sensitivity (public, internal, confidential, restricted)")).strip()
        kind = str(typer.prompt("Kind (none: no personal data; empty: as proposed)", default="", show_default=False))
        decision = f"{CHANGE}{level} {kind.strip()}".strip()
        if re.fullmatch(DECISION, decision):
            return decision
        typer.echo("One of the four, and a kind in lower-case words with hyphens between, such as tax-id.")
