"""Athena over boto3: what a consumer's role reads of another account's data, and what it is refused."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from pyiceberg.catalog.glue import GlueCatalog

from local_aws.services import s3
from local_aws.services.athena import executions
from local_aws.services.identity import root
from tests.local_aws.lake import who
from tests.local_aws.queries import LAKE, OWNER, PRODUCER, READER, RESULTS, World, comma_separated, document, statement


@pytest.fixture
def world(client: Any) -> World:
    return World(client)


@pytest.fixture
def orders(world: World) -> World:
    """Orders, of which the analyst may select everything but `iban`."""
    world.orders()
    world.grant("orders", "id", "amount", "day")
    return world


# ------------------------------------------------------------------------------------------------------ columns
def test_select_star_returns_the_granted_columns_and_no_others(orders: World) -> None:
    assert orders.rows("SELECT * FROM orders ORDER BY id") == [
        ["id", "amount", "day"],
        ["1", "1.00", "2026-05-04"],
        ["2", "2.00", "2026-05-04"],
        ["3", "3.00", "2026-05-05"],
    ]


def test_a_column_without_permission_and_one_that_does_not_exist_are_the_same_error(orders: World) -> None:
    for sql, place in (
        ("SELECT iban FROM orders", "line 1:8"),
        ('SELECT "IBAN" FROM "sales"."orders"', "line 1:8"),
        ("SELECT id\nFROM orders\nWHERE iban IS NOT NULL", "line 3:7"),
        ("SELECT o.iban FROM orders o", "line 1:8"),
        ("SELECT id FROM orders ORDER BY iban", "line 1:32"),
        ("SELECT count(iban) FROM orders", "line 1:14"),
        ("SELECT 1 FROM orders a JOIN orders b ON a.iban = b.iban", "line 1:41"),
        ("SELECT (SELECT max(iban) FROM orders)", "line 1:20"),
        ("WITH x AS (SELECT iban FROM orders) SELECT 1 FROM x", "line 1:19"),
        ("SELECT nowhere FROM orders", "line 1:8"),
    ):
        name = "nowhere" if "nowhere" in sql else "iban"
        assert orders.refusal(sql) == (
            f"COLUMN_NOT_FOUND: {place}: Column '{name}' cannot be resolved "
            "or requester is not authorized to access requested resources"
        )


def test_a_whole_row_has_no_column_without_permission(orders: World) -> None:
    for sql in ("SELECT orders FROM orders", "SELECT o FROM orders o", "SELECT to_json(o) FROM orders o"):
        assert all("DE" not in str(row) and "iban" not in str(row) for row in orders.rows(sql))


def test_a_table_of_which_nothing_is_granted_cannot_even_be_counted(world: World) -> None:
    world.orders()
    named = {"Table": {"CatalogId": OWNER, "DatabaseName": "sales", "Name": "orders"}}
    world.lf.grant_permissions(Principal=who(world.analyst), Resource=named, Permissions=["DESCRIBE"])
    world.accept()
    for sql in ("SELECT * FROM orders", "SELECT count(*) FROM orders"):
        assert world.refusal(sql).endswith("Insufficient Lake Formation permission(s): Required Select on orders")
    assert world.refusal("SELECT id FROM orders").startswith("COLUMN_NOT_FOUND: line 1:8: Column 'id'")


def test_a_table_the_caller_may_not_see_is_refused(world: World) -> None:
    world.orders()
    assert world.refusal("SELECT * FROM orders").startswith("Insufficient permissions to execute the query.")


def test_a_database_that_does_not_exist_and_a_table_that_does_not_are_named(world: World) -> None:
    assert world.refusal("SELECT * FROM nowhere.orders").startswith(("SCHEMA_NOT_FOUND: line 1:15", "Insufficient"))
    assert world.refusal("SELECT * FROM other.sales.orders").startswith("InvalidRequestException: CATALOG_NOT_FOUND")


def test_a_grant_that_is_withdrawn_is_withdrawn_for_the_next_query(orders: World) -> None:
    assert orders.rows("SELECT count(*) AS n FROM orders") == [["n"], ["3"]]
    named = {"CatalogId": OWNER, "DatabaseName": "sales", "Name": "orders", "ColumnNames": ["id", "amount", "day"]}
    orders.lf.revoke_permissions(
        Principal=who(orders.analyst), Resource={"TableWithColumns": named}, Permissions=["SELECT"]
    )
    assert orders.refusal("SELECT count(*) AS n FROM orders").startswith("Insufficient permissions")


# ------------------------------------------------------------------------------------------- what else it takes
def test_a_query_needs_describe_on_the_database_default_of_its_own_account(orders: World) -> None:
    orders.client("lakeformation", READER).revoke_permissions(
        Principal=who(orders.analyst),
        Resource={"Database": {"CatalogId": READER, "Name": "default"}},
        Permissions=["DESCRIBE"],
    )
    assert "Insufficient Lake Formation permission(s)" in orders.refusal("SELECT id FROM orders")
    assert orders.rows("SELECT 1 AS one") == [["one"], ["1"]]


def test_a_query_needs_lakeformation_get_data_access(orders: World) -> None:
    policy = document(statement(["glue:Get*", "athena:*", "s3:GetBucketLocation"], "*"))
    orders.client("iam", READER).put_role_policy(RoleName="Analyst", PolicyName="p", PolicyDocument=policy)
    assert "is not authorized to perform: lakeformation:GetDataAccess" in orders.refusal("SELECT id FROM orders")


def test_a_query_needs_glue_permissions_and_says_which(orders: World) -> None:
    policy = document(statement(["athena:*", "s3:*", "lakeformation:GetDataAccess"], "*"))
    orders.client("iam", READER).put_role_policy(RoleName="Analyst", PolicyName="p", PolicyDocument=policy)
    reason = orders.refusal("SELECT id FROM orders")
    assert reason.startswith("AccessDeniedException: ")
    assert "glue:GetDatabase" in reason


def test_the_registration_role_needs_its_own_policy(orders: World) -> None:
    orders.client("iam", OWNER).delete_role_policy(RoleName="Registration", PolicyName="p")
    reason = orders.refusal("SELECT id FROM orders")
    assert reason.startswith(f"HIVE_CANNOT_OPEN_SPLIT: Error opening s3://{LAKE}/sales/orders/")
    assert f"arn:aws:sts::{OWNER}:assumed-role/Registration/AWSLF-00-AT-{READER} is not authorized" in reason


def test_the_registration_role_needs_the_producers_bucket_policy(orders: World) -> None:
    orders.s3.delete_bucket_policy(Bucket=LAKE)
    assert "is not authorized to perform: s3:ListBucket" in orders.refusal("SELECT id FROM orders")


def test_the_registration_role_needs_the_producers_key(orders: World) -> None:
    key = orders.client("kms", PRODUCER).create_key()["KeyMetadata"]["Arn"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    orders.s3.put_bucket_encryption(Bucket=LAKE, ServerSideEncryptionConfiguration={"Rules": [rule]})
    data = s3.read(root(PRODUCER), LAKE, "sales/orders/day=2026-05-05/part-0.parquet")
    orders.put("orders/day=2026-05-05/part-0.parquet", data)
    assert "is not authorized to perform: kms:Decrypt" in orders.refusal("SELECT id FROM orders")
    own = statement("kms:*", "*", Principal={"AWS": PRODUCER})
    theirs = statement("kms:Decrypt", "*", Principal={"AWS": orders.registration})
    orders.client("kms", PRODUCER).put_key_policy(KeyId=key, Policy=document(own, theirs))
    assert "kms:Decrypt" in orders.refusal("SELECT id FROM orders")
    orders.client("iam", OWNER).put_role_policy(
        RoleName="Registration", PolicyName="k", PolicyDocument=document(statement("kms:Decrypt", key))
    )
    assert len(orders.rows("SELECT id FROM orders")) == 4


def test_a_registration_role_that_lake_formation_cannot_assume_reads_nothing(orders: World) -> None:
    trust = document({"Effect": "Allow", "Principal": {"AWS": OWNER}, "Action": "sts:AssumeRole"})
    orders.client("iam", OWNER).update_assume_role_policy(RoleName="Registration", PolicyDocument=trust)
    assert "Lake Formation cannot assume" in orders.refusal("SELECT id FROM orders")


def test_a_partition_outside_the_registered_location_is_read_with_the_callers_own_rights(orders: World) -> None:
    orders.s3.put_object(Bucket=LAKE, Key="secret/a.parquet", Body=b"x")
    orders.partition("orders", "2026-06-01", location=f"s3://{LAKE}/secret/")
    reason = orders.refusal("SELECT id FROM orders")
    assert (
        f"assumed-role/Analyst/test is not authorized to perform: s3:ListBucket on resource: arn:aws:s3:::{LAKE}"
        in reason
    )


def test_data_is_not_read_directly_by_who_may_query_it(orders: World) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        orders.client.role(orders.analyst, "s3").get_object(
            Bucket=LAKE, Key="sales/orders/day=2026-05-05/part-0.parquet"
        )


# ------------------------------------------------------------------------------------------------------ formats
def test_csv_of_a_crawler_is_read_without_its_header(world: World) -> None:
    columns = {"Number": "bigint", "name": "string", "blocked": "boolean", "rate": "double"}
    world.table("vendors", "csv", columns, serde={"field.delim": ","}, Parameters={"skip.header.line.count": "1"})
    world.put("vendors/v.csv", b"number,name,blocked,rate\n7,Acme,true,0.5\n8,\\N,,\n9,Short\n")
    world.grant("vendors")
    assert world.rows("SELECT * FROM vendors ORDER BY number")[1:] == [
        ["7", "Acme", "true", "0.5"], ["8", None, None, None], ["9", "Short", None, None],
    ]  # fmt: skip


def test_quoted_csv_keeps_separators_and_line_breaks_inside_quotes(world: World) -> None:
    serde = {"separatorChar": ";", "quoteChar": '"', "escapeChar": "\\"}
    world.table("notes", "open-csv", {"id": "int", "text": "string"}, serde=serde)
    world.put("notes/n.csv", b'1;"a; b\nc ""d"""\n2;""\n')
    world.grant("notes")
    assert world.rows("SELECT * FROM notes ORDER BY id")[1:] == [["1", 'a; b\nc "d"'], ["2", ""]]


