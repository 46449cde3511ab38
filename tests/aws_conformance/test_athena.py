"""Athena over another account's data: what a consumer's role reads, and how it is refused."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.aws_conformance.accounts import Account, Accounts, allow, document, trust
from tests.aws_conformance.assumptions import Confidence, assumption
from tests.aws_conformance.lake import Lake, Roles
from tests.aws_conformance.made import Names, Undo
from tests.aws_conformance.plugin import Answer
from tests.aws_conformance.waiting import attempt, code_of, eventually, patiently

DOCUMENTED, INFERRED, OPEN = Confidence.DOCUMENTED, Confidence.INFERRED, Confidence.OPEN
JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"
ROWS = ({"id": "1", "amount": "10", "iban": "DE1"}, {"id": "2", "amount": "20", "iban": "DE2"})
QUERYING = ("glue:Get*", "glue:BatchGet*", "athena:*", "lakeformation:GetDataAccess", "s3:GetBucketLocation")
FINAL = {"SUCCEEDED", "FAILED", "CANCELLED"}
INSUFFICIENT = "Insufficient"
NOT_FOUND = "COLUMN_NOT_FOUND"


class Desk:
    """A shared table with data in a producer's bucket, and an analyst of the recipient with a workgroup."""

    def __init__(self, lake: Lake, producer: Account) -> None:
        self.lake, self.producer = lake, producer
        self._need_default()
        self.data = producer.bucket(lake.undo, lake.names("data", "-"))
        self.results = lake.recipient.bucket(lake.undo, lake.names("results", "-"))
        self.analyst_name, self.workgroup = lake.names("analyst"), lake.names("workgroup")
        self.database = lake.database()
        self._fill()  # before the location is registered: afterwards its maker would need leave for it
        self._register()
        self.analyst = self._hire()
        lake.grant(lake.recipient.id, lake.on_database(self.database), "DESCRIBE", option=True)
        lake.link(self.database)
        lake.accepting(self.analyst, lake.on_database(self.database), "DESCRIBE")
        for name in (self.database, "default"):
            lake.grant(self.analyst, lake.on_database(name, lake.recipient), "DESCRIBE", by=lake.recipient)

    def _need_default(self) -> None:
        """Athena looks at `default`; making or governing it is not for a check to do in somebody's account."""
        recipient = self.lake.recipient
        if attempt(recipient("glue").get_database, Name="default") != "accepted":
            pytest.skip("the recipient needs a database: aws glue create-database --database-input Name=default")
        if self.lake.held("IAM_ALLOWED_PRINCIPALS", self.lake.on_database("default", recipient), by=recipient):
            pytest.skip("the recipient's database `default` is everybody's: revoke it from IAM_ALLOWED_PRINCIPALS")

    def _register(self) -> None:
        lake = self.lake
        resources = [lake.owner.s3_arn(self.data), lake.owner.s3_arn(f"{self.data}/*")]
        reading = allow("s3:GetObject", "s3:ListBucket", resource=resources)
        self.registration_name = lake.names("registration")
        trusted = trust({"Service": "lakeformation.amazonaws.com"})
        self.registration = lake.owner.role(lake.undo, self.registration_name, trusted, reading)
        self.let_registration_in()
        arn = lake.owner.s3_arn(f"{self.data}/sales")
        lake.undo.later(lake.lf.deregister_resource, ResourceArn=arn)
        eventually(partial(lake.lf.register_resource, ResourceArn=arn, RoleArn=self.registration))

    def let_registration_in(self) -> None:
        resources = [self.lake.owner.s3_arn(self.data), self.lake.owner.s3_arn(f"{self.data}/*")]
        reading = allow("s3:GetObject", "s3:ListBucket", resource=resources)
        policy = document({**reading, "Principal": {"AWS": self.registration}})
        patiently(self.producer("s3").put_bucket_policy, Bucket=self.data, Policy=policy)

    def statements(self, *without: str) -> list[dict[str, Any]]:
        results = self.lake.recipient.s3_arn(f"{self.results}/*")
        actions = [action for action in QUERYING if action not in without]
        return [allow(*actions), allow("s3:PutObject", "s3:GetObject", resource=results)]

    def _hire(self) -> Account:
        lake = self.lake
        arn = lake.recipient.role(lake.undo, self.analyst_name, trust(lake.recipient.root), *self.statements())
        athena = lake.recipient("athena")
        lake.undo.later(athena.delete_work_group, WorkGroup=self.workgroup, RecursiveDeleteOption=True)
        configuration = {
            "EnforceWorkGroupConfiguration": True,
            "ResultConfiguration": {"OutputLocation": f"s3://{self.results}/analyst/"},
        }
        patiently(athena.create_work_group, Name=self.workgroup, Configuration=configuration)
        return lake.recipient.become(arn)

    def _fill(self) -> None:
        lines = "".join(json.dumps(row) + "\n" for row in ROWS)
        patiently(self.producer("s3").put_object, Bucket=self.data, Key="sales/orders/0.json", Body=lines.encode())
        self.table("orders")
        self.table("returns")

    def table(self, name: str) -> None:
        """A table over the same rows."""
        lake = self.lake
        given = lake.table_input(name, keys=())
        given["StorageDescriptor"] |= {
            "Location": f"s3://{self.data}/sales/orders/",
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {"SerializationLibrary": JSON_SERDE},
        }
        patiently(lake.glue.create_table, DatabaseName=self.database, TableInput=given)

    def view(self, name: str, sql: str) -> None:
        columns = [{"name": "id", "type": "varchar"}]
        body = {"originalSql": sql, "catalog": "awsdatacatalog", "schema": self.database, "columns": columns}
        given = {
            "Name": name, "TableType": "VIRTUAL_VIEW", "Parameters": {"presto_view": "true", "comment": "Presto View"},
            "ViewOriginalText": f"/* Presto View: {base64.b64encode(json.dumps(body).encode()).decode()} */",
            "ViewExpandedText": "/* Presto View */",
            "StorageDescriptor": {"Columns": [{"Name": "id", "Type": "string"}], "Location": "", "SerdeInfo": {}},
        }  # fmt: skip
        patiently(self.lake.glue.create_table, DatabaseName=self.database, TableInput=given)

    # ------------------------------------------------------------------------------------------------------- queries
    def run(self, sql: str) -> tuple[str, str]:
        """(query execution, why it failed); "" where it succeeded."""
        athena = self.analyst("athena")
        given = {"WorkGroup": self.workgroup, "QueryExecutionContext": {"Database": self.database}}
        try:
            query = athena.start_query_execution(QueryString=sql, **given)["QueryExecutionId"]
        except athena.exceptions.ClientError as error:
            return "", f"{code_of(error)}: {error}"

        def over() -> dict[str, Any]:
            status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
            assert status["State"] in FINAL
            return dict(status)

        status = eventually(over, timeout=120.0)
        return query, "" if status["State"] == "SUCCEEDED" else status.get("StateChangeReason", status["State"])

    def rows(self, sql: str) -> list[list[str | None]]:
        """The result with its header. AssertionError where the query fails."""
        query, reason = self.run(sql)
        assert not reason, reason
        found = self.analyst("athena").get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
        return [[cell.get("VarCharValue") for cell in row["Data"]] for row in found]

    def reads(self, sql: str, rows: list[list[str | None]]) -> None:
        def look() -> None:
            found = self.rows(sql)
            assert found == rows, found

        eventually(look)

    def fails(self, sql: str, *texts: str) -> str:
        """Wait until a query fails with one of these texts; the reason."""

        def look() -> str:
            _, reason = self.run(sql)
            assert any(text in reason for text in texts), reason or f'"{sql}" succeeded'
            return reason

        return eventually(look)


