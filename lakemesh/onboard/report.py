"""A proposal for people and for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.markup import escape

from lakemesh.declarations.errors import printable
from lakemesh.onboard.proposal import Change, Proposal

_MOST_LINES = 400
"""Lines of diff that a terminal shows at once; a file shows all."""


def as_json(proposal: Proposal, root: str, *, written: bool) -> str:
    """`{"ok", "written", "changes": [{"file", "new", "diff"}], "done", "refused", "notes", "merges"}`."""
    document: dict[str, Any] = {
        "ok": True,
        "written": written,
        "changes": [
            {"file": f"{root}/{change.name}", "new": change.before is None, "diff": change.diff(root)}
            for change in proposal.changes
        ],
        "done": proposal.done,
        "refused": [{"what": one.what, "why": one.why, "mend": one.mend} for one in proposal.refused],
        "notes": proposal.notes,
        "merges": [
            {
                "policy": one.policy,
                "state": one.state,
                "reason": one.reason,
                "statements": [dict(statement) for statement in one.statements],
            }
            for one in proposal.merges
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def show(proposal: Proposal, root: str, console: Console) -> None:
    """What would be written, then what a person has to know."""
    for change in proposal.changes:
        _diff(change, root, console)
    for title, lines in (
        ("Not taken", list(_refused(proposal))),
        ("Worth knowing", [printable(note) for note in proposal.notes]),
        ("Policies of the producer", list(_merges(proposal))),
    ):
        if lines:
            console.print(f"\n[bold]{title}[/]")
            for line in lines:
                console.print(f"  {escape(line)}", highlight=False, soft_wrap=True)
    if proposal.changes:
        console.print("\n[bold]Entries[/]")
        for said in proposal.done:
            console.print(f"  {escape(said)}", highlight=False, soft_wrap=True)


def _diff(change: Change, root: str, console: Console) -> None:
    lines = change.diff(root).splitlines()
    shown = lines if not console.is_terminal else lines[:_MOST_LINES]
    for line in shown:
        style = (
            "green" if line.startswith("+") else "red" if line.startswith("-") else "cyan" if line[:2] == "@@" else ""
        )
        console.print(escape(line), style=style or None, highlight=False, soft_wrap=True)
    if len(lines) > len(shown):
        console.print(f"[dim]… and {len(lines) - len(shown)} more lines of {escape(change.name)}[/]")


def _refused(proposal: Proposal) -> Iterator[str]:
    for one in proposal.refused:
        yield printable(f"{one.what}: {one.why}. {one.mend}".rstrip())


def _merges(proposal: Proposal) -> Iterator[str]:
    for one in proposal.merges:
        if one.state == "present":
            yield f"{one.policy}: has the mesh's statements already"
            continue
        if one.state == "refused":
            yield f"{one.policy}: refused. {printable(one.reason)}"
        else:
            yield f"{one.policy}: the producer's stack merges these statements, and keeps every other"
        for statement in one.statements:
            yield f"  {json.dumps(statement, ensure_ascii=False)}"