def test_a_value_that_does_not_fit_its_column_is_an_error_and_not_a_null(world: World) -> None:
    world.table("wrong", "open-csv", {"id": "int"})
    world.grant("wrong")
    for content in (b'"x"\n', b'""\n', b"3000000000\n", b"1.5\n"):
        world.put("wrong/w.csv", content)
        assert world.refusal("SELECT * FROM wrong").startswith("HIVE_BAD_DATA: Error parsing column 'id': ")
    world.put("wrong/w.csv", b'"' + b"1" * 200_000)
    assert world.refusal("SELECT * FROM wrong").startswith("HIVE_CURSOR_ERROR: field larger than field limit")


def test_a_partition_value_that_does_not_fit_its_key_is_an_error(world: World) -> None:
    world.table("parts", "json", {"id": "string"}, {"day": "date", "n": "tinyint"})
    world.grant("parts")
    for number, values in enumerate((("2026-13-01", "1"), ("2026-01-01", "300"))):
        world.put(f"parts/{number}/a.json", b"{}")
        world.partition("parts", *values, location=f"s3://{LAKE}/sales/parts/{number}/")
        assert world.refusal("SELECT * FROM parts").startswith(("HIVE_INVALID_PARTITION_VALUE", "HIVE_BAD_DATA"))
        world.glue.delete_partition(DatabaseName="sales", TableName="parts", PartitionValues=list(values))
    world.partition("parts", "__HIVE_DEFAULT_PARTITION__", "1", location=f"s3://{LAKE}/sales/parts/0/")
    assert world.rows("SELECT * FROM parts")[1] == [None, None, "1"]


