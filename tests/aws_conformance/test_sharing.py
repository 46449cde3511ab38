"""Sharing across accounts: what may be shared, what the recipient may pass on, invitations and shares."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace
from functools import partial

import pytest

from tests.aws_conformance import settings
from tests.aws_conformance.accounts import Account
from tests.aws_conformance.assumptions import Confidence, assumption
from tests.aws_conformance.lake import COLUMNS, IAM_ALLOWED_PRINCIPALS, KEYS, Lake, Roles
from tests.aws_conformance.made import Names
from tests.aws_conformance.waiting import allowed, eventually, refused

DOCUMENTED, INFERRED = Confidence.DOCUMENTED, Confidence.INFERRED
INVALID = "InvalidInputException"
DENIED = "AccessDeniedException"


def product(lake: Lake, database: str) -> dict[str, list[str]]:
    """Tags the table as the tag handler does: unreviewed but for `id` and `day`; the expression that reaches them."""
    name, level = lake.tag("orders", what="product"), lake.tag("internal", "public", "unreviewed")
    lake.assign(lake.on_database(database), **{level: "unreviewed"})
    lake.assign(lake.on_table(database), **{name: "orders"})
    lake.assign(lake.on_columns(database, "id", "day"), **{level: "internal"})
    return {name: ["orders"], level: ["internal"]}


def shared_table(lake: Lake) -> tuple[str, dict[str, list[str]]]:
    """A tagged table in a database that is shared by name and linked."""
    database = lake.database()
    lake.table(database)
    tags = product(lake, database)
    lake.shared(database)
    return database, tags


# -------------------------------------------------------------------------------------------------- the account path
@assumption("LF permission-cascading-rules", DOCUMENTED)
def test_the_identical_expression_is_passed_on(lake: Lake) -> None:
    """Rule 1: an account passes on exactly the expression that it was granted with grant option.

    lakemesh renders one canonical expression for both sides.
    """
    database, tags = shared_table(lake)
    lake.grant(lake.recipient.id, lake.by_tags(tags), "SELECT", option=True)
    lake.accepting(lake.reader, lake.by_tags(tags), "SELECT")
    lake.shows(lake.reader, database, "id", "day")


@assumption("LF permission-cascading-rules", DOCUMENTED)
def test_no_other_expression_is_passed_on(lake: Lake) -> None:
    """An expression that is wider, or narrower, than the shared one cannot be passed on by rule 1."""
    _, tags = shared_table(lake)
    lake.grant(lake.recipient.id, lake.by_tags(tags), "SELECT", option=True)
    lake.accepting(lake.reader, lake.by_tags(tags), "SELECT")
    name, level = tags
    for other in ({name: ["orders"], level: ["internal", "public"]}, {name: ["orders"]}):
        given = lake.granting(lake.reader, lake.by_tags(other), "SELECT")
        refused(DENIED, lake.recipient("lakeformation").grant_permissions, **given)


@assumption("LF cascade-cross-account-permission-procedures", DOCUMENTED)
def test_without_grant_option_nothing_is_passed_on(lake: Lake) -> None:
    """The identical expression that an account was granted without grant option cannot be passed on."""
    _, tags = shared_table(lake)
    lake.grant(lake.recipient.id, lake.by_tags(tags), "SELECT")
    lake.accept()
    given = lake.granting(lake.reader, lake.by_tags(tags), "SELECT")
    refused((DENIED, "EntityNotFoundException"), lake.recipient("lakeformation").grant_permissions, **given)


@assumption("LF permission-cascading-rules", DOCUMENTED)
def test_describe_on_tags_opens_every_expression(lake: Lake) -> None:
    """Rule 2: an account with DESCRIBE on LF-Tag values passes on any expression over them, shared or not.

    So lakemesh never grants DESCRIBE on LF-Tags to another account.
    """
    database, tags = shared_table(lake)
    name, level = tags
    lake.grant(lake.recipient.id, lake.on_tag(name, "orders"), "DESCRIBE", option=True)
    lake.grant(lake.recipient.id, lake.on_tag(level, "internal", "public"), "DESCRIBE", option=True)
    lake.accepting(lake.reader, lake.by_tags({name: ["orders"], level: ["internal", "public"]}), "SELECT")
    lake.shows(lake.reader, database, "id", "day")


@assumption("BP upgrading-cross-account-versions", DOCUMENTED)
def test_revoking_the_account_cuts_its_principals(lake: Lake) -> None:
    """When the owner revokes the account's grant, those to whom the account passed it on lose it."""
    database, tags = shared_table(lake)
    lake.grant(lake.recipient.id, lake.by_tags(tags), "SELECT", option=True)
    lake.accepting(lake.reader, lake.by_tags(tags), "SELECT")
    lake.shows(lake.reader, database, "id", "day")
    lake.revoke(lake.recipient.id, lake.by_tags(tags), "SELECT")
    lake.hides(lake.reader, database)


