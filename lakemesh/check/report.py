"""Findings for people (tables), for scripts (JSON), for code review tools (SARIF) and for comments (Markdown)."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lakemesh.check.approvals import Verdicts
from lakemesh.check.finding import Finding, Judged, Rule
from lakemesh.declarations.errors import printable
from lakemesh.declarations.report import SARIF_SCHEMA

_EXCEPTIONS: Final = "exceptions-hold"
_MARKDOWN: Final = str.maketrans(
    {**{mark: f"\\{mark}" for mark in "\\*_[]~#"}, "|": "&#124;", "`": "&#96;", "@": "&#64;"}
)


def sentence(results: Sequence[Judged], rules: int, profile: str) -> str:
    """One line about all of it."""
    found = [each for result in results for each in result.findings]
    refused = sum(each.mandatory for each in found)
    unknown = sum(each.unknown for each in found)
    said = [
        f"{_counted(refused, 'finding')} that a deployment is refused for" if refused else "nothing is refused",
        *([f"{_counted(count, 'finding')} to look at"] if (count := len(found) - refused - unknown) else []),
        *(
            [f"{_counted(count, 'stack')} could not be checked"]
            if (count := sum(bool(r.errors) for r in results))
            else []
        ),
    ]
    text = f"{_counted(len(results), 'stack')}, {_counted(rules, 'rule')}, profile {profile}: {', '.join(said)}."
    if waits := waiting(results):
        text += (
            f" {_counted(len(waits), 'rule')} {'waits' if len(waits) == 1 else 'wait'} for values that only a "
            "deployment makes, and the deployment asks again."
        )
    return text


@dataclass(frozen=True)
class Waiting:
    """A rule that could not be answered yet, once for all resources that it waits for."""

    rule: str
    resources: int
    stacks: int

    def __str__(self) -> str:
        return f"{self.rule} ({_counted(self.resources, 'resource')} in {_counted(self.stacks, 'stack')})"


def waiting(results: Sequence[Judged]) -> list[Waiting]:
    """Rules that wait for a deployment, by name."""
    found: dict[str, set[tuple[str, str]]] = {}
    for each in (each for result in results for each in result.findings if each.unknown):
        found.setdefault(each.rule, set()).add((each.stack, each.urn))
    return [Waiting(rule, len(places), len({stack for stack, _ in places})) for rule, places in sorted(found.items())]


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def shown(result: Judged) -> list[Finding]:
    """Findings that somebody can do something about now."""
    return [each for each in result.findings if not each.unknown]


# -------------------------------------------------------------------------------------------------------------- text
def write_text(console: Console, results: Sequence[Judged], summary: str) -> None:
    """A table for each stack about which there is something to say."""
    for result in results:
        if found := shown(result):
            table = Table(title=escape(result.stack), title_justify="left", title_style="bold", expand=False)
            for name in ("", "severity", "rule", "resource"):
                table.add_column(name, no_wrap=True)
            table.add_column("what is wrong", overflow="fold")
            for each in found:
                sign, style = ("refused", "red") if each.mandatory else ("look", "yellow")
                words = (each.severity, each.rule, each.resource, each.message)
                table.add_row(Text(sign, style), *(Text(printable(word)) for word in words))
            console.print(table)
        for error in result.errors:
            told = "\n".join(map(printable, error.splitlines()))
            console.print(f"{result.stack}: {told}", markup=False, soft_wrap=True)
    if waits := waiting(results):
        told = ", ".join(map(str, waits))
        console.print(f"Waiting for a deployment: {told}.", style="dim", highlight=False, soft_wrap=True, markup=False)
    console.print(summary, highlight=False, soft_wrap=True, markup=False)


# -------------------------------------------------------------------------------------------------------------- JSON
def as_json(results: Sequence[Judged], rules: Mapping[str, Rule], profile: str, approvals: Verdicts) -> str:
    """`{"ok", "profile", "rules", "approvals", "waiting", "stacks": [{"stack", "ok", "errors", "findings"}]}`."""
    document = {
        "ok": all(result.ok for result in results),
        "profile": profile,
        "rules": len(rules),
        "approvals": {"said": approvals.sentence, "grants": approvals.by_grant},
        "waiting": [asdict(each) for each in waiting(results)],
        "stacks": [
            {
                "stack": result.stack,
                "ok": result.ok,
                "errors": list(result.errors),
                "findings": [
                    {**asdict(each), "type": each.type, "resource": each.resource} for each in result.findings
                ],
            }
            for result in results
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


# ------------------------------------------------------------------------------------------------------------- SARIF
def as_sarif(results: Sequence[Judged], rules: Mapping[str, Rule], files: Mapping[str, str], version: str) -> str:
    """One SARIF run. `files`: what people edit for each stack, and for "exceptions"; code review tools show files."""
    found = [each for result in results for each in shown(result)]
    used = sorted({each.rule for each in found})
    described = [_described(rules.get(name, Rule(name))) for name in used]
    run = {
        "tool": {"driver": {"name": "lakemesh check", "version": version, "rules": described}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, used.index(each.rule), files) for each in found],
        "invocations": [
            {
                "executionSuccessful": not any(result.errors for result in results),
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": f"{result.stack}: {error}"}}
                    for result in results
                    for error in result.errors
                ],
            }
        ],
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _described(rule: Rule) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": rule.name,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.description or rule.name},
        "help": {"text": " ".join(filter(None, [rule.remediation, rule.url])) or rule.name},
        "properties": {"severity": rule.severity},
    }
    return {**described, "helpUri": rule.url} if "://" in rule.url else described


def _result(finding: Finding, index: int, files: Mapping[str, str]) -> dict[str, Any]:
    file = files["exceptions"] if finding.rule == _EXCEPTIONS and "exceptions" in files else files[finding.stack]
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": "error" if finding.mandatory else "warning",
        "message": {"text": f"{finding.stack}: {finding.message}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": file, "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"fullyQualifiedName": finding.urn}],
            }
        ],
    }


# ---------------------------------------------------------------------------------------------------------- Markdown
def as_markdown(results: Sequence[Judged], summary: str) -> str:
    """A table for a comment. Whatever names and messages hold is shown as text."""
    lines = [_markdown(summary), ""]
    rows = [(result.stack, each) for result in results for each in shown(result)]
    if rows:
        lines += ["| | stack | severity | rule | resource | what is wrong |", "|---|---|---|---|---|---|"]
    for stack, each in rows:
        sign = "**refused**" if each.mandatory else "look"
        words = (stack, each.severity, each.rule, each.resource, each.message)
        lines.append(f"| {sign} | {' | '.join(map(_markdown, words))} |")
    for result in results:
        lines += [f"\n{_markdown(f'{result.stack}: {error}')}" for error in result.errors]
    if waits := waiting(results):
        lines += ["", f"Waiting for a deployment: {', '.join(_markdown(str(each)) for each in waits)}."]
    return "\n".join(lines).rstrip() + "\n"


def _markdown(text: str) -> str:
    return html.escape(" ".join(text.split()), quote=False).translate(_MARKDOWN)
