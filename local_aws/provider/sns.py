"""SNS: topics, their policies, subscriptions by mail."""

from __future__ import annotations

from collections.abc import Iterator

from local_aws.provider.iam import document_problems
from local_aws.provider.resource import At, ResourceType, register, tag_list, unless
from local_aws.provider.schema import Problem
from local_aws.provider.values import Properties, Unknown

GONE = ("NotFound", "NotFoundException")
_ATTRIBUTES = {"displayName": "DisplayName", "kmsMasterKeyId": "KmsMasterKeyId"}


@register
class Topic(ResourceType):
    """Its id is its ARN; its policy is a TopicPolicy's."""

    kind = "aws:sns/topic:Topic"
    supported = frozenset({*_ATTRIBUTES, "name", "tags"})
    immutable = frozenset({"name"})
    completed = frozenset(_ATTRIBUTES)
    named = "name"
    longest_name = 256

    def create(self, at: At) -> str:
        tags = {"Tags": tag_list(at.tags)} if at.tags else {}
        return str(at.client("sns").create_topic(Name=at.inputs["name"], **tags)["TopicArn"])

    def configure(self, at: At) -> None:
        """Attributes one by one, as the real provider does."""
        for key, name in _ATTRIBUTES.items():
            if at.inputs.get(key):
                self._set(at, name, at.inputs[key])

    def _set(self, at: At, name: str, value: str) -> None:
        at.client("sns").set_topic_attributes(TopicArn=at.id, AttributeName=name, AttributeValue=value)

    def read(self, at: At) -> Properties | None:
        found = unless(GONE, lambda: at.client("sns").get_topic_attributes(TopicArn=at.id)["Attributes"])
        if found is None:
            return None
        attributes = {key: found.get(name) or None for key, name in _ATTRIBUTES.items()}
        return {"arn": at.id, "name": at.id.rpartition(":")[2], "owner": found["Owner"], **attributes}

    def update(self, at: At) -> None:
        for key, name in _ATTRIBUTES.items():
            if (at.inputs.get(key) or "") != (at.state.get(key) or ""):
                self._set(at, name, at.inputs.get(key) or "")
        sns = at.client("sns")
        at.retag(
            lambda keys: sns.untag_resource(ResourceArn=at.id, TagKeys=keys),
            lambda tags: sns.tag_resource(ResourceArn=at.id, Tags=tag_list(tags)),
        )

    def delete(self, at: At) -> None:
        unless(GONE, lambda: at.client("sns").delete_topic(TopicArn=at.id))


@register
class TopicPolicy(ResourceType):
    """A topic's whole policy; its id is the topic's ARN. Deleted, the topic has SNS's own again."""

    kind = "aws:sns/topicPolicy:TopicPolicy"
    supported = frozenset({"arn", "policy"})
    immutable = frozenset({"arn"})
    documents = frozenset({"policy"})

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        return document_problems(inputs, "policy")

    def _set(self, at: At, arn: str, policy: str) -> None:
        at.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)

    def create(self, at: At) -> str:
        self._set(at, at.inputs["arn"], at.inputs["policy"])
        return str(at.inputs["arn"])

    def read(self, at: At) -> Properties | None:
        found = unless(GONE, lambda: at.client("sns").get_topic_attributes(TopicArn=at.id)["Attributes"])
        if found is None or "__default_policy_ID" in found["Policy"]:
            return None
        return {"arn": at.id, "owner": found["Owner"], "policy": found["Policy"]}

    def update(self, at: At) -> None:
        self._set(at, at.id, at.inputs["policy"])

    def delete(self, at: At) -> None:
        """The real provider puts SNS's default back: full access of the account's own."""
        owner = at.id.split(":")[4]
        default = (
            '{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",'
            '"Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes",'
            '"SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe",'
            '"SNS:ListSubscriptionsByTopic","SNS:Publish"],'
            f'"Resource":"{at.id}","Condition":{{"StringEquals":{{"AWS:SourceOwner":"{owner}"}}}}}}]}}'
        )
        unless(GONE, lambda: self._set(at, at.id, default))


@register
class TopicSubscription(ResourceType):
    """A subscription by mail, pending until somebody confirms it; its id is its ARN."""

    kind = "aws:sns/topicSubscription:TopicSubscription"
    supported = frozenset({"endpoint", "protocol", "topic"})
    immutable = frozenset({"endpoint", "protocol", "topic"})

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        protocol = inputs.get("protocol")
        if not isinstance(protocol, Unknown) and protocol != "email":
            yield "protocol", f"the local provider models email alone, not {protocol}"

    def create(self, at: At) -> str:
        made = at.client("sns").subscribe(
            TopicArn=at.inputs["topic"], Protocol=at.inputs["protocol"], Endpoint=at.inputs["endpoint"],
            ReturnSubscriptionArn=True,
        )  # fmt: skip
        return str(made["SubscriptionArn"])

    def read(self, at: At) -> Properties | None:
        sns = at.client("sns")
        found = unless(GONE, lambda: sns.get_subscription_attributes(SubscriptionArn=at.id)["Attributes"])
        if found is None:
            return None
        return {
            "arn": at.id, "topic": found["TopicArn"], "protocol": found["Protocol"], "endpoint": found["Endpoint"],
            "ownerId": found["Owner"], "pendingConfirmation": found["PendingConfirmation"] == "true",
        }  # fmt: skip

    def delete(self, at: At) -> None:
        """One that nobody confirmed cannot be deleted and ends by itself; the real provider forgets it."""
        sns = at.client("sns")
        found = unless(GONE, lambda: sns.get_subscription_attributes(SubscriptionArn=at.id)["Attributes"])
        if found is not None and found["PendingConfirmation"] != "true":
            unless(GONE, lambda: sns.unsubscribe(SubscriptionArn=at.id))
