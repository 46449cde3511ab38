"""Lake Formation's permissions inside one account: what may be granted, what is listed, and what Glue then shows."""

from __future__ import annotations

from functools import partial

import pytest

from tests.aws_conformance import settings
from tests.aws_conformance.accounts import allow, trust
from tests.aws_conformance.assumptions import Confidence, assumption
from tests.aws_conformance.lake import COLUMNS, IAM_ALLOWED_PRINCIPALS, KEYS, Lake, who
from tests.aws_conformance.waiting import allowed, eventually, refused

DOCUMENTED, INFERRED = Confidence.DOCUMENTED, Confidence.INFERRED
INVALID = "InvalidInputException"
DENIED = "AccessDeniedException"


# ------------------------------------------------------------------------------------------------------ what is listed
@assumption("LF lf-permissions-reference", DOCUMENTED)
def test_select_is_a_row_of_its_own(lake: Lake) -> None:
    """ListPermissions shows SELECT on a table as a row of its own, of type TableWithColumns."""
    database, reader = lake.database(), lake.stranger()
    lake.table(database)
    lake.grant(reader, lake.on_table(database), "DESCRIBE", "SELECT")
    rows = {"Table": {"DESCRIBE"}, "TableWithColumns": {"SELECT"}}
    assert lake.until(partial(lake.held, reader, lake.on_table(database)), rows) == rows


@assumption("LF lf-permissions-reference", DOCUMENTED)
def test_grants_add_up(lake: Lake) -> None:
    """A second grant to a principal on a resource adds to the first; a revocation takes only what it names.

    So a revocation that follows a grant of the same permission takes it away, whoever granted it twice: lakemesh has one
    Permissions resource for a principal and resource, and replaces it by deleting first.
    """
    database, reader = lake.database(), lake.stranger()
    lake.table(database)
    of = lake.on_table(database)
    lake.grant(reader, of, "DESCRIBE")
    lake.grant(reader, of, "DESCRIBE", "ALTER")
    held = partial(lake.held, reader, of)
    assert lake.until(held, {"Table": {"ALTER", "DESCRIBE"}}) == {"Table": {"ALTER", "DESCRIBE"}}
    lake.revoke(reader, of, "DESCRIBE")
    assert lake.until(held, {"Table": {"ALTER"}}) == {"Table": {"ALTER"}}


@assumption("LF-API API_RevokePermissions", INFERRED)
def test_revoking_nothing_says_so(lake: Lake) -> None:
    """Revoking what is not held is InvalidInputException with "No permissions revoked".

    The text is how Pulumi's provider knows that a grant is gone: with another one, destroy would fail there.
    """
    database = lake.database()
    refused(
        INVALID, lake.lf.revoke_permissions, match="No permissions revoked",
        Principal=who(lake.local_reader.arn), Resource=lake.on_database(database), Permissions=["DESCRIBE"],
    )  # fmt: skip


@assumption("LF-API API_ListPermissions", DOCUMENTED)
def test_a_grant_is_listed_with_its_grant_option(lake: Lake) -> None:
    """ListPermissions tells the permissions that a principal may pass on apart from those it holds."""
    database, reader = lake.database(), lake.stranger()
    lake.grant(reader, lake.on_database(database), "DESCRIBE", option=True)
    lake.grant(reader, lake.on_database(database), "ALTER")
    wanted = {"Database": {"ALTER", "DESCRIBE"}, "with grant option": {"DESCRIBE"}}
    assert lake.until(partial(lake.held, reader, lake.on_database(database)), wanted) == wanted


@assumption("LF-API API_BatchGrantPermissions", DOCUMENTED)
def test_a_batch_says_which_failed(lake: Lake) -> None:
    """BatchGrantPermissions grants what it can and lists the rest in Failures, by the caller's ids."""
    database, reader = lake.database(), lake.stranger()
    entries = [
        {"Id": name, **lake.granting(reader, resource, "DESCRIBE")}
        for name, resource in (
            ("good", lake.on_database(database)), ("bad", lake.on_database(lake.names("nothing"))),
        )
    ]  # fmt: skip
    failures = allowed(lake.lf.batch_grant_permissions, Entries=entries)["Failures"]
    assert [failure["RequestEntry"]["Id"] for failure in failures] == ["bad"], failures
    wanted = {"Database": {"DESCRIBE"}}
    assert lake.until(partial(lake.held, reader, lake.on_database(database)), wanted) == wanted


