"""Tables, topics, alarms and dashboards by the local provider: made, read back without a change, changed, deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.provider import resource
from local_aws.provider.connection import ProviderError
from local_aws.server import LocalAws
from local_aws.services import sns
from tests.local_aws.conftest import ACCOUNT, REGION, Clients
from tests.local_aws.test_provider import Cloud, Made

TABLE = "aws:dynamodb/table:Table"
TOPIC, TOPIC_POLICY = "aws:sns/topic:Topic", "aws:sns/topicPolicy:TopicPolicy"
ALARM, COMPOSITE = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"


@pytest.fixture
def cloud(aws: LocalAws) -> Cloud:
    return Cloud(aws.endpoint, defaultTags='{"tags": {"mesh": "orchard"}}')


def key(cloud: Cloud) -> Made:
    return cloud.create("aws:kms/key:Key", "key")


def table(cloud: Cloud, **more: Any) -> Made:
    given = {
        "hashKey": "twin", "rangeKey": "item", "billingMode": "PAY_PER_REQUEST",
        "attributes": [{"name": "twin", "type": "S"}, {"name": "item", "type": "S"}],
        "pointInTimeRecovery": {"enabled": True}, "ttl": {"attributeName": "expires", "enabled": True},
        "serverSideEncryption": {"enabled": True, "kmsKeyArn": key(cloud).outputs["arn"]},
    }  # fmt: skip
    return cloud.create(TABLE, "state", **{**given, **more})


def plain_table(cloud: Cloud) -> Made:
    attributes = [{"name": "id", "type": "S"}]
    return cloud.create(TABLE, "plain", hashKey="id", billingMode="PAY_PER_REQUEST", attributes=attributes)


def topic(cloud: Cloud) -> Made:
    return cloud.create(TOPIC, "operators", displayName="Operators", kmsMasterKeyId=key(cloud).outputs["arn"])


def topic_policy(cloud: Cloud) -> Made:
    arn = topic(cloud).id
    return cloud.create(TOPIC_POLICY, arn=arn, policy=policy(arn, "sns:Publish"))


def policy(arn: str, action: str) -> str:
    principal = {"Service": "cloudwatch.amazonaws.com"}
    statement = {"Sid": "A", "Effect": "Allow", "Principal": principal, "Action": action, "Resource": arn}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def subscription(cloud: Cloud) -> Made:
    made = cloud.create(SUBSCRIPTION, topic=topic(cloud).id, protocol="email", endpoint="a@example.org")
    assert made.outputs["pendingConfirmation"] is True
    sns.confirm("a@example.org")
    return made


def alarm(cloud: Cloud, name: str = "failed", **more: Any) -> Made:
    given = {
        "namespace": "orchard", "metricName": "ChangesFailed", "statistic": "Sum", "period": 300,
        "evaluationPeriods": 3, "datapointsToAlarm": 2, "threshold": 0, "comparisonOperator": "GreaterThanThreshold",
        "treatMissingData": "notBreaching", "dimensions": {"domain": "ap"}, "alarmDescription": "See the runbook.",
        "alarmActions": [topic(cloud).id],
    }  # fmt: skip
    return cloud.create(ALARM, name, **{**given, **more})


def composite(cloud: Cloud) -> Made:
    made = alarm(cloud, "inner")
    rule = f'ALARM("{made.id}") OR INSUFFICIENT_DATA("{made.id}")'
    return cloud.create(COMPOSITE, "outer", alarmName="outer", alarmRule=rule, alarmActions=made.inputs["alarmActions"])


def dashboard(cloud: Cloud) -> Made:
    return cloud.create(DASHBOARD, dashboardName="orchard", dashboardBody=BODY)


BODY = json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "fresh?"}}]})
MAKERS = {
    "alarm": alarm, "composite alarm": composite, "dashboard": dashboard,
    "subscription": subscription, "table": table, "table without extras": plain_table, "topic": topic,
    "topic policy": topic_policy,
}  # fmt: skip


@pytest.fixture(params=sorted(MAKERS))
def made(request: pytest.FixtureRequest, cloud: Cloud) -> Made:
    return MAKERS[request.param](cloud)


def test_what_was_made_reads_back_without_a_change(made: Made) -> None:
    found = made.read()
    assert found is not None
    assert not made.diff().diffs
    same = resource.find(made.kind).same
    assert [name for name in found if name in made.inputs and not same(name, made.inputs[name], found[name])] == []


def test_what_is_deleted_is_gone_and_deleting_it_again_is_no_error(made: Made) -> None:
    made.delete()
    assert made.read() is None
    made.delete()


def test_a_table_is_named_tagged_and_encrypted_as_declared(cloud: Cloud, client: Clients) -> None:
    made = table(cloud, tags={"a": "b"})
    assert made.outputs["arn"] == f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{made.id}"
    tags = client("dynamodb").list_tags_of_resource(ResourceArn=made.outputs["arn"])["Tags"]
    assert {each["Key"]: each["Value"] for each in tags} == {"a": "b", "mesh": "orchard"}
    encryption = client("dynamodb").describe_table(TableName=made.id)["Table"]["SSEDescription"]
    assert encryption["KMSMasterKeyArn"] == made.inputs["serverSideEncryption"]["kmsKeyArn"]


def test_a_tables_settings_are_changed_in_place(cloud: Cloud, client: Clients) -> None:
    made = table(cloud)
    made.update(pointInTimeRecovery={"enabled": False}, ttl={"enabled": False}, deletionProtectionEnabled=True)
    with pytest.raises(ProviderError, match="DeletionProtectionEnabled"):
        made.delete()
    assert (
        client("dynamodb").describe_time_to_live(TableName=made.id)["TimeToLiveDescription"]["TimeToLiveStatus"]
        == "DISABLED"
    )
    made.update(deletionProtectionEnabled=False)


def test_another_sort_key_replaces_a_table(cloud: Cloud) -> None:
    changes = {"rangeKey": "at", "attributes": [{"name": "twin", "type": "S"}, {"name": "at", "type": "S"}]}
    assert table(cloud).replaces(**changes) == ["rangeKey"]


def test_attributes_of_a_table_are_those_of_its_keys(cloud: Cloud) -> None:
    given = {"hashKey": "a", "billingMode": "PAY_PER_REQUEST", "attributes": [{"name": "b", "type": "S"}]}
    assert "attribute" in cloud.problems(TABLE, given)["attributes"]


def test_a_topics_settings_are_changed_in_place(cloud: Cloud, client: Clients) -> None:
    made = topic(cloud)
    made.update(displayName="People", kmsMasterKeyId=None)
    attributes = client("sns").get_topic_attributes(TopicArn=made.id)["Attributes"]
    assert attributes["DisplayName"] == "People"
    assert "KmsMasterKeyId" not in attributes
    of_policy = topic_policy(cloud)
    of_policy.update(policy=policy(of_policy.id, "sns:*"))


def test_a_subscription_that_nobody_confirmed_is_forgotten(cloud: Cloud) -> None:
    made = cloud.create(SUBSCRIPTION, topic=topic(cloud).id, protocol="email", endpoint="b@example.org")
    made.delete()
    found = made.read()
    assert found is not None
    assert found["pendingConfirmation"] is True
    assert made.replaces(endpoint="c@example.org") == ["endpoint"]


def test_subscriptions_are_by_mail(cloud: Cloud) -> None:
    assert "email" in cloud.problems(SUBSCRIPTION, {"topic": "t", "protocol": "sms", "endpoint": "1"})["protocol"]


def test_an_alarm_is_changed_in_place(cloud: Cloud, client: Clients) -> None:
    made = alarm(cloud, tags={"a": "b"})
    made.update(threshold=5, alarmActions=None, tags={"a": "c"})
    (stored,) = client("cloudwatch").describe_alarms(AlarmNames=[made.id])["MetricAlarms"]
    assert (stored["Threshold"], stored["AlarmActions"], stored["DatapointsToAlarm"]) == (5.0, [], 2)
    tags = client("cloudwatch").list_tags_for_resource(ResourceARN=made.outputs["arn"])["Tags"]
    assert {each["Key"]: each["Value"] for each in tags} == {"a": "c", "mesh": "orchard"}
    assert made.replaces(name="other") == ["name"]


def test_an_alarm_without_a_metric_is_refused(cloud: Cloud) -> None:
    given = {"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1, "threshold": 1}
    assert set(cloud.problems(ALARM, given)) == {"metricName", "namespace", "period", "statistic"}


def test_a_rule_and_a_dashboard_are_changed_in_place(cloud: Cloud, client: Clients) -> None:
    made = composite(cloud)
    rule = made.inputs["alarmRule"].replace("ALARM(", "NOT OK(")
    made.update(alarmRule=rule)
    (stored,) = client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert stored["AlarmRule"] == rule
    board = dashboard(cloud)
    board.update(dashboardBody='{"widgets": []}')
    assert "invalid JSON" in cloud.problems(DASHBOARD, {"dashboardName": "d", "dashboardBody": "{"})["dashboardBody"]