@assumption("BP cross-account-faq", DOCUMENTED)
def test_administrators_of_the_recipient_see_what_it_was_granted(lake: Lake) -> None:
    """On the account path the recipient's data lake administrators see what the account was granted, ungranted."""
    database, tags = shared_table(lake)
    lake.grant(lake.recipient.id, lake.by_tags(tags), "SELECT", option=True)
    lake.accepting(lake.reader, lake.by_tags(tags), "SELECT")
    lake.shows(lake.recipient, database, "id", "day")


@assumption("LF cross-account-notes", DOCUMENTED)
def test_shares_are_not_transitive(lake: Lake, producer: Account) -> None:
    """A recipient grants to its own principals only: not on to a third account."""
    database, _ = shared_table(lake)
    given = lake.granting(producer.id, lake.on_database(database), "DESCRIBE")
    refused((DENIED, INVALID), lake.recipient("lakeformation").grant_permissions, **given)


# --------------------------------------------------------------------------------------------------- the direct path
@assumption("LF cross-account-TBAC", DOCUMENTED)
def test_an_expression_is_granted_to_a_role_of_another_account(lake: Lake) -> None:
    """From version 3 an expression is granted straight to a role of another account, which reads by it."""
    database, tags = shared_table(lake)
    lake.grant(lake.reader, lake.by_tags(tags), "SELECT")
    eventually(lake.accept)
    lake.shows(lake.reader, database, "id", "day")


@assumption("BP cross-account-faq", DOCUMENTED)
def test_direct_grants_are_listed_by_the_owner_alone(lake: Lake) -> None:
    """A grant to a role of another account is listed in the owner's account and not in the role's."""
    database, tags = shared_table(lake)
    lake.grant(lake.reader, lake.by_tags(tags), "SELECT")
    eventually(lake.accept)
    lake.shows(lake.reader, database, "id", "day")
    held = partial(lake.held, lake.reader, lake.by_tags(tags))
    assert held() == {"LFTagPolicy": {"SELECT"}}
    assert held(by=lake.recipient) == {}


@assumption("LF granting-catalog-permissions", DOCUMENTED)
def test_another_accounts_database_is_described_by_name(lake: Lake) -> None:
    """Across accounts a grant on tables does not show their database: DESCRIBE on it must be granted by name.

    lakemesh grants it to the account, and the consumer's stack to the principal.
    """
    database = lake.database()
    lake.table(database)
    tags = product(lake, database)
    lake.grant(lake.recipient.id, lake.by_tags(tags), "SELECT", option=True)
    lake.link(database)
    lake.accepting(lake.reader, lake.by_tags(tags), "SELECT")
    lake.grant(lake.reader, lake.on_database(database, lake.recipient), "DESCRIBE", by=lake.recipient)
    lake.hides(lake.reader, database)


@assumption("LF granting-link-permissions", DOCUMENTED)
def test_a_link_grants_nothing_on_its_target(lake: Lake) -> None:
    """DESCRIBE on a resource link gives nothing on its target: both need grants of their own."""
    database = lake.database()
    lake.table(database)
    lake.grant(lake.recipient.id, lake.on_database(database), "DESCRIBE", option=True)
    lake.link(database)
    eventually(lake.accept)
    lake.grant(lake.reader, lake.on_database(database, lake.recipient), "DESCRIBE", by=lake.recipient)
    lake.hides(lake.reader, database)