@assumption("LF lf-permissions-reference", INFERRED)
def test_super_is_listed_with_its_parts(lake: Lake) -> None:
    """ListPermissions shows Super on a database as ALL and each permission that it stands for.

    Every tool that reads grants back sees a difference: lakemesh never grants ALL.
    """
    database, reader = lake.database(), lake.stranger()
    lake.grant(reader, lake.on_database(database), "ALL")
    wanted = {"Database": {"ALL", "ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"}}
    assert lake.until(partial(lake.held, reader, lake.on_database(database)), wanted) == wanted


@assumption("LF-API API_RevokePermissions", INFERRED)
def test_a_revocation_is_whole_or_nothing(lake: Lake) -> None:
    """Revoking permissions of which one is not held is InvalidInputException, and takes none.

    A resource of lakemesh revokes what it granted; where somebody took a part of it, destroy fails and names the rest.
    """
    database, reader = lake.database(), lake.stranger()
    lake.grant(reader, lake.on_database(database), "DESCRIBE")
    refused(
        INVALID, lake.lf.revoke_permissions, match="No permissions revoked",
        Principal=who(reader.arn), Resource=lake.on_database(database), Permissions=["DESCRIBE", "DROP"],
    )  # fmt: skip
    assert lake.held(reader, lake.on_database(database)) == {"Database": {"DESCRIBE"}}


@assumption("LF-API API_RevokePermissions", DOCUMENTED)
def test_the_grant_option_alone_is_revoked(lake: Lake) -> None:
    """The grant option can be revoked while the permission stays."""
    database, reader = lake.database(), lake.stranger()
    lake.grant(reader, lake.on_database(database), "DESCRIBE", option=True)
    allowed(
        lake.lf.revoke_permissions, Principal=who(reader.arn), Resource=lake.on_database(database),
        Permissions=[], PermissionsWithGrantOption=["DESCRIBE"],
    )  # fmt: skip
    wanted = {"Database": {"DESCRIBE"}}
    assert lake.until(partial(lake.held, reader, lake.on_database(database)), wanted) == wanted


@assumption("LF-API API_ListPermissions", INFERRED)
def test_others_list_their_own_grants(lake: Lake) -> None:
    """Who is no administrator lists its own grants, and is refused the list of all."""
    database, reader = lake.database(), lake.stranger()
    lake.grant(reader, lake.on_database(database), "DESCRIBE")
    lf = reader("lakeformation")

    def own() -> None:
        assert len(lf.list_permissions(Principal=who(reader.arn))["PrincipalResourcePermissions"]) == 1

    eventually(own)
    refused(DENIED, lf.list_permissions)


@assumption("LF granting-catalog-permissions", INFERRED)
def test_a_database_that_comes_back_is_granted_to_nobody(lake: Lake) -> None:
    """A database that is deleted and made again under its name has none of the grants of the first.

    lakemesh revokes before it deletes, and its grants depend on their database.
    """
    database, reader = lake.database(), lake.stranger()
    lake.grant(reader, lake.on_database(database), "DESCRIBE")
    lake.glue.delete_database(Name=database)
    lake.database(name=database)
    assert lake.until(partial(lake.held, reader, lake.on_database(database)), {}) == {}


@assumption("LF-API API_GrantPermissions", INFERRED)
def test_the_grant_option_is_for_what_is_granted(lake: Lake) -> None:
    """PermissionsWithGrantOption that are not among Permissions are refused."""
    database = lake.database()
    given = lake.granting(lake.local_reader, lake.on_database(database), "DESCRIBE")
    refused(INVALID, lake.lf.grant_permissions, **given, PermissionsWithGrantOption=["DROP"])


