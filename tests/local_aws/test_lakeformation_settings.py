"""Data lake settings, the defaults they set, and registered locations."""

from __future__ import annotations

import pytest

from local_aws.services.lakeformation import decisions
from tests.local_aws.lake import OWNER, RECIPIENT, REGION, Lake, refused, role, who

ARN = "arn:aws:s3:::lake/curated"


@pytest.fixture
def lf(client):
    return client("lakeformation", OWNER)


def settings(lf) -> dict:
    return lf.get_data_lake_settings()["DataLakeSettings"]


# ----------------------------------------------------------------------------------------------------------- settings
def test_a_new_account_lets_iam_decide(lf, client):
    """LF-dg change-settings."""
    default = [{"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}]
    assert settings(lf)["CreateDatabaseDefaultPermissions"] == settings(lf)["CreateTableDefaultPermissions"] == default
    client("glue", OWNER).create_database(DatabaseInput={"Name": "sales"})
    client("glue", OWNER).create_table(DatabaseName="sales", TableInput=Lake.table("orders"))
    lines = lf.list_permissions()["PrincipalResourcePermissions"]
    assert {line["Principal"]["DataLakePrincipalIdentifier"] for line in lines} == {"IAM_ALLOWED_PRINCIPALS"}
    reader = role(client, OWNER, "Reader")
    assert client.role(reader, "glue").get_table(DatabaseName="sales", Name="orders")["Table"]["Name"] == "orders"


def test_a_put_replaces_everything(lf, client):
    """API reference, PutDataLakeSettings."""
    admin = role(client, OWNER, "Admin")
    lf.put_data_lake_settings(
        DataLakeSettings={
            "DataLakeAdmins": [who(admin)],
            "TrustedResourceOwners": [RECIPIENT],
            "Parameters": {"CROSS_ACCOUNT_VERSION": "4"},
        }
    )
    assert settings(lf)["DataLakeAdmins"] == [who(admin)]
    assert settings(lf)["TrustedResourceOwners"] == [RECIPIENT]
    assert settings(lf)["CreateTableDefaultPermissions"] == []
    assert settings(lf)["Parameters"]["CROSS_ACCOUNT_VERSION"] == "4"
    lf.put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": []})
    assert settings(lf)["DataLakeAdmins"] == settings(lf)["TrustedResourceOwners"] == []
    assert settings(lf)["Parameters"]["CROSS_ACCOUNT_VERSION"] == "1"


def test_settings_come_too_late_for_databases_that_exist(lf, client):
    """LF-dg change-settings: the trap that the sync handler looks for."""
    glue = client("glue", OWNER)
    glue.create_database(DatabaseInput={"Name": "before"})
    lf.put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": []})
    glue.create_database(DatabaseInput={"Name": "after"})
    assert glue.get_database(Name="before")["Database"]["CreateTableDefaultPermissions"] != []
    assert glue.get_database(Name="after")["Database"]["CreateTableDefaultPermissions"] == []
    for name in ("before", "after"):
        glue.create_table(DatabaseName=name, TableInput=Lake.table("orders"))
    shown = [line["Resource"] for line in lf.list_permissions()["PrincipalResourcePermissions"]]
    assert [r["Table"]["DatabaseName"] for r in shown if "Table" in r] == ["before"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"DataLakeAdmins": [who(f"arn:aws:iam::{OWNER}:role/Nobody")]},
        {"DataLakeAdmins": [who(RECIPIENT)]},
        {"CreateTableDefaultPermissions": [{"Principal": who("IAM_ALLOWED_PRINCIPALS"), "Permissions": ["SELECT"]}]},
        {"Parameters": {"CROSS_ACCOUNT_VERSION": "6"}},
        {"Parameters": {"SOMETHING": "TRUE"}},
    ],
    ids=["no such role", "an account", "default", "version", "parameter"],
)
def test_wrong_settings_are_refused(lf, wrong):
    with refused("InvalidInputException"):
        lf.put_data_lake_settings(DataLakeSettings=wrong)


