"""SQS: queues and their policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.provider.iam import document_problems
from local_aws.provider.resource import At, ResourceType, frozen, register, unless
from local_aws.provider.schema import Problem
from local_aws.provider.values import Properties

GONE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
_ATTRIBUTES = {
    "delaySeconds": "DelaySeconds", "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "KmsMasterKeyId", "messageRetentionSeconds": "MessageRetentionPeriod",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds", "redrivePolicy": "RedrivePolicy",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}  # fmt: skip
_NUMBERS = frozenset(_ATTRIBUTES) - {"kmsMasterKeyId", "redrivePolicy"}


@register
class Queue(ResourceType):
    """Its id is the queue's URL."""

    kind = "aws:sqs/queue:Queue"
    supported = frozenset({*_ATTRIBUTES, "name", "tags"})
    defaults = frozen(
        delaySeconds=0, messageRetentionSeconds=345600, receiveWaitTimeSeconds=0, visibilityTimeoutSeconds=30
    )
    immutable = frozenset({"name"})
    documents = frozenset({"redrivePolicy"})
    named = "name"
    longest_name = 80

    def _attributes(self, inputs: Mapping[str, Any]) -> dict[str, str]:
        return {name: str(inputs[key]) for key, name in _ATTRIBUTES.items() if inputs.get(key) is not None}

    def create(self, at: At) -> str:
        sqs = at.client("sqs")
        made = sqs.create_queue(QueueName=at.inputs["name"], Attributes=self._attributes(at.inputs), tags=at.tags)
        return str(made["QueueUrl"])

    def read(self, at: At) -> Properties | None:
        found = unless(
            GONE, lambda: at.client("sqs").get_queue_attributes(QueueUrl=at.id, AttributeNames=["All"])["Attributes"]
        )
        if found is None:
            return None
        known = {**at.inputs, **at.state}
        read: Properties = {key: found.get(name) for key, name in _ATTRIBUTES.items() if key in known or not known}
        numbers = {key: int(read[key]) for key in _NUMBERS & read.keys() if read[key] is not None}
        name = found["QueueArn"].rpartition(":")[2]
        return {**read, **numbers, "arn": found["QueueArn"], "name": name, "url": at.id}

    def update(self, at: At) -> None:
        sqs = at.client("sqs")
        taken = {_ATTRIBUTES[key]: "" for key in _ATTRIBUTES if at.state.get(key) and at.inputs.get(key) is None}
        sqs.set_queue_attributes(QueueUrl=at.id, Attributes={**taken, **self._attributes(at.inputs)})
        at.retag(
            lambda keys: sqs.untag_queue(QueueUrl=at.id, TagKeys=keys),
            lambda tags: sqs.tag_queue(QueueUrl=at.id, Tags=tags),
        )

    def delete(self, at: At) -> None:
        unless(GONE, lambda: at.client("sqs").delete_queue(QueueUrl=at.id))


@register
class QueuePolicy(ResourceType):
    """A queue's whole policy; its id is the queue's URL."""

    kind = "aws:sqs/queuePolicy:QueuePolicy"
    supported = frozenset({"policy", "queueUrl"})
    immutable = frozenset({"queueUrl"})
    documents = frozenset({"policy"})

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        return document_problems(inputs, "policy")

    def _set(self, at: At, policy: str) -> None:
        at.client("sqs").set_queue_attributes(QueueUrl=at.inputs["queueUrl"], Attributes={"Policy": policy})

    def create(self, at: At) -> str:
        self._set(at, at.inputs["policy"])
        return str(at.inputs["queueUrl"])

    def read(self, at: At) -> Properties | None:
        found = unless(
            GONE,
            lambda: at.client("sqs").get_queue_attributes(QueueUrl=at.id, AttributeNames=["Policy"]).get("Attributes"),
        )
        if not (found or {}).get("Policy"):
            return None
        return {"policy": (found or {})["Policy"], "queueUrl": at.id}

    def update(self, at: At) -> None:
        self._set(at, at.inputs["policy"])

    def delete(self, at: At) -> None:
        unless(GONE, lambda: at.client("sqs").set_queue_attributes(QueueUrl=at.id, Attributes={"Policy": ""}))
