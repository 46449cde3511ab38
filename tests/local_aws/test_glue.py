"""The Glue Data Catalog over boto3: names, limits, versions, links, and what it asks of IAM and Lake Formation."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lakemesh.access.evaluate import TableAccess
from local_aws.services.calls import AwsError
from local_aws.services.glue import access, store

OWNER, READER = "111122223333", "444455556666"


@dataclass
class Decisions:
    """Lake Formation, told what to say: everything is allowed but what is in `denied`, `hidden` and `columns`."""

    denied: set[tuple[str, str]] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    columns: dict[str, set[str]] = field(default_factory=dict)
    registered: set[str] = field(default_factory=set)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    learned: list[tuple[str, ...]] = field(default_factory=list)

    def table_access(self, identity: Any, catalog: str, region: str, database: str, table: str) -> TableAccess:
        self.asked.append(("table", (catalog, database, table)))
        found = store.catalog(catalog, region).databases[database]
        if found.target is not None:
            found = store.catalog(found.target[0], region).databases[found.target[1]]
        every = {*found.tables[table].columns, *found.tables[table].partition_keys}
        visible = frozenset(self.columns.get(table, every))
        return TableAccess(table not in self.hidden, visible, visible, {})

    def database_visible(self, identity: Any, catalog: str, region: str, database: str) -> bool:
        return database not in self.hidden

    def require(self, identity: Any, catalog: str, region: str, resource: Any, permission: str) -> None:
        self.asked.append((permission, resource))
        if (permission, type(resource).__name__) in self.denied:
            raise AwsError("AccessDeniedException", f"Insufficient Lake Formation permission(s): Required {permission}")

    def registered_role(self, catalog: str, region: str, uri: str) -> str | None:
        return "a role" if any(uri.startswith(prefix) for prefix in self.registered) else None

    def database_created(self, catalog: str, region: str, database: str) -> None:
        self.learned.append(("created", database))

    def table_created(self, catalog: str, region: str, database: str, table: str) -> None:
        self.learned.append(("created", database, table))

    def table_updated(self, catalog: str, region: str, database: str, table: str) -> None:
        self.learned.append(("updated", database, table))

    def database_deleted(self, catalog: str, region: str, database: str) -> None:
        self.learned.append(("deleted", database))

    def table_deleted(self, catalog: str, region: str, database: str, table: str) -> None:
        self.learned.append(("deleted", database, table))


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Decisions:
    decisions = Decisions()
    monkeypatch.setattr(access, "_decisions", lambda: decisions)
    return decisions


@pytest.fixture
def glue(client: Any, lake: Decisions) -> Any:
    """The owner's root, with a database and a table partitioned by day."""
    made = client("glue")
    made.create_database(DatabaseInput={"Name": "Sales"})
    made.create_table(DatabaseName="SALES", TableInput=table_input())
    return made


@pytest.fixture
def role(client: Any) -> Callable[..., Any]:
    """Makes a role with an inline policy and gives a Glue client that acts as it."""

    def make(name: str, *statements: dict[str, Any], account: str = OWNER) -> Any:
        iam = client("iam", account)
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}],
        }
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(document))
        return client.role(arn, "glue")

    return make


ANYTHING = {"Effect": "Allow", "Action": "glue:*", "Resource": "*"}


def allow(action: str, *resources: str, account: str = OWNER) -> dict[str, Any]:
    return {
        "Effect": "Allow", "Action": action,
        "Resource": [f"arn:aws:glue:eu-west-1:{account}:{resource}" for resource in resources],
    }  # fmt: skip


def table_input(name: str = "Orders", **changes: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "StorageDescriptor": {
            "Columns": [{"Name": "id", "Type": "bigint"}, {"Name": "iban", "Type": "string"}],
            "Location": "s3://bucket/sales/orders",
        },
        "PartitionKeys": [{"Name": "day", "Type": "date"}, {"Name": "hour", "Type": "int"}],
        **changes,
    }