def test_json_lines_keep_their_nesting(world: World) -> None:
    columns = {
        "id": "string", "payer": "struct<name:string,account:struct<iban:string>>",
        "lines": "array<struct<sku:string,amount:decimal(10,2)>>", "headers": "map<string,string>", "at": "timestamp",
    }  # fmt: skip
    world.table("advice", "json", columns)
    record = {
        "ID": 1, "payer": {"Name": "A", "account": None}, "lines": [{"sku": "s", "amount": 1.5}, None],
        "headers": {"k": "v"}, "at": "2026-01-02T03:04:05Z", "more": 1,
    }  # fmt: skip
    world.put("advice/a.json", json.dumps(record).encode() + b"\n\n{}\n")
    world.grant("advice")
    assert world.rows("SELECT * FROM advice WHERE id IS NOT NULL")[1] == [
        "1", "{name=A, account=null}", "[{sku=s, amount=1.50}, null]", "{k=v}", "2026-01-02 03:04:05.000",
    ]  # fmt: skip
    assert world.rows("SELECT payer.name, lines[1].amount FROM advice WHERE id = '1'")[1] == ["A", "1.50"]
    assert world.rows("SELECT l.sku FROM advice CROSS JOIN UNNEST(lines) AS t(l) WHERE id = '1'")[1:] == [["s"], [None]]


