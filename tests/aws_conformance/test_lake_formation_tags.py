"""LF-Tags: the ontology, assignment, inheritance, and what an expression reaches."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.aws_conformance.assumptions import Confidence, assumption
from tests.aws_conformance.lake import COLUMNS, KEYS, ON_TABLES, Lake
from tests.aws_conformance.waiting import allowed, eventually, failures_of, refused

DOCUMENTED, INFERRED = Confidence.DOCUMENTED, Confidence.INFERRED
NOT_THERE = ("EntityNotFoundException", "InvalidInputException")


def assigned(lake: Lake, resource: dict[str, Any], level: str, tags: Any, *, own: bool = True) -> None:
    """Wait until a level of a resource carries exactly these tags."""

    def look() -> None:
        found = lake.tags(resource, assigned=own).get(level, {})
        assert found == tags, f"{level} carries {found}"

    eventually(look)


# ------------------------------------------------------------------------------------------------------------ ontology
@assumption("LF lf-tag-considerations", DOCUMENTED)
def test_tags_are_lower_case(lake: Lake) -> None:
    """Keys and values of LF-Tags are stored in lower case."""
    key = lake.tag("Public", what="Level")
    found = eventually(partial(lake.lf.get_lf_tag, TagKey=key.lower()))
    assert (found["TagKey"], found["TagValues"]) == (key.lower(), ["public"])


@assumption("LF-API API_CreateLFTag", INFERRED)
def test_a_key_exists_once(lake: Lake) -> None:
    """CreateLFTag with a key that exists is an error of the caller, and changes nothing."""
    key = lake.tag("public")
    refused(("InvalidInputException", "AlreadyExistsException"), lake.lf.create_lf_tag, TagKey=key, TagValues=["other"])
    assert lake.lf.get_lf_tag(TagKey=key)["TagValues"] == ["public"]


@assumption("LF-API API_CreateLFTag", DOCUMENTED)
def test_a_call_takes_fifty_values(lake: Lake) -> None:
    """CreateLFTag takes at most 50 values a call; UpdateLFTag adds more."""
    key = lake.names("many")
    lake.undo.later(lake.lf.delete_lf_tag, TagKey=key)
    values = [f"v{number}" for number in range(51)]
    refused(("ValidationException", "InvalidInputException"), lake.lf.create_lf_tag, TagKey=key, TagValues=values)
    allowed(lake.lf.create_lf_tag, TagKey=key, TagValues=values[:50])
    allowed(lake.lf.update_lf_tag, TagKey=key, TagValuesToAdd=values[50:])


@assumption("LF lf-tag-considerations", DOCUMENTED)
def test_values_have_fifty_characters(lake: Lake) -> None:
    """A value of an LF-Tag has at most 50 characters."""
    key = lake.names("long")
    lake.undo.later(lake.lf.delete_lf_tag, TagKey=key)
    refused(("InvalidInputException", "ValidationException"), lake.lf.create_lf_tag, TagKey=key, TagValues=["x" * 51])


@assumption("LF lf-tag-considerations", DOCUMENTED)
def test_a_key_has_a_thousand_values(lake: Lake) -> None:
    """A key has at most 1,000 values (a quota that AWS may raise: lakemesh reads it from mesh.yaml)."""
    key = lake.tag("first")
    for block in range(19):
        lake.lf.update_lf_tag(TagKey=key, TagValuesToAdd=[f"v{block}-{number}" for number in range(50)])
    lake.lf.update_lf_tag(TagKey=key, TagValuesToAdd=[f"w{number}" for number in range(49)])
    refused(
        ("ResourceNumberLimitExceededException", "InvalidInputException"), lake.lf.update_lf_tag,
        TagKey=key, TagValuesToAdd=["one-too-many"],
    )  # fmt: skip


@assumption("LF-API API_UpdateLFTag", DOCUMENTED)
def test_a_value_in_use_is_kept(lake: Lake) -> None:
    """UpdateLFTag refuses to delete a value that a resource carries."""
    database, key = lake.database(), lake.tag("public", "internal")
    assert lake.assign(lake.on_database(database), **{key: "public"}) == []
    eventually(
        partial(refused, "InvalidInputException", lake.lf.update_lf_tag, TagKey=key, TagValuesToDelete=["public"])
    )


@assumption("LF-API API_DeleteLFTag", DOCUMENTED)
def test_a_key_in_use_is_deleted(lake: Lake) -> None:
    """DeleteLFTag deletes a key that resources carry: they lose it, and grants that name it reach nothing."""
    database, key = lake.database(), lake.tag("public")
    lake.table(database)
    assert lake.assign(lake.on_table(database), **{key: "public"}) == []
    allowed(lake.lf.delete_lf_tag, TagKey=key)
    assigned(lake, lake.on_table(database), "table", {})


@assumption("LF TBAC-adding-tag-creator", DOCUMENTED)
def test_tags_are_made_by_administrators(lake: Lake) -> None:
    """Who is no administrator makes LF-Tags with CREATE_LF_TAG on the catalog only, and may change its own."""
    creator, key = lake.stranger(), lake.names("layer")
    lf = creator("lakeformation")
    lake.undo.later(lake.lf.delete_lf_tag, TagKey=key)
    refused("AccessDeniedException", lf.create_lf_tag, TagKey=key, TagValues=["raw"])
    lake.grant(creator, {"Catalog": {}}, "CREATE_LF_TAG")
    eventually(partial(lf.create_lf_tag, TagKey=key, TagValues=["raw"]))
    allowed(lf.update_lf_tag, TagKey=key, TagValuesToAdd=["curated"])


@assumption("LF TBAC-managing-LF-Tag-permissions", DOCUMENTED)
def test_other_peoples_tags_are_hidden(lake: Lake) -> None:
    """ListLFTags shows who is no administrator only the LF-Tags on which it holds DESCRIBE, or which it made."""
    key, stranger = lake.tag("public"), lake.stranger()
    lf = stranger("lakeformation")

    def keys() -> list[str]:
        pages = lf.get_paginator("list_lf_tags").paginate()
        return [tag["TagKey"] for page in pages for tag in page["LFTags"] if tag["TagKey"] == key]

    assert eventually(keys) == []
    lake.grant(stranger, lake.on_tag(key, "public"), "DESCRIBE")
    assert lake.until(keys, [key]) == [key]


# ---------------------------------------------------------------------------------------------------------- assignment
@assumption("LF TBAC-assigning-tags", DOCUMENTED)
def test_tags_merge(lake: Lake) -> None:
    """AddLFTagsToResource adds to the LF-Tags that a resource carries: it does not replace the others."""
    database, first, second = lake.database(), lake.tag("a"), lake.tag("b")
    assert lake.assign(lake.on_database(database), **{first: "a"}) == []
    assert lake.assign(lake.on_database(database), **{second: "b"}) == []
    assigned(lake, lake.on_database(database), "database", {first: "a", second: "b"})


@assumption("LF lf-tag-considerations", DOCUMENTED)
def test_a_key_has_one_value_a_resource(lake: Lake) -> None:
    """A resource carries one value of a key: assigning another replaces it."""
    database, key = lake.database(), lake.tag("a", "b")
    for value in ("a", "b"):
        assert lake.assign(lake.on_database(database), **{key: value}) == []
    assigned(lake, lake.on_database(database), "database", {key: "b"})


@assumption("LF-API API_AddLFTagsToResource", DOCUMENTED)
def test_an_unknown_tag_is_a_failure(lake: Lake) -> None:
    """AddLFTagsToResource lists an unknown key or value in Failures, with an error code for each.

    Whether the call answers 200 with Failures or an error where *all* tags are wrong is the service's: lakemesh treats
    both as not done, and reads the tags back.
    """
    database, key = lake.database(), lake.tag("a")
    failures = lake.assign(lake.on_database(database), **{key: "a", lake.names("nothing"): "x"})
    assert [failure["Error"]["ErrorCode"] for failure in failures] == ["EntityNotFoundException"], failures
    assert failures[0]["LFTag"]["TagKey"] != key


@assumption("LF-API API_AddLFTagsToResource", INFERRED)
def test_one_wrong_tag_keeps_no_other_back(lake: Lake) -> None:
    """Of several LF-Tags in a call the good ones are assigned though another is in Failures.

    lakemesh reads tags back after it assigned them, so it would notice if none were.
    """
    database, key = lake.database(), lake.tag("a")
    lake.assign(lake.on_database(database), **{lake.names("nothing"): "x", key: "a"})
    assigned(lake, lake.on_database(database), "database", {key: "a"})


@assumption("LF TBAC-assigning-tags", DOCUMENTED)
def test_tags_are_inherited(lake: Lake) -> None:
    """Tables inherit the LF-Tags of their database, and columns those of their table."""
    database, key = lake.database(), lake.tag("unreviewed")
    lake.table(database)
    assert lake.assign(lake.on_database(database), **{key: "unreviewed"}) == []
    assigned(lake, lake.on_table(database), "table", {key: "unreviewed"}, own=False)
    columns = {column: {key: "unreviewed"} for column in ("id", "iban")}
    assigned(lake, lake.on_columns(database, "id", "iban"), "columns", columns, own=False)


@assumption("LF TBAC-assigning-tags", DOCUMENTED)
def test_inherited_values_are_overridden(lake: Lake) -> None:
    """A column that is given a value of a key itself carries that value instead of the inherited one."""
    database, key = lake.database(), lake.tag("unreviewed", "internal")
    lake.table(database)
    lake.assign(lake.on_database(database), **{key: "unreviewed"})
    assert lake.assign(lake.on_columns(database, "id"), **{key: "internal"}) == []
    columns = {"id": {key: "internal"}, "iban": {key: "unreviewed"}}
    assigned(lake, lake.on_columns(database, "id", "iban"), "columns", columns, own=False)


@assumption("LF-API API_GetResourceLFTags", DOCUMENTED)
def test_what_is_assigned_can_be_told_from_what_is_inherited(lake: Lake) -> None:
    """GetResourceLFTags with ShowAssignedLFTags shows what a resource carries itself, and nothing inherited."""
    database, key, other = lake.database(), lake.tag("unreviewed"), lake.tag("orders")
    lake.table(database)
    lake.assign(lake.on_database(database), **{key: "unreviewed"})
    lake.assign(lake.on_table(database), **{other: "orders"})
    assigned(lake, lake.on_table(database), "table", {other: "orders"})


@assumption("LF-API API_RemoveLFTagsFromResource", DOCUMENTED)
def test_removing_a_tag_shows_the_inherited_one(lake: Lake) -> None:
    """RemoveLFTagsFromResource removes what is assigned; the inherited value shows again."""
    database, key = lake.database(), lake.tag("unreviewed", "internal")
    lake.table(database)
    lake.assign(lake.on_database(database), **{key: "unreviewed"})
    lake.assign(lake.on_columns(database, "id"), **{key: "internal"})
    gone = [{"TagKey": key, "TagValues": ["internal"]}]
    answer = allowed(lake.lf.remove_lf_tags_from_resource, Resource=lake.on_columns(database, "id"), LFTags=gone)
    assert answer.get("Failures", []) == []
    assigned(lake, lake.on_columns(database, "id"), "columns", {"id": {key: "unreviewed"}}, own=False)


@assumption("LF TBAC-assigning-tags", DOCUMENTED)
def test_a_new_column_inherits(lake: Lake) -> None:
    """A column that UpdateTable adds carries the LF-Tags of its table, and no other."""
    database, key = lake.database(), lake.tag("unreviewed", "internal")
    lake.table(database)
    lake.assign(lake.on_database(database), **{key: "unreviewed"})
    lake.assign(lake.on_columns(database, *COLUMNS, *KEYS), **{key: "internal"})
    changed = lake.table_input(columns=[*COLUMNS, "ssn"])
    lake.glue.update_table(DatabaseName=database, TableInput=changed)
    assigned(lake, lake.on_columns(database, "ssn"), "columns", {"ssn": {key: "unreviewed"}}, own=False)


@assumption("LF granting-catalog-permissions", INFERRED)
def test_a_table_that_comes_back_carries_nothing(lake: Lake) -> None:
    """A table that is deleted and made again under its name has neither the LF-Tags nor the grants of the first."""
    database, key, reader = lake.database(), lake.tag("public"), lake.stranger()
    lake.table(database)
    lake.assign(lake.on_table(database), **{key: "public"})
    lake.grant(reader, lake.on_table(database), "SELECT")
    lake.glue.delete_table(DatabaseName=database, Name="orders")
    eventually(partial(refused, "EntityNotFoundException", lake.glue.get_table, DatabaseName=database, Name="orders"))
    lake.table(database)
    assigned(lake, lake.on_table(database), "table", {})
    lake.hides(reader, database)


@assumption("LF-API API_AddLFTagsToResource", INFERRED)
def test_column_tags_name_their_columns(lake: Lake) -> None:
    """LF-Tags are assigned to columns by name: a column wildcard is refused."""
    database, key = lake.database(), lake.tag("public")
    lake.table(database)
    wildcard = {"CatalogId": lake.owner.id, "DatabaseName": database, "Name": "orders", "ColumnWildcard": {}}
    refused(
        "InvalidInputException", lake.lf.add_lf_tags_to_resource,
        Resource={"TableWithColumns": wildcard}, LFTags=[{"TagKey": key, "TagValues": ["public"]}],
    )  # fmt: skip


@assumption("LF-API API_AddLFTagsToResource", DOCUMENTED)
def test_a_missing_resource_is_not_found(lake: Lake) -> None:
    """Assigning an LF-Tag to a table or column that is not there is an error, not an entry of Failures."""
    database, key = lake.database(), lake.tag("public")
    lake.table(database)
    given = [{"TagKey": key, "TagValues": ["public"]}]
    for missing in (lake.on_table(database, "nothing"), lake.on_columns(database, "nothing")):
        refused(NOT_THERE, lake.lf.add_lf_tags_to_resource, Resource=missing, LFTags=given)


@assumption("LF lf-tag-considerations", DOCUMENTED)
def test_a_resource_carries_fifty_tags(lake: Lake) -> None:
    """A resource carries at most 50 LF-Tags."""
    database = lake.database()
    keys = [lake.tag("v", what="k") for _ in range(51)]
    for start in (0, 25):
        assert lake.assign(lake.on_database(database), **dict.fromkeys(keys[start : start + 25], "v")) == []

    given = {"Resource": lake.on_database(database), "LFTags": [{"TagKey": keys[50], "TagValues": ["v"]}]}
    assert failures_of(lake.lf.add_lf_tags_to_resource, **given), "the 51st LF-Tag was assigned"


@assumption("LF TBAC-assigning-tags", DOCUMENTED)
def test_tagging_takes_grants_and_associate(lake: Lake) -> None:
    """Who is no administrator tags a table with ASSOCIATE on the LF-Tag and the table's permissions with grant option.

    lakemesh's tag handler holds these for ALL_TABLES of its twins (components/table_tags.py).
    """
    database, key, tagger = lake.database(), lake.tag("internal"), lake.stranger()
    lake.table(database)
    given = {"Resource": lake.on_table(database), "LFTags": [{"TagKey": key, "TagValues": ["internal"]}]}
    lf = tagger("lakeformation")
    refused(("AccessDeniedException", "EntityNotFoundException"), lf.add_lf_tags_to_resource, **given)
    lake.grant(tagger, lake.on_all_tables(database), *ON_TABLES, option=True)
    lake.grant(tagger, lake.on_tag(key, "internal"), "ASSOCIATE", "DESCRIBE")

    def tag() -> None:
        assert allowed(lf.add_lf_tags_to_resource, **given).get("Failures", []) == []

    eventually(tag)


@assumption("LF TBAC-assigning-tags", DOCUMENTED)
def test_tagging_takes_associate(lake: Lake) -> None:
    """All permissions on a table with grant option, without ASSOCIATE on the LF-Tag, do not let one assign it."""
    database, key, tagger = lake.database(), lake.tag("internal"), lake.stranger()
    lake.table(database)
    lake.grant(tagger, lake.on_all_tables(database), *ON_TABLES, option=True)
    given = {"Resource": lake.on_table(database), "LFTags": [{"TagKey": key, "TagValues": ["internal"]}]}
    lf = tagger("lakeformation")

    def not_done() -> None:
        failures = failures_of(lf.add_lf_tags_to_resource, **given)
        assert set(failures) <= {"AccessDeniedException", "EntityNotFoundException"}, failures
        assert failures, "the LF-Tag was assigned"

    eventually(not_done)
    assigned(lake, lake.on_table(database), "table", {})


# --------------------------------------------------------------------------------------------------------- expressions
@assumption("LF lf-tag-considerations", DOCUMENTED)
def test_all_keys_of_an_expression_must_match(lake: Lake) -> None:
    """An expression reaches what carries one of the named values of *every* key that it names."""
    database, product, level = lake.database(), lake.tag("orders"), lake.tag("public", "internal", "secret")
    reader = lake.stranger()
    lake.table(database, "one")
    lake.table(database, "two")
    lake.assign(lake.on_table(database, "one"), **{product: "orders", level: "internal"})
    lake.assign(lake.on_table(database, "two"), **{product: "orders", level: "secret"})
    lake.grant(reader, lake.by_tags({product: ["orders"], level: ["public", "internal"]}), "SELECT")
    lake.shows(reader, database, *COLUMNS, *KEYS, table="one")
    lake.hides(reader, database, "two")


@assumption("LF lf-tag-considerations", DOCUMENTED)
def test_keys_that_are_not_named_do_not_restrict(lake: Lake) -> None:
    """An expression that does not name a key reaches whatever value of it something carries.

    This is why every data grant of lakemesh names sensitivity.
    """
    database, product, level, reader = lake.database(), lake.tag("orders"), lake.tag("secret"), lake.stranger()
    lake.table(database)
    lake.assign(lake.on_table(database), **{product: "orders", level: "secret"})
    lake.grant(reader, lake.by_tags({product: ["orders"]}), "SELECT")
    lake.shows(reader, database, *COLUMNS, *KEYS)


@assumption("LF managing-dl-tutorial", DOCUMENTED)
def test_columns_match_though_their_table_does_not(lake: Lake) -> None:
    """Columns whose own LF-Tags match an expression are readable though the table's do not match; others are hidden."""
    database, level, reader = lake.database(), lake.tag("unreviewed", "internal"), lake.stranger()
    lake.table(database)
    lake.assign(lake.on_database(database), **{level: "unreviewed"})
    lake.assign(lake.on_columns(database, "id", "day"), **{level: "internal"})
    lake.grant(reader, lake.by_tags({level: ["internal"]}), "SELECT")
    lake.shows(reader, database, "id", "day")


