"""Grants over the API: what is valid, who may, what is listed, and what Glue then shows."""

from __future__ import annotations

import pytest

from tests.local_aws.lake import (
    ALL_TABLES,
    DATABASE,
    INTERNAL,
    LINK,
    ORDERS,
    OWNER,
    RECIPIENT,
    Lake,
    columns,
    policy,
    refused,
    who,
)


@pytest.fixture
def lake(client) -> Lake:
    return Lake(client)


@pytest.fixture
def local(lake) -> str:
    return lake.role(OWNER, "Local")


@pytest.fixture
def analyst(lake) -> str:
    return lake.role(RECIPIENT, "Analyst")


# ------------------------------------------------------------------------------------------------------- listing
def test_select_on_a_table_is_listed_as_a_line_of_its_own(lake, local):
    """LF-dg lf-permissions-reference."""
    lake.grant(local, ORDERS, "SELECT", "DESCRIBE")
    base = {"CatalogId": OWNER, "DatabaseName": "sales", "Name": "orders"}
    assert lake.lines(Principal=who(local)) == [
        (local, {"Table": base}, ["DESCRIBE"], []),
        (local, {"TableWithColumns": {**base, "ColumnWildcard": {}}}, ["SELECT"], []),
    ]


def test_grants_add_up_and_revocations_take_away(lake, local):
    lake.grant(local, DATABASE, "DESCRIBE", option=True)
    lake.grant(local, DATABASE, "CREATE_TABLE")
    assert [line[2:] for line in lake.lines(Resource=DATABASE)] == [(["CREATE_TABLE", "DESCRIBE"], ["DESCRIBE"])]
    lake.revoke(local, DATABASE, "DESCRIBE")
    assert [line[2:] for line in lake.lines(Resource=DATABASE)] == [(["CREATE_TABLE"], [])]


def test_only_the_grant_option_can_be_revoked(lake, local):
    lake.grant(local, DATABASE, "DESCRIBE", option=True)
    lake.owner.revoke_permissions(
        Principal=who(local), Resource=DATABASE, Permissions=[], PermissionsWithGrantOption=["DESCRIBE"]
    )
    assert [line[2:] for line in lake.lines(Resource=DATABASE)] == [(["DESCRIBE"], [])]


def test_all_is_listed_with_what_it_stands_for(lake, local):
    """LF-dg lf-permissions-reference, Super."""
    lake.grant(local, DATABASE, "ALL")
    assert lake.lines(Resource=DATABASE)[0][2] == ["ALL", "ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"]
    lake.revoke(local, DATABASE, "DROP")
    assert lake.lines(Resource=DATABASE)[0][2] == ["ALTER", "CREATE_TABLE", "DESCRIBE"]
    lake.revoke(local, DATABASE, "ALTER", "CREATE_TABLE", "DESCRIBE")
    assert lake.lines() == []


def test_listing_filters_by_principal_resource_and_type(lake, local):
    other = lake.role(OWNER, "Other")
    for principal, resource in ((local, DATABASE), (local, ORDERS), (local, ALL_TABLES), (other, INTERNAL)):
        lake.grant(principal, resource, "DESCRIBE")
    lake.grant(other, columns("id"), "SELECT")
    assert len(lake.lines()) == 5
    assert [line[0] for line in lake.lines(Principal=who(other))] == [other, other]
    assert [line[1] for line in lake.lines(Resource=INTERNAL)] == [INTERNAL]
    assert [line[1]["Table"]["Name"] for line in lake.lines(Resource=ALL_TABLES)] == ["ALL_TABLES"]
    assert [line[1] for line in lake.lines(ResourceType="DATABASE")] == [DATABASE]
    assert [line[1] for line in lake.lines(ResourceType="LF_TAG_POLICY_TABLE")] == [INTERNAL]
    wildcard = {
        "TableWithColumns": {"CatalogId": OWNER, "DatabaseName": "sales", "Name": "orders", "ColumnWildcard": {}}
    }
    assert [line[1] for line in lake.lines(Principal=who(other), Resource=wildcard)] == [columns("id")]


def test_listing_is_paged(lake, local):
    lake.grant(local, DATABASE, "DESCRIBE")
    lake.grant(local, ORDERS, "DESCRIBE")
    first = lake.owner.list_permissions(MaxResults=1)
    second = lake.owner.list_permissions(MaxResults=1, NextToken=first["NextToken"])
    assert first["PrincipalResourcePermissions"] != second["PrincipalResourcePermissions"]
    assert "NextToken" not in second


