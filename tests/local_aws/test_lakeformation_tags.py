"""LF-Tags over the API."""

from __future__ import annotations

import pytest

from tests.local_aws.lake import ALL_TABLES, DATABASE, LINK, ORDERS, OWNER, RECIPIENT, Lake, columns, refused, role


@pytest.fixture
def lake(client) -> Lake:
    return Lake(client)


# ----------------------------------------------------------------------------------------------------------- ontology
def test_a_tag_lives_from_creation_to_deletion(lake):
    with refused("InvalidInputException", "already exists"):
        lake.owner.create_lf_tag(TagKey="Product", TagValues=["x"])
    lake.owner.update_lf_tag(TagKey="product", TagValuesToAdd=["Stock"], TagValuesToDelete=["returns"])
    tag = lake.owner.get_lf_tag(TagKey="product")
    assert (tag["CatalogId"], tag["TagKey"], tag["TagValues"]) == (OWNER, "product", ["orders", "stock"])
    assert [tag["TagKey"] for tag in lake.owner.list_lf_tags()["LFTags"]] == ["product", "sensitivity"]
    lake.owner.delete_lf_tag(TagKey="product")
    for call in (lake.owner.get_lf_tag, lake.owner.delete_lf_tag):
        with refused("EntityNotFoundException"):
            call(TagKey="product")


def test_a_value_in_use_cannot_be_deleted_but_its_key_can(lake):
    """API reference, UpdateLFTag and DeleteLFTag."""
    lake.tag_orders()
    with refused("InvalidInputException", "Update not allowed"):
        lake.owner.update_lf_tag(TagKey="product", TagValuesToDelete=["orders"])
    lake.owner.delete_lf_tag(TagKey="product")
    assert "LFTagsOnTable" not in lake.tags(ORDERS)


def test_an_update_must_make_sense(lake):
    with refused("EntityNotFoundException"):
        lake.owner.update_lf_tag(TagKey="product", TagValuesToDelete=["nothing"])
    with refused("InvalidInputException", "at least one value"):
        lake.owner.update_lf_tag(TagKey="product", TagValuesToDelete=["orders", "returns"])
    with refused("InvalidInputException"):
        lake.owner.update_lf_tag(TagKey="product")


def test_a_key_has_a_thousand_values_of_fifty_characters(lake):
    """LF-dg lf-tag-considerations."""
    with refused("InvalidInputException", "50 characters"):
        lake.owner.create_lf_tag(TagKey="long", TagValues=["x" * 51])
    lake.owner.create_lf_tag(TagKey="many", TagValues=["start"])
    for block in range(19):
        lake.owner.update_lf_tag(TagKey="many", TagValuesToAdd=[f"v{block}-{number}" for number in range(50)])
    lake.owner.update_lf_tag(TagKey="many", TagValuesToAdd=[f"w{number}" for number in range(49)])
    with refused("ResourceNumberLimitExceededException"):
        lake.owner.update_lf_tag(TagKey="many", TagValuesToAdd=["one-too-many"])


def test_tags_are_for_administrators_and_those_who_were_let(lake):
    """LF-dg TBAC-adding-tag-creator."""
    creator = role(lake.client, OWNER, "Creator")
    mine = lake.client.role(creator, "lakeformation")
    with refused("AccessDeniedException", "Create LF-Tag"):
        mine.create_lf_tag(TagKey="layer", TagValues=["raw"])
    lake.grant(creator, {"Catalog": {}}, "CREATE_LF_TAG")
    mine.create_lf_tag(TagKey="layer", TagValues=["raw"])
    mine.update_lf_tag(TagKey="layer", TagValuesToAdd=["curated"])
    assert [tag["TagKey"] for tag in mine.list_lf_tags()["LFTags"]] == ["layer"]
    with refused("AccessDeniedException"):
        mine.get_lf_tag(TagKey="product")
    with refused("AccessDeniedException"):
        mine.delete_lf_tag(TagKey="product")