def partition(day: str, hour: int, **changes: Any) -> dict[str, Any]:
    location = f"s3://bucket/sales/orders/day={day}/hour={hour}"
    descriptor = {"Columns": table_input()["StorageDescriptor"]["Columns"], "Location": location}
    return {"Values": [day, str(hour)], "StorageDescriptor": descriptor, **changes}


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def fails(wanted: str, call: Callable[..., Any], **params: Any) -> str:
    """The message of the error that a call ends in, whose code has to be `wanted`."""
    with pytest.raises(ClientError) as error:
        call(**params)
    assert code(error) == wanted, error.value
    return str(error.value.response["Error"]["Message"])


# ------------------------------------------------------------------------------------------------ databases and tables


def test_names_are_lower_case_whatever_case_they_are_given_in(glue: Any) -> None:
    assert glue.get_database(Name="sALES")["Database"]["Name"] == "sales"
    table = glue.get_table(DatabaseName="sales", Name="ORDERS")["Table"]
    assert (table["Name"], table["DatabaseName"], table["CatalogId"]) == ("orders", "sales", OWNER)


def test_a_database_keeps_what_it_was_given_and_its_tags(client: Any, lake: Decisions) -> None:
    glue = client("glue")
    given = {
        "Description": "d", "LocationUri": "s3://bucket/x", "Parameters": {"a": "b"}, "CreateTableDefaultPermissions": [],
    }  # fmt: skip
    glue.create_database(DatabaseInput={"Name": "x", **given}, Tags={"owner": "sales", "stack": "central"})
    found = glue.get_database(Name="x")["Database"]
    assert {key: found[key] for key in given} == given
    arn = f"arn:aws:glue:eu-west-1:{OWNER}:database/x"
    glue.tag_resource(ResourceArn=arn, TagsToAdd={"stack": "domain"})
    glue.untag_resource(ResourceArn=arn, TagsToRemove=["owner"])
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"stack": "domain"}


def test_updating_a_database_without_default_permissions_keeps_them(client: Any, lake: Decisions) -> None:
    glue = client("glue")
    glue.create_database(DatabaseInput={"Name": "x", "CreateTableDefaultPermissions": []})
    glue.update_database(Name="x", DatabaseInput={"Name": "x", "Description": "new"})
    found = glue.get_database(Name="x")["Database"]
    assert (found["Description"], found["CreateTableDefaultPermissions"]) == ("new", [])


def test_what_exists_is_not_created_twice_and_what_is_gone_is_not_found(glue: Any) -> None:
    fails("AlreadyExistsException", glue.create_database, DatabaseInput={"Name": "SALES"})
    fails("AlreadyExistsException", glue.create_table, DatabaseName="sales", TableInput=table_input("ORDERS"))
    fails("EntityNotFoundException", glue.get_table, DatabaseName="sales", Name="nothing")
    fails("EntityNotFoundException", glue.get_tables, DatabaseName="nothing")
    glue.delete_database(Name="sales")
    fails("EntityNotFoundException", glue.get_database, Name="sales")


def test_lists_come_in_pages_of_at_most_a_hundred(glue: Any) -> None:
    for n in range(120):
        glue.create_table(DatabaseName="sales", TableInput=table_input(f"t{n:03}"))
    first = glue.get_tables(DatabaseName="sales")
    assert len(first["TableList"]) == 100
    names = [
        t["Name"]
        for page in glue.get_paginator("get_tables").paginate(DatabaseName="sales", PaginationConfig={"PageSize": 7})
        for t in page["TableList"]
    ]
    assert names == ["orders", *(f"t{n:03}" for n in range(120))]
    some = glue.get_tables(DatabaseName="sales", Expression="t00[12]", AttributesToGet=["NAME"])["TableList"]
    assert [table["Name"] for table in some] == ["t001", "t002"]
    assert "StorageDescriptor" not in some[0]
    fails("InvalidInputException", glue.get_tables, DatabaseName="sales", NextToken="x")


def test_deleting_tables_in_a_batch_reports_those_that_are_not_there(glue: Any) -> None:
    answer = glue.batch_delete_table(DatabaseName="sales", TablesToDelete=["Orders", "nothing"])
    assert [(e["TableName"], e["ErrorDetail"]["ErrorCode"]) for e in answer["Errors"]] == [
        ("nothing", "EntityNotFoundException")
    ]
    assert glue.get_tables(DatabaseName="sales")["TableList"] == []


