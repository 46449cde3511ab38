"""Make the producers as they are before any mesh: data in S3, tables in Glue, and whatever guards them already.

Which accounts, buckets, keys, databases and prefixes there are comes from the declarations; tables and rows come from
`lakemesh.demo.data`. A producer that Lake Formation governs is an old one, with policies of its own on buckets, keys
and catalog that have to survive the mesh; one under plain IAM is as new accounts are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lakemesh.declarations.models import Declarations, Governance, Producer, Source
from lakemesh.demo import files, iceberg
from lakemesh.demo.clients import Clients
from lakemesh.demo.tables import Format, SourceTable

LAKE_ADMINISTRATOR = "LakeAdministrator"
"""The producer's own data lake administrator, who made its databases."""
LAKE_WRITER = "LakeWriter"
"""The role of the producer's batch jobs, which its policies name."""
PARTITIONS_A_CALL = 100  # BatchCreatePartition, Glue API


@dataclass(frozen=True)
class Seeded:
    """How much was made."""

    tables: int
    partitions: int
    objects: int

    def __add__(self, other: Seeded) -> Seeded:
        return Seeded(self.tables + other.tables, self.partitions + other.partitions, self.objects + other.objects)


def seed(declarations: Declarations, clients: Clients, tables: Mapping[str, Sequence[SourceTable]]) -> Seeded:
    """Make every producer of the mesh, with `tables` by twin (`lakemesh.demo.data.tables`).

    The local AWS must be fresh: what exists already is an error of AWS's own.
    """
    guard(declarations, clients)
    return fill(declarations, clients, tables)


def guard(declarations: Declarations, clients: Clients) -> None:
    """The first half: roles, keys, buckets, settings and policies of every producer, and no data."""
    for name, producer in declarations.mesh.producers.items():
        prefixes = [prefix for source in _sources(declarations, name) for prefix in source.prefixes]
        _Maker(clients, producer).guard(sorted({*producer.buckets, *map(_bucket, prefixes)}))


def fill(declarations: Declarations, clients: Clients, tables: Mapping[str, Sequence[SourceTable]]) -> Seeded:
    """The second half: every source database with its tables."""
    made = Seeded(0, 0, 0)
    for name in declarations.mesh.producers:
        made += fill_producer(declarations, clients, tables, name)
    return made


def fill_producer(
    declarations: Declarations, clients: Clients, tables: Mapping[str, Sequence[SourceTable]], name: str
) -> Seeded:
    """The databases of one producer."""
    made = Seeded(0, 0, 0)
    maker = _Maker(clients, declarations.mesh.producers[name])
    for source in _sources(declarations, name):
        made += maker.database(source, tables[source.twin_name])
    return made


def add_table(declarations: Declarations, clients: Clients, source: Source, table: SourceTable) -> None:
    """One table more in a source's database, below the first of its prefixes."""
    maker = _Maker(clients, declarations.mesh.producers[source.producer])
    maker.table(table, f"{source.prefixes[0]}{table.name}/")


def _sources(declarations: Declarations, producer: str) -> list[Source]:
    every = (source for domain in declarations.mesh.domains.values() for source in domain.sources)
    return [source for source in every if source.producer == producer]


def _bucket(prefix: str) -> str:
    return iceberg.split(prefix)[0]