@assumption("LF lf-tag-considerations", DOCUMENTED)
def test_an_unreviewed_column_is_readable_by_nobody(lake: Lake) -> None:
    """A column that overrides a matching table's value with another one is not readable by the expression."""
    database, level, reader = lake.database(), lake.tag("unreviewed", "internal"), lake.stranger()
    lake.table(database)
    lake.assign(lake.on_table(database), **{level: "internal"})
    lake.assign(lake.on_columns(database, "iban"), **{level: "unreviewed"})
    lake.grant(reader, lake.by_tags({level: ["internal"]}), "SELECT")
    lake.shows(reader, database, "id", "amount", "day")


@assumption("LF lf-permissions-reference", DOCUMENTED)
def test_a_named_grant_bypasses_tags(lake: Lake) -> None:
    """Permissions are a union: a grant by name reaches columns that no expression of the principal matches.

    lakemesh grants SELECT by name only where a declaration names the columns.
    """
    database, level, reader = lake.database(), lake.tag("secret"), lake.stranger()
    lake.table(database)
    lake.assign(lake.on_table(database), **{level: "secret"})
    lake.grant(reader, lake.on_table(database), "SELECT")
    lake.shows(reader, database, *COLUMNS, *KEYS)


@assumption("LF lf-tag-considerations", DOCUMENTED)
def test_an_expression_has_900_bytes(lake: Lake) -> None:
    """An LF-Tag expression in a grant has at most 900 bytes.

    How they are counted is not documented: lakemesh counts the expression's JSON and refuses early.
    """
    values = [f"{number:050d}" for number in range(25)]
    key = lake.tag(*values, what="long")
    given = lake.granting(lake.local_reader, lake.by_tags({key: values}), "SELECT")
    refused(("InvalidInputException", "ResourceNumberLimitExceededException"), lake.lf.grant_permissions, **given)


@assumption("LF-API API_GrantPermissions", DOCUMENTED)
def test_what_an_expression_names_must_exist(lake: Lake) -> None:
    """A grant by an expression with an unknown key or value is refused."""
    key = lake.tag("public")
    for tags in ({lake.names("nothing"): ["x"]}, {key: ["nothing"]}):
        given = lake.granting(lake.local_reader, lake.by_tags(tags), "SELECT")
        refused(NOT_THERE, lake.lf.grant_permissions, **given)
