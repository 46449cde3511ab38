"""Markdown for people: the comment on a pull request, the issue about drift, the summary of a deployment.

Names and messages come from a branch that nobody has reviewed: whatever they hold is shown as text, never as Markdown,
HTML or a mention.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lakemesh.workflows.events import ORDER, Preview, Step
from lakemesh.workflows.markdown import code, cut, fenced, html
from lakemesh.workflows.pulumi import Deployed

MARKER: Final = "<!-- lakemesh:{} -->"
_SHOWN: Final = 40
_SIGNS: Final = {"create": "+", "update": "~", "replace": "±", "delete": "−"}
_DONE: Final = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted"}


def pull_request(
    previews: Sequence[Preview],
    *,
    removed: Sequence[str] = (),
    findings: Mapping[str, str] | None = None,
    failed: Sequence[str] = (),
) -> str:
    """The comment on a pull request.

    `removed`: stacks that leave the mesh; `findings`: what other commands printed, by command; `failed`: jobs of the
    workflow that failed, so that a missing preview is not taken for an empty one.
    """
    lines = [MARKER.format("preview"), "## What merging this deploys", ""]
    if failed:
        lines += [f"**Failed: {code(', '.join(failed))}.** What follows may be incomplete; see the run's log.", ""]
    lines += _table(previews) if previews else ["No stack is affected.", ""]
    lines += _interruptions(previews)
    for stack in removed:
        by_hand = code(f"pulumi destroy --stack {stack}")
        said = (
            f"* {code(stack)} leaves the mesh. Merging deletes nothing of it: take it down afterwards with {by_hand}."
        )
        lines += [said, ""]
    for preview in previews:
        lines += _details(preview)
    for command, text in sorted((findings or {}).items()):
        lines += [f"<details><summary>{html(command)}</summary>", "", *fenced(text), "", "</details>", ""]
    return cut("\n".join(lines))


def drift(previews: Sequence[Preview], *, findings: Mapping[str, str] | None = None) -> str:
    """The issue about stacks that AWS no longer agrees with."""
    drifted = [preview for preview in previews if not preview.clean]
    lines = [
        MARKER.format("drift"),
        "Somebody changed what the mesh deployed, or AWS did. `pulumi up --refresh --stack <stack>` puts back what the",
        "mesh says; if the change was meant, declare it in `mesh/` first. docs/ci.md says more.",
        "",
        *(_table(drifted) if drifted else ["No stack differs from what is declared.", ""]),
    ]
    for preview in drifted:
        lines += _details(preview)
    for command, text in sorted((findings or {}).items()):
        lines += [f"<details><summary>{html(command)}</summary>", "", *fenced(text), "", "</details>", ""]
    return cut("\n".join(lines))


def deployment(results: Sequence[Deployed]) -> str:
    """The summary of a deployment."""
    lines = ["| stack | |", "|---|---|"]
    for result in results:
        said = (
            "deployed"
            if result.ok
            else f"**failed** (exit code {result.code})"
            if result.attempted
            else "not attempted"
        )
        lines.append(f"| {code(result.stack)} | {said} |")
    if not all(result.ok for result in results):
        lines += ["", "Mend the cause and run the job again: Pulumi goes on where it stopped."]
    return "\n".join(lines) + "\n"


# -------------------------------------------------------------------------------------------------------- pieces
def _table(previews: Iterable[Preview]) -> list[str]:
    heads = [_DONE[op] for op in ORDER]
    lines = [f"| stack | {' | '.join(heads)} | |", "|---|" + "--:|" * len(heads) + "---|"]
    for preview in previews:
        counts = " | ".join(str(preview.count(op) or "") for op in ORDER)
        lines.append(f"| {code(preview.stack)} | {counts} | {_verdict(preview)} |")
    return [*lines, ""]


def _verdict(preview: Preview) -> str:
    if preview.errors:
        return "**failed**"
    if mandatory := sum(violation.mandatory for violation in preview.violations):
        return f"**{mandatory} polic{'y' if mandatory == 1 else 'ies'} violated**"
    if preview.new:
        return "new stack"
    return "" if preview.steps else "no changes"


def _interruptions(previews: Iterable[Preview]) -> list[str]:
    cut = sorted(
        {(step.interrupts, preview.stack) for preview in previews for step in preview.steps if step.interrupts}
    )
    if not cut:
        return []
    # Pulumi revokes the old grant before it makes the new one: see components/permissions.py.
    return [
        "**Access is interrupted for a moment**, while these grants are replaced:",
        "",
        *(f"* {code(principal)} ({code(stack)})" for principal, stack in cut[:_SHOWN]),
        *([f"* and {len(cut) - _SHOWN} more"] if len(cut) > _SHOWN else []),
        "",
    ]


def _details(preview: Preview) -> list[str]:
    lines: list[str] = []
    for error in preview.errors:
        lines += [f"**{code(preview.stack)} failed:**", "", *fenced(error), ""]
    for violation in preview.violations:
        word = "violates" if violation.mandatory else "is advised against by"
        lines += [f"* {code(preview.stack)} {word} {code(violation.policy)}:", "", *fenced(violation.message), ""]
    if preview.steps:
        total = len(preview.steps)
        title = f"{preview.stack}: {total} resource{'s' if total != 1 else ''}"
        shown = [_line(step) for step in preview.steps[:_SHOWN]]
        if total > _SHOWN:
            shown.append(f"… and {total - _SHOWN} more: pulumi preview --stack {preview.stack}")
        lines += [f"<details><summary>{html(title)}</summary>", "", *fenced("\n".join(shown)), "", "</details>", ""]
    return lines


def _line(step: Step) -> str:
    properties = f"  ({', '.join(step.properties)})" if step.properties and step.op != "create" else ""
    return f"{_SIGNS[step.op]} {step.type} {step.name}{properties}"
