"""A refusal is answered with the statement that it lacks."""

from __future__ import annotations

from lakemesh.bootstrap.missing import advice
from lakemesh.declarations.models import Declarations


def refusal(role: str, action: str, account: str = "111122223333", resource: str = " on resource: *") -> str:
    return (
        "creating Lake Formation LF-Tag: operation error CreateLFTag, api error AccessDeniedException: User: "
        f"arn:aws:sts::{account}:assumed-role/{role}/lakemesh-central is not authorized to perform: {action}{resource}"
    )


def test_an_older_template_is_told_by_the_statement_that_it_lacks(sample: Declarations) -> None:
    said = advice(sample, refusal("lakemesh-deploy", "lakeformation:CreateLFTag"))
    assert said is not None
    assert "The template of central allows lakeformation:CreateLFTag (statement LFTags)" in said
    assert "lakemesh bootstrap --account central, then deploy central.yaml" in said


def test_what_no_template_allows_is_answered_with_the_statement_to_add(sample: Declarations) -> None:
    said = advice(
        sample, refusal("lakemesh-deploy", "states:CreateActivity", resource=" on resource: arn:aws:states:x:1:q")
    )
    assert said is not None
    assert (
        '{"Sid": "Missing", "Effect": "Allow", "Action": ["states:CreateActivity"], "Resource": ["arn:aws:states:x:1:q"]}'
        in said
    )


def test_other_errors_and_other_roles_are_left_alone(sample: Declarations) -> None:
    assert advice(sample, "InvalidInputException: Tag key already exists") is None
    assert advice(sample, refusal("Somebody", "lakeformation:CreateLFTag")) is None
    assert advice(sample, refusal("lakemesh-deploy", "glue:GetTable", account="999999999999")) is None