def test_another_accounts_tags_are_out_of_reach(lake):
    with refused("AccessDeniedException"):
        lake.recipient.create_lf_tag(CatalogId=OWNER, TagKey="x", TagValues=["y"])


# --------------------------------------------------------------------------------------------------------- assignment
def test_tags_merge_and_one_value_replaces_another(lake):
    """LF-dg TBAC-assigning-tags."""
    lake.tag_orders()
    assert lake.tag(ORDERS, product="returns", sensitivity="public") == []
    assert lake.tags(ORDERS)["LFTagsOnTable"] == {"product": "returns", "sensitivity": "public"}


def test_what_is_assigned_and_what_is_inherited(lake):
    lake.tag_orders()
    assert lake.tags(ORDERS) == {
        "LFTagOnDatabase": {"sensitivity": "unreviewed"},
        "LFTagsOnTable": {"product": "orders"},
        "LFTagsOnColumns": {"id": {"sensitivity": "internal"}, "day": {"sensitivity": "internal"}},
    }
    inherited = lake.tags(columns("id", "iban"), assigned=False)
    assert inherited["LFTagsOnTable"] == {"product": "orders", "sensitivity": "unreviewed"}
    assert inherited["LFTagsOnColumns"] == {
        "id": {"product": "orders", "sensitivity": "internal"},
        "iban": {"product": "orders", "sensitivity": "unreviewed"},
    }
    assert "LFTagsOnColumns" not in lake.tags(columns("iban"))


def test_removing_a_tag_lets_the_inherited_one_show(lake):
    lake.tag_orders()
    given = [{"TagKey": "sensitivity", "TagValues": ["internal"]}]
    assert lake.owner.remove_lf_tags_from_resource(Resource=columns("id"), LFTags=given)["Failures"] == []
    assert lake.tags(columns("id"), assigned=False)["LFTagsOnColumns"]["id"]["sensitivity"] == "unreviewed"
    (failure,) = lake.owner.remove_lf_tags_from_resource(Resource=columns("id"), LFTags=given)["Failures"]
    assert failure["Error"]["ErrorCode"] == "EntityNotFoundException"


def test_what_fails_is_listed_and_the_rest_is_done(lake):
    """API reference, AddLFTagsToResource."""
    failures = lake.tag(ORDERS, nothing="x", sensitivity="secret", product="orders")
    assert [(f["LFTag"]["TagKey"], f["Error"]["ErrorCode"]) for f in failures] == [
        ("nothing", "EntityNotFoundException"),
        ("sensitivity", "EntityNotFoundException"),
    ]
    assert lake.tags(ORDERS)["LFTagsOnTable"] == {"product": "orders"}
    two = [{"TagKey": "product", "TagValues": ["orders", "returns"]}]
    (failure,) = lake.owner.add_lf_tags_to_resource(Resource=ORDERS, LFTags=two)["Failures"]
    assert failure["Error"]["ErrorCode"] == "InvalidInputException"


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ({"Database": {"Name": "nothing"}}, "EntityNotFoundException"),
        ({"Table": {"DatabaseName": "sales", "Name": "nothing"}}, "EntityNotFoundException"),
        (columns("nothing"), "EntityNotFoundException"),
        (ALL_TABLES, "InvalidInputException"),
        (
            {"TableWithColumns": {"DatabaseName": "sales", "Name": "orders", "ColumnWildcard": {}}},
            "InvalidInputException",
        ),
        ({"Catalog": {}}, "InvalidInputException"),
    ],
    ids=["database", "table", "column", "all tables", "all columns", "catalog"],
)
def test_what_cannot_carry_tags_is_refused(lake, resource, code):
    with refused(code):
        lake.tag(resource, product="orders")


