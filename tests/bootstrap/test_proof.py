"""The sample's whole life with bootstrap's roles: nothing more is needed, and nothing is allowed that is not used."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lakemesh.bootstrap.guardrails import guardrails
from lakemesh.bootstrap.templates import Template
from lakemesh.declarations.models import Declarations
from lakemesh.deploy.bootstrapped import apply
from lakemesh.deploy.prepare import deploy_roles, prepare
from lakemesh.deploy.run import deploy
from local_aws.services import policy
from local_aws.services.policy import Decision
from tests.bootstrap.conftest import Asked, Life
from tests.bootstrap.only_on_aws import ACTIONS, STATEMENTS
from tests.conftest import SAMPLE

pytestmark = pytest.mark.e2e


def statements(template: Template) -> list[Mapping[str, Any]]:
    return [statement for document in template.policies for statement in document["Statement"]]


def allows(some: Iterable[Mapping[str, Any]], asked: Asked) -> bool:
    return policy.decide(some, asked.request) is Decision.ALLOW


def test_the_sample_is_deployed_changed_and_destroyed_with_the_roles_of_bootstrap(life: Life) -> None:
    for step, results in life.results.items():
        errors = [f"{step} {result.stack}: {error}" for result in results for error in result.errors]
        assert not errors, "\n".join(errors)
        assert all(result.ok for result in results)
    assert sum(result.counts.updated for result in life.results["update"]) > 0
    deployers = {template.place.deploy_role_arn for template in life.templates}
    assert deployers <= {each.principal for each in life.asked}, "a deploying role was never used"


def test_nobody_is_refused_anything(life: Life) -> None:
    refused = [str(each) for each in life.asked if not each.allowed]
    assert not refused, "\n".join(refused)


def test_each_statement_of_each_deploying_role_is_used_or_named_with_the_reason_why_not(life: Life) -> None:
    unused = [
        f"{template.place.part}: {statement['Sid']}"
        for template in life.templates
        for statement in statements(template)
        if statement["Sid"] not in STATEMENTS
        and not any(allows([statement], each) for each in life.of(template.place.deploy_role_arn))
    ]
    assert not unused, "allowed, and used by no deployment:\n" + "\n".join(unused)


def used(life: Life) -> Iterator[tuple[str, str, bool]]:
    """(Sid, action, whether a deployment of any account used it) of every statement."""
    found: dict[tuple[str, str], bool] = {}
    for template in life.templates:
        asked = life.of(template.place.deploy_role_arn)
        for statement in statements(template):
            by = {each.request.action for each in asked if allows([statement], each)}
            for action in statement["Action"]:
                found[statement["Sid"], action] = found.get((statement["Sid"], action), False) or action in by
    return ((sid, action, yes) for (sid, action), yes in found.items())


def test_each_action_is_used_or_named_with_the_reason_why_not(life: Life) -> None:
    unused = [f"{sid}: {action}" for sid, action, yes in used(life) if not yes and sid not in STATEMENTS]
    unnamed = [line for line in unused if line.partition(": ")[2] not in ACTIONS]
    assert not unnamed, "not asked for, and not named with a reason:\n" + "\n".join(unnamed)


def test_nothing_is_named_as_unused_that_is_used_or_not_allowed(life: Life) -> None:
    found = list(used(life))
    assert {sid for sid, _, _ in found} >= set(STATEMENTS)
    assert not [sid for sid, action, yes in found if yes and sid in STATEMENTS]
    unused = {action for sid, action, yes in found if not yes and sid not in STATEMENTS}
    assert not set(ACTIONS) - unused, "used by now, or not allowed: take it off tests/bootstrap/only_on_aws.py"


def test_without_any_one_used_statement_something_that_a_deployment_asks_for_is_refused(life: Life) -> None:
    spare = []
    for template in life.templates:
        every, asked = statements(template), life.of(template.place.deploy_role_arn)
        for statement in every:
            rest = [other for other in every if other is not statement]
            if statement["Sid"] not in STATEMENTS and all(
                allows(rest, each) for each in asked if allows([statement], each)
            ):
                spare.append(f"{template.place.part}: {statement['Sid']}")
    assert not spare, "another statement allows the same:\n" + "\n".join(spare)


@pytest.mark.parametrize(
    ("sid", "refused"),
    [
        ("RolesOnlyWithTheBoundary", "iam:CreateRole"),
        ("FunctionRolesToLambdaAlone", "iam:PassRole"),
        ("MakeKeysWithTheMeshsTag", "kms:CreateKey"),
        ("LFTags", "lakeformation:CreateLFTag"),
        ("FunctionLogs", "logs:CreateLogGroup"),
    ],
)
def test_a_deployment_fails_without_a_statement_and_says_which_permission_it_lacks(
    sid: str, refused: str, reset: Callable[[], str], sample: Declarations
) -> None:
    endpoint = reset()
    prepare(sample, endpoint)
    central = deploy_roles(sample)[0]
    documents = [
        {**document, "Statement": [each for each in document["Statement"] if each["Sid"] != sid]}
        for document in central.policies
    ]
    apply(replace(central, policies=tuple(documents)), iam_of(endpoint, central))
    (result,) = deploy(SAMPLE, ("central",), endpoint)
    assert any(f"not authorized to perform: {refused}" in error for error in result.errors), result.errors


def test_a_role_without_the_boundary_is_made_by_no_deployment(
    reset: Callable[[], str], sample: Declarations, tmp_path: Path
) -> None:
    from tests.bootstrap.conftest import changed_program

    endpoint = reset()
    prepare(sample, endpoint)
    program = changed_program(tmp_path / "program", permissionsBoundary="false")
    (result,) = deploy(SAMPLE, ("central",), endpoint, program=program)
    assert any("not authorized to perform: iam:CreateRole" in error for error in result.errors), result.errors


def iam_of(endpoint: str, template: Template) -> Any:
    from lakemesh.demo.clients import Clients

    return Clients(endpoint, template.place.mesh.region).root("iam", template.place.account)


def test_the_service_control_policies_stop_nothing_that_the_mesh_does(life: Life, sample: Declarations) -> None:
    every = guardrails(sample)
    stopped = [
        f"{guardrail.name}: {each}"
        for guardrail in every
        for each in life.asked
        # Root stands in for people who are there before the mesh.
        if each.account in guardrail.accounts and not each.principal.endswith(":root")
        if policy.decide(guardrail.document["Statement"], each.request) is Decision.DENY
    ]
    assert not stopped, "\n".join(stopped)


def test_the_most_that_a_role_can_be_allowed_holds_what_every_role_of_the_mesh_needs(life: Life) -> None:
    """The boundary is asked with every permission; what a role used, its boundary allowed."""
    made = {each.principal for each in life.asked} - {t.place.deploy_role_arn for t in life.templates}
    names = {arn.rpartition("/")[2] for arn in made}
    functions = {role for template in life.templates for role in template.place.function_roles}
    assert functions <= names, json.dumps(sorted(functions - names))
