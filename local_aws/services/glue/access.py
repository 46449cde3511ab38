"""Who may do what in a catalog: IAM at the front door, then Lake Formation, then the catalog's encryption key.

Sources: Glue developer guide "Specifying AWS Glue resource ARNs" (a call needs its action on a resource and all its
ancestors, on both sides of a link), "Encrypting your Data Catalog" (the caller needs the key); Lake Formation developer
guide "Lake Formation permissions reference" (lf-permissions-reference), "Metadata access control", "Underlying data
access control", "Resource link handling in AWS Glue APIs" (resource-links-glue-apis).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lakemesh.access.state import CatalogResource, DatabaseResource, DataLocationResource, Resource, TableResource
from local_aws.services import authorize, calls, policy
from local_aws.services.authorize import Need
from local_aws.services.calls import AwsError, Call
from local_aws.services.glue import store
from local_aws.services.glue.store import Database, Document, Table

_ACCOUNT = re.compile(r"\d{12}")
Columns = frozenset[str] | None
"""Columns a caller may see; None: all of them."""


def _decisions() -> Any:
    from local_aws.services.lakeformation import decisions

    return decisions


# ------------------------------------------------------------------------------------------------------------- names


def database_name(call: Call) -> str:
    """The database that a call names, as Glue stores it."""
    params = call.params
    given = params.get("DatabaseName") or params.get("Name") or params.get("DatabaseInput", {}).get("Name")
    return str(given).lower()


def table_name(call: Call) -> str:
    params = call.params
    given = params.get("TableName") or params.get("Name") or params.get("TableInput", {}).get("Name")
    return str(given).lower()


def named(call: Call, name: str) -> Database | None:
    """The database or link of that name in the call's catalog."""
    if not _ACCOUNT.fullmatch(call.catalog):
        raise calls.not_implemented("glue", f"{call.operation} in catalog {call.catalog}")
    return store.catalog(call.catalog, call.region).databases.get(name)


def followed(call: Call, database: Database) -> Database | None:
    """The target of a link, or the database itself. One hop: a link to a link leads nowhere."""
    if database.target is None:
        return database
    account, name = database.target
    found = store.catalog(account, call.region).databases.get(name)
    return found if found is None or found.target is None else None


# --------------------------------------------------------------------------------------------------------------- IAM


@authorize.rule("glue")
def needs(call: Call) -> Iterator[Need]:
    """The action on catalog, database and tables, of the link and of what it leads to."""
    action = f"glue:{call.operation}"
    for account, resources in _resources(call):
        text = store.catalog(account, call.region).policy.get("PolicyInJson")
        statements = policy.parse(text)
        for resource in resources:
            need = authorize.arn(call, "glue", resource, account)
            if account == call.account:
                yield Need(action, need, account, statements)
            else:
                # The other side's consent is Lake Formation's share; its catalog's policy may still forbid.
                _not_forbidden(call, action, need, statements)
                yield Need(action, need)


def _not_forbidden(call: Call, action: str, resource: str, statements: list[Any]) -> None:
    from local_aws.services import iam

    request = policy.Request(action, resource, iam.context(call.identity))
    if policy.decide(statements, request, call.identity) is policy.Decision.DENY:
        raise iam.denied(call.identity, action, resource)


def _resources(call: Call) -> Iterator[tuple[str, list[str]]]:
    params, operation = call.params, call.operation
    if (arn := params.get("ResourceArn")) is not None:
        parts = str(arn).split(":", 5)
        yield (parts[4] if len(parts) == 6 else call.account), [parts[-1]]
        return
    if operation == "GetDatabases":
        yield call.catalog, ["catalog", "database/*"]
        return
    if not params.keys() & {"DatabaseName", "Name", "DatabaseInput"}:
        yield call.catalog, ["catalog"]
        return
    database = database_name(call)
    tables = _tables(call)
    yield call.catalog, ["catalog", f"database/{database}", *(f"table/{database}/{table}" for table in tables)]
    link = named(call, database)
    if link is not None and link.target is not None and operation not in {"CreateDatabase", "DeleteDatabase"}:
        account, name = link.target
        yield account, ["catalog", f"database/{name}", *(f"table/{name}/{table}" for table in tables)]