def test_a_line_that_is_no_object_fails_the_query_unless_the_table_says_otherwise(world: World) -> None:
    world.table("advice", "json", {"id": "string"})
    world.table("lenient", "json", {"id": "string"}, serde={"ignore.malformed.json": "true"})
    for name in ("advice", "lenient"):
        world.grant(name)
    for line in (b"no json", b"[]", b"1", b"[" * 100_000):
        for name in ("advice", "lenient"):
            world.put(f"{name}/a.json", line)
        assert world.refusal("SELECT * FROM advice") == "HIVE_CURSOR_ERROR: Row is not a valid JSON Object"
        assert world.rows("SELECT * FROM lenient")[1:] == [[None]]


def test_a_file_that_is_no_parquet_fails_the_query(orders: World) -> None:
    orders.put("orders/day=2026-05-05/part-1.parquet", b"PAR1 is not enough")
    assert orders.refusal("SELECT id FROM orders").startswith("HIVE_CANNOT_OPEN_SPLIT: Not a Parquet file")


def test_files_that_begin_with_a_dot_or_an_underscore_are_not_data(orders: World) -> None:
    orders.put("orders/day=2026-05-05/_SUCCESS", b"")
    orders.put("orders/day=2026-05-05/.crc", b"x")
    assert len(orders.rows("SELECT id FROM orders")) == 4


def test_a_format_that_is_not_modelled_is_refused_by_name(world: World) -> None:
    world.table("logs", "json", {"line": "string"})
    found = world.glue.get_table(DatabaseName="sales", Name="logs")["Table"]
    descriptor = {
        **found["StorageDescriptor"],
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.RegexSerDe"},
    }
    world.glue.update_table(DatabaseName="sales", TableInput={"Name": "logs", "StorageDescriptor": descriptor})
    world.put("logs/a", b"x")
    world.grant("logs")
    assert "NotImplementedByLocalAws: athena.StartQueryExecution on tables of SerDe" in world.refusal(
        "SELECT * FROM logs"
    )


def test_an_empty_table_has_no_rows(world: World) -> None:
    world.table("empty", "parquet", {"id": "bigint"}, {"day": "string"})
    world.grant("empty")
    assert world.rows("SELECT * FROM empty") == [["id", "day"]]


# -------------------------------------------------------------------------------------------------------- views
AGING = "SELECT day, count(*) AS orders, sum(amount) AS amount FROM {} GROUP BY 1"
AGING_COLUMNS = {"day": "date", "orders": "bigint", "amount": "decimal(38,2)"}


def test_a_view_is_read_by_who_may_read_it_and_its_base_tables(orders: World) -> None:
    for number, base in enumerate(("orders", "sales.orders", "awsdatacatalog.sales.orders")):
        orders.view(f"aging{number}", AGING.format(base), AGING_COLUMNS)
        orders.grant(f"aging{number}")
        found = orders.rows(f"SELECT * FROM aging{number} ORDER BY day")
        assert found[1:] == [["2026-05-04", "2", "3.00"], ["2026-05-05", "1", "3.00"]]


def test_a_view_runs_with_its_readers_permissions(orders: World) -> None:
    orders.view("leak", "SELECT iban FROM orders", {"iban": "string"})
    orders.grant("leak")
    reason = orders.refusal("SELECT * FROM leak")
    assert reason.startswith("INVALID_VIEW: line 1:15: Failed analyzing stored view 'awsdatacatalog.sales.leak'")
    assert "Column 'iban' cannot be resolved" in reason


