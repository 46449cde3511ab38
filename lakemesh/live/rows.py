"""Lake Formation's answers as the values of `lakemesh.access`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from lakemesh.access.observed import SettingsState
from lakemesh.access.state import (
    IAM_ALLOWED_PRINCIPALS,
    CatalogResource,
    ColumnsResource,
    DatabaseResource,
    DataFilter,
    DataFilterResource,
    DataLocationResource,
    Permission,
    Resource,
    TableResource,
    TagPolicyResource,
    TagResource,
    expression,
)

ALL_TABLES: Final = "ALL_TABLES"
"""How ListPermissions calls a table wildcard."""


def permission(line: Mapping[str, Any], account: str) -> Permission | None:
    """A row of ListPermissions; None for a resource of a kind that the mesh never grants on."""
    of = resource(line["Resource"], account)
    if of is None:
        return None
    return Permission(
        str(line["Principal"]["DataLakePrincipalIdentifier"]),
        of,
        frozenset(line.get("Permissions") or ()),
        frozenset(line.get("PermissionsWithGrantOption") or ()),
    )


def resource(document: Mapping[str, Any], account: str) -> Resource | None:
    """A resource as the API names it: exactly one member, in the catalog of `account` where it names none.

    SELECT on a whole table is listed as TableWithColumns with an empty wildcard (developer guide,
    "lf-permissions-reference"): the same table.
    """
    ((kind, given),) = ((key, value) for key, value in document.items() if value is not None)
    owner = given.get("CatalogId") or given.get("TableCatalogId") or given.get("Id") or account
    match kind:
        case "Catalog":
            return CatalogResource(owner)
        case "Database":
            return DatabaseResource(owner, given["Name"])
        case "Table":
            name = None if given.get("TableWildcard") is not None else given.get("Name")
            return TableResource(owner, given["DatabaseName"], None if name == ALL_TABLES else name)
        case "TableWithColumns":
            return _columns(owner, given)
        case "DataCellsFilter":
            return DataFilterResource(owner, given["DatabaseName"], given["TableName"], given["Name"])
        case "DataLocation":
            return DataLocationResource(owner, str(given["ResourceArn"]).rstrip("/"))
        case "LFTag":
            return TagResource(owner, given["TagKey"], frozenset(given["TagValues"]))
        case "LFTagPolicy" if given.get("Expression"):
            tags = {one["TagKey"]: one["TagValues"] for one in given["Expression"]}
            return TagPolicyResource(owner, given["ResourceType"], expression(tags))
        case _:
            return None


def _columns(owner: str, given: Mapping[str, Any]) -> Resource:
    names, wildcard = given.get("ColumnNames"), given.get("ColumnWildcard")
    excluded = frozenset((wildcard or {}).get("ExcludedColumnNames") or ())
    database, table = given["DatabaseName"], given["Name"]
    if not names and not excluded:
        return TableResource(owner, database, None if table == ALL_TABLES else table)
    return ColumnsResource(owner, database, table, frozenset(names) if names else None, excluded)


def data_filter(document: Mapping[str, Any]) -> DataFilter:
    """What a data cells filter shows."""
    names = document.get("ColumnNames")
    excluded = (document.get("ColumnWildcard") or {}).get("ExcludedColumnNames") or ()
    rows = (document.get("RowFilter") or {}).get("FilterExpression")
    shown = None if rows is None or str(rows).strip().lower() == "true" else str(rows)
    return DataFilter(frozenset(names) if names else None, frozenset(excluded), shown)


def tags(given: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    """A resource carries one value a key (developer guide, "lf-tag-considerations")."""
    return {str(one["TagKey"]): str(one["TagValues"][0]) for one in given or () if one.get("TagValues")}


def settings(document: Mapping[str, Any]) -> SettingsState:
    """DataLakeSettings; an account that never had any has version 1 and is open."""

    def principals(key: str) -> frozenset[str]:
        return frozenset(str(one["DataLakePrincipalIdentifier"]) for one in document.get(key) or ())

    def is_open(key: str) -> bool:
        return any(
            one.get("Permissions")
            and (one.get("Principal") or {}).get("DataLakePrincipalIdentifier") == IAM_ALLOWED_PRINCIPALS
            for one in document.get(key) or ()
        )

    return SettingsState(
        administrators=principals("DataLakeAdmins"),
        read_only_administrators=principals("ReadOnlyAdmins"),
        open_databases=is_open("CreateDatabaseDefaultPermissions"),
        open_tables=is_open("CreateTableDefaultPermissions"),
        version=int((document.get("Parameters") or {}).get("CROSS_ACCOUNT_VERSION") or 1),
        trusted_owners=frozenset(document.get("TrustedResourceOwners") or ()),
        external_filtering=bool(document.get("AllowExternalDataFiltering")),
    )
