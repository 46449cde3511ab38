"""`lakemesh up`, `preview`, `destroy`: what they print and how they end."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

from lakemesh.cli import local
from lakemesh.cli.main import app
from lakemesh.deploy import pulumi
from lakemesh.deploy.progress import ConsoleReporter, sentence
from lakemesh.deploy.run import SILENT, Change, Counts, StackResult, deploy
from tests.deploy.conftest import Site

Lakemesh = Callable[..., Result]


@pytest.fixture
def lakemesh(site: Site, monkeypatch: pytest.MonkeyPatch) -> Lakemesh:
    """The command, with the test's local AWS as the running one."""
    monkeypatch.chdir(site.root)  # where its state goes
    monkeypatch.setattr(local, "endpoint", lambda: site.endpoint)

    def run(*arguments: str, answer: str | None = None) -> Result:
        return CliRunner().invoke(app, [*arguments, "--mesh", str(site.mesh)], input=answer)

    return run


@pytest.mark.parametrize("action", ["up", "preview", "destroy"])
def test_the_in_process_engine_never_deploys_to_real_accounts(lakemesh: Lakemesh, action: str) -> None:
    """Misuse, told at once: nobody is asked for a yes first."""
    result = lakemesh(action, "domain-ar")
    assert result.exit_code == 2
    assert "deploys to a local AWS only (--local)" in result.stderr


@pytest.mark.parametrize("action", ["up", "destroy"])
def test_real_accounts_are_asked_about(lakemesh: Lakemesh, action: str) -> None:
    result = lakemesh(action, "domain-ar", "--engine", "pulumi", answer="n\n")
    assert result.exit_code == 1
    assert "real accounts" in result.stderr.lower()


def test_without_pulumi_the_error_says_where_to_get_it(lakemesh: Lakemesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi, "find_cli", lambda root: None)
    result = lakemesh("up", "--yes", "--engine", "pulumi")
    assert result.exit_code == 1
    assert "There is no pulumi on PATH" in result.stderr
    assert "make tools" in result.stderr
    assert lakemesh("up", "--local", "--engine", "pulumi").stderr == result.stderr


def test_auto_takes_the_engine_that_is_there_and_that_the_stacks_were_deployed_by(
    lakemesh: Lakemesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi, "find_cli", lambda root: None)
    assert lakemesh("up", "--local", "central", "--engine", "auto").exit_code == 0
    monkeypatch.setattr(pulumi, "find_cli", lambda root: Path("/nowhere/bin/pulumi"))
    again = lakemesh("up", "--local", "central", "--engine", "auto")
    assert "2 resources unchanged" in again.stdout
    refused = lakemesh("up", "--local", "central", "--engine", "pulumi")
    assert refused.exit_code == 1
    assert "central were deployed by the engine inprocess" in refused.stderr
    assert "--engine inprocess, or begin anew: lakemesh local reset" in refused.stderr


def test_a_directory_that_is_not_there_is_misuse(site: Site) -> None:
    result = CliRunner().invoke(app, ["up", "--local", "--mesh", str(site.root / "nowhere")])
    assert result.exit_code == 2
    assert "nowhere" in result.stderr


def test_no_running_local_aws_is_an_error_that_says_how_to_start_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "endpoint", lambda: None)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    result = CliRunner().invoke(app, ["up", "--local", "--mesh", str(site.mesh)])
    assert result.exit_code == 1
    assert "lakemesh local start" in result.stderr