# -------------------------------------------------------------------------------------------------------------- limits


def test_every_constraint_of_the_model_that_a_call_breaks_is_named(glue: Any) -> None:
    message = fails("ValidationException", glue.get_tables, DatabaseName="", MaxResults=101)
    assert message.startswith("2 validation errors detected: ")
    assert "Value '' at 'databaseName' failed to satisfy constraint: Member must have length greater than" in message
    assert "Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than" in message
    assert "'tableInput.name'" in fails(
        "ValidationException", glue.create_table, DatabaseName="sales", TableInput={"Description": "x"}
    )


@pytest.mark.parametrize(
    ("operation", "member", "item", "limit"),
    [
        ("batch_create_partition", "PartitionInputList", partition("2026-01-01", 1), 100),
        ("batch_delete_partition", "PartitionsToDelete", {"Values": ["a", "b"]}, 25),
        ("batch_get_partition", "PartitionsToGet", {"Values": ["a", "b"]}, 1000),
    ],
)
def test_a_batch_above_its_limit_is_refused_as_a_whole(
    glue: Any, operation: str, member: str, item: Any, limit: int
) -> None:
    message = fails(
        "ValidationException",
        getattr(glue, operation),
        DatabaseName="sales",
        TableName="orders",
        **{member: [item] * (limit + 1)},
    )
    assert message.endswith(f"Member must have length less than or equal to {limit}")
    assert glue.get_partitions(DatabaseName="sales", TableName="orders")["Partitions"] == []


def test_what_is_not_modelled_is_refused_by_name(glue: Any) -> None:
    target = {"CatalogId": OWNER, "DatabaseName": "sales", "Name": "orders"}
    message = fails(
        "NotImplementedByLocalAws",
        glue.create_table,
        DatabaseName="sales",
        TableInput={"Name": "l", "TargetTable": target},
    )
    assert "TargetTable" in message
    fails("NotImplementedByLocalAws", glue.get_databases, CatalogId="123456789012:s3tablescatalog")
    fails("NotImplementedByLocalAws", glue.get_crawlers)


# ------------------------------------------------------------------------------------------------------------ versions


def test_versions_count_from_zero_and_a_stale_one_is_refused(glue: Any) -> None:
    assert glue.get_table(DatabaseName="sales", Name="orders")["Table"]["VersionId"] == "0"
    glue.update_table(DatabaseName="sales", TableInput=table_input(Description="b"), VersionId="0")
    fails(
        "ConcurrentModificationException",
        glue.update_table,
        DatabaseName="sales",
        TableInput=table_input(),
        VersionId="0",
    )
    table = glue.get_table(DatabaseName="sales", Name="orders")["Table"]
    assert (table["VersionId"], table["Description"]) == ("1", "b")


def test_skip_archive_leaves_no_old_version_behind(glue: Any) -> None:
    glue.update_table(DatabaseName="sales", TableInput=table_input(), SkipArchive=True)
    glue.update_table(DatabaseName="sales", TableInput=table_input())
    versions = glue.get_table_versions(DatabaseName="sales", TableName="orders")["TableVersions"]
    assert [version["VersionId"] for version in versions] == ["2", "1"]


def test_of_many_writers_with_one_version_one_wins(client: Any, glue: Any) -> None:
    outcomes: list[str] = []

    def write(n: int) -> None:
        try:
            glue.update_table(DatabaseName="sales", TableInput=table_input(Description=str(n)), VersionId="0")
            outcomes.append("won")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ConcurrentModificationException"] * 7 + ["won"]


# ---------------------------------------------------------------------------------------------------------- partitions


@pytest.fixture
def filled(glue: Any) -> Any:
    days = [f"2026-01-{day:02}" for day in range(1, 11)]
    answer = glue.batch_create_partition(
        DatabaseName="sales",
        TableName="orders",
        PartitionInputList=[partition(day, hour) for day in days for hour in (1, 2, 10)],
    )
    assert answer["Errors"] == []
    return glue


