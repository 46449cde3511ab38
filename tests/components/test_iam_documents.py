"""Every IAM document of every stack, linted; and the lint itself, on documents that are bad."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from components import CentralAccount
from components.policy_documents import (
    MANAGED_POLICY_CHARACTERS,
    PolicyTooLargeError,
    allow,
    canonical_json,
    document,
    pack,
    via_service,
)
from tests.components.build import build
from tests.components.given import arguments_of
from tests.components.parliament_lint import load
from tests.program.engine import Engine

PARLIAMENT = load()
ROOT = Path(__file__).parents[2]
STACKS = sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in ROOT.glob("Pulumi.*.yaml"))
POLICY_TYPES = {
    "aws:iam/role:Role": "assumeRolePolicy",
    "aws:iam/rolePolicy:RolePolicy": "policy",
    "aws:iam/policy:Policy": "policy",
    "aws:kms/key:Key": "policy",
    "aws:s3/bucketPolicy:BucketPolicy": "policy",
    "aws:sqs/queuePolicy:QueuePolicy": "policy",
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": "policy",
}
# Actions whose service knows no resource for them (service authorization reference).
WITHOUT_RESOURCES = {
    "lakeformation:AddLFTagsToResource",
    "lakeformation:GetResourceLFTags",
    "lakeformation:ListPermissions",
    "lakeformation:RemoveLFTagsFromResource",
    "ram:GetResourceShareInvitations",
    "ram:GetResourceShares",
}


def lint(text: str) -> list[str]:
    """What parliament finds in an identity policy, and what this project never allows."""
    policy = PARLIAMENT.analyze_policy_string(text)
    found = [f"{each.issue}: {each.detail}" for each in policy.findings if not _accepted(each)]
    for statement in json.loads(text)["Statement"]:
        if statement["Effect"] == "Deny":
            continue
        actions, resources = _list(statement["Action"]), _list(statement.get("Resource", []))
        found += [f"WILDCARD_ACTION: {action}" for action in actions if "*" in action]
        if "*" in resources:
            found += [f"WILDCARD_RESOURCE: {action}" for action in actions if action not in WITHOUT_RESOURCES]
    return found


def _accepted(finding: Any) -> bool:
    """What parliament says of every role that writes bucket policies, which is one function's purpose; and actions that
    are newer than its list, if the SDK knows them."""
    if finding.issue == "UNKNOWN_ACTION":
        service, _, operation = re.search(r"[\w-]+:\w+", str(finding.detail)).group().partition(":")
        return operation in Session().get_service_model(service).operation_names
    return finding.issue == "RESOURCE_POLICY_PRIVILEGE_ESCALATION" and "PutBucketPolicy" in str(finding.detail)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def documents() -> Iterator[tuple[str, str, str]]:
    """(stack, what it belongs to, text) of every document that the sample's stacks make."""
    for stack in STACKS:
        engine = Engine().run(
            lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"),
            stack=stack,
            config={"mesh": str(ROOT / "mesh")},
        )
        for resource in engine.resources:
            if member := POLICY_TYPES.get(resource.type):
                yield stack, f"{resource.type} {resource.name}", resource[member]
            if resource.name.endswith("-merged"):
                event = json.loads(resource["input"])
                for each in (*event["buckets"], *event["keys"]):
                    yield (
                        stack,
                        str(each.get("bucket") or each["key"]),
                        canonical_json({"Version": "2012-10-17", "Statement": each["statements"]}),
                    )


DOCUMENTS = [pytest.param(what, text, id=f"{stack}: {what}") for stack, what, text in sorted(documents())]


@pytest.mark.parametrize(("what", "text"), DOCUMENTS)
def test_a_document_allows_no_more_than_it_must(what: str, text: str) -> None:
    if "Principal" in text:
        assert_resource_policy(what, json.loads(text))
    else:
        assert lint(text) == []


