"""A lake to query: a producer's bucket, an owner's catalog with its registration role, an analyst in a third account."""

from __future__ import annotations

import base64
import csv
import io
import json
from typing import Any

import pyarrow as pa
from botocore.exceptions import ClientError
from pyarrow import parquet
from pyiceberg.io import FileIO, InputFile, OutputFile

from local_aws.services import s3
from local_aws.services.athena.storage import split
from local_aws.services.identity import root
from tests.local_aws.lake import ADMIN_SETTINGS, who

PRODUCER, OWNER, READER = "610000000001", "620000000002", "630000000003"
REGION = "eu-west-1"
RESULTS = "analysts-results"
LAKE = "producers-lake"
_SERDES = {
    "parquet": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    "open-csv": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
    "csv": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
    "json": "org.openx.data.jsonserde.JsonSerDe",
}
QUERYING = ["glue:Get*", "glue:BatchGet*", "athena:*", "lakeformation:GetDataAccess", "s3:GetBucketLocation"]


def statement(actions: Any, resources: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class World:
    def __init__(self, client: Any) -> None:
        self.client = client
        self._athena: dict[str, Any] = {}
        self.s3, self.glue = client("s3", PRODUCER), client("glue", OWNER)
        self.lf = client("lakeformation", OWNER)
        for account in (OWNER, READER):
            client("lakeformation", account).put_data_lake_settings(DataLakeSettings=ADMIN_SETTINGS)
        self.bucket(PRODUCER, LAKE)
        self.bucket(READER, RESULTS)
        self.registration = self.role(
            OWNER, "Registration", {"Service": "lakeformation.amazonaws.com"},
            statement(["s3:GetObject", "s3:ListBucket"], [f"arn:aws:s3:::{LAKE}", f"arn:aws:s3:::{LAKE}/sales/*"]),
        )  # fmt: skip
        self.allow_registration()
        self.lf.register_resource(ResourceArn=f"arn:aws:s3:::{LAKE}/sales", RoleArn=self.registration)
        self.glue.create_database(DatabaseInput={"Name": "sales"})
        client("glue", READER).create_database(
            DatabaseInput={"Name": "sales", "TargetDatabase": {"CatalogId": OWNER, "DatabaseName": "sales"}}
        )
        client("glue", READER).create_database(DatabaseInput={"Name": "default"})
        self.analyst = self.role(
            READER, "Analyst", {"AWS": READER}, statement(QUERYING, "*"),
            statement(["s3:PutObject", "s3:GetObject"], f"arn:aws:s3:::{RESULTS}/analyst/*"),
        )  # fmt: skip
        self.workgroup("analyst", "analyst")
        self.describe()

    def bucket(self, account: str, name: str) -> None:
        self.client("s3", account).create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def role(self, account: str, name: str, trusted: Any, *statements: dict[str, Any]) -> str:
        iam = self.client("iam", account)
        trust = document({"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"})
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*statements))
        return str(arn)

    def allow_registration(self) -> None:
        resources = [f"arn:aws:s3:::{LAKE}", f"arn:aws:s3:::{LAKE}/*"]
        allowed = statement(["s3:GetObject", "s3:ListBucket"], resources, Principal={"AWS": self.registration})
        self.s3.put_bucket_policy(Bucket=LAKE, Policy=document(allowed))

    def workgroup(self, name: str, prefix: str) -> None:
        self.client("athena", READER).create_work_group(
            Name=name,
            Configuration={
                "EnforceWorkGroupConfiguration": True,
                "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/{prefix}/"},
            },
        )

    def describe(self) -> None:
        """What every consumer's principal has besides its grants: DESCRIBE on twin, link and `default`."""
        local = self.client("lakeformation", READER)
        for resource in ({"Name": "sales"}, {"Name": "default"}):
            local.grant_permissions(
                Principal=who(self.analyst),
                Resource={"Database": {"CatalogId": READER, **resource}},
                Permissions=["DESCRIBE"],
            )
        self.lf.grant_permissions(
            Principal=who(self.analyst),
            Resource={"Database": {"CatalogId": OWNER, "Name": "sales"}},
            Permissions=["DESCRIBE"],
        )
        self.accept()

    def accept(self) -> None:
        ram = self.client("ram", READER)
        for invitation in ram.get_resource_share_invitations()["resourceShareInvitations"]:
            if invitation["status"] == "PENDING":
                ram.accept_resource_share_invitation(
                    resourceShareInvitationArn=invitation["resourceShareInvitationArn"]
                )

    def table(
        self, name: str, kind: str, columns: dict[str, str], keys: dict[str, str] | None = None, **more: Any
    ) -> None:
        """A table of the owner's catalog at s3://lake/sales/<name>/. `serde`: the SerDe's parameters."""
        given: dict[str, Any] = {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {
                "Columns": [{"Name": c, "Type": t} for c, t in columns.items()],
                "Location": f"s3://{LAKE}/sales/{name}/",
                "SerdeInfo": {"SerializationLibrary": _SERDES[kind], "Parameters": more.pop("serde", {})},
            },
            "PartitionKeys": [{"Name": c, "Type": t} for c, t in (keys or {}).items()],
            **more,
        }
        self.glue.create_table(DatabaseName="sales", TableInput=given)

    def partition(self, name: str, *values: str, location: str) -> None:
        descriptor = self.glue.get_table(DatabaseName="sales", Name=name)["Table"]["StorageDescriptor"]
        self.glue.create_partition(
            DatabaseName="sales",
            TableName=name,
            PartitionInput={"Values": list(values), "StorageDescriptor": {**descriptor, "Location": location}},
        )

    def put(self, key: str, data: bytes) -> None:
        self.s3.put_object(Bucket=LAKE, Key=f"sales/{key}", Body=data)

    def view(self, name: str, sql: str, columns: dict[str, str], schema: str = "sales") -> None:
        listed = [{"name": c, "type": t} for c, t in columns.items()]
        body = {"originalSql": sql, "catalog": "awsdatacatalog", "schema": schema, "columns": listed}
        encoded = base64.b64encode(json.dumps(body).encode()).decode()
        self.glue.create_table(
            DatabaseName="sales",
            TableInput={
                "Name": name,
                "TableType": "VIRTUAL_VIEW",
                "Parameters": {"presto_view": "true"},
                "ViewOriginalText": f"/* Presto View: {encoded} */",
                "ViewExpandedText": "/* Presto View */",
                "StorageDescriptor": {"Columns": [{"Name": c, "Type": t} for c, t in columns.items()]},
            },
        )

    def orders(self) -> None:
        """Parquet, partitioned by day: three rows in two partitions."""
        self.table("orders", "parquet", {"id": "bigint", "amount": "decimal(10,2)", "iban": "string"}, {"day": "date"})
        for day, ids in (("2026-05-04", [1, 2]), ("2026-05-05", [3])):
            rows = pa.table({"id": ids, "iban": [f"DE{i}" for i in ids], "extra": ids, "amount": [str(i) for i in ids]})
            target = pa.schema(
                [("id", pa.int64()), ("iban", pa.string()), ("extra", pa.int64()), ("amount", pa.decimal128(10, 2))]
            )
            buffer = io.BytesIO()
            parquet.write_table(rows.cast(target), buffer)
            self.put(f"orders/day={day}/part-0.parquet", buffer.getvalue())
            self.partition("orders", day, location=f"s3://{LAKE}/sales/orders/day={day}/")

    def grant(self, table: str, *columns: str) -> None:
        """SELECT on columns of a table (none: on all) to the analyst, by the direct path."""
        named = {"CatalogId": OWNER, "DatabaseName": "sales", "Name": table}
        resource = {"TableWithColumns": {**named, "ColumnNames": list(columns)}} if columns else {"Table": named}
        self.lf.grant_permissions(Principal=who(self.analyst), Resource=resource, Permissions=["SELECT"])
        self.accept()

    def start(self, sql: str, role: str | None = None, **more: Any) -> tuple[Any, str]:
        who = role or self.analyst
        if who not in self._athena:
            self._athena[who] = self.client.role(who, "athena")
        athena = self._athena[who]
        given = {
            "WorkGroup": "analyst",
            "QueryExecutionContext": {"Database": "sales", "Catalog": "AwsDataCatalog"},
            **more,
        }
        return athena, athena.start_query_execution(QueryString=sql, **given)["QueryExecutionId"]

    def status(self, sql: str, **more: Any) -> tuple[str, str]:
        athena, query = self.start(sql, **more)
        found = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        return found["State"], found.get("StateChangeReason", "")

    def rows(self, sql: str, **more: Any) -> list[list[str | None]]:
        """The result, header first. Asserts that the query succeeded."""
        athena, query = self.start(sql, **more)
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        assert status["State"] == "SUCCEEDED", status.get("StateChangeReason")
        pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=query)
        return [
            [cell.get("VarCharValue") for cell in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]
        ]

    def refusal(self, sql: str, **more: Any) -> str:
        """Why a query was refused, at its start or at its end."""
        try:
            state, reason = self.status(sql, **more)
        except ClientError as error:
            return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
        assert state == "FAILED", (state, reason)
        return reason


def comma_separated(*rows: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


class _Written(io.BytesIO):
    def __init__(self, location: str) -> None:
        super().__init__()
        self._place = split(location)

    def close(self) -> None:
        if not self.closed:
            s3.write(root(PRODUCER), *self._place, self.getvalue())
        super().close()


class _Output(OutputFile):
    def __len__(self) -> int:
        return len(s3.read(root(PRODUCER), *split(self.location)))

    def exists(self) -> bool:
        return False

    def to_input_file(self) -> InputFile:
        return _Input(self.location)

    def create(self, overwrite: bool = False) -> Any:
        return _Written(self.location)


class _Input(InputFile):
    def __len__(self) -> int:
        return len(s3.read(root(PRODUCER), *split(self.location)))

    def exists(self) -> bool:
        return True

    def open(self, seekable: bool = True) -> Any:
        return io.BytesIO(s3.read(root(PRODUCER), *split(self.location)))


class LakeFiles(FileIO):
    """How the producer's own engine reaches its bucket."""

    def new_input(self, location: str) -> InputFile:
        return _Input(location)

    def new_output(self, location: str) -> OutputFile:
        return _Output(location)

    def delete(self, location: Any) -> None:
        raise NotImplementedError
