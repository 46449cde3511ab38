"""The Glue Data Catalog: names, limits, versions, pages, and what a batch says of its items."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.aws_conformance.assumptions import Confidence, assumption
from tests.aws_conformance.lake import Lake
from tests.aws_conformance.waiting import allowed, attempt, eventually, refused

DOCUMENTED, INFERRED = Confidence.DOCUMENTED, Confidence.INFERRED
MODEL_LIMIT = ("ValidationException", "InvalidInputException")
"""What breaks a constraint of the service's model is refused before the service looks at it."""


@pytest.fixture
def at(lake: Lake) -> dict[str, str]:
    """A table, partitioned by day, as operations on partitions name it."""
    database = lake.database()
    return {"DatabaseName": database, "TableName": lake.table(database)}


# ------------------------------------------------------------------------------------------------ databases and tables
@assumption("GLUE-API API_TableInput", DOCUMENTED)
def test_names_are_lower_case(lake: Lake) -> None:
    """Glue stores the names of databases and tables in lower case and finds them in any case."""
    database = lake.database(name=lake.names("Sales"))
    lake.table(database, "Orders")
    found = eventually(partial(lake.glue.get_table, DatabaseName=database.lower(), Name="ORDERS"))["Table"]
    assert (found["DatabaseName"], found["Name"]) == (database.lower(), "orders")


@assumption("GLUE-API API_CreateTable", DOCUMENTED)
def test_existing_names_are_refused(lake: Lake) -> None:
    """Creating a database or table that exists is AlreadyExistsException, whatever the case of its name."""
    database = lake.database()
    lake.table(database)
    refused("AlreadyExistsException", lake.glue.create_database, DatabaseInput={"Name": database})
    given = lake.table_input("ORDERS")
    eventually(
        partial(refused, "AlreadyExistsException", lake.glue.create_table, DatabaseName=database, TableInput=given)
    )


@assumption("GLUE-API API_GetTable", DOCUMENTED)
def test_missing_things_are_not_found(lake: Lake) -> None:
    """An administrator is told of a missing table, database or partition by EntityNotFoundException."""
    database = lake.database()
    lake.table(database)
    refused("EntityNotFoundException", lake.glue.get_table, DatabaseName=database, Name="nothing")
    refused("EntityNotFoundException", lake.glue.get_database, Name=lake.names("nothing"))
    refused(
        "EntityNotFoundException", lake.glue.get_partition,
        DatabaseName=database, TableName="orders", PartitionValues=["2026-01-01"],
    )  # fmt: skip


@assumption("GLUE-API API_UpdateTable", INFERRED)
def test_versions_count_from_zero(lake: Lake) -> None:
    """A table begins at VersionId "0", and each UpdateTable counts it up by one."""
    database = lake.database()
    lake.table(database)
    assert lake.glue.get_table(DatabaseName=database, Name="orders")["Table"]["VersionId"] == "0"
    allowed(lake.glue.update_table, DatabaseName=database, TableInput=lake.table_input(), SkipArchive=True)

    def counted() -> None:
        assert lake.glue.get_table(DatabaseName=database, Name="orders")["Table"]["VersionId"] == "1"

    eventually(counted)


@assumption("GLUE-API API_UpdateTable", INFERRED)
def test_a_stale_version_is_refused(lake: Lake) -> None:
    """UpdateTable with a stale VersionId is ConcurrentModificationException, and changes nothing.

    Its text is observed: "Update table failed due to concurrent modifications." lakemesh goes by the code alone.
    """
    database = lake.database()
    lake.table(database)
    lake.glue.update_table(DatabaseName=database, TableInput=lake.table_input(), VersionId="0", SkipArchive=True)
    stale = lake.table_input(Description="stale")
    refused(
        "ConcurrentModificationException", lake.glue.update_table, match="concurrent modifications",
        DatabaseName=database, TableInput=stale, VersionId="0", SkipArchive=True,
    )  # fmt: skip
    assert "Description" not in lake.glue.get_table(DatabaseName=database, Name="orders")["Table"]


