"""Databases and resource links to databases.

Sources: Glue API reference "Database API"; Lake Formation developer guide "Resource link handling in AWS Glue APIs"
(resource-links-glue-apis), "Lake Formation permissions reference" (CREATE_DATABASE, ALTER, DROP).
"""

from __future__ import annotations

from typing import Any

from lakemesh.access.state import CatalogResource, DatabaseResource
from local_aws.services.calls import AwsError, Call, not_implemented, operation, page
from local_aws.services.glue import access, store
from local_aws.services.glue.store import Database, Document

_REFUSED_INPUT = ("FederatedDatabase",)
LARGEST_PAGE = 100


def refuse(call: Call, *names: str) -> None:
    """Refuse, by name, parameters whose effect is not modelled."""
    for name in names:
        if call.params.get(name):
            raise not_implemented("glue", f"{call.operation} with {name}")


@operation("glue", "CreateDatabase", exclusive=True)
def create_database(call: Call) -> None:
    """Create a database, or a link: both need CREATE_DATABASE in the catalog (creating-resource-links)."""
    given = call.params["DatabaseInput"]
    _check_input(given)
    name = given["Name"] = access.database_name(call)
    catalog = store.catalog(call.catalog, call.region)
    existing = access.named(call, name)
    access.require(call, CatalogResource(call.catalog), "CREATE_DATABASE")
    if existing is not None:
        raise AwsError("AlreadyExistsException", "Database already exists.")
    access.require_location(call, call.catalog, given.get("LocationUri"))
    access.uses_key(call, call.catalog, writes=True)
    database = Database(name, call.catalog, call.identity.arn, given, _target(call, given))
    database.tags.update(call.params.get("Tags", {}))
    catalog.databases[name] = database
    access.created_database(call, database)


def _check_input(given: Document) -> None:
    for member in _REFUSED_INPUT:
        if given.get(member):
            raise not_implemented("glue", f"a database with {member}")


def _target(call: Call, given: Document) -> tuple[str, str] | None:
    target = given.get("TargetDatabase")
    if target is None:
        return None
    if target.get("Region", call.region) != call.region:
        raise not_implemented("glue", "a link to another region")
    if "CatalogId" not in target or "DatabaseName" not in target:
        raise AwsError("InvalidInputException", "TargetDatabase needs CatalogId and DatabaseName.")
    return target["CatalogId"], target["DatabaseName"].lower()


@operation("glue", "GetDatabase")
def get_database(call: Call) -> dict[str, Any]:
    return {"Database": _shown(call, access.database_for_reading(call))}


def _shown(call: Call, database: Database) -> Document:
    """A link shows its target's properties to those who may see the target, else its own (resource-links-glue-apis)."""
    if database.target is None:
        return database.output
    target = access.followed(call, database)
    if target is None or not access.sees_database(call, target.catalog, target.name):
        return database.output
    return {**target.output, **{key: database.output[key] for key in ("Name", "CatalogId", "TargetDatabase")}}


@operation("glue", "GetDatabases")
def get_databases(call: Call) -> dict[str, Any]:
    """Those of the catalog that the caller may see, by name; databases that others share show through links."""
    refuse(call, "ResourceShareType", "AttributesToGet")
    access.named(call, "")  # refuses catalogs that are not accounts
    databases = store.catalog(call.catalog, call.region).databases
    seen = [databases[name] for name in sorted(databases) if access.sees_database(call, call.catalog, name)]
    access.uses_key(call, call.catalog)
    items, token = page(seen, call, LARGEST_PAGE)
    return {"DatabaseList": [_shown(call, database) for database in items], "NextToken": token}


@operation("glue", "UpdateDatabase", exclusive=True)
def update_database(call: Call) -> None:
    """Replace a database's properties; of a link, its target's. A link itself cannot be changed."""
    given = call.params["DatabaseInput"]
    _check_input(given)
    database = access.database_for_writing(call, "ALTER")
    access.require_location(call, database.catalog, given.get("LocationUri"))
    changed = {key: value for key, value in given.items() if key != "TargetDatabase"}
    if "CreateTableDefaultPermissions" not in changed and "CreateTableDefaultPermissions" in database.input:
        changed["CreateTableDefaultPermissions"] = database.input["CreateTableDefaultPermissions"]
    database.input = changed | {"Name": database.name}


@operation("glue", "DeleteDatabase", exclusive=True)
def delete_database(call: Call) -> None:
    """Delete a database with its tables, or a link alone. Both need DROP on what is named."""
    database = access.database_for_reading(call)
    access.require(call, DatabaseResource(database.catalog, database.name), "DROP")
    del store.catalog(database.catalog, call.region).databases[database.name]
    for table in list(database.tables.values()):
        access.deleted_table(call, table)
    access.deleted_database(call, database)