@pytest.mark.parametrize("url", ["https://glue.eu-central-1.amazonaws.com", "http://127.0.0.1:9", "http://127.0.0.1.evil.example"])  # fmt: skip
def test_an_endpoint_where_no_local_aws_answers_is_never_deployed_to(
    site: Site, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(local, "endpoint", lambda: None)
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    assert CliRunner().invoke(app, ["up", "--local", "--mesh", str(site.mesh)]).exit_code == 1


def test_the_endpoint_of_the_environment_is_used_when_a_local_aws_answers_there(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "endpoint", lambda: None)
    monkeypatch.setenv("AWS_ENDPOINT_URL", site.endpoint)
    assert CliRunner().invoke(app, ["up", "central", "--local", "--mesh", str(site.mesh)]).exit_code == 0


def test_up_prints_each_change_and_a_summary_and_the_second_time_that_there_is_none(lakemesh: Lakemesh) -> None:
    first = lakemesh("up", "--local", "central")
    assert first.exit_code == 0, first.output
    assert "+ aws:cloudwatch/logGroup:LogGroup notes created" in first.stdout
    assert "2 created." in first.stdout
    second = lakemesh("up", "--local", "central")
    assert second.exit_code == 0
    assert "Nothing to change: 2 resources unchanged." in second.stdout
    assert "created" in second.stdout  # the table's head


def test_preview_says_what_up_would_do_and_does_nothing(lakemesh: Lakemesh) -> None:
    result = lakemesh("preview", "--local", "central")
    assert result.exit_code == 0
    assert "2 to create." in result.stdout
    assert "2 created." in lakemesh("up", "--local", "central").stdout


def test_a_failure_ends_with_1_and_names_stack_resource_and_what_was_not_attempted(
    lakemesh: Lakemesh, site: Site
) -> None:
    site.want('{"producer-erp": {"topics": {"a b": "x"}}}')
    result = lakemesh("up", "--local", "central", "producer-erp", "producer-procurement")
    assert result.exit_code == 1
    assert "error: aws:cloudwatch/logGroup:LogGroup (a b)" in result.stdout
    assert "Stack producer-erp failed. Not attempted: producer-procurement." in result.stdout


def test_an_invalid_mesh_is_printed_in_full_and_nothing_is_deployed(lakemesh: Lakemesh, site: Site) -> None:
    path = site.mesh / "mesh.yaml"
    path.write_text(path.read_text().replace("region:", "regoin:").replace("ramSharing:", "ramSharign:"))
    result = lakemesh("up", "--local")
    assert result.exit_code == 1
    assert "regoin" in result.stderr
    assert "ramSharign" in result.stderr


def test_an_unknown_stack_ends_with_1_and_lists_the_parts(lakemesh: Lakemesh) -> None:
    result = lakemesh("up", "--local", "consumer-tresury")
    assert result.exit_code == 1
    assert "Did you mean consumer-treasury?" in result.stderr


def test_a_missing_predecessor_ends_with_1_and_the_command_to_run_first(lakemesh: Lakemesh) -> None:
    result = lakemesh("up", "--local", "producer-erp")
    assert result.exit_code == 1
    assert "lakemesh up --local central" in result.stderr


def loaded(result: Result) -> dict[str, Any]:
    return dict(json.loads(result.stdout))


def test_json_is_all_that_stdout_has(lakemesh: Lakemesh) -> None:
    found = loaded(lakemesh("up", "--local", "central", "--format", "json"))
    assert found["ok"] is True
    (stack,) = found["stacks"]
    assert stack["stack"] == "central"
    assert stack["counts"] == {"created": 2, "updated": 0, "replaced": 0, "deleted": 0, "unchanged": 0}
    assert {change["name"] for change in stack["changes"]} == {"aws", "notes"}


def test_json_of_a_deployment_that_was_not_begun(lakemesh: Lakemesh) -> None:
    result = lakemesh("up", "--local", "domain-ar", "--format", "json")
    assert result.exit_code == 1
    assert loaded(result)["ok"] is False
    assert "producer-erp" in loaded(result)["error"]


def test_destroy_asks_and_does_nothing_without_a_yes(lakemesh: Lakemesh) -> None:
    lakemesh("up", "--local", "central")
    refused = lakemesh("destroy", "--local", "central", answer="n\n")
    assert refused.exit_code == 1
    assert "2 resources unchanged" in lakemesh("up", "--local", "central").stdout
    assert lakemesh("destroy", "--local", "central", answer="y\n").exit_code == 0
    assert "2 created" in lakemesh("up", "--local", "central").stdout


def test_destroy_with_yes_does_not_ask(lakemesh: Lakemesh) -> None:
    lakemesh("up", "--local", "central")
    result = lakemesh("destroy", "--local", "--yes")
    assert result.exit_code == 0
    assert "2 deleted." in result.stdout


def test_destroy_of_protected_resources_fails_and_says_how_to_keep_them(lakemesh: Lakemesh, site: Site) -> None:
    site.want('{"central": {"protect": true}}')
    lakemesh("up", "--local", "central")
    result = lakemesh("destroy", "--local", "--yes")
    assert result.exit_code == 1
    assert "--exclude-protected" in result.stdout
    assert lakemesh("destroy", "--local", "--yes", "--exclude-protected").exit_code == 0


def test_a_stack_whose_part_left_the_mesh_is_told_after_up(lakemesh: Lakemesh, bare: Site) -> None:
    text = (bare.mesh / "mesh.yaml").read_text()
    producer = 'producers:\n  erp:\n    account: "222233334444"\n    owner: "@acme/erp"\n'
    (bare.mesh / "mesh.yaml").write_text(text + producer)
    assert lakemesh("up", "--local").exit_code == 0
    (bare.mesh / "mesh.yaml").write_text(text)
    assert "lakemesh destroy --local producer-erp" in lakemesh("up", "--local").stdout


def test_on_a_terminal_lines_come_with_a_live_line_that_is_gone_at_the_end(site: Site) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with ConsoleReporter(console) as reporter:
        deploy(site.mesh, ["central"], site.endpoint, reporter)
    assert "notes" in screen.getvalue()


def test_the_sentence_counts_everything_that_happened() -> None:
    change = (Change("create", "t", "n", "u"),)
    results = [
        StackResult("a", counts=Counts(created=2, unchanged=1), changes=change),
        StackResult("b", counts=Counts(created=1, replaced=1), changes=change),
    ]
    assert sentence(results) == "3 created, 1 replaced, 1 unchanged."
    assert sentence(results, preview=True) == "3 to create, 1 to replace, 1 unchanged."
    assert SILENT.stack_started("a") is None
