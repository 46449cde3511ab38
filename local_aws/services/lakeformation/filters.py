"""Data cells filters: what they are made of, and who may make them.

Sources: LF-dg data-filters-about, row-filtering-intro (limits), partiql-support (row filters); API reference,
DataCellsFilter and its operations. A filter shows what it says from the moment it is granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakemesh.access import evaluate
from lakemesh.access.rowfilter import RowFilterError, parse
from lakemesh.access.state import DataFilter, Permission, TableResource
from local_aws.services.calls import AwsError, Call, not_implemented, operation, page
from local_aws.services.glue import store as glue
from local_aws.services.lakeformation.decisions import world
from local_aws.services.lakeformation.settings import own
from local_aws.services.lakeformation.shapes import denied, invalid, not_found
from local_aws.services.lakeformation.store import FilterKey, Lake

_NAMES = ("DatabaseName", "TableName", "Name")


def _key(given: Mapping[str, Any]) -> FilterKey:
    database, table = (str(given[key]).lower() for key in _NAMES[:2])
    return database, table, str(given["Name"])


def _table(call: Call, key: FilterKey) -> glue.Table:
    database = glue.catalog(call.account, call.region).databases.get(key[0])
    if database is None:
        raise not_found(f"Database {key[0]} not found.")
    if database.target is not None:
        raise invalid("Cell-level security is not supported on resource links.")
    table = database.tables.get(key[1])
    if table is None:
        raise not_found(f"Table {key[1]} not found.")
    if table.input.get("TableType") == "VIRTUAL_VIEW":
        raise invalid("Cell-level security is not supported on views.")
    return table


def _may(call: Call, here: Lake, key: FilterKey) -> None:
    """Administrators, and who holds SELECT with grant option on the whole table (LF-dg data-filtering-notes)."""
    whole = Permission(call.identity.arn, TableResource(here.account, *key[:2]), frozenset({"SELECT"}))
    reason = evaluate.may_grant(world(call.identity, here.account, call.region), call.identity.arn, whole)
    if reason:
        raise denied(f"Insufficient Lake Formation permission(s): {reason}")


def _shows(table: glue.Table, given: Mapping[str, Any]) -> DataFilter:
    """What a filter shows, checked against the table. Raises AwsError."""
    names, wildcard = given.get("ColumnNames"), given.get("ColumnWildcard")
    if bool(names) == (wildcard is not None):
        raise invalid("Specify either column names or a column wildcard.")
    excluded = (wildcard or {}).get("ExcludedColumnNames") or ()
    for name in (*(names or ()), *excluded):
        if "." in name:
            raise not_implemented("lakeformation", f"data cells filters on nested columns such as {name}")
        if name.lower() not in {*table.columns, *table.partition_keys}:
            raise not_found(f"Column {name} not found.")
        if name.lower() in table.partition_keys:
            # Whether a filter may name them at all is documented nowhere; withheld they cannot be.
            raise not_implemented("lakeformation", f"data cells filters that name the partition key {name}")
    include = frozenset(name.lower() for name in names) if names else None
    return DataFilter(include, frozenset(name.lower() for name in excluded), _rows(table, given.get("RowFilter") or {}))


def _rows(table: glue.Table, given: Mapping[str, Any]) -> str | None:
    expression, every = given.get("FilterExpression"), given.get("AllRowsWildcard")
    if (expression is None) == (every is None):
        raise invalid("Specify either a filter expression or the all-rows wildcard.")
    if expression is None or expression.strip().lower() == "true":
        return None
    descriptor = table.input.get("StorageDescriptor", {})
    columns = (*descriptor.get("Columns", ()), *(table.input.get("PartitionKeys") or ()))
    types = {column["Name"].lower(): column.get("Type", "string") for column in columns}
    try:
        return parse(expression, types, table.partition_keys).text
    except RowFilterError as error:
        raise invalid(f"Unsupported filter expression: {str(error).splitlines()[0]}") from error


@operation("lakeformation", "CreateDataCellsFilter", exclusive=True)
def create(call: Call) -> None:
    here, given = own(call), call.params["TableData"]
    _own_table(call, given)
    key = _key(given)
    table = _table(call, key)
    _may(call, here, key)
    if key in here.filters:
        raise AwsError("AlreadyExistsException", f"Data cells filter {key[2]} already exists.")
    here.set_filter(key, given, _shows(table, given))


@operation("lakeformation", "UpdateDataCellsFilter", exclusive=True)
def update(call: Call) -> None:
    here, given = own(call), call.params["TableData"]
    _own_table(call, given)
    key = _key(given)
    _found(here, key)
    _may(call, here, key)
    if "VersionId" in given:
        raise not_implemented("lakeformation", "UpdateDataCellsFilter with VersionId")
    here.set_filter(key, given, _shows(_table(call, key), given))


def _own_table(call: Call, given: Mapping[str, Any]) -> None:
    if given.get("TableCatalogId", call.account) != call.account:
        raise denied(f"Account {call.account} cannot filter tables of {given['TableCatalogId']}.")


def _found(here: Lake, key: FilterKey) -> Mapping[str, Any]:
    if key not in here.filters:
        raise not_found(f"Data cells filter {key[2]} not found.")
    return here.filters[key].document


@operation("lakeformation", "GetDataCellsFilter")
def get(call: Call) -> dict[str, Any]:
    here = own(call)
    _own_table(call, call.params)
    key = _key(call.params)
    document = _found(here, key)
    _may(call, here, key)
    return {"DataCellsFilter": document}


@operation("lakeformation", "DeleteDataCellsFilter", exclusive=True)
def delete(call: Call) -> None:
    """Its grants go with it: what it showed is nobody's any more."""
    here = own(call)
    _own_table(call, call.params)
    key = _key(call.params)
    _found(here, key)
    _may(call, here, key)
    here.drop_filter(key)


@operation("lakeformation", "ListDataCellsFilter")
def list_filters(call: Call) -> dict[str, Any]:
    here, wanted = own(call), call.params.get("Table") or {}
    if wanted.get("TableWildcard") is not None:
        raise not_implemented("lakeformation", "ListDataCellsFilter with a table wildcard")
    database, table = (str(wanted[key]).lower() if key in wanted else None for key in ("DatabaseName", "Name"))
    found = []
    for key in sorted(here.filters):
        if database in {None, key[0]} and table in {None, key[1]}:
            _may(call, here, key)
            found.append(here.filters[key].document)
    items, token = page(found, call, 1000)
    return {"DataCellsFilters": items, "NextToken": token}
