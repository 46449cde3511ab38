"""Event source mappings: Lambda polls a queue and invokes a function with batches of its messages.

Sources (Lambda developer guide): "Using Lambda with Amazon SQS" (event, permissions of the execution role, batching
window), "Handling errors for an SQS event source" (partial batch responses). One batch at a time is under way for each
mapping, fewer than AWS would run.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.sqs.models import Message, Queue

from local_aws.services import background, clock, iam, identity, kms, sqs
from local_aws.services.calls import AwsError, Call, not_implemented, on_reset, operation, page
from local_aws.services.lambda_.api import _find, _log
from local_aws.services.lambda_.functions import Function, functions

REPORTS = "ReportBatchItemFailures"
_SETTABLE = {
    "FunctionName", "Enabled", "BatchSize", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes", "ScalingConfig",
}  # fmt: skip
LARGEST_BATCH = 10_000
LARGEST_WITHOUT_WINDOW = 10


@dataclass
class Mapping_:  # noqa: N801 - `Mapping` is the type's
    uuid: str
    account: str
    region: str
    function: str
    queue: str
    settings: dict[str, Any]
    tags: dict[str, str]
    modified: float = field(default_factory=time.time)
    woken: float | None = None
    """When the next poll is due, by the clock that can be advanced."""
    polling: bool = False

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:event-source-mapping:{self.uuid}"

    @property
    def enabled(self) -> bool:
        return bool(self.settings.get("Enabled", True))

    def describe(self) -> dict[str, Any]:
        return {
            "UUID": self.uuid,
            "EventSourceMappingArn": self.arn,
            "EventSourceArn": self.queue,
            "FunctionArn": f"arn:aws:lambda:{self.region}:{self.account}:function:{self.function}",
            "BatchSize": self.settings.get("BatchSize", 10),
            "MaximumBatchingWindowInSeconds": self.settings.get("MaximumBatchingWindowInSeconds", 0),
            "FunctionResponseTypes": self.settings.get("FunctionResponseTypes", []),
            "State": "Enabled" if self.enabled else "Disabled",
            "StateTransitionReason": "USER_INITIATED",
            "LastModified": dt.datetime.fromtimestamp(self.modified, dt.UTC),
            **({"ScalingConfig": self.settings["ScalingConfig"]} if self.settings.get("ScalingConfig") else {}),
        }


_lock = threading.Lock()
_mappings: dict[str, Mapping_] = {}


@on_reset
def clear() -> None:
    _mappings.clear()


# -------------------------------------------------------------------------------------------------------- polling
@sqs.watch
def came(queue_arn: str) -> None:
    """Messages have come to a queue."""
    for mapping in list(_mappings.values()):
        if mapping.queue == queue_arn and mapping.enabled:
            _wake(mapping, float(mapping.settings.get("MaximumBatchingWindowInSeconds", 0)))


def _wake(mapping: Mapping_, delay: float) -> None:
    due = clock.now() + delay
    with _lock:
        if mapping.polling or (mapping.woken is not None and mapping.woken <= due):
            return  # a batch is under way and looks again at its end, or an earlier poll is due
        mapping.woken = due
    background.submit(lambda: _poll(mapping, due), delay)


def _poll(mapping: Mapping_, due: float) -> None:
    with _lock:
        if mapping.woken != due:
            return  # an earlier one was asked for meanwhile
        mapping.woken, mapping.polling = None, True
    again = None
    try:
        _batch(mapping)
    finally:
        with _lock:
            mapping.polling = False
        queue = sqs.find(mapping.queue)
        again = sqs.next_visible(queue) if queue is not None and mapping.enabled else None
    if again is not None and _mappings.get(mapping.uuid) is mapping:
        _wake(mapping, again)


def _batch(mapping: Mapping_) -> None:
    """Receive, invoke, delete what was done."""
    queue, function = sqs.find(mapping.queue), functions(mapping.account, mapping.region).get(mapping.function)
    if _mappings.get(mapping.uuid) is not mapping or not mapping.enabled or queue is None or function is None:
        return
    _require(function, mapping.queue)
    received = sqs.receive(queue, int(mapping.settings.get("BatchSize", 10)))
    if received:
        failed = _invoke(mapping, function, received)
        sqs.delete(queue, [message.receipt_handle for message in received if message.id not in failed])


def _invoke(mapping: Mapping_, function: Function, received: list[Message]) -> set[str]:
    """Ids of the messages that were not done."""
    everything = {message.id for message in received}
    request_id, started = str(uuid.uuid4()), time.monotonic()
    event = {"Records": [_record(message, mapping) for message in received]}
    try:
        outcome = function.run(json.dumps(event), request_id)
    except AwsError:
        return everything
    _log(function, request_id, outcome.log, outcome.error, time.monotonic() - started)
    if outcome.error:
        return everything
    if REPORTS not in mapping.settings.get("FunctionResponseTypes", []):
        return set()
    return reported(outcome.payload, everything)


def reported(payload: str | None, everything: set[str]) -> set[str]:
    """Which messages a response calls failed. What is no valid response fails the whole batch."""
    try:
        answer = json.loads(payload or "null")
        if answer is None or answer == {}:
            return set()
        named = {item["itemIdentifier"] for item in answer["batchItemFailures"] or ()}
    except (ValueError, KeyError, TypeError):
        return everything
    return named if everything.issuperset(named) else everything


def _record(message: Message, mapping: Mapping_) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        },
        "messageAttributes": {},
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.queue,
        "awsRegion": mapping.region,
    }


def _require(function: Function, queue_arn: str) -> None:
    """The function's role has to be able to poll. Raises AwsError InvalidParameterValueException."""
    session = identity.role(function.config["Role"], function.name)
    owner = queue_arn.split(":")[4]
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        statements = sqs.policy_statements(queue_arn)
        if not iam.permitted(session, f"sqs:{action}", queue_arn, owner=owner, policies=statements):
            raise AwsError(
                "InvalidParameterValueException",
                f"The function execution role does not have permissions to call {action} on SQS",
            )
    queue: Queue | None = sqs.find(queue_arn)
    key = sqs.key_of(queue) if queue else None
    if key and not kms.may(session, "kms:Decrypt", key, "sqs"):
        raise AwsError(
            "InvalidParameterValueException", "The function execution role may not decrypt with the queue's key"
        )


