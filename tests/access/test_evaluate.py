"""Verdicts written by hand from the page of the Lake Formation developer guide that each test names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from lakemesh.access.evaluate import database_access, holds, may_grant, table_access
from lakemesh.access.state import (
    IAM_ALLOWED_PRINCIPALS,
    CatalogResource,
    CatalogState,
    ColumnsResource,
    DatabaseResource,
    DatabaseState,
    DataLocationResource,
    Permission,
    Resource,
    State,
    TableResource,
    TableState,
    TagPolicyResource,
    TagResource,
    expression,
)

OWNER, CONSUMER, OTHER = "100000000001", "200000000002", "300000000003"
ADMIN = f"arn:aws:iam::{OWNER}:role/Admin"
LOCAL = f"arn:aws:iam::{OWNER}:role/path/Local"
ANALYST = f"arn:aws:iam::{CONSUMER}:role/Analyst"
CONSUMER_ADMIN = f"arn:aws:iam::{CONSUMER}:role/ConsumerAdmin"

ORDERS = TableState(
    columns=("id", "amount", "iban", "note"),
    partition_keys=("day",),
    tags={"product": "orders"},
    column_tags={
        "id": {"sensitivity": "internal"},
        "amount": {"sensitivity": "internal"},
        "iban": {"sensitivity": "restricted"},
        "day": {"sensitivity": "internal"},
    },
    creator=f"arn:aws:iam::{OWNER}:role/Sync",
)
ALL_COLUMNS = {"id", "amount", "iban", "note", "day"}
DATABASE = DatabaseState(tags={"domain": "sales", "sensitivity": "unreviewed"}, tables={"orders": ORDERS})

SALES = DatabaseResource(OWNER, "sales")
TABLE = TableResource(OWNER, "sales", "orders")
LINK = DatabaseResource(CONSUMER, "sales")


def policy(kind: str = "TABLE", **tags: Iterable[str]) -> TagPolicyResource:
    return TagPolicyResource(OWNER, kind, expression(tags))


INTERNAL = policy(product=["orders"], sensitivity=["internal"])


def grant(principal: str, resource: Resource, *permissions: str, option: Iterable[str] = ()) -> Permission:
    return Permission(principal, resource, frozenset(permissions), frozenset(option))


def shared(resource: Resource, *permissions: str) -> Permission:
    """A grant to the consumer's account, with grant option."""
    return grant(CONSUMER, resource, *permissions, option=permissions)


def world(
    *permissions: Permission,
    local: Iterable[Permission] = (),
    accepted: bool = True,
    databases: Mapping[str, DatabaseState] | None = None,
) -> State:
    return State({
        OWNER: CatalogState(
            OWNER,
            administrators=frozenset({ADMIN}),
            permissions=frozenset(permissions),
            databases={"sales": DATABASE} if databases is None else databases,
            tag_creators={"sensitivity": LOCAL},
        ),
        CONSUMER: CatalogState(
            CONSUMER,
            administrators=frozenset({CONSUMER_ADMIN}),
            permissions=frozenset(local),
            databases={"sales": DatabaseState(link_to=(OWNER, "sales"))},
            shares_accepted_from=frozenset({OWNER} if accepted else ()),
        ),
    })  # fmt: skip


def selectable(state: State, principal: str, catalog: str = OWNER) -> set[str]:
    return set(table_access(state, principal, catalog, "sales", "orders").selectable)


def visible(state: State, principal: str, catalog: str = OWNER) -> set[str]:
    return set(table_access(state, principal, catalog, "sales", "orders").visible)


ACCOUNT_PATH = (shared(SALES, "DESCRIBE"), shared(INTERNAL, "SELECT"))
PASSED_ON = (
    grant(ANALYST, SALES, "DESCRIBE"),
    grant(ANALYST, INTERNAL, "SELECT"),
    grant(ANALYST, LINK, "DESCRIBE"),
)


# ------------------------------------------------------------------------------------------------------ named grants
def test_nobody_sees_a_table_without_a_grant():
    access = table_access(world(), LOCAL, OWNER, "sales", "orders")
    assert not access.described
    assert access.visible == access.selectable == frozenset()
    assert access.reasons["iban"] == ("no grant matches domain=sales, product=orders, sensitivity=restricted",)


