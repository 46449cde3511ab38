"""Grants: giving, taking and listing them.

Sources: LF-dg lf-permissions-reference (what is valid), implicit-permissions and permission-cascading-rules (who may),
cross-account-prereqs and optimize-ram (other accounts), granting-link-permissions; API reference, GrantPermissions and
RevokePermissions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lakemesh.access import evaluate
from lakemesh.access.state import (
    IAM_ALLOWED_PRINCIPALS,
    CatalogResource,
    ColumnsResource,
    DatabaseResource,
    DataFilterResource,
    DataLocationResource,
    Permission,
    Resource,
    TableResource,
    TagPolicyResource,
    TagResource,
    resource_key,
)
from local_aws.services import iam
from local_aws.services.calls import AwsError, Call, not_implemented, operation, page
from local_aws.services.glue import store as glue
from local_aws.services.lakeformation import shapes
from local_aws.services.lakeformation.decisions import registered_role, world
from local_aws.services.lakeformation.settings import VERSION
from local_aws.services.lakeformation.shapes import denied, invalid, not_found
from local_aws.services.lakeformation.store import Lake, Row, administrators, is_external, lake, share
from local_aws.services.lakeformation.tags import missing_tags

MOST_EXPRESSIONS = 50
"""LF-Tag expressions a principal (LF-dg lf-tag-considerations)."""
MOST_FILTERS = 100
"""Data filters with SELECT for one principal on one table (LF-dg row-filtering-intro)."""
_ACCOUNT = re.compile(r"\d{12}")
_IAM = re.compile(r"arn:[\w-]+:iam::\d{12}:(?:role|user)/.+")
_LINK = frozenset({"DESCRIBE", "DROP"})
_NOT_BESIDE_PARTIAL_SELECT = frozenset({"ALL", "ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT"})


# ----------------------------------------------------------------------------------------------------------- what it is
def _requested(call: Call, entry: Mapping[str, Any]) -> Permission:
    """A grant or revocation as a value. Raises AwsError where its parts do not go together."""
    if entry.get("Condition"):
        raise not_implemented("lakeformation", f"{call.operation} with Condition")
    resource = shapes.resource(entry["Resource"], call.catalog)
    names = frozenset(entry.get("Permissions", ()))
    options = frozenset(entry.get("PermissionsWithGrantOption", ()))
    if call.operation.endswith("GrantPermissions") and not options <= names:
        raise invalid("PermissionsWithGrantOption must be a subset of Permissions.")
    if wrong := sorted((names | options) - shapes.valid_permissions(resource)):
        raise invalid(f"Permissions {wrong} cannot be granted on {resource_key(resource)}.")
    if not names | options:
        raise invalid("Permissions cannot be empty.")
    principal = entry["Principal"]["DataLakePrincipalIdentifier"]
    return Permission(principal, resource, shapes.expanded(resource, names), shapes.expanded(resource, options))


def _check_principal(wanted: Permission, call: Call) -> None:
    principal = wanted.principal
    if principal == IAM_ALLOWED_PRINCIPALS:
        return
    if not _ACCOUNT.fullmatch(principal) and not _IAM.fullmatch(principal):
        raise not_implemented("lakeformation", f"{call.operation} to principals such as {principal}")
    if principal == call.account or not iam.exists(principal):
        raise invalid(f"Invalid principal, {principal}")


def _check_exists(resource: Resource, region: str) -> None:
    """EntityNotFoundException for databases, tables, columns and LF-Tags that are not there."""
    match resource:
        case TagPolicyResource(catalog, _, tags):
            missing = missing_tags(catalog, region, tags)
        case TagResource(catalog, key, values):
            missing = missing_tags(catalog, region, [(key, values)])
        case DatabaseResource() | TableResource() | ColumnsResource() | DataFilterResource():
            missing = _missing(resource, region)
        case DataLocationResource(catalog, arn):
            if registered_role(catalog, region, arn) is None:
                raise invalid(f"Please register the S3 path {arn} first.")
            return
        case _:
            return
    if missing:
        raise not_found(missing)


def _missing(
    resource: DatabaseResource | TableResource | ColumnsResource | DataFilterResource, region: str
) -> str | None:
    database = glue.catalog(resource.catalog, region).databases.get(resource.database)
    if database is None:
        return f"Database {resource.database} not found."
    if isinstance(resource, DatabaseResource) or resource.table is None:
        return None
    table = database.tables.get(resource.table)
    if table is None:
        return f"Table {resource.table} not found."
    if isinstance(resource, DataFilterResource):
        known = (resource.database, resource.table, resource.name) in lake(resource.catalog, region).filters
        return None if known else f"Data cells filter {resource.name} not found."
    if isinstance(resource, ColumnsResource):
        named = (resource.include or frozenset()) | resource.exclude
        return next((f"Column {c} not found." for c in sorted(named - {*table.columns, *table.partition_keys})), None)
    return None


# -------------------------------------------------------------------------------------------------------- what is valid
def _check_valid(here: Lake, wanted: Permission) -> None:
    """Rules of the resource and of what the principal holds already."""
    resource = wanted.resource
    if isinstance(resource, DatabaseResource) and _is_link(resource, here.region) and wanted.permissions - _LINK:
        raise invalid("Only DESCRIBE and DROP can be granted on a resource link.")
    if isinstance(resource, DataFilterResource):
        _check_filters(here, wanted, resource)
    if isinstance(resource, ColumnsResource | DataFilterResource):
        if wanted.grantable and isinstance(resource, DataFilterResource):
            raise not_implemented("lakeformation", "GrantPermissions on a data cells filter with grant option")
        if wanted.grantable:
            raise invalid("SELECT on some columns cannot carry the grant option.")
        table = TableResource(resource.catalog, resource.database, resource.table)
        if here.held(wanted.principal, table).permissions & _NOT_BESIDE_PARTIAL_SELECT:
            raise invalid("A principal that holds DESCRIBE and the like on a table cannot have SELECT on some columns.")
    if isinstance(resource, TableResource) and wanted.permissions & _NOT_BESIDE_PARTIAL_SELECT:
        partial = (held for principal, held in here.rows if principal == wanted.principal)
        if any(
            isinstance(p, ColumnsResource | DataFilterResource)
            and (p.database, p.table) == (resource.database, resource.table)
            for p in partial
        ):
            raise invalid("A principal with SELECT on some columns of a table cannot have DESCRIBE and the like on it.")
    if isinstance(resource, TagPolicyResource):
        held = [r for principal, r in here.rows if principal == wanted.principal and isinstance(r, TagPolicyResource)]
        if resource not in held and len(held) >= MOST_EXPRESSIONS:
            raise invalid(f"A principal has at most {MOST_EXPRESSIONS} LF-Tag expressions.")


def _check_filters(here: Lake, wanted: Permission, resource: DataFilterResource) -> None:
    held = [
        of
        for principal, of in here.rows
        if principal == wanted.principal
        and isinstance(of, DataFilterResource)
        and (of.database, of.table) == (resource.database, resource.table)
    ]
    if resource not in held and len(held) >= MOST_FILTERS:
        raise invalid(f"A principal has at most {MOST_FILTERS} data filters on a table.")


def _is_link(resource: DatabaseResource, region: str) -> bool:
    database = glue.catalog(resource.catalog, region).databases.get(resource.database)
    return database is not None and database.target is not None


def _check_sharing(here: Lake, wanted: Permission) -> None:
    """Rules of grants to other accounts and their principals."""
    resource, version = wanted.resource, int(here.settings.get("Parameters", {}).get(VERSION, "1"))
    to_account = _ACCOUNT.fullmatch(wanted.principal) is not None
    if isinstance(resource, CatalogResource | DataLocationResource):
        raise not_implemented("lakeformation", "GrantPermissions on catalogs and locations to other accounts")
    if isinstance(resource, DatabaseResource) and _is_link(resource, here.region):
        raise invalid("A resource link cannot be shared.")
    if version < 3 and (not to_account or isinstance(resource, TagPolicyResource | TagResource)):
        raise invalid(
            "Invalid cross account grant request: grants to principals of another account and by LF-Tags need "
            f"{VERSION} 3 or later; it is {version}."
        )
    if isinstance(resource, DatabaseResource) and wanted.permissions & {"ALL", "DROP"}:
        raise invalid("DROP and Super on a database cannot be granted to another account.")
    if isinstance(resource, TagResource) and (
        wanted.permissions - {"ASSOCIATE", "DESCRIBE"} or wanted.grantable != wanted.permissions
    ):
        raise invalid("Another account gets DESCRIBE and ASSOCIATE on LF-Tags, and with grant option.")
    for principal, held in here.rows:
        if principal == IAM_ALLOWED_PRINCIPALS and (held == resource or _is_among(held, resource)):
            raise denied(f"IAMAllowedPrincipals hold permissions on {resource_key(held)}: revoke them before sharing.")


def _is_among(held: Resource, resource: Resource) -> bool:
    return (
        isinstance(held, TableResource)
        and isinstance(resource, TableResource | ColumnsResource | DataFilterResource)
        and held.database == resource.database
        and resource.table in {None, held.table}
    )


# ------------------------------------------------------------------------------------------------------------- changing
def _grant(call: Call, entry: Mapping[str, Any]) -> None:
    here, wanted = lake(call.account, call.region), _requested(call, entry)
    _check_principal(wanted, call)
    _check_may(call, wanted)
    _check_exists(wanted.resource, call.region)
    _check_valid(here, wanted)
    if is_external(wanted.principal, here.account):
        _check_sharing(here, wanted)
    held = here.held(wanted.principal, wanted.resource)
    _put(here, call, wanted, held.permissions | wanted.permissions, held.grantable | wanted.grantable)


def _check_may(call: Call, wanted: Permission) -> None:
    reason = evaluate.may_grant(world(call.identity, wanted.resource.catalog, call.region), call.identity.arn, wanted)
    if reason:
        raise denied(f"Insufficient Lake Formation permission(s): {reason}")


def _revoke(call: Call, entry: Mapping[str, Any]) -> None:
    """Take what is held. A revoked permission takes its grant option along (API reference, RevokePermissions)."""
    here, wanted = lake(call.account, call.region), _requested(call, entry)
    if call.identity.arn not in administrators(here):  # they may revoke whatever their account granted
        _check_may(call, Permission(wanted.principal, wanted.resource, wanted.permissions))
    held = here.held(wanted.principal, wanted.resource)
    if not held.permissions & wanted.permissions and not held.grantable & wanted.grantable:
        raise invalid(
            "No permissions revoked. Grantee has no permissions and has no grantable permissions on resource."
        )
    if lacking := sorted(wanted.permissions - held.permissions - {"ALL"}):
        raise invalid(f"No permissions revoked. Grantee does not have: {lacking}")
    all_too = {"ALL"} if wanted.permissions else set()
    options = {"ALL"} if wanted.grantable else all_too
    _put(
        here, call, wanted,
        held.permissions - wanted.permissions - all_too,
        held.grantable - wanted.permissions - wanted.grantable - options,
    )  # fmt: skip


def _put(here: Lake, call: Call, of: Permission, names: frozenset[str], options: frozenset[str]) -> None:
    names, options = shapes.expanded(of.resource, names), shapes.expanded(of.resource, options)
    here.put(Permission(of.principal, of.resource, names, options), call.identity.arn)
    if is_external(of.principal, here.account):
        share(here)


@operation("lakeformation", "GrantPermissions", exclusive=True)
def grant(call: Call) -> None:
    _grant(call, call.params)


@operation("lakeformation", "RevokePermissions", exclusive=True)
def revoke(call: Call) -> None:
    _revoke(call, call.params)


def _batch(call: Call, change: Callable[[Call, Mapping[str, Any]], None]) -> dict[str, Any]:
    """Each entry on its own; those that fail are listed (API reference, BatchGrantPermissions)."""
    failures = []
    for entry in call.params["Entries"]:
        try:
            change(call, entry)
        except AwsError as error:
            failures.append({"RequestEntry": entry, "Error": {"ErrorCode": error.code, "ErrorMessage": error.message}})
    return {"Failures": failures}


@operation("lakeformation", "BatchGrantPermissions", exclusive=True)
def batch_grant(call: Call) -> dict[str, Any]:
    return _batch(call, _grant)


@operation("lakeformation", "BatchRevokePermissions", exclusive=True)
def batch_revoke(call: Call) -> dict[str, Any]:
    return _batch(call, _revoke)


# -------------------------------------------------------------------------------------------------------------- listing
def _lines(row: Row) -> list[dict[str, Any]]:
    """A grant as ListPermissions shows it: SELECT on a table is a line of its own (LF-dg lf-permissions-reference)."""
    of, names, options = row.permission.resource, row.permission.permissions, row.permission.grantable
    apart = frozenset({"SELECT"}) & names if isinstance(of, TableResource) else frozenset[str]()
    found = []
    for part, select in ((names - apart, False), (apart, True)):
        if part:
            found.append({
                "Principal": {"DataLakePrincipalIdentifier": row.permission.principal},
                "Resource": shapes.document(of, select=select),
                "Permissions": sorted(part),
                "PermissionsWithGrantOption": sorted(part & options),
                "LastUpdated": row.updated,
                "LastUpdatedBy": row.by,
            })  # fmt: skip
    return found


def _concerns(held: Resource, wanted: Resource) -> bool:
    """Whether a grant belongs into the answer about `wanted`: grants on some columns belong to their table."""
    if held == wanted:
        return True
    return (
        isinstance(held, ColumnsResource | DataFilterResource)
        and isinstance(wanted, TableResource)
        and (held.catalog, held.database, held.table) == (wanted.catalog, wanted.database, wanted.table)
    )


@operation("lakeformation", "ListPermissions")
def list_permissions(call: Call) -> dict[str, Any]:
    """Explicit grants made in the caller's account: all for its administrators, their own for others."""
    params, here = call.params, lake(call.account, call.region)
    if params.get("IncludeRelated") == "TRUE":
        raise not_implemented("lakeformation", "ListPermissions with IncludeRelated")
    principal = params.get("Principal", {}).get("DataLakePrincipalIdentifier")
    if call.identity.arn not in administrators(here) and principal != call.identity.arn:
        raise denied("Insufficient Lake Formation permission(s): only administrators list the grants of others.")
    wanted = shapes.resource(params["Resource"], call.catalog) if params.get("Resource") else None
    rows = [
        row
        for (who, resource), row in list(here.rows.items())
        if principal in {None, who}
        and (wanted is None or _concerns(resource, wanted))
        and params.get("ResourceType") in {None, *shapes.resource_type(resource)}
        and (wanted is not None or call.catalog in {resource.catalog, call.account})
    ]
    rows.sort(key=lambda row: (row.permission.principal, resource_key(row.permission.resource)))
    items, token = page([line for row in rows for line in _lines(row)], call, 1000)
    return {"PrincipalResourcePermissions": items, "NextToken": token}
