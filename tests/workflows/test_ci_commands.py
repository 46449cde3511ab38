"""`lakemesh ci`, as the workflows call it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from tests.workflows.conftest import Checkout, StandIns, event

GROUP = "aws:cloudwatch/logGroup:LogGroup"
Lakemesh = Callable[..., Result]


@pytest.fixture
def lakemesh(
    commands: typer.Typer, checkout: Checkout, stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch
) -> Lakemesh:
    """`lakemesh …` at the checkout's top, with stand-ins for pulumi and gh, as in a job of GitHub's."""
    stand_ins.add("pulumi")
    stand_ins.add("gh")
    monkeypatch.chdir(checkout.root)
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/mesh")
    monkeypatch.setenv("GITHUB_SHA", "abc")
    monkeypatch.setenv("GITHUB_REF", "refs/pull/7/merge")
    return lambda *arguments: CliRunner().invoke(commands, list(arguments))


def test_settings_are_lines_for_a_steps_outputs(lakemesh: Lakemesh) -> None:
    result = lakemesh("ci", "settings", "--environment", "lakemesh")
    assert result.exit_code == 0
    assert [line.partition("=")[0] for line in result.stdout.splitlines()] == [
        "role", "region", "backend", "secrets-provider",
    ]  # fmt: skip


def test_settings_of_an_untrusted_environment_are_refused(lakemesh: Lakemesh) -> None:
    result = lakemesh("ci", "settings", "--environment", "production")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "deployment.github.environments" in result.stderr


def test_up_deploys_every_stack_in_order_and_sums_up(lakemesh: Lakemesh, stand_ins: StandIns, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    result = lakemesh("ci", "up", "--secrets-provider", "awskms:///alias/k", "--summary", str(summary))
    assert result.exit_code == 0, result.stderr
    deployed = [call.split()[2] for call in stand_ins.arguments("pulumi") if call.startswith("up ")]
    assert deployed == [
        "central", "producer-erp", "producer-procurement", "domain-ap", "domain-ar",
        "consumer-finance-analytics", "consumer-treasury",
    ]  # fmt: skip
    assert "| `consumer-treasury` | deployed |" in summary.read_text()


def test_up_sorts_the_stacks_it_is_given(lakemesh: Lakemesh, stand_ins: StandIns) -> None:
    lakemesh("ci", "up", "consumer-treasury", "central")
    assert [call.split()[2] for call in stand_ins.arguments("pulumi") if call.startswith("up ")] == [
        "central", "consumer-treasury",
    ]  # fmt: skip


def test_up_stops_at_the_first_failure_and_says_what_was_not_attempted(
    lakemesh: Lakemesh, stand_ins: StandIns, tmp_path: Path
) -> None:
    stand_ins.add("pulumi", [{"when": ["up", "domain-ap"], "code": 255}])
    result = lakemesh("ci", "up", "--summary", str(tmp_path / "summary.md"))
    assert result.exit_code == 1
    told = (tmp_path / "summary.md").read_text()
    assert "| `domain-ap` | **failed** (exit code 255) |" in told
    assert "| `domain-ar` | not attempted |" in told
    assert not any("consumer" in call for call in stand_ins.arguments("pulumi"))


@pytest.mark.parametrize("command", [("up",), ("drift", "--out", "x.json")])
def test_an_unknown_stack_is_misuse(lakemesh: Lakemesh, stand_ins: StandIns, command: tuple[str, ...]) -> None:
    result = lakemesh("ci", *command, "domain-arr")
    assert result.exit_code == 2
    assert "Did you mean domain-ar?" in result.stderr
    assert stand_ins.calls("pulumi") == []


def test_an_invalid_mesh_deploys_nothing(lakemesh: Lakemesh, stand_ins: StandIns, checkout: Checkout) -> None:
    checkout.replace("mesh/mesh.yaml", "region:", "regoin:")
    assert lakemesh("ci", "up").exit_code == 1
    assert stand_ins.calls("pulumi") == []


def test_a_missing_cli_is_misuse_and_named(lakemesh: Lakemesh, stand_ins: StandIns) -> None:
    (stand_ins.folder / "pulumi").unlink()
    monkey = pytest.MonkeyPatch()
    monkey.setenv("PATH", str(stand_ins.folder))
    result = lakemesh("ci", "up")
    monkey.undo()
    assert result.exit_code == 2
    assert "no pulumi on PATH" in result.stderr


def test_a_preview_is_written_and_a_violated_policy_fails_it(
    lakemesh: Lakemesh, stand_ins: StandIns, tmp_path: Path
) -> None:
    violated = json.dumps(
        {"policyEvent": {"policyName": "lf-no-all", "enforcementLevel": "mandatory", "message": "grants ALL"}}
    )
    out = f"{event('create', GROUP, 'new')}\n{violated}\n"
    stand_ins.add("pulumi", [{"when": ["preview"], "out": out, "code": 1}])
    result = lakemesh("ci", "preview", "--stack", "central", "--out", str(tmp_path / "preview.json"))
    assert result.exit_code == 1
    assert "lf-no-all: grants ALL" in result.stderr
    assert json.loads((tmp_path / "preview.json").read_text())["steps"][0]["name"] == "new"


def test_drift_looks_at_every_stack_even_if_one_has_drifted(
    lakemesh: Lakemesh, stand_ins: StandIns, tmp_path: Path
) -> None:
    drifted = {"when": ["central"], "code": 7, "out": event("update", GROUP, "edited") + "\n"}
    stand_ins.add("pulumi", [drifted])
    result = lakemesh("ci", "drift", "--out", str(tmp_path / "drift.json"))
    assert result.exit_code == 1
    assert len(stand_ins.calls("pulumi")) == 7
    assert [each["stack"] for each in json.loads((tmp_path / "drift.json").read_text()) if each["steps"]] == ["central"]


def test_the_comment_gathers_what_the_jobs_left(lakemesh: Lakemesh, tmp_path: Path, stand_ins: StandIns) -> None:
    artifacts = tmp_path / "artifacts"
    for folder in ("plan", "preview-domain-ar", "preview-central"):
        (artifacts / folder).mkdir(parents=True)
    plan = {"affected": [{"stack": "central"}, {"stack": "domain-ar"}], "removed": ["consumer-old"]}
    (artifacts / "plan" / "plan.json").write_text(json.dumps(plan))
    (artifacts / "plan" / "findings-diff.txt").write_text("Analyst gains amount\n")
    (artifacts / "plan" / "findings-check.txt").write_text("")
    for stack in ("domain-ar", "central"):
        preview = {"stack": stack, "steps": [], "unchanged": 1, "violations": [], "errors": [], "new": False}
        (artifacts / f"preview-{stack}" / f"preview-{stack}.json").write_text(json.dumps(preview))
    result = lakemesh("ci", "comment", "--number", "7", "--artifacts", str(artifacts), "--failed", "", "--dry-run")
    assert result.exit_code == 0, result.stderr
    text = result.stdout
    assert text.index("`central`") < text.index("`domain-ar`"), "in the order of deployment"
    assert "pulumi destroy --stack consumer-old" in text
    assert "lakemesh diff" in text
    assert "lakemesh check" not in text, "a command that found nothing is not mentioned"
    assert stand_ins.calls("gh") == []


def test_a_comment_without_artifacts_says_which_jobs_failed(
    lakemesh: Lakemesh, tmp_path: Path, stand_ins: StandIns
) -> None:
    result = lakemesh("ci", "comment", "--number", "7", "--artifacts", str(tmp_path / "none"), "--failed", "validate,")
    assert result.exit_code == 0, result.stderr
    assert "**Failed: `validate`.**" in stand_ins.calls("gh")[-1]["given"]


@pytest.mark.parametrize(("steps", "finding", "wanted"), [(False, "", False), (True, "", True), (False, "gone", True)])
def test_the_issue_is_wanted_where_anything_differs(
    lakemesh: Lakemesh, tmp_path: Path, stand_ins: StandIns, steps: bool, finding: str, wanted: bool
) -> None:
    step = {"op": "update", "type": "Role", "name": "r", "properties": [], "interrupts": ""}
    found = {"stack": "central", "steps": [step] * steps, "unchanged": 1, "violations": [], "errors": [], "new": False}
    (tmp_path / "drift.json").write_text(json.dumps([found]))
    (tmp_path / "findings-drift.txt").write_text(finding)
    result = lakemesh("ci", "issue", "--artifacts", str(tmp_path))
    assert (result.exit_code, result.stdout.strip()) == (0, "made" if wanted else "nothing")


def test_an_issue_without_a_report_fails_instead_of_closing_the_open_one(
    lakemesh: Lakemesh, tmp_path: Path, stand_ins: StandIns
) -> None:
    assert lakemesh("ci", "issue", "--artifacts", str(tmp_path)).exit_code == 1
    assert stand_ins.calls("gh") == []


def test_findings_that_code_scanning_refuses_are_a_warning(
    lakemesh: Lakemesh, tmp_path: Path, stand_ins: StandIns
) -> None:
    stand_ins.add("gh", [{"code": 1, "err": "HTTP 403: Advanced Security must be enabled\n"}])
    (tmp_path / "x.sarif").write_text("{}")
    result = lakemesh("ci", "sarif", str(tmp_path / "x.sarif"))
    assert result.exit_code == 0
    assert result.stderr.startswith("::warning::")