@pytest.fixture(scope="module")
def shared(accounts: Accounts, names: Names, roles: Roles) -> Iterator[Desk]:
    """Made once: it is much."""
    if accounts.producer is None:
        pytest.skip("needs a third sandbox account, which has the data: --profile-producer")
    undo = Undo()
    try:
        yield Desk(Lake(accounts, names, roles, undo), accounts.producer)
    finally:
        undo.run()


@pytest.fixture
def desk(shared: Desk, lake: Lake) -> Desk:
    """`shared`, whose grants of this check are taken back at its end."""
    mine = copy.copy(shared)
    mine.lake = lake
    return mine


def grant(desk: Desk, *columns: str, table: str = "orders") -> None:
    """SELECT on some columns, or on the whole table, straight to the analyst."""
    on = (
        desk.lake.on_columns(desk.database, *columns, table=table)
        if columns
        else desk.lake.on_table(desk.database, table)
    )
    desk.lake.grant(desk.analyst, on, "SELECT")
    eventually(desk.lake.accept)


# -------------------------------------------------------------------------------------------------------------- columns
@assumption("ATH lf-athena-limitations", DOCUMENTED)
def test_select_star_shows_what_is_permitted(desk: Desk) -> None:
    """SELECT * returns the columns one may select and no others, without an error."""
    grant(desk, "id", "amount")
    desk.reads("SELECT * FROM orders ORDER BY id", [["id", "amount"], ["1", "10"], ["2", "20"]])