def _tables(call: Call) -> list[str]:
    if call.operation in {"GetTables", "DeleteDatabase"}:
        return ["*"]
    if call.operation == "BatchDeleteTable":
        return [name.lower() for name in call.params["TablesToDelete"]]
    return [] if "Database" in call.operation else [table_name(call)]


# ---------------------------------------------------------------------------------------------------- Lake Formation


def _administers(call: Call, catalog: str) -> bool:
    """An account's root stands for the person who administers it, its data lake included."""
    return call.identity.is_root and call.account == catalog


def may(call: Call, resource: Resource, permission: str) -> bool:
    try:
        require(call, resource, permission)
    except AwsError:
        return False
    return True


def require(call: Call, resource: Resource, permission: str) -> None:
    """Raise AccessDeniedException where the caller lacks a Lake Formation permission on a resource."""
    if not _administers(call, resource.catalog):
        _decisions().require(call.identity, resource.catalog, call.region, resource, permission)


def require_location(call: Call, catalog: str, uri: str | None) -> None:
    """DATA_LOCATION_ACCESS, for a location that is registered (access-control-underlying-data)."""
    if uri and not _administers(call, catalog) and registered(catalog, call.region, uri):
        arn = f"arn:{authorize.partition(call.region)}:s3:::" + re.sub(r"^s3[an]?://", "", uri).rstrip("/")
        _decisions().require(
            call.identity, catalog, call.region, DataLocationResource(catalog, arn), "DATA_LOCATION_ACCESS"
        )


def registered(catalog: str, region: str, uri: str | None) -> bool:
    return bool(uri) and _decisions().registered_role(catalog, region, uri) is not None


def sees_database(call: Call, catalog: str, name: str) -> bool:
    return _administers(call, catalog) or _decisions().database_visible(call.identity, catalog, call.region, name)


def visible_columns(call: Call, database: Database, table: Table, link: Database) -> tuple[bool, Columns]:
    """Whether a table shows (through `link`, which may be the database itself), and which of its columns."""
    if _administers(call, database.catalog) and link is database:
        return True, None
    access = _decisions().table_access(call.identity, link.catalog, call.region, link.name, table.name)
    if not access.described:
        return False, None
    return True, None if access.visible.issuperset((*table.columns, *table.partition_keys)) else access.visible


# ------------------------------------------------------------------------------------------- what a call may work on


def database_for_reading(call: Call) -> Database:
    """The database or link that a call names, if it shows."""
    name = database_name(call)
    found = named(call, name)
    if found is None:
        if may(call, CatalogResource(call.catalog), "CREATE_DATABASE"):
            raise AwsError("EntityNotFoundException", f"Database {name} not found.")
        raise _insufficient(f"Required Describe on {name}")
    if not sees_database(call, call.catalog, name):
        raise _insufficient(f"Required Describe on {name}")
    uses_key(call, found.catalog)
    return found


def database_for_writing(call: Call, permission: str) -> Database:
    """The database that a call changes, a link followed (UpdateDatabase, CreateTable: resource-links-glue-apis)."""
    link = database_for_reading(call)
    found = followed(call, link)
    if found is None:
        raise AwsError("EntityNotFoundException", f"Database {link.name} not found: the link leads to no database.")
    require(call, DatabaseResource(found.catalog, found.name), permission)
    uses_key(call, found.catalog, writes=True)
    return found


