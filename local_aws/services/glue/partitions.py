"""Partitions.

Sources: Glue API reference "Partition API" (batch operations answer 200 with `Errors` per item; 100 to create and
update, 25 to delete, 1,000 to get: the SDK's model); Lake Formation developer guide "Underlying data access control": a
partition below its table's location needs no location permission of its own. Which permission partition writes need is
not documented: ALTER on the table is asked for.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

from local_aws.services.calls import AwsError, Call, operation
from local_aws.services.glue import access, expressions
from local_aws.services.glue.access import Columns
from local_aws.services.glue.databases import refuse
from local_aws.services.glue.store import Document, Table, Values, now
from local_aws.services.glue.tables import detail

LARGEST_PAGE = 1_000
_NOT_FOUND = "Cannot find partition."


def _values(table: Table, given: list[str] | None) -> Values:
    values = tuple(given or ())
    if len(values) != len(table.partition_keys):
        raise AwsError(
            "InvalidInputException", "The number of partition keys do not match the number of partition values"
        )
    return values


def _output(table: Table, values: Values, given: Document, created: Any) -> Document:
    """What GetPartition returns. A schema equal to the table's is kept once: tables have many partitions."""
    descriptor = given.get("StorageDescriptor", {})
    columns = table.input.get("StorageDescriptor", {}).get("Columns")
    if columns and descriptor.get("Columns") == columns:
        descriptor["Columns"] = columns
    return {
        **given, "Values": list(values), "DatabaseName": table.database, "TableName": table.name,
        "CatalogId": table.catalog, "CreationTime": created,
    }  # fmt: skip


def _check_location(call: Call, table: Table, given: Document) -> None:
    location = given.get("StorageDescriptor", {}).get("Location")
    base = (table.location or "").rstrip("/")
    if location and not (base and (location.rstrip("/") == base or location.startswith(base + "/"))):
        access.require_location(call, table.catalog, location)


def _create(call: Call, table: Table, given: Document) -> None:
    values = _values(table, given.get("Values"))
    if values in table.partitions:
        raise AwsError("AlreadyExistsException", "Partition already exists.")
    _check_location(call, table, given)
    table.partitions[values] = _output(table, values, given, now())


def _update(call: Call, table: Table, old: list[str], given: Document) -> None:
    before = _values(table, old)
    after = _values(table, given.get("Values") or old)
    found = table.partitions.get(before)
    if found is None:
        raise AwsError("EntityNotFoundException", _NOT_FOUND)
    if after != before and after in table.partitions:
        raise AwsError("AlreadyExistsException", "Partition already exists.")
    _check_location(call, table, given)
    made = _output(table, after, given, found["CreationTime"])
    if after != before:
        del table.partitions[before]
    table.partitions[after] = made


def _delete(table: Table, given: list[str]) -> None:
    if table.partitions.pop(_values(table, given), None) is None:
        raise AwsError("EntityNotFoundException", _NOT_FOUND)


@operation("glue", "CreatePartition", exclusive=True)
def create_partition(call: Call) -> None:
    table = access.table_for_writing(call, "ALTER")
    _create(call, table, call.params["PartitionInput"])


@operation("glue", "UpdatePartition", exclusive=True)
def update_partition(call: Call) -> None:
    table = access.table_for_writing(call, "ALTER")
    _update(call, table, call.params["PartitionValueList"], call.params["PartitionInput"])


@operation("glue", "DeletePartition", exclusive=True)
def delete_partition(call: Call) -> None:
    table = access.table_for_writing(call, "ALTER")
    _delete(table, call.params["PartitionValues"])


@operation("glue", "BatchCreatePartition", exclusive=True)
def batch_create_partition(call: Call) -> dict[str, Any]:
    table = access.table_for_writing(call, "ALTER")
    errors = []
    for given in call.params["PartitionInputList"]:
        try:
            _create(call, table, given)
        except AwsError as error:
            errors.append({"PartitionValues": given.get("Values", []), "ErrorDetail": detail(error)})
    return {"Errors": errors}