def test_others_than_administrators_list_their_own_grants_alone(lake, local):
    lake.grant(local, DATABASE, "DESCRIBE")
    mine = lake.client.role(local, "lakeformation")
    assert len(lake.lines(mine, Principal=who(local))) == 1
    with refused("AccessDeniedException"):
        mine.list_permissions()


# ------------------------------------------------------------------------------------------------- what is not valid
def test_revoking_what_is_not_held_says_so(lake, local):
    with refused("InvalidInputException", "No permissions revoked. Grantee has no permissions"):
        lake.revoke(local, DATABASE, "DESCRIBE")
    lake.grant(local, DATABASE, "DESCRIBE")
    with refused("InvalidInputException", "Grantee does not have.*DROP"):
        lake.revoke(local, DATABASE, "DESCRIBE", "DROP")


@pytest.mark.parametrize(
    ("resource", "permission"),
    [
        (DATABASE, "SELECT"),
        (ORDERS, "CREATE_TABLE"),
        (columns("id"), "DESCRIBE"),
        (INTERNAL, "CREATE_TABLE"),
        ({"LFTag": {"TagKey": "product", "TagValues": ["orders"]}}, "SELECT"),
        ({"Catalog": {}}, "DESCRIBE"),
    ],
    ids=["database", "table", "columns", "expression", "tag", "catalog"],
)
def test_permissions_must_suit_the_resource(lake, local, resource, permission):
    """LF-dg lf-permissions-reference."""
    with refused("InvalidInputException", "cannot be granted"):
        lake.grant(local, resource, permission)


@pytest.mark.parametrize(
    "resource",
    [
        {},
        {**DATABASE, **ORDERS},
        {"Table": {"DatabaseName": "sales"}},
        {"Table": {"DatabaseName": "sales", "Name": "orders", "TableWildcard": {}}},
        {"TableWithColumns": {"DatabaseName": "sales", "Name": "orders"}},
    ],
    ids=["nothing", "two", "no table", "table and wildcard", "no columns"],
)
def test_a_grant_names_exactly_one_resource(lake, local, resource):
    with refused("InvalidInputException"):
        lake.grant(local, resource, "SELECT")


@pytest.mark.parametrize(
    "resource",
    [
        {"Database": {"Name": "nothing"}},
        {"Table": {"DatabaseName": "sales", "Name": "nothing"}},
        columns("id", "nothing"),
        policy(nothing=["x"]),
        policy(sensitivity=["secret"]),
        {"LFTag": {"TagKey": "product", "TagValues": ["nothing"]}},
    ],
    ids=["database", "table", "column", "tag key", "tag value", "tag"],
)
def test_what_is_granted_must_exist(lake, local, resource):
    permission = "DESCRIBE" if "TableWithColumns" not in resource else "SELECT"
    with refused("EntityNotFoundException"):
        lake.grant(local, resource, permission)


@pytest.mark.parametrize(
    "principal", [f"arn:aws:iam::{OWNER}:role/Nobody", f"arn:aws:iam::{RECIPIENT}:role/Nobody", OWNER]
)
def test_a_principal_must_exist_and_not_be_the_own_account(lake, principal):
    with refused("InvalidInputException", "Invalid principal"):
        lake.grant(principal, DATABASE, "DESCRIBE")


def test_what_is_not_modelled_is_refused_by_name(lake, local):
    with refused("NotImplementedByLocalAws", "organization"):
        lake.grant(f"arn:aws:organizations::{OWNER}:organization/o-a1b2c3d4e5", DATABASE, "DESCRIBE")
    with refused("NotImplementedByLocalAws", "Condition"):
        lake.owner.grant_permissions(
            Principal=who(local), Resource=DATABASE, Permissions=["DESCRIBE"], Condition={"Expression": "x"}
        )


def test_the_grant_option_is_for_permissions_that_are_granted(lake, local):
    with refused("InvalidInputException", "subset"):
        lake.owner.grant_permissions(
            Principal=who(local), Resource=DATABASE, Permissions=["DESCRIBE"], PermissionsWithGrantOption=["DROP"]
        )


def test_select_on_some_columns_has_no_grant_option_and_no_describe_beside_it(lake, local):
    """LF-dg lf-permissions-reference."""
    with refused("InvalidInputException", "grant option"):
        lake.grant(local, columns("id"), "SELECT", option=True)
    lake.grant(local, columns("id"), "SELECT")
    with refused("InvalidInputException", "SELECT on some columns"):
        lake.grant(local, ORDERS, "DESCRIBE")
    other = lake.role(OWNER, "Other")
    lake.grant(other, ORDERS, "DESCRIBE")
    with refused("InvalidInputException", "SELECT on some columns"):
        lake.grant(other, columns("id"), "SELECT")


