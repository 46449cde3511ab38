"""Lake Formation: settings, LF-Tags, registered locations, tags on resources, permissions.

Traps of the real provider that this one keeps (terraform-provider-aws, `internal/service/lakeformation`): settings
replace everything and their deletion empties them; permissions have no update, and their deletion revokes whatever the
old list names, whoever else granted it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_aws.provider.connection import Connection, ProviderError
from local_aws.provider.resource import At, ResourceType, camel, code, one, pascal, register, unless
from local_aws.provider.schema import Problem
from local_aws.provider.values import Properties, has_unknown

GONE = ("EntityNotFoundException",)
VALUES_A_CALL = 50
"""LF-Tag values that one CreateLFTag or UpdateLFTag call takes (Lake Formation API, `TagValueList`)."""


def _hash(request: Mapping[str, Any]) -> str:
    """An id in the real provider's manner: a checksum of the request."""
    return str(zlib.crc32(json.dumps(request, sort_keys=True).encode()))


def _principals(arns: Any) -> list[dict[str, str]]:
    return [{"DataLakePrincipalIdentifier": arn} for arn in arns or []]


@register
class DataLakeSettings(ResourceType):
    """Settings of the account and region: one object that replaces everything that was there."""

    kind = "aws:lakeformation/dataLakeSettings:DataLakeSettings"
    supported = frozenset({
        "admins", "allowExternalDataFiltering", "allowFullTableExternalDataAccess", "authorizedSessionTagValueLists",
        "catalogId", "createDatabaseDefaultPermissions", "createTableDefaultPermissions",
        "externalDataFilteringAllowLists", "parameters", "readOnlyAdmins", "trustedResourceOwners",
    })  # fmt: skip
    immutable = frozenset({"catalogId"})
    sets = frozenset({"admins", "readOnlyAdmins"})

    def _request(self, aws: Connection, inputs: Properties) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "DataLakeAdmins": _principals(inputs.get("admins")),
            "ReadOnlyAdmins": _principals(inputs.get("readOnlyAdmins")),
            "CreateDatabaseDefaultPermissions": self._defaults(inputs, "createDatabaseDefaultPermissions"),
            "CreateTableDefaultPermissions": self._defaults(inputs, "createTableDefaultPermissions"),
            "TrustedResourceOwners": inputs.get("trustedResourceOwners") or [],
            "AuthorizedSessionTagValueList": inputs.get("authorizedSessionTagValueLists") or [],
            "ExternalDataFilteringAllowList": _principals(inputs.get("externalDataFilteringAllowLists")),
            "AllowExternalDataFiltering": bool(inputs.get("allowExternalDataFiltering")),
            "AllowFullTableExternalDataAccess": bool(inputs.get("allowFullTableExternalDataAccess")),
        }
        if inputs.get("parameters"):
            settings["Parameters"] = inputs["parameters"]
        return {"CatalogId": inputs.get("catalogId") or aws.account, "DataLakeSettings": settings}

    @staticmethod
    def _defaults(inputs: Properties, key: str) -> list[dict[str, Any]]:
        return [
            {
                "Permissions": entry.get("permissions") or [],
                "Principal": {"DataLakePrincipalIdentifier": entry.get("principal")},
            }
            for entry in inputs.get(key) or []
        ]

    @staticmethod
    def _found_defaults(entries: Any) -> list[dict[str, Any]]:
        return [
            {"permissions": entry["Permissions"], "principal": entry["Principal"]["DataLakePrincipalIdentifier"]}
            for entry in entries or []
        ]

    def create(self, at: At) -> str:
        request = self._request(at.aws, at.inputs)
        at.client("lakeformation").put_data_lake_settings(**request)
        return _hash(request)

    def read(self, at: At) -> Properties | None:
        catalog = at.state.get("catalogId") or at.aws.account
        found = at.client("lakeformation").get_data_lake_settings(CatalogId=catalog)["DataLakeSettings"]
        given = {**at.inputs, **at.state}
        return {
            **{
                key: self._found_defaults(found.get(key[:1].upper() + key[1:]))
                for key in ("createDatabaseDefaultPermissions", "createTableDefaultPermissions")
                if key in given
            },
            "readOnlyAdmins": sorted(admin["DataLakePrincipalIdentifier"] for admin in found.get("ReadOnlyAdmins", [])),
            "admins": sorted(admin["DataLakePrincipalIdentifier"] for admin in found.get("DataLakeAdmins", [])),
            "parameters": found.get("Parameters", {}),
            "trustedResourceOwners": found.get("TrustedResourceOwners", []),
        }

    def update(self, at: At) -> None:
        at.client("lakeformation").put_data_lake_settings(**self._request(at.aws, at.inputs))

    def delete(self, at: At) -> None:
        """As the real one: no administrators, no defaults, no trusted owners, CROSS_ACCOUNT_VERSION back to 1."""
        request = self._request(at.aws, {"catalogId": at.state.get("catalogId")})
        at.client("lakeformation").put_data_lake_settings(**request)