def test_describe_shows_every_column_and_reads_none():
    """lf-permissions-reference, DESCRIBE."""
    state = world(grant(LOCAL, TABLE, "DESCRIBE"))
    assert visible(state, LOCAL) == ALL_COLUMNS
    assert selectable(state, LOCAL) == set()


def test_select_on_a_table_reads_every_column_whatever_its_tags():
    """lf-tag-considerations: a named grant is not restricted by LF-Tags."""
    assert selectable(world(grant(LOCAL, TABLE, "SELECT")), LOCAL) == ALL_COLUMNS


def test_a_grant_on_all_tables_reaches_each_table():
    """lf-permissions-reference, ALL_TABLES."""
    assert selectable(world(grant(LOCAL, TableResource(OWNER, "sales", None), "SELECT")), LOCAL) == ALL_COLUMNS


def test_partial_select_shows_only_its_columns():
    """lf-permissions-reference: GetTable returns the columns that the caller may see."""
    state = world(grant(LOCAL, ColumnsResource(OWNER, "sales", "orders", frozenset({"id"})), "SELECT"))
    assert visible(state, LOCAL) == selectable(state, LOCAL) == {"id", "day"}


def test_partition_keys_cannot_be_withheld():
    """data-filtering-notes."""
    without = ColumnsResource(OWNER, "sales", "orders", None, frozenset({"iban", "day"}))
    assert selectable(world(grant(LOCAL, without, "SELECT")), LOCAL) == {"id", "amount", "note", "day"}


def test_other_permissions_show_the_table_and_read_nothing():
    """lf-permissions-reference, ALTER, DROP, INSERT, DELETE."""
    state = world(grant(LOCAL, TABLE, "ALTER", "DROP"))
    assert visible(state, LOCAL) == ALL_COLUMNS
    assert selectable(state, LOCAL) == set()


def test_super_stands_for_every_permission():
    """lf-permissions-reference, Super."""
    state = world(grant(LOCAL, TABLE, "ALL"))
    assert selectable(state, LOCAL) == ALL_COLUMNS
    assert holds(state, LOCAL, TABLE, "DROP")


# --------------------------------------------------------------------------------------------------------- tag grants
def test_an_expression_reads_the_columns_that_match_all_its_keys():
    """managing-dl-tutorial."""
    assert selectable(world(grant(LOCAL, INTERNAL, "SELECT")), LOCAL) == {"id", "amount", "day"}


def test_a_column_inherits_what_it_does_not_override():
    """TBAC-assigning-tags: `note` has no tag of its own, so it is `unreviewed`, as its database is."""
    state = world(grant(LOCAL, policy(product=["orders"], sensitivity=["unreviewed"]), "SELECT"))
    assert selectable(state, LOCAL) == {"note", "day"}


def test_keys_that_an_expression_does_not_name_do_not_restrict():
    """lf-tag-considerations: without `sensitivity` a grant on the domain reaches every column."""
    assert selectable(world(grant(LOCAL, policy(domain=["sales"]), "SELECT")), LOCAL) == ALL_COLUMNS


def test_a_key_that_nothing_carries_matches_nothing():
    """lf-tag-considerations: AND across keys."""
    assert not table_access(
        world(grant(LOCAL, policy(domain=["sales"], layer=["raw"]), "SELECT")), LOCAL, OWNER, "sales", "orders"
    ).described


def test_named_and_tag_grants_are_a_union():
    """lf-permissions-reference."""
    state = world(
        grant(LOCAL, INTERNAL, "SELECT"),
        grant(LOCAL, ColumnsResource(OWNER, "sales", "orders", frozenset({"iban"})), "SELECT"),
    )
    assert selectable(state, LOCAL) == {"id", "amount", "iban", "day"}


def test_drop_by_an_expression_that_matches_some_columns_is_not_drop():
    """lf-tag-considerations: it becomes DESCRIBE."""
    state = world(grant(LOCAL, INTERNAL, "DROP"))
    assert not holds(state, LOCAL, TABLE, "DROP")
    assert holds(state, LOCAL, TABLE, "DESCRIBE")
    assert holds(world(grant(LOCAL, policy(domain=["sales"]), "DROP")), LOCAL, TABLE, "DROP")


def test_a_database_expression_gives_nothing_on_tables():
    """TBAC-granting-tags: databases and tables are granted apart."""
    state = world(grant(LOCAL, policy("DATABASE", domain=["sales"]), "DESCRIBE"))
    assert database_access(state, LOCAL, OWNER, "sales").described
    assert not table_access(state, LOCAL, OWNER, "sales", "orders").described


