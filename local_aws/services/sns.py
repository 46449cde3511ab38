"""SNS: moto's topics and subscriptions, with topic policies and keys asked; what is published is kept to be read.

Sources (SNS developer guide): "Using identity-based policies with Amazon SNS", "Example cases for Amazon SNS access
control", "Key management" (what publishers, and services that publish, need of a topic's key), "Subscribing an email
address to an Amazon SNS topic" (pending until confirmed); API reference, Subscribe, Unsubscribe.
No mail is sent: `GET /_local/notifications` tells what was published and to whom it would have gone.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from moto.sns.models import Subscription, Topic, sns_backends

from local_aws.services import authorize, calls, clock, front, iam, kms, policy
from local_aws.services.authorize import Need
from local_aws.services.calls import LOCK, AwsError, Call, allow, not_implemented, operation

allow("sns", "CreateTopic", "DeleteTopic", "ListTopics", "ListTagsForResource", "TagResource", "UntagResource")

_SETTABLE = frozenset({"DisplayName", "KmsMasterKeyId", "Policy"})
_WITHOUT_RESOURCE = frozenset({"ListTopics", "GetSubscriptionAttributes", "Unsubscribe"})
_PUBLISHES = ("kms:GenerateDataKey", "kms:Decrypt")
_PENDING = "pending confirmation"
LONGEST = 262_144


@dataclass(frozen=True)
class Notification:
    """One message that was published; `endpoints` are the confirmed addresses that it went to."""

    topic: str
    account: str
    subject: str
    message: str
    at: str
    by: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    endpoints: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()


_published: list[Notification] = []


@calls.on_reset
def clear() -> None:
    _published.clear()


def published(topic: str | None = None) -> list[dict[str, Any]]:
    """What was published so far, to one topic (name or ARN) or to all."""
    with LOCK:
        found = [each for each in _published if topic is None or topic in {each.topic, each.topic.rpartition(":")[2]}]
    return [asdict(each) for each in found]


def confirm(endpoint: str) -> int:
    """Confirm every pending subscription of an address, as its owner would; how many there were."""
    with LOCK:
        waiting = [each for each in _subscriptions() if each.endpoint == endpoint and _is_pending(each)]
        for each in waiting:
            each.attributes["PendingConfirmation"] = False
    return len(waiting)


def _subscriptions() -> list[Subscription]:
    return [
        each for regions in sns_backends.values() for one in regions.values() for each in one.subscriptions.values()
    ]


def _is_pending(subscription: Subscription) -> bool:
    return bool(subscription.attributes.get("PendingConfirmation"))


def find(arn: str) -> Topic | None:
    """A topic by its ARN."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "sns":
        return None
    found: Topic | None = sns_backends[parts[4]][parts[3]].topics.get(arn)
    return found


def _is_default(topic: Topic) -> bool:
    return bool(topic._policy_json.get("Id") == "__default_policy_ID")


def policy_statements(arn: str) -> list[Mapping[str, Any]]:
    """The statements of a topic's own policy; the one that SNS makes lets only the account in, and is none."""
    topic = find(arn)
    return [] if topic is None or _is_default(topic) else policy.parse(topic.policy)


def key_of(topic: Topic) -> str | None:
    """ARN of the customer managed key that a topic is encrypted with."""
    given = topic.kms_master_key_id
    if not given:
        return None
    parts = topic.arn.split(":")
    kind = "" if given.startswith("alias/") else "key/"
    name = given if given.startswith("arn:") else f"arn:{parts[1]}:kms:{parts[3]}:{parts[4]}:{kind}{given}"
    key = kms.find(name)
    return str(key.arn) if key else name