@assumption("GLUE-API API_UpdateTable", DOCUMENTED)
def test_an_update_replaces_the_whole_definition(lake: Lake) -> None:
    """UpdateTable replaces the whole definition: parameters that are left out are gone."""
    database = lake.database()
    lake.table(database, Parameters={"a": "1"}, Description="before")
    lake.glue.update_table(DatabaseName=database, TableInput=lake.table_input(Parameters={"b": "2"}))

    def replaced() -> None:
        found = lake.glue.get_table(DatabaseName=database, Name="orders")["Table"]
        assert (found.get("Parameters", {}).get("a"), found["Parameters"]["b"]) == (None, "2")
        assert not found.get("Description")

    eventually(replaced)


@assumption("GLUE-API API_UpdateTable", DOCUMENTED)
def test_skip_archive_keeps_no_version(lake: Lake) -> None:
    """UpdateTable archives the version before it, and with SkipArchive it does not."""
    database = lake.database()
    lake.table(database)
    versions = partial(lake.glue.get_table_versions, DatabaseName=database, TableName="orders")
    lake.glue.update_table(DatabaseName=database, TableInput=lake.table_input(), SkipArchive=True)
    lake.glue.update_table(DatabaseName=database, TableInput=lake.table_input())

    def two() -> None:
        assert [each["VersionId"] for each in versions()["TableVersions"]] == ["2", "1"]

    eventually(two)


@assumption("GLUE-API API_DeleteDatabase", DOCUMENTED)
def test_a_database_goes_with_its_tables(lake: Lake) -> None:
    """DeleteDatabase also deletes the database's tables."""
    database = lake.database()
    lake.table(database)
    allowed(lake.glue.delete_database, Name=database)
    eventually(
        partial(refused, "EntityNotFoundException", lake.glue.get_table, DatabaseName=database, Name="orders")
    )  # fmt: skip


@assumption("GLUE-API API_GetTables", DOCUMENTED)
def test_tables_come_in_pages_of_a_hundred(lake: Lake) -> None:
    """GetTables returns at most 100 tables a page, asks for no more, and goes on by NextToken."""
    database = lake.database()
    for number in range(3):
        lake.table(database, f"t{number}")
    refused(MODEL_LIMIT, lake.glue.get_tables, DatabaseName=database, MaxResults=101)
    pages = lake.glue.get_paginator("get_tables").paginate(DatabaseName=database, PaginationConfig={"PageSize": 2})
    found = [[table["Name"] for table in page["TableList"]] for page in pages]
    assert sorted(name for page in found for name in page) == ["t0", "t1", "t2"]
    assert max(len(page) for page in found) <= 2


@assumption("GLUE-API API_GetTables", DOCUMENTED)
def test_tables_are_found_by_a_pattern(lake: Lake) -> None:
    """GetTables with Expression returns the tables whose names match that pattern."""
    database = lake.database()
    for name in ("orders", "order_lines", "returns"):
        lake.table(database, name)
    found = lake.glue.get_tables(DatabaseName=database, Expression="order.*")["TableList"]
    assert sorted(table["Name"] for table in found) == ["order_lines", "orders"]


@assumption("GLUE-API API_BatchDeleteTable", DOCUMENTED)
def test_a_batch_of_deletions_says_which_failed(lake: Lake) -> None:
    """BatchDeleteTable answers 200 and lists in Errors the tables that were not there."""
    database = lake.database()
    lake.table(database)
    answer = allowed(lake.glue.batch_delete_table, DatabaseName=database, TablesToDelete=["orders", "nothing"])
    assert [(each["TableName"], each["ErrorDetail"]["ErrorCode"]) for each in answer["Errors"]] == [
        ("nothing", "EntityNotFoundException")
    ]


@assumption("GLUE-API API_UpdateDatabase", INFERRED)
def test_updating_a_database_keeps_the_defaults_of_its_tables(lake: Lake) -> None:
    """UpdateDatabase without CreateTableDefaultPermissions leaves those of the database as they are."""
    database = lake.database()
    lake.glue.update_database(Name=database, DatabaseInput={"Name": database, "Description": "changed"})

    def kept() -> None:
        found = lake.glue.get_database(Name=database)["Database"]
        assert (found["Description"], found.get("CreateTableDefaultPermissions", [])) == ("changed", [])

    eventually(kept)