def test_links_and_other_accounts_resources_carry_no_tags(lake):
    """LF-dg lf-tag-considerations."""
    lake.recipient.create_lf_tag(TagKey="product", TagValues=["orders"])
    with refused("InvalidInputException", "resource links"):
        lake.tag(LINK, client=lake.recipient, product="orders")
    with refused("AccessDeniedException"):
        lake.tag(ORDERS, client=lake.recipient, product="orders")


def test_a_resource_carries_fifty_tags(lake):
    """LF-dg lf-tag-considerations."""
    for number in range(51):
        lake.owner.create_lf_tag(TagKey=f"k{number}", TagValues=["v"])
    assert lake.tag(ORDERS, **{f"k{number}": "v" for number in range(50)}) == []
    (failure,) = lake.tag(ORDERS, k50="v")
    assert failure["Error"]["ErrorCode"] == "InvalidInputException"


def test_tagging_takes_associate_and_every_permission_with_grant_option(lake):
    """LF-dg TBAC-assigning-tags: how a role that is no administrator tags tables that others made."""
    tagger = role(lake.client, OWNER, "Tagger")
    mine = lake.client.role(tagger, "lakeformation")
    with refused("AccessDeniedException"):
        lake.tag(ORDERS, client=mine, product="orders")
    lake.grant(tagger, ALL_TABLES, "ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT", option=True)
    (failure,) = lake.tag(ORDERS, client=mine, product="orders")
    assert failure["Error"]["ErrorCode"] == "AccessDeniedException"
    for key in ("product", "sensitivity"):
        lake.grant(tagger, {"LFTag": {"TagKey": key, "TagValues": ["*"]}}, "ASSOCIATE", "DESCRIBE")
    assert lake.tag(ORDERS, client=mine, product="orders") == []
    assert lake.tag(columns("id", "day"), client=mine, sensitivity="internal") == []
    assert mine.get_resource_lf_tags(Resource=ORDERS, ShowAssignedLFTags=True)["LFTagsOnTable"][0]["TagValues"] == [
        "orders"
    ]
    with refused("AccessDeniedException"):
        lake.tag(DATABASE, client=mine, sensitivity="public")


def test_tags_are_read_by_who_may_see_the_resource(lake):
    stranger = lake.client.role(role(lake.client, OWNER, "Stranger"), "lakeformation")
    with refused("AccessDeniedException"):
        stranger.get_resource_lf_tags(Resource=ORDERS)


# ----------------------------------------------------------------------------------------------- tables come and go
def test_a_column_that_comes_back_is_unreviewed_again(lake):
    lake.tag_orders()
    for names in (["amount", "iban"], ["id", "amount", "iban"]):
        lake.glue.update_table(DatabaseName="sales", TableInput=lake.table("orders", names))
    assert lake.tags(columns("id"), assigned=False)["LFTagsOnColumns"]["id"]["sensitivity"] == "unreviewed"
    assert lake.tags(columns("day"))["LFTagsOnColumns"] == {"day": {"sensitivity": "internal"}}


def test_a_table_that_comes_back_has_neither_tags_nor_grants(lake):
    """LF-dg granting-catalog-permissions."""
    lake.tag_orders()
    local = role(lake.client, OWNER, "Local")
    lake.grant(local, ORDERS, "SELECT")
    lake.grant(local, ALL_TABLES, "DESCRIBE")
    lake.glue.delete_table(DatabaseName="sales", Name="orders")
    lake.glue.create_table(DatabaseName="sales", TableInput=lake.table("orders"))
    assert lake.tags(ORDERS) == {"LFTagOnDatabase": {"sensitivity": "unreviewed"}}
    assert [line[1]["Table"]["Name"] for line in lake.lines()] == ["ALL_TABLES"]
    lake.glue.delete_database(Name="sales")
    assert lake.lines() == []


def test_the_recipient_of_a_share_reads_no_tags(lake):
    with refused("AccessDeniedException"):
        lake.client("lakeformation", RECIPIENT).get_resource_lf_tags(Resource=ORDERS)
