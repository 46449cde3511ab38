"""The shares that Lake Formation makes, and how their recipients answer."""

from __future__ import annotations

import datetime as dt

import pytest

from local_aws.services import organizations, ram
from tests.local_aws.lake import DATABASE, INTERNAL, ORDERS, OWNER, RECIPIENT, Lake, refused, role


@pytest.fixture
def lake(client) -> Lake:
    return Lake(client)


def invitations(lake: Lake, account: str = RECIPIENT, **filters) -> list[dict]:
    return lake.client("ram", account).get_resource_share_invitations(**filters)["resourceShareInvitations"]


def shares(lake: Lake, account: str, owner: str, **filters) -> list[dict]:
    return lake.client("ram", account).get_resource_shares(resourceOwner=owner, **filters)["resourceShares"]


def test_each_kind_of_grant_is_a_share_and_later_grants_ride_on_it(lake):
    """Best practices guide, cross-account-faq."""
    lake.grant(RECIPIENT, DATABASE, "DESCRIBE", option=True)
    lake.grant(RECIPIENT, INTERNAL, "SELECT", option=True)
    assert len(lake.accept()) == 2
    lake.grant(
        RECIPIENT,
        {"LFTagPolicy": {**INTERNAL["LFTagPolicy"], "Expression": INTERNAL["LFTagPolicy"]["Expression"][:1]}},
        "SELECT",
    )
    assert lake.accept() == []
    names = [share["name"] for share in shares(lake, OWNER, "SELF")]
    assert len(names) == 2
    assert all(name.startswith("LakeFormation-V4-") for name in names)
    assert [share["name"] for share in shares(lake, RECIPIENT, "OTHER-ACCOUNTS", resourceShareStatus="ACTIVE")] == names


def test_a_share_goes_with_its_last_grant(lake):
    lake.grant(RECIPIENT, DATABASE, "DESCRIBE")
    lake.revoke(RECIPIENT, DATABASE, "DESCRIBE")
    assert shares(lake, OWNER, "SELF") == invitations(lake) == []


def test_invitations_are_paged_and_filtered(lake):
    for resource, permission in ((DATABASE, "DESCRIBE"), (ORDERS, "SELECT"), (INTERNAL, "SELECT")):
        lake.grant(RECIPIENT, resource, permission)
    ram_client = lake.client("ram", RECIPIENT)
    pages = list(ram_client.get_paginator("get_resource_share_invitations").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["resourceShareInvitations"]) for page in pages] == [2, 1]
    one = pages[0]["resourceShareInvitations"][0]
    assert invitations(lake, resourceShareInvitationArns=[one["resourceShareInvitationArn"]]) == [one]
    assert invitations(lake, resourceShareArns=[one["resourceShareArn"]]) == [one]
    assert invitations(lake, OWNER) == []


def test_an_invitation_is_answered_once(lake):
    lake.grant(RECIPIENT, DATABASE, "DESCRIBE")
    (invitation,) = invitations(lake)
    assert (invitation["status"], invitation["senderAccountId"], invitation["receiverAccountId"]) == (
        "PENDING",
        OWNER,
        RECIPIENT,
    )
    arn = invitation["resourceShareInvitationArn"]
    client = lake.client("ram", RECIPIENT)
    assert (
        client.reject_resource_share_invitation(resourceShareInvitationArn=arn)["resourceShareInvitation"]["status"]
        == "REJECTED"
    )
    with refused("ResourceShareInvitationAlreadyRejectedException"):
        client.accept_resource_share_invitation(resourceShareInvitationArn=arn)
    assert shares(lake, RECIPIENT, "OTHER-ACCOUNTS") == []
    with refused("ResourceShareInvitationArnNotFoundException"):
        lake.client("ram", OWNER).accept_resource_share_invitation(resourceShareInvitationArn=arn)


def test_an_invitation_ends_after_seven_days(lake, monkeypatch):
    """RAM user guide, working-with-shared-invitations."""
    lake.grant(RECIPIENT, DATABASE, "DESCRIBE")
    later = ram.now() + dt.timedelta(days=7)
    monkeypatch.setattr(ram, "now", lambda: later)
    (invitation,) = invitations(lake)
    assert invitation["status"] == "EXPIRED"
    with refused("ResourceShareInvitationExpiredException"):
        lake.client("ram", RECIPIENT).accept_resource_share_invitation(
            resourceShareInvitationArn=invitation["resourceShareInvitationArn"]
        )


@pytest.mark.parametrize(
    ("members", "sharing", "invited"), [([RECIPIENT], True, 0), ([RECIPIENT], False, 1), ([], True, 1)]
)
def test_an_organization_with_sharing_needs_no_invitation(lake, members, sharing, invited):
    """RAM user guide, getting-started-sharing."""
    organizations.declare("o-a1b2c3d4e5", OWNER, members, ram_sharing=sharing)
    lake.grant(RECIPIENT, DATABASE, "DESCRIBE")
    assert len(invitations(lake)) == invited
    assert len(shares(lake, RECIPIENT, "OTHER-ACCOUNTS")) == 1 - invited


def test_a_share_to_a_role_is_accepted_by_its_account(lake):
    lake.grant(role(lake.client, RECIPIENT, "Analyst"), INTERNAL, "SELECT")
    assert len(lake.accept()) == 1


def test_resources_and_permissions_of_shares_are_listed(lake):
    lake.grant(RECIPIENT, DATABASE, "DESCRIBE")
    lake.grant(RECIPIENT, ORDERS, "SELECT")
    lake.grant(RECIPIENT, INTERNAL, "SELECT")
    lake.accept()
    client = lake.client("ram", RECIPIENT)
    found = {
        r["type"]: r["arn"].split(":", 5)[5] for r in client.list_resources(resourceOwner="OTHER-ACCOUNTS")["resources"]
    }
    assert found == {"glue:Database": "database/sales", "glue:Table": "table/sales/orders", "glue:Catalog": "catalog"}
    (table,) = client.list_resources(resourceOwner="OTHER-ACCOUNTS", resourceType="glue:Table")["resources"]
    (permission,) = client.list_resource_share_permissions(resourceShareArn=table["resourceShareArn"])["permissions"]
    assert permission["resourceType"] == "glue:Table"
    with refused("UnknownResourceException"):
        lake.client("ram", "300000000003").list_resource_share_permissions(resourceShareArn=table["resourceShareArn"])


def test_what_is_not_modelled_is_refused_by_name(lake):
    client = lake.client("ram", OWNER)
    with refused("NotImplementedByLocalAws", "CreateResourceShare"):
        client.create_resource_share(name="x")
    with refused("NotImplementedByLocalAws", "tagFilters"):
        client.get_resource_shares(resourceOwner="SELF", tagFilters=[{"tagKey": "a", "tagValues": ["b"]}])