# ---------------------------------------------------------------------------------------------------------- partitions
@pytest.mark.parametrize(
    ("operation", "member", "limit"),
    [
        ("batch_create_partition", "PartitionInputList", 100),
        ("batch_update_partition", "Entries", 100),
        ("batch_delete_partition", "PartitionsToDelete", 25),
        ("batch_get_partition", "PartitionsToGet", 1000),
    ],
)
@assumption("GLUE-API API_BatchCreatePartition", DOCUMENTED)
def test_batches_have_limits(lake: Lake, at: dict[str, str], operation: str, member: str, limit: int) -> None:
    """A batch of partitions above its limit (create 100, update 100, delete 25, get 1,000) is refused as a whole."""
    day = [f"d{number}" for number in range(limit + 1)]
    items: list[Any] = [{"Values": [value]} for value in day]
    if operation == "batch_update_partition":
        items = [{"PartitionValueList": [value], "PartitionInput": lake.partition(value)} for value in day]
    refused(MODEL_LIMIT, getattr(lake.glue, operation), **at, **{member: items})
    assert lake.glue.get_partitions(**at)["Partitions"] == []


@assumption("GLUE-API API_BatchCreatePartition", DOCUMENTED)
def test_a_batch_of_creations_says_which_failed(lake: Lake, at: dict[str, str]) -> None:
    """BatchCreatePartition answers 200, lists in Errors the partitions that exist, and creates the others."""
    create = partial(lake.glue.batch_create_partition, **at)
    assert allowed(create, PartitionInputList=[lake.partition("d1")]).get("Errors", []) == []
    errors = allowed(create, PartitionInputList=[lake.partition("d1"), lake.partition("d2")])["Errors"]
    assert [(each["PartitionValues"], each["ErrorDetail"]["ErrorCode"]) for each in errors] == [
        (["d1"], "AlreadyExistsException")
    ]

    def both() -> None:
        assert sorted(each["Values"] for each in lake.glue.get_partitions(**at)["Partitions"]) == [["d1"], ["d2"]]

    eventually(both)


@assumption("GLUE-API API_CreatePartition", DOCUMENTED)
def test_partitions_have_a_value_for_each_key(lake: Lake, at: dict[str, str]) -> None:
    """A partition with more or fewer values than the table has keys is InvalidInputException."""
    for values in ([], ["d1", "more"]):
        refused(
            MODEL_LIMIT, lake.glue.create_partition, **at, PartitionInput={**lake.partition("d1"), "Values": values}
        )


@assumption("GLUE-API API_BatchUpdatePartition", DOCUMENTED)
def test_a_batch_of_updates_says_which_failed(lake: Lake, at: dict[str, str]) -> None:
    """BatchUpdatePartition answers 200 and lists in Errors, as EntityNotFoundException, what is not there."""
    lake.glue.create_partition(**at, PartitionInput=lake.partition("d1"))
    entries = [
        {"PartitionValueList": [value], "PartitionInput": lake.partition(value, Parameters={"rows": "5"})}
        for value in ("d1", "d2")
    ]
    errors = allowed(lake.glue.batch_update_partition, **at, Entries=entries)["Errors"]
    assert [(each["PartitionValueList"], each["ErrorDetail"]["ErrorCode"]) for each in errors] == [
        (["d2"], "EntityNotFoundException")
    ]


@assumption("GLUE-API API_BatchDeletePartition", DOCUMENTED)
def test_a_batch_of_partition_deletions_says_which_failed(lake: Lake, at: dict[str, str]) -> None:
    """BatchDeletePartition answers 200, deletes what is there and lists the rest in Errors."""
    lake.glue.create_partition(**at, PartitionInput=lake.partition("d1"))
    gone = [{"Values": ["d1"]}, {"Values": ["d2"]}]
    errors = allowed(lake.glue.batch_delete_partition, **at, PartitionsToDelete=gone)["Errors"]
    assert [(each["PartitionValues"], each["ErrorDetail"]["ErrorCode"]) for each in errors] == [
        (["d2"], "EntityNotFoundException")
    ]