# -------------------------------------------------------------------------------------------------------- what is valid
@assumption("LF lf-permissions-reference", DOCUMENTED)
@pytest.mark.parametrize(
    ("of", "permission"), [("database", "SELECT"), ("table", "CREATE_TABLE"), ("columns", "DESCRIBE")]
)
def test_permissions_suit_their_resource(lake: Lake, of: str, permission: str) -> None:
    """SELECT is not for databases, CREATE_TABLE not for tables, DESCRIBE not for columns: such grants are refused."""
    database = lake.database()
    lake.table(database)
    resource = {
        "database": lake.on_database(database), "table": lake.on_table(database),
        "columns": lake.on_columns(database, "id"),
    }[of]  # fmt: skip
    refused(INVALID, lake.lf.grant_permissions, **lake.granting(lake.local_reader, resource, permission))


@assumption("LF lf-permissions-reference", DOCUMENTED)
def test_describe_excludes_partial_select(lake: Lake) -> None:
    """A principal with SELECT on some columns of a table cannot be granted DESCRIBE on it.

    lakemesh's `read` grants SELECT alone.
    """
    database, reader = lake.database(), lake.stranger()
    lake.table(database)
    lake.grant(reader, lake.on_columns(database, "id"), "SELECT")
    refused(INVALID, lake.lf.grant_permissions, **lake.granting(reader, lake.on_table(database), "DESCRIBE"))


@assumption("LF lf-permissions-reference", INFERRED)
def test_partial_select_excludes_describe(lake: Lake) -> None:
    """A principal with DESCRIBE on a table cannot be granted SELECT on some of its columns.

    The page states the rule for the other order; should AWS accept this one, the principal sees all column names, which
    lakemesh never grants beside explicit columns.
    """
    database, reader = lake.database(), lake.stranger()
    lake.table(database)
    lake.grant(reader, lake.on_table(database), "DESCRIBE")
    refused(INVALID, lake.lf.grant_permissions, **lake.granting(reader, lake.on_columns(database, "id"), "SELECT"))


@assumption("LF-API API_GrantPermissions", DOCUMENTED)
def test_a_principal_must_exist(lake: Lake) -> None:
    """A grant to a role that does not exist is refused as an invalid principal."""
    database = lake.database()
    nobody = f"arn:{lake.owner.partition}:iam::{lake.owner.id}:role/{lake.names('nobody')}"
    given = lake.granting(nobody, lake.on_database(database), "DESCRIBE")
    refused(INVALID, lake.lf.grant_permissions, match="(?i)invalid principal", **given)


@assumption("LF-API API_GrantPermissions", DOCUMENTED)
def test_what_is_granted_must_exist(lake: Lake) -> None:
    """A grant on a table or column that does not exist is refused."""
    database = lake.database()
    lake.table(database)
    for resource in (lake.on_table(database, "nothing"), lake.on_columns(database, "nothing")):
        given = lake.granting(lake.local_reader, resource, "SELECT")
        refused(("EntityNotFoundException", INVALID), lake.lf.grant_permissions, **given)


@assumption("LF granting-link-permissions", DOCUMENTED)
def test_a_link_takes_describe_and_drop(lake: Lake) -> None:
    """On a resource link nothing but DESCRIBE and DROP can be granted."""
    database = lake.database()
    link = lake.link(database, lake.names("link"), lake.owner)
    given = lake.granting(lake.local_reader, lake.on_database(link), "CREATE_TABLE")
    refused(INVALID, lake.lf.grant_permissions, **given)


@assumption("LF access-control-underlying-data", DOCUMENTED)
def test_a_location_is_registered_first(lake: Lake) -> None:
    """DATA_LOCATION_ACCESS cannot be granted on a location that is not registered."""
    arn = lake.owner.s3_arn(f"{lake.names.prefix}-nowhere/orders")
    given = lake.granting(lake.local_reader, {"DataLocation": {"ResourceArn": arn}}, "DATA_LOCATION_ACCESS")
    refused((INVALID, "EntityNotFoundException"), lake.lf.grant_permissions, **given)


@assumption("LF lf-tag-considerations", DOCUMENTED)
def test_a_principal_holds_fifty_expressions(lake: Lake) -> None:
    """A principal holds at most 50 LF-Tag expressions."""
    key, reader = lake.tag(*(f"v{number}" for number in range(50))), lake.stranger()
    other = lake.tag("x")
    for number in range(50):
        lake.grant(reader, lake.by_tags({key: [f"v{number}"]}), "SELECT")
    given = lake.granting(reader, lake.by_tags({other: ["x"]}), "SELECT")
    refused((INVALID, "ResourceNumberLimitExceededException"), lake.lf.grant_permissions, **given)