def values(answer: dict[str, Any]) -> list[tuple[str, ...]]:
    return [tuple(found["Values"]) for found in answer["Partitions"]]


def test_partitions_that_cannot_be_created_are_listed_and_the_others_are_there(filled: Any) -> None:
    answer = filled.batch_create_partition(
        DatabaseName="sales", TableName="orders",
        PartitionInputList=[partition("2026-01-01", 1), {"Values": ["only one"]}, partition("2026-02-01", 1)],
    )  # fmt: skip
    assert [(e["PartitionValues"], e["ErrorDetail"]["ErrorCode"]) for e in answer["Errors"]] == [
        (["2026-01-01", "1"], "AlreadyExistsException"), (["only one"], "InvalidInputException"),
    ]  # fmt: skip
    found = filled.get_partition(DatabaseName="sales", TableName="orders", PartitionValues=["2026-02-01", "1"])[
        "Partition"
    ]
    assert (found["DatabaseName"], found["TableName"], found["CatalogId"]) == ("sales", "orders", OWNER)


def test_partitions_are_updated_moved_and_deleted(filled: Any) -> None:
    at = {"DatabaseName": "sales", "TableName": "orders"}
    entries = [
        {
            "PartitionValueList": ["2026-01-01", "1"],
            "PartitionInput": partition("2026-01-01", 1, Parameters={"rows": "5"}),
        },
        {"PartitionValueList": ["2026-01-01", "2"], "PartitionInput": partition("2026-03-01", 2)},
        {"PartitionValueList": ["2020-01-01", "2"], "PartitionInput": partition("2020-01-01", 2)},
    ]
    errors = filled.batch_update_partition(**at, Entries=entries)["Errors"]
    assert [error["ErrorDetail"]["ErrorCode"] for error in errors] == ["EntityNotFoundException"]
    keys = [{"Values": ["2026-01-01", "1"]}, {"Values": ["2026-01-01", "2"]}, {"Values": ["2026-03-01", "2"]}]
    found = filled.batch_get_partition(**at, PartitionsToGet=keys)
    assert values(found) == [("2026-01-01", "1"), ("2026-03-01", "2")]
    assert found["Partitions"][0]["Parameters"] == {"rows": "5"}
    assert len(filled.batch_delete_partition(**at, PartitionsToDelete=keys)["Errors"]) == 1
    assert len(values(filled.get_partitions(**at))) == 28


def test_partitions_come_in_pages_and_segments_that_make_up_the_whole(filled: Any) -> None:
    at = {"DatabaseName": "sales", "TableName": "orders"}
    pages = list(filled.get_paginator("get_partitions").paginate(**at, PaginationConfig={"PageSize": 7}))
    whole = [found for page in pages for found in values(page)]
    assert (len(pages), len(whole), len(set(whole))) == (5, 30, 30)
    shares = [
        values(filled.get_partitions(**at, Segment={"SegmentNumber": n, "TotalSegments": 4})) for n in range(4)
    ]  # fmt: skip
    assert sorted(found for share in shares for found in share) == sorted(whole)
    assert all(0 < len(share) < 30 for share in shares)
    fails("InvalidInputException", filled.get_partitions, **at, Segment={"SegmentNumber": 4, "TotalSegments": 4})


def test_the_column_schema_of_partitions_can_be_left_out(filled: Any) -> None:
    found = filled.get_partitions(DatabaseName="sales", TableName="orders", ExcludeColumnSchema=True)["Partitions"][0]
    assert "Columns" not in found["StorageDescriptor"]
    assert found["StorageDescriptor"]["Location"].startswith("s3://")


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("day = '2026-01-01'", 3),
        ("day = '2026-01-01' AND hour > 2", 1),
        ("hour >= 10", 10),
        ("hour <> 10 and day <= '2026-01-02'", 4),
        ("day = '2026-01-01' OR hour = 1 AND day > '2026-01-09'", 4),
        ("(day = '2026-01-01' OR hour = 1) AND day < '2026-01-03'", 4),
        ("day IN ('2026-01-01', '2026-01-03') and not hour in (1, 2)", 2),
        ("day between '2026-01-02' and '2026-01-04'", 9),
        ("day LIKE '2026-01-0%' AND `hour` = 10", 9),
        ("day is not null", 30),
        ("day = date '2026-01-01'", 3),
    ],
)
def test_an_expression_filters_by_type_of_the_key(filled: Any, expression: str, count: int) -> None:
    assert len(values(filled.get_partitions(DatabaseName="sales", TableName="orders", Expression=expression))) == count


