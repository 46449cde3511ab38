"""What AWS's documentation leaves open. Each check says why lakemesh holds whichever the answer is.

On the local AWS the answer is what this project chose, or a refusal by name. On AWS it is told, and is never wrong.
"""

from __future__ import annotations

from functools import partial

import pytest

from tests.aws_conformance import settings
from tests.aws_conformance.accounts import EVERYTHING, trust
from tests.aws_conformance.assumptions import Confidence, assumption
from tests.aws_conformance.lake import COLUMNS, KEYS, Lake, who
from tests.aws_conformance.plugin import Answer
from tests.aws_conformance.test_sharing import shared_table, shares
from tests.aws_conformance.waiting import attempt, code_of, eventually

OPEN = Confidence.OPEN
REFUSED_BY_NAME = "NotImplementedByLocalAws"


@assumption("LF TBAC-assigning-tags", OPEN)
def test_overriding_value_across_accounts(lake: Lake, answer: Answer) -> None:
    """A column that overrides an inherited value is read by an expression that names the overriding value, cross-account.

    lakemesh tags every reviewed column itself, with the value that its grants name; were the answer no, columns would be
    hidden that were meant to show, and never the other way round.
    """
    database, tags = shared_table(lake)
    lake.grant(lake.reader, lake.by_tags(tags), "SELECT")
    eventually(lake.accept)
    answer(lake.until(partial(lake.sees, lake.reader, database), ["day", "id"]), here=["day", "id"])


@assumption("LF data-filtering-notes", OPEN)
def test_partition_keys_whose_tag_does_not_match(lake: Lake, answer: Answer) -> None:
    """A partition key whose LF-Tag does not match shows with any column that matches.

    lakemesh tags no column of a table until every partition key is reviewed, no higher than each grant on the table may
    read (docs/adr/0006): shown or hidden, a partition key reveals nothing that its readers were refused.
    """
    database, level, reader = lake.database(), lake.tag("unreviewed", "internal"), lake.stranger()
    lake.table(database)
    lake.assign(lake.on_database(database), **{level: "unreviewed"})
    lake.assign(lake.on_columns(database, "id"), **{level: "internal"})
    lake.grant(reader, lake.by_tags({level: ["internal"]}), "SELECT")
    answer(lake.until(partial(lake.sees, reader, database), ["day", "id"]), here=["day", "id"])


@assumption("LF lf-tag-considerations", OPEN)
def test_database_and_table_expressions_count_together(lake: Lake, answer: Answer) -> None:
    """Expressions for databases and for tables count together towards the 50 of a principal.

    lakemesh counts them together and grants its databases by name; were they counted apart, it would only refuse a mesh
    earlier than it had to.
    """
    key, other, reader = lake.tag(*(f"v{number}" for number in range(50))), lake.tag("x"), lake.stranger()
    for number in range(50):
        lake.grant(reader, lake.by_tags({key: [f"v{number}"]}), "SELECT")
    given = lake.granting(reader, lake.by_tags({other: ["x"]}, "DATABASE"), "DESCRIBE")
    answer(attempt(lake.lf.grant_permissions, **given), here="InvalidInputException")


@assumption("LF lf-tag-considerations", OPEN)
def test_one_expression_for_two_permissions_counts_once(lake: Lake, answer: Answer) -> None:
    """A second permission by an expression that a principal holds does not count towards its 50 expressions.

    lakemesh has one entry for a principal and expression, with all of its permissions.
    """
    key, reader = lake.tag(*(f"v{number}" for number in range(50))), lake.stranger()
    for number in range(50):
        lake.grant(reader, lake.by_tags({key: [f"v{number}"]}), "SELECT")
    given = lake.granting(reader, lake.by_tags({key: ["v0"]}), "DESCRIBE")
    answer(attempt(lake.lf.grant_permissions, **given), here="accepted")


@assumption("LF cross-account-cascading-permissions", OPEN)
def test_local_grants_stay_listed_after_the_accounts_is_revoked(lake: Lake, answer: Answer) -> None:
    """A grant that an account passed on stays listed there, powerless, once the account's own is revoked.

    In lakemesh the local grant is a resource of the consumer's stack: it is revoked there when the grant leaves the
    files, and revoking what is gone already succeeds.
    """
    _, tags = shared_table(lake)
    lake.grant(lake.recipient.id, lake.by_tags(tags), "SELECT", option=True)
    lake.accepting(lake.reader, lake.by_tags(tags), "SELECT")
    lake.revoke(lake.recipient.id, lake.by_tags(tags), "SELECT")
    held = partial(lake.held, lake.reader, lake.by_tags(tags), by=lake.recipient)
    answer("stays" if held() else "vanishes", here="stays")


