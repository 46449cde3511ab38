"""What a preview says, out of the CLI's events."""

from __future__ import annotations

import json

import pytest

from lakemesh.workflows.events import Preview, Step, Violation, read
from tests.workflows.conftest import event

PERMISSIONS = "aws:lakeformation/permissions:Permissions"
GROUP = "aws:cloudwatch/logGroup:LogGroup"


def test_resources_are_told_by_what_happens_to_them() -> None:
    found = read(
        "central",
        [
            event("same", GROUP, "kept"),
            event("create", GROUP, "new"),
            event("update", GROUP, "changed", diffs=["tags"], detailedDiff={"tags.owner": {}, "retentionInDays": {}}),
            event("delete", GROUP, "gone"),
        ],
    )
    assert found == Preview(
        "central",
        steps=(
            Step("create", "LogGroup", "new"),
            Step("update", "LogGroup", "changed", ("retentionInDays", "tags")),
            Step("delete", "LogGroup", "gone"),
        ),
        unchanged=1,
    )


@pytest.mark.parametrize("ops", [["replace"], ["delete-replaced", "replace", "create-replacement"]])
def test_a_replacement_is_one_step_however_many_events_tell_it(ops: list[str]) -> None:
    found = read("central", [event(op, GROUP, "moved") for op in ops])
    assert [(step.op, step.name) for step in found.steps] == [("replace", "moved")]


def test_a_replaced_grant_says_whose_access_it_interrupts() -> None:
    old = {"inputs": {"principal": "444455556666", "permissions": ["SELECT"], "database": {"name": "ar_curated"}}}
    found = read("domain-ar", [event("replace", PERMISSIONS, "g", old=old)])
    assert found.steps[0].interrupts == "444455556666 on database ar_curated"


def test_a_removed_grant_is_no_interruption() -> None:
    old = {"inputs": {"principal": "444455556666"}}
    assert read("domain-ar", [event("delete", PERMISSIONS, "g", old=old)]).steps[0].interrupts == ""


def test_drift_that_a_refresh_finds_is_a_step() -> None:
    found = read(
        "central",
        [
            event("refresh", GROUP, "edited"),
            event("update", GROUP, "edited", kind="resOutputsEvent", detailedDiff={"retentionInDays": {}}),
        ],
    )
    assert found.steps == (Step("update", "LogGroup", "edited", ("retentionInDays",)),)
    assert not found.clean


def test_a_refresh_that_finds_nothing_is_clean() -> None:
    lines = [
        event("refresh", GROUP, "kept"),
        event("same", GROUP, "kept"),
        event("same", GROUP, "kept", kind="resOutputsEvent"),
    ]
    assert read("central", lines).clean


def test_errors_and_policies_are_told_without_colours() -> None:
    error = {"diagnosticEvent": {"prefix": "<{%fg 1%}>error: <{%reset%}>", "message": "no way\n", "severity": "error"}}
    warning = {"diagnosticEvent": {"message": "mind this", "severity": "warning"}}
    policy = {
        "policyEvent": {"policyName": "p", "enforcementLevel": "mandatory", "message": "<{%fg 1%}>not so<{%reset%}>"}
    }
    found = read("central", [json.dumps(each) for each in (error, error, warning, policy)])
    assert found.errors == ("error: no way",)
    assert found.violations == (Violation("p", True, "not so"),)
    assert not found.ok


def test_advice_of_a_policy_fails_nothing() -> None:
    advice = {"policyEvent": {"policyName": "p", "enforcementLevel": "advisory", "message": "perhaps"}}
    assert read("central", [json.dumps(advice)]).ok


def test_the_stack_itself_is_no_resource() -> None:
    root = {"metadata": {"op": "create", "urn": "urn:pulumi:s::lakemesh::pulumi:pulumi:Stack::lakemesh-s", "type": "x"}}
    assert read("s", [json.dumps({"resourcePreEvent": root})]).steps == ()


@pytest.mark.parametrize(
    "line", ["", "Previewing update", "{", "[]", "{}", '{"newEvent": {"x": 1}}', '{"resourcePreEvent": {}}']
)
def test_lines_that_are_no_known_events_are_passed_over(line: str) -> None:
    assert read("central", [line]).clean


def test_a_preview_survives_a_journey_through_json() -> None:
    found = read(
        "central",
        [
            event("update", GROUP, "changed", diffs=["tags"]),
            json.dumps({"policyEvent": {"policyName": "p", "message": "m"}}),
        ],
        new=True,
    )
    assert Preview.from_json(json.loads(json.dumps(found.to_json()))) == found