@register
class LfTag(ResourceType):
    kind = "aws:lakeformation/lfTag:LfTag"
    supported = frozenset({"catalogId", "key", "values"})
    immutable = frozenset({"catalogId", "key"})
    sets = frozenset({"values"})

    def create(self, at: At) -> str:
        catalog = at.inputs.get("catalogId") or at.aws.account
        at.client("lakeformation").create_lf_tag(
            CatalogId=catalog, TagKey=at.inputs["key"], TagValues=at.inputs["values"][:VALUES_A_CALL]
        )
        return f"{catalog}:{at.inputs['key']}"

    def configure(self, at: At) -> None:
        self._change(at.aws, at.id, at.inputs["values"][VALUES_A_CALL:], [])

    def _change(self, aws: Connection, identifier: str, added: list[str], removed: list[str]) -> None:
        catalog, _, key = identifier.partition(":")
        for start in range(0, max(len(added), len(removed)), VALUES_A_CALL):
            batch = {"TagValuesToAdd": added, "TagValuesToDelete": removed}
            wanted = {name: part for name, values in batch.items() if (part := values[start : start + VALUES_A_CALL])}
            aws.client("lakeformation").update_lf_tag(CatalogId=catalog, TagKey=key, **wanted)

    def read(self, at: At) -> Properties | None:
        catalog, _, key = at.id.partition(":")
        found = unless(GONE, lambda: at.client("lakeformation").get_lf_tag(CatalogId=catalog, TagKey=key))
        return None if found is None else {"catalogId": catalog, "key": key, "values": sorted(found["TagValues"])}

    def update(self, at: At) -> None:
        old, new = set(at.state["values"]), set(at.inputs["values"])
        self._change(at.aws, at.id, sorted(new - old), sorted(old - new))

    def delete(self, at: At) -> None:
        catalog, _, key = at.id.partition(":")
        unless(GONE, lambda: at.client("lakeformation").delete_lf_tag(CatalogId=catalog, TagKey=key))


@register
class Resource(ResourceType):
    """A registered S3 location. A role cannot be changed in place: every change registers anew."""

    kind = "aws:lakeformation/resource:Resource"
    supported = frozenset({"arn", "hybridAccessEnabled", "roleArn", "useServiceLinkedRole"})
    immutable = supported

    def create(self, at: At) -> str:
        wanted: dict[str, Any] = {"ResourceArn": at.inputs["arn"]}
        if at.inputs.get("roleArn"):
            wanted["RoleArn"] = at.inputs["roleArn"]
        else:
            wanted["UseServiceLinkedRole"] = True
        if at.inputs.get("hybridAccessEnabled") is not None:
            wanted["HybridAccessEnabled"] = at.inputs["hybridAccessEnabled"]
        at.client("lakeformation").register_resource(**wanted)
        return str(at.inputs["arn"])

    def read(self, at: At) -> Properties | None:
        client = at.client("lakeformation")
        found = unless(GONE, lambda: client.describe_resource(ResourceArn=at.id)["ResourceInfo"])
        if found is None:
            return None
        modified = found["LastModified"].isoformat() if "LastModified" in found else ""
        hybrid = found.get("HybridAccessEnabled")
        return {"arn": at.id, "hybridAccessEnabled": hybrid, "lastModified": modified, "roleArn": found.get("RoleArn")}

    def delete(self, at: At) -> None:
        unless(GONE, lambda: at.client("lakeformation").deregister_resource(ResourceArn=at.id))


