"""Policy documents: what a set of statements says of a request."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from local_aws.services import identity, policy
from local_aws.services.policy import Decision, Request

ACCOUNT, OTHER = "111122223333", "444455556666"
ROLE = identity.role(f"arn:aws:iam::{ACCOUNT}:role/team/reader", "session")


def allow(action: Any = "s3:GetObject", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(**more: Any) -> dict[str, Any]:
    return {**allow(), "Effect": "Deny", **more}


def says(statements: Any, context: dict[str, Any] | None = None, *, resource: str = "arn:aws:s3:::b/k") -> Decision:
    wanted = Request("s3:GetObject", resource, context or {})
    return policy.decide(policy.parse({"Statement": statements}), wanted)


@pytest.mark.parametrize(
    ("statement", "decision"),
    [
        (allow(), Decision.ALLOW),
        (allow("S3:getobject"), Decision.ALLOW),
        (allow("s3:Get*"), Decision.ALLOW),
        (allow("s3:GetObjec?"), Decision.ALLOW),
        (allow(["s3:PutObject", "s3:GetObject"]), Decision.ALLOW),
        (allow("s3:GetObjectTagging"), Decision.SILENT),
        (allow("glue:*"), Decision.SILENT),
        (allow(resource="arn:aws:s3:::b/*"), Decision.ALLOW),
        (allow(resource="arn:aws:s3:::B/*"), Decision.SILENT),
        (allow(resource="arn:aws:s3:::b"), Decision.SILENT),
        ({"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}, Decision.ALLOW),
        ({"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"}, Decision.SILENT),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b/*"}, Decision.SILENT),
        (deny(), Decision.DENY),
    ],
)
def test_actions_and_resources_match_by_wildcard(statement: dict[str, Any], decision: Decision) -> None:
    assert says(statement) is decision


def test_a_deny_wins_wherever_it_stands() -> None:
    assert says([allow(), deny(), allow()]) is Decision.DENY
    assert says([deny(), allow()]) is Decision.DENY
    assert says([]) is Decision.SILENT


CONTEXT = {
    "aws:principalarn": ROLE.arn, "aws:principalorgid": "o-abc", "aws:securetransport": "false", "s3:prefix": "in/x",
    "aws:calledvia": ("athena.amazonaws.com", "glue.amazonaws.com"), "aws:userid": "AROA:session",
}  # fmt: skip


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "holds"),
    [
        ("StringEquals", "aws:PrincipalOrgID", "o-abc", True),
        ("StringEquals", "aws:PrincipalOrgID", ["o-x", "o-abc"], True),
        ("StringEquals", "aws:PrincipalOrgID", "O-ABC", False),
        ("StringEqualsIgnoreCase", "aws:PrincipalOrgID", "O-ABC", True),
        ("StringNotEquals", "aws:PrincipalOrgID", ["o-x", "o-abc"], False),
        ("StringNotEquals", "aws:PrincipalOrgID", "o-x", True),
        ("StringLike", "s3:prefix", "in/*", True),
        ("StringNotLike", "s3:prefix", "in/*", False),
        ("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/team/*", True),
        ("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{OTHER}:role/*", False),
        ("ArnNotEquals", "aws:PrincipalArn", ROLE.arn, False),
        ("Bool", "aws:SecureTransport", False, True),
        ("Bool", "aws:SecureTransport", "true", False),
        ("Null", "s3:delimiter", "true", True),
        ("Null", "s3:prefix", "true", False),
        # A key that the request does not carry: no match, but for IfExists, negations and ForAllValues.
        ("StringEquals", "sts:ExternalId", "x", False),
        ("StringEqualsIfExists", "sts:ExternalId", "x", True),
        ("StringNotEquals", "sts:ExternalId", "x", True),
        ("ForAnyValue:StringEquals", "aws:CalledVia", "glue.amazonaws.com", True),
        ("ForAllValues:StringEquals", "aws:CalledVia", "glue.amazonaws.com", False),
        ("ForAllValues:StringLike", "aws:CalledVia", "*.amazonaws.com", True),
        ("ForAllValues:StringEquals", "aws:SourceVpc", "x", True),
        ("ForAnyValue:StringEquals", "aws:SourceVpc", "x", False),
        ("StringEquals", "aws:userid", "AROA:${aws:userid}", False),
        ("StringLike", "aws:userid", "${aws:userid}", True),
    ],
)
def test_conditions_hold_as_their_operators_say(operator: str, key: str, wanted: Any, holds: bool) -> None:
    condition = {"Condition": {operator: {key: wanted}}}
    assert says(allow(**condition), CONTEXT) is (Decision.ALLOW if holds else Decision.SILENT)
    assert says(deny(**condition), CONTEXT) is (Decision.DENY if holds else Decision.SILENT)


def test_every_operator_and_every_key_of_a_condition_has_to_hold() -> None:
    both = {"StringEquals": {"aws:PrincipalOrgID": "o-abc"}, "StringLike": {"s3:prefix": "out/*"}}
    assert says(allow(Condition=both), CONTEXT) is Decision.SILENT


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:MadeUp": "x"}},
        {"NumericLessThan": {"s3:prefix": "1"}},
        {"IpAddress": {"aws:userid": "1"}},
    ],
)
def test_what_cannot_be_judged_never_allows_always_denies_and_is_logged(
    condition: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert says(allow(Condition=condition), CONTEXT) is Decision.SILENT
        assert says(deny(Condition=condition), CONTEXT) is Decision.DENY
    assert len(caplog.records) == 2
    assert "is not modelled" in caplog.text


@pytest.mark.parametrize(
    ("principal", "decision"),
    [
        ("*", Decision.ALLOW),
        ({"AWS": "*"}, Decision.ALLOW),
        ({"AWS": ROLE.arn}, Decision.ALLOW),
        ({"AWS": [ROLE.session_arn, "x"]}, Decision.ALLOW),
        ({"AWS": ACCOUNT}, Decision.ALLOW_ACCOUNT),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Decision.ALLOW_ACCOUNT),
        ({"AWS": OTHER}, Decision.SILENT),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/reader"}, Decision.SILENT),
        ({"Service": "lambda.amazonaws.com"}, Decision.SILENT),
    ],
)
def test_a_resources_policy_names_the_caller_or_only_its_account(principal: Any, decision: Decision) -> None:
    wanted = Request("s3:GetObject", "arn:aws:s3:::b/k")
    assert policy.decide([allow(Principal=principal)], wanted, ROLE) is decision
    denied = policy.decide([deny(Principal=principal)], wanted, ROLE)
    assert denied is (Decision.SILENT if decision is Decision.SILENT else Decision.DENY)


def test_a_statement_for_all_but_some_principals_never_allows_and_always_denies() -> None:
    wanted = Request("s3:GetObject", "arn:aws:s3:::b/k")
    assert policy.decide([allow(NotPrincipal={"AWS": OTHER})], wanted, ROLE) is Decision.SILENT
    assert policy.decide([deny(NotPrincipal={"AWS": ROLE.arn})], wanted, ROLE) is Decision.DENY


def test_services_are_named_by_their_principal() -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": ["glue.amazonaws.com"]}, "Action": "sts:AssumeRole"}
    wanted = Request("sts:AssumeRole", ROLE.arn)
    assert policy.decide([trust], wanted, "glue.amazonaws.com") is Decision.ALLOW
    assert policy.decide([trust], wanted, "lambda.amazonaws.com") is Decision.SILENT


def test_documents_are_parsed_or_refused() -> None:
    assert policy.parse(None) == []
    assert policy.parse('{"Statement": {"Effect": "Allow"}}') == [{"Effect": "Allow"}]
    for broken in ("{", "[]"):
        with pytest.raises(ValueError, match=r".+"):
            policy.parse(broken)
