"""The API's resources and permissions, and the evaluator's: one into the other and back, refusing what is not valid."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from lakemesh.access.state import (
    CatalogResource,
    ColumnsResource,
    DatabaseResource,
    DataFilterResource,
    DataLocationResource,
    Resource,
    TableResource,
    TagPolicyResource,
    TagResource,
    expression,
)
from local_aws.services.calls import AwsError, not_implemented

ALL_TABLES = "ALL_TABLES"
MOST_EXPRESSION_BYTES = 900
"""An inline LF-Tag expression (LF-dg lf-tag-considerations)."""

_DATABASE = frozenset({"ALL", "ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"})
_TABLE = frozenset({"ALL", "ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"})
_ACCOUNT = re.compile(r"\d{12}")

Document = Mapping[str, Any]


def invalid(text: str) -> AwsError:
    return AwsError("InvalidInputException", text)


def denied(text: str) -> AwsError:
    return AwsError("AccessDeniedException", text)


def not_found(text: str) -> AwsError:
    return AwsError("EntityNotFoundException", text)


def valid_permissions(resource: Resource) -> frozenset[str]:
    """What can be granted on a resource (LF-dg lf-permissions-reference)."""
    match resource:
        case CatalogResource():
            return frozenset({"CREATE_DATABASE", "CREATE_LF_TAG"})
        case DatabaseResource() | TagPolicyResource(kind="DATABASE"):
            return _DATABASE
        case TableResource() | TagPolicyResource():
            return _TABLE
        case ColumnsResource() | DataFilterResource():
            return frozenset({"SELECT"})
        case TagResource():
            return frozenset({"ALTER", "ASSOCIATE", "DESCRIBE", "DROP"})
        case DataLocationResource():
            return frozenset({"DATA_LOCATION_ACCESS"})


def expanded(resource: Resource, permissions: Iterable[str]) -> frozenset[str]:
    """ALL is kept as the list of what it stands for, and the whole list counts as ALL, as ListPermissions shows it."""
    given = frozenset(permissions)
    every = valid_permissions(resource)
    return every if "ALL" in every and ("ALL" in given or given >= every - {"ALL"}) else given


# --------------------------------------------------------------------------------------------------------- parsing
def resource(document: Document, catalog: str) -> Resource:
    """The one resource that a call names; `catalog` where it names none. Raises AwsError."""
    if len(document) != 1:
        raise invalid("Resource must have exactly one of its members.")
    ((kind, given),) = document.items()
    owner = given.get("CatalogId") or given.get("TableCatalogId") or given.get("Id") or catalog
    if not _ACCOUNT.fullmatch(owner):
        raise not_implemented("lakeformation", f"resources of catalog {owner}")
    match kind:
        case "Catalog":
            return CatalogResource(owner)
        case "Database":
            return DatabaseResource(owner, given["Name"].lower())
        case "Table":
            if (given.get("Name") is None) == (given.get("TableWildcard") is None):
                raise invalid("Specify either a table name or a table wildcard.")
            return TableResource(owner, given["DatabaseName"].lower(), _table(given.get("Name")))
        case "TableWithColumns":
            return _columns(owner, given)
        case "DataCellsFilter":
            return DataFilterResource(owner, given["DatabaseName"].lower(), given["TableName"].lower(), given["Name"])
        case "DataLocation":
            return DataLocationResource(owner, location(given["ResourceArn"]))
        case "LFTag":
            return TagResource(owner, given["TagKey"].lower(), _lower(given["TagValues"]))
        case "LFTagPolicy" if "Expression" in given:
            return _policy(owner, given)
        case _:
            raise not_implemented("lakeformation", f"resources of type {kind}")


def _table(name: str | None) -> str | None:
    return None if name is None or name == ALL_TABLES else name.lower()


def _lower(values: Iterable[str]) -> frozenset[str]:
    """LF-Tag keys and values are kept in lower case (LF-dg lf-tag-considerations)."""
    return frozenset(value.lower() for value in values)


def _columns(owner: str, given: Document) -> Resource:
    names, wildcard = given.get("ColumnNames"), given.get("ColumnWildcard")
    if bool(names) == (wildcard is not None):
        raise invalid("Specify either column names or a column wildcard.")
    database, table = given["DatabaseName"].lower(), _table(given["Name"])
    excluded = _lower((wildcard or {}).get("ExcludedColumnNames") or ())
    if not names and not excluded:
        return TableResource(owner, database, table)  # SELECT on every column is SELECT on the table
    if table is None:
        raise invalid("Columns cannot be named together with a table wildcard.")
    return ColumnsResource(owner, database, table, _lower(names) if names else None, excluded)


def _policy(owner: str, given: Document) -> TagPolicyResource:
    keys = [member["TagKey"].lower() for member in given["Expression"]]
    if len(set(keys)) != len(keys):
        raise invalid("An LF-Tag expression names each key once.")
    size = sum(
        len(f'{{"TagKey":"{m["TagKey"]}","TagValues":[{",".join(m["TagValues"])}]}}'.encode())
        for m in given["Expression"]
    )
    if size > MOST_EXPRESSION_BYTES:
        raise invalid(f"The LF-Tag expression exceeds {MOST_EXPRESSION_BYTES} bytes.")
    tags = {member["TagKey"].lower(): _lower(member["TagValues"]) for member in given["Expression"]}
    return TagPolicyResource(owner, given["ResourceType"], expression(tags))


def location(arn: str) -> str:
    """An S3 ARN as it is compared: without a slash at its end."""
    return arn.rstrip("/")


# -------------------------------------------------------------------------------------------------------- rendering
def document(of: Resource, *, select: bool = False) -> dict[str, Any]:
    """A resource in the API's form. `select`: SELECT on a table shows as a row of its own, TableWithColumns."""
    match of:
        case CatalogResource(owner):
            return {"Catalog": {"Id": owner}}
        case DatabaseResource(owner, database):
            return {"Database": {"CatalogId": owner, "Name": database}}
        case TableResource(owner, database, table):
            base = {"CatalogId": owner, "DatabaseName": database, "Name": table or ALL_TABLES}
            if select:
                return {"TableWithColumns": {**base, "ColumnWildcard": {}}}
            return {"Table": base if table else {**base, "TableWildcard": {}}}
        case ColumnsResource(owner, database, table, include, exclude):
            which: dict[str, Any] = (
                {"ColumnWildcard": {"ExcludedColumnNames": sorted(exclude)}}
                if include is None
                else {"ColumnNames": sorted(include)}
            )
            return {"TableWithColumns": {"CatalogId": owner, "DatabaseName": database, "Name": table, **which}}
        case DataFilterResource(owner, database, table, name):
            names = {"TableCatalogId": owner, "DatabaseName": database, "TableName": table, "Name": name}
            return {"DataCellsFilter": names}
        case DataLocationResource(owner, arn):
            return {"DataLocation": {"CatalogId": owner, "ResourceArn": arn}}
        case TagResource(owner, key, values):
            return {"LFTag": {"CatalogId": owner, "TagKey": key, "TagValues": sorted(values)}}
        case TagPolicyResource(owner, kind, tags):
            members = [{"TagKey": key, "TagValues": sorted(values)} for key, values in tags]
            return {"LFTagPolicy": {"CatalogId": owner, "ResourceType": kind, "Expression": members}}


def resource_type(of: Resource) -> frozenset[str]:
    """Values of ListPermissions' ResourceType that a resource answers to."""
    match of:
        case CatalogResource():
            return frozenset({"CATALOG"})
        case DatabaseResource():
            return frozenset({"DATABASE"})
        case TableResource() | ColumnsResource() | DataFilterResource():
            return frozenset({"TABLE"})
        case DataLocationResource():
            return frozenset({"DATA_LOCATION"})
        case TagResource():
            return frozenset({"LF_TAG"})
        case TagPolicyResource(kind=kind):
            return frozenset({"LF_TAG_POLICY", f"LF_TAG_POLICY_{kind}"})