def table_for_reading(call: Call, name: str | None = None) -> tuple[Table, Columns]:
    """The table that a call names, through a link, and the columns that the caller may see.

    Who may not see a table is refused whether it is there or not; who may create tables, or sees all of the database's,
    is told that it is not there.
    """
    name = name or table_name(call)
    link = named(call, database_name(call))
    database = followed(call, link) if link is not None else None
    table = database.tables.get(name) if database is not None else None
    if link is None or database is None or table is None:
        database_for_reading(call)
        if database is None:
            raise AwsError("EntityNotFoundException", f"Database {database_name(call)} not found.")
        if _knows_absence(call, database):
            raise AwsError("EntityNotFoundException", f"Table {name} not found.")
        raise AwsError("AccessDeniedException", f"Insufficient Lake Formation permission(s) on {name}")
    shown, columns = visible_columns(call, database, table, link)
    if not shown:
        raise AwsError("AccessDeniedException", f"Insufficient Lake Formation permission(s) on {name}")
    uses_key(call, database.catalog)
    return table, columns


def _knows_absence(call: Call, database: Database) -> bool:
    return may(call, DatabaseResource(database.catalog, database.name), "CREATE_TABLE") or may(
        call, TableResource(database.catalog, database.name, None), "DESCRIBE"
    )


def table_for_writing(call: Call, permission: str, name: str | None = None) -> Table:
    """The table that a call changes, through a link."""
    table, _ = table_for_reading(call, name)
    require(call, TableResource(table.catalog, table.database, table.name), permission)
    uses_key(call, table.catalog, writes=True)
    return table


def _insufficient(text: str) -> AwsError:
    return AwsError("AccessDeniedException", f"Insufficient Lake Formation permission(s): {text}")


def uses_key(call: Call, catalog: str, *, writes: bool = False) -> None:
    """The catalog's key, where it has one: readers need kms:Decrypt, writers kms:GenerateDataKey too.

    Raises GlueEncryptionException ("Encrypting your Data Catalog"). A catalog with a service role uses the key itself.
    """
    rest = store.catalog(catalog, call.region).encryption.get("EncryptionAtRest", {})
    given = rest.get("SseAwsKmsKeyId")
    if rest.get("CatalogEncryptionMode") != "SSE-KMS" or not given:
        return
    from local_aws.services import kms

    kind = "" if given.startswith("alias/") else "key/"
    key = given if given.startswith("arn:") else authorize.arn(call, "kms", kind + given, catalog)
    for action in ("kms:Decrypt", "kms:GenerateDataKey") if writes else ("kms:Decrypt",):
        if not kms.may(call.identity, action, key, via="glue"):
            who = call.identity.session_arn
            text = f"User: {who} is not authorized to perform: {action} on resource: {key}, which encrypts the catalog"
            raise AwsError("GlueEncryptionException", text)


# ---------------------------------------------------------------------------------------------------------- filtering


def only(document: Document, columns: Columns) -> Document:
    """A table's or partition's output with only the columns that the caller may see (lf-permissions-reference)."""
    if columns is None:
        return document
    shown = dict(document)
    if "PartitionKeys" in shown:
        shown["PartitionKeys"] = [column for column in shown["PartitionKeys"] if column["Name"] in columns]
    if "Columns" in shown.get("StorageDescriptor", {}):
        descriptor = shown["StorageDescriptor"]
        kept = [column for column in descriptor["Columns"] if column["Name"] in columns]
        shown["StorageDescriptor"] = {**descriptor, "Columns": kept}
    return shown


# ----------------------------------------------------------------------------------- what Lake Formation learns of it


def created_database(call: Call, database: Database) -> None:
    _decisions().database_created(database.catalog, call.region, database.name)


def created_table(call: Call, table: Table) -> None:
    _decisions().table_created(table.catalog, call.region, table.database, table.name)


def updated_table(call: Call, table: Table) -> None:
    _decisions().table_updated(table.catalog, call.region, table.database, table.name)


def deleted_database(call: Call, database: Database) -> None:
    _decisions().database_deleted(database.catalog, call.region, database.name)


def deleted_table(call: Call, table: Table) -> None:
    _decisions().table_deleted(table.catalog, call.region, table.database, table.name)