@register
class DataCellsFilter(ResourceType):
    """Columns and rows of a table under a name. Everything but the name could be updated; here it replaces."""

    kind = "aws:lakeformation/dataCellsFilter:DataCellsFilter"
    supported = frozenset({"tableData"})
    immutable = supported

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        data = one(inputs["tableData"])
        columns = [key for key in ("columnNames", "columnWildcard") if data.get(key) is not None]
        rows = one(data.get("rowFilter"))
        given = [key for key in ("allRowsWildcard", "filterExpression") if rows.get(key) is not None]
        if len(columns) != 1:
            yield "tableData", "exactly one of `columnNames,columnWildcard` must be specified"
        if len(given) != 1:
            yield "tableData.rowFilter", "exactly one of `allRowsWildcard,filterExpression` must be specified"

    @staticmethod
    def _id(data: Mapping[str, Any]) -> str:
        return ",".join(str(data[key]) for key in ("databaseName", "name", "tableCatalogId", "tableName"))

    @staticmethod
    def _named(identifier: str) -> dict[str, str]:
        database, name, catalog, table = identifier.split(",")
        return {"DatabaseName": database, "Name": name, "TableCatalogId": catalog, "TableName": table}

    def create(self, at: At) -> str:
        data = one(at.inputs["tableData"])
        at.client("lakeformation").create_data_cells_filter(TableData=pascal({
            **data, "rowFilter": one(data.get("rowFilter")),
            **({"columnWildcard": one(data["columnWildcard"])} if data.get("columnWildcard") is not None else {}),
        }))  # fmt: skip
        return self._id(data)

    def read(self, at: At) -> Properties | None:
        client = at.client("lakeformation")
        found = unless(GONE, lambda: client.get_data_cells_filter(**self._named(at.id))["DataCellsFilter"])
        if found is None:
            return None
        known = set(one(at.state.get("tableData") or {})) or None
        data = camel(found)
        return {"tableData": {key: value for key, value in data.items() if known is None or key in known}}

    def delete(self, at: At) -> None:
        unless(GONE, lambda: at.client("lakeformation").delete_data_cells_filter(**self._named(at.id)))


# ---------------------------------------------------------------------------- resources that tags and grants name
def _database(block: Mapping[str, Any]) -> dict[str, Any]:
    return _named(block, Name=block["name"])


def _table(block: Mapping[str, Any]) -> dict[str, Any]:
    which = {"TableWildcard": {}} if block.get("wildcard") else {"Name": block.get("name")}
    return _named(block, DatabaseName=block["databaseName"], **which)


def _columns(block: Mapping[str, Any]) -> dict[str, Any]:
    wanted = _named(block, DatabaseName=block["databaseName"], Name=block["name"])
    if block.get("columnNames"):
        return {**wanted, "ColumnNames": block["columnNames"]}
    excluded = block.get("excludedColumnNames") or one(block.get("columnWildcard")).get("excludedColumnNames") or []
    return {**wanted, "ColumnWildcard": {"ExcludedColumnNames": excluded} if excluded else {}}