class _Maker:
    """Makes one producer."""

    def __init__(self, clients: Clients, producer: Producer) -> None:
        self.clients = clients
        self.producer = producer
        self.account = producer.account
        self.governed = producer.governance is Governance.LAKE_FORMATION
        self.partition = clients.root("s3", self.account).meta.partition

    def root(self, service: str) -> Any:
        return self.clients.root(service, self.account)

    def glue(self) -> Any:
        """Glue as whoever may create databases: in an account that Lake Formation governs an administrator of it."""
        if self.governed:
            return self.clients.role("glue", self.role_arn(LAKE_ADMINISTRATOR))
        return self.root("glue")

    def role_arn(self, name: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    # ------------------------------------------------------------------------------ what guards the account
    def guard(self, buckets: Sequence[str]) -> None:
        """Roles, keys, buckets with their encryption and policies, Lake Formation's settings, the catalog's policy."""
        self._role(LAKE_WRITER, ["s3:GetObject", "s3:PutObject", "glue:GetTable", "glue:GetTables"])
        for arn in sorted({bucket.kms_key for bucket in self.producer.buckets.values() if bucket.kms_key}):
            self._key(arn)
        if self.producer.catalog_key:
            self._key(self.producer.catalog_key)
        for bucket in buckets:
            self._make_bucket(bucket)
        if self.governed:
            self._govern()
        if self.producer.catalog_key:
            self.root("glue").put_data_catalog_encryption_settings(
                DataCatalogEncryptionSettings={
                    "EncryptionAtRest": {
                        "CatalogEncryptionMode": "SSE-KMS",
                        "SseAwsKmsKeyId": self.producer.catalog_key,
                    },
                }
            )

    def _role(self, name: str, actions: Sequence[str]) -> None:
        trust = _policy(
            [_allow("Trust", {"AWS": f"arn:{self.partition}:iam::{self.account}:root"}, ["sts:AssumeRole"])]
        )
        self.root("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        document = _policy([{"Effect": "Allow", "Action": list(actions), "Resource": "*"}])
        self.root("iam").put_role_policy(RoleName=name, PolicyName="own-work", PolicyDocument=document)

    def _key(self, arn: str) -> None:
        """A customer-managed key under the id, or the alias, that the declaration names."""
        policy = _policy(
            [
                _allow("Owner", {"AWS": f"arn:{self.partition}:iam::{self.account}:root"}, ["kms:*"], "*"),
                _allow("BatchJobs", {"AWS": self.role_arn(LAKE_WRITER)}, ["kms:Decrypt", "kms:GenerateDataKey"], "*"),
            ]
        )
        kind, _, name = arn.rsplit(":", 1)[-1].partition("/")
        tags = [{"TagKey": "_custom_id_", "TagValue": name}] if kind == "key" else []
        key = self.root("kms").create_key(Policy=policy, Tags=tags)["KeyMetadata"]["KeyId"]
        if kind == "alias":
            self.root("kms").create_alias(AliasName=f"alias/{name}", TargetKeyId=key)

    def _make_bucket(self, bucket: str) -> None:
        s3 = self.root("s3")
        region = self.clients.region
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **place)
        declared = self.producer.buckets.get(bucket)
        if declared and declared.kms_key:
            default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": declared.kms_key}
            s3.put_bucket_encryption(
                Bucket=bucket,
                ServerSideEncryptionConfiguration={
                    "Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
                },
            )
        if self.governed:
            s3.put_bucket_policy(Bucket=bucket, Policy=self._bucket_policy(bucket))

    def _bucket_policy(self, bucket: str) -> str:
        """What the owner has had there for years. The mesh may add to it and take nothing away."""
        arn = f"arn:{self.partition}:s3:::{bucket}"
        return _policy(
            [
                {
                    "Sid": "TlsOnly",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": [arn, f"{arn}/*"],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                },
                _allow("BatchJobs", {"AWS": self.role_arn(LAKE_WRITER)}, ["s3:GetObject", "s3:PutObject"], f"{arn}/*"),
            ]
        )

    def _govern(self) -> None:
        """Let Lake Formation alone decide, as a governed account does: no IAMAllowedPrincipals on anything new."""
        self._role(LAKE_ADMINISTRATOR, ["glue:*", "lakeformation:*", "s3:*", "kms:*"])
        formation = self.root("lakeformation")
        settings = formation.get_data_lake_settings()["DataLakeSettings"]
        admins = {admin["DataLakePrincipalIdentifier"] for admin in settings.get("DataLakeAdmins", [])}
        settings["DataLakeAdmins"] = [
            {"DataLakePrincipalIdentifier": arn} for arn in sorted({*admins, self.role_arn(LAKE_ADMINISTRATOR)})
        ]
        settings["CreateDatabaseDefaultPermissions"] = []
        settings["CreateTableDefaultPermissions"] = []
        formation.put_data_lake_settings(DataLakeSettings=settings)
        catalog = f"arn:{self.partition}:glue:{self.clients.region}:{self.account}"
        actions = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables"]
        resources = [f"{catalog}:catalog", f"{catalog}:database/*", f"{catalog}:table/*"]
        statement = _allow("BatchJobs", {"AWS": self.role_arn(LAKE_WRITER)}, actions, resources)
        self.root("glue").put_resource_policy(PolicyInJson=_policy([statement]), EnableHybrid="TRUE")

    # --------------------------------------------------------------------------------------- data and catalog
    def database(self, source: Source, tables: Sequence[SourceTable]) -> Seeded:
        """A source database with its tables, each below the first of the source's prefixes."""
        glue = self.glue()
        glue.create_database(DatabaseInput={"Name": source.database, "LocationUri": source.prefixes[0]})
        made = Seeded(0, 0, 0)
        for table in tables:
            location = f"{source.prefixes[0]}{table.name}/"
            if table.format is Format.ICEBERG:
                iceberg.write(table, location, glue, self.root("s3"))
                made += Seeded(1, 0, 0)
            else:
                made += self.table(table, location)
        return made

    def table(self, table: SourceTable, location: str) -> Seeded:
        """A table that is not Iceberg's, with its files and partitions."""
        bucket, prefix = iceberg.split(location)
        objects = list(files.data_files(table))
        for item in objects:
            self.root("s3").put_object(Bucket=bucket, Key=f"{prefix}{item.path}", Body=item.body)
        glue = self.glue()
        glue.create_table(DatabaseName=table.database, TableInput=files.table_input(table, location))
        partitions = files.partition_inputs(table, location)
        for start in range(0, len(partitions), PARTITIONS_A_CALL):
            answer = glue.batch_create_partition(
                DatabaseName=table.database,
                TableName=table.name,
                PartitionInputList=partitions[start : start + PARTITIONS_A_CALL],
            )
            if answer.get("Errors"):
                raise RuntimeError(f"{table.key}: partitions were refused: {answer['Errors'][0]}")
        return Seeded(1, len(partitions), len(objects))


def _allow(sid: str, principal: dict[str, str], actions: Sequence[str], resource: Any = None) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": list(actions)}
    return statement if resource is None else {**statement, "Resource": resource}


def _policy(statements: Sequence[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
