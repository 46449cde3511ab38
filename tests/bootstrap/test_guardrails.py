"""Service control policies: whom they stop, whom they let pass, and that they fit."""

from __future__ import annotations

import pytest

from lakemesh.bootstrap.documents import BootstrapError, readable
from lakemesh.bootstrap.guardrails import Guardrail, guardrails
from lakemesh.bootstrap.places import Kind, Place, places
from lakemesh.declarations.models import Declarations
from local_aws.services import policy
from local_aws.services.policy import Decision, Request
from tests.bootstrap.meshes import declarations


def denied(guardrail: Guardrail, principal: str, action: str, resource: str = "*", **context: str) -> bool:
    keys = {"aws:principalarn": principal, "aws:requestedregion": "eu-central-1", **context}
    request = Request(action, resource, {key.replace("__", ":").lower(): value for key, value in keys.items()})
    return policy.decide(guardrail.document["Statement"], request) is Decision.DENY


@pytest.fixture(scope="module")
def mesh() -> Declarations:
    return declarations(consumers=2)


@pytest.fixture(scope="module")
def by_name(mesh: Declarations) -> dict[str, Guardrail]:
    return {guardrail.name: guardrail for guardrail in guardrails(mesh)}


def place(mesh: Declarations, kind: Kind) -> Place:
    return next(each for each in places(mesh) if each.kind is kind)


DECIDES = [
    "lakeformation:PutDataLakeSettings",
    "lakeformation:RegisterResource",
    "lakeformation:DeregisterResource",
    "lakeformation:GrantPermissions",
    "lakeformation:RevokePermissions",
    "lakeformation:BatchGrantPermissions",
    "lakeformation:BatchRevokePermissions",
    "glue:PutResourcePolicy",
    "glue:DeleteResourcePolicy",
]


@pytest.mark.parametrize("action", DECIDES)
def test_in_the_governance_account_the_pipeline_alone_decides(
    action: str, mesh: Declarations, by_name: dict[str, Guardrail]
) -> None:
    central = place(mesh, Kind.CENTRAL)
    for other in (central.iam("root"), central.iam("role/DataGovernance"), central.naming.sync_role_arn()):
        assert denied(by_name["central"], other, action)
    assert denied(by_name["central"], central.iam("role/Someone"), action, aws__requestedregion="us-east-1")
    assert not denied(by_name["central"], central.deploy_role_arn, action)


def test_shares_of_lake_formation_are_the_pipelines_and_other_shares_are_nobodys_business(
    mesh: Declarations, by_name: dict[str, Guardrail]
) -> None:
    central = place(mesh, Kind.CENTRAL)
    for action in ("ram:DeleteResourceShare", "ram:AssociateResourceShare", "ram:UpdateResourceShare"):
        someone = central.iam("role/Someone")
        assert denied(by_name["central"], someone, action, ram__ResourceShareName="LakeFormation-V3-ABC")
        assert not denied(by_name["central"], someone, action, ram__ResourceShareName="vpc-subnets")
        assert not denied(
            by_name["central"], central.deploy_role_arn, action, ram__ResourceShareName="LakeFormation-V3-ABC"
        )


def test_a_consumer_s_administrators_grant_and_nobody_but_the_pipeline_changes_its_settings(
    mesh: Declarations, by_name: dict[str, Guardrail]
) -> None:
    consumer = place(mesh, Kind.CONSUMER)
    administrator = mesh.consumers[consumer.name].administrators[0]
    analyst = consumer.iam("role/Analyst")
    for action in ("lakeformation:GrantPermissions", "lakeformation:RegisterResource"):
        assert denied(by_name["consumers"], analyst, action)
        assert not denied(by_name["consumers"], administrator, action)
        assert not denied(by_name["consumers"], consumer.deploy_role_arn, action)
    assert denied(by_name["consumers"], administrator, "lakeformation:PutDataLakeSettings")
    assert not denied(by_name["consumers"], consumer.deploy_role_arn, "lakeformation:PutDataLakeSettings")


def test_a_consumer_s_lake_in_another_region_is_its_own(mesh: Declarations, by_name: dict[str, Guardrail]) -> None:
    analyst = place(mesh, Kind.CONSUMER).iam("role/Analyst")
    for action in ("lakeformation:PutDataLakeSettings", "lakeformation:GrantPermissions", "glue:PutResourcePolicy"):
        assert not denied(by_name["consumers"], analyst, action, aws__requestedregion="us-east-1")


