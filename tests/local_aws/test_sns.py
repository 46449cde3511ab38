"""Topics: who may publish, with which key, and who would have got the mail."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.services import sns as service
from tests.local_aws.conftest import ACCOUNT, REGION, Clients

OTHER = "222233334444"
TRUST = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
})  # fmt: skip
ALARM = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:a"
CLOUDWATCH = "cloudwatch.amazonaws.com"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})


@pytest.fixture
def topic(client: Clients) -> str:
    return str(client("sns").create_topic(Name="operators")["TopicArn"])


def worker(client: Clients, *statements: dict[str, Any], account: str = ACCOUNT) -> Any:
    arn = client("iam", account).create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    client("iam", account).put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=document(*statements))
    return client.role(arn, "sns")


def set_policy(client: Clients, topic: str, *statements: dict[str, Any]) -> None:
    client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=document(*({"Sid": "A", **each} for each in statements))
    )


def told_by(client: Clients, path: str, body: bytes | None = None) -> dict[str, Any]:
    """The control face's answer: a body is posted."""
    with urllib.request.urlopen(f"{client.endpoint}/_local{path}", body) as answer:  # noqa: S310 - loopback
        return dict(json.load(answer))


def test_what_is_published_is_told_with_its_subscribers(client: Clients, topic: str) -> None:
    sns = client("sns")
    for address in ("b@example.org", "a@example.org"):
        assert (
            sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=address)["SubscriptionArn"]
            == "pending confirmation"
        )
    assert told_by(client, "/notifications", b'{"confirm": "a@example.org"}') == {"confirmed": 1}
    text = {"DataType": "String", "StringValue": "invoices"}
    sns.publish(TopicArn=topic, Subject="Held", Message="why", MessageAttributes={"domain": text})
    (told,) = told_by(client, "/notifications?topic=operators")["notifications"]
    assert (told["subject"], told["message"], told["attributes"]) == ("Held", "why", {"domain": "invoices"})
    assert (told["endpoints"], told["pending"]) == (["a@example.org"], ["b@example.org"])


def test_publishing_takes_the_publishers_policy(client: Clients, topic: str) -> None:
    denied = worker(client, {"Action": "sns:Publish", "Resource": topic + "s"})
    with pytest.raises(ClientError) as refused:
        denied.publish(TopicArn=topic, Message="x")
    assert refused.value.response["Error"]["Code"] == "AuthorizationError"
    document_ = document({"Action": "sns:Publish", "Resource": topic})
    client("iam").put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=document_)
    denied.publish(TopicArn=topic, Message="x")


def test_another_account_needs_the_topics_policy_too(client: Clients, topic: str) -> None:
    sns = worker(client, {"Action": "sns:Publish", "Resource": topic}, account=OTHER)
    with pytest.raises(ClientError, match="AuthorizationError"):
        sns.publish(TopicArn=topic, Message="x")
    role = f"arn:aws:iam::{OTHER}:role/worker"
    set_policy(client, topic, {"Principal": {"AWS": role}, "Action": "sns:Publish", "Resource": topic})
    sns.publish(TopicArn=topic, Message="x")


def test_an_encrypted_topic_needs_its_key_from_the_publisher(client: Clients, topic: str) -> None:
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    client("sns").set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=key)
    sns = worker(client, {"Action": "sns:Publish", "Resource": topic})
    with pytest.raises(ClientError, match="kms:GenerateDataKey"):
        sns.publish(TopicArn=topic, Message="x")


def test_a_service_publishes_where_the_topics_policy_and_its_key_let_it(client: Clients, topic: str) -> None:
    assert service.deliver(topic, "s", "m", CLOUDWATCH, ALARM) is None, "SNS's own policy lets the account's alarms in"
    other = ALARM.replace(ACCOUNT, OTHER)
    assert "topic's policy" in str(service.deliver(topic, "s", "m", CLOUDWATCH, other))
    allowed = {"Principal": {"Service": CLOUDWATCH}, "Action": "sns:Publish", "Resource": topic}
    set_policy(client, topic, {**allowed, "Condition": {"ArnEquals": {"aws:SourceArn": ALARM}}})
    assert service.deliver(topic, "s", "m", CLOUDWATCH, ALARM) is None
    assert "topic's policy" in str(service.deliver(topic, "s", "m", CLOUDWATCH, ALARM + "b"))
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    client("sns").set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=key)
    assert "key" in str(service.deliver(topic, "s", "m", CLOUDWATCH, ALARM))
    root = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    uses = {"Principal": {"Service": CLOUDWATCH}, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*"}
    client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=document(root, uses))
    assert service.deliver(topic, "s", "m", CLOUDWATCH, ALARM) is None


def test_a_pending_subscription_is_not_ended_by_a_call(client: Clients, topic: str) -> None:
    sns = client("sns")
    made = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.org", ReturnSubscriptionArn=True)
    with pytest.raises(ClientError, match="pending"):
        sns.unsubscribe(SubscriptionArn=made["SubscriptionArn"])
    assert (
        sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]["SubscriptionArn"] == "PendingConfirmation"
    )
    service.confirm("a@example.org")
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "1"
    sns.unsubscribe(SubscriptionArn=made["SubscriptionArn"])
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


@pytest.mark.parametrize("subject", ["a" * 101, "two\nlines", "Zürich"])
def test_a_subject_is_a_short_line_of_ascii(client: Clients, topic: str, subject: str) -> None:
    with pytest.raises(ClientError, match="Subject"):
        client("sns").publish(TopicArn=topic, Subject=subject, Message="x")


def test_a_topics_policy_names_who_exists(client: Clients, topic: str) -> None:
    nobody = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/nobody"}
    with pytest.raises(ClientError, match="InvalidParameter"):
        set_policy(client, topic, {"Principal": nobody, "Action": "sns:Publish", "Resource": topic})


def test_what_is_not_modelled_is_refused_by_name(client: Clients, topic: str) -> None:
    with pytest.raises(ClientError, match="protocol sqs"):
        client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:q")
    with pytest.raises(ClientError, match="PhoneNumber"):
        client("sns").publish(PhoneNumber="+4912345678", TopicArn=topic, Message="x")
