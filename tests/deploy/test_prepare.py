from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from lakemesh.declarations.models import Declarations
from lakemesh.demo.clients import Clients
from lakemesh.deploy.prepare import POLICY, prepare, roles


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


def test_preparing_again_changes_nothing(sample: Declarations, clients: Clients) -> None:
    def state() -> str:
        found = {}
        for role in roles(sample):
            iam = clients.root("iam", role.account)
            found[role.arn] = iam.get_role_policy(RoleName=role.name, PolicyName=POLICY)["PolicyDocument"]
        return json.dumps(found, sort_keys=True)

    before = state()
    prepare(sample, clients.endpoint)
    assert state() == before
