"""From a producer's rule to the sync function's queue, as the components build it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components import CentralAccount, ProducerAccount
from components.event_forwarding import PATTERN_CHARACTERS, pattern
from components.policy_documents import canonical_json
from tests.components.build import build
from tests.components.given import CENTRAL, PRODUCER, arguments_of
from tests.program.engine import Engine

BUS = f"arn:aws:events:eu-west-3:{CENTRAL}:event-bus/orchard"


@pytest.fixture(scope="module")
def central() -> Engine:
    return build(Engine(), CentralAccount, arguments_of("CentralAccount"))


@pytest.fixture(scope="module")
def producer() -> Engine:
    return build(Engine(), ProducerAccount, arguments_of("ProducerAccount"))


def statement(policy: str) -> dict[str, Any]:
    (only,) = json.loads(policy)["Statement"]
    return dict(only)


def test_the_bus_lets_the_organization_in_and_nobody_else(central: Engine) -> None:
    policy = statement(central.one("EventBusPolicy")["policy"])
    assert policy["Action"] == "events:PutEvents"
    assert policy["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-orchard12345"}}


def test_the_rule_takes_glues_two_kinds_of_changes_from_the_bus(central: Engine) -> None:
    rule = central.one("EventRule", "it-intake-rule")
    assert rule["eventBusName"] == "orchard"
    assert json.loads(rule["eventPattern"]) == {
        "source": ["aws.glue"],
        "detail-type": ["Glue Data Catalog Database State Change", "Glue Data Catalog Table State Change"],
    }


def test_the_queues_let_these_rules_send_and_nothing_else(central: Engine) -> None:
    for name in ("it-intake-queue-policy", "it-intake-dead-letter-policy"):
        policy = statement(central.one("QueuePolicy", name)["policy"])
        assert (policy["Principal"], policy["Action"]) == ({"Service": "events.amazonaws.com"}, "sqs:SendMessage")
        assert [arn.rpartition("/")[2] for arn in policy["Condition"]["ArnEquals"]["aws:SourceArn"]] == [
            "orchard-glue",
            "orchard-refresh",
            "orchard-watch",
        ]


def test_targets_wait_for_the_queues_policies_because_a_refused_event_is_not_sent_again(central: Engine) -> None:
    policies = {each.urn for each in central.of("QueuePolicy")}
    targets = central.of("EventTarget")
    assert len(targets) == 3
    assert all(policies <= target.dependencies for target in targets)
    assert all(target["deadLetterConfig"]["arn"].endswith("dead-letters") for target in targets)


def test_the_refresh_is_a_message_on_the_same_queue_at_the_meshs_cadence(central: Engine) -> None:
    assert central.one("EventRule", "it-intake-refresh")["scheduleExpression"] == "rate(6 hours)"
    target = central.one("EventTarget", "it-intake-refresh-target")
    assert json.loads(target["input"]) == {"action": "refresh", "window": 900}


def test_the_watch_is_a_message_on_the_same_queue_every_quarter_of_an_hour(central: Engine) -> None:
    assert central.one("EventRule", "it-intake-watch")["scheduleExpression"] == "rate(15 minutes)"
    assert json.loads(central.one("EventTarget", "it-intake-watch-target")["input"]) == {"action": "watch"}


def test_queues_are_encrypted_with_a_key_that_rules_of_the_account_may_use(central: Engine) -> None:
    key = central.one("Key", "it-queue-key")
    for queue in central.of("Queue"):
        assert queue["kmsMasterKeyId"].endswith("it-queue-key")
    _, rules, _ = json.loads(key["policy"])["Statement"]
    assert rules["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert rules["Condition"] == {"StringEquals": {"aws:SourceAccount": CENTRAL}}


def test_messages_wait_long_enough_for_an_invocation_and_die_where_a_person_can_look(central: Engine) -> None:
    queue, function = central.one("Queue", "it-queue-queue"), central.one("Function", "it-sync-function")
    assert queue["visibilityTimeoutSeconds"] >= 6 * function["timeout"], "Lambda: Using Lambda with Amazon SQS"
    redrive = json.loads(queue["redrivePolicy"])
    assert redrive["maxReceiveCount"] >= 5
    assert redrive["deadLetterTargetArn"].endswith("orchard-sync-dead-letters")
    assert central.one("Queue", "it-queue-dead-letters")["messageRetentionSeconds"] == 14 * 24 * 3600


def test_the_function_gets_batches_and_says_which_of_their_messages_failed(central: Engine) -> None:
    mapping = central.one("EventSourceMapping")
    assert mapping["functionName"] == "orchard-sync"
    assert mapping["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["scalingConfig"]["maximumConcurrency"] >= 2
    variables = central.one("Function", "it-sync-function")["environment"]["variables"]
    assert variables["LAKEMESH_QUEUE"].endswith("/orchard-sync")
    assert variables["LAKEMESH_TAG_FUNCTION"] == "orchard-tag"
    assert int(variables["LAKEMESH_CONCURRENCY"]) == mapping["scalingConfig"]["maximumConcurrency"] + 1


def test_the_sync_role_may_use_its_own_queue_and_invoke_the_tag_function_alone(central: Engine) -> None:
    statements = {
        one["Sid"]: one for one in json.loads(central.one("RolePolicy", "it-sync-policy")["policy"])["Statement"]
    }
    assert [arn.rpartition(":")[2] for arn in statements["Queue"]["Resource"]] == ["orchard-sync"]
    assert statements["TagFunction"]["Resource"] == [f"arn:aws:lambda:eu-west-3:{CENTRAL}:function:orchard-tag"]
    assert "kms:ViaService" in statements["QueueKey"]["Condition"]["StringEquals"]


def test_a_producer_forwards_events_of_shared_databases_through_a_role_that_can_do_nothing_else(
    producer: Engine,
) -> None:
    rule = producer.one("EventRule")
    assert json.loads(rule["eventPattern"])["detail"] == {"databaseName": ["orders", "raw"]}
    target = producer.one("EventTarget")
    assert (target["arn"], target["roleArn"].rpartition("/")[2]) == (BUS, "orchard-forward-shop")
    assert statement(producer.one("RolePolicy", "it-events-policy")["policy"]) == {
        "Sid": "Send", "Effect": "Allow", "Action": ["events:PutEvents"], "Resource": [BUS],
    }  # fmt: skip
    trust = statement(producer.one("aws:iam/role:Role", "it-events-role")["assumeRolePolicy"])
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": PRODUCER}}


def test_more_databases_than_a_pattern_holds_are_all_forwarded() -> None:
    many = [f"a_database_with_a_long_name_{number}" for number in range(100)]
    assert "detail" not in json.loads(pattern(many))
    assert len(pattern(many)) < PATTERN_CHARACTERS
    assert pattern(["b", "a"]) == canonical_json(json.loads(pattern(["a", "b"])))