@assumption("GLUE-API API_BatchGetPartition", DOCUMENTED)
def test_a_batch_of_reads_leaves_out_what_is_missing(lake: Lake, at: dict[str, str]) -> None:
    """BatchGetPartition leaves out partitions that are not there; UnprocessedKeys names those not looked at."""
    lake.glue.create_partition(**at, PartitionInput=lake.partition("d1"))
    answer = allowed(lake.glue.batch_get_partition, **at, PartitionsToGet=[{"Values": ["d1"]}, {"Values": ["d2"]}])
    assert [each["Values"] for each in answer["Partitions"]] == [["d1"]]
    assert answer.get("UnprocessedKeys", []) == []


@assumption("GLUE-API API_GetPartitions", DOCUMENTED)
def test_segments_make_up_the_whole(lake: Lake, at: dict[str, str]) -> None:
    """GetPartitions by segments returns each partition in exactly one segment; there are at most 10."""
    days = [f"d{number:02}" for number in range(20)]
    lake.glue.batch_create_partition(**at, PartitionInputList=[lake.partition(day) for day in days])

    def whole() -> None:
        found = [
            partition["Values"][0]
            for number in range(4)
            for page in lake.glue.get_paginator("get_partitions").paginate(
                **at, Segment={"SegmentNumber": number, "TotalSegments": 4}
            )
            for partition in page["Partitions"]
        ]
        assert sorted(found) == days

    eventually(whole)
    refused(MODEL_LIMIT, lake.glue.get_partitions, **at, Segment={"SegmentNumber": 0, "TotalSegments": 11})


@assumption("GLUE-API API_GetPartitions", DOCUMENTED)
def test_partitions_come_in_pages(lake: Lake, at: dict[str, str]) -> None:
    """GetPartitions returns at most MaxResults partitions a page, 1,000 at most, and goes on by NextToken."""
    days = [f"d{number:02}" for number in range(5)]
    lake.glue.batch_create_partition(**at, PartitionInputList=[lake.partition(day) for day in days])

    def whole() -> None:
        pages = lake.glue.get_paginator("get_partitions").paginate(**at, PaginationConfig={"PageSize": 2})
        found = [[each["Values"][0] for each in page["Partitions"]] for page in pages]
        assert sorted(day for page in found for day in page) == days
        assert max(len(page) for page in found) <= 2

    eventually(whole)
    refused(MODEL_LIMIT, lake.glue.get_partitions, **at, MaxResults=1001)


@assumption("GLUE-API API_GetPartitions", DOCUMENTED)
def test_the_schema_of_partitions_can_be_left_out(lake: Lake, at: dict[str, str]) -> None:
    """GetPartitions with ExcludeColumnSchema leaves each partition's columns out and keeps the rest."""
    lake.glue.create_partition(**at, PartitionInput=lake.partition("d1"))

    def lean() -> None:
        (found,) = lake.glue.get_partitions(**at, ExcludeColumnSchema=True)["Partitions"]
        assert not found["StorageDescriptor"].get("Columns")
        assert found["StorageDescriptor"]["Location"]

    eventually(lean)


@assumption("GLUE-API API_GetPartitions", DOCUMENTED)
def test_partitions_are_filtered_by_an_expression(lake: Lake, at: dict[str, str]) -> None:
    """GetPartitions filters by an expression over the partition keys, and refuses one that is none."""
    lake.glue.batch_create_partition(**at, PartitionInputList=[lake.partition("d1"), lake.partition("d2")])

    def one() -> None:
        found = lake.glue.get_partitions(**at, Expression="day >= 'd2'")["Partitions"]
        assert [each["Values"] for each in found] == [["d2"]]

    eventually(one)
    refused("InvalidInputException", lake.glue.get_partitions, **at, Expression="day ~ 'd2'")


@assumption("GLUE-API API_UpdatePartition", DOCUMENTED)
def test_an_update_may_move_a_partition(lake: Lake, at: dict[str, str]) -> None:
    """UpdatePartition with other values than it is named by moves the partition to them."""
    lake.glue.create_partition(**at, PartitionInput=lake.partition("d1"))
    allowed(lake.glue.update_partition, **at, PartitionValueList=["d1"], PartitionInput=lake.partition("d2"))

    def moved() -> None:
        assert [each["Values"] for each in lake.glue.get_partitions(**at)["Partitions"]] == [["d2"]]

    eventually(moved)


