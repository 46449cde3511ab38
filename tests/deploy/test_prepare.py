from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lakemesh.declarations.models import Declarations
from lakemesh.demo.clients import Clients
from lakemesh.deploy.bootstrapped import granted
from lakemesh.deploy.prepare import POLICY, deploy_roles, prepare, roles


@pytest.fixture
def clients(sample: Declarations, reset: Callable[[], str]) -> Clients:
    prepare(sample, endpoint := reset())
    return Clients(endpoint, sample.mesh.region)


def test_every_role_that_the_declarations_name_exists_and_acts_in_its_account(
    sample: Declarations, clients: Clients
) -> None:
    named = {
        *sample.mesh.central.administrators,
        *(principal.role for consumer in sample.consumers.values() for principal in consumer.principals.values()),
        *(arn for consumer in sample.consumers.values() for arn in consumer.administrators),
    }
    assert named <= {role.arn for role in roles(sample)}
    for role in roles(sample):
        assert clients.role("sts", role.arn).get_caller_identity()["Account"] == role.account


def test_central_s_administrator_may_deploy_to_every_account_and_no_other_account_may(
    sample: Declarations, clients: Clients
) -> None:
    mesh = sample.mesh
    arn = f"arn:aws:iam::{mesh.producers['erp'].account}:role/{mesh.producers['erp'].deploy_role}"
    clients.root("sts", mesh.central.account).assume_role(RoleArn=arn, RoleSessionName="test")
    with pytest.raises(ClientError, match="AccessDenied"):
        clients.root("sts", mesh.consumers["treasury"].account).assume_role(RoleArn=arn, RoleSessionName="test")


def test_people_who_query_may_not_change_anything(sample: Declarations, clients: Clients) -> None:
    role = next(iter(next(iter(sample.consumers.values())).principals.values())).role
    with pytest.raises(ClientError, match="AccessDenied"):
        clients.role("glue", role).create_database(DatabaseInput={"Name": "mine"})
    document = clients.root("iam", role.split(":")[4]).get_role_policy(
        RoleName=role.rpartition("/")[2], PolicyName=POLICY
    )["PolicyDocument"]
    verbs = ("Put", "Create", "Delete", "Update", "Grant")
    assert not any(action.split(":")[1].startswith(verbs) for action in document["Statement"][0]["Action"])


def test_a_governed_producer_s_deploying_role_administers_its_lake_beside_who_did_before(
    sample: Declarations, clients: Clients
) -> None:
    account = sample.mesh.producers["erp"].account
    lake = clients.root("lakeformation", account)
    other = {"DataLakePrincipalIdentifier": f"arn:aws:iam::{account}:root"}
    settings = lake.get_data_lake_settings()["DataLakeSettings"]
    deploy_role = f"arn:aws:iam::{account}:role/{sample.mesh.producers['erp'].deploy_role}"
    assert {"DataLakePrincipalIdentifier": deploy_role} in settings["DataLakeAdmins"]
    lake.put_data_lake_settings(DataLakeSettings={**settings, "DataLakeAdmins": [other]})
    prepare(sample, clients.endpoint)
    found = lake.get_data_lake_settings()["DataLakeSettings"]["DataLakeAdmins"]
    assert {one["DataLakePrincipalIdentifier"] for one in found} == {other["DataLakePrincipalIdentifier"], deploy_role}


def test_deploying_roles_have_what_bootstrap_writes_and_nothing_more(sample: Declarations, clients: Clients) -> None:
    for template in deploy_roles(sample):
        place, iam = template.place, clients.root("iam", template.place.account)
        role = iam.get_role(RoleName=place.deploy_role)["Role"]
        assert role["Arn"] == place.deploy_role_arn
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == place.iam(
            f"policy/{place.naming.deploy_boundary}"
        )
        assert iam.list_role_policies(RoleName=place.deploy_role)["PolicyNames"] == []
        attached = iam.list_attached_role_policies(RoleName=place.deploy_role)["AttachedPolicies"]
        assert len(attached) == len(template.policies)
        assert all(policy["PolicyName"] != "AdministratorAccess" for policy in attached)


def test_the_governance_accounts_deploying_role_goes_on_to_every_account(
    sample: Declarations, clients: Clients
) -> None:
    central, *others = (template.place.deploy_role_arn for template in deploy_roles(sample))
    for arn in (central, *others):
        clients.role("sts", central).assume_role(RoleArn=arn, RoleSessionName="test")
    for arn in others:
        with pytest.raises(ClientError, match="AccessDenied"):
            clients.role("sts", arn).assume_role(RoleArn=central, RoleSessionName="test")


def test_preparing_again_changes_nothing(sample: Declarations, clients: Clients) -> None:
    def changes() -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{clients.endpoint}/_local/journal", timeout=30) as answer:  # noqa: S310
            return list(json.load(answer)["entries"])

    before = changes()
    prepare(sample, clients.endpoint)
    assert changes() == before


def test_a_deploying_role_may_delete_what_leaves_the_mesh_and_make_what_joins_it(
    sample: Declarations, clients: Clients
) -> None:
    consumer = deploy_roles(sample)[-1].place

    def databases() -> set[str]:
        iam = clients.root("iam", consumer.account)
        found = granted(deploy_roles(sample)[-1], iam)
        links = next(statement for statement in found if statement["Sid"] == "Databases")
        return {arn.rpartition("/")[2] for arn in links["Resource"] if ":database/" in arn}

    before = databases()
    assert before == set(consumer.twins)
    domain = sample.mesh.domains["ap"]
    other = domain.sources[0].model_copy(update={"database": "new_lake"})
    domains = {"ap": domain.model_copy(update={"sources": (other,)})}
    changed = sample.model_copy(update={"mesh": sample.mesh.model_copy(update={"domains": domains})})
    prepare(changed, clients.endpoint)
    assert databases() == {*before, "new_lake"}
