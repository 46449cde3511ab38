"""The handlers against the local AWS, under roles that may do what docs/sync.md says and nothing else."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from local_aws.server import LocalAws
from local_aws.services import calls, identity
from sync_handlers import accept_shares, manifest, opening, policy_statements, settings, sync, tag
from sync_handlers.errors import IncompleteError, NotDeployedError, RefusedError
from tests.sync_handlers.tables import (
    CENTRAL,
    PRODUCER,
    column,
    contract,
    csv,
    document,
    iceberg,
    orders_contract,
    parquet,
    partition,
    view,
)

REGION, CONSUMER, TWIN = "eu-west-3", "999900003333", "sales_raw"
NO_DEFAULTS = {"CreateDatabaseDefaultPermissions": [], "CreateTableDefaultPermissions": []}
KEYS = {"domain": ["sales"], "product": ["orders", "vendors"], "layer": ["raw"],
        "sensitivity": ["public", "internal", "confidential", "restricted", "unreviewed"]}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[LocalAws]:
    with LocalAws().start() as aws:
        yield aws


class Cloud:
    """A producer, the central account and a consumer, with the roles of the handlers."""

    def __init__(self, endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
        self.endpoint, self.patch, self.manifest = endpoint, monkeypatch, tmp_path / "manifest.json"
        for name, value in {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
                            "LAKEMESH_MANIFEST": str(self.manifest)}.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        for account in (CENTRAL, CONSUMER):
            self.client("lakeformation", account).put_data_lake_settings(
                DataLakeSettings={"DataLakeAdmins": [], "Parameters": {"CROSS_ACCOUNT_VERSION": "4"}, **NO_DEFAULTS}
            )
        self.glue, self.lf = self.client("glue", CENTRAL), self.client("lakeformation", CENTRAL)
        self.source = self.client("glue", PRODUCER)
        self._central()
        self._producer()
        self.declare(orders_contract(), contract("vendors", product="vendors", id=("string", "public")))

    # ------------------------------------------------------------------------------------------------- set up
    def client(self, service: str, account: str) -> Any:
        return boto3.client(
            service, region_name=REGION, endpoint_url=self.endpoint, aws_access_key_id=account,
            aws_secret_access_key="unused",
        )  # fmt: skip

    def role(self, account: str, name: str, trusted: dict[str, Any], *statements: dict[str, Any]) -> str:
        iam = self.client("iam", account)
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", **trusted}]}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        may = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=json.dumps(may))
        return str(arn)

    def grant(self, account: str, role: str, resource: dict[str, Any], *permissions: str, option: bool = False) -> None:
        self.client("lakeformation", account).grant_permissions(
            Principal={"DataLakePrincipalIdentifier": role}, Resource=resource, Permissions=list(permissions),
            PermissionsWithGrantOption=list(permissions) if option else [],
        )  # fmt: skip

    def _central(self) -> None:
        lambda_ = {"Principal": {"Service": "lambda.amazonaws.com"}}
        self.sync_role = self.role(
            CENTRAL, "sync", lambda_,
            {"Action": [f"glue:{name}" for name in (
                "GetDatabase", "GetTable", "GetTables", "CreateTable", "UpdateTable", "GetPartitions", "BatchGetPartition",
                "BatchCreatePartition", "BatchUpdatePartition", "BatchDeletePartition", "DeleteTable")],
             "Resource": self.arns(CENTRAL, TWIN)},
            {"Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{PRODUCER}:role/reader"},
            {"Action": [f"dynamodb:{name}" for name in ("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")],
             "Resource": f"arn:aws:dynamodb:{REGION}:{CENTRAL}:table/state"},
        )  # fmt: skip
        self.tag_role = self.role(
            CENTRAL, "tag", lambda_,
            {"Action": "glue:GetTable", "Resource": self.arns(CENTRAL, TWIN)},
            {"Action": [f"lakeformation:{name}" for name in ("GetResourceLFTags", "AddLFTagsToResource", "RemoveLFTagsFromResource")],
             "Resource": "*"},
        )  # fmt: skip
        for key, values in KEYS.items():
            self.lf.create_lf_tag(TagKey=key, TagValues=values)
            self.grant(CENTRAL, self.tag_role, {"LFTag": {"TagKey": key, "TagValues": ["*"]}}, "ASSOCIATE", "DESCRIBE")
        self.glue.create_database(DatabaseInput={"Name": TWIN})
        database, every = {"Database": {"Name": TWIN}}, {"Table": {"DatabaseName": TWIN, "TableWildcard": {}}}
        self.lf.add_lf_tags_to_resource(Resource=database, LFTags=[
            {"TagKey": "sensitivity", "TagValues": ["unreviewed"]}, {"TagKey": "domain", "TagValues": ["sales"]}])  # fmt: skip
        self.grant(CENTRAL, self.sync_role, database, "CREATE_TABLE", "DESCRIBE")
        self.grant(CENTRAL, self.sync_role, every, "ALTER", "DESCRIBE", "DROP")
        self.grant(CENTRAL, self.tag_role, database, "DESCRIBE")
        self.grant(
            CENTRAL, self.tag_role, every, "ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT", option=True
        )

    def _producer(self) -> None:
        self.source.create_database(DatabaseInput={"Name": TWIN})
        self.reader = self.role(
            PRODUCER, "reader",
            {"Principal": {"AWS": self.sync_role}, "Condition": {"StringEquals": {"sts:ExternalId": "shop-of-the-mesh"}}},
            {"Action": [f"glue:{name}" for name in ("GetDatabase", "GetTable", "GetTables", "GetPartitions", "BatchGetPartition")],
             "Resource": self.arns(PRODUCER, TWIN)},
            {"Action": "lakeformation:ListPermissions", "Resource": "*"},
        )  # fmt: skip
        for table in (parquet(), csv(), iceberg(), view()):
            self.source.create_table(DatabaseName=TWIN, TableInput=table)
        self.source.batch_create_partition(
            DatabaseName=TWIN, TableName="orders",
            PartitionInputList=[partition(parquet(), f"2026-01-{day:02d}") for day in range(1, 31)],
        )  # fmt: skip

    @staticmethod
    def arns(account: str, database: str) -> list[str]:
        catalog = f"arn:aws:glue:{REGION}:{account}"
        return [f"{catalog}:catalog", f"{catalog}:database/{database}", f"{catalog}:table/{database}/*"]

    def declare(self, *contracts: dict[str, Any]) -> None:
        self.contracts = contracts
        self.manifest.write_text(json.dumps(document(*contracts)), encoding="utf-8")

    # ---------------------------------------------------------------------------------------------------- run
    def run(self, handler: Any, role: str, event: dict[str, Any]) -> Any:
        """Call a handler as Lambda does: credentials of its role in the environment."""
        session = identity.issue(identity.role(role, "function"))
        for name, value in {"AWS_ACCESS_KEY_ID": session.access_key_id, "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
                            "AWS_SESSION_TOKEN": session.session_token}.items():  # fmt: skip
            self.patch.setenv(name, str(value))
        boto3.DEFAULT_SESSION = None  # type: ignore[attr-defined]
        settings.settings.cache_clear()
        manifest.bundled.cache_clear()
        account = role.split(":")[4]
        context = SimpleNamespace(
            function_name="f", memory_limit_in_mb=512, aws_request_id="r", get_remaining_time_in_millis=lambda: 900_000,
            invoked_function_arn=f"arn:aws:lambda:{REGION}:{account}:function:f",
        )  # fmt: skip
        return json.loads(json.dumps(handler(event, context)))

    def sync(self, **more: Any) -> Any:
        event = {"action": "reconcile", "twin": TWIN, "digest": "source-digest", **more}
        return self.run(sync.handler, self.sync_role, event)

    def tag(self, product: str = "orders", **more: Any) -> Any:
        tables = {
            f"{TWIN}.{listed['table']}": listed["digest"] for listed in self.contracts if listed["product"] == product
        }
        event = {"action": "tag", "product": product, "tables": tables, **more}
        return self.run(tag.handler, self.tag_role, event)["tables"]

    def tags(self, table: str, *columns: str) -> dict[str, str]:
        """Sensitivities of columns as Lake Formation decides by them, inherited ones too."""
        answer = self.lf.get_resource_lf_tags(
            Resource={"TableWithColumns": {"DatabaseName": TWIN, "Name": table, "ColumnNames": list(columns)}}
        )
        return {
            one["Name"]: pair["TagValues"][0]
            for one in answer["LFTagsOnColumns"]
            for pair in one["LFTags"]
            if pair["TagKey"] == "sensitivity"
        }


@pytest.fixture
def cloud(server: LocalAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Cloud]:
    calls.reset()
    yield Cloud(server.endpoint, monkeypatch, tmp_path)
    boto3.DEFAULT_SESSION = None  # type: ignore[attr-defined]
    settings.settings.cache_clear()
    manifest.bundled.cache_clear()


def test_the_central_catalog_holds_what_the_producers_does_and_a_second_run_changes_nothing(cloud: Cloud) -> None:
    first = cloud.sync()
    assert first["tables"]["created"] == 4
    assert first["partitions"]["created"] == 30
    assert first["sourceDigest"] == first["twinDigest"]
    second = cloud.sync()
    assert second["tables"] == {"created": 0, "updated": 0, "unchanged": 4, "marked": 0, "deleted": 0}
    assert second["partitions"] == {"created": 0, "updated": 0, "deleted": 0, "unchanged": 30}


def test_columns_are_unreviewed_until_tagged_and_a_new_one_stays_so(cloud: Cloud) -> None:
    cloud.sync()
    assert set(cloud.tags("orders", "id", "email", "day").values()) == {"unreviewed"}
    assert cloud.tag()["sales_raw.orders"]["tagged"] == 4
    assert cloud.tags("orders", "id", "email", "day") == {"id": "internal", "email": "confidential", "day": "public"}
    table = parquet()
    table["StorageDescriptor"]["Columns"].append(column("ssn"))
    cloud.source.update_table(DatabaseName=TWIN, TableInput=table)
    assert cloud.sync()["tables"]["updated"] == 1
    assert cloud.tags("orders", "id", "ssn") == {"id": "internal", "ssn": "unreviewed"}
    assert cloud.tag()["sales_raw.orders"]["unreviewed"] == ["ssn"]


def test_a_second_tagging_changes_nothing_and_removal_makes_everything_unreviewed_again(cloud: Cloud) -> None:
    cloud.sync()
    cloud.tag()
    assert cloud.tag()["sales_raw.orders"]["changes"] == {"added": 0, "removed": 0}
    assert cloud.tag(tf={"action": "delete"})["sales_raw.orders"]["untagged"] is True
    assert set(cloud.tags("orders", "id", "email", "day").values()) == {"unreviewed"}


def test_a_table_that_central_lacks_is_pending(cloud: Cloud) -> None:
    assert cloud.tag()["sales_raw.orders"]["missing"] is True


def test_csv_columns_that_moved_at_the_source_leave_the_tagged_copy_as_it_was(cloud: Cloud) -> None:
    cloud.sync()
    cloud.tag("vendors")
    assert cloud.tags("vendors", "id") == {"id": "public"}
    cloud.source.update_table(DatabaseName=TWIN, TableInput=csv("vendors", "iban", "id", "name"))
    assert cloud.sync()["held"][0]["table"] == "vendors"
    names = [
        one["Name"]
        for one in cloud.glue.get_table(DatabaseName=TWIN, Name="vendors")["Table"]["StorageDescriptor"]["Columns"]
    ]
    assert names == ["id", "name", "iban"]


def test_the_reader_role_is_needed_and_its_producer_named(cloud: Cloud) -> None:
    iam = cloud.client("iam", PRODUCER)
    iam.delete_role_policy(RoleName="reader", PolicyName="may")
    iam.delete_role(RoleName="reader")
    with pytest.raises(NotDeployedError, match=r"pulumi up --stack producer-shop"):
        cloud.sync()


def test_a_reader_that_iam_refuses_deletes_nothing(cloud: Cloud) -> None:
    cloud.sync()
    cloud.client("iam", PRODUCER).delete_role_policy(RoleName="reader", PolicyName="may")
    with pytest.raises(NotDeployedError, match="a refusal is no deletion"):
        cloud.sync()
    assert len(cloud.glue.get_tables(DatabaseName=TWIN)["TableList"]) == 4


def test_tables_that_lake_formation_hides_at_the_source_are_marked_and_stay(cloud: Cloud) -> None:
    """A governed producer that took DESCRIBE away again: the reader sees an empty database and no refusal."""
    cloud.sync()
    theirs = cloud.client("lakeformation", PRODUCER)
    everybody = {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}
    for name in ("orders", "vendors", "invoice", "open_orders"):
        theirs.revoke_permissions(
            Principal=everybody, Resource={"Table": {"DatabaseName": TWIN, "Name": name}}, Permissions=["ALL"]
        )
    result = cloud.sync()
    assert result["tables"]["marked"] == 4
    assert {one["table"]: one["listed"] for one in result["absent"]} == {
        "orders": True, "vendors": True, "invoice": False, "open_orders": False,
    }  # fmt: skip
    assert len(cloud.glue.get_tables(DatabaseName=TWIN)["TableList"]) == 4
    cloud.grant(PRODUCER, cloud.reader, {"Table": {"DatabaseName": TWIN, "TableWildcard": {}}}, "DESCRIBE")
    assert cloud.sync()["tables"]["updated"] == 4


def remembering(cloud: Cloud) -> Any:
    """The state table, as stack central makes it."""
    client = cloud.client("dynamodb", CENTRAL)
    client.create_table(
        TableName="state", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "twin", "KeyType": "HASH"}, {"AttributeName": "item", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("twin", "item")],
    )  # fmt: skip
    cloud.patch.setenv("SYNC_STATE_TABLE", "state")
    return lambda table: client.get_item(
        TableName="state", Key={"twin": {"S": TWIN}, "item": {"S": f"table#{table}"}}
    ).get("Item", {})


def later(cloud: Cloud) -> None:
    """A day and an hour from now."""
    opened = opening.open_sides

    def open_later(*given: Any) -> Any:
        return replace(opened(*given), clock=lambda: dt.datetime.now(dt.UTC) + dt.timedelta(hours=25))

    cloud.patch.setattr(sync, "open_sides", open_later)


def tables_of(cloud: Cloud) -> list[str]:
    return sorted(table["Name"] for table in cloud.glue.get_tables(DatabaseName=TWIN)["TableList"])


def test_a_table_that_is_gone_leaves_the_twin_once_iam_is_proven_to_decide(cloud: Cloud) -> None:
    item = remembering(cloud)
    cloud.sync()
    assert item("orders")["sourceDigest"] == item("orders")["twinDigest"]
    cloud.source.delete_table(DatabaseName=TWIN, Name="open_orders")
    cloud.sync()
    assert "absentSince" in item("open_orders")
    later(cloud)
    assert cloud.sync()["tables"]["deleted"] == 1
    assert tables_of(cloud) == ["invoice", "orders", "vendors"]
    assert "deletedAt" in item("open_orders")


def test_a_hidden_table_is_never_deleted_and_one_that_is_gone_is(cloud: Cloud) -> None:
    """A governed producer: Lake Formation is asked, as the reader, what the reader sees."""
    remembering(cloud)
    cloud.sync()
    theirs = cloud.client("lakeformation", PRODUCER)
    everybody = {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}
    for name in ("orders", "vendors", "invoice", "open_orders"):
        theirs.revoke_permissions(
            Principal=everybody, Resource={"Table": {"DatabaseName": TWIN, "Name": name}}, Permissions=["ALL"]
        )
    cloud.source.update_database(Name=TWIN, DatabaseInput={"Name": TWIN, "CreateTableDefaultPermissions": []})
    cloud.sync()
    cloud.source.delete_table(DatabaseName=TWIN, Name="open_orders")
    later(cloud)
    cloud.sync()
    assert len(tables_of(cloud)) == 4, "hidden or gone: nobody can tell"
    cloud.grant(PRODUCER, cloud.reader, {"Table": {"DatabaseName": TWIN, "TableWildcard": {}}}, "DESCRIBE")
    assert cloud.sync()["tables"]["deleted"] == 1
    assert tables_of(cloud) == ["invoice", "orders", "vendors"]


def test_a_twin_made_before_the_settings_is_refused(cloud: Cloud) -> None:
    cloud.glue.update_database(Name=TWIN, DatabaseInput={"Name": TWIN, "CreateTableDefaultPermissions": [
        {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}]})  # fmt: skip
    with pytest.raises(RefusedError, match="IAM_ALLOWED_PRINCIPALS"):
        cloud.sync()


def test_tagging_without_its_permissions_names_the_stacks_that_give_them(cloud: Cloud) -> None:
    cloud.sync()
    cloud.lf.revoke_permissions(
        Principal={"DataLakePrincipalIdentifier": cloud.tag_role}, Permissions=["ASSOCIATE", "DESCRIBE"],
        Resource={"LFTag": {"TagKey": "sensitivity", "TagValues": ["*"]}},
    )  # fmt: skip
    with pytest.raises(IncompleteError, match=r"sales_raw\.orders: .*sensitivity"):
        cloud.tag()


def test_a_consumer_accepts_what_central_shares_and_gets_a_default_database(cloud: Cloud) -> None:
    role = cloud.role(
        CONSUMER, "shares", {"Principal": {"Service": "lambda.amazonaws.com"}},
        {"Action": ["ram:GetResourceShareInvitations", "ram:GetResourceShares"], "Resource": "*"},
        {"Action": "ram:AcceptResourceShareInvitation", "Resource": "*"},
        {"Action": ["glue:GetDatabase", "glue:CreateDatabase"], "Resource": cloud.arns(CONSUMER, "default")[:2]},
    )  # fmt: skip
    cloud.grant(CONSUMER, role, {"Catalog": {}}, "CREATE_DATABASE")
    cloud.grant(CENTRAL, CONSUMER, {"Database": {"Name": TWIN}}, "DESCRIBE", option=True)
    event = {"action": "accept", "owner": CENTRAL, "databases": [TWIN], "digest": "d"}
    first = cloud.run(accept_shares.handler, role, event)
    assert len(first["accepted"]) == 1
    assert first["default"] == "created"
    found = cloud.client("glue", CONSUMER).get_database(Name="default")["Database"]
    assert found.get("CreateTableDefaultPermissions", []) == []
    assert cloud.run(accept_shares.handler, role, event) == {"accepted": [], "unusable": [], "default": "present"}


def test_statements_join_a_bucket_and_a_key_policy_and_leave_them_again(cloud: Cloud) -> None:
    s3, kms = cloud.client("s3", PRODUCER), cloud.client("kms", PRODUCER)
    s3.create_bucket(Bucket="shop-lake", CreateBucketConfiguration={"LocationConstraint": REGION})
    theirs = {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::shop-lake/*",
              "Condition": {"Bool": {"aws:SecureTransport": "false"}}}  # fmt: skip
    s3.put_bucket_policy(Bucket="shop-lake", Policy=json.dumps({"Version": "2012-10-17", "Statement": [theirs]}))
    role = cloud.role(
        PRODUCER, "statements", {"Principal": {"Service": "lambda.amazonaws.com"}},
        {"Action": [f"s3:{name}BucketPolicy" for name in ("Get", "Put", "Delete")], "Resource": "arn:aws:s3:::shop-lake"},
        {"Action": ["kms:GetKeyPolicy", "kms:PutKeyPolicy"], "Resource": "*"},
    )  # fmt: skip
    key = kms.create_key()["KeyMetadata"]["Arn"]
    before = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    ours = {"Sid": "MeshRead", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{CENTRAL}:root"},
            "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::shop-lake/*"}  # fmt: skip
    decrypt = {**ours, "Sid": "MeshDecrypt", "Action": "kms:Decrypt", "Resource": "*"}
    event = {"action": "statements", "sidPrefix": "Mesh", "buckets": [{"bucket": "shop-lake", "statements": [ours]}],
             "keys": [{"key": key, "statements": [decrypt]}]}  # fmt: skip
    assert len(cloud.run(policy_statements.handler, role, event)["changed"]) == 2
    assert cloud.run(policy_statements.handler, role, event)["changed"] == []
    assert json.loads(s3.get_bucket_policy(Bucket="shop-lake")["Policy"])["Statement"] == [theirs, ours]
    cloud.run(policy_statements.handler, role, {**event, "tf": {"action": "delete"}})
    assert json.loads(s3.get_bucket_policy(Bucket="shop-lake")["Policy"])["Statement"] == [theirs]
    after = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    assert json.loads(after)["Statement"] == json.loads(before)["Statement"]
