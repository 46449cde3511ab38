"""What each component makes, with which options, and in which order."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components import CentralAccount, ConsumerAccount, Domain, ProducerAccount, TableTags
from components.handler_function import HandlerFunction, bundle
from components.permissions import Grants, grant
from components.policy_documents import PolicyTooLargeError
from components.settings import Settings
from tests.components.build import build
from tests.components.given import CENTRAL, CONSUMER, HANDLERS, PRODUCER, ROLE, arguments_of
from tests.program.engine import Engine

COMPONENTS = {each.__name__: each for each in (CentralAccount, ConsumerAccount, Domain, ProducerAccount, TableTags)}


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_registers_the_same_resources_at_preview_as_at_up(
    engine: Engine, component: str, preview: bool
) -> None:
    build(engine, COMPONENTS[component], arguments_of(component), preview=preview)
    other = build(Engine(), COMPONENTS[component], arguments_of(component), preview=not preview)

    assert Counter((r.type, r.name) for r in engine.resources) == Counter((r.type, r.name) for r in other.resources)


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_child_belongs_to_the_component_and_says_so_in_its_name(engine: Engine, component: str) -> None:
    build(engine, COMPONENTS[component], arguments_of(component))
    root = engine.one(f"lakemesh:index:{component}")

    for resource in engine.resources:
        if resource.type != "pulumi:providers:aws" and resource is not root:
            assert root in engine.ancestors(resource), f"{resource.name} has no parent"
            named_by_entry = engine.ancestors(resource)[0].type == "lakemesh:index:Grants"
            assert named_by_entry or resource.name.startswith("it-"), resource.name


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_takes_the_provider_it_is_given_and_no_other(engine: Engine, component: str) -> None:
    build(engine, COMPONENTS[component], arguments_of(component))

    assert {r.provider for r in engine.resources if r.custom and r.type != "pulumi:providers:aws"} == {
        f"{engine.one('pulumi:providers:aws').urn}::aws-id"
    }


@pytest.mark.parametrize("component", COMPONENTS)
def test_two_of_a_component_do_not_collide_unless_they_are_called_the_same(component: str) -> None:
    def program(names: tuple[str, str]) -> None:
        provider = aws.Provider("aws")
        for name in names:
            arguments = {**arguments_of(component), **({"entries": []} if "entries" in arguments_of(component) else {})}
            COMPONENTS[component](name, arguments, pulumi.ResourceOptions(providers=[provider]))

    Engine().run(lambda: program(("one", "other")))
    with pytest.raises(AssertionError, match="two resources have the URN"):
        Engine().run(lambda: program(("same", "same")))


# ---------------------------------------------------------------------------------------------- permissions
@pytest.mark.parametrize("component", COMPONENTS)
def test_every_grant_and_tag_is_deleted_before_it_is_replaced(engine: Engine, component: str) -> None:
    """Trap: a replacement grants first and revokes after, and the revoke takes what was just granted."""
    build(engine, COMPONENTS[component], arguments_of(component))

    for resource in [*engine.of("Permissions"), *engine.of("ResourceLfTag")]:
        assert resource.delete_before_replace, resource.name


@pytest.mark.parametrize("component", COMPONENTS)
def test_no_two_grants_have_one_principal_and_resource(engine: Engine, component: str) -> None:
    """Trap: revoking one of two resources on a key revokes the other's permissions."""
    build(engine, COMPONENTS[component], arguments_of(component))

    keys = Counter(
        json.dumps({k: v for k, v in r.inputs.items() if not k.startswith("permissions")}, sort_keys=True)
        for r in engine.of("Permissions")
    )
    assert all(count == 1 for count in keys.values()), keys


@pytest.mark.parametrize("component", COMPONENTS)
def test_permissions_are_listed_and_sorted_and_never_all(engine: Engine, component: str) -> None:
    """Trap: ALL never comes back as it was granted, and is replaced for ever."""
    build(engine, COMPONENTS[component], arguments_of(component))

    for resource in engine.of("Permissions"):
        assert "ALL" not in resource["permissions"]
        assert resource["permissions"] == sorted(resource["permissions"])
        assert set(resource.inputs.get("permissionsWithGrantOptions") or ()) <= set(resource["permissions"])