@pytest.mark.parametrize(
    "expression",
    [
        "id = 1",
        "day =",
        "day = 'a' extra",
        "day ~ 'a'",
        "upper(day) = 'A'",
        "hour = 'x'",
        "(day = 'a'",
        "day not = 'a'",
    ],
)
def test_an_expression_outside_the_grammar_is_refused(filled: Any, expression: str) -> None:
    fails(
        "InvalidInputException", filled.get_partitions, DatabaseName="sales", TableName="orders", Expression=expression
    )


# --------------------------------------------------------------------------------------------------------------- links


@pytest.fixture
def linked(client: Any, glue: Any) -> Any:
    """The reader's root, with a link to the owner's database."""
    made = client("glue", READER)
    made.create_database(
        DatabaseInput={"Name": "Linked", "TargetDatabase": {"CatalogId": OWNER, "DatabaseName": "Sales"}}
    )
    return made


def test_reads_follow_a_link_to_the_account_that_owns_its_target(linked: Any, lake: Decisions) -> None:
    table = linked.get_table(DatabaseName="linked", Name="orders")["Table"]
    assert (table["CatalogId"], table["DatabaseName"]) == (OWNER, "sales")
    assert ("table", (READER, "linked", "orders")) in lake.asked
    assert [t["Name"] for t in linked.get_tables(DatabaseName="linked")["TableList"]] == ["orders"]
    assert linked.get_partitions(DatabaseName="linked", TableName="orders")["Partitions"] == []


def test_a_link_shows_its_targets_properties_only_to_those_who_may_see_the_target(
    glue: Any, linked: Any, lake: Decisions
) -> None:
    glue.update_database(Name="sales", DatabaseInput={"Name": "sales", "Description": "of the target"})
    found = linked.get_database(Name="linked")["Database"]
    target = {"CatalogId": OWNER, "DatabaseName": "Sales"}
    assert (found["Name"], found["CatalogId"], found["TargetDatabase"]) == ("linked", READER, target)
    assert found["Description"] == "of the target"
    lake.hidden.add("sales")
    assert "Description" not in linked.get_databases()["DatabaseList"][0]


def test_updates_reach_the_target_and_deletion_only_the_link(linked: Any, glue: Any) -> None:
    linked.update_database(Name="linked", DatabaseInput={"Name": "linked", "Description": "changed"})
    linked.create_table(DatabaseName="linked", TableInput=table_input("new"))
    linked.update_table(DatabaseName="linked", TableInput=table_input("new", Description="x"))
    assert glue.get_database(Name="sales")["Database"]["Description"] == "changed"
    assert glue.get_table(DatabaseName="sales", Name="new")["Table"]["Description"] == "x"
    linked.delete_database(Name="linked")
    assert glue.get_database(Name="sales")["Database"]["Name"] == "sales"


def test_a_link_to_a_link_or_to_nothing_leads_nowhere(client: Any, linked: Any) -> None:
    for name, database in (("second", "linked"), ("lost", "nothing")):
        target = {"CatalogId": READER, "DatabaseName": database}
        linked.create_database(DatabaseInput={"Name": name, "TargetDatabase": target})
        fails("EntityNotFoundException", linked.get_table, DatabaseName=name, Name="orders")
        assert linked.get_database(Name=name)["Database"]["TargetDatabase"] == target


# ------------------------------------------------------------------------------------------------- IAM, both accounts


