"""Producer, domain and consumer: what they make, and the order that failing closed asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components import ConsumerAccount, Domain, ProducerAccount, TableTags
from components.policy_documents import PolicyTooLargeError
from tests.components.build import build
from tests.components.given import CENTRAL, CONSUMER, PRODUCER, ROLE, TABLE, arguments_of
from tests.program.engine import Engine


def invocation(engine: Engine, name: str) -> dict[str, Any]:
    return json.loads(engine.one("Invocation", name)["input"])


# --------------------------------------------------------------------------------------------------- domain
def test_a_twin_is_unreviewed_before_its_first_table_can_exist(engine: Engine) -> None:
    """Trap: tags cannot be set when a table is made, and a table inherits its database's."""
    build(engine, Domain, arguments_of("Domain"))

    for twin in ("shop_orders", "shop_raw"):
        sync = engine.one("Invocation", f"it-{twin}-sync")
        tags = [r for r in engine.of("ResourceLfTag") if r.parent == sync.parent]
        assert {(r["lfTag"]["key"], r["lfTag"]["value"]) for r in tags} == {
            ("domain", "sales"),
            ("sensitivity", "unreviewed"),
        }
        assert all(engine.waits_for(sync, tag) for tag in tags)


def test_locations_are_registered_and_the_sync_role_let_at_them_before_tables_point_there(engine: Engine) -> None:
    """Trap: a table at a registered location needs DATA_LOCATION_ACCESS."""
    build(engine, Domain, arguments_of("Domain"))

    locations = engine.of("aws:lakeformation/resource:Resource")
    access = [r for r in engine.of("Permissions") if "dataLocation" in r.inputs]
    assert {r["arn"] for r in locations} == {"arn:aws:s3:::shop-lake/orders", "arn:aws:s3:::shop-open"}
    assert {r["dataLocation"]["arn"] for r in access} == {r["arn"] for r in locations}
    for sync in ("it-shop_orders-sync", "it-shop_raw-sync"):
        for each in [*locations, *access]:
            assert engine.waits_for(engine.one("Invocation", sync), each)


def test_tables_are_synced_before_they_are_tagged_and_tagged_before_anybody_is_let_at_them(engine: Engine) -> None:
    build(engine, Domain, arguments_of("Domain"))

    tags = engine.one("Invocation", "it-orders-tags")
    assert engine.waits_for(tags, engine.one("Invocation", "it-shop_orders-sync"))
    for name in ("orders-to-consumer", "shop_orders-to-consumer", "order_line-to-consumer"):
        permission = engine.one("Permissions", name)
        assert engine.waits_for(permission, tags)
        assert engine.waits_for(permission, engine.one("CatalogDatabase", "it-shop_orders-database")), (
            "grants go before their database, or its RAM share is orphaned"
        )


def test_locations_are_registered_through_a_role_that_only_reads(engine: Engine) -> None:
    """Trap: the service-linked role cannot register another account's bucket and obeys no SCP."""
    build(engine, Domain, arguments_of("Domain"))

    role = engine.one("aws:iam/role:Role")
    policy = engine.one("RolePolicy")
    for location in engine.of("aws:lakeformation/resource:Resource"):
        assert location["roleArn"].endswith("orchard-register-sales.shop")
        assert "useServiceLinkedRole" not in location.inputs
        assert policy.urn in location.dependencies, "registration tries the role at once"
        assert location.delete_before_replace, "its ARN is its identity, whatever role it is registered with"
    actions = {a for s in json.loads(policy["policy"])["Statement"] for a in s["Action"]}
    assert actions == {"s3:GetObject", "s3:ListBucket", "kms:Decrypt", "kms:DescribeKey"}
    (trust,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "lakeformation.amazonaws.com"}


def test_listing_is_limited_to_the_prefixes_unless_the_whole_bucket_is_shared(engine: Engine) -> None:
    build(engine, Domain, arguments_of("Domain"))

    statements = json.loads(engine.one("RolePolicy")["policy"])["Statement"]
    listing = {s["Resource"][0]: s.get("Condition") for s in statements if s["Action"] == ["s3:ListBucket"]}
    assert listing == {
        "arn:aws:s3:::shop-lake": {"StringLike": {"s3:prefix": ["orders/", "orders/*"]}},
        "arn:aws:s3:::shop-open": None,
    }