def test_a_view_is_readable_as_a_whole_or_not_at_all():
    """Athena user guide, lf-athena-limitations: no column permissions on views, so only the view itself is tagged."""
    view = TableState(columns=("a", "b"), tags={"product": "orders", "sensitivity": "internal"})
    state = world(
        grant(LOCAL, INTERNAL, "SELECT"),
        databases={"sales": DatabaseState(tags=DATABASE.tags, tables={"orders": ORDERS, "totals": view})},
    )
    assert table_access(state, LOCAL, OWNER, "sales", "totals").selectable == {"a", "b"}
    unreviewed = TableState(columns=("a", "b"), tags={"product": "orders"})
    state = world(
        grant(LOCAL, INTERNAL, "SELECT"),
        databases={"sales": DatabaseState(tags=DATABASE.tags, tables={"totals": unreviewed})},
    )
    assert not table_access(state, LOCAL, OWNER, "sales", "totals").described


# ----------------------------------------------------------------------------------------------- implicit permissions
def test_an_administrator_sees_everything_and_reads_nothing():
    """implicit-permissions."""
    assert visible(world(), ADMIN) == ALL_COLUMNS
    assert selectable(world(), ADMIN) == set()
    assert holds(world(), ADMIN, SALES, "DESCRIBE")
    assert holds(world(), ADMIN, CatalogResource(OWNER), "CREATE_DATABASE")
    assert not holds(world(), ADMIN, TABLE, "DROP")


def test_a_creator_may_do_everything_with_their_table():
    """implicit-permissions."""
    creator = ORDERS.creator or ""
    assert selectable(world(), creator) == ALL_COLUMNS
    assert holds(world(), creator, TABLE, "DROP")
    assert may_grant(world(), creator, grant(LOCAL, TABLE, "SELECT")) is None


def test_the_creator_of_a_database_sees_no_table_of_others():
    """implicit-permissions: database permissions, not those of its tables."""
    state = world(databases={"sales": DatabaseState(tags=DATABASE.tags, tables={"orders": ORDERS}, creator=LOCAL)})
    assert holds(state, LOCAL, SALES, "CREATE_TABLE")
    assert not table_access(state, LOCAL, OWNER, "sales", "orders").described


def test_iam_allowed_principals_are_everyone_of_the_owners_account():
    """change-settings."""
    state = world(grant(IAM_ALLOWED_PRINCIPALS, TABLE, "ALL"), grant(IAM_ALLOWED_PRINCIPALS, SALES, "ALL"))
    assert selectable(state, LOCAL) == ALL_COLUMNS
    assert holds(state, LOCAL, SALES, "CREATE_TABLE")
    assert selectable(state, ANALYST) == set()


def test_any_permission_on_a_table_shows_its_database_within_the_account():
    """granting-catalog-permissions."""
    assert database_access(world(grant(LOCAL, INTERNAL, "SELECT")), LOCAL, OWNER, "sales").described
    assert not database_access(world(), LOCAL, OWNER, "sales").described


def test_a_grant_on_a_location_holds_below_it():
    """access-control-underlying-data."""
    state = world(grant(LOCAL, DataLocationResource(OWNER, "arn:aws:s3:::lake/curated"), "DATA_LOCATION_ACCESS"))
    below = DataLocationResource(OWNER, "arn:aws:s3:::lake/curated/orders")
    beside = DataLocationResource(OWNER, "arn:aws:s3:::lake/curated-secret")
    assert holds(state, LOCAL, below, "DATA_LOCATION_ACCESS")
    assert not holds(state, LOCAL, beside, "DATA_LOCATION_ACCESS")


def test_the_creator_of_a_tag_may_associate_it():
    """TBAC-adding-tag-creator."""
    tag = TagResource(OWNER, "sensitivity", frozenset({"internal"}))
    assert holds(world(), LOCAL, tag, "ASSOCIATE")
    assert not holds(world(), ANALYST, tag, "ASSOCIATE")
    state = world(grant(ANALYST, TagResource(OWNER, "sensitivity", frozenset({"*"})), "ASSOCIATE"))
    assert holds(state, ANALYST, tag, "ASSOCIATE")