def test_all_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="ALL is never granted"):
        grant(
            "it",
            principal=CONSUMER,
            permissions=["ALL"],
            on={"database": {"name": "orders"}},
            opts=pulumi.ResourceOptions(),
        )


def test_a_grant_on_nothing_or_on_two_things_is_refused(engine: Engine) -> None:
    for on in ({}, {"database": {"name": "orders"}, "catalog_resource": True}):
        with pytest.raises(ValueError, match="exactly one resource"):
            grant("it", principal=CONSUMER, permissions=["DESCRIBE"], on=on, opts=pulumi.ResourceOptions())


def test_two_entries_on_one_key_are_refused_whatever_the_order_of_their_values() -> None:
    one, *_ = arguments_of("Domain")["entries"]
    other = {
        **one,
        "name": "other",
        "tag_policy": {
            **one["tag_policy"],
            "expression": {"product": ["orders"], "sensitivity": ["internal", "public"]},
        },
    }

    with pytest.raises(ValueError, match="same principal and resource"):
        build(Engine(), Grants, {"entries": [one, other]})


def test_an_expression_is_the_same_text_on_both_sides() -> None:
    """Trap: an account may hand on exactly the expression that it was given (cascading rule 1)."""
    central = build(Engine(), Domain, arguments_of("Domain")).one("Permissions", "orders-to-consumer")
    local = build(Engine(), ConsumerAccount, arguments_of("ConsumerAccount")).one("Permissions", "orders-to-analyst")

    assert central["lfTagPolicy"] == local["lfTagPolicy"]
    assert central["permissionsWithGrantOptions"] == ["SELECT"]
    assert "permissionsWithGrantOptions" not in local.inputs


def test_a_grant_keeps_its_name_when_its_permissions_change(engine: Engine) -> None:
    entries = arguments_of("Domain")["entries"]
    changed = [{**entries[1], "permissions": ["ALTER", "DESCRIBE"]}]

    before = build(engine, Grants, {"entries": [entries[1]]}).one("Permissions")
    after = build(Engine(), Grants, {"entries": changed}).one("Permissions")

    assert before.urn == after.urn


# ------------------------------------------------------------------------------------------------- settings
@pytest.mark.parametrize("component", ["CentralAccount", "ConsumerAccount"])
def test_settings_outlive_their_stack(engine: Engine, component: str) -> None:
    """Trap: destroying them empties the administrators and puts the cross-account version back to 1."""
    settings = build(engine, COMPONENTS[component], arguments_of(component)).one("DataLakeSettings")

    assert settings.protect
    assert settings.retain_on_delete


@pytest.mark.parametrize("component", ["CentralAccount", "ConsumerAccount"])
def test_settings_say_everything_that_would_be_cleared_otherwise(engine: Engine, component: str) -> None:
    """Trap: PutDataLakeSettings replaces the whole; what is not named is cleared."""
    settings = build(engine, COMPONENTS[component], arguments_of(component)).one("DataLakeSettings")

    assert settings["admins"] == sorted(arguments_of(component)["administrators"])
    assert settings["parameters"] == {"CROSS_ACCOUNT_VERSION": "4", "SET_CONTEXT": "TRUE"}


@pytest.mark.parametrize("component", ["CentralAccount", "ConsumerAccount"])
def test_default_permissions_are_cleared_by_leaving_them_out(engine: Engine, component: str) -> None:
    """Trap: an empty list does nothing (pulumi-aws#4366); left out they are cleared when the settings are created."""
    settings = build(engine, COMPONENTS[component], arguments_of(component)).one("DataLakeSettings")

    assert not {key for key in settings.inputs if key.startswith("create")}


def test_protection_can_be_taken_off_to_take_a_mesh_down(engine: Engine) -> None:
    build(engine, CentralAccount, arguments_of("CentralAccount", protect=False))

    assert not [r.name for r in engine.resources if r.protect]
    assert engine.one("DataLakeSettings").retain_on_delete, "settings are kept even then"


def test_a_consumer_trusts_the_owner_of_its_data_to_log_its_principals(engine: Engine) -> None:
    build(engine, ConsumerAccount, arguments_of("ConsumerAccount"))

    assert engine.one("DataLakeSettings")["trustedResourceOwners"] == [CENTRAL]


def test_administrators_named_twice_are_one(engine: Engine) -> None:
    args: Any = {"administrators": ["arn:b", "arn:a", "arn:b"], "cross_account_version": "5"}

    assert build(engine, Settings, args).one("DataLakeSettings")["admins"] == ["arn:a", "arn:b"]