def test_version_5_is_final(lf):
    """LF-dg optimize-ram."""
    lf.put_data_lake_settings(DataLakeSettings={"Parameters": {"CROSS_ACCOUNT_VERSION": "5"}})
    for given in ({"Parameters": {"CROSS_ACCOUNT_VERSION": "4"}}, {}):
        with refused("InvalidInputException", "cannot be changed from 5"):
            lf.put_data_lake_settings(DataLakeSettings=given)
    assert settings(lf)["Parameters"]["CROSS_ACCOUNT_VERSION"] == "5"


def test_more_is_refused_by_name(lf, client):
    with refused("NotImplementedByLocalAws", "ReadOnlyAdmins"):
        lf.put_data_lake_settings(DataLakeSettings={"ReadOnlyAdmins": [who(role(client, OWNER, "Auditor"))]})
    with refused("AccessDeniedException"):
        lf.get_data_lake_settings(CatalogId=RECIPIENT)


# ---------------------------------------------------------------------------------------------------------- locations
def test_a_location_lives_from_registration_to_deregistration(lf, client):
    reader, other = role(client, OWNER, "Reader"), role(client, OWNER, "Other")
    lf.register_resource(ResourceArn=ARN + "/", RoleArn=reader)
    with refused("AlreadyExistsException"):
        lf.register_resource(ResourceArn=ARN, RoleArn=reader)
    lf.update_resource(ResourceArn=ARN, RoleArn=other)
    assert lf.describe_resource(ResourceArn=ARN)["ResourceInfo"]["RoleArn"] == other
    assert [info["ResourceArn"] for info in lf.list_resources()["ResourceInfoList"]] == [ARN]
    lf.deregister_resource(ResourceArn=ARN)
    for call in (lf.describe_resource, lf.deregister_resource):
        with refused("EntityNotFoundException"):
            call(ResourceArn=ARN)


def test_the_longest_registered_prefix_reads(lf, client):
    outer, inner = role(client, OWNER, "Outer"), role(client, OWNER, "Inner")
    lf.register_resource(ResourceArn="arn:aws:s3:::lake", RoleArn=outer)
    lf.register_resource(ResourceArn=ARN, RoleArn=inner)
    assert decisions.registered_role(OWNER, REGION, "s3://lake/curated/orders/") == inner
    assert decisions.registered_role(OWNER, REGION, "s3://lake/curated-not/orders/") == outer
    assert decisions.registered_role(OWNER, REGION, "s3://lakes/curated/") is None
    assert decisions.registered_role(RECIPIENT, REGION, "s3://lake/curated/") is None


def test_registering_takes_a_role_of_the_own_account(lf, client):
    with refused("InvalidInputException", "does not exist"):
        lf.register_resource(ResourceArn=ARN, RoleArn=f"arn:aws:iam::{OWNER}:role/Nobody")
    with refused("AccessDeniedException", "pass role"):
        lf.register_resource(ResourceArn=ARN, RoleArn=role(client, RECIPIENT, "Reader"))
    with refused("InvalidInputException"):
        lf.register_resource(ResourceArn=ARN)
    with refused("InvalidInputException", "not an Amazon S3 location"):
        lf.register_resource(
            ResourceArn=f"arn:aws:dynamodb:{REGION}:{OWNER}:table/x", RoleArn=role(client, OWNER, "Reader")
        )


@pytest.mark.parametrize("option", ["UseServiceLinkedRole", "HybridAccessEnabled", "WithFederation"])
def test_other_ways_of_registering_are_refused_by_name(lf, client, option):
    with refused("NotImplementedByLocalAws", option):
        lf.register_resource(ResourceArn=ARN, RoleArn=role(client, OWNER, "Reader"), **{option: True})


def test_the_owner_of_the_bucket_is_verified_when_asked_for(lf, client):
    client("s3", RECIPIENT).create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
    reader = role(client, OWNER, "Reader")
    for expected, status in ((RECIPIENT, "VERIFIED"), (OWNER, "VERIFICATION_FAILED")):
        arn = f"{ARN}/{expected}"
        lf.register_resource(ResourceArn=arn, RoleArn=reader, ExpectedResourceOwnerAccount=expected)
        assert lf.describe_resource(ResourceArn=arn)["ResourceInfo"]["VerificationStatus"] == status