def test_a_role_needs_its_action_on_catalog_database_and_table(glue: Any, role: Callable[..., Any]) -> None:
    table = ("catalog", "database/sales", "table/sales/orders")
    allowed = role("reader", allow("glue:GetTable", *table))
    assert allowed.get_table(DatabaseName="sales", Name="orders")
    for missing in table:
        refused = role(missing.replace("/", "-"), allow("glue:GetTable", *(arn for arn in table if arn != missing)))
        message = fails("AccessDeniedException", refused.get_table, DatabaseName="sales", Name="orders")
        assert message.endswith(f"glue:GetTable on resource: arn:aws:glue:eu-west-1:{OWNER}:{missing}")
    fails("AccessDeniedException", allowed.get_partitions, DatabaseName="sales", TableName="orders")


def test_a_link_takes_permission_on_the_link_and_on_its_target(linked: Any, role: Callable[..., Any]) -> None:
    here = allow("glue:GetTable", "catalog", "database/linked", "table/linked/orders", account=READER)
    there = allow("glue:GetTable", "catalog", "database/sales", "table/sales/orders")
    assert role("both", here, there, account=READER).get_table(DatabaseName="linked", Name="orders")
    for name, statement in (("here", here), ("there", there)):
        half = role(name, statement, account=READER)
        fails("AccessDeniedException", half.get_table, DatabaseName="linked", Name="orders")


def test_the_owners_resource_policy_may_forbid_what_lake_formation_shares(glue: Any, role: Callable[..., Any]) -> None:
    reader = role("reader", ANYTHING, account=READER)
    assert reader.get_table(CatalogId=OWNER, DatabaseName="sales", Name="orders")
    deny = {
        "Effect": "Deny",
        "Principal": {"AWS": READER},
        "Action": "glue:*",
        "Resource": f"arn:aws:glue:eu-west-1:{OWNER}:*",
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    made = glue.put_resource_policy(PolicyInJson=text)
    fails("AccessDeniedException", reader.get_table, CatalogId=OWNER, DatabaseName="sales", Name="orders")
    assert json.loads(glue.get_resource_policy()["PolicyInJson"]) == json.loads(text)
    fails("ConditionCheckFailureException", glue.delete_resource_policy, PolicyHashCondition="another")
    glue.delete_resource_policy(PolicyHashCondition=made["PolicyHash"])
    fails("EntityNotFoundException", glue.get_resource_policy)


def test_only_the_owner_sets_up_encryption(glue: Any, role: Callable[..., Any]) -> None:
    settings = {"EncryptionAtRest": {"CatalogEncryptionMode": "DISABLED"}}
    stranger = role("stranger", ANYTHING, account=READER)
    fails(
        "AccessDeniedException", stranger.put_data_catalog_encryption_settings,
        CatalogId=OWNER, DataCatalogEncryptionSettings=settings,
    )  # fmt: skip


def test_an_encrypted_catalog_takes_its_key(client: Any, glue: Any, role: Callable[..., Any]) -> None:
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    rest = {"CatalogEncryptionMode": "SSE-KMS", "SseAwsKmsKeyId": key}
    glue.put_data_catalog_encryption_settings(DataCatalogEncryptionSettings={"EncryptionAtRest": rest})
    assert glue.get_data_catalog_encryption_settings()["DataCatalogEncryptionSettings"]["EncryptionAtRest"] == rest
    without = role("without", ANYTHING)
    message = fails("GlueEncryptionException", without.get_table, DatabaseName="sales", Name="orders")
    assert "kms:Decrypt" in message
    decrypt = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}
    reader = role("with", ANYTHING, decrypt)
    assert reader.get_table(DatabaseName="sales", Name="orders")
    assert "kms:GenerateDataKey" in fails(
        "GlueEncryptionException", reader.update_table, DatabaseName="sales", TableInput=table_input()
    )


# ------------------------------------------------------------------------------------------------------ Lake Formation


@pytest.fixture
def reader(glue: Any, role: Callable[..., Any]) -> Any:
    return role("reader", ANYTHING)


