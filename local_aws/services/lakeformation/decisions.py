"""What Lake Formation decides, for the services that ask it: Glue, Athena, and its own API.

Also what it must hear of: creators and defaults at creation, and what to forget at deletion.
"""

from __future__ import annotations

import re
from typing import Any

from lakemesh.access import evaluate
from lakemesh.access.evaluate import TableAccess
from lakemesh.access.state import DatabaseResource, Permission, Resource, State, TableResource, resource_key
from local_aws.services.calls import AwsError
from local_aws.services.glue import store as glue
from local_aws.services.identity import Identity
from local_aws.services.lakeformation.shapes import expanded
from local_aws.services.lakeformation.store import Lake, lake, state

_S3 = re.compile(r"^(?:s3[an]?://|arn:[\w-]+:s3:::)")


def world(identity: Identity, catalog: str, region: str, *databases: str) -> State:
    """The state that decides for a caller on a catalog, and on those that its links lead to."""
    found = (glue.catalog(catalog, region).databases.get(name) for name in databases)
    targets = (database.target[0] for database in found if database and database.target)
    return state(region, *{identity.account, catalog, *targets})


def table_access(identity: Identity, catalog: str, region: str, database: str, table: str) -> TableAccess:
    """What a caller has of a table, through a resource link where (catalog, database) is one."""
    return evaluate.table_access(world(identity, catalog, region, database), identity.arn, catalog, database, table)


def database_visible(identity: Identity, catalog: str, region: str, database: str) -> bool:
    """Whether a database (or link) shows for a caller."""
    return evaluate.database_access(world(identity, catalog, region), identity.arn, catalog, database).described


def require(identity: Identity, catalog: str, region: str, resource: Resource, permission: str) -> None:
    """Raise AccessDeniedException where a caller does not hold a permission on a resource."""
    if not evaluate.holds(world(identity, catalog, region), identity.arn, resource, permission):
        raise AwsError(
            "AccessDeniedException",
            f"Insufficient Lake Formation permission(s): Required {permission} on {resource_key(resource)}",
        )


def registered_role(catalog: str, region: str, uri: str) -> str | None:
    """The role that reads a location for Lake Formation, by the longest registered prefix; None: not registered."""
    path = _S3.sub("", uri).rstrip("/") + "/"
    registrations = lake(catalog, region).registrations
    covering = [arn for arn in registrations if path.startswith(_S3.sub("", arn).rstrip("/") + "/")]
    return registrations[max(covering, key=len)]["RoleArn"] if covering else None


# ------------------------------------------------------------------------------------------------ creation, deletion
def database_created(catalog: str, region: str, database: str) -> None:
    """Give a new database the account's defaults; its tables' defaults are fixed now too (LF-dg change-settings).

    So settings that are cleared later leave the databases of before as they were.
    """
    here, created = lake(catalog, region), glue.catalog(catalog, region).databases[database]
    if created.target is not None:
        return
    _grant_defaults(here, DatabaseResource(catalog, database), defaults(here, "CreateDatabaseDefaultPermissions"))
    if created.input.get("CreateTableDefaultPermissions") is None:
        created.input = {
            **created.input,
            "CreateTableDefaultPermissions": defaults(here, "CreateTableDefaultPermissions"),
        }


def table_created(catalog: str, region: str, database: str, table: str) -> None:
    """Give a new table the defaults of its database (LF-dg change-settings)."""
    given = glue.catalog(catalog, region).databases[database].input.get("CreateTableDefaultPermissions") or []
    _grant_defaults(lake(catalog, region), TableResource(catalog, database, table), given)


def table_updated(catalog: str, region: str, database: str, table: str) -> None:
    """Forget the LF-Tags of columns that are gone: a column that comes back inherits, as a new one does."""
    found = glue.catalog(catalog, region).databases[database].tables[table]
    lake(catalog, region).forget_columns(database, table, frozenset((*found.columns, *found.partition_keys)))


def database_deleted(catalog: str, region: str, database: str) -> None:
    lake(catalog, region).forget(database)


def table_deleted(catalog: str, region: str, database: str, table: str) -> None:
    lake(catalog, region).forget(database, table)


IAM_DEFAULT: dict[str, Any] = {
    "Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"},
    "Permissions": ["ALL"],
}
"""What a new account gives to everyone that IAM lets in (LF-dg change-settings)."""


def defaults(here: Lake, name: str) -> list[dict[str, Any]]:
    """Default permissions in force: a new account's own until settings are put."""
    return list(here.settings.get(name, ())) if here.settings else [IAM_DEFAULT]


def _grant_defaults(here: Lake, resource: Resource, given: list[dict[str, Any]]) -> None:
    for entry in given:
        if entry.get("Permissions"):
            principal = entry["Principal"]["DataLakePrincipalIdentifier"]
            here.put(Permission(principal, resource, expanded(resource, ["ALL"])), "defaults")