def test_what_the_roles_hold_on_a_twin_is_exactly_this(engine: Engine) -> None:
    build(engine, Domain, arguments_of("Domain"))

    held = {
        (r["principal"].rsplit("-", 1)[-1], "tables" if "table" in r.inputs else "database"): r["permissions"]
        for r in engine.of("Permissions")
        if r.name.startswith("it-shop_raw-")
    }
    assert held == {
        ("sync", "database"): ["CREATE_TABLE", "DESCRIBE"],
        ("sync", "tables"): ["ALTER", "DESCRIBE", "DROP"],
        ("tag", "database"): ["DESCRIBE"],
        ("tag", "tables"): ["ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"],
    }


def test_the_tag_roles_grant_is_not_replaced_at_every_refresh(engine: Engine) -> None:
    """Trap: SELECT on a table comes back as SELECT on its columns (terraform-provider-aws#49453)."""
    build(engine, Domain, arguments_of("Domain"))

    with_select = [r for r in engine.of("Permissions") if "SELECT" in r["permissions"] and "table" in r.inputs]
    assert len(with_select) == 2
    for each in with_select:
        assert each.ignore_changes == ("permissions", "permissionsWithGrantOptions")


def test_a_filter_lists_its_columns_and_is_there_before_the_grant_on_it(engine: Engine) -> None:
    build(engine, Domain, arguments_of("Domain"))

    made = engine.one("DataCellsFilter")
    assert made["tableData"] == {
        "tableCatalogId": CENTRAL,
        "databaseName": "shop_orders",
        "tableName": "order_line",
        "name": "order_line-1",
        "columnNames": ["email", "note"],
        "rowFilter": {"filterExpression": "\"note\" = 'a'"},
    }
    (granted,) = [each for each in engine.of("Permissions") if "dataCellsFilter" in each.inputs]
    assert granted["dataCellsFilter"]["name"] == "order_line-1"
    order = [each.urn for each in engine.resources]
    assert order.index(made.urn) < order.index(granted.urn)


def test_a_filter_without_a_condition_shows_every_row(engine: Engine) -> None:
    given = arguments_of("Domain")
    del given["filters"][0]["rows"]
    build(engine, Domain, given)

    assert engine.one("DataCellsFilter")["tableData"]["rowFilter"] == {"allRowsWildcard": {}}


def test_nothing_is_granted_to_iam_allowed_principals(engine: Engine) -> None:
    for component in (Domain, ConsumerAccount, ProducerAccount):
        built = build(Engine(), component, arguments_of(component.__name__))
        assert "IAM_ALLOWED_PRINCIPALS" not in {r["principal"] for r in built.of("Permissions")}


def test_a_sync_says_which_source_it_means(engine: Engine) -> None:
    build(engine, Domain, arguments_of("Domain"))

    assert invocation(engine, "it-shop_raw-sync") == {"action": "reconcile", "digest": "bbbb", "twin": "shop_raw"}


def test_a_domain_without_sources_is_empty_and_valid(engine: Engine) -> None:
    build(engine, Domain, arguments_of("Domain", locations=[], twins=[], products=[], entries=[]))

    assert not engine.of("CatalogDatabase")


# ------------------------------------------------------------------------------------------------ table tags
def test_a_product_is_tagged_by_one_invocation_that_runs_when_it_is_made_changed_or_removed(engine: Engine) -> None:
    build(engine, TableTags, arguments_of("TableTags"))

    run = engine.one("Invocation")
    assert run["lifecycleScope"] == "CRUD"
    assert json.loads(run["input"]) == {
        "action": "tag",
        "product": "orders",
        "tables": {"shop_orders.order_line": "0123456789abcdef"},
    }


def test_what_is_tagged_shows_in_the_outputs_that_stack_policies_see(engine: Engine) -> None:
    """Trap: policies of a whole stack see a component's outputs, never its inputs."""
    build(engine, TableTags, arguments_of("TableTags"))

    outputs = engine.outputs[engine.one("TableTags").urn]
    assert outputs["product"] == "orders"
    assert outputs["tables"] == [
        {
            "database": "shop_orders",
            "table": "order_line",
            "tags": {"product": "orders"},
            "columns": {"day": {"sensitivity": "internal"}, "email": {}},
            "partitionKeys": ["day"],
            "digest": "0123456789abcdef",
        }
    ]


