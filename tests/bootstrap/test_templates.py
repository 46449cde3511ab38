"""Templates and their documents: valid, small enough, and saying what they should."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from botocore.session import Session
from cfnlint.api import lint_all

from lakemesh.bootstrap.documents import BootstrapError, allow, compact, pack, size
from lakemesh.bootstrap.files import File, files, template_text
from lakemesh.bootstrap.guardrails import guardrails
from lakemesh.bootstrap.places import Kind, pattern, places
from lakemesh.bootstrap.templates import Template, templates
from lakemesh.bootstrap.trust import subjects
from lakemesh.declarations.models import Declarations, GitHub
from lakemesh.declarations.naming import Naming
from tests.bootstrap.meshes import ENGINEER, declarations
from tests.components.parliament_lint import load

PARLIAMENT = load()
# What parliament's list of actions, older than the services, does not know or reads otherwise.
ACCEPTED = {
    "MISMATCHED_TYPE_BUT_USABLE": {"Arn": "IAM's own examples compare iam:PermissionsBoundary as a string"},
    "RESOURCE_MISMATCH": {
        "logs:DescribeLogGroups": "is judged on log-group:*, as its own refusals say",
        "Alias": "asks about alias and key, which have a statement each",
        "glue:DeleteDatabase": "asks about the database and what it holds, which have a statement each",
        "athena:ListTagsForResource": "asks about one of its kinds of resource, not about each",
    },
    "RESOURCE_STAR": {"kms:TagResource": "a key that is being made has no ARN; the tag is demanded"},
    "INVALID_ARN": {"Account": "AWS's own permissions of shares are of account `aws`"},
    "UNKNOWN_CONDITION_FOR_ACTION": {
        "aws:ViaAWSService": "is global",
        "kms:ResourceAliases": "is a key of every KMS key",
        "ram:PermissionArn": "as in AWSLakeFormationCrossAccountManager",
        "ram:ResourceShareName": "is a key of every share",
    },
    "RESOURCE_POLICY_PRIVILEGE_ESCALATION": {"PutBucketPolicy": "is one resource's purpose"},
}


def documents(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, document in enumerate(template.policies, start=1):
        yield f"{template.place.part} policy {number}", document
    yield f"{template.place.part} role boundary", template.role_boundary
    yield f"{template.place.part} deploy boundary", template.deploy_boundary


def findings(document: dict[str, Any]) -> list[str]:
    found = PARLIAMENT.analyze_policy_string(json.dumps(document)).findings
    return [f"{each.issue}: {each.detail}" for each in found if not accepted(each.issue, str(each.detail))]


def accepted(issue: str, detail: str) -> bool:
    if issue == "UNKNOWN_ACTION":
        service, _, operation = re.search(r"[\w-]+:\w+", detail).group().partition(":")
        return operation in Session().get_service_model(service).operation_names
    return any(text in detail for text in ACCEPTED.get(issue, ()))


MESHES = {
    "with GitHub and people": declarations(),
    "in China": declarations(region="cn-north-1"),
    "with a long name": declarations(name="m" * 50, deployRole="teams/platform/deploy"),
}


@pytest.mark.parametrize("case", ["sample", *MESHES])
def test_cloudformations_own_model_finds_nothing_wrong(case: str, sample: Declarations) -> None:
    for template in templates(MESHES.get(case, sample)):
        found = lint_all(template_text(template))
        assert [str(match) for match in found if not match.rule.id.startswith("I")] == [], template.stack


@pytest.mark.parametrize("case", ["sample", *MESHES])
def test_every_document_is_valid_and_fits_its_quota(case: str, sample: Declarations) -> None:
    for template in templates(MESHES.get(case, sample)):
        for name, document in documents(template):
            assert len(compact(document)) <= 6144, name
            if not name.endswith("deploy boundary"):  # a boundary is wide: what it denies is what it is for
                assert findings(document) == [], name
    for guardrail in guardrails(MESHES.get(case, sample)):
        assert findings(guardrail.document) == [], guardrail.name


def test_the_lint_finds_what_is_wrong() -> None:
    assert findings({"Version": "2012-10-17", "Statement": [allow("A", ["glue:GetTabel"], ["*"])]})
    assert findings({"Version": "2012-10-17", "Statement": [allow("A", ["iam:GetRole"], ["arn:aws:s3:::b"])]})


def test_no_statement_of_a_deploying_role_has_a_wildcard_action(sample: Declarations) -> None:
    for template in templates(sample):
        for document in template.policies:
            for statement in document["Statement"]:
                assert not [action for action in statement["Action"] if "*" in action], statement["Sid"]


def test_only_actions_without_resources_are_allowed_on_everything(sample: Declarations) -> None:
    everywhere = {
        action
        for template in templates(sample)
        for document in template.policies
        for statement in document["Statement"]
        if "*" in statement["Resource"]
        for action in statement["Action"]
    }
    assert {action for action in everywhere if not action.startswith("lakeformation:")} == {
        "events:PutPermission",
        "events:RemovePermission",
        "kms:CreateKey",
        "kms:ListAliases",
        "kms:TagResource",
        "lambda:CreateEventSourceMapping",
        "ram:CreateResourceShare",
        "ram:GetResourceShareAssociations",
        "ram:GetResourceShareInvitations",
        "ram:GetResourceShares",
        "ram:ListResources",
        "sns:GetSubscriptionAttributes",
        "sns:Unsubscribe",
    }


def test_no_template_names_another_account_s_resources_but_to_assume_or_to_read(sample: Declarations) -> None:
    for template in templates(sample):
        own = template.place.account
        for document in template.policies:
            for statement in document["Statement"]:
                others = {arn.split(":")[4] for arn in statement["Resource"] if arn != "*"} - {own, ""}
                if others - {"*", "aws"}:
                    assert set(statement["Action"]) <= {"sts:AssumeRole", "glue:GetDatabase"}, statement


def test_the_deploying_role_cannot_be_named_as_a_role_that_it_makes() -> None:
    with pytest.raises(BootstrapError, match=r"central: .*mesh-register-x.*could change itself.*deployRole"):
        places(declarations(deployRole="mesh-register-x"))


@pytest.mark.parametrize("name", ["mesh", "m" * 50, "a-b_c", "x" * 47])
def test_a_pattern_covers_every_name_that_the_mesh_can_make_and_no_other_kind(name: str) -> None:
    mesh = declarations(name=name).mesh
    for domain in ("d", "a-domain-with-a-name-that-is-far-too-long"):
        role = Naming(mesh).registration_role(domain, "p")
        assert role.startswith(pattern(name, "register").rstrip("*"))
        assert not role.startswith(pattern(name, "deploy").rstrip("*"))


def test_pipelines_and_people_start_in_the_governance_account_and_nowhere_else() -> None:
    central, *others = templates(declarations())
    by = {statement["Sid"]: statement for statement in central.trust["Statement"]}
    assert by["PipelineAndPeople"]["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": [central.place.deploy_role_arn, ENGINEER]}
    }
    assert by["GitHubActions"]["Condition"]["StringEquals"] == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": ["repo:acme/data-mesh:environment:production"],
    }
    for other in others:
        (only,) = other.trust["Statement"]
        assert only["Condition"] == {"ArnEquals": {"aws:PrincipalArn": [central.place.deploy_role_arn]}}
        assert "GitHubProvider" not in other.body["Resources"]


def test_a_branch_deploys_only_where_no_environment_does() -> None:
    assert subjects(GitHub(repository="a/b", branch="release")) == ["repo:a/b:ref:refs/heads/release"]
    both = GitHub(repository="a/b", branch="release", environments=("prod", "eu"))
    assert subjects(both) == ["repo:a/b:environment:eu", "repo:a/b:environment:prod"]


def test_state_is_versioned_encrypted_private_and_outlives_its_stack() -> None:
    central, *others = templates(declarations())
    resources = central.body["Resources"]
    bucket = resources["StateBucket"]
    assert bucket["DeletionPolicy"] == resources["StateKey"]["DeletionPolicy"] == "Retain"
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    statements = resources["StateBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [statement["Condition"] for statement in statements]
    assert not [other.stack for other in others if "StateBucket" in other.body["Resources"]]


def test_a_deploying_role_has_its_path_boundary_and_policies() -> None:
    (central, *_) = templates(declarations(deployRole="teams/platform/deploy"))
    role = central.body["Resources"]["DeployRole"]["Properties"]
    assert (role["RoleName"], role["Path"]) == ("deploy", "/teams/platform/")
    assert role["PermissionsBoundary"] == {"Ref": "DeployBoundary"}
    assert len(role["ManagedPolicyArns"]) == len(central.policies)


def test_a_mesh_of_very_many_databases_is_split_and_one_of_too_many_says_so() -> None:
    many = templates(declarations(databases=120))
    consumer = next(template for template in many if template.place.kind is Kind.CONSUMER)
    assert len(consumer.policies) > 2
    assert all(len(compact(document)) <= 6144 for document in consumer.policies)
    with pytest.raises(BootstrapError, match=r"consumer-c0: .* 10 to a role.*800 databases; split"):
        templates(declarations(databases=800))


def test_a_statement_that_is_cut_says_the_same_and_grows_at_its_end() -> None:
    arns = [f"arn:aws:glue:eu-west-1:000000000001:database/{n:04d}" for n in range(300)]
    parts = pack([allow("A", ["glue:GetDatabase"], arns)], 2000)
    statements = [statement for document in parts for statement in document["Statement"]]
    assert [arn for statement in statements for arn in statement["Resource"]] == arns
    assert len({statement["Sid"] for statement in statements}) == len(statements)
    assert all(size(document["Statement"]) <= 2000 for document in parts)
    longer = pack(
        [allow("A", ["glue:GetDatabase"], [*arns, "arn:aws:glue:eu-west-1:000000000001:database/9999"])], 2000
    )
    assert longer[: len(parts) - 1] == parts[:-1]


def test_files_are_the_same_every_time_and_no_account_twice(sample: Declarations) -> None:
    def texts(of: tuple[File, ...]) -> dict[str, str]:
        return {file.path: file.text for file in of}

    assert texts(files(sample)) == texts(files(sample))
    made = [file for file in files(sample) if file.account]
    assert (
        len({file.account for file in made}) == len(made) == 1 + len(sample.mesh.producers) + len(sample.mesh.consumers)
    )
    for file in made:
        assert yaml.safe_load(file.text)["Resources"]["DeployRole"]["Type"] == "AWS::IAM::Role"
        assert "&id" not in file.text, "an anchor"


def test_the_page_of_commands_names_every_account_template_and_policy(sample: Declarations) -> None:
    every = files(sample)
    page = next(file.text for file in every if file.path == "README.md")
    for file in every:
        assert file.path in page or file.path == "README.md"
    for place in places(sample):
        assert f'--query Account --output text)" = {place.account} &&' in page
    governed = next(place for place in places(sample) if place.part == "producer-erp")
    assert f"make {governed.deploy_role_arn}\na data lake administrator" in page


def changed(before: Declarations, after: Declarations) -> set[str]:
    """Files that differ, README.md aside, as docs/bootstrap.md lists them."""
    old = {file.path: file.text for file in files(before)}
    new = {file.path: file.text for file in files(after)}
    return {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)} - {"README.md"}


def with_mesh(sample: Declarations, **update: Any) -> Declarations:
    return sample.model_copy(update={"mesh": sample.mesh.model_copy(update=update)})


def test_only_what_the_page_says_makes_it_necessary_to_run_templates_again(sample: Declarations) -> None:
    domain = sample.mesh.domains["ar"]
    empty = with_mesh(sample, domains={**sample.mesh.domains, "hr": domain.model_copy(update={"sources": ()})})
    assert changed(sample, empty) == set()
    assert changed(sample, sample.model_copy(update={"products": {}, "grants": {}})) == set()
    more = domain.sources[0].model_copy(update={"database": "one_more"})
    source = with_mesh(
        sample, domains={**sample.mesh.domains, "ar": domain.model_copy(update={"sources": (*domain.sources, more)})}
    )
    assert changed(sample, source) == {f"consumer-{name}.yaml" for name in sample.mesh.consumers}
    joined = sample.mesh.producers["erp"].model_copy(update={"account": "999988887777"})
    producer = with_mesh(sample, producers={**sample.mesh.producers, "hr": joined})
    assert changed(sample, producer) == {"producer-hr.yaml", "central.yaml", "service-control-policies/pipeline.json"}