def test_the_view_alone_is_not_enough_and_neither_are_its_base_tables(world: World) -> None:
    world.orders()
    world.view("aging", AGING.format("orders"), AGING_COLUMNS)
    world.grant("aging")
    assert world.refusal("SELECT * FROM aging").startswith("INVALID_VIEW")
    world.grant("orders", "id")
    assert "Insufficient" not in world.refusal("SELECT * FROM aging")


def test_views_that_refer_to_each_other_end_in_an_error(orders: World) -> None:
    orders.view("one", "SELECT * FROM two", {"id": "bigint"})
    orders.view("two", "SELECT * FROM one", {"id": "bigint"})
    orders.grant("one")
    orders.grant("two")
    assert orders.refusal("SELECT * FROM one").startswith("INVALID_VIEW")


def test_a_view_of_a_producer_can_do_no_more_than_a_query(orders: World) -> None:
    for number, sql in enumerate(
        ("SELECT * FROM read_csv('/etc/passwd')", "DROP TABLE orders", "SELECT 1) t; ATTACH '/tmp/x' --")
    ):
        orders.view(f"evil{number}", sql, {"id": "bigint"})
        orders.grant(f"evil{number}")
        assert orders.status(f"SELECT * FROM evil{number}")[0] == "FAILED"


def test_a_view_of_another_engine_is_refused(orders: World) -> None:
    orders.view("hive", "", {"id": "bigint"})
    text = {"Name": "hive", "TableType": "VIRTUAL_VIEW", "ViewOriginalText": "select 1", "ViewExpandedText": "select 1"}
    orders.glue.update_table(
        DatabaseName="sales", TableInput={**text, "StorageDescriptor": {"Columns": [{"Name": "id", "Type": "int"}]}}
    )
    orders.grant("hive")
    assert orders.refusal("SELECT * FROM hive").startswith("INVALID_VIEW")


# ------------------------------------------------------------------------------------------------------ hostile
HOSTILE = [
    "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM \"/etc/passwd\"", "SELECT * FROM glob('/*')", "SELECT * FROM read_parquet('s3://x/y')",
    "SELECT * FROM duckdb_settings()", "SELECT * FROM pragma_database_list()", "SELECT * FROM query('select 1')",
    "SELECT * FROM query_table('orders')", "SELECT * FROM information_schema.tables", "SELECT * FROM duckdb_tables",
    "SELECT * FROM pg_catalog.pg_class", "SELECT * FROM loaded", "SELECT * FROM temp.loaded", "SELECT * FROM memory.main.loaded",
    "WITH x AS (SELECT * FROM read_csv('/etc/passwd')) SELECT * FROM x",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))", "SELECT * FROM orders, LATERAL (SELECT * FROM glob('/*'))",
    "COPY orders TO '/tmp/lakemesh-test.csv'", "COPY (SELECT 1) TO '/tmp/lakemesh-test.csv'", "EXPORT DATABASE '/tmp/x'",
    "ATTACH '/tmp/lakemesh-test.db'", "INSTALL httpfs", "LOAD httpfs", "PRAGMA database_list", "SET threads = 4",
    "SET enable_external_access = true", "RESET ALL", "CALL pragma_version()", "USE memory", "SHOW TABLES", "DESCRIBE orders",
    "SUMMARIZE orders", "EXPLAIN SELECT 1", "CREATE TABLE x AS SELECT 1", "INSERT INTO orders VALUES (1)", "DELETE FROM orders",
    "UPDATE orders SET id = 1", "DROP TABLE orders", "ALTER TABLE orders ADD COLUMN x int", "CREATE MACRO f() AS 1",
    "WITH x AS (INSERT INTO orders VALUES (1) RETURNING id) SELECT * FROM x", "PIVOT orders ON id USING sum(amount)",
    "SELECT 1; SELECT 2", "SELECT 1; ATTACH '/tmp/x'", "PREPARE x AS SELECT 1", "VACUUM", "CHECKPOINT", "", ";", "--", "\x00",
    "SELECT", "SELECT * FROM", "SELECT id FROM orders WHERE", "SELECT nosuch(1)", "SELECT range(1000000000)", "SELECT repeat('x', 2000000000)", "SELECT getenv('HOME')", "SELECT CAST('x' AS int)",
]  # fmt: skip