# ----------------------------------------------------------------------------------------------------------- who may
@assumption("LF lf-permissions-reference", DOCUMENTED)
def test_what_is_held_with_grant_option_is_passed_on(lake: Lake) -> None:
    """Who is no administrator grants what it holds with grant option, and nothing else."""
    database, broker, reader = lake.database(), lake.stranger(), lake.stranger()
    lake.table(database)
    lf = broker("lakeformation")
    given = lake.granting(reader, lake.on_table(database), "SELECT")
    refused(DENIED, lf.grant_permissions, **given)
    lake.grant(broker, lake.on_table(database), "SELECT")
    refused(DENIED, lf.grant_permissions, **given)
    lake.grant(broker, lake.on_table(database), "SELECT", option=True)
    eventually(partial(allowed, lf.grant_permissions, **given))


@assumption("LF implicit-permissions", DOCUMENTED)
def test_creators_hold_everything(lake: Lake) -> None:
    """Who creates a table may grant and drop it without any grant on it; CREATE_TABLE on the database is enough.

    lakemesh's sync role owns its tables so; IAM takes Grant, Revoke, data access and S3 from it.
    """
    database, creator, reader = lake.database(), lake.stranger(), lake.stranger()
    lake.grant(creator, lake.on_database(database), "CREATE_TABLE", "DESCRIBE")
    glue = creator("glue")
    eventually(partial(glue.create_table, DatabaseName=database, TableInput=lake.table_input()))
    lake.shows(creator, database, *COLUMNS, *KEYS)
    given = lake.granting(reader, lake.on_table(database), "SELECT")
    allowed(creator("lakeformation").grant_permissions, **given)
    allowed(glue.delete_table, DatabaseName=database, Name="orders")


@assumption("LF implicit-permissions", DOCUMENTED)
def test_creating_takes_create_table(lake: Lake) -> None:
    """Without CREATE_TABLE on the database CreateTable is AccessDeniedException, whatever IAM allows."""
    database, creator = lake.database(), lake.stranger()
    lake.grant(creator, lake.on_database(database), "DESCRIBE")
    eventually(
        partial(
            refused, DENIED, creator("glue").create_table, DatabaseName=database, TableInput=lake.table_input()
        )
    )  # fmt: skip


@assumption("LF lf-permissions-reference", DOCUMENTED)
def test_changing_takes_alter(lake: Lake) -> None:
    """UpdateTable takes ALTER on the table: DESCRIBE is not enough."""
    database, writer = lake.database(), lake.stranger()
    lake.table(database)
    lake.grant(writer, lake.on_table(database), "DESCRIBE")
    lake.shows(writer, database, *COLUMNS, *KEYS)
    update = partial(writer("glue").update_table, DatabaseName=database, TableInput=lake.table_input())
    refused(DENIED, update)
    lake.grant(writer, lake.on_table(database), "ALTER")
    eventually(partial(allowed, update))


@assumption("LF granting-catalog-permissions", DOCUMENTED)
def test_all_tables_covers_tables_to_come(lake: Lake) -> None:
    """A grant on all tables of a database holds for tables that are made later."""
    database, reader = lake.database(), lake.stranger()
    lake.grant(reader, lake.on_all_tables(database), "DESCRIBE")
    lake.table(database)
    lake.shows(reader, database, *COLUMNS, *KEYS)


# -------------------------------------------------------------------------------------------------------- what shows
@assumption("LF access-control-metadata", DOCUMENTED)
def test_ungranted_tables_are_hidden(lake: Lake) -> None:
    """GetTables leaves out tables of which one holds nothing: it does not refuse.

    So an absent table may be a hidden one: lakemesh's sync deletes nothing unless it proves that it may see all.
    """
    database, reader = lake.database(), lake.stranger()
    lake.table(database, "orders")
    lake.table(database, "returns")
    lake.grant(reader, lake.on_table(database), "SELECT")

    def names() -> list[str]:
        return [table["Name"] for table in reader("glue").get_tables(DatabaseName=database)["TableList"]]

    def one() -> None:
        assert names() == ["orders"]

    eventually(one)


