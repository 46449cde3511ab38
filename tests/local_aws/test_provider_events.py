"""Buses, rules, targets, queues and mappings by the local provider: made, read back without a change, changed, deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.provider import resource
from local_aws.server import LocalAws
from tests.local_aws.conftest import ACCOUNT, REGION, Clients
from tests.local_aws.test_provider import LAMBDA_TRUST, Cloud, Made

BUS, POLICY = "aws:cloudwatch/eventBus:EventBus", "aws:cloudwatch/eventBusPolicy:EventBusPolicy"
RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
QUEUE, QUEUE_POLICY = "aws:sqs/queue:Queue", "aws:sqs/queuePolicy:QueuePolicy"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
PATTERN = json.dumps({"source": ["aws.glue"]})


def document(resource: str, principal: Any = "*", action: str = "events:PutEvents") -> str:
    statement = {"Sid": "One", "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def cloud(aws: LocalAws) -> Cloud:
    return Cloud(aws.endpoint)


def bus(cloud: Cloud) -> Made:
    return cloud.create(BUS, "mesh", description="Of the mesh")


def rule(cloud: Cloud) -> Made:
    on = bus(cloud).outputs["name"]
    return cloud.create(RULE, eventBusName=on, eventPattern=PATTERN, description="Glue's")


def queue(cloud: Cloud, name: str = "work", **more: Any) -> Made:
    return cloud.create(QUEUE, name, visibilityTimeoutSeconds=60, **more)


def target(cloud: Cloud) -> Made:
    made, to = rule(cloud), queue(cloud)
    return cloud.create(
        TARGET, rule=made.outputs["name"], eventBusName=made.outputs["eventBusName"], targetId="queue", arn=to.outputs["arn"],
        deadLetterConfig={"arn": to.outputs["arn"]}, input='{"action": "refresh"}',
    )  # fmt: skip


def policy(cloud: Cloud) -> Made:
    on = bus(cloud).outputs
    return cloud.create(POLICY, eventBusName=on["name"], policy=document(on["arn"]))


def queue_policy(cloud: Cloud) -> Made:
    made = queue(cloud)
    text = document(made.outputs["arn"], {"Service": "events.amazonaws.com"}, "sqs:SendMessage")
    return cloud.create(QUEUE_POLICY, queueUrl=made.id, policy=text)


def redriven(cloud: Cloud) -> Made:
    dead = queue(cloud, "dead")
    redrive = json.dumps({"deadLetterTargetArn": dead.outputs["arn"], "maxReceiveCount": 5})
    return queue(cloud, redrivePolicy=redrive, messageRetentionSeconds=1_209_600)


def mapping(cloud: Cloud, client: Clients) -> Made:
    iam = client("iam")
    iam.create_role(RoleName="fn", AssumeRolePolicyDocument=LAMBDA_TRUST)
    allowed = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    iam.put_role_policy(
        RoleName="fn", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    )
    client("lambda").create_function(
        FunctionName="f", Runtime="python3.13", Handler="f.h", Role=f"arn:aws:iam::{ACCOUNT}:role/fn", Timeout=10,
        Code={"ZipFile": b"PK\x05\x06" + b"\x00" * 18},
    )  # fmt: skip
    return cloud.create(
        MAPPING, eventSourceArn=queue(cloud).outputs["arn"], functionName="f", batchSize=25,
        maximumBatchingWindowInSeconds=1, functionResponseTypes=["ReportBatchItemFailures"],
        scalingConfig={"maximumConcurrency": 2},
    )  # fmt: skip


MAKERS = {
    "bus": bus, "policy": policy, "rule": rule, "target": target, "queue": queue, "redriven queue": redriven,
    "queue policy": queue_policy,
}  # fmt: skip


@pytest.fixture(params=[*MAKERS, "mapping"])
def made(request: pytest.FixtureRequest, cloud: Cloud, client: Clients) -> Made:
    return mapping(cloud, client) if request.param == "mapping" else MAKERS[request.param](cloud)


def test_what_was_made_reads_back_without_a_change(made: Made) -> None:
    found = made.read()
    assert found is not None
    assert not made.diff().diffs
    same = resource.find(made.kind).same
    assert [key for key in found if key in made.inputs and not same(key, made.inputs[key], found[key])] == []


def test_what_is_deleted_is_gone_and_deleting_it_again_is_no_error(made: Made) -> None:
    made.delete()
    assert made.read() is None
    made.delete()


def test_names_and_ids_are_the_real_providers(cloud: Cloud) -> None:
    made = target(cloud)
    assert made.id == f"{made.inputs['eventBusName']}-{made.inputs['rule']}-queue"
    assert queue(cloud, "other").id.startswith("http")


def test_settings_are_changed_in_place(cloud: Cloud, client: Clients) -> None:
    of_queue = queue(cloud)
    of_queue.update(visibilityTimeoutSeconds=90)
    assert of_queue.outputs["visibilityTimeoutSeconds"] == 90
    of_rule = rule(cloud)
    of_rule.update(eventPattern=json.dumps({"source": ["aws.glue", "other"]}))
    stored = client("events").describe_rule(Name=of_rule.outputs["name"], EventBusName=of_rule.outputs["eventBusName"])
    assert json.loads(stored["EventPattern"]) == {"source": ["aws.glue", "other"]}


def test_a_mapping_is_changed_in_place(cloud: Cloud, client: Clients) -> None:
    made = mapping(cloud, client)
    made.update(batchSize=5)
    assert client("lambda").get_event_source_mapping(UUID=made.id)["BatchSize"] == 5


def test_a_rule_without_pattern_or_schedule_is_refused(cloud: Cloud) -> None:
    assert "must be specified" in cloud.problems(RULE, {})["eventPattern"]


def test_region_and_account_are_in_the_arns(cloud: Cloud) -> None:
    found = bus(cloud).outputs
    assert found["arn"] == f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{found['name']}"
