"""Accounts that nobody prepared for a mesh: a producer with years of policies of its own, and one that wants to read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lakemesh.demo import files
from lakemesh.demo.clients import Clients
from lakemesh.demo.tables import Format, SourceColumn, SourceTable, columns
from lakemesh.onboard.account import CONSUMER_READS, PRODUCER_READS

REGION = "eu-north-1"
CENTRAL, PRODUCER, CONSUMER, STRANGER = "210000000001", "210000000002", "210000000003", "210000000009"
LAKE, LANDING, FOREIGN = "orchard-lake", "orchard-landing", "stranger-lake"
DATA_KEY = f"arn:aws:kms:{REGION}:{PRODUCER}:key/11111111-2222-4333-8444-555555555555"
CATALOG_KEY = f"arn:aws:kms:{REGION}:{PRODUCER}:key/11111111-2222-4333-8444-666666666666"
READER = f"arn:aws:iam::{PRODUCER}:role/DataLake/Onboarding"
"""Holds nothing but what docs/onboarding.md says, and is a data lake administrator."""
CONSUMER_READER = f"arn:aws:iam::{CONSUMER}:role/Onboarding"
ANALYST = f"arn:aws:iam::{CONSUMER}:role/HarvestAnalyst"
SHIPMENTS = SourceTable(
    database="harvest",
    name="shipments",
    format=Format.PARQUET,
    columns=columns("shipment_id string\ncustomer_email string\nweight_kg double"),
    partition_keys=(SourceColumn("shipped_on", "date"),),
    rows=tuple(
        {"shipment_id": f"S{n}", "customer_email": f"c{n}@example.com", "weight_kg": n * 1.5, "shipped_on": day}
        for n, day in enumerate(("2026-01-05", "2026-01-05", "2026-01-06"), start=1)
    ),
    description="Every shipment that left an orchard.",
)
PLAIN_TABLES = 54


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(account: str) -> str:
    return policy({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"})


@dataclass
class Unprepared:
    """The accounts, on one local AWS."""

    clients: Clients
    glue: Any = None
    """The producer's catalog, as who keeps it."""

    @classmethod
    def at(cls, endpoint: str) -> Unprepared:
        return cls(Clients(endpoint, REGION))

    def root(self, service: str, account: str) -> Any:
        return self.clients.root(service, account)

    def make(self) -> Unprepared:
        self.make_consumer()
        self.make_producer()
        return self

    def role(self, account: str, name: str, actions: Sequence[str], path: str = "/") -> str:
        iam = self.root("iam", account)
        arn = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust(account))["Role"]["Arn"]
        document = policy({"Effect": "Allow", "Action": list(actions), "Resource": "*"})
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
        return str(arn)

    # ------------------------------------------------------------------------------------------------ a consumer
    def make_consumer(self) -> None:
        self.role(CONSUMER, "Onboarding", CONSUMER_READS)
        self.role(CONSUMER, "HarvestAnalyst", ["athena:*", "glue:Get*", "lakeformation:GetDataAccess", "kms:Decrypt"])
        self.role(CONSUMER, "Everything", ["*"])
        self.role(CONSUMER, "LogShipper", ["logs:*"])
        admin = self.role(CONSUMER, "LakeAdmin", ["lakeformation:*", "glue:*", "athena:*"])
        self.root("lakeformation", CONSUMER).put_data_lake_settings(
            DataLakeSettings={"DataLakeAdmins": [{"DataLakePrincipalIdentifier": admin}]}
        )

    # ------------------------------------------------------------------------------------------------ a producer
    def make_producer(self) -> None:
        self.role(PRODUCER, "Onboarding", PRODUCER_READS, path="/DataLake/")
        writer = self.role(PRODUCER, "Writer", ["s3:*", "glue:*", "lakeformation:GetDataAccess"])
        keeper = self.role(PRODUCER, "LakeKeeper", ["glue:*", "lakeformation:*", "kms:*"])
        self._keys(writer)
        self._buckets(writer)
        self._settings(keeper, writer)
        self.glue = self.clients.role("glue", keeper)
        self._harvest()
        self._raw()
        self._grants(writer, keeper)

    def _keys(self, writer: str) -> None:
        for arn in (DATA_KEY, CATALOG_KEY):
            document = policy(
                {
                    "Sid": "Owner", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
                    "Principal": {"AWS": f"arn:aws:iam::{PRODUCER}:root"},
                },
                {
                    "Sid": "Jobs", "Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                    "Resource": "*", "Principal": {"AWS": writer},
                },
            )  # fmt: skip
            tags = [{"TagKey": "_custom_id_", "TagValue": arn.rpartition("/")[2]}]
            self.root("kms", PRODUCER).create_key(Policy=document, Tags=tags)

    def _buckets(self, writer: str) -> None:
        for account, name in ((PRODUCER, LAKE), (PRODUCER, LANDING), (STRANGER, FOREIGN)):
            self.root("s3", account).create_bucket(
                Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        s3 = self.root("s3", PRODUCER)
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": DATA_KEY}
        rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]}
        s3.put_bucket_encryption(Bucket=LAKE, ServerSideEncryptionConfiguration=rules)
        arn = f"arn:aws:s3:::{LAKE}"
        s3.put_bucket_policy(
            Bucket=LAKE,
            Policy=policy(
                {
                    "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                    "Resource": [arn, f"{arn}/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                },
                {
                    "Sid": "Jobs", "Effect": "Allow", "Principal": {"AWS": writer},
                    "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{arn}/*",
                },
            ),
        )  # fmt: skip

    def _settings(self, keeper: str, writer: str) -> None:
        self.root("lakeformation", PRODUCER).put_data_lake_settings(
            DataLakeSettings={
                "DataLakeAdmins": [{"DataLakePrincipalIdentifier": arn} for arn in (READER, keeper)],
                "CreateDatabaseDefaultPermissions": [],
                "CreateTableDefaultPermissions": [],
            }
        )
        glue = self.root("glue", PRODUCER)
        glue.put_data_catalog_encryption_settings(
            DataCatalogEncryptionSettings={
                "EncryptionAtRest": {"CatalogEncryptionMode": "SSE-KMS", "SseAwsKmsKeyId": CATALOG_KEY}
            }
        )
        catalog = f"arn:aws:glue:{REGION}:{PRODUCER}"
        statement = {
            "Sid": "Jobs", "Effect": "Allow", "Principal": {"AWS": writer}, "Action": ["glue:GetTable"],
            "Resource": [f"{catalog}:catalog", f"{catalog}:database/*", f"{catalog}:table/*"],
        }  # fmt: skip
        glue.put_resource_policy(PolicyInJson=policy(statement), EnableHybrid="TRUE")

    def _harvest(self) -> None:
        """60 tables that somebody curates, of every kind that people have."""
        self.glue.create_database(DatabaseInput={"Name": "harvest"})
        self._filled(SHIPMENTS, f"s3://{LAKE}/curated/harvest/shipments/")
        for number in range(PLAIN_TABLES):
            self.table("harvest", f"orchard_{number:02}", f"s3://{LAKE}/curated/harvest/orchards/{number:02}/")
        csv = {
            "SerializationLibrary": files.LAZY_SIMPLE_SERDE,
            "Parameters": {"field.delim": ","},
        }
        self.table("harvest", "weather", f"s3://{LAKE}/curated/harvest/weather/", SerdeInfo=csv)
        iceberg = f"s3://{LAKE}/curated/harvest/prices/"
        self.table(
            "harvest", "prices", iceberg,
            parameters={"table_type": "ICEBERG", "metadata_location": f"{iceberg}metadata/00001.metadata.json"},
        )  # fmt: skip
        self.glue.create_table(
            DatabaseName="harvest",
            TableInput=files.table_input(
                SourceTable("harvest", "recent_shipments", Format.VIEW, columns("shipment_id string"), (),
                            sql="SELECT shipment_id FROM harvest.shipments"), "",
            ),
        )  # fmt: skip
        self.table("harvest", "borrowed", f"s3://{FOREIGN}/theirs/")
        self.table("harvest", "sensors", f"s3://{LANDING}/sensors/")
        assert len(self.tables("harvest")) == 60

    def _raw(self) -> None:
        """Another database whose tables lie next to the first one's."""
        self.glue.create_database(DatabaseInput={"Name": "raw", "LocationUri": f"s3://{LAKE}/"})
        self.table("raw", "dumps", f"s3://{LAKE}/curated/dumps/")

    def tables(self, database: str) -> list[str]:
        pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=database)
        return [table["Name"] for page in pages for table in page["TableList"]]

    def table(
        self, database: str, name: str, location: str, *, parameters: dict[str, str] | None = None, **storage: Any
    ) -> None:
        plain = SourceTable(database, name, Format.PARQUET, columns("id string\namount decimal(18,2)"), ())
        made: Any = files.table_input(plain, location)
        made["StorageDescriptor"].update(storage)
        if "SerdeInfo" in storage:
            made["Parameters"] = {"classification": "csv", "skip.header.line.count": "1"}
        made["Parameters"].update(parameters or {})
        self.glue.create_table(DatabaseName=database, TableInput=made)

    def _filled(self, table: SourceTable, location: str) -> None:
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        for item in files.data_files(table):
            self.root("s3", PRODUCER).put_object(Bucket=bucket, Key=f"{prefix}{item.path}", Body=item.body)
        self.glue.create_table(DatabaseName=table.database, TableInput=files.table_input(table, location))
        self.glue.batch_create_partition(
            DatabaseName=table.database, TableName=table.name,
            PartitionInputList=files.partition_inputs(table, location),
        )  # fmt: skip

    def _grants(self, writer: str, keeper: str) -> None:
        formation = self.clients.role("lakeformation", keeper)
        shipments = {"Table": {"DatabaseName": "harvest", "Name": "shipments"}}
        for principal, resource, permissions in (
            (writer, shipments, ["SELECT"]),
            (STRANGER, shipments, ["SELECT"]),
            (CONSUMER, shipments, ["SELECT"]),
            (STRANGER, {"Database": {"Name": "harvest"}}, ["DESCRIBE"]),
        ):
            formation.grant_permissions(
                Principal={"DataLakePrincipalIdentifier": principal}, Resource=resource, Permissions=permissions,
                PermissionsWithGrantOption=[],
            )  # fmt: skip

    def add_column(self, database: str, name: str, column: str) -> None:
        """The producer's own evolution: one more column at the end."""
        table = self.glue.get_table(DatabaseName=database, Name=name)["Table"]
        kept = ("Name", "Description", "Owner", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")
        made = {key: table[key] for key in kept if key in table}
        made["StorageDescriptor"]["Columns"].append({"Name": column, "Type": "string", "Comment": "yes"})
        self.glue.update_table(DatabaseName=database, TableInput=made)