@assumption("LF cross-account-cascading-permissions", OPEN)
def test_local_grants_revive_with_the_accounts(lake: Lake, answer: Answer) -> None:
    """A grant that an account passed on works again when the account's own is revoked and given again.

    In lakemesh both sides of a grant leave the files together, and the consumer's stack revokes its own side: nothing is
    left there to revive. What vanished although it is declared is granted again by the next `up`.
    """
    database, tags = shared_table(lake)
    lake.grant(lake.recipient.id, lake.by_tags(tags), "SELECT", option=True)
    lake.accepting(lake.reader, lake.by_tags(tags), "SELECT")
    lake.shows(lake.reader, database, "id", "day")
    lake.revoke(lake.recipient.id, lake.by_tags(tags), "SELECT")
    lake.hides(lake.reader, database)
    lake.grant(lake.recipient.id, lake.by_tags(tags), "SELECT", option=True)
    eventually(lake.accept)
    seen = lake.until(partial(lake.sees, lake.reader, database), ["day", "id"])
    answer("revives" if seen else "stays cut", here="revives")


@assumption("BP cross-account-faq", OPEN)
def test_shares_of_a_database_and_an_expression(lake: Lake, answer: Answer) -> None:
    """A database by name and tables by an expression travel in two shares, each with an invitation.

    lakemesh accepts every pending invitation of the owner's Lake Formation until none is left, whatever their number.
    """
    if shares(lake):
        pytest.skip("the accounts share something already: the number would mean nothing")
    database, key = lake.database(), lake.tag("public")
    lake.grant(lake.recipient.id, lake.on_database(database), "DESCRIBE", option=True)
    lake.grant(lake.recipient.id, lake.by_tags({key: ["public"]}), "SELECT", option=True)
    lake.until(lambda: len(shares(lake)), 2)
    answer(f"{len(shares(lake))} shares, {len(lake.invitations())} invitations", here="2 shares, 2 invitations")


@assumption("LF lf-permissions-reference", OPEN)
def test_partition_batches_take_alter(lake: Lake, answer: Answer) -> None:
    """BatchCreatePartition by somebody who did not create the table takes ALTER, and not INSERT besides.

    lakemesh's sync role creates the twins it writes to, and so holds both.
    """
    database, writer = lake.database(), lake.stranger()
    lake.table(database)
    lake.grant(writer, lake.on_table(database), "ALTER", "DESCRIBE")
    lake.shows(writer, database, *COLUMNS, *KEYS)
    create = partial(writer("glue").batch_create_partition, DatabaseName=database, TableName="orders")
    found = lake.until(partial(attempt, create, PartitionInputList=[lake.partition("d1")]), "accepted")
    answer(found, here="accepted")


@assumption("LF lf-permissions-reference", OPEN)
def test_partition_batches_with_insert_alone(lake: Lake, answer: Answer) -> None:
    """BatchCreatePartition is refused to somebody who holds INSERT and not ALTER.

    lakemesh grants INSERT to nobody on a twin.
    """
    database, writer = lake.database(), lake.stranger()
    lake.table(database)
    lake.grant(writer, lake.on_table(database), "INSERT", "DESCRIBE")
    lake.shows(writer, database, *COLUMNS, *KEYS)
    create = partial(writer("glue").batch_create_partition, DatabaseName=database, TableName="orders")
    found = attempt(create, PartitionInputList=[lake.partition("d1")])
    answer(found, here="AccessDeniedException")


@assumption("LF lf-permissions-reference", OPEN)
def test_column_list_with_grant_option(lake: Lake, answer: Answer) -> None:
    """SELECT on an explicit list of columns cannot carry the grant option (two pages disagree).

    lakemesh grants no columns by name yet; where it will, it is straight to a consumer's role, without grant option.
    """
    database = lake.database()
    lake.table(database)
    given = lake.granting(lake.local_reader, lake.on_columns(database, "id"), "SELECT", option=True)
    answer(attempt(lake.lf.grant_permissions, **given), here="InvalidInputException")


