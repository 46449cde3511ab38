"""The table of the sync's state, and what the sync role may do with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components import CentralAccount, ProducerAccount
from tests.components.build import build
from tests.components.given import CENTRAL, arguments_of
from tests.program.engine import Engine


@pytest.fixture(scope="module")
def central() -> Engine:
    return build(Engine(), CentralAccount, arguments_of("CentralAccount"))


def statements(policy: str) -> dict[str, dict[str, Any]]:
    return {one["Sid"]: one for one in json.loads(policy)["Statement"]}


def test_an_item_is_found_by_its_twin_and_its_name(central: Engine) -> None:
    table = central.one("Table")
    assert (table["name"], table["hashKey"], table["rangeKey"]) == ("orchard-sync-state", "twin", "item")
    assert {(each["name"], each["type"]) for each in table["attributes"]} == {("twin", "S"), ("item", "S")}
    assert table["billingMode"] == "PAY_PER_REQUEST"
    assert table["ttl"] == {"attributeName": "expires", "enabled": True}


def test_the_table_is_encrypted_with_the_queues_key_backed_up_and_protected(central: Engine) -> None:
    table = central.one("Table")
    assert table["serverSideEncryption"]["kmsKeyArn"].endswith("it-queue-key")
    assert table["pointInTimeRecovery"] == {"enabled": True}
    assert table["deletionProtectionEnabled"] is True


def test_a_mesh_that_may_be_taken_down_has_a_table_that_may() -> None:
    arguments = {**arguments_of("CentralAccount"), "protect": False}
    assert build(Engine(), CentralAccount, arguments).one("Table")["deletionProtectionEnabled"] is False


def test_the_sync_role_uses_items_of_its_own_table_and_cannot_scan_it(central: Engine) -> None:
    found = statements(central.one("RolePolicy", "it-sync-policy")["policy"])
    assert found["State"]["Action"] == [
        "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
    ]  # fmt: skip
    assert all("*" not in arn for arn in found["State"]["Resource"])
    assert found["StateKey"]["Action"] == ["kms:Decrypt"]
    assert found["StateKey"]["Condition"]["StringEquals"]["kms:ViaService"].startswith("dynamodb.")


def test_the_sync_role_publishes_to_the_meshs_topics_alone(central: Engine) -> None:
    found = statements(central.one("RolePolicy", "it-sync-policy")["policy"])
    assert found["Topics"]["Action"] == ["sns:Publish"]
    assert found["Topics"]["Resource"] == [f"arn:aws:sns:eu-west-3:{CENTRAL}:orchard-*"]


def test_without_topics_the_sync_role_publishes_nowhere() -> None:
    arguments = arguments_of("CentralAccount")
    del arguments["topic_prefix"]
    engine = build(Engine(), CentralAccount, arguments)
    assert "Topics" not in statements(engine.one("RolePolicy", "it-sync-policy")["policy"])
    assert "TOPIC_PREFIX" not in engine.one("Function", "it-sync-function")["environment"]["variables"]


def test_the_function_knows_its_table_and_its_topics(central: Engine) -> None:
    variables = central.one("Function", "it-sync-function")["environment"]["variables"]
    assert variables["SYNC_STATE_TABLE"] == "orchard-sync-state"
    assert variables["TOPIC_PREFIX"] == f"arn:aws:sns:eu-west-3:{CENTRAL}:orchard-"
    assert "SYNC_STATE_TABLE" not in central.one("Function", "it-tag-function")["environment"]["variables"]


def test_the_sync_role_deletes_tables_of_the_twins_one_at_a_time(central: Engine) -> None:
    twins = statements(central.one("aws:iam/policy:Policy", "it-sync-policy-1")["policy"])["Twins"]
    assert "glue:DeleteTable" in twins["Action"]
    assert "glue:BatchDeleteTable" not in twins["Action"]


@pytest.mark.parametrize("governed", [False, True])
def test_a_reader_asks_what_it_sees_where_lake_formation_governs(governed: bool) -> None:
    engine = build(Engine(), ProducerAccount, {**arguments_of("ProducerAccount"), "governed": governed})
    found = statements(engine.one("RolePolicy", "it-reader-policy")["policy"])
    assert ("OwnPermissions" in found) is governed