@assumption("LF managing-dl-tutorial", DOCUMENTED)
def test_a_denied_column_is_an_error(desk: Desk) -> None:
    """Naming a column that one may not select fails the query with COLUMN_NOT_FOUND."""
    grant(desk, "id")
    desk.reads("SELECT id FROM orders ORDER BY id", [["id"], ["1"], ["2"]])
    for sql in (
        "SELECT iban FROM orders",
        "SELECT id FROM orders WHERE iban = 'DE1'",
        "SELECT count(iban) FROM orders",
    ):
        desk.fails(sql, NOT_FOUND)


@assumption("ATH lf-athena-limitations", INFERRED)
def test_a_denied_column_looks_like_a_missing_one(desk: Desk) -> None:
    """The error of a column that one may not select is, but for its name, that of one that does not exist.

    The observed text ends "cannot be resolved or requester is not authorized to access requested resources".
    """
    grant(desk, "id")
    desk.reads("SELECT id FROM orders ORDER BY id", [["id"], ["1"], ["2"]])
    denied, missing = (desk.fails(f"SELECT {name} FROM orders", NOT_FOUND) for name in ("iban", "nope"))
    assert denied.replace("iban", "nope") == missing, (denied, missing)
    assert "requester is not authorized" in denied


@assumption("ATH lf-athena-limitations", DOCUMENTED)
def test_a_hidden_table_is_an_error(desk: Desk) -> None:
    """A query of a table of which one holds nothing fails, and names no column of it."""
    reason = desk.fails("SELECT * FROM returns", INSUFFICIENT, "TABLE_NOT_FOUND", "does not exist", "AccessDenied")
    assert "iban" not in reason


@assumption("ATH lf-athena-limitations", OPEN)
def test_a_described_table_is_not_read(desk: Desk, answer: Answer) -> None:
    """A query without columns of a table that one may describe and not select fails for want of SELECT.

    lakemesh's `discover` grants DESCRIBE alone; whatever the error is, no row is counted.
    """
    desk.lake.grant(desk.analyst, desk.lake.on_table(desk.database), "DESCRIBE")
    eventually(desk.lake.accept)
    desk.lake.shows(desk.analyst, desk.database, "id", "amount", "iban")
    _, star = desk.run("SELECT count(*) FROM orders")
    _, column = desk.run("SELECT id FROM orders")
    told = [_kind(reason) for reason in (star, column)]
    answer(told, here=["insufficient permissions", "COLUMN_NOT_FOUND"])


def _kind(reason: str) -> str:
    if not reason:
        return "read"
    if NOT_FOUND in reason:
        return NOT_FOUND
    return "insufficient permissions" if INSUFFICIENT in reason else reason.partition(":")[0]


@assumption("LF granting-catalog-permissions", DOCUMENTED)
def test_a_revocation_holds_for_the_next_query(desk: Desk) -> None:
    """A grant that is revoked is gone for the next query."""
    grant(desk, "id")
    desk.reads("SELECT id FROM orders ORDER BY id", [["id"], ["1"], ["2"]])
    desk.lake.revoke(desk.analyst, desk.lake.on_columns(desk.database, "id"), "SELECT")
    desk.fails("SELECT id FROM orders", INSUFFICIENT, NOT_FOUND, "TABLE_NOT_FOUND", "does not exist")


