"""The Markdown that people read on GitHub."""

from __future__ import annotations

import pytest

from lakemesh.workflows.comment import MARKER, deployment, drift, pull_request
from lakemesh.workflows.events import Preview, Step, Violation
from lakemesh.workflows.markdown import LIMIT
from lakemesh.workflows.pulumi import Deployed

CREATED = Preview("domain-ar", (Step("create", "Permissions", "g"),))


def test_a_pull_request_shows_counts_and_resources_of_each_stack() -> None:
    steps = (Step("create", "LogGroup", "a"), Step("update", "Role", "b", ("policy",)), Step("delete", "Role", "c"))
    text = pull_request([Preview("central", steps, unchanged=3), Preview("domain-ar", unchanged=9)])
    assert text.startswith(MARKER.format("preview"))
    assert "| `central` | 1 | 1 |  | 1 |  |" in text
    assert "| `domain-ar` |  |  |  |  | no changes |" in text
    assert "+ LogGroup a\n~ Role b  (policy)\n− Role c\n" in text


def test_no_affected_stack_is_said() -> None:
    assert "No stack is affected." in pull_request([])


def test_whoever_loses_access_for_a_moment_is_listed() -> None:
    step = Step("replace", "Permissions", "g", ("permissions",), interrupts="arn:aws:iam::444455556666:role/Analyst")
    text = pull_request([Preview("domain-ar", (step,))])
    assert "**Access is interrupted for a moment**" in text
    assert "* `arn:aws:iam::444455556666:role/Analyst` (`domain-ar`)" in text


def test_a_stack_that_leaves_the_mesh_comes_with_the_command_that_takes_it_down() -> None:
    assert "`pulumi destroy --stack consumer-treasury`" in pull_request([], removed=["consumer-treasury"])


def test_a_failed_job_is_not_taken_for_an_empty_preview() -> None:
    assert "**Failed: `preview`.** What follows may be incomplete" in pull_request([], failed=["preview"])


def test_errors_and_violations_are_shown_and_counted() -> None:
    violated = Preview(
        "central", violations=(Violation("lf-no-all", True, "grants ALL"), Violation("x", False, "perhaps"))
    )
    text = pull_request([Preview("domain-ar", errors=("mesh.yaml:3:5 no",)), violated])
    assert "| `domain-ar` |  |  |  |  | **failed** |" in text
    assert "| `central` |  |  |  |  | **1 policy violated** |" in text
    assert "* `central` violates `lf-no-all`:\n\n```text\ngrants ALL\n```" in text
    assert "* `central` is advised against by `x`:" in text


def test_what_other_commands_found_is_folded_below() -> None:
    text = pull_request([], findings={"lakemesh diff": "Analyst gains amount"})
    assert "<details><summary>lakemesh diff</summary>\n\n```text\nAnalyst gains amount\n```" in text


@pytest.mark.parametrize(
    "name",
    [
        "`</details><script>alert(1)</script>",
        "@everyone",
        "![x](https://evil.example/x.png)",
        "a | b",
        "```\n# Heading",
        "</summary>",
    ],
)
def test_names_from_a_branch_stay_text(name: str) -> None:
    text = pull_request(
        [Preview(name, (Step("create", name, name),), errors=(name,), violations=(Violation(name, True, name),))],
        removed=[name],
        findings={name: name},
        failed=[name],
    )
    assert _outside_of_code(text).count("<script>") == 0
    assert "@everyone" not in _outside_of_code(text)
    assert "![x]" not in _outside_of_code(text)
    assert "# Heading" not in _outside_of_code(text)
    assert _outside_of_code(text).count("<details>") == _outside_of_code(text).count("</details>")
    row = next(line for line in text.splitlines() if line.startswith("| `"))
    assert row.replace("\\|", "").count("|") == 7, "a name does not add columns to a table"


def _outside_of_code(text: str) -> str:
    """Markdown with fenced blocks and inline code taken out, by CommonMark's rules (sections 4.5 and 6.1)."""
    kept: list[str] = []
    fence = ""
    for line in text.splitlines():
        ticks = len(line) - len(line.lstrip("`"))
        if not fence and ticks >= 3 and "`" not in line[ticks:]:
            fence = "`" * ticks
        elif fence and ticks >= len(fence) and not line.strip("`"):
            fence = ""
        elif not fence:
            kept.append(_without_spans(line))
    assert not fence, "a fence stays open"
    return "\n".join(kept)


def _without_spans(line: str) -> str:
    out, at = "", 0
    while at < len(line):
        if line[at] != "`":
            out += line[at]
            at += 1
            continue
        run = len(line[at:]) - len(line[at:].lstrip("`"))
        end = at + run
        while (close := line.find("`" * run, end)) != -1:
            length = len(line[close:]) - len(line[close:].lstrip("`"))
            if length == run:
                break
            end = close + length
        if close == -1:
            out += "`" * run
            at += run
        else:
            at = close + run
    return out


def test_many_resources_are_cut_with_the_command_that_shows_all() -> None:
    steps = tuple(Step("create", "Permissions", f"g{number}") for number in range(100))
    text = pull_request([Preview("domain-ar", steps)])
    assert "… and 60 more: pulumi preview --stack domain-ar" in text


@pytest.mark.parametrize("size", [LIMIT - 500, LIMIT, 3 * LIMIT])
def test_a_comment_never_outgrows_what_github_takes(size: int) -> None:
    text = pull_request([CREATED], findings={"lakemesh diff": "x\n" * (size // 2)})
    assert len(text) <= LIMIT
    assert _outside_of_code(text).count("<details>") == _outside_of_code(text).count("</details>")
    if size >= LIMIT:
        assert text.endswith("Cut here: the rest is in the run's log.\n")


def test_the_issue_lists_the_stacks_that_differ_only() -> None:
    text = drift([Preview("central", unchanged=9), Preview("domain-ar", (Step("update", "Role", "r", ("policy",)),))])
    assert text.startswith(MARKER.format("drift"))
    assert "`domain-ar`" in text
    assert "`central`" not in text


def test_a_deployment_says_what_was_not_attempted() -> None:
    text = deployment([Deployed("central"), Deployed("domain-ar", code=255), Deployed("consumer-x", attempted=False)])
    assert "| `central` | deployed |" in text
    assert "| `domain-ar` | **failed** (exit code 255) |" in text
    assert "| `consumer-x` | not attempted |" in text
    assert "run the job again" in text