# ---------------------------------------------------------------------------------------- the central account
def test_what_grants_and_tables_rest_on_is_protected(engine: Engine) -> None:
    """Traps: DeleteLFTag revokes in silence; a recreated sync role owns no table; without its key a catalog is lost."""
    build(engine, CentralAccount, arguments_of("CentralAccount"))

    assert {r.type.rsplit(":")[-1] for r in engine.resources if r.protect} == {
        "DataLakeSettings",
        "Key",
        "LfTag",
        "Role",
        "Table",
    }
    assert all(r.protect for r in engine.of("LfTag"))
    assert engine.one("aws:iam/role:Role", "it-sync-role").protect
    assert engine.one("Key", "it-catalog-key-key")["deletionWindowInDays"] == 30


def test_lf_tags_are_made_by_an_administrator_and_so_after_the_settings(engine: Engine) -> None:
    build(engine, CentralAccount, arguments_of("CentralAccount"))

    for tag in engine.of("LfTag"):
        assert engine.waits_for(tag, engine.one("DataLakeSettings"))


def test_a_tag_key_without_values_is_left_out_until_it_has_one(engine: Engine) -> None:
    build(engine, CentralAccount, arguments_of("CentralAccount"))

    assert sorted(tag["key"] for tag in engine.of("LfTag")) == ["product", "sensitivity"]


def test_the_tag_role_may_use_every_value_of_a_key_and_nobody_else_may(engine: Engine) -> None:
    """Traps: a grant names at most 50 values; DESCRIBE on LF-Tags lets another account grant what was never shared."""
    build(engine, CentralAccount, arguments_of("CentralAccount"))

    on_tags = [r for r in engine.of("Permissions") if "lfTag" in r.inputs]
    assert {r["lfTag"]["key"] for r in on_tags} == {"product", "sensitivity"}
    for each in on_tags:
        assert each["lfTag"]["values"] == ["*"]
        assert each["permissions"] == ["ASSOCIATE", "DESCRIBE"]
        assert each["principal"].endswith(":role/orchard-tag")


def test_consumers_can_decrypt_shared_metadata_through_glue_alone(engine: Engine) -> None:
    """Trap: a catalog under the AWS managed key cannot be shared."""
    build(engine, CentralAccount, arguments_of("CentralAccount"))

    _, consumers = json.loads(engine.one("Key", "it-catalog-key-key")["policy"])["Statement"]
    assert consumers["Principal"] == {"AWS": [f"arn:aws:iam::{CONSUMER}:root"]}
    assert consumers["Condition"]["StringEquals"] == {
        "aws:PrincipalOrgID": "o-orchard12345",
        "kms:ViaService": "glue.eu-west-3.amazonaws.com",
    }
    assert (
        engine.one("DataCatalogEncryptionSettings")["dataCatalogEncryptionSettings"]["encryptionAtRest"][
            "catalogEncryptionMode"
        ]
        == "SSE-KMS"
    )


def test_a_mesh_without_consumers_has_a_key_policy_without_them(engine: Engine) -> None:
    build(engine, CentralAccount, arguments_of("CentralAccount", consumer_accounts=[]))

    assert len(json.loads(engine.one("Key", "it-catalog-key-key")["policy"])["Statement"]) == 1


def test_the_sync_role_is_denied_data_and_decisions_whatever_else_it_owns(engine: Engine) -> None:
    """Trap: the creator of a table has every permission on it, with grant option."""
    build(engine, CentralAccount, arguments_of("CentralAccount"))

    denied = denials(engine.one("RolePolicy", "it-sync-policy")["policy"])
    assert {
        "athena:*",
        "s3:*",
        "lakeformation:GetDataAccess",
        "lakeformation:GrantPermissions",
        "lakeformation:BatchGrantPermissions",
        "lakeformation:RevokePermissions",
        "lakeformation:BatchRevokePermissions",
        "lakeformation:PutDataLakeSettings",
        "lakeformation:AddLFTagsToResource",
        "glue:BatchDeleteTable",
        "glue:DeleteDatabase",
    } <= denied