@operation("glue", "BatchUpdatePartition", exclusive=True)
def batch_update_partition(call: Call) -> dict[str, Any]:
    table = access.table_for_writing(call, "ALTER")
    errors = []
    for entry in call.params["Entries"]:
        try:
            _update(call, table, entry["PartitionValueList"], entry["PartitionInput"])
        except AwsError as error:
            errors.append({"PartitionValueList": entry["PartitionValueList"], "ErrorDetail": detail(error)})
    return {"Errors": errors}


@operation("glue", "BatchDeletePartition", exclusive=True)
def batch_delete_partition(call: Call) -> dict[str, Any]:
    table = access.table_for_writing(call, "ALTER")
    errors = []
    for entry in call.params["PartitionsToDelete"]:
        try:
            _delete(table, entry["Values"])
        except AwsError as error:
            errors.append({"PartitionValues": entry["Values"], "ErrorDetail": detail(error)})
    return {"Errors": errors}


@operation("glue", "GetPartition")
def get_partition(call: Call) -> dict[str, Any]:
    refuse(call, "AuditContext")
    table, columns = access.table_for_reading(call)
    found = table.partitions.get(_values(table, call.params["PartitionValues"]))
    if found is None:
        raise AwsError("EntityNotFoundException", _NOT_FOUND)
    return {"Partition": access.only(found, columns)}


@operation("glue", "BatchGetPartition")
def batch_get_partition(call: Call) -> dict[str, Any]:
    """Those that are there; the others are left out, `UnprocessedKeys` is for those not looked at."""
    refuse(call, "AuditContext", "QuerySessionContext")
    table, columns = access.table_for_reading(call)
    found = []
    for entry in call.params["PartitionsToGet"]:
        partition = table.partitions.get(_values(table, entry["Values"]))
        if partition is not None:
            found.append(access.only(partition, columns))
    return {"Partitions": found, "UnprocessedKeys": []}


@operation("glue", "GetPartitions")
def get_partitions(call: Call) -> dict[str, Any]:
    refuse(call, "TransactionId", "QueryAsOfTime", "AuditContext")
    table, columns = access.table_for_reading(call)
    start = _start(call)
    count = min(call.params.get("MaxResults") or LARGEST_PAGE, LARGEST_PAGE)
    items = list(islice(_matching(call, table), start, start + count + 1))
    more = len(items) > count
    exclude = call.params.get("ExcludeColumnSchema", False)
    return {
        "Partitions": [_shown(item, columns, exclude=exclude) for item in items[:count]],
        "NextToken": str(start + count) if more else None,
    }


def _start(call: Call) -> int:
    token = call.params.get("NextToken")
    if token and not token.isdecimal():
        raise AwsError("InvalidInputException", "Invalid NextToken.")
    return int(token) if token else 0


def _matching(call: Call, table: Table) -> Iterator[Document]:
    """In order of creation; a segment is a share of the partitions that no other segment has."""
    text, segment = call.params.get("Expression"), call.params.get("Segment")
    test = expressions.predicate(text, table.output["PartitionKeys"]) if text and text.strip() else None
    if segment is not None and segment["SegmentNumber"] >= segment["TotalSegments"]:
        raise AwsError("InvalidInputException", "SegmentNumber must be less than TotalSegments.")
    for values, partition in list(table.partitions.items()):
        if segment is not None:
            share = zlib.crc32("\0".join(values).encode()) % segment["TotalSegments"]
            if share != segment["SegmentNumber"]:
                continue
        if test is None or test(values):
            yield partition


def _shown(partition: Document, columns: Columns, *, exclude: bool) -> Document:
    if exclude and "StorageDescriptor" in partition:
        descriptor = {key: value for key, value in partition["StorageDescriptor"].items() if key != "Columns"}
        return {**partition, "StorageDescriptor": descriptor}
    return access.only(partition, columns)