def _named(block: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    return {"CatalogId": block["catalogId"], **members} if block.get("catalogId") else members


def _expression(block: Mapping[str, Any]) -> dict[str, Any]:
    tags = [{"TagKey": part["key"], "TagValues": part["values"]} for part in block["expressions"]]
    return _named(block, ResourceType=block["resourceType"], Expression=tags)


KINDS: Mapping[str, tuple[str, Any]] = {
    "database": ("Database", _database),
    "table": ("Table", _table),
    "tableWithColumns": ("TableWithColumns", _columns),
    "dataCellsFilter": (
        "DataCellsFilter",
        lambda block: pascal({key: block[key] for key in ("tableCatalogId", "databaseName", "tableName", "name")}),
    ),
    "dataLocation": ("DataLocation", lambda block: _named(block, ResourceArn=block["arn"])),
    "lfTag": ("LFTag", lambda block: _named(block, TagKey=block["key"], TagValues=block["values"])),
    "lfTagPolicy": ("LFTagPolicy", _expression),
}
TAGGED = ("database", "table", "tableWithColumns")


def _resource(inputs: Mapping[str, Any], kinds: tuple[str, ...]) -> dict[str, Any]:
    if inputs.get("catalogResource"):
        return {"Catalog": {}}
    kind = next(kind for kind in kinds if inputs.get(kind))
    name, build = KINDS[kind]
    return {name: build(one(inputs[kind]))}


def _exactly_one(inputs: Properties, kinds: tuple[str, ...]) -> Iterator[Problem]:
    given = [kind for kind in kinds if inputs.get(kind)]
    if len(given) != 1:
        said = f"got {', '.join(given)}" if given else "none was given"
        yield "", f"Invalid combination of arguments: exactly one of {', '.join(kinds)} must be specified, {said}"


@register
class ResourceLfTag(ResourceType):
    """One LF-Tag on one resource. Every change replaces."""

    kind = "aws:lakeformation/resourceLfTag:ResourceLfTag"
    supported = frozenset({"catalogId", "lfTag", *TAGGED})
    immutable = supported

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        return _exactly_one(inputs, TAGGED)

    def _call(self, aws: Connection, operation: str, inputs: Properties) -> list[Mapping[str, Any]]:
        tag = one(inputs["lfTag"])
        lf_tag = _named(tag, TagKey=tag["key"], TagValues=[tag["value"]])
        request = _named(inputs, Resource=_resource(inputs, TAGGED), LFTags=[lf_tag])
        answer = getattr(aws.client("lakeformation"), operation)(**request)
        return list(answer.get("Failures") or [])

    def create(self, at: At) -> str:
        failures = self._call(at.aws, "add_lf_tags_to_resource", at.inputs)
        if failures:
            raise ProviderError(f"creating AWS Lake Formation Resource LF Tag: {_reasons(failures)}")
        return _hash({key: at.inputs.get(key) for key in sorted(self.supported)})

    def read(self, at: At) -> Properties | None:
        tag = one(at.state["lfTag"])
        request = _named(at.state, Resource=_resource(at.state, TAGGED), ShowAssignedLFTags=True)
        found = unless(GONE, lambda: at.client("lakeformation").get_resource_lf_tags(**request))
        tags = [
            entry
            for entries in ((found or {}).get("LFTagOnDatabase"), (found or {}).get("LFTagsOnTable"))
            for entry in entries or []
        ]
        tags += [entry for column in (found or {}).get("LFTagsOnColumns") or [] for entry in column["LFTags"]]
        held = any(entry["TagKey"] == tag["key"] and tag["value"] in entry["TagValues"] for entry in tags)
        return {} if held else None

    def delete(self, at: At) -> None:
        failures = unless(GONE, lambda: self._call(at.aws, "remove_lf_tags_from_resource", at.state)) or []
        left = [failure for failure in failures if failure.get("Error", {}).get("ErrorCode") not in GONE]
        if left:
            raise ProviderError(f"deleting AWS Lake Formation Resource LF Tag: {_reasons(left)}")


def _reasons(failures: list[Mapping[str, Any]]) -> str:
    return "; ".join(
        f"{failure.get('LFTag', {}).get('TagKey')}: {error.get('ErrorCode')}: {error.get('ErrorMessage')}"
        for failure in failures
        for error in [failure.get("Error", {})]
    )


@register
class Permissions(ResourceType):
    """One explicit grant: a principal, a resource, permissions. There is no update: every change replaces."""

    kind = "aws:lakeformation/permissions:Permissions"
    supported = frozenset({
        "catalogId", "catalogResource", "permissions", "permissionsWithGrantOptions", "principal", *KINDS,
    })  # fmt: skip
    immutable = supported
    sets = frozenset({"permissions", "permissionsWithGrantOptions"})

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        yield from _exactly_one(inputs, ("catalogResource", *KINDS))
        if not inputs["permissions"]:
            yield "permissions", "at least one permission is required"
        columns = one(inputs.get("tableWithColumns"))
        if columns and not (columns.get("columnNames") or columns.get("wildcard")):
            yield "tableWithColumns", "one of `columnNames,wildcard` must be specified"

    def same(self, key: str, old: Any, new: Any) -> bool:
        """Values of a tag and members of an expression are sets."""
        if key in {"lfTag", "lfTagPolicy"} and not has_unknown(new):
            old, new = _sorted(old), _sorted(new)
        return super().same(key, old, new)

    @staticmethod
    def _request(inputs: Properties) -> dict[str, Any]:
        request: dict[str, Any] = {
            "Principal": {"DataLakePrincipalIdentifier": inputs["principal"]},
            "Resource": _resource(inputs, tuple(KINDS)),
            "Permissions": inputs["permissions"],
        }
        if inputs.get("permissionsWithGrantOptions"):
            request["PermissionsWithGrantOption"] = inputs["permissionsWithGrantOptions"]
        return _named(inputs, **request)

    def create(self, at: At) -> str:
        request = self._request(at.inputs)
        at.client("lakeformation").grant_permissions(**request)
        return _hash(request)

    def read(self, at: At) -> Properties | None:
        resource = _resource(at.state, tuple(KINDS))
        if "TableWithColumns" in resource:
            # ListPermissions takes no columns: ask for the table, as the real provider does.
            columns = resource["TableWithColumns"]
            resource = {"Table": {key: columns[key] for key in ("CatalogId", "DatabaseName", "Name") if key in columns}}
        request = _named(at.state, Principal={"DataLakePrincipalIdentifier": at.state["principal"]}, Resource=resource)
        client = at.client("lakeformation")
        found = unless(GONE, lambda: client.list_permissions(**request)["PrincipalResourcePermissions"])
        held = _held(found, "Permissions", at.state["permissions"])
        if not held & set(at.state["permissions"]):
            return None
        if "tableWithColumns" in at.state:
            # Grants on the table and on its columns stand in one list: which are whose cannot be told.
            return {}
        options = at.state.get("permissionsWithGrantOptions") or []
        grantable = _held(found, "PermissionsWithGrantOption", options)
        return {"permissions": sorted(held), "permissionsWithGrantOptions": sorted(grantable)}

    def delete(self, at: At) -> None:
        try:
            at.client("lakeformation").revoke_permissions(**self._request(at.state))
        except ClientError as error:
            gone = code(error) in GONE or "No permissions revoked" in str(error) or "no permissions" in str(error)
            if not gone and "non-existent column" not in str(error):
                raise


def _held(rows: Any, member: str, given: list[str]) -> set[str]:
    """Permissions of listed grants. Who was given every permission is listed with ALL beside them: that is no drift."""
    held = {permission for row in rows or [] for permission in row.get(member) or []}
    return held - ({"ALL"} - set(given))


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return sorted((_sorted(member) for member in value), key=lambda member: json.dumps(member, sort_keys=True))
    if isinstance(value, dict):
        return {key: _sorted(member) for key, member in value.items()}
    return value