@assumption("LF access-control-metadata", DOCUMENTED)
def test_an_ungranted_table_is_refused_by_name(lake: Lake) -> None:
    """GetTable of a table of which one holds nothing is AccessDeniedException."""
    database, reader = lake.database(), lake.stranger()
    lake.table(database)
    lake.grant(reader, lake.on_database(database), "DESCRIBE")
    eventually(partial(refused, DENIED, reader("glue").get_table, DatabaseName=database, Name="orders"))


@assumption("LF access-control-metadata", INFERRED)
def test_a_missing_table_looks_like_a_hidden_one(lake: Lake) -> None:
    """Who may not create tables is refused a table that does not exist with AccessDeniedException too.

    lakemesh's sync reads AccessDeniedException as "may not see", never as "deleted".
    """
    database, reader = lake.database(), lake.stranger()
    lake.grant(reader, lake.on_database(database), "DESCRIBE")
    eventually(partial(refused, DENIED, reader("glue").get_table, DatabaseName=database, Name="nothing"))


@assumption("LF access-control-metadata", DOCUMENTED)
def test_get_table_shows_permitted_columns(lake: Lake) -> None:
    """GetTable shows who may select some columns those and no others.

    So a reader with a partial SELECT would publish a truncated schema: lakemesh's reader has DESCRIBE.
    """
    database, reader = lake.database(), lake.stranger()
    lake.table(database)
    lake.grant(reader, lake.on_columns(database, "id"), "SELECT")
    lake.shows(reader, database, "id", *KEYS)


@assumption("LF lf-permissions-reference", DOCUMENTED)
def test_describe_shows_every_column(lake: Lake) -> None:
    """DESCRIBE on a table shows all of its columns."""
    database, reader = lake.database(), lake.stranger()
    lake.table(database)
    lake.grant(reader, lake.on_table(database), "DESCRIBE")
    lake.shows(reader, database, *COLUMNS, *KEYS)


@assumption("LF data-filtering-notes", DOCUMENTED)
def test_partition_keys_show_with_any_column(lake: Lake) -> None:
    """Partition keys cannot be restricted: who may select any column sees them, though the grant leaves them out."""
    database, reader = lake.database(), lake.stranger()
    lake.table(database)
    lake.grant(reader, lake.on_columns(database, "amount"), "SELECT")
    lake.shows(reader, database, "amount", *KEYS)


@assumption("LF granting-catalog-permissions", DOCUMENTED)
def test_a_grant_on_a_table_shows_its_database(lake: Lake) -> None:
    """Inside one account any permission on a table implies DESCRIBE on its database."""
    database, reader = lake.database(), lake.stranger()
    lake.table(database)
    refused((DENIED, "EntityNotFoundException"), reader("glue").get_database, Name=database)
    lake.grant(reader, lake.on_table(database), "SELECT")
    eventually(partial(allowed, reader("glue").get_database, Name=database))


@assumption("LF access-control-metadata", DOCUMENTED)
def test_ungranted_databases_are_hidden(lake: Lake) -> None:
    """GetDatabases leaves out databases of which one holds nothing."""
    database, reader = lake.database(), lake.stranger()
    pages = eventually(lambda: list(reader("glue").get_paginator("get_databases").paginate()))
    assert database not in [found["Name"] for page in pages for found in page["DatabaseList"]]


@assumption("LF lf-permissions-reference", DOCUMENTED)
def test_iam_must_allow_too(lake: Lake) -> None:
    """A grant does not replace IAM: without glue:GetTable a principal with DESCRIBE is refused."""
    database = lake.database()
    lake.table(database)
    name = lake.names("without")
    arn = lake.owner.role(lake.undo, name, trust(lake.owner.root), allow("lakeformation:*"))
    reader = lake.owner.become(arn)
    lake.grant(reader, lake.on_table(database), "DESCRIBE")
    refused(DENIED, reader("glue").get_table, match="glue:GetTable", DatabaseName=database, Name="orders")