def test_sql_that_would_read_files_write_or_change_anything_is_refused(orders: World) -> None:
    for sql in HOSTILE:
        reason = orders.refusal(sql)
        assert not any(text in reason for text in ("root:", "InternalFailure", "GENERIC_INTERNAL_ERROR")), (sql, reason)
    assert orders.rows("SELECT count(*) FROM orders")[1] == ["3"]


def test_a_query_that_would_run_for_ever_is_stopped(orders: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executions, "PATIENCE", 0.1)
    forever = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n % 7 FROM r) SELECT count(*) FROM r, orders"
    athena, query = orders.start(forever)
    assert athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"] == "RUNNING"
    with pytest.raises(ClientError, match=r"Query has not yet finished\. Current state: RUNNING"):
        athena.get_query_results(QueryExecutionId=query)
    athena.stop_query_execution(QueryExecutionId=query)
    assert athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"] == "CANCELLED"


def test_a_query_that_wants_all_memory_fails_alone(orders: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executions, "PATIENCE", 60)
    tables = ", ".join(f"orders {alias}" for alias in "abcdefghi")
    value = "rpad('x', 100000, 'x')" + "".join(f" || {alias}.id" for alias in "abcdefghi")
    huge = f"SELECT count(*) FROM (SELECT DISTINCT {value} FROM {tables})"
    assert orders.refusal(huge).startswith("EXCEEDED_LOCAL_MEMORY_LIMIT")
    wide = "SELECT rpad('x', 70000000, 'x') AS s"
    assert orders.refusal(wide).startswith("EXCEEDED_LOCAL_LIMIT")
    assert orders.rows("SELECT count(*) FROM orders")[1] == ["3"]