@assumption("LF lf-permissions-reference", OPEN)
def test_column_list_with_grant_option_to_an_account(lake: Lake, answer: Answer) -> None:
    """SELECT on an explicit list of columns cannot be granted to another account with grant option.

    lakemesh shares by expressions: an account never gets columns by name.
    """
    database = lake.database()
    lake.table(database)
    given = lake.granting(lake.recipient.id, lake.on_columns(database, "id"), "SELECT", option=True)
    answer(attempt(lake.lf.grant_permissions, **given), here="InvalidInputException")


@assumption("LF lf-permissions-reference", OPEN)
def test_two_column_lists_stay_two_rows(lake: Lake, answer: Answer) -> None:
    """Two grants of SELECT on different columns of a table to one principal stay two rows of ListPermissions.

    lakemesh grants no columns by name, and has one resource for a principal and what is granted, whatever the rows are.
    """
    database, reader = lake.database(), lake.stranger()
    lake.table(database)
    for column in ("id", "amount"):
        lake.grant(reader, lake.on_columns(database, column), "SELECT")
    lake.shows(reader, database, "id", "amount", *KEYS)
    rows = lake.lf.list_permissions(Principal=who(reader.arn), Resource=lake.on_table(database))
    answer(len(rows["PrincipalResourcePermissions"]), here=2)


@assumption("LF permission-cascading-rules", OPEN)
def test_named_tables_out_of_an_expression(lake: Lake, answer: Answer) -> None:
    """An account that was granted an expression cannot pass on, by name, a table that the expression reaches.

    lakemesh's consumer stack passes on the identical expression only. A consumer's administrators may read what their
    account was granted in any case: that is the account path's trade, and why it ends below `confidential`.
    """
    database, tags = shared_table(lake)
    lake.grant(lake.recipient.id, lake.by_tags(tags), "SELECT", option=True)
    lake.accepting(lake.reader, lake.by_tags(tags), "SELECT")
    given = lake.granting(lake.reader, lake.on_table(database), "SELECT")
    answer(attempt(lake.recipient("lakeformation").grant_permissions, **given), here="AccessDeniedException")


@assumption("LF granting-catalog-permissions", OPEN)
def test_a_foreign_principal_must_exist(lake: Lake, answer: Answer) -> None:
    """A grant to a role of another account that does not exist is refused.

    lakemesh's consumers name principals that exist; a grant to one that does not is reported by `up`, or it waits for
    the role where AWS accepts it, and a role made later under that name has another id and gets nothing.
    """
    database = lake.database()
    lake.table(database)
    nobody = f"arn:{lake.recipient.partition}:iam::{lake.recipient.id}:role/{lake.names('nobody')}"
    given = lake.granting(nobody, lake.on_table(database), "SELECT")
    answer(attempt(lake.lf.grant_permissions, **given), here="InvalidInputException")


@assumption("LF TBAC-assigning-tags", OPEN)
def test_updates_keep_the_tags_of_columns(lake: Lake, answer: Answer) -> None:
    """UpdateTable keeps the LF-Tags of columns whose names stay.

    lakemesh's tag handler runs after every schema change and assigns what is missing; until it did, the column inherits
    `unreviewed` and is readable by nobody.
    """
    database, level = lake.database(), lake.tag("unreviewed", "internal")
    lake.table(database)
    lake.assign(lake.on_columns(database, "id"), **{level: "internal"})
    changed = lake.table_input(columns=[*COLUMNS, "note"])
    lake.glue.update_table(DatabaseName=database, TableInput=changed)
    eventually(partial(lake.glue.get_table, DatabaseName=database, Name="orders"))
    found = lake.tags(lake.on_columns(database, "id"), assigned=True).get("columns", {})
    answer("kept" if found == {"id": {level: "internal"}} else f"now {found}", here="kept")


@assumption("LF TBAC-assigning-tags", OPEN)
def test_a_column_that_comes_back_inherits(lake: Lake, answer: Answer) -> None:
    """A column that is dropped and added again has lost its own LF-Tags and inherits those of its table.

    lakemesh's tag handler compares wanted with actual tags after every schema change and assigns what is missing. A
    column that came back has the review that its contract states; one of another name has none and shows to nobody.
    """
    database, level = lake.database(), lake.tag("unreviewed", "internal")
    lake.table(database)
    lake.assign(lake.on_database(database), **{level: "unreviewed"})
    lake.assign(lake.on_columns(database, "iban"), **{level: "internal"})
    for columns in (("id", "amount"), COLUMNS):
        lake.glue.update_table(DatabaseName=database, TableInput=lake.table_input(columns=columns))
    lake.until(lambda: lake.sees(lake.owner, database), sorted((*COLUMNS, *KEYS)))
    found = lake.tags(lake.on_columns(database, "iban"), assigned=True).get("columns", {})
    answer("kept" if found else "lost", here="lost")