def test_a_caller_gets_only_the_columns_it_may_see(glue: Any, reader: Any, lake: Decisions) -> None:
    glue.create_partition(DatabaseName="sales", TableName="orders", PartitionInput=partition("2026-01-01", 1))
    lake.columns["orders"] = {"id", "day", "hour"}
    at = {"DatabaseName": "sales"}
    tables = [
        reader.get_table(**at, Name="orders")["Table"], reader.get_tables(**at)["TableList"][0],
        reader.get_table_versions(**at, TableName="orders")["TableVersions"][0]["Table"],
        reader.get_partitions(**at, TableName="orders")["Partitions"][0],
        reader.get_partition(**at, TableName="orders", PartitionValues=["2026-01-01", "1"])["Partition"],
        reader.batch_get_partition(**at, TableName="orders", PartitionsToGet=[{"Values": ["2026-01-01", "1"]}])["Partitions"][0],
    ]  # fmt: skip
    assert [[c["Name"] for c in table["StorageDescriptor"]["Columns"]] for table in tables] == [["id"]] * 6
    assert [c["Name"] for c in tables[0]["PartitionKeys"]] == ["day", "hour"]
    whole = glue.get_table(**at, Name="orders")["Table"]
    assert [c["Name"] for c in whole["StorageDescriptor"]["Columns"]] == ["id", "iban"]


def test_what_a_caller_may_not_see_is_left_out_of_lists_and_refused_by_name(
    glue: Any, reader: Any, lake: Decisions
) -> None:
    glue.create_table(DatabaseName="sales", TableInput=table_input("secret"))
    glue.create_database(DatabaseInput={"Name": "hidden"})
    lake.hidden |= {"secret", "hidden"}
    assert [t["Name"] for t in reader.get_tables(DatabaseName="sales")["TableList"]] == ["orders"]
    assert [d["Name"] for d in reader.get_databases()["DatabaseList"]] == ["sales"]
    assert "secret" in fails("AccessDeniedException", reader.get_table, DatabaseName="sales", Name="secret")
    fails("AccessDeniedException", reader.get_database, Name="hidden")
    fails("AccessDeniedException", reader.get_partitions, DatabaseName="sales", TableName="secret")


def test_absence_is_told_only_to_those_who_could_know(reader: Any, lake: Decisions) -> None:
    fails("EntityNotFoundException", reader.get_table, DatabaseName="sales", Name="nothing")
    fails("EntityNotFoundException", reader.get_database, Name="nothing")
    lake.denied |= {
        ("CREATE_TABLE", "DatabaseResource"), ("DESCRIBE", "TableResource"), ("CREATE_DATABASE", "CatalogResource"),
    }  # fmt: skip
    fails("AccessDeniedException", reader.get_table, DatabaseName="sales", Name="nothing")
    fails("AccessDeniedException", reader.get_database, Name="nothing")


@pytest.mark.parametrize(
    ("permission", "on", "operation", "params"),
    [
        ("CREATE_DATABASE", "CatalogResource", "create_database", {"DatabaseInput": {"Name": "n"}}),
        ("ALTER", "DatabaseResource", "update_database", {"Name": "sales", "DatabaseInput": {"Name": "sales"}}),
        ("DROP", "DatabaseResource", "delete_database", {"Name": "sales"}),
        ("CREATE_TABLE", "DatabaseResource", "create_table", {"DatabaseName": "sales", "TableInput": table_input("n")}),
        ("ALTER", "TableResource", "update_table", {"DatabaseName": "sales", "TableInput": table_input()}),
        ("DROP", "TableResource", "delete_table", {"DatabaseName": "sales", "Name": "orders"}),
        (
            "ALTER", "TableResource", "create_partition",
            {"DatabaseName": "sales", "TableName": "orders", "PartitionInput": partition("2026-01-01", 1)},
        ),
    ],
)  # fmt: skip
def test_writes_take_their_lake_formation_permission(
    reader: Any, lake: Decisions, permission: str, on: str, operation: str, params: dict[str, Any]
) -> None:
    lake.denied.add((permission, on))
    fails("AccessDeniedException", getattr(reader, operation), **params)
    lake.denied.clear()
    getattr(reader, operation)(**params)
    assert any(asked == permission and type(resource).__name__ == on for asked, resource in lake.asked)