def test_an_administrator_of_one_consumer_is_nobody_in_another(
    mesh: Declarations, by_name: dict[str, Guardrail]
) -> None:
    first, second = (each for each in places(mesh) if each.kind is Kind.CONSUMER)
    name = mesh.consumers[first.name].administrators[0].partition(":role/")[2]
    assert not denied(by_name["consumers"], first.iam(f"role/{name}"), "lakeformation:GrantPermissions")
    assert denied(by_name["consumers"], first.iam("role/Other"), "lakeformation:GrantPermissions")
    assert denied(by_name["consumers"], second.iam("role/Other"), "lakeformation:GrantPermissions")


def test_invitations_of_the_mesh_are_answered_by_its_function_and_others_by_anyone(
    mesh: Declarations, by_name: dict[str, Guardrail]
) -> None:
    consumer = place(mesh, Kind.CONSUMER)
    accept = "ram:AcceptResourceShareInvitation"
    acceptor = consumer.iam(f"role/{consumer.naming.shares_role(consumer.name)}")
    analyst = consumer.iam("role/Analyst")
    assert not denied(by_name["consumers"], acceptor, accept, ram__ShareOwnerAccountId=consumer.central)
    assert denied(by_name["consumers"], analyst, accept, ram__ShareOwnerAccountId=consumer.central)
    assert not denied(by_name["consumers"], analyst, accept, ram__ShareOwnerAccountId="999999999999")


def test_nobody_leaves_the_organization(mesh: Declarations, by_name: dict[str, Guardrail]) -> None:
    assert denied(by_name["pipeline"], place(mesh, Kind.PRODUCER).iam("root"), "organizations:LeaveOrganization")
    assert set(by_name["pipeline"].accounts) == {each.account for each in places(mesh)}


def test_whoever_may_change_a_role_s_trust_would_be_the_pipeline_so_nobody_may(
    mesh: Declarations, by_name: dict[str, Guardrail]
) -> None:
    for each in places(mesh):
        someone, platform = each.iam("role/Admin"), each.iam("role/OrganizationAccountAccessRole")
        for action in ("iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePermissionsBoundary"):
            for principal in (someone, each.deploy_role_arn):
                assert denied(by_name["pipeline"], principal, action, each.deploy_role_arn)
            assert not denied(by_name["pipeline"], platform, action, each.deploy_role_arn)
            made = each.iam(f"role/{each.function_roles[0]}")
            assert denied(by_name["pipeline"], someone, action, made)
            assert not denied(by_name["pipeline"], each.deploy_role_arn, action, made)
            assert not denied(by_name["pipeline"], someone, action, each.iam("role/theirs"))
        assert denied(by_name["pipeline"], each.deploy_role_arn, "iam:CreatePolicyVersion", each.boundary_arn)
        assert not denied(by_name["pipeline"], platform, "iam:CreatePolicyVersion", each.boundary_arn)


def test_producers_keep_what_is_theirs_unless_the_organization_chooses_otherwise(
    mesh: Declarations, by_name: dict[str, Guardrail]
) -> None:
    producer = place(mesh, Kind.PRODUCER)
    attached = [each for each in by_name.values() if producer.account in each.accounts]
    assert [each.name for each in attached if not each.optional] == ["pipeline"]
    for action in DECIDES:
        assert not denied(by_name["pipeline"], producer.iam("role/LakeAdministrator"), action)
    assert by_name["producers"].optional
    assert denied(by_name["producers"], producer.iam("role/LakeAdministrator"), "glue:PutResourcePolicy")


def test_a_policy_that_grows_is_split_by_accounts_and_each_part_is_attached_to_its_own() -> None:
    many = [each for each in guardrails(declarations(consumers=60)) if each.name.startswith("consumers")]
    assert len(many) > 1
    assert all(len(readable(each.document)) < 5120 for each in many)
    accounts = [account for each in many for account in each.accounts]
    assert len(accounts) == len(set(accounts)) == 60
    for each in many:
        assert set(each.accounts) == {arn.split(":")[4] for arn in _principals(each)}


def _principals(guardrail: Guardrail) -> list[str]:
    settings = guardrail.document["Statement"][0]
    return list(settings["Condition"]["ArnNotLike"]["aws:PrincipalArn"])


def test_one_account_of_too_many_administrators_says_what_to_do() -> None:
    with pytest.raises(BootstrapError, match=r"consumer-c0: .*exceeds 5120 characters.*one role to assume"):
        guardrails(declarations(administrators=40))


def test_every_policy_of_the_sample_fits(sample: Declarations) -> None:
    for guardrail in guardrails(sample):
        assert len(readable(guardrail.document)) < 5120, guardrail.name
        assert guardrail.accounts