def test_a_resource_link_takes_describe_and_drop_alone(lake, analyst):
    """LF-dg granting-link-permissions."""
    lake.grant(analyst, LINK, "DESCRIBE", client=lake.recipient)
    with refused("InvalidInputException", "resource link"):
        lake.grant(analyst, LINK, "CREATE_TABLE", client=lake.recipient)


def test_a_location_must_be_registered_before_it_is_granted(lake, local):
    with refused("InvalidInputException", "register the S3 path"):
        lake.grant(local, {"DataLocation": {"ResourceArn": "arn:aws:s3:::lake/orders"}}, "DATA_LOCATION_ACCESS")


def test_a_principal_holds_fifty_expressions_of_900_bytes(lake, local):
    """LF-dg lf-tag-considerations."""
    values = [f"v{number}" for number in range(50)]
    lake.owner.create_lf_tag(TagKey="many", TagValues=values)
    for value in values:
        lake.grant(local, policy(many=[value]), "SELECT")
    lake.grant(local, policy(many=["v0"]), "DESCRIBE")
    with refused("InvalidInputException", "at most 50"):
        lake.grant(local, INTERNAL, "SELECT")
    long = [f"{number:050d}" for number in range(18)]
    lake.owner.create_lf_tag(TagKey="long", TagValues=long)
    with refused("InvalidInputException", "900 bytes"):
        lake.grant(lake.role(OWNER, "Other"), policy(long=long), "SELECT")


# ---------------------------------------------------------------------------------------------------------- batches
def test_each_entry_of_a_batch_stands_for_itself(lake, local):
    entries = [
        {
            "Id": "good",
            "Principal": who(local),
            "Resource": DATABASE,
            "Permissions": ["DESCRIBE"],
            "PermissionsWithGrantOption": ["DESCRIBE"],
        },
        {
            "Id": "bad",
            "Principal": who(local),
            "Resource": {"Database": {"Name": "nothing"}},
            "Permissions": ["DESCRIBE"],
        },
    ]
    (failure,) = lake.owner.batch_grant_permissions(Entries=entries)["Failures"]
    assert (failure["RequestEntry"]["Id"], failure["Error"]["ErrorCode"]) == ("bad", "EntityNotFoundException")
    assert [line[2:] for line in lake.lines()] == [(["DESCRIBE"], ["DESCRIBE"])]
    (failure,) = lake.owner.batch_revoke_permissions(Entries=entries)["Failures"]
    assert (failure["RequestEntry"]["Id"], failure["Error"]["ErrorCode"]) == ("bad", "InvalidInputException")
    assert lake.lines() == []


# --------------------------------------------------------------------------------------------------------- who may
def test_others_than_administrators_grant_what_they_hold_with_grant_option(lake, local):
    other = lake.role(OWNER, "Other")
    mine = lake.client.role(local, "lakeformation")
    with refused("AccessDeniedException", "no SELECT with grant option"):
        lake.grant(other, ORDERS, "SELECT", client=mine)
    lake.grant(local, ORDERS, "SELECT", option=True)
    lake.grant(other, ORDERS, "SELECT", client=mine)
    assert lake.shown(other) == ["id", "amount", "iban", "day"]


def test_a_role_that_is_made_an_administrator_may_grant(lake, local):
    lake.owner.put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": [who(local)]})
    lake.grant(lake.role(OWNER, "Other"), ORDERS, "SELECT", client=lake.client.role(local, "lakeformation"))


# -------------------------------------------------------------------------------------------------- other accounts
def share_orders(lake: Lake) -> None:
    lake.tag_orders()
    lake.grant(RECIPIENT, DATABASE, "DESCRIBE", option=True)
    lake.grant(RECIPIENT, INTERNAL, "SELECT", option=True)


def pass_on(lake: Lake, principal: str) -> None:
    for resource, permission in ((DATABASE, "DESCRIBE"), (INTERNAL, "SELECT"), (LINK, "DESCRIBE")):
        lake.grant(principal, resource, permission, client=lake.recipient)