@assumption("LF granting-link-permissions", DOCUMENTED)
def test_permissions_on_the_target_do_not_show_the_link(lake: Lake) -> None:
    """Permissions on the target do not let one use a link on which one does not hold DESCRIBE."""
    database, tags = shared_table(lake)
    lake.grant(lake.reader, lake.by_tags(tags), "SELECT")
    eventually(lake.accept)
    lake.shows(lake.reader, database, "id", "day")
    lake.revoke(lake.reader, lake.on_database(database, lake.recipient), "DESCRIBE", by=lake.recipient)
    lake.hides(lake.reader, database)


@assumption("LF granting-table-permissions", DOCUMENTED)
def test_a_named_table_is_shared_with_a_role(lake: Lake) -> None:
    """SELECT on some columns of a table is granted by name to a role of another account, which sees those."""
    database, _ = shared_table(lake)
    lake.grant(lake.reader, lake.on_columns(database, "amount"), "SELECT")
    eventually(lake.accept)
    lake.shows(lake.reader, database, "amount", *KEYS)


# ------------------------------------------------------------------------------------------------ what may be shared
@assumption("LF cross-account-prereqs", DOCUMENTED)
def test_what_is_left_to_iam_is_not_shared(lake: Lake) -> None:
    """A table on which IAM_ALLOWED_PRINCIPALS hold permissions cannot be shared until they are revoked."""
    database = lake.database()
    lake.table(database)
    lake.grant(IAM_ALLOWED_PRINCIPALS, lake.on_table(database), "ALL")
    given = lake.granting(lake.recipient.id, lake.on_table(database), "SELECT")
    refused((DENIED, INVALID), lake.lf.grant_permissions, **given)
    lake.revoke(IAM_ALLOWED_PRINCIPALS, lake.on_table(database), "ALL")
    eventually(partial(allowed, lake.lf.grant_permissions, **given))


@assumption("LF cross-account-notes", DOCUMENTED)
@pytest.mark.parametrize("permission", ["DROP", "ALL"])
def test_a_database_is_not_given_away(lake: Lake, permission: str) -> None:
    """DROP and Super on a database cannot be granted to another account."""
    database = lake.database()
    given = lake.granting(lake.recipient.id, lake.on_database(database), permission)
    refused((INVALID, DENIED), lake.lf.grant_permissions, **given)


@assumption("LF TBAC-granting-tags", DOCUMENTED)
def test_tags_are_shared_with_grant_option(lake: Lake) -> None:
    """Permissions on LF-Tags are granted to another account with grant option only."""
    key = lake.tag("public")
    given = lake.granting(lake.recipient.id, lake.on_tag(key, "public"), "DESCRIBE")
    refused(INVALID, lake.lf.grant_permissions, **given)


@assumption("LF TBAC-adding-tag-creator", DOCUMENTED)
@pytest.mark.parametrize("permission", ["DROP", "ALTER"])
def test_tags_of_another_account_are_described_and_associated(lake: Lake, permission: str) -> None:
    """Of an LF-Tag another account gets DESCRIBE and ASSOCIATE, not DROP or ALTER."""
    key = lake.tag("public")
    given = lake.granting(lake.recipient.id, lake.on_tag(key, "public"), permission, option=True)
    refused((INVALID, DENIED), lake.lf.grant_permissions, **given)


@assumption("LF lf-tag-considerations", DOCUMENTED)
def test_tags_are_for_ones_own_catalog(lake: Lake) -> None:
    """An account assigns its LF-Tags to resources of its own catalog only."""
    database = lake.database()
    lf, key = lake.recipient("lakeformation"), lake.names("own")
    lake.undo.later(lf.delete_lf_tag, TagKey=key)
    lf.create_lf_tag(TagKey=key, TagValues=["x"])
    refused(
        (DENIED, "EntityNotFoundException", INVALID), lf.add_lf_tags_to_resource,
        Resource=lake.on_database(database), LFTags=[{"TagKey": key, "TagValues": ["x"]}],
    )  # fmt: skip


@assumption("LF resource-links-about", INFERRED)
def test_links_are_not_shared(lake: Lake) -> None:
    """A resource link cannot be granted to another account."""
    database = lake.database()
    link = lake.link(database, lake.names("link"), lake.owner)
    given = lake.granting(lake.recipient.id, lake.on_database(link), "DESCRIBE")
    refused((INVALID, DENIED), lake.lf.grant_permissions, **given)