def test_a_registered_location_takes_data_location_access(reader: Any, lake: Decisions) -> None:
    at = {"DatabaseName": "sales", "TableName": "orders"}
    lake.denied.add(("DATA_LOCATION_ACCESS", "DataLocationResource"))
    reader.create_table(DatabaseName="sales", TableInput=table_input("free"))
    lake.registered.add("s3://bucket/")
    fails("AccessDeniedException", reader.create_table, DatabaseName="sales", TableInput=table_input("n"))
    reader.update_table(DatabaseName="sales", TableInput=table_input(Description="stays where it is"))
    reader.create_partition(**at, PartitionInput=partition("2026-01-01", 1))
    elsewhere = partition("2026-01-02", 1, StorageDescriptor={"Location": "s3://bucket/sales/orders-2/x"})
    fails("AccessDeniedException", reader.create_partition, **at, PartitionInput=elsewhere)
    assert reader.get_table(DatabaseName="sales", Name="orders")["Table"]["IsRegisteredWithLakeFormation"] is True


def test_lake_formation_learns_of_what_is_created_and_deleted(glue: Any, lake: Decisions) -> None:
    glue.delete_database(Name="sales")
    assert lake.learned == [
        ("created", "sales"), ("created", "sales", "orders"), ("deleted", "sales", "orders"), ("deleted", "sales"),
    ]  # fmt: skip


# ------------------------------------------------------------------------------------- with Lake Formation itself


def test_a_new_account_shows_everything_to_those_that_iam_lets_in(client: Any, role: Callable[..., Any]) -> None:
    client("glue").create_database(DatabaseInput={"Name": "sales"})
    client("glue").create_table(DatabaseName="sales", TableInput=table_input())
    reader = role("reader", ANYTHING)
    assert len(reader.get_table(DatabaseName="sales", Name="orders")["Table"]["StorageDescriptor"]["Columns"]) == 2
    reader.update_table(DatabaseName="sales", TableInput=table_input(Description="x"))


def test_a_governed_account_shows_what_is_granted_and_lets_creators_work(client: Any, role: Callable[..., Any]) -> None:
    lakeformation, glue = client("lakeformation"), client("glue")
    settings = {"CreateDatabaseDefaultPermissions": [], "CreateTableDefaultPermissions": []}
    lakeformation.put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": [], **settings})
    glue.create_database(DatabaseInput={"Name": "sales"})
    for name in ("orders", "secret"):
        glue.create_table(DatabaseName="sales", TableInput=table_input(name))
    reader, maker = role("reader", ANYTHING), role("maker", ANYTHING)
    arns = {name: f"arn:aws:iam::{OWNER}:role/{name}" for name in ("reader", "maker")}
    fails("AccessDeniedException", reader.get_tables, DatabaseName="sales")

    columns = {"DatabaseName": "sales", "Name": "orders", "ColumnNames": ["id"]}
    for name, resource, permission in (
        ("reader", {"TableWithColumns": columns}, "SELECT"),
        ("maker", {"Database": {"Name": "sales"}}, "CREATE_TABLE"),
    ):
        lakeformation.grant_permissions(
            Principal={"DataLakePrincipalIdentifier": arns[name]}, Resource=resource, Permissions=[permission]
        )
    tables = reader.get_tables(DatabaseName="sales")["TableList"]
    assert [table["Name"] for table in tables] == ["orders"]
    assert [column["Name"] for column in tables[0]["StorageDescriptor"]["Columns"]] == ["id"]
    fails("AccessDeniedException", reader.get_table, DatabaseName="sales", Name="secret")
    fails("AccessDeniedException", reader.update_table, DatabaseName="sales", TableInput=table_input())
    fails("AccessDeniedException", reader.create_table, DatabaseName="sales", TableInput=table_input("mine"))

    maker.create_table(DatabaseName="sales", TableInput=table_input("mine"))
    maker.update_table(DatabaseName="sales", TableInput=table_input("mine", Description="x"))
    maker.batch_create_partition(
        DatabaseName="sales", TableName="mine", PartitionInputList=[partition("2026-01-01", 1)]
    )
    fails("AccessDeniedException", maker.delete_table, DatabaseName="sales", Name="orders")
    maker.delete_table(DatabaseName="sales", Name="mine")
