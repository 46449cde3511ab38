"""The log of requests for access, and what the portal may do with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components import CentralAccount
from tests.components.build import build
from tests.components.given import arguments_of
from tests.program.engine import Engine

LOG = {"access_log": "orchard-access-requests", "portal_policy": "orchard-portal"}


@pytest.fixture(scope="module")
def central() -> Engine:
    return build(Engine(), CentralAccount, arguments_of("CentralAccount") | LOG)


def statements(central: Engine) -> dict[str, dict[str, Any]]:
    policy = central.one("Policy", "it-access-log-policy")
    assert policy["name"] == "orchard-portal"
    return {one["Sid"]: one for one in json.loads(policy["policy"])["Statement"]}


def test_an_event_is_found_by_its_request_and_its_place(central: Engine) -> None:
    table = central.one("Table", "it-access-log-table")
    assert (table["name"], table["hashKey"], table["rangeKey"]) == ("orchard-access-requests", "request", "sequence")
    assert {(each["name"], each["type"]) for each in table["attributes"]} == {("request", "S"), ("sequence", "N")}
    assert "ttl" not in table.inputs


def test_the_log_is_encrypted_backed_up_and_protected(central: Engine) -> None:
    table = central.one("Table", "it-access-log-table")
    assert table["serverSideEncryption"]["kmsKeyArn"].endswith("it-queue-key")
    assert table["pointInTimeRecovery"] == {"enabled": True}
    assert table["deletionProtectionEnabled"] is True


def test_the_portal_adds_and_reads_and_can_neither_change_nor_grant(central: Engine) -> None:
    found = statements(central)
    allowed = {action for one in found.values() if one["Effect"] == "Allow" for action in one["Action"]}
    assert allowed == {"dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "kms:Decrypt"}
    denied = {action for one in found.values() if one["Effect"] == "Deny" for action in one["Action"]}
    assert {
        "dynamodb:DeleteItem",
        "dynamodb:UpdateItem",
        "lakeformation:Grant*",
        "lakeformation:GetDataAccess",
    } <= denied
    assert all("*" not in arn for one in found.values() if one["Effect"] == "Allow" for arn in one["Resource"])


def test_a_mesh_without_a_portal_has_no_such_table() -> None:
    engine = build(Engine(), CentralAccount, arguments_of("CentralAccount"))
    assert engine.one("Table")["name"] == "orchard-sync-state"