@assumption("LF optimize-ram", DOCUMENTED)
@pytest.mark.usefixtures("settings_may_change")
@pytest.mark.parametrize("version", ["1", "2"])
def test_expressions_are_shared_from_version_3(lake: Lake, version: str) -> None:
    """Below CROSS_ACCOUNT_VERSION 3 a grant to a role of another account is refused."""
    before = settings.current(lake.owner)
    if settings.version(before) == 5:
        pytest.skip("version 5 cannot be lowered again")
    database = lake.database()
    lake.table(database)
    lake.undo.later(settings.put, account=lake.owner, **before)
    settings.put(lake.owner, **{**before, "Parameters": {**before["Parameters"], settings.VERSION: version}})
    given = lake.granting(lake.reader, lake.on_table(database), "SELECT")
    eventually(partial(refused, (INVALID, DENIED), lake.lf.grant_permissions, **given))


# --------------------------------------------------------------------------------------------- shares and invitations
def shares(lake: Lake) -> dict[str, str]:
    """Names of the owner's active shares of Lake Formation, by ARN."""
    pages = lake.owner("ram").get_paginator("get_resource_shares").paginate(resourceOwner="SELF")
    return {
        share["resourceShareArn"]: share["name"]
        for page in pages
        for share in page["resourceShares"]
        if share["name"].startswith("LakeFormation") and share["status"] == "ACTIVE"
    }


@assumption("BP cross-account-faq", DOCUMENTED)
def test_shares_are_named_after_lake_formation(lake: Lake) -> None:
    """A grant to another account travels in RAM shares of the owner whose names begin with "LakeFormation"."""
    database = lake.database()
    lake.grant(lake.recipient.id, lake.on_database(database), "DESCRIBE", option=True)

    def some() -> None:
        assert shares(lake)

    eventually(some)


@assumption("BP cross-account-faq", DOCUMENTED)
def test_later_grants_ride_on_the_share(lake: Lake) -> None:
    """From version 2 a second grant of the same kind to an account makes no share of its own."""
    first, second = lake.database(), lake.database()
    lake.grant(lake.recipient.id, lake.on_database(first), "DESCRIBE", option=True)
    eventually(lake.accept)
    before = shares(lake)
    lake.grant(lake.recipient.id, lake.on_database(second), "DESCRIBE", option=True)
    lake.accepting(lake.reader, lake.on_database(second), "DESCRIBE")
    assert shares(lake) == before


@assumption("BP cross-account-faq", DOCUMENTED)
def test_a_pair_of_accounts_has_few_shares(lake: Lake) -> None:
    """Grants by name and by LF-Tags to one account make at most five shares, however many they are."""
    database, tags = shared_table(lake)
    lake.grant(lake.recipient.id, lake.on_table(database), "DESCRIBE", option=True)
    lake.grant(lake.recipient.id, lake.on_all_tables(database), "SELECT", option=True)
    lake.grant(lake.recipient.id, lake.by_tags(tags), "SELECT", option=True)
    lake.grant(lake.recipient.id, lake.by_tags(tags, "DATABASE"), "DESCRIBE", option=True)
    assert 1 <= len(shares(lake)) <= 5


def together(lake: Lake) -> bool:
    """Whether both accounts say that they are of one organization."""
    found = set()
    for account in (lake.owner, lake.recipient):
        try:
            found.add(account("organizations").describe_organization()["Organization"]["Id"])
        except account("organizations").exceptions.AWSOrganizationsNotInUseException:
            return False
    return len(found) == 1


@assumption("LF accepting-ram-invite", DOCUMENTED)
def test_a_share_waits_for_its_acceptance(lake: Lake) -> None:
    """Outside an organization what is shared cannot be used, nor passed on, until the invitation is accepted."""
    if together(lake):
        pytest.skip("the accounts are of one organization: there may be no invitation")
    if shares(lake):
        pytest.skip("the accounts share something already: a new grant rides on the accepted share")
    database = lake.database()
    lake.grant(lake.recipient.id, lake.on_database(database), "DESCRIBE", option=True)

    def invited() -> None:
        assert lake.invitations()

    eventually(invited)
    given = lake.granting(lake.reader, lake.on_database(database), "DESCRIBE")
    refused((DENIED, "EntityNotFoundException"), lake.recipient("lakeformation").grant_permissions, **given)
    lake.accept()
    eventually(partial(allowed, lake.recipient("lakeformation").grant_permissions, **given))