# ----------------------------------------------------------------------------------------------------- across accounts
def test_the_account_path_reads_through_the_link():
    state = world(*ACCOUNT_PATH, local=PASSED_ON)
    assert selectable(state, ANALYST, CONSUMER) == visible(state, ANALYST, CONSUMER) == {"id", "amount", "day"}
    assert selectable(state, ANALYST, OWNER) == {"id", "amount", "day"}


def test_what_an_account_was_granted_its_principals_do_not_have():
    """cross-account-permissions: the recipient's administrator passes it on."""
    assert selectable(world(*ACCOUNT_PATH), ANALYST) == set()


def test_a_link_takes_a_grant_on_the_link_too():
    """granting-link-permissions."""
    state = world(*ACCOUNT_PATH, local=PASSED_ON[:2])
    access = table_access(state, ANALYST, CONSUMER, "sales", "orders")
    assert not access.described
    assert access.reasons[""] == ("no DESCRIBE on the resource link",)


def test_a_grant_on_the_link_gives_nothing_of_its_target():
    """granting-link-permissions."""
    assert not table_access(world(*ACCOUNT_PATH, local=PASSED_ON[2:]), ANALYST, CONSUMER, "sales", "orders").described


def test_describe_on_another_accounts_database_is_not_implied_by_its_tables():
    """granting-catalog-permissions."""
    access = table_access(world(*ACCOUNT_PATH, local=PASSED_ON[1:]), ANALYST, OWNER, "sales", "orders")
    assert not access.described
    assert access.reasons[""] == ("no DESCRIBE on the database, which another account owns",)


def test_a_share_that_was_not_accepted_gives_nothing():
    """accepting-ram-invite."""
    assert selectable(world(*ACCOUNT_PATH, local=PASSED_ON, accepted=False), ANALYST) == set()
    direct = world(grant(ANALYST, TABLE, "SELECT"), grant(ANALYST, SALES, "DESCRIBE"), accepted=False)
    assert selectable(direct, ANALYST) == set()


def test_a_local_grant_is_powerless_without_the_accounts_grant():
    """cross-account-permissions; best practices, upgrading-cross-account-versions: revoking it cuts those below."""
    assert selectable(world(ACCOUNT_PATH[0], local=PASSED_ON), ANALYST) == set()


def test_a_local_grant_is_powerless_when_the_account_has_no_grant_option():
    state = world(ACCOUNT_PATH[0], grant(CONSUMER, INTERNAL, "SELECT"), local=PASSED_ON)
    assert selectable(state, ANALYST) == set()


def test_the_direct_path_needs_no_grant_to_the_account_but_on_the_database():
    state = world(ACCOUNT_PATH[0], grant(ANALYST, INTERNAL, "SELECT"), local=(PASSED_ON[0], PASSED_ON[2]))
    assert selectable(state, ANALYST, CONSUMER) == {"id", "amount", "day"}


def test_a_consumers_administrator_sees_what_the_account_was_shared():
    """implicit-permissions, viewing-shared-resources."""
    state = world(*ACCOUNT_PATH)
    assert visible(state, CONSUMER_ADMIN) == {"id", "amount", "day"}
    assert selectable(state, CONSUMER_ADMIN) == set()
    assert may_grant(state, CONSUMER_ADMIN, grant(CONSUMER_ADMIN, INTERNAL, "SELECT")) is None


def test_a_link_of_a_link_is_not_followed():
    """resource-links-about."""
    state = world(*ACCOUNT_PATH, local=PASSED_ON, databases={"sales": DatabaseState(link_to=(OWNER, "other"))})
    assert not table_access(state, ANALYST, CONSUMER, "sales", "orders").described


# ------------------------------------------------------------------------------------------------------- who may grant
def test_rule_1_an_account_passes_on_the_very_expression_it_was_given():
    """permission-cascading-rules, rule 1."""
    state = world(*ACCOUNT_PATH)
    assert may_grant(state, CONSUMER_ADMIN, grant(ANALYST, INTERNAL, "SELECT")) is None


@pytest.mark.parametrize(
    "other",
    [
        policy(product=["orders"], sensitivity=["internal", "public"]),
        policy(product=["orders"]),
        policy(domain=["sales"], product=["orders"], sensitivity=["internal"]),
        policy("DATABASE", product=["orders"], sensitivity=["internal"]),
    ],
    ids=["wider", "shorter", "narrower", "databases"],
)
def test_rule_1_no_other_expression(other):
    reason = may_grant(world(*ACCOUNT_PATH), CONSUMER_ADMIN, grant(ANALYST, other, "SELECT"))
    assert reason is not None
    assert "may not pass on SELECT" in reason