@assumption("GLUE-API API_PartitionInput", INFERRED)
def test_partition_values_keep_their_case(lake: Lake, at: dict[str, str]) -> None:
    """Partition values are case-sensitive: "EU" and "eu" are two partitions."""
    answer = lake.glue.batch_create_partition(**at, PartitionInputList=[lake.partition("EU"), lake.partition("eu")])
    assert answer.get("Errors", []) == []


@assumption("GLUE-API API_TableInput", INFERRED)
def test_column_names_are_unique(lake: Lake) -> None:
    """A table whose partition key has the name of a column is refused with InvalidInputException."""
    database = lake.database()
    given = lake.table_input(columns=["id", "day"], keys=["day"])
    found = attempt(lake.glue.create_table, DatabaseName=database, TableInput=given)
    assert found == "InvalidInputException", found


# --------------------------------------------------------------------------------------------------------------- links
@assumption("LF resource-links-about", DOCUMENTED)
def test_a_link_needs_no_target(lake: Lake) -> None:
    """A resource link is created whether its target exists or not."""
    allowed(lake.link, database=lake.names("nowhere"))


@assumption("LF resource-links-glue-apis", DOCUMENTED)
def test_reads_follow_a_link(lake: Lake) -> None:
    """GetTable through a link of one's own account returns the target's table, under the target's database."""
    database = lake.database()
    lake.table(database)
    link = lake.link(database, lake.names("link"), lake.owner)

    def followed() -> None:
        found = lake.glue.get_table(DatabaseName=link, Name="orders")["Table"]
        assert (found["DatabaseName"], found["CatalogId"]) == (database, lake.owner.id)
        assert [each["Name"] for each in lake.glue.get_tables(DatabaseName=link)["TableList"]] == ["orders"]

    eventually(followed)


@assumption("LF resource-links-glue-apis", DOCUMENTED)
def test_a_link_shows_its_target(lake: Lake) -> None:
    """GetDatabase of a link shows the link's own name and, as TargetDatabase, where it leads."""
    database = lake.database()
    link = lake.link(database, lake.names("link"), lake.owner)
    found = eventually(partial(lake.glue.get_database, Name=link))["Database"]
    assert found["Name"] == link
    assert found["TargetDatabase"]["DatabaseName"] == database


@assumption("LF resource-links-glue-apis", DOCUMENTED)
def test_deleting_a_link_leaves_its_target(lake: Lake) -> None:
    """DeleteDatabase of a link deletes the link alone: the target and its tables stay."""
    database = lake.database()
    lake.table(database)
    link = lake.link(database, lake.names("link"), lake.owner)
    allowed(lake.glue.delete_database, Name=link)
    eventually(partial(refused, "EntityNotFoundException", lake.glue.get_database, Name=link))
    assert allowed(lake.glue.get_table, DatabaseName=database, Name="orders")["Table"]["Name"] == "orders"


@assumption("LF resource-links-glue-apis", DOCUMENTED)
def test_updating_a_link_updates_its_target(lake: Lake) -> None:
    """UpdateDatabase of a link changes the target's properties, not the link's."""
    database = lake.database()
    link = lake.link(database, lake.names("link"), lake.owner)
    allowed(lake.glue.update_database, Name=link, DatabaseInput={"Name": link, "Description": "changed"})

    def changed() -> None:
        assert lake.glue.get_database(Name=database)["Database"].get("Description") == "changed"

    eventually(changed)


@assumption("LF resource-links-about", DOCUMENTED)
def test_links_are_followed_once(lake: Lake) -> None:
    """A link to a link leads to no table."""
    database = lake.database()
    lake.table(database)
    first = lake.link(database, lake.names("link"), lake.owner)
    second = lake.link(first, lake.names("link"), lake.owner)
    refused(
        ("EntityNotFoundException", "InvalidInputException", "AccessDeniedException"),
        lake.glue.get_table, DatabaseName=second, Name="orders",
    )  # fmt: skip
