"""SQS: moto's queues, with their policies and keys asked, and whoever waits for their messages told.

Sources (SQS developer guide): "Using custom policies with the Amazon SQS access policy language", "Key management"
(what senders and receivers need of a queue's key), "Amazon SQS dead-letter queues".
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from moto.sqs.models import Message, Queue, sqs_backends

from local_aws.services import authorize, clock, front, kms, policy
from local_aws.services.authorize import Need
from local_aws.services.calls import LOCK, AwsError, Call, allow, operation

allow(
    "sqs",
    "CreateQueue", "SetQueueAttributes", "DeleteQueue", "GetQueueUrl", "ListQueues",
    "ListQueueTags", "TagQueue", "UntagQueue", "DeleteMessage", "DeleteMessageBatch", "PurgeQueue",
)  # fmt: skip

Watcher = Callable[[str], None]
_watchers: list[Watcher] = []
_BATCHES = {
    "SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
}  # fmt: skip
# What a queue's key must allow whoever sends or receives ("Key management").
_SENDS = ("kms:GenerateDataKey", "kms:Decrypt")
_RECEIVES = ("kms:Decrypt",)


def watch(watcher: Watcher) -> Watcher:
    """Call `watcher(queue ARN)` when messages have come, or have changed when they are visible."""
    _watchers.append(watcher)
    return watcher


def find(arn: str) -> Queue | None:
    """A queue by its ARN."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "sqs":
        return None
    found: Queue | None = sqs_backends[parts[4]][parts[3]].queues.get(parts[5])
    return found


def policy_statements(arn: str) -> list[Mapping[str, Any]]:
    queue = find(arn)
    return policy.parse(queue.policy) if queue is not None else []


def key_of(queue: Queue) -> str | None:
    """ARN of the customer managed key that a queue is encrypted with."""
    given = getattr(queue, "kms_master_key_id", None)
    if not given:
        return None
    prefix = f"arn:aws:kms:{queue.region}:{queue.account_id}:"
    name = given if given.startswith("arn:") else prefix + (given if given.startswith("alias/") else f"key/{given}")
    key = kms.find(name)
    return key.arn if key else name


# ------------------------------------------------------------------------------------------ services as senders
def deliver(queue_arn: str, body: str, service: str, source_arn: str) -> str | None:
    """Send as a service of AWS, for one of its resources; the reason where the queue or its key does not let it."""
    account = source_arn.split(":")[4]
    with LOCK:
        queue = find(queue_arn)
        if queue is None:
            return "there is no such queue"
        context: dict[str, policy.Value] = {
            "aws:sourcearn": source_arn, "aws:sourceaccount": account, "aws:securetransport": "true",
            "aws:principalisawsservice": "true",
        }  # fmt: skip
        asked = policy.Request("sqs:SendMessage", queue_arn, context)
        if policy.decide(policy_statements(queue_arn), asked, service) is not policy.Decision.ALLOW:
            return "the queue's policy does not let the service send"
        key = key_of(queue)
        for action in _SENDS if key else ():
            asked = policy.Request(action, str(key), context)
            if policy.decide(kms.policy_statements(str(key)), asked, service) is not policy.Decision.ALLOW:
                return f"the policy of the queue's key does not allow {action} to the service"
        backend = sqs_backends[queue.account_id][queue.region]
        backend.send_message(queue.name, body)
    tell(queue_arn)
    return None


def receive(queue: Queue, count: int) -> list[Message]:
    """Messages for a service that polls; those received too often go to the dead-letter queue, as for anyone."""
    with LOCK:
        backend = sqs_backends[queue.account_id][queue.region]
        received: list[Message] = backend.receive_message(queue.name, count, 0, int(queue.visibility_timeout))
    return received


def delete(queue: Queue, receipts: list[str]) -> None:
    with LOCK:
        for receipt in receipts:
            queue.delete_message(receipt)


def next_visible(queue: Queue) -> float | None:
    """Seconds until the next message can be received; None: the queue holds none."""
    with LOCK:
        times = [max(message.visible_at, message.delayed_until) / 1000 for message in queue._messages]
    return max(0.0, min(times) - clock.now()) if times else None


def tell(queue_arn: str) -> None:
    for watcher in _watchers:
        watcher(queue_arn)