@assumption("LF athena-lf", DOCUMENTED)
def test_columns_are_read_by_expression(desk: Desk) -> None:
    """Through a resource link a query reads the columns whose LF-Tags match the analyst's expression, and no others."""
    lake = desk.lake
    level = lake.tag("internal", "unreviewed")
    lake.assign(lake.on_table(desk.database), **{level: "unreviewed"})
    lake.assign(lake.on_columns(desk.database, "id"), **{level: "internal"})
    lake.grant(desk.analyst, lake.by_tags({level: ["internal"]}), "SELECT")
    eventually(lake.accept)
    desk.reads("SELECT * FROM orders ORDER BY id", [["id"], ["1"], ["2"]])
    desk.fails("SELECT iban FROM orders", NOT_FOUND)


# ------------------------------------------------------------------------------------------------- what else it takes
@assumption("ATH lf-athena-limitations", DOCUMENTED)
def test_default_must_be_described(desk: Desk) -> None:
    """Without DESCRIBE on the database `default` of one's own account a query of any table fails.

    lakemesh grants it to every principal of a consumer.
    """
    grant(desk, "id")
    desk.reads("SELECT id FROM orders ORDER BY id", [["id"], ["1"], ["2"]])
    lake = desk.lake
    default = lake.on_database("default", lake.recipient)
    lake.revoke(desk.analyst, default, "DESCRIBE", by=lake.recipient)
    lf = lake.recipient("lakeformation")
    lake.undo.later(
        lf.grant_permissions,
        Principal={"DataLakePrincipalIdentifier": desk.analyst.arn}, Resource=default, Permissions=["DESCRIBE"],
    )  # fmt: skip
    desk.fails("SELECT id FROM orders", INSUFFICIENT, "AccessDenied")


@assumption("LF access-control-underlying-data", DOCUMENTED)
def test_data_takes_get_data_access(desk: Desk) -> None:
    """A query takes lakeformation:GetDataAccess in IAM besides its grants."""
    grant(desk, "id")
    desk.reads("SELECT id FROM orders ORDER BY id", [["id"], ["1"], ["2"]])
    lake = desk.lake
    lake.undo.later(_restore, desk=desk)
    lake.recipient.policy(desk.analyst_name, *desk.statements("lakeformation:GetDataAccess"))
    desk.fails("SELECT id FROM orders", "GetDataAccess", "PERMISSION", INSUFFICIENT)


def _restore(desk: Desk) -> None:
    desk.lake.recipient.policy(desk.analyst_name, *desk.statements())


@assumption("LF register-cross-account", DOCUMENTED)
def test_the_registration_role_needs_the_buckets_policy(desk: Desk) -> None:
    """Data in another account's bucket is read only while the bucket's policy lets the registration role in.

    lakemesh's producer stack merges these statements into the bucket's policy.
    """
    grant(desk, "id")
    desk.reads("SELECT id FROM orders ORDER BY id", [["id"], ["1"], ["2"]])
    desk.lake.undo.later(desk.let_registration_in)
    desk.producer("s3").delete_bucket_policy(Bucket=desk.data)
    desk.fails(
        "SELECT id FROM orders", "HIVE_CANNOT_OPEN_SPLIT", "PERMISSION_DENIED", "Access Denied", "not authorized"
    )


@assumption("LF access-control-underlying-data", DOCUMENTED)
def test_consumers_need_no_rights_in_s3(desk: Desk) -> None:
    """Who may query data need not, and here cannot, read its objects directly."""
    grant(desk, "id")
    desk.reads("SELECT id FROM orders ORDER BY id", [["id"], ["1"], ["2"]])
    found = attempt(desk.analyst("s3").get_object, Bucket=desk.data, Key="sales/orders/0.json")
    assert found == "AccessDenied", found