@assumption("GLUE glue-specifying-resource-arns", DOCUMENTED)
def test_a_table_needs_its_catalog_and_database(lake: Lake) -> None:
    """IAM has to allow glue:GetTable on catalog, database and table: the table's ARN alone is not enough."""
    database = lake.database()
    lake.table(database)
    base = f"arn:{lake.owner.partition}:glue:{lake.owner.region}:{lake.owner.id}"
    parts = [f"{base}:table/{database}/orders", f"{base}:database/{database}", f"{base}:catalog"]
    name = lake.names("by-arn")
    arn = lake.owner.role(lake.undo, name, trust(lake.owner.root), allow("glue:GetTable", resource=parts[:1]))
    reader = lake.owner.become(arn)
    lake.grant(reader, lake.on_table(database), "DESCRIBE")
    refused(DENIED, reader("glue").get_table, DatabaseName=database, Name="orders")
    lake.owner.policy(name, allow("glue:GetTable", resource=parts))
    lake.shows(reader, database, *COLUMNS, *KEYS)


# --------------------------------------------------------------------------------------------- IAM_ALLOWED_PRINCIPALS
@assumption("LF change-settings", DOCUMENTED)
def test_everybody_sees_what_is_left_to_iam(lake: Lake) -> None:
    """Super to IAM_ALLOWED_PRINCIPALS lets everybody in whom IAM lets in, columns and all."""
    database, reader = lake.database(), lake.stranger()
    lake.table(database)
    for resource in (lake.on_database(database), lake.on_table(database)):
        lake.grant(IAM_ALLOWED_PRINCIPALS, resource, "ALL")
    lake.shows(reader, database, *COLUMNS, *KEYS)


@assumption("LF change-settings", DOCUMENTED)
def test_defaults_of_a_database_are_its_tables(lake: Lake) -> None:
    """A table is granted to IAM_ALLOWED_PRINCIPALS when its database's CreateTableDefaultPermissions say so."""
    default = [{"Principal": who(IAM_ALLOWED_PRINCIPALS), "Permissions": ["ALL"]}]
    left, governed = lake.database(CreateTableDefaultPermissions=default), lake.database()
    for database in (left, governed):
        lake.table(database)
    held = lake.until(lambda: bool(lake.held(IAM_ALLOWED_PRINCIPALS, lake.on_table(left))), wanted=True)
    assert held is True
    assert lake.held(IAM_ALLOWED_PRINCIPALS, lake.on_table(governed)) == {}


@assumption("LF change-settings", DOCUMENTED)
@pytest.mark.usefixtures("settings_may_change")
def test_defaults_are_fixed_when_a_database_is_made(lake: Lake) -> None:
    """A database made while the account's defaults stand keeps them for its tables after the defaults are cleared.

    So lakemesh puts the settings before it makes a database, and its sync refuses a twin with defaults.
    """
    default = [{"Principal": who(IAM_ALLOWED_PRINCIPALS), "Permissions": ["ALL"]}]
    before = settings.current(lake.owner)
    lake.undo.later(settings.put, account=lake.owner, **before)
    settings.put(lake.owner, **{**before, "CreateTableDefaultPermissions": default})
    name = lake.names("before")
    lake.undo.later(lake.glue.delete_database, Name=name)
    lake.glue.create_database(DatabaseInput={"Name": name})
    settings.put(lake.owner, **{**before, "CreateTableDefaultPermissions": []})
    lake.table(name)
    assert lake.until(lambda: bool(lake.held(IAM_ALLOWED_PRINCIPALS, lake.on_table(name))), wanted=True) is True


@assumption("LF-API API_PutDataLakeSettings", DOCUMENTED)
@pytest.mark.usefixtures("settings_may_change")
def test_settings_are_replaced_as_a_whole(lake: Lake) -> None:
    """PutDataLakeSettings replaces all settings: lists that are left out are empty afterwards."""
    before = settings.current(lake.recipient)
    lake.undo.later(settings.put, account=lake.recipient, **before)
    settings.put(lake.recipient, **{**before, "TrustedResourceOwners": [lake.owner.id]})
    without = {key: value for key, value in before.items() if key != "TrustedResourceOwners"}
    settings.put(lake.recipient, **without)

    def empty() -> None:
        assert settings.current(lake.recipient).get("TrustedResourceOwners", []) == []

    eventually(empty)


