"""LF-Tags: the ontology of a catalog, and what carries which value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lakemesh.access import evaluate
from lakemesh.access.state import (
    CatalogResource,
    ColumnsResource,
    DatabaseResource,
    Permission,
    Resource,
    State,
    TableResource,
    TagResource,
)
from local_aws.services.calls import AwsError, Call, not_implemented, operation, page
from local_aws.services.glue import store as glue
from local_aws.services.lakeformation.decisions import world
from local_aws.services.lakeformation.settings import own
from local_aws.services.lakeformation.shapes import denied, invalid, not_found, resource
from local_aws.services.lakeformation.store import Lake, Object, Tag, administrators, lake

MOST_VALUES = 1000
MOST_TAGS = 50
"""Values of a key and tags of a resource (LF-dg lf-tag-considerations)."""
LONGEST = 50
"""Characters of a key or value (LF-dg lf-tag-considerations)."""


# ---------------------------------------------------------------------------------------------------------- ontology
def _clean(values: Iterable[str]) -> list[str]:
    """Values in lower case, without duplicates (LF-dg lf-tag-considerations)."""
    cleaned = list(dict.fromkeys(value.lower() for value in values))
    if too_long := next((value for value in cleaned if len(value) > LONGEST), None):
        raise invalid(f'LF-Tag keys and values have at most {LONGEST} characters: "{too_long}".')
    return cleaned


def _tag(here: Lake, key: str) -> Tag:
    found = here.tags.get(key.lower())
    if found is None:
        raise not_found(f"Tag key {key} does not exist")
    return found


def _may(call: Call, key: str, permission: str, values: Iterable[str] = ()) -> bool:
    wanted = TagResource(call.account, key.lower(), frozenset(values))
    return evaluate.holds(world(call.identity, call.account, call.region), call.identity.arn, wanted, permission)


def _require(call: Call, key: str, permission: str) -> None:
    if not _may(call, key, permission, ["*"]):
        raise denied(f"Insufficient Lake Formation permission(s): Required {permission} on LF-Tag {key}")


@operation("lakeformation", "CreateLFTag", exclusive=True)
def create_tag(call: Call) -> None:
    """Administrators and who holds CREATE_LF_TAG (LF-dg TBAC-adding-tag-creator)."""
    here, (key,), values = own(call), _clean([call.params["TagKey"]]), _clean(call.params["TagValues"])
    state = world(call.identity, call.account, call.region)
    if not evaluate.holds(state, call.identity.arn, CatalogResource(call.account), "CREATE_LF_TAG"):
        raise denied("Insufficient Lake Formation permission(s): Required Create LF-Tag on Catalog")
    if key in here.tags:
        raise invalid("Tag key already exists")
    here.tags[key] = Tag(values, call.identity.arn)


@operation("lakeformation", "UpdateLFTag", exclusive=True)
def update_tag(call: Call) -> None:
    """Add and delete values; one that a resource carries cannot be deleted (API reference, UpdateLFTag)."""
    here, key = own(call), call.params["TagKey"].lower()
    tag = _tag(here, key)
    _require(call, key, "ALTER")
    gone = set(_clean(call.params.get("TagValuesToDelete", ())))
    added = _clean(call.params.get("TagValuesToAdd", ()))
    if not gone and not added:
        raise invalid("Specify values to add or to delete.")
    if missing := sorted(gone - set(tag.values)):
        raise not_found(f"Tag value {missing[0]} does not exist")
    if any(tags.get(key) in gone for tags in here.assigned.values()):
        raise invalid("Update not allowed. Please untag the resources before deleting the LF-Tag value.")
    values = list(dict.fromkeys([value for value in tag.values if value not in gone] + added))
    if len(values) > MOST_VALUES:
        raise AwsError("ResourceNumberLimitExceededException", f"An LF-Tag key has at most {MOST_VALUES} values.")
    if not values:
        raise invalid("An LF-Tag key has at least one value.")
    tag.values = values


@operation("lakeformation", "DeleteLFTag", exclusive=True)
def delete_tag(call: Call) -> None:
    """In use or not: resources lose the tag and expressions that name it match nothing (API reference, DeleteLFTag)."""
    here, key = own(call), call.params["TagKey"].lower()
    _tag(here, key)
    _require(call, key, "DROP")
    del here.tags[key]
    for assigned in here.assigned.values():
        assigned.pop(key, None)


@operation("lakeformation", "GetLFTag")
def get_tag(call: Call) -> dict[str, Any]:
    here, key = own(call), call.params["TagKey"].lower()
    tag = _tag(here, key)
    if not _may(call, key, "DESCRIBE"):
        raise denied(f"Insufficient Lake Formation permission(s): Required Describe on LF-Tag {key}")
    return {"CatalogId": here.account, "TagKey": key, "TagValues": tag.values}


@operation("lakeformation", "ListLFTags")
def list_tags(call: Call) -> dict[str, Any]:
    """Those that the caller may see."""
    here = own(call)
    if call.params.get("ResourceShareType") == "FOREIGN":
        raise not_implemented("lakeformation", "ListLFTags with ResourceShareType FOREIGN")
    shown = [_pair(here, key, *here.tags[key].values) for key in sorted(here.tags) if _may(call, key, "DESCRIBE")]
    items, token = page(shown, call, 1000)
    return {"LFTags": items, "NextToken": token}


# -------------------------------------------------------------------------------------------------------- assignment
def _pair(here: Lake, key: str, *values: str) -> dict[str, Any]:
    return {"CatalogId": here.account, "TagKey": key, "TagValues": list(values)}


def _target(call: Call) -> tuple[Lake, Resource, list[Object], glue.Table | None]:
    """What a call tags: the resource, and each thing of it that carries tags of its own."""
    here, of = own(call), resource(call.params["Resource"], call.account)
    if of.catalog != here.account:
        raise denied("LF-Tags can only be assigned to resources of the account that created them.")
    if not isinstance(of, DatabaseResource | TableResource | ColumnsResource):
        raise invalid("LF-Tags are assigned to databases, tables and columns.")
    database = glue.catalog(here.account, here.region).databases.get(of.database)
    if database is None:
        raise not_found(f"Database {of.database} not found.")
    if database.target is not None:
        raise invalid("LF-Tags cannot be assigned to resource links.")
    if isinstance(of, DatabaseResource):
        return here, of, [(of.database, None, None)], None
    if of.table is None:
        raise invalid("LF-Tags cannot be assigned by a table wildcard.")
    table = database.tables.get(of.table)
    if table is None:
        raise not_found(f"Table {of.table} not found.")
    if isinstance(of, TableResource):
        if "TableWithColumns" in call.params["Resource"]:
            raise invalid("Must provide column names")
        return here, of, [(of.database, of.table, None)], table
    if of.include is None:
        raise invalid("Must provide column names")
    if missing := sorted(of.include - {*table.columns, *table.partition_keys}):
        raise not_found(f"Column {missing[0]} not found in table {of.table}.")
    return here, of, [(of.database, of.table, column) for column in sorted(of.include)], table


_NEEDED = {
    DatabaseResource: frozenset({"ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"}),
    TableResource: frozenset({"ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"}),
}
"""What one needs with grant option to tag without owning or administering (LF-dg TBAC-assigning-tags)."""


def _may_tag(state: State, call: Call, of: Resource) -> bool:
    if isinstance(of, ColumnsResource):
        of = TableResource(of.catalog, of.database, of.table)
    needed = _NEEDED[type(of)]
    return evaluate.may_grant(state, call.identity.arn, Permission(call.identity.arn, of, needed, needed)) is None


def _each(call: Call, change: Callable[[Lake, list[Object], str, str], None]) -> dict[str, Any]:
    """Apply a change for each LF-Tag of the call; those that fail are listed, the others are done (API reference)."""
    here, of, objects, _ = _target(call)
    if not _may_tag(world(call.identity, call.account, call.region), call, of):
        raise denied(f"Insufficient Lake Formation permission(s) to tag {call.params['Resource']}")
    failures = []
    for given in call.params["LFTags"]:
        try:
            if given.get("CatalogId", here.account) != here.account:
                raise invalid("LF-Tags of another account cannot be assigned.")
            if len(given["TagValues"]) != 1:
                raise invalid("A resource has one value of an LF-Tag key.")
            key, value = given["TagKey"].lower(), given["TagValues"][0].lower()
            if value not in _tag(here, key).values:
                raise not_found(f"Tag value {value} of key {key} does not exist")
            if not _may(call, key, "ASSOCIATE", [value]):
                raise denied(f"Insufficient Lake Formation permission(s): Required Associate on LF-Tag {key}")
            change(here, objects, key, value)
        except AwsError as error:
            failures.append({"LFTag": given, "Error": {"ErrorCode": error.code, "ErrorMessage": error.message}})
    return {"Failures": failures}


@operation("lakeformation", "AddLFTagsToResource", exclusive=True)
def add_tags(call: Call) -> dict[str, Any]:
    """Merge: another value of a key replaces the one before, other keys stay (LF-dg TBAC-assigning-tags)."""

    def add(here: Lake, objects: list[Object], key: str, value: str) -> None:
        if any(len(here.assigned.get(each, {}).keys() | {key}) > MOST_TAGS for each in objects):
            raise invalid(f"A resource has at most {MOST_TAGS} LF-Tags.")
        for each in objects:
            here.assigned.setdefault(each, {})[key] = value

    return _each(call, add)


@operation("lakeformation", "RemoveLFTagsFromResource", exclusive=True)
def remove_tags(call: Call) -> dict[str, Any]:
    """Remove what is assigned to the resource itself; what it inherits shows again."""

    def remove(here: Lake, objects: list[Object], key: str, value: str) -> None:
        if all(here.assigned.get(each, {}).get(key) != value for each in objects):
            raise not_found(f"Tag {key}={value} is not assigned to the resource")
        for each in objects:
            if here.assigned.get(each, {}).get(key) == value:
                del here.assigned[each][key]

    return _each(call, remove)


@operation("lakeformation", "GetResourceLFTags")
def get_resource_tags(call: Call) -> dict[str, Any]:
    """Tags of a resource and of what it lies in; with ShowAssignedLFTags only what each carries of its own."""
    here, of, objects, table = _target(call)
    state = world(call.identity, call.account, call.region)
    shown = TableResource(of.catalog, of.database, of.table) if isinstance(of, ColumnsResource) else of
    if call.identity.arn not in administrators(here) and not evaluate.holds(
        state, call.identity.arn, shown, "DESCRIBE"
    ):
        raise denied(f"Insufficient Lake Formation permission(s): Required Describe on {call.params['Resource']}")
    assigned, inherits = here.assigned, not call.params.get("ShowAssignedLFTags")
    visible = {key for key in here.tags if _may(call, key, "DESCRIBE")}

    def pairs(*levels: Object) -> list[dict[str, Any]]:
        merged: dict[str, str] = {}
        for each in levels if inherits else levels[-1:]:
            merged |= assigned.get(each, {})
        return [_pair(here, key, merged[key]) for key in sorted(merged) if key in visible]

    database: Object = objects[0][0], None, None
    result: dict[str, Any] = {"LFTagOnDatabase": pairs(database)}
    if table is not None:
        of_table: Object = table.database, table.name, None
        names = [each[2] for each in objects if each[2]] or [*table.columns, *table.partition_keys]
        columns = [(name, pairs(database, of_table, (table.database, table.name, name))) for name in names]
        result["LFTagsOnTable"] = pairs(database, of_table)
        result["LFTagsOnColumns"] = [{"Name": name, "LFTags": tags} for name, tags in columns if tags]
    return {name: found for name, found in result.items() if found}


def missing_tags(catalog: str, region: str, tags: Iterable[tuple[str, frozenset[str]]]) -> str | None:
    """The first key or value of an expression that a catalog does not have; None: it has them all."""
    known = lake(catalog, region).tags
    for key, values in tags:
        if key not in known:
            return f"Tag key {key} does not exist"
        if gone := sorted(values - {*known[key].values, "*"}):
            return f"Tag value {gone[0]} of key {key} does not exist"
    return None
