"""DynamoDB, SNS and CloudWatch: who may use tables and topics, and which state an alarm is in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from tests.aws_conformance.accounts import Account, allow, document, trust
from tests.aws_conformance.assumptions import Confidence, assumption
from tests.aws_conformance.lake import Lake
from tests.aws_conformance.test_kms_and_s3 import key, may, reader
from tests.aws_conformance.waiting import allowed, eventually, patiently, refused

__all__ = ["reader"]  # a fixture of these checks too
DOCUMENTED, INFERRED = Confidence.DOCUMENTED, Confidence.INFERRED
SERVICE = {"Service": "cloudwatch.amazonaws.com"}


def table(lake: Lake, **more: Any) -> str:
    """An on-demand table of the owner with keys `twin` and `item`; its name."""
    db, name = lake.owner("dynamodb"), lake.names("state")
    lake.undo.later(patiently_deleted, db=db, name=name)
    patiently(
        db.create_table, TableName=name, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "twin", "KeyType": "HASH"}, {"AttributeName": "item", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("twin", "item")], **more,
    )  # fmt: skip

    def active() -> None:
        assert db.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE"

    eventually(active)
    return name


def patiently_deleted(db: Any, name: str) -> None:
    patiently(db.delete_table, TableName=name)


def item(name: str) -> dict[str, Any]:
    return {"twin": {"S": "db"}, "item": {"S": name}}


def worker(lake: Lake, *statements: Mapping[str, Any]) -> Account:
    """A role of the owner with these permissions alone."""
    name = lake.names("worker")
    return lake.owner.become(lake.owner.role(lake.undo, name, trust(lake.owner.root), *statements))


def topic(lake: Lake) -> str:
    sns = lake.owner("sns")
    arn = str(patiently(sns.create_topic, Name=lake.names("topic"))["TopicArn"])
    lake.undo.later(sns.delete_topic, TopicArn=arn)
    return arn


def set_policy(lake: Lake, topic: str, *statements: Mapping[str, Any]) -> None:
    patiently(
        lake.owner("sns").set_topic_attributes,
        TopicArn=topic, AttributeName="Policy", AttributeValue=document(*statements),
    )  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- DynamoDB
@assumption("IAM-SAR list_amazondynamodb", DOCUMENTED)
def test_a_transaction_takes_the_action_of_each_item(lake: Lake) -> None:
    """TransactWriteItems is allowed by the actions of its items (dynamodb:PutItem, dynamodb:ConditionCheckItem …)."""
    name = table(lake)
    arn = f"arn:{lake.owner.partition}:dynamodb:{lake.owner.region}:{lake.owner.id}:table/{name}"
    db = worker(lake, allow("dynamodb:PutItem", resource=arn))("dynamodb")
    put = {"Put": {"TableName": name, "Item": item("a")}}
    absent = {"TableName": name, "Key": item("b"), "ConditionExpression": "attribute_not_exists(twin)"}
    eventually(partial(allowed, db.transact_write_items, TransactItems=[put]))
    refused("AccessDeniedException", db.transact_write_items, TransactItems=[put, {"ConditionCheck": absent}])


@assumption("DDB encryption.usagenotes", INFERRED)
def test_an_encrypted_table_takes_its_key(lake: Lake) -> None:
    """Reading and writing items of a table under a customer managed key takes kms:Decrypt on it, besides DynamoDB's."""
    arn = key(lake, lake.owner)
    name = table(lake, SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": arn})
    role = worker(lake, allow("dynamodb:PutItem"))
    db = role("dynamodb")
    eventually(
        partial(refused, "AccessDeniedException", db.put_item, match="kms:Decrypt", TableName=name, Item=item("a"))
    )
    lake.owner.policy(role.arn.rpartition("/")[2], allow("dynamodb:PutItem"), allow("kms:Decrypt", resource=arn))
    eventually(partial(allowed, db.put_item, TableName=name, Item=item("a")))


@assumption("DDB TTL", DOCUMENTED)
def test_an_expired_item_is_still_read(lake: Lake) -> None:
    """An item that has expired is still read until DynamoDB deletes it, which takes up to a few days."""
    name, db = table(lake), lake.owner("dynamodb")
    specification = {"AttributeName": "expires", "Enabled": True}
    patiently(db.update_time_to_live, TableName=name, TimeToLiveSpecification=specification)
    # An hour ago: what is older than five years never expires.
    past = int(lake.accounts.started.timestamp()) - 3600
    db.put_item(TableName=name, Item={**item("a"), "expires": {"N": str(past)}})
    assert db.get_item(TableName=name, Key=item("a"), ConsistentRead=True)["Item"]["expires"] == {"N": str(past)}


# ---------------------------------------------------------------------------------------------------------------- SNS
@assumption("SNS sns-access-policy-use-cases", DOCUMENTED)
def test_another_accounts_topic_takes_both_policies(lake: Lake, reader: Account) -> None:
    """Publishing to another account's topic takes the topic's policy and the publisher's own."""
    arn = topic(lake)
    publish = partial(reader("sns").publish, TopicArn=arn, Message=lake.names("message"))
    may(reader, lake.recipient, allow("sns:Publish", resource=arn))
    refused("AuthorizationError", publish)
    lets = {"Effect": "Allow", "Principal": {"AWS": reader.arn}, "Action": "sns:Publish", "Resource": arn}
    set_policy(lake, arn, lets)
    eventually(partial(allowed, publish))


@assumption("SNS sns-key-management", DOCUMENTED)
def test_an_encrypted_topic_takes_its_key(lake: Lake) -> None:
    """Publishing to a topic under a customer managed key takes kms:GenerateDataKey and kms:Decrypt on it."""
    arn, key_arn = topic(lake), key(lake, lake.owner)
    patiently(
        lake.owner("sns").set_topic_attributes,
        TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=key_arn,
    )  # fmt: skip
    role = worker(lake, allow("sns:Publish", resource=arn))
    publish = partial(role("sns").publish, TopicArn=arn, Message=lake.names("message"))
    eventually(
        partial(refused, ("KMSAccessDenied", "KMSAccessDeniedException", "AuthorizationError"), publish, match="kms")
    )
    uses = allow("kms:GenerateDataKey", "kms:Decrypt", resource=key_arn)
    lake.owner.policy(role.arn.rpartition("/")[2], allow("sns:Publish", resource=arn), uses)
    eventually(partial(allowed, publish))


@assumption("SNS-API API_Unsubscribe", INFERRED)
def test_a_pending_subscription_is_not_ended(lake: Lake) -> None:
    """Unsubscribe of a subscription that nobody confirmed is InvalidParameter: it ends by itself."""
    arn, sns = topic(lake), lake.owner("sns")
    made = patiently(
        sns.subscribe, TopicArn=arn, Protocol="email", Endpoint=f"{lake.names('nobody')}@example.invalid",
        ReturnSubscriptionArn=True,
    )  # fmt: skip
    refused("InvalidParameter", sns.unsubscribe, match="(?i)pending", SubscriptionArn=made["SubscriptionArn"])


# --------------------------------------------------------------------------------------------------------- CloudWatch
def alarm(lake: Lake, what: str, **more: Any) -> str:
    """An alarm on a metric that nobody writes; its name."""
    cloudwatch, name = lake.owner("cloudwatch"), lake.names(what)
    lake.undo.later(cloudwatch.delete_alarms, AlarmNames=[name])
    given = {
        "AlarmName": name, "Namespace": lake.names("mesh"), "MetricName": "Failed", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 0.0, "ComparisonOperator": "GreaterThanThreshold",
    }  # fmt: skip
    patiently(cloudwatch.put_metric_alarm, **{**given, **more})
    return name


def is_in(lake: Lake, name: str, state: str) -> None:
    answer = lake.owner("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    states = [each["StateValue"] for each in [*answer["MetricAlarms"], *answer["CompositeAlarms"]]]
    assert states == [state]


@assumption("CW alarms-and-missing-data", DOCUMENTED)
@pytest.mark.parametrize(
    ("treatment", "state"),
    [("breaching", "ALARM"), ("ignore", "INSUFFICIENT_DATA"), ("missing", "INSUFFICIENT_DATA"), ("notBreaching", "OK")],
)
def test_missing_data_are_what_the_alarm_takes_them_for(lake: Lake, treatment: str, state: str) -> None:
    """An alarm without any data is in ALARM, OK or INSUFFICIENT_DATA as TreatMissingData says."""
    name = alarm(lake, "silent", TreatMissingData=treatment)
    eventually(partial(is_in, lake, name, state))


@assumption("CW alarm-combining", DOCUMENTED)
def test_a_composite_alarm_follows_its_rule(lake: Lake) -> None:
    """A composite alarm is in ALARM while its rule over other alarms' states holds."""
    loud, calm = (alarm(lake, what, TreatMissingData=t) for what, t in (("l", "breaching"), ("c", "notBreaching")))
    cloudwatch = lake.owner("cloudwatch")
    for what, rule, state in (("and", "AND", "OK"), ("or", "OR", "ALARM")):
        name = lake.names(what)
        lake.undo.later(cloudwatch.delete_alarms, AlarmNames=[name])
        text = f'ALARM("{loud}") {rule} ALARM("{calm}")'
        patiently(cloudwatch.put_composite_alarm, AlarmName=name, AlarmRule=text)
        eventually(partial(is_in, lake, name, state))


@assumption("CW-API API_PutCompositeAlarm", INFERRED)
def test_a_rule_names_alarms_that_exist(lake: Lake) -> None:
    """PutCompositeAlarm whose rule names an alarm that does not exist is refused."""
    rule = f'ALARM("{lake.names("none")}")'
    put = lake.owner("cloudwatch").put_composite_alarm
    refused(("ValidationError", "ValidationException"), put, AlarmName=lake.names("c"), AlarmRule=rule)


@assumption("SNS sns-key-management", DOCUMENTED)
def test_an_alarm_tells_a_topic_that_lets_it_in(lake: Lake) -> None:
    """PutMetricAlarm takes a topic whose policy lets cloudwatch.amazonaws.com publish, restricted by aws:SourceArn."""
    arn = topic(lake)
    source = f"arn:{lake.owner.partition}:cloudwatch:{lake.owner.region}:{lake.owner.id}:alarm:*"
    lets = {
        "Sid": "Alarms", "Effect": "Allow", "Principal": SERVICE, "Action": "sns:Publish", "Resource": arn,
        "Condition": {"ArnLike": {"aws:SourceArn": source}},
    }  # fmt: skip
    set_policy(lake, arn, lets)
    name = alarm(lake, "loud", TreatMissingData="breaching", AlarmActions=[arn])
    eventually(partial(is_in, lake, name, "ALARM"))
    stored = lake.owner("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    assert json.loads(stored)["Statement"][0]["Principal"] == SERVICE