@assumption("LF lf-tag-considerations", OPEN)
def test_links_carry_no_tags(lake: Lake, answer: Answer) -> None:
    """LF-Tags cannot be assigned to a resource link.

    lakemesh grants DESCRIBE on links by name and tags none.
    """
    database, key = lake.database(), lake.tag("public")
    link = lake.link(database, lake.names("link"), lake.owner)
    given = {"Resource": lake.on_database(link), "LFTags": [{"TagKey": key, "TagValues": ["public"]}]}
    try:
        failures = lake.lf.add_lf_tags_to_resource(**given).get("Failures", [])
        found = failures[0]["Error"]["ErrorCode"] if failures else "accepted"
    except lake.lf.exceptions.ClientError as error:
        found = code_of(error)
    answer(found, here="InvalidInputException")


@assumption("LF-API API_GrantPermissions", OPEN)
def test_a_deleted_role_is_not_its_successor(lake: Lake, answer: Answer) -> None:
    """A role that is deleted and made again under its name holds what the first one was granted.

    The reference says so of an ARN that is made again; of what is granted on, the guide says the opposite. lakemesh
    protects its own roles; a consumer that deletes a principal takes it out of its file, and `up` revokes its grants.
    """
    database, name = lake.database(), lake.names("twice")
    lake.table(database)
    first = lake.owner.become(lake.owner.role(lake.undo, name, trust(lake.owner.root), EVERYTHING))
    lake.grant(first, lake.on_table(database), "DESCRIBE")
    lake.shows(first, database, *COLUMNS, *KEYS)
    iam = lake.owner("iam")
    iam.delete_role_policy(RoleName=name, PolicyName="conformance")
    iam.delete_role(RoleName=name)
    second = lake.owner.become(lake.owner.role(lake.undo, name, trust(lake.owner.root), EVERYTHING))
    seen = lake.until(partial(lake.sees, second, database), [])
    answer("holds it" if seen else "holds nothing", here="holds it")


@assumption("LF optimize-ram", OPEN)
def test_version_5_is_final(lake: Lake, answer: Answer) -> None:
    """Lowering CROSS_ACCOUNT_VERSION from 5, as destroying the settings would, is refused.

    lakemesh retains settings when a stack is destroyed. This is never tried on AWS: it could not be undone.
    """
    if not lake.local:
        pytest.skip("an account that was set to version 5 stays there: ask one that is, by hand")
    third = lake.accounts.producer
    assert third is not None
    settings.put(third, Parameters={settings.VERSION: "5"})
    lower = {"Parameters": {settings.VERSION: "4"}}
    found = attempt(third("lakeformation").put_data_lake_settings, DataLakeSettings=lower)
    answer(found, here="InvalidInputException")


@assumption("LF-API API_PutDataLakeSettings", OPEN)
@pytest.mark.usefixtures("settings_may_change")
def test_settings_without_a_version(lake: Lake, answer: Answer) -> None:
    """PutDataLakeSettings without CROSS_ACCOUNT_VERSION sets it to 1.

    lakemesh states the version always.
    """
    before = settings.current(lake.recipient)
    if settings.version(before) == 5:
        pytest.skip("version 5 cannot be lowered again")
    lake.undo.later(settings.put, account=lake.recipient, **before)
    others = {name: value for name, value in before.get("Parameters", {}).items() if name != settings.VERSION}
    settings.put(lake.recipient, **{**before, "Parameters": others})
    answer(lake.until(lambda: settings.version(settings.current(lake.recipient)), 1), here=1)


