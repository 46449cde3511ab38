"""`lakemesh check --live`: the rules over what is deployed, whichever engine deployed it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import Result

from lakemesh.check.finding import Judged
from lakemesh.deploy.choice import Choice
from lakemesh.deploy.choose import engine
from tests.check.conftest import Project

pytestmark = pytest.mark.xdist_group("engine")
PROGRAM = """
import pulumi
import pulumi_aws as aws

central = aws.Provider("central", region="eu-central-1", allowed_account_ids=["111122223333"])
opts = pulumi.ResourceOptions(provider=central)
key = aws.kms.Key("key", deletion_window_in_days=7, opts=opts)
aws.sqs.Queue("plain", name="plain", opts=opts)
aws.sqs.Queue("encrypted", name="encrypted", kms_master_key_id=key.arn, opts=opts)
pulumi.export("password", pulumi.Output.secret("hidden"))
"""
RULE = "catalog-topics-and-queues-use-customer-keys"


def deployed(project: Project, choice: Choice, endpoint: str) -> Judged:
    """What the rules say of the stack after its deployment."""
    (project.root / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    (project.mesh / "exceptions.yaml").unlink()
    project.edit(lambda mesh: mesh.update(policies={"profile": "advisory"}))
    checking = project.checking(engine=choice, endpoint=endpoint, live=True)
    with ExitStack() as opened:
        made = engine(choice, checking.declarations, project.mesh, opened, endpoint=endpoint, home=checking.home)
        assert made.up("central", None, preview=False).errors == ()
    # What the program says now is not asked.
    (project.root / "__main__.py").write_text("raise ValueError", encoding="utf-8")
    with checking.asked(["central"]) as (_, asked):
        return next(asked)


def found(result: Judged) -> set[tuple[str, str]]:
    assert result.errors == ()
    assert not [each for each in result.findings if each.unknown]
    return {(each.rule, each.resource) for each in result.findings}


def test_what_the_ledger_of_the_local_aws_has_is_judged(project: Project, reset: Callable[[], str]) -> None:
    said = found(deployed(project, Choice.INPROCESS, reset()))
    assert {resource for rule, resource in said if rule == RULE} == {"plain"}


def test_what_pulumis_state_has_is_judged_alike(
    project: Project, reset: Callable[[], str], cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([str(cli.parent.resolve()), os.environ["PATH"]]))
    expected = found(deployed(project, Choice.INPROCESS, reset()))
    (project.mesh / "exceptions.yaml").write_text("exceptions: []\n")
    assert found(deployed(project, Choice.PULUMI, reset())) == expected


def test_a_stack_that_is_not_deployed_is_told(project: Project, reset: Callable[[], str]) -> None:
    checking = project.checking(engine=Choice.INPROCESS, endpoint=reset(), live=True)
    with checking.asked(["central"]) as (_, asked):
        assert next(asked) == Judged("central", errors=("Nothing of it is deployed.",))


def test_the_in_process_engine_has_nothing_on_real_accounts(project: Project, lakemesh: Callable[..., Result]) -> None:
    result = lakemesh("--live", "--engine", "inprocess", "--mesh", project.mesh)
    assert result.exit_code == 2
    assert "deploys to a local AWS only" in result.stderr


def test_rules_that_wait_are_said_once_for_all_their_resources(
    project: Project, lakemesh: Callable[..., Result]
) -> None:
    arguments = ("--engine", "inprocess", "--mesh", project.mesh, "central", "domain-ap")
    text = lakemesh(*arguments).stdout
    waiting = json.loads(lakemesh(*arguments, "--format", "json").stdout)["waiting"]
    assert {"rule": "grants-never-go-to-everybody", "resources": 2, "stacks": 2} in waiting
    assert text.count("grants-never-go-to-everybody (2 resources in 2 stacks)") == 1
    assert "can't run policy" not in text