@assumption("ATH workgroups-settings-override", DOCUMENTED)
def test_an_enforced_workgroup_decides_the_location(desk: Desk) -> None:
    """In a workgroup that enforces its settings results go to its location, whatever the client asks for."""
    athena = desk.analyst("athena")
    query = athena.start_query_execution(
        QueryString="SELECT 1", WorkGroup=desk.workgroup,
        ResultConfiguration={"OutputLocation": f"s3://{desk.results}/elsewhere/"},
    )["QueryExecutionId"]  # fmt: skip
    found = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["ResultConfiguration"]
    assert found["OutputLocation"].startswith(f"s3://{desk.results}/analyst/"), found


@assumption("ATH security-iam-athena", DOCUMENTED)
def test_results_are_read_as_the_caller(desk: Desk) -> None:
    """GetQueryResults takes s3:GetObject on the result besides Athena's own permission.

    So the prefixes of principals in one account can be kept apart by S3's policies.
    """
    grant(desk, "id")
    desk.reads("SELECT id FROM orders ORDER BY id", [["id"], ["1"], ["2"]])
    query, reason = desk.run("SELECT id FROM orders")
    assert not reason, reason
    lake = desk.lake
    writing = lake.recipient.s3_arn(f"{desk.results}/*")
    lake.undo.later(_restore, desk=desk)
    lake.recipient.policy(desk.analyst_name, allow(*QUERYING), allow("s3:PutObject", resource=writing))

    def not_read() -> None:
        found = attempt(desk.analyst("athena").get_query_results, QueryExecutionId=query)
        assert found in {"AccessDeniedException", "InvalidRequestException"}, found

    eventually(not_read)


@assumption("ATH workgroups-access", DOCUMENTED)
def test_a_workgroup_is_for_those_iam_lets_in(desk: Desk) -> None:
    """A query takes athena:StartQueryExecution on the workgroup's ARN: another workgroup's is not enough."""
    lake = desk.lake
    base = f"arn:{lake.recipient.partition}:athena:{lake.recipient.region}:{lake.recipient.id}:workgroup"
    lake.undo.later(_restore, desk=desk)
    lake.recipient.policy(desk.analyst_name, allow("athena:*", resource=f"{base}/another"), allow("s3:*", "glue:*"))
    desk.fails("SELECT 1", "AccessDeniedException")


# ---------------------------------------------------------------------------------------------------------------- views
@assumption("ATH lf-athena-limitations-cross-account", DOCUMENTED)
def test_a_view_needs_its_base_tables(desk: Desk) -> None:
    """A view of another account is read through links of the same names, with SELECT on it *and* on its base table."""
    lake = desk.lake
    name = lake.names("view")
    lake.undo.later(lake.glue.delete_table, DatabaseName=desk.database, Name=name)
    desk.view(name, f"SELECT id FROM {desk.database}.orders")
    grant(desk, table=name)
    desk.fails(f"SELECT * FROM {name}", INSUFFICIENT, NOT_FOUND, "VIEW", "Access", "denied")
    grant(desk, "id")
    desk.reads(f"SELECT * FROM {name} ORDER BY id", [["id"], ["1"], ["2"]])


# ----------------------------------------------------------------------------------------------------------- Iceberg
@assumption("ATH querying-iceberg-table-metadata", OPEN)
def test_files_of_an_iceberg_table(desk: Desk, answer: Answer) -> None:
    """`$files` of an Iceberg table is not read by who may select some columns of the table only.

    It could show bounds of withheld columns. lakemesh lets nobody at the metadata files themselves (no rights in S3, and
    the copy in central is for reading only), and promises columns, not what an engine tells of a file: where that
    matters, a column that must not leak belongs in a table of its own.
    """
    grant(desk, "id")
    desk.reads("SELECT id FROM orders ORDER BY id", [["id"], ["1"], ["2"]])
    if not desk.lake.local:
        pytest.skip('needs an Iceberg table of yours: SELECT * FROM "<table>$files" as a role with a partial SELECT')
    _, reason = desk.run('SELECT * FROM "orders$files"')
    answer("refused" if reason else "read", here="refused")