def assert_resource_policy(what: str, policy: dict[str, Any]) -> None:
    """Trust, bucket and key policies: nobody is let in without being named."""
    for statement in policy["Statement"]:
        if statement["Effect"] == "Deny":
            continue
        principal = statement["Principal"]
        if "eventBusPolicy" in what:
            # A bus lets an organization in by a condition: its policy has no room for accounts.
            assert set(statement["Condition"]["StringEquals"]) == {"aws:PrincipalOrgID"}, what
            continue
        assert principal != "*", what
        assert "*" not in json.dumps(principal), what
        own_account = "Key" in what and statement["Sid"] == "OwnersIamPoliciesDecide"
        assert own_account or all("*" not in action for action in _list(statement["Action"])), what


def test_there_are_documents_of_every_kind() -> None:
    assert {what.split()[0] for what in (str(param.values[0]) for param in DOCUMENTS)} >= set(POLICY_TYPES)


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ({"Effect": "Allow", "Action": "*", "Resource": "*"}, "WILDCARD_ACTION"),
        (
            {"Effect": "Allow", "Action": ["glue:*"], "Resource": ["arn:aws:glue:eu-west-3:1:catalog"]},
            "WILDCARD_ACTION",
        ),
        ({"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}, "WILDCARD_RESOURCE: s3:GetObject"),
        ({"Effect": "Allow", "Action": ["s3:GetObjekt"], "Resource": ["arn:aws:s3:::b/*"]}, "UNKNOWN_ACTION"),
        ({"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::b"]}, "RESOURCE_MISMATCH"),
        ({"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["b/key"]}, "INVALID_ARN"),
    ],
)
def test_the_lint_fails_on_a_bad_document(statement: dict[str, Any], finding: str) -> None:
    found = lint(canonical_json({"Version": "2012-10-17", "Statement": [statement]}))

    assert any(each.startswith(finding) for each in found), found


def test_equal_statements_give_equal_text_whatever_the_order_of_their_lists() -> None:
    one = document([allow("A", ["s3:PutObject", "s3:GetObject"], ["arn:b", "arn:a"])])
    other = document([allow("A", ["s3:GetObject", "s3:PutObject"], ["arn:a", "arn:b"])])

    assert one == other


def test_a_long_list_of_databases_is_split_over_policies_and_none_is_lost() -> None:
    resources = [f"arn:aws:glue:eu-west-3:900000000001:table/database_{number:03}/*" for number in range(300)]

    made = pack([allow("Twins", ["glue:GetTable"], resources), allow("Readers", ["sts:AssumeRole"], ["arn:role"])])

    assert len(made) > 1
    assert all(len(text) <= MANAGED_POLICY_CHARACTERS for text in made)
    said = [r for text in made for s in json.loads(text)["Statement"] if s["Sid"] == "Twins" for r in s["Resource"]]
    assert said == sorted(resources)
    assert sum("sts:AssumeRole" in text for text in made) == 1


def test_a_statement_that_fits_nowhere_is_refused() -> None:
    with pytest.raises(PolicyTooLargeError, match="exceeds 100 characters"):
        pack([allow("Twins", ["glue:GetTable"], ["arn:" + "x" * 100])], limit=100)


def test_more_databases_than_managed_policies_hold_are_refused_with_a_remedy_that_works(engine: Engine) -> None:
    """IAM and STS quotas: 10 managed policies a role, 20 when raised."""
    many = [f"a_database_with_a_rather_long_name_{number:04}" for number in range(600)]

    with pytest.raises(PolicyTooLargeError, match="lakemesh:managedPoliciesPerRole"):
        build(Engine(), CentralAccount, arguments_of("CentralAccount", twins=many))

    build(engine, CentralAccount, arguments_of("CentralAccount", twins=many, managed_policies_per_role=20))
    assert len(engine.of("aws:iam/policy:Policy")) > 10


def test_services_have_their_own_names_in_china() -> None:
    assert via_service("glue", "cn-north-1", "aws-cn") == "glue.cn-north-1.amazonaws.com.cn"
    assert via_service("glue", "eu-west-3", "aws") == "glue.eu-west-3.amazonaws.com"