@assumption("RAM working-with-shared-invitations", DOCUMENTED)
def test_an_invitation_is_accepted_once(lake: Lake) -> None:
    """Accepting an invitation twice is ResourceShareInvitationAlreadyAcceptedException.

    lakemesh's acceptance handler accepts what is pending until nothing is, and takes this for success.
    """
    database = lake.database()
    lake.grant(lake.recipient.id, lake.on_database(database), "DESCRIBE", option=True)
    pending = lake.invitations()
    if not pending:
        pytest.skip("nothing to accept: the accounts share already, or are of one organization")
    arn = lake.accounts.guard.made(pending[0]["resourceShareInvitationArn"])
    accept = partial(lake.recipient("ram").accept_resource_share_invitation, resourceShareInvitationArn=arn)
    allowed(accept)
    refused("ResourceShareInvitationAlreadyAcceptedException", accept)


@pytest.fixture
def organized(lake: Lake, names: Names, roles: Roles) -> Lake:
    """Owner and recipient as they are; on the local AWS owner and producer, which are stated to be an organization."""
    third = lake.accounts.producer
    if not lake.local or third is None:
        return lake
    stated = {"id": "o-c0nf0rmance", "management": lake.owner.id, "members": [third.id], "ramSharing": True}
    request = urllib.request.Request(  # noqa: S310 - the local AWS
        f"{lake.owner.endpoint}/_local/organization", json.dumps(stated).encode(), method="PUT"
    )
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
    return Lake(replace(lake.accounts, recipient=third), names, roles, lake.undo)


@assumption("RAM getting-started-sharing", DOCUMENTED)
def test_an_organization_needs_no_invitations(organized: Lake) -> None:
    """Inside an organization with RAM sharing switched on a share is in force without any invitation.

    lakemesh accepts what is pending, be it none: it never expects a number.
    """
    lake = organized
    if not together(lake):
        pytest.skip("needs owner and recipient in one organization with RAM sharing switched on")
    database = lake.database()
    lake.grant(lake.recipient.id, lake.on_database(database), "DESCRIBE", option=True)
    assert lake.invitations() == []
    given = lake.granting(lake.reader, lake.on_database(database), "DESCRIBE")
    eventually(partial(allowed, lake.recipient("lakeformation").grant_permissions, **given))


@assumption("LF granting-catalog-permissions", INFERRED)
def test_a_share_ends_with_its_last_grant(lake: Lake) -> None:
    """When its last grant is revoked a share is deleted, so nothing is left of lakemesh after destroy."""
    if shares(lake):
        pytest.skip("the accounts share something else as well")
    database = lake.database()
    lake.grant(lake.recipient.id, lake.on_database(database), "DESCRIBE", option=True)
    lake.revoke(lake.recipient.id, lake.on_database(database), "DESCRIBE")

    def none() -> None:
        assert not shares(lake)

    eventually(none)


@assumption("LF cross-account-notes", DOCUMENTED)
def test_glue_resolves_another_accounts_catalog(lake: Lake) -> None:
    """GetTable with the owner's CatalogId shows a role of the recipient what it was granted, without a link."""
    database, tags = shared_table(lake)
    lake.grant(lake.reader, lake.by_tags(tags), "SELECT")
    eventually(lake.accept)

    def shown() -> None:
        found = lake.reader("glue").get_table(CatalogId=lake.owner.id, DatabaseName=database, Name="orders")["Table"]
        assert [column["Name"] for column in found["StorageDescriptor"]["Columns"]] == ["id"]

    eventually(shown)


@assumption("LF lf-permissions-reference", DOCUMENTED)
def test_the_whole_table_is_shared_with_grant_option(lake: Lake) -> None:
    """SELECT on a whole table is granted to an account with grant option, which passes it on to its role."""
    database, _ = shared_table(lake)
    lake.grant(lake.recipient.id, lake.on_table(database), "SELECT", option=True)
    lake.accepting(lake.reader, lake.on_table(database), "SELECT")
    lake.shows(lake.reader, database, *COLUMNS, *KEYS)