# ------------------------------------------------------------------------------------------ services that publish
def deliver(topic_arn: str, subject: str, message: str, service: str, source_arn: str) -> str | None:
    """Publish as a service of AWS, for one of its resources; the reason where the topic or its key does not let it."""
    account = source_arn.split(":")[4]
    with LOCK:
        topic = find(topic_arn)
        if topic is None:
            return "there is no such topic"
        context: dict[str, policy.Value] = {
            "aws:sourcearn": source_arn, "aws:sourceaccount": account, "aws:securetransport": "true",
            "aws:principalisawsservice": "true",
        }  # fmt: skip
        if _is_default(topic):
            # SNS's own policy goes by the account that the service acts for ("AWS:SourceOwner").
            allowed = topic.account_id == account
        else:
            asked = policy.Request("sns:Publish", topic_arn, context)
            allowed = policy.decide(policy_statements(topic_arn), asked, service) is policy.Decision.ALLOW
        if not allowed:
            return "the topic's policy does not let the service publish"
        key = key_of(topic)
        for action in _PUBLISHES if key else ():
            asked = policy.Request(action, str(key), context)
            if policy.decide(kms.policy_statements(str(key)), asked, service) is not policy.Decision.ALLOW:
                return f"the policy of the topic's key does not allow {action} to the service"
        _keep(topic, subject, message, service, {})
    return None


