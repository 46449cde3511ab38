"""Tables and their versions.

Sources: Glue API reference "Table API"; Lake Formation developer guide "Resource link handling in AWS Glue APIs",
"Lake Formation permissions reference" (CREATE_TABLE, ALTER, DROP, DESCRIBE; GetTable returns only what one may see).
"""

from __future__ import annotations

import re
from typing import Any

from local_aws.services.calls import AwsError, Call, not_implemented, operation, page
from local_aws.services.glue import access, store
from local_aws.services.glue.access import Columns
from local_aws.services.glue.databases import LARGEST_PAGE, refuse
from local_aws.services.glue.store import Document, Table

_REFUSED_INPUT = ("TargetTable", "ViewDefinition")
_REFUSED_WRITES = (
    "TransactionId", "OpenTableFormatInput", "PartitionIndexes", "ViewUpdateAction", "UpdateOpenTableFormatInput",
)  # fmt: skip
_REFUSED_READS = ("TransactionId", "QueryAsOfTime", "AuditContext")


def _input(call: Call) -> Document:
    refuse(call, *_REFUSED_WRITES)
    given: Document | None = call.params.get("TableInput")
    if given is None:
        raise AwsError("InvalidInputException", "TableInput is required.")
    for member in _REFUSED_INPUT:
        if given.get(member):
            raise not_implemented("glue", f"a table with {member}")
    columns = [
        c["Name"] for c in [*given.get("StorageDescriptor", {}).get("Columns", ()), *given.get("PartitionKeys", ())]
    ]
    if len(set(columns)) != len(columns):
        raise AwsError("InvalidInputException", "Column names must be unique, those of partition keys among them.")
    return {**given, "Name": given["Name"].lower()}


@operation("glue", "CreateTable", exclusive=True)
def create_table(call: Call) -> None:
    """Create a table, through a database link in its target. Needs CREATE_TABLE, and the location where registered."""
    given = _input(call)
    database = access.database_for_writing(call, "CREATE_TABLE")
    if given["Name"] in database.tables:
        raise AwsError("AlreadyExistsException", "Table already exists.")
    access.require_location(call, database.catalog, given.get("StorageDescriptor", {}).get("Location"))
    table = Table(given["Name"], database.name, database.catalog, call.identity.arn, given)
    database.tables[table.name] = table
    access.created_table(call, table)


@operation("glue", "UpdateTable", exclusive=True)
def update_table(call: Call) -> None:
    """Replace a table's definition, if it still is the version that `VersionId` names, where one is given.

    A location is asked for where it changes to a registered one (access-control-underlying-data).
    """
    given = _input(call)
    table = access.table_for_writing(call, "ALTER", given["Name"])
    expected = call.params.get("VersionId")
    if expected is not None and expected != str(table.version):
        raise AwsError("ConcurrentModificationException", "Update table failed due to concurrent modifications.")
    location = given.get("StorageDescriptor", {}).get("Location")
    if location != table.location:
        access.require_location(call, table.catalog, location)
    table.update(given, archive=not call.params.get("SkipArchive"))
    access.updated_table(call, table)


@operation("glue", "GetTable")
def get_table(call: Call) -> dict[str, Any]:
    refuse(call, *_REFUSED_READS, "IncludeStatusDetails")
    table, columns = access.table_for_reading(call)
    return {"Table": _shown(call, table, columns)}


def _shown(call: Call, table: Table, columns: Columns) -> Document:
    shown = access.only(table.output, columns)
    return {**shown, "IsRegisteredWithLakeFormation": access.registered(table.catalog, call.region, table.location)}


@operation("glue", "GetTables")
def get_tables(call: Call) -> dict[str, Any]:
    """The tables that the caller may see, with the columns it may see; others are hidden, not refused."""
    refuse(call, *_REFUSED_READS, "IncludeStatusDetails")
    link = access.database_for_reading(call)
    database = access.followed(call, link)
    if database is None:
        raise AwsError("EntityNotFoundException", f"Database {link.name} not found: the link leads to no database.")
    access.uses_key(call, database.catalog)
    pattern = _expression(call)
    found = []
    for name in sorted(database.tables):
        table = database.tables.get(name)
        if table is not None and (pattern is None or pattern.fullmatch(name)):
            shown, columns = access.visible_columns(call, database, table, link)
            if shown:
                found.append((table, columns))
    items, token = page(found, call, LARGEST_PAGE)
    wanted = call.params.get("AttributesToGet")
    if wanted:
        members = {"NAME": "Name", "TABLE_TYPE": "TableType"}
        keep = {"Name", "DatabaseName", "CatalogId", *(members[attribute] for attribute in wanted)}
        tables = [{key: value for key, value in table.output.items() if key in keep} for table, _ in items]
    else:
        tables = [_shown(call, table, columns) for table, columns in items]
    return {"TableList": tables, "NextToken": token}


def _expression(call: Call) -> re.Pattern[str] | None:
    given = call.params.get("Expression")
    try:
        return re.compile(given, re.IGNORECASE) if given else None
    except re.error as error:
        raise AwsError("InvalidInputException", f"Expression {given} is not a regular expression: {error}.") from error


@operation("glue", "DeleteTable", exclusive=True)
def delete_table(call: Call) -> None:
    refuse(call, "TransactionId")
    _delete(call, access.table_name(call))


def _delete(call: Call, name: str) -> None:
    table = access.table_for_writing(call, "DROP", name)
    del store.catalog(table.catalog, call.region).databases[table.database].tables[table.name]
    access.deleted_table(call, table)


@operation("glue", "BatchDeleteTable", exclusive=True)
def batch_delete_table(call: Call) -> dict[str, Any]:
    """Delete tables; what fails is an entry of `Errors` in a successful answer."""
    refuse(call, "TransactionId")
    access.database_for_reading(call)
    errors = []
    for name in call.params["TablesToDelete"]:
        try:
            _delete(call, name.lower())
        except AwsError as error:
            errors.append({"TableName": name, "ErrorDetail": detail(error)})
    return {"Errors": errors}


def detail(error: AwsError) -> dict[str, str]:
    """An error as an entry of a batch operation's `Errors`."""
    return {"ErrorCode": error.code, "ErrorMessage": error.message}


@operation("glue", "GetTableVersions")
def get_table_versions(call: Call) -> dict[str, Any]:
    """Versions, newest first, with the columns that the caller may see now."""
    refuse(call, "AuditContext")
    table, columns = access.table_for_reading(call)
    outputs = [table.output, *reversed(table.archived)]
    items, token = page(outputs, call, LARGEST_PAGE)
    versions = [{"Table": access.only(output, columns), "VersionId": output["VersionId"]} for output in items]
    return {"TableVersions": versions, "NextToken": token}


@operation("glue", "GetPartitionIndexes")
def get_partition_indexes(call: Call) -> dict[str, Any]:
    """None: tables with partition indexes are refused when they are created."""
    access.table_for_reading(call)
    return {"PartitionIndexDescriptorList": []}