# -------------------------------------------------------------------- what the local AWS does not model, and says so
@assumption("LF lf-tag-considerations", OPEN)
def test_saved_expressions(lake: Lake, answer: Answer) -> None:
    """A saved LF-Tag expression can be granted, and lifts the limit of 900 bytes.

    lakemesh writes every expression out: Pulumi's provider cannot grant a saved one. Its quota errors name the remedy.
    """
    values = [f"{number:050d}" for number in range(25)]
    key, name = lake.tag(*values), lake.names("expression")
    lake.undo.later(lake.lf.delete_lf_tag_expression, Name=name)
    found = attempt(lake.lf.create_lf_tag_expression, Name=name, Expression=[{"TagKey": key, "TagValues": values}])
    if found == "accepted":
        saved = {"CatalogId": lake.owner.id, "ResourceType": "TABLE", "ExpressionName": name}
        given = lake.granting(lake.local_reader, {"LFTagPolicy": saved}, "SELECT")
        found = f"{found}, and its grant {attempt(lake.lf.grant_permissions, **given)}"
    answer(found, here=REFUSED_BY_NAME)


@assumption("LF data-filtering-notes", OPEN)
def test_filters_and_tags(lake: Lake, answer: Answer) -> None:
    """A principal that reads a table through a data cells filter can be granted it by an LF-Tag expression as well.

    lakemesh refuses a grant by LF-Tags beside one with `rows` or `columns` to one principal: permissions are a union, so
    the filter would hide nothing. The local AWS grants both, as it grants any two.
    """
    database = lake.database()
    lake.table(database)
    given = {
        "TableCatalogId": lake.owner.id, "DatabaseName": database, "TableName": "orders", "Name": lake.names("filter"),
        "RowFilter": {"FilterExpression": "id = '1'"}, "ColumnWildcard": {"ExcludedColumnNames": []},
    }  # fmt: skip
    named = {key: given[key] for key in ("TableCatalogId", "DatabaseName", "TableName", "Name")}
    lake.undo.later(lake.lf.delete_data_cells_filter, **named)
    found = attempt(lake.lf.create_data_cells_filter, TableData=given)
    if found == "accepted":
        key = lake.tag("public")
        lake.assign(lake.on_table(database), **{key: "public"})
        filtered = {
            "TableCatalogId": lake.owner.id, "DatabaseName": database, "TableName": "orders", "Name": given["Name"],
        }  # fmt: skip
        lake.grant(lake.local_reader, {"DataCellsFilter": filtered}, "SELECT")
        by_tags = lake.granting(lake.local_reader, lake.by_tags({key: ["public"]}), "SELECT")
        found = f"the expression beside it is {attempt(lake.lf.grant_permissions, **by_tags)}"
    answer(found, here="the expression beside it is accepted")


@assumption("LF hybrid-access-mode", OPEN)
def test_hybrid_access(lake: Lake, answer: Answer) -> None:
    """A location can be registered in hybrid access mode, in which IAM still lets in who did not opt in.

    lakemesh registers its locations without it, in an account of its own.
    """
    bucket = lake.owner.bucket(lake.undo, lake.names("lake", "-"))
    trusted = trust({"Service": "lakeformation.amazonaws.com"})
    role = lake.owner.role(lake.undo, lake.names("registration"), trusted, EVERYTHING)
    arn = lake.owner.s3_arn(f"{bucket}/sales")
    lake.undo.later(lake.lf.deregister_resource, ResourceArn=arn)
    register = partial(lake.lf.register_resource, ResourceArn=arn, RoleArn=role, HybridAccessEnabled=True)
    answer(lake.until(partial(attempt, register), "accepted"), here=REFUSED_BY_NAME)


@assumption("LF cross-account-notes", OPEN)
def test_catalog_permissions_across_accounts(lake: Lake, answer: Answer) -> None:
    """CREATE_DATABASE on the catalog cannot be granted to another account.

    lakemesh grants it to nobody outside central.
    """
    given = lake.granting(lake.reader, {"Catalog": {}}, "CREATE_DATABASE")
    answer(attempt(lake.lf.grant_permissions, **given), here=REFUSED_BY_NAME)


@assumption("LF resource-links-about", OPEN)
def test_table_links(lake: Lake, answer: Answer) -> None:
    """A resource link to a single table can be made of a table in another account.

    lakemesh links whole databases: their names agree on both sides and views work.
    """
    database = lake.database()
    lake.table(database)
    target = {"CatalogId": lake.owner.id, "DatabaseName": database, "Name": "orders"}
    given = {"Name": "link", "TargetTable": target}
    answer(attempt(lake.glue.create_table, DatabaseName=database, TableInput=given), here=REFUSED_BY_NAME)