def _keep(topic: Topic, subject: str, message: str, by: str, attributes: Mapping[str, str]) -> None:
    mine = [each for each in _subscriptions() if each.topic.arn == topic.arn]
    at = dt.datetime.fromtimestamp(clock.now(), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ready, waiting = (tuple(sorted(e.endpoint for e in mine if _is_pending(e) is pending)) for pending in (False, True))
    _published.append(
        Notification(topic.arn, topic.account_id, subject, message, at, by, dict(attributes), ready, waiting)
    )


# --------------------------------------------------------------------------------------------------- operations
@authorize.rule("sns")
def needs(call: Call) -> Iterator[Need]:
    """By topic, with its policy; whoever publishes needs the topic's key as well."""
    params = call.params
    if call.operation in _WITHOUT_RESOURCE:
        yield Need(f"sns:{call.operation}", "*")
        return
    made = authorize.arn(call, "sns", str(params.get("Name") or ""))
    arn = str(params.get("TopicArn") or params.get("ResourceArn") or params.get("TargetArn") or made)
    owner = arn.split(":")[4] if arn.count(":") == 5 else call.account
    yield Need(f"sns:{call.operation}", arn, owner, policy_statements(arn))
    if call.operation == "CreateTopic" and params.get("Tags"):
        yield Need("sns:TagResource", arn)
    topic = find(arn)
    key = key_of(topic) if topic is not None and call.operation == "Publish" else None
    for action in _PUBLISHES if key else ():
        yield Need(
            action, str(key), str(key).split(":")[4], kms.policy_statements(str(key)), policy_required=True,
            extra={"kms:calleraccount": call.account, "kms:viaservice": f"sns.{call.region}.amazonaws.com"},
        )  # fmt: skip


def _topic(call: Call) -> Topic:
    found = find(str(call.params.get("TopicArn")))
    if found is None:
        raise AwsError("NotFound", "Topic does not exist", 404)
    return found


@operation("sns", "Publish", exclusive=True)
def publish(call: Call) -> dict[str, Any]:
    """Text to a topic. Phones, endpoints of applications, message structures and FIFO are refused by name."""
    given = call.params
    if other := sorted(given.keys() - {"TopicArn", "Message", "Subject", "MessageAttributes"}):
        raise not_implemented("sns", f"Publish with {', '.join(other)}")
    topic = _topic(call)
    message, subject = str(given["Message"]), str(given.get("Subject") or "")
    if not message:
        raise AwsError("InvalidParameter", "Invalid parameter: Empty message")
    if len(message.encode()) > LONGEST:
        raise AwsError("InvalidParameter", "Invalid parameter: Message too long")
    if len(subject) > 100 or "\n" in subject or not subject.isascii():
        # API reference, Publish: ASCII, no line breaks, at most 100 characters.
        raise AwsError("InvalidParameter", "Invalid parameter: Subject")
    attributes = {
        name: str(value.get("StringValue", "")) for name, value in (given.get("MessageAttributes") or {}).items()
    }
    _keep(topic, subject, message, call.identity.arn, attributes)
    return {"MessageId": str(uuid.uuid4())}


@operation("sns", "SetTopicAttributes", exclusive=True)
def set_topic_attributes(call: Call) -> None:
    name, value = call.params["AttributeName"], call.params.get("AttributeValue", "")
    _topic(call)
    if name not in _SETTABLE:
        raise not_implemented("sns", f"SetTopicAttributes of {name}")
    if name == "Policy":
        iam.check_document(value, "InvalidParameter", "Invalid parameter: Policy Error: PrincipalNotFound")
    front.ask_moto(call)


@operation("sns", "GetTopicAttributes")
def get_topic_attributes(call: Call) -> dict[str, Any]:
    topic = _topic(call)
    mine = [each for each in _subscriptions() if each.topic.arn == topic.arn]
    pending = sum(map(_is_pending, mine))
    counted = {"SubscriptionsPending": str(pending), "SubscriptionsConfirmed": str(len(mine) - pending)}
    attributes = {
        "TopicArn": topic.arn, "Owner": topic.account_id, "Policy": topic.policy, "DisplayName": topic.display_name,
        "SubscriptionsDeleted": "0", **counted,
    }  # fmt: skip
    return {"Attributes": {**attributes, **({"KmsMasterKeyId": key} if (key := topic.kms_master_key_id) else {})}}


@operation("sns", "Subscribe", exclusive=True)
def subscribe(call: Call) -> dict[str, Any]:
    """By mail alone: pending until `confirm`."""
    if call.params["Protocol"] != "email" or call.params.get("Attributes"):
        raise not_implemented("sns", f"Subscribe with protocol {call.params['Protocol']} or attributes")
    if "@" not in str(call.params.get("Endpoint")):
        raise AwsError("InvalidParameter", "Invalid parameter: Email address")
    _topic(call)
    before = {each.arn for each in _subscriptions()}
    arn = front.ask_moto(call)["SubscriptionArn"]
    made = next(each for each in _subscriptions() if each.arn == arn)
    if arn not in before:
        made.attributes["PendingConfirmation"] = True
    whole = call.params.get("ReturnSubscriptionArn") or not _is_pending(made)
    return {"SubscriptionArn": arn if whole else _PENDING}


def _subscription(call: Call) -> Subscription:
    arn = call.params["SubscriptionArn"]
    found = next((each for each in _subscriptions() if each.arn == arn), None)
    if found is None:
        raise AwsError("NotFound", "Subscription does not exist", 404)
    return found


@operation("sns", "GetSubscriptionAttributes")
def get_subscription_attributes(call: Call) -> dict[str, Any]:
    found = _subscription(call)
    told = {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in found.attributes.items()
    }
    return {"Attributes": {**told, "ConfirmationWasAuthenticated": "false"}}


@operation("sns", "ListSubscriptionsByTopic")
def list_subscriptions_by_topic(call: Call) -> dict[str, Any]:
    topic = _topic(call)
    mine = [each for each in _subscriptions() if each.topic.arn == topic.arn]
    listed = [
        {
            "SubscriptionArn": "PendingConfirmation" if _is_pending(each) else each.arn, "Owner": each.owner,
            "Protocol": each.protocol, "Endpoint": each.endpoint, "TopicArn": topic.arn,
        }
        for each in mine
    ]  # fmt: skip
    page, token = calls.page(listed, call, 100)
    return {"Subscriptions": page, **({"NextToken": token} if token else {})}


@operation("sns", "Unsubscribe", exclusive=True)
def unsubscribe(call: Call) -> None:
    found = next((each for each in _subscriptions() if each.arn == call.params["SubscriptionArn"]), None)
    if found is None:
        return
    if _is_pending(found):
        text = "Invalid parameter: This operation cannot be performed on a pending subscription"
        raise AwsError("InvalidParameter", text)
    sns_backends[found.account_id][found.arn.split(":")[3]].subscriptions.pop(found.arn, None)