# --------------------------------------------------------------------------------------------------- operations
def _arn(call: Call) -> str:
    given = str(call.params.get("QueueUrl") or call.params.get("QueueName") or "*")
    parts = given.rstrip("/").split("/")
    account = parts[-2] if len(parts) > 1 and parts[-2].isdigit() else call.account
    return authorize.arn(call, "sqs", parts[-1], account)


@authorize.rule("sqs")
def needs(call: Call) -> Iterator[Need]:
    """By queue, with its policy; whoever sends or receives needs the queue's key as well."""
    action = _BATCHES.get(call.operation, call.operation)
    if call.operation == "ListQueues":
        yield Need("sqs:ListQueues", "*")
        return
    if call.operation == "StartMessageMoveTask":
        yield from _moving(call)
        return
    arn = _arn(call)
    yield Need(f"sqs:{action}", arn, arn.split(":")[4], policy_statements(arn))
    if call.operation == "CreateQueue" and call.params.get("tags"):
        yield Need("sqs:TagQueue", arn)
    yield from _of_key(call, arn, {"SendMessage": _SENDS, "ReceiveMessage": _RECEIVES}.get(action, ()))


def _of_key(call: Call, arn: str, actions: tuple[str, ...]) -> Iterator[Need]:
    """What the caller needs of a queue's key."""
    queue = find(arn)
    key = key_of(queue) if queue else None
    for needed in actions if key else ():
        yield Need(
            needed, str(key), str(key).split(":")[4], kms.policy_statements(str(key)), policy_required=True,
            extra={"kms:calleraccount": call.account, "kms:viaservice": f"sqs.{call.region}.amazonaws.com"},
        )  # fmt: skip


def _moving(call: Call) -> Iterator[Need]:
    """Of both queues and their keys (developer guide, "Configure queue permissions", dead-letter queue redrive)."""
    source, target = str(call.params.get("SourceArn", "*")), call.params.get("DestinationArn")
    for action in ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        yield Need(f"sqs:{action}", source, call.account, policy_statements(source))
    yield from _of_key(call, source, _RECEIVES)
    if target:
        yield Need("sqs:SendMessage", str(target), call.account, policy_statements(str(target)))
        yield from _of_key(call, str(target), _SENDS)


@operation("sqs", "SendMessage", "SendMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch")
def change(call: Call) -> dict[str, Any]:
    answer = front.ask_moto(call)
    tell(_arn(call))
    return answer


@operation("sqs", "ReceiveMessage")
def receive_message(call: Call) -> dict[str, Any]:
    """A long poll waits here: moto would wait in the lock."""
    params = dict(call.params)
    wait = params.pop("WaitTimeSeconds", 0)
    deadline = time.monotonic() + wait
    while True:
        answer = front.ask_moto(replace(call, params={**params, "WaitTimeSeconds": 0}))
        if answer.get("Messages") or time.monotonic() >= deadline:
            return answer
        time.sleep(0.1)


@operation("sqs", "GetQueueAttributes")
def get_queue_attributes(call: Call) -> dict[str, Any]:
    """Redrive policies as SQS writes them, without spaces: the real provider would see a change otherwise."""
    answer = front.ask_moto(call)
    attributes = dict(answer.get("Attributes") or {})
    if text := attributes.get("RedrivePolicy"):
        attributes["RedrivePolicy"] = json.dumps(json.loads(text), separators=(",", ":"))
    return {**answer, "Attributes": attributes} if attributes else answer


@operation("sqs", "StartMessageMoveTask")
def start_message_move_task(call: Call) -> dict[str, Any]:
    """API reference: from a dead-letter queue to the queue that is named. Ours has moved everything when it answers;
    the older form without a destination, to wherever each message came from, is not modelled."""
    source, target = find(str(call.params["SourceArn"])), find(str(call.params.get("DestinationArn", "")))
    if source is None or target is None:
        raise AwsError("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter "
                       "doesn't exist.")  # fmt: skip
    if not _is_dead_letter_queue(source):
        raise AwsError("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    with LOCK:
        backend = sqs_backends[target.account_id][target.region]
        for message in list(source._messages):
            backend.send_message(target.name, message.body, message.message_attributes)
            source._messages.remove(message)
    tell(target.queue_arn)
    return {"TaskHandle": f"moved-{source.name}"}


def _is_dead_letter_queue(queue: Queue) -> bool:
    queues = sqs_backends[queue.account_id][queue.region].queues.values()
    return any((one.redrive_policy or {}).get("deadLetterTargetArn") == queue.queue_arn for one in queues)