def test_the_order_in_which_a_contract_lists_tables_changes_nothing(engine: Engine) -> None:
    tables = [TABLE, {**TABLE, "table": "customer"}]

    one = build(engine, TableTags, arguments_of("TableTags", tables=tables)).one("Invocation")
    other = build(Engine(), TableTags, arguments_of("TableTags", tables=tables[::-1])).one("Invocation")

    assert one["input"] == other["input"]


# -------------------------------------------------------------------------------------------------- producer
def test_the_reader_role_trusts_one_role_with_its_external_id_from_inside_the_organization(engine: Engine) -> None:
    build(engine, ProducerAccount, arguments_of("ProducerAccount"))

    (statement,) = json.loads(engine.one("aws:iam/role:Role", "it-reader-role")["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"AWS": ROLE.format(CENTRAL, "orchard-sync")}
    assert statement["Condition"] == {
        "StringEquals": {"aws:PrincipalOrgID": "o-orchard12345", "sts:ExternalId": "orchard:shop"}
    }


def test_the_reader_sees_whole_tables_where_lake_formation_governs(engine: Engine) -> None:
    """Trap: Lake Formation hides what is not granted, and a sync would copy a truncated schema."""
    build(engine, ProducerAccount, arguments_of("ProducerAccount"))

    assert {r["permissions"][0] for r in engine.of("Permissions")} == {"DESCRIBE"}
    assert sorted(r["database"]["name"] for r in engine.of("Permissions") if "database" in r.inputs) == [
        "orders",
        "raw",
    ]
    tables = [r["table"] for r in engine.of("Permissions") if "table" in r.inputs]
    assert sorted(each["databaseName"] for each in tables) == ["orders", "raw"]
    assert all(each["wildcard"] for each in tables)


def test_a_producer_under_iam_alone_gets_no_lake_formation_grant(engine: Engine) -> None:
    build(engine, ProducerAccount, arguments_of("ProducerAccount", governed=False))

    assert not engine.of("Permissions")


def test_a_producers_policies_and_settings_are_never_owned_here(engine: Engine) -> None:
    """Trap: bucket, key and catalog policies and data lake settings are singletons; owning one replaces what is there."""
    build(engine, ProducerAccount, arguments_of("ProducerAccount"))

    assert not {r.type.rsplit(":")[-1] for r in engine.resources} & {
        "BucketPolicy",
        "KeyPolicy",
        "ResourcePolicy",
        "DataLakeSettings",
        "DataCatalogEncryptionSettings",
    }


def test_statements_name_the_account_and_restrict_it_by_role(engine: Engine) -> None:
    """Trap: S3 and KMS refuse a policy that names a role which does not exist yet."""
    build(engine, ProducerAccount, arguments_of("ProducerAccount"))

    event = invocation(engine, "it-policies-merged")
    statements = [s for each in (*event["buckets"], *event["keys"]) for s in each["statements"]]
    assert len(statements) == 6
    for statement in statements:
        assert statement["Sid"].startswith("LakemeshOrchard")
        assert statement["Sid"].isalnum()
        assert statement["Principal"]["AWS"] in {f"arn:aws:iam::{CENTRAL}:root", f"arn:aws:iam::{PRODUCER}:root"}
        assert statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]


def test_the_buckets_statements_reach_the_prefixes_and_no_further(engine: Engine) -> None:
    build(engine, ProducerAccount, arguments_of("ProducerAccount"))

    lake, whole = invocation(engine, "it-policies-merged")["buckets"]
    listing, reading = lake["statements"]
    assert listing["Condition"]["StringLike"] == {"s3:prefix": ["orders/", "orders/*", "raw/", "raw/*"]}
    assert reading["Resource"] == ["arn:aws:s3:::shop-lake/orders/*", "arn:aws:s3:::shop-lake/raw/*"]
    assert "StringLike" not in whole["statements"][0]["Condition"]
    assert whole["statements"][1]["Resource"] == ["arn:aws:s3:::shop-open/*"]


def test_the_bucket_key_serves_registration_and_the_catalog_key_the_reader(engine: Engine) -> None:
    build(engine, ProducerAccount, arguments_of("ProducerAccount"))

    keys = {
        each["key"].rsplit("/")[-1]: each["statements"] for each in invocation(engine, "it-policies-merged")["keys"]
    }
    (lake,), (catalog,) = keys["lake"], keys["catalog"]
    assert lake["Condition"]["StringEquals"] == {"kms:ViaService": "s3.eu-west-3.amazonaws.com"}
    assert lake["Principal"] == {"AWS": f"arn:aws:iam::{CENTRAL}:root"}
    assert catalog["Condition"]["StringEquals"] == {"kms:ViaService": "glue.eu-west-3.amazonaws.com"}
    assert catalog["Condition"]["ArnEquals"] == {"aws:PrincipalArn": [ROLE.format(PRODUCER, "orchard-reader-shop")]}


def test_one_key_for_bucket_and_catalog_gets_both_statements_under_names_of_their_own(engine: Engine) -> None:
    same = f"arn:aws:kms:eu-west-3:{PRODUCER}:key/lake"
    build(engine, ProducerAccount, arguments_of("ProducerAccount", catalog_key=same))

    (key,) = invocation(engine, "it-policies-merged")["keys"]
    assert [s["Sid"] for s in key["statements"]] == ["LakemeshOrchardDecryptGlue", "LakemeshOrchardDecryptS3"]


def test_the_merging_role_may_touch_these_policies_and_none_else(engine: Engine) -> None:
    build(engine, ProducerAccount, arguments_of("ProducerAccount"))

    text = engine.one("RolePolicy", "it-policies-merge-policy")["policy"]
    reach = {s["Sid"]: s["Resource"] for s in json.loads(text)["Statement"]}
    assert reach["BucketPolicies"] == ["arn:aws:s3:::shop-lake", "arn:aws:s3:::shop-open"]
    assert [arn.rsplit("/")[-1] for arn in reach["KeyPolicies"]] == ["catalog", "lake"]


def test_printed_statements_are_the_output_and_nothing_touches_a_policy(engine: Engine) -> None:
    build(engine, ProducerAccount, arguments_of("ProducerAccount", merge=False))

    printed = engine.outputs[engine.one("ProducerAccount").urn]["policyStatements"]
    merged = invocation(build(Engine(), ProducerAccount, arguments_of("ProducerAccount")), "it-policies-merged")
    assert not engine.of("Invocation")
    assert not engine.of("aws:lambda/function:Function")
    assert printed == {"buckets": merged["buckets"], "keys": merged["keys"]}


def test_a_producer_that_shares_nothing_needs_no_function(engine: Engine) -> None:
    arguments = arguments_of("ProducerAccount", buckets=[], databases=[])
    del arguments["catalog_key"]

    assert not build(engine, ProducerAccount, arguments).of("aws:lambda/function:Function")


# -------------------------------------------------------------------------------------------------- consumer
def test_a_consumers_grants_wait_for_settings_shares_and_links(engine: Engine) -> None:
    build(engine, ConsumerAccount, arguments_of("ConsumerAccount"))

    for name in ("orders-to-analyst", "link-to-analyst"):
        for before in (
            engine.one("DataLakeSettings"),
            engine.one("Invocation", "it-shares-accepted"),
            engine.one("CatalogDatabase"),
        ):
            assert engine.waits_for(engine.one("Permissions", name), before)


def test_default_and_links_come_after_the_settings(engine: Engine) -> None:
    """Trap: a database made before the settings is open to IAM_ALLOWED_PRINCIPALS."""
    build(engine, ConsumerAccount, arguments_of("ConsumerAccount"))

    for later in (engine.one("CatalogDatabase"), engine.one("Invocation", "it-shares-accepted")):
        assert engine.waits_for(later, engine.one("DataLakeSettings"))


def test_links_are_named_as_their_targets_and_keep_their_hands_off_descriptions(engine: Engine) -> None:
    """Trap: changing a link's description needs ALTER on the target, in another account."""
    build(engine, ConsumerAccount, arguments_of("ConsumerAccount"))

    link = engine.one("CatalogDatabase")
    assert link["name"] == link["targetDatabase"]["databaseName"] == "shop_orders"
    assert link["targetDatabase"]["catalogId"] == CENTRAL
    assert link.ignore_changes == ("description",)


def test_shares_are_accepted_from_the_owner_alone(engine: Engine) -> None:
    build(engine, ConsumerAccount, arguments_of("ConsumerAccount"))

    assert invocation(engine, "it-shares-accepted") == {
        "action": "accept",
        "databases": ["shop_orders"],
        "digest": "cccc",
        "owner": CENTRAL,
    }
    statements = json.loads(engine.one("RolePolicy")["policy"])["Statement"]
    (accept,) = [s for s in statements if s["Action"] == ["ram:AcceptResourceShareInvitation"]]
    assert accept["Condition"] == {"StringEquals": {"ram:ShareOwnerAccountId": CENTRAL}}


def test_no_share_is_accepted_by_a_resource_of_its_own(engine: Engine) -> None:
    """Trap: how many shares there are nobody knows at plan time, and inside an organization the resource fails."""
    build(engine, ConsumerAccount, arguments_of("ConsumerAccount"))

    assert not [r for r in engine.resources if r.type.startswith("aws:ram/")]


def test_the_function_may_make_the_database_default_before_it_runs(engine: Engine) -> None:
    build(engine, ConsumerAccount, arguments_of("ConsumerAccount"))

    create = engine.one("Permissions", "it-shares-create-default")
    assert create["catalogResource"] is True
    assert create["permissions"] == ["CREATE_DATABASE"]
    assert engine.waits_for(engine.one("Invocation", "it-shares-accepted"), create)


def test_each_principal_has_a_workgroup_and_a_prefix_that_nobody_else_reads(engine: Engine) -> None:
    """Trap: users of one workgroup can see each other's results."""
    build(engine, ConsumerAccount, arguments_of("ConsumerAccount"))

    where = {w["name"]: w["configuration"]["resultConfiguration"]["outputLocation"] for w in engine.of("Workgroup")}
    assert where == {
        "orchard-desk.analyst": "s3://orchard-results-desk/results/analyst/",
        "orchard-desk.auditor": "s3://orchard-results-desk/results/auditor/",
    }
    assert all(w["configuration"]["enforceWorkgroupConfiguration"] for w in engine.of("Workgroup"))
    denials = {
        s["Resource"][0]: s["Condition"]
        for s in json.loads(engine.one("BucketPolicy")["policy"])["Statement"]
        if s["Sid"].startswith("NobodyElse")
    }
    assert denials == {
        f"arn:aws:s3:::orchard-results-desk/results/{who.lower()}/*": {
            "ArnNotEquals": {"aws:PrincipalArn": ROLE.format(CONSUMER, who)}
        }
        for who in ("Analyst", "Auditor")
    }


def test_the_results_bucket_is_private_encrypted_owned_and_emptied(engine: Engine) -> None:
    build(engine, ConsumerAccount, arguments_of("ConsumerAccount"))

    block = engine.one("BucketPublicAccessBlock")
    assert all(
        block[key] for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    )
    assert engine.one("BucketOwnershipControls")["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    assert engine.one("BucketLifecycleConfiguration")["rules"][0]["expiration"] == {"days": 14}
    assert engine.waits_for(engine.one("BucketPolicy"), block)


def test_more_principals_than_a_bucket_policy_holds_are_refused_with_a_remedy() -> None:
    """S3 allows 20,480 bytes; two consumers of half the principals each fit."""
    template = arguments_of("ConsumerAccount")["workgroups"][0]
    many = [
        {**template, "principal": f"p{n}", "name": f"w{n}", "prefix": f"results/p{n}/", "role_arn": f"arn:role/{n}" * 5}
        for n in range(40)
    ]

    with pytest.raises(PolicyTooLargeError, match="over two consumers"):
        build(Engine(), ConsumerAccount, arguments_of("ConsumerAccount", workgroups=many))
    for half in (many[:20], many[20:]):
        build(Engine(), ConsumerAccount, arguments_of("ConsumerAccount", workgroups=half))


def test_a_consumer_that_nothing_was_granted_yet_is_valid(engine: Engine) -> None:
    build(engine, ConsumerAccount, arguments_of("ConsumerAccount", databases=[], entries=[], workgroups=[]))

    assert not engine.of("CatalogDatabase")
    assert len(engine.of("Permissions")) == 1, "the function's own"