# -------------------------------------------------------------------------------------------- workgroups, results
def test_results_are_written_as_the_caller_and_read_page_by_page(orders: World) -> None:
    athena, query = orders.start("SELECT id, CAST(NULL AS varchar) AS nothing, '\"q\"' AS q FROM orders ORDER BY id")
    first = athena.get_query_results(QueryExecutionId=query, MaxResults=2)
    assert [c["Type"] for c in first["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]] == [
        "bigint",
        "varchar",
        "varchar",
    ]
    assert len(first["ResultSet"]["Rows"]) == 2
    assert len(athena.get_query_results(QueryExecutionId=query, NextToken=first["NextToken"])["ResultSet"]["Rows"]) == 2
    written = s3.read(root(READER), RESULTS, f"analyst/{query}.csv").decode()
    assert written.splitlines()[:2] == ['"id","nothing","q"', '"1",,"""q"""']


def test_another_prefix_than_ones_own_is_not_written_to(orders: World) -> None:
    orders.workgroup("controller", "controller")
    reason = orders.refusal("SELECT 1", WorkGroup="controller")
    assert reason.startswith(f"Access denied when writing output to url: s3://{RESULTS}/controller/")


def test_an_enforced_workgroup_keeps_its_location_whatever_the_client_asks_for(orders: World) -> None:
    athena, query = orders.start("SELECT 1", ResultConfiguration={"OutputLocation": "s3://elsewhere/x/"})
    found = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
    assert found["ResultConfiguration"]["OutputLocation"] == f"s3://{RESULTS}/analyst/{query}.csv"


def test_somebody_without_the_workgroup_neither_starts_nor_reads_its_queries(orders: World) -> None:
    _, query = orders.start("SELECT id FROM orders")
    mine = f"arn:aws:athena:eu-west-1:{READER}:workgroup/intern"
    intern = orders.role(READER, "Intern", {"AWS": READER}, statement(["athena:*"], mine), statement(["s3:*"], "*"))
    with pytest.raises(ClientError, match="not authorized to perform: athena:StartQueryExecution"):
        orders.start("SELECT 1", role=intern)
    theirs = orders.client.role(intern, "athena")
    for ask in (theirs.get_query_execution, theirs.get_query_results, theirs.stop_query_execution):
        with pytest.raises(ClientError, match="workgroup/analyst") as error:
            ask(QueryExecutionId=query)
        assert error.value.response["Error"]["Code"] == "AccessDeniedException"


def test_results_need_permission_on_their_object_too(orders: World) -> None:
    _, query = orders.start("SELECT id FROM orders")
    other = orders.role(READER, "Other", {"AWS": READER}, statement(["athena:*"], "*"))
    with pytest.raises(ClientError, match="s3:GetObject"):
        orders.client.role(other, "athena").get_query_results(QueryExecutionId=query)
    with pytest.raises(ClientError, match="was not found"):
        orders.client("athena", OWNER).get_query_execution(QueryExecutionId=query)


def test_a_workgroup_reads_back_as_it_was_made_and_changes_in_part(world: World) -> None:
    athena = world.client("athena", READER)
    arn = f"arn:aws:athena:eu-west-1:{READER}:workgroup/analyst"
    assert athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == []
    athena.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "b"}])
    assert athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    athena.untag_resource(ResourceARN=arn, TagKeys=["a"])
    changes = {"RemoveOutputLocation": True, "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}
    athena.update_work_group(
        WorkGroup="analyst", Description="d", ConfigurationUpdates={"ResultConfigurationUpdates": changes}
    )
    found = athena.get_work_group(WorkGroup="analyst")["WorkGroup"]
    assert found["Configuration"]["ResultConfiguration"] == {"EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}
    assert found["Configuration"]["EnforceWorkGroupConfiguration"] is True
    assert world.refusal("SELECT 1").startswith("InvalidRequestException: No output location provided.")
    assert world.refusal("SELECT 1", WorkGroup="nowhere").endswith("WorkGroup is not found.")


def test_a_workgroup_with_queries_is_only_deleted_with_them(world: World) -> None:
    world.rows("SELECT 1")
    athena = world.client("athena", READER)
    with pytest.raises(ClientError, match="is not empty"):
        athena.delete_work_group(WorkGroup="analyst")
    athena.delete_work_group(WorkGroup="analyst", RecursiveDeleteOption=True)
    with pytest.raises(ClientError, match="is not found"):
        athena.get_work_group(WorkGroup="analyst")
    with pytest.raises(ClientError, match="primary workgroup cannot be deleted"):
        athena.delete_work_group(WorkGroup="primary")


def test_integers_divide_as_in_athena(world: World) -> None:
    assert world.rows("SELECT 7 / 2 AS a, 7.0 / 2 AS b, date_diff('day', DATE '2026-01-01', DATE '2026-03-01') AS c")[
        1
    ] == ["3", "3.5", "59"]


def test_comma_separated_helper_quotes(world: World) -> None:
    world.table("plain", "open-csv", {"a": "string", "b": "string"})
    world.put("plain/p.csv", comma_separated(["x,y", "z"]))
    world.grant("plain")
    assert world.rows("SELECT b, a FROM plain")[1] == ["z", "x,y"]


def test_an_iceberg_table_is_read_at_the_snapshot_of_the_metadata_that_glue_names(world: World) -> None:
    catalog = GlueCatalog("c", client=world.glue, **{"py-io-impl": "tests.local_aws.queries.LakeFiles"})
    schema = pa.schema([("Number", pa.string()), ("amount", pa.int64())])
    made = catalog.create_table("sales.invoice", schema, location=f"s3://{LAKE}/sales/invoice")
    made.append(pa.table({"Number": ["a"], "amount": [1]}))
    older = made.metadata_location
    made.append(pa.table({"Number": ["b"], "amount": [2]}))
    world.grant("invoice", "amount")
    assert sorted(world.rows("SELECT * FROM invoice")[1:]) == [["1"], ["2"]]
    found = world.glue.get_table(DatabaseName="sales", Name="invoice")["Table"]
    table = {key: found[key] for key in ("Name", "TableType", "StorageDescriptor")}
    parameters = {**found["Parameters"], "metadata_location": older}
    world.glue.update_table(DatabaseName="sales", TableInput={**table, "Parameters": parameters})
    assert world.rows("SELECT * FROM invoice")[1:] == [["1"]]
    assert world.refusal("SELECT number FROM invoice").startswith("COLUMN_NOT_FOUND: line 1:8: Column 'number'")
    world.s3.delete_bucket_policy(Bucket=LAKE)
    assert "not authorized to perform: s3:GetObject" in world.refusal("SELECT * FROM invoice")