# ----------------------------------------------------------------------------------------------------- operations
def _checked(settings: Mapping[str, Any]) -> None:
    size, window = settings.get("BatchSize", 10), settings.get("MaximumBatchingWindowInSeconds", 0)
    if size > LARGEST_BATCH:
        raise AwsError("InvalidParameterValueException", f"Batch size: {size} cannot be greater than {LARGEST_BATCH}.")
    if size > LARGEST_WITHOUT_WINDOW and not window:
        raise AwsError(
            "InvalidParameterValueException",
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        )


def _found(call: Call) -> Mapping_:
    found = _mappings.get(call.params["UUID"])
    if found is None or found.account != call.account:
        raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    return found


@operation("lambda", "CreateEventSourceMapping", exclusive=True)
def create_event_source_mapping(call: Call) -> dict[str, Any]:
    given, function = call.params, _find(call)
    unknown = given.keys() - _SETTABLE - {"EventSourceArn", "Tags"}
    if unknown or sqs.find(given.get("EventSourceArn", "")) is None:
        what = ", ".join(sorted(unknown)) or f"source {given.get('EventSourceArn')}"
        raise not_implemented("lambda", f"CreateEventSourceMapping with {what}")
    settings = {key: value for key, value in given.items() if key in _SETTABLE - {"FunctionName"}}
    _checked(settings)
    queue = given["EventSourceArn"]
    taken = next((one for one in _mappings.values() if (one.queue, one.function) == (queue, function.name)), None)
    if taken:
        raise AwsError(
            "ResourceConflictException",
            f'An event source mapping with SQS arn (" {queue} ") and function (" {function.name} ") already exists. '
            f"Please update or delete the existing mapping with UUID {taken.uuid}",
            409,
        )
    _require(function, queue)
    visibility = int(sqs.find(queue).visibility_timeout)  # type: ignore[union-attr]
    if visibility < function.config["Timeout"]:
        raise AwsError(
            "InvalidParameterValueException",
            f"Queue visibility timeout: {visibility} seconds is less than Function timeout: "
            f"{function.config['Timeout']} seconds",
        )
    made = Mapping_(
        str(uuid.uuid4()), call.account, call.region, function.name, queue, settings, dict(given.get("Tags") or {})
    )
    _mappings[made.uuid] = made
    came(queue)
    return made.describe()


@operation("lambda", "GetEventSourceMapping")
def get_event_source_mapping(call: Call) -> dict[str, Any]:
    return _found(call).describe()


@operation("lambda", "ListEventSourceMappings")
def list_event_source_mappings(call: Call) -> dict[str, Any]:
    name = str(call.params.get("FunctionName") or "").rpartition(":")[2]
    found = [
        one.describe()
        for one in _mappings.values()
        if one.account == call.account
        and name in {"", one.function}
        and call.params.get("EventSourceArn", one.queue) == one.queue
    ]
    items, marker = page(found, call, 100, size="MaxItems", token="Marker")  # noqa: S106 - a parameter's name
    return {"EventSourceMappings": items, "NextMarker": marker}


@operation("lambda", "UpdateEventSourceMapping", exclusive=True)
def update_event_source_mapping(call: Call) -> dict[str, Any]:
    found = _found(call)
    settings = {**found.settings, **{key: v for key, v in call.params.items() if key in _SETTABLE - {"FunctionName"}}}
    _checked(settings)
    found.settings, found.modified = settings, time.time()
    came(found.queue)
    return found.describe()


@operation("lambda", "DeleteEventSourceMapping", exclusive=True)
def delete_event_source_mapping(call: Call) -> dict[str, Any]:
    found = _found(call)
    del _mappings[found.uuid]
    return found.describe() | {"State": "Deleting"}


def function_of(call: Call) -> str | None:
    """ARN of the function that a call's mapping invokes: the condition key `lambda:FunctionArn`."""
    known = _mappings.get(str(call.params.get("UUID")))
    name = str(call.params.get("FunctionName") or (known.function if known else "")).rpartition(":")[2]
    return f"arn:aws:lambda:{call.region}:{call.account}:function:{name}" if name else None


def tags(arn: str) -> dict[str, str] | None:
    """Tags of the mapping with this ARN; None: there is none."""
    return next((one.tags for one in _mappings.values() if one.arn == arn), None)