@assumption("LF-API API_DataLakeSettings", DOCUMENTED)
@pytest.mark.usefixtures("settings_may_change")
def test_defaults_are_everything_or_nothing(lake: Lake) -> None:
    """CreateTableDefaultPermissions is empty, or ALL to IAM_ALLOWED_PRINCIPALS: something else is refused."""
    before = settings.current(lake.recipient)
    lake.undo.later(settings.put, account=lake.recipient, **before)
    wrong = [{"Principal": who(IAM_ALLOWED_PRINCIPALS), "Permissions": ["SELECT"]}]
    refused(
        INVALID, lake.recipient("lakeformation").put_data_lake_settings,
        DataLakeSettings={**before, "CreateTableDefaultPermissions": wrong},
    )  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- locations
@assumption("LF register-location", DOCUMENTED)
def test_a_location_is_registered_once(lake: Lake) -> None:
    """RegisterResource of a registered location is AlreadyExistsException; of another account's role it is refused."""
    bucket = lake.owner.bucket(lake.undo, lake.names("lake", "-"))
    statement = allow(
        "s3:GetObject", "s3:ListBucket", resource=[lake.owner.s3_arn(bucket), lake.owner.s3_arn(f"{bucket}/*")]
    )
    trusted = trust({"Service": "lakeformation.amazonaws.com"})
    role = lake.owner.role(lake.undo, lake.names("registration"), trusted, statement)
    arn = lake.owner.s3_arn(f"{bucket}/sales")
    lake.undo.later(lake.lf.deregister_resource, ResourceArn=arn)
    eventually(partial(lake.lf.register_resource, ResourceArn=arn, RoleArn=role))
    refused("AlreadyExistsException", lake.lf.register_resource, ResourceArn=arn, RoleArn=role)
    refused(
        (DENIED, INVALID), lake.lf.register_resource,
        ResourceArn=lake.owner.s3_arn(f"{bucket}/other"), RoleArn=lake.reader.arn,
    )  # fmt: skip


@assumption("LF access-control-underlying-data", DOCUMENTED)
def test_a_registered_location_takes_location_access(lake: Lake) -> None:
    """Making a table at a registered location takes DATA_LOCATION_ACCESS besides CREATE_TABLE; at others it does not."""
    bucket, creator, database = lake.owner.bucket(lake.undo, lake.names("lake", "-")), lake.stranger(), lake.database()
    trusted = trust({"Service": "lakeformation.amazonaws.com"})
    role = lake.owner.role(lake.undo, lake.names("registration"), trusted, allow("s3:GetObject", "s3:ListBucket"))
    arn = lake.owner.s3_arn(f"{bucket}/sales")
    lake.undo.later(lake.lf.deregister_resource, ResourceArn=arn)
    eventually(partial(lake.lf.register_resource, ResourceArn=arn, RoleArn=role))
    lake.grant(creator, lake.on_database(database), "CREATE_TABLE")
    create = partial(creator("glue").create_table, DatabaseName=database)

    def at(location: str, name: str) -> dict[str, object]:
        given = lake.table_input(name)
        return {**given, "StorageDescriptor": {**given["StorageDescriptor"], "Location": location}}

    eventually(partial(allowed, create, TableInput=at(f"s3://{bucket}/elsewhere/", "elsewhere")))
    refused(DENIED, create, TableInput=at(f"s3://{bucket}/sales/orders/", "orders"))
    lake.grant(creator, {"DataLocation": {"ResourceArn": arn}}, "DATA_LOCATION_ACCESS")
    eventually(partial(allowed, create, TableInput=at(f"s3://{bucket}/sales/orders/", "orders")))


@assumption("LF registration-role", INFERRED)
def test_a_registration_role_need_not_be_assumable_to_register(lake: Lake) -> None:
    """RegisterResource does not check what the role may read: a role without S3 permissions can be registered.

    lakemesh's tests of its components check the role's statements instead.
    """
    bucket = lake.owner.bucket(lake.undo, lake.names("lake", "-"))
    trusted = trust({"Service": "lakeformation.amazonaws.com"})
    role = lake.owner.role(lake.undo, lake.names("registration"), trusted)
    arn = lake.owner.s3_arn(f"{bucket}/sales")
    lake.undo.later(lake.lf.deregister_resource, ResourceArn=arn)
    eventually(partial(allowed, lake.lf.register_resource, ResourceArn=arn, RoleArn=role))