def test_the_tag_role_is_denied_data_grants_and_writes(engine: Engine) -> None:
    """It holds every permission on all tables, because tagging asks for it; IAM takes them away again."""
    build(engine, CentralAccount, arguments_of("CentralAccount"))

    denied = denials(engine.one("RolePolicy", "it-tag-policy")["policy"])
    assert {
        "athena:*",
        "s3:*",
        "lakeformation:GetDataAccess",
        "lakeformation:GrantPermissions",
        "glue:UpdateTable",
        "glue:DeleteTable",
        "lakeformation:UpdateLFTag",
    } <= denied


def test_the_sync_role_assumes_the_readers_that_are_named_and_no_other(engine: Engine) -> None:
    build(engine, CentralAccount, arguments_of("CentralAccount"))

    text = engine.one("aws:iam/policy:Policy", "it-sync-policy-1")["policy"]
    assume = [s for s in json.loads(text)["Statement"] if s["Action"] == ["sts:AssumeRole"]]
    assert [s["Resource"] for s in assume] == [[ROLE.format(PRODUCER, "orchard-reader-shop")]]


# ------------------------------------------------------------------------------------------------ functions
def test_a_function_starts_only_when_its_policies_and_its_log_group_are_there(engine: Engine) -> None:
    """Traps: a function without a log group of ours logs for ever; without its policies the first call is refused."""
    build(engine, CentralAccount, arguments_of("CentralAccount"))

    for function in engine.of("aws:lambda/function:Function"):
        own = [r for r in engine.resources if r.parent == function.parent and r is not function]
        assert all(engine.waits_for(function, each) for each in own)
        assert engine.one("LogGroup", function.name.replace("-function", "-logs"))["retentionInDays"] == 90


def test_functions_run_arm64_with_the_layer_and_the_reserve_that_is_configured(engine: Engine) -> None:
    build(engine, CentralAccount, arguments_of("CentralAccount"))

    for function in engine.of("aws:lambda/function:Function"):
        assert function["architectures"] == ["arm64"]
        assert function["runtime"] == "python3.13"
        assert function["layers"] == [HANDLERS["powertools_layer"]]
        assert function["reservedConcurrentExecutions"] == 5


def test_the_bundle_names_its_files_one_by_one(tmp_path: Any) -> None:
    """Trap: an archive of a directory changes when somebody runs Python in it."""
    folder = tmp_path / "sync_handlers"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "sync.py").write_text("one")
    (folder / "__pycache__" / "sync.cpython-313.pyc").write_text("two")
    (folder / "notes.md").write_text("three")

    assert list(bundle("{}", folder).assets) == ["sync_handlers/sync.py", "manifest.json"]
    assert list(bundle(None, folder).assets) == ["sync_handlers/sync.py"]


def test_the_real_bundle_holds_every_handler(engine: Engine) -> None:
    held = set(bundle("{}").assets)

    for handler in ("sync", "tag", "policy_statements", "accept_shares"):
        assert f"sync_handlers/{handler}.py" in held


def test_only_central_functions_carry_the_manifest() -> None:
    for component, carries in (("CentralAccount", True), ("ProducerAccount", False), ("ConsumerAccount", False)):
        engine = build(Engine(), COMPONENTS[component], arguments_of(component))
        for function in engine.of("aws:lambda/function:Function"):
            assert ("manifest.json" in function["code"].assets) is carries, function.name


def test_an_inline_policy_beyond_iams_limit_is_refused_with_a_remedy() -> None:
    many = [
        {"bucket": f"a-bucket-with-quite-a-long-name-{n:05}", "readers": [{"role_arn": "arn:role", "prefixes": ["a/"]}]}
        for n in range(300)
    ]

    with pytest.raises(PolicyTooLargeError, match="Split the part into two"):
        build(Engine(), ProducerAccount, arguments_of("ProducerAccount", buckets=many))


def denials(policy: str) -> set[str]:
    return {
        action
        for statement in json.loads(policy)["Statement"]
        if statement["Effect"] == "Deny" and statement["Resource"] == "*"
        for action in statement["Action"]
    }


def test_handler_function_is_the_only_maker_of_functions() -> None:
    for component in ("CentralAccount", "ProducerAccount", "ConsumerAccount"):
        engine = build(Engine(), COMPONENTS[component], arguments_of(component))
        for function in engine.of("aws:lambda/function:Function"):
            assert engine.ancestors(function)[0].type == f"lakemesh:index:{HandlerFunction.__name__}"