def test_the_account_path_end_to_end(lake, analyst):
    share_orders(lake)
    with refused("AccessDeniedException", "has not accepted"):
        pass_on(lake, analyst)
    assert len(lake.accept()) == 2
    assert lake.shown(analyst) is None
    pass_on(lake, analyst)
    assert lake.shown(analyst) == ["id", "day"]
    assert lake.shown(analyst, "returns") is None
    assert {line[1].keys().__iter__().__next__() for line in lake.lines(lake.recipient)} == {"Database", "LFTagPolicy"}


def test_revoking_the_accounts_grant_cuts_those_below_and_they_can_still_be_revoked(lake, analyst):
    """Best practices guide, upgrading-cross-account-versions."""
    share_orders(lake)
    lake.accept()
    pass_on(lake, analyst)
    lake.revoke(RECIPIENT, INTERNAL, "SELECT")
    assert lake.shown(analyst) is None
    lake.revoke(analyst, INTERNAL, "SELECT", client=lake.recipient)
    assert lake.lines(lake.recipient, Resource=INTERNAL) == []


def test_the_direct_path_end_to_end(lake, analyst):
    lake.tag_orders()
    lake.grant(RECIPIENT, DATABASE, "DESCRIBE", option=True)
    lake.grant(analyst, INTERNAL, "SELECT")
    lake.accept()
    for resource in (DATABASE, LINK):
        lake.grant(analyst, resource, "DESCRIBE", client=lake.recipient)
    assert lake.shown(analyst) == ["id", "day"]
    lake.revoke(analyst, INTERNAL, "SELECT")
    assert lake.shown(analyst) is None


def test_a_new_share_waits_for_its_own_acceptance_and_cuts_nothing_else(lake, analyst):
    share_orders(lake)
    lake.accept()
    pass_on(lake, analyst)
    lake.grant(
        RECIPIENT, {"Table": {"CatalogId": OWNER, "DatabaseName": "sales", "Name": "returns"}}, "SELECT", option=True
    )
    assert lake.shown(analyst) == ["id", "day"]


def test_a_recipient_passes_on_nothing_but_the_very_expression(lake, analyst):
    """LF-dg permission-cascading-rules."""
    share_orders(lake)
    lake.accept()
    for other in (policy(product=["orders"], sensitivity=["internal", "public"]), policy(product=["orders"])):
        with refused("AccessDeniedException", "may not pass on"):
            lake.grant(analyst, other, "SELECT", client=lake.recipient)


def test_rules_of_sharing(lake, analyst):
    """LF-dg cross-account-notes, TBAC-granting-tags, optimize-ram."""
    tag = {"LFTag": {"TagKey": "product", "TagValues": ["orders"]}}
    with refused("InvalidInputException", "DROP and Super"):
        lake.grant(RECIPIENT, DATABASE, "DROP")
    with refused("InvalidInputException", "grant option"):
        lake.grant(RECIPIENT, tag, "DESCRIBE")
    lake.grant(RECIPIENT, tag, "DESCRIBE", option=True)
    with refused("InvalidInputException", "link cannot be shared"):
        lake.grant(OWNER, LINK, "DESCRIBE", client=lake.recipient)
    with refused("AccessDeniedException", "can only be granted to principals of account"):
        lake.grant("300000000003", DATABASE, "DESCRIBE", client=lake.recipient)
    with refused("NotImplementedByLocalAws"):
        lake.grant(RECIPIENT, {"Catalog": {}}, "CREATE_DATABASE")


@pytest.mark.parametrize("version", ["1", "2"])
def test_principals_of_other_accounts_and_expressions_need_version_3(lake, analyst, version):
    lake.owner.put_data_lake_settings(DataLakeSettings={"Parameters": {"CROSS_ACCOUNT_VERSION": version}})
    lake.grant(RECIPIENT, DATABASE, "DESCRIBE")
    for principal, resource in ((analyst, ORDERS), (RECIPIENT, INTERNAL)):
        with refused("InvalidInputException", f"it is {version}"):
            lake.grant(principal, resource, "SELECT")


def test_what_iam_allowed_principals_hold_cannot_be_shared(lake):
    """LF-dg cross-account-prereqs."""
    lake.grant("IAM_ALLOWED_PRINCIPALS", ORDERS, "ALL")
    for resource in (ORDERS, ALL_TABLES, columns("id")):
        with refused("AccessDeniedException", "IAMAllowedPrincipals"):
            lake.grant(RECIPIENT, resource, "SELECT")
    lake.grant(RECIPIENT, DATABASE, "DESCRIBE")
    lake.revoke("IAM_ALLOWED_PRINCIPALS", ORDERS, "ALL")
    lake.grant(RECIPIENT, ORDERS, "SELECT")
