"""DataLakeSettings: administrators, defaults, versions. One put replaces all of it."""

from __future__ import annotations

from typing import Any

from local_aws.services import iam
from local_aws.services.calls import Call, not_implemented, operation
from local_aws.services.lakeformation.decisions import IAM_DEFAULT
from local_aws.services.lakeformation.shapes import denied, invalid
from local_aws.services.lakeformation.store import Lake, lake

VERSION = "CROSS_ACCOUNT_VERSION"
_VERSIONS = frozenset("12345")
_FLAGS = frozenset({"SET_CONTEXT", "SET_SOURCE_IDENTITY"})
_LISTS = (
    "DataLakeAdmins",
    "ReadOnlyAdmins",
    "CreateDatabaseDefaultPermissions",
    "CreateTableDefaultPermissions",
    "TrustedResourceOwners",
    "ExternalDataFilteringAllowList",
    "AuthorizedSessionTagValueList",
)


def own(call: Call) -> Lake:
    """The caller's own lake. Settings, LF-Tags and locations of another account are out of reach."""
    if call.catalog != call.account:
        raise denied(f"Account {call.account} cannot use {call.operation} on catalog {call.catalog}.")
    return lake(call.account, call.region)


@operation("lakeformation", "GetDataLakeSettings")
def get_settings(call: Call) -> dict[str, Any]:
    here = own(call)
    new = {"CreateDatabaseDefaultPermissions": [IAM_DEFAULT], "CreateTableDefaultPermissions": [IAM_DEFAULT]}
    given: dict[str, Any] = here.settings or new
    empty: dict[str, Any] = {name: [] for name in _LISTS}
    parameters = {VERSION: "1", "SET_CONTEXT": "TRUE", **given.get("Parameters", {})}
    return {"DataLakeSettings": {**empty, **given, "Parameters": parameters}}


@operation("lakeformation", "PutDataLakeSettings", exclusive=True)
def put_settings(call: Call) -> None:
    """Replace the settings: what is left out is cleared (API reference, PutDataLakeSettings).

    Needs the IAM action alone, since somebody must make the first administrator (LF-dg initial-lf-config).
    """
    here, given = own(call), dict(call.params["DataLakeSettings"])
    if given.get("ReadOnlyAdmins"):
        raise not_implemented("lakeformation", "PutDataLakeSettings with ReadOnlyAdmins")
    for admin in given.get("DataLakeAdmins", ()):
        principal = admin["DataLakePrincipalIdentifier"]
        if not principal.startswith("arn:") or not iam.exists(principal):
            raise invalid(f"Invalid principal, {principal}")
    for name in ("CreateDatabaseDefaultPermissions", "CreateTableDefaultPermissions"):
        if any(entry.get("Permissions") and entry != IAM_DEFAULT for entry in given.get(name, ())):
            raise invalid(f"{name} may be empty, or ALL to IAM_ALLOWED_PRINCIPALS.")
    parameters = given.get("Parameters", {})
    current = here.settings.get("Parameters", {}).get(VERSION, "1")
    wanted = parameters.get(VERSION, "1")  # leaving it out sets it to 1, as destroying the real resource does
    if unknown := sorted(parameters.keys() - _FLAGS - {VERSION}):
        raise invalid(f"Unknown parameter {unknown[0]}.")
    if wanted not in _VERSIONS:
        raise invalid(f"{VERSION} must be 1, 2, 3, 4 or 5.")
    if current == "5" != wanted:
        raise invalid(f"{VERSION} cannot be changed from 5 (LF-dg optimize-ram).")
    here.settings = {**given, "Parameters": {**parameters, VERSION: wanted}}