def test_what_an_expression_reaches_is_not_passed_on_by_name():
    """Documented nowhere, so taken as refused."""
    for named in (TABLE, ColumnsResource(OWNER, "sales", "orders", frozenset({"id"}))):
        state = world(ACCOUNT_PATH[0], shared(policy(domain=["sales"]), "SELECT"))
        assert may_grant(state, CONSUMER_ADMIN, grant(ANALYST, named, "SELECT")) is not None


def test_an_account_passes_on_parts_of_a_table_that_it_holds_by_name():
    """lf-permissions-reference: SELECT on all columns, with grant option."""
    columns = ColumnsResource(OWNER, "sales", "orders", frozenset({"id"}))
    for held in (TABLE, TableResource(OWNER, "sales", None)):
        state = world(ACCOUNT_PATH[0], shared(held, "SELECT"), local=(PASSED_ON[0], grant(ANALYST, columns, "SELECT")))
        assert may_grant(state, CONSUMER_ADMIN, grant(ANALYST, columns, "SELECT")) is None
        assert selectable(state, ANALYST) == {"id", "day"}


def test_rule_1_not_without_grant_option():
    state = world(grant(CONSUMER, INTERNAL, "SELECT"))
    assert may_grant(state, CONSUMER_ADMIN, grant(ANALYST, INTERNAL, "SELECT")) is not None


def test_rule_2_describe_on_the_values_lets_an_account_grant_any_expression_over_them():
    """permission-cascading-rules, rule 2: why lakemesh never grants LF-Tags to another account."""
    values = grant(CONSUMER, TagResource(OWNER, "sensitivity", frozenset({"internal", "restricted"})), "DESCRIBE")
    state = world(values, ACCOUNT_PATH[0])
    wide = policy(sensitivity=["restricted"])
    assert may_grant(state, CONSUMER_ADMIN, grant(ANALYST, wide, "SELECT")) is None
    assert may_grant(state, CONSUMER_ADMIN, grant(ANALYST, policy(sensitivity=["public"]), "SELECT")) is not None
    state = world(values, ACCOUNT_PATH[0], local=(PASSED_ON[0], grant(ANALYST, wide, "SELECT")))
    assert selectable(state, ANALYST) == {"iban", "day"}


def test_a_recipient_cannot_share_with_a_third_account():
    """cross-account-notes."""
    for principal in (OTHER, f"arn:aws:iam::{OTHER}:role/X", IAM_ALLOWED_PRINCIPALS):
        assert may_grant(world(*ACCOUNT_PATH), CONSUMER_ADMIN, grant(principal, INTERNAL, "SELECT")) is not None


def test_nothing_is_passed_on_before_the_share_is_accepted():
    reason = may_grant(world(*ACCOUNT_PATH, accepted=False), CONSUMER_ADMIN, grant(ANALYST, INTERNAL, "SELECT"))
    assert reason == f"Account {CONSUMER} has not accepted a share from {OWNER}."


def test_an_administrator_may_grant_anything_of_their_own_catalog():
    assert may_grant(world(), ADMIN, grant(CONSUMER, TABLE, "SELECT", option=["SELECT"])) is None


def test_others_may_grant_what_they_hold_with_grant_option():
    """granting-catalog-permissions."""
    state = world(grant(LOCAL, TABLE, "SELECT", "DESCRIBE", option=["SELECT"]))
    assert may_grant(state, LOCAL, grant(ANALYST, TABLE, "SELECT")) is None
    assert may_grant(state, LOCAL, grant(ANALYST, TABLE, "DESCRIBE")) is not None
    assert may_grant(state, ANALYST, grant(LOCAL, TABLE, "SELECT")) is not None


def test_what_does_not_exist_is_not_seen():
    state = world(grant(LOCAL, TableResource(OWNER, "sales", None), "SELECT"))
    assert not table_access(state, LOCAL, OWNER, "sales", "nothing").described
    assert not table_access(state, LOCAL, OWNER, "nothing", "orders").described
    assert not table_access(state, LOCAL, OTHER, "sales", "orders").described
    assert may_grant(state, f"arn:aws:iam::{OTHER}:role/X", grant(LOCAL, TABLE, "SELECT")) is not None
