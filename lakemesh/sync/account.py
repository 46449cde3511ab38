"""The sync's queue, state table and function in the governance account."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config

from lakemesh.declarations.models import Declarations
from lakemesh.declarations.naming import Naming
from sync_handlers import guard

MOST_MESSAGES: Final = 10
"""SQS API, SendMessageBatch: entries of one call."""
TABLES_A_CALL: Final = 25
"""Tables of one invocation that verifies: its answer stays small, and several run at once."""
WORKERS: Final = 4
# An invocation may take as long as the function's 15 minutes; asking twice would verify twice.
_CONFIG: Final = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=10, read_timeout=910)


class VerifyError(Exception):
    """The function could not compare a twin; the text is what it said."""


@dataclass(frozen=True)
class Verified:
    """One table of the convergence report."""

    domain: str
    table: str
    """`twin.table`"""
    state: str
    """`equal`, `different`, `explained` or `failed`."""
    source: str | None
    twin: str | None
    reason: str
    partitions: int
    differing: int


class Account:
    """One mesh's sync, with whatever credentials this process has."""

    def __init__(self, declarations: Declarations, session: Any = None) -> None:
        self._mesh = declarations.mesh
        self._naming = Naming(declarations.mesh)
        made: Any = session or boto3.Session(region_name=declarations.mesh.region)
        self._sqs = made.client("sqs", config=_CONFIG)
        self._dynamo = made.client("dynamodb", config=_CONFIG)
        self._lambda = made.client("lambda", config=_CONFIG)

    # ------------------------------------------------------------------------------------------------ state table
    def items(self, twins: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Every item of some twins as plain values. Raises ClientError."""
        plain = TypeDeserializer()
        for twin in twins:
            pages = self._dynamo.get_paginator("query").paginate(
                TableName=self._naming.sync_state,
                KeyConditionExpression="#twin = :twin",
                ExpressionAttributeNames={"#twin": "twin"},
                ExpressionAttributeValues={":twin": {"S": twin}},
                ConsistentRead=True,
            )
            for page in pages:
                yield from ({key: plain.deserialize(value) for key, value in item.items()} for item in page["Items"])

    def approve(self, held: Mapping[str, Any], by: str, now: dt.datetime) -> dict[str, Any]:
        """Let through what a guard's item holds, and nothing else. Raises ValueError, ClientError."""
        item = guard.approval(held, by, now)
        to = TypeSerializer()
        self._dynamo.put_item(
            TableName=self._naming.sync_state, Item={key: to.serialize(value) for key, value in item.items()}
        )
        return item

    # ------------------------------------------------------------------------------------------------------ queues
    def depths(self) -> tuple[int, int]:
        """Messages that wait or are at work, and dead ones; as SQS counts, approximately."""
        return self._depth(self._naming.sync_queue), self._depth(self._naming.dead_letter_queue)

    def _depth(self, queue: str) -> int:
        names = [f"ApproximateNumberOfMessages{state}" for state in ("", "Delayed", "NotVisible")]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._url(queue), AttributeNames=names)
        return sum(int(number) for number in answer["Attributes"].values())

    def _url(self, queue: str) -> str:
        return str(self._sqs.get_queue_url(QueueName=queue)["QueueUrl"])

    def send(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """Put messages of the sync on its queue; how many. Raises ClientError, and VerifyError for what SQS left."""
        url = self._url(self._naming.sync_queue)
        for start in range(0, len(messages), MOST_MESSAGES):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps(message)}
                for number, message in enumerate(messages[start : start + MOST_MESSAGES])
            ]
            answer = self._sqs.send_message_batch(QueueUrl=url, Entries=entries)
            if answer.get("Failed"):
                raise VerifyError(f"SQS did not take {len(answer['Failed'])} messages: {answer['Failed'][0]['Code']}")
        return len(messages)

    def wait(self, shown: Callable[[int], None], most: float, pause: float = 2.0) -> bool:
        """Wait until the queue is empty; False where it is not after `most` seconds. `shown`: what is left."""
        end = time.monotonic() + most
        while True:
            left, _ = self.depths()
            shown(left)
            if not left or time.monotonic() >= end:
                return not left
            time.sleep(pause)  # SQS counts approximately and has nothing to wait on

    def redrive(self) -> str:
        """Have SQS move every dead message back (API, StartMessageMoveTask); the task's handle. Raises ClientError."""
        dead = self._arn(self._naming.dead_letter_queue)
        answer = self._sqs.start_message_move_task(SourceArn=dead, DestinationArn=self._arn(self._naming.sync_queue))
        return str(answer["TaskHandle"])

    def _arn(self, queue: str) -> str:
        return f"arn:{self._naming.partition}:sqs:{self._mesh.region}:{self._mesh.central.account}:{queue}"

    # ---------------------------------------------------------------------------------------------------- verifying
    def verify(self, chosen: Mapping[str, Sequence[str] | None], shown: Callable[[int], None]) -> list[Verified]:
        """Compare twins with their sources, by the sync's own function.

        `chosen`: tables by twin, None for all of either side. `shown`: how many are done. Raises VerifyError,
        ClientError.
        """
        done: list[Verified] = []
        with ThreadPoolExecutor(WORKERS) as pool:
            groups = [(twin, names) for twin, tables in chosen.items() for names in self._groups(twin, tables)]
            for found in pool.map(lambda group: self._some(*group), groups):
                done += found
                shown(len(done))
        return sorted(done, key=lambda one: one.table)

    def _groups(self, twin: str, tables: Sequence[str] | None) -> Iterator[list[str]]:
        names = list(tables) if tables is not None else self._invoke({"action": "verify", "twin": twin})["left"]
        for start in range(0, len(names), TABLES_A_CALL):
            yield names[start : start + TABLES_A_CALL]

    def _some(self, twin: str, names: list[str]) -> list[Verified]:
        """One table at least is done by each invocation, or the function fails."""
        found: list[Verified] = []
        while names:
            answer = self._invoke({"action": "verify", "twin": twin, "tables": names})
            found += [Verified(answer["domain"], f"{twin}.{one.pop('table')}", **one) for one in answer["tables"]]
            if len(answer["left"]) == len(names):
                raise VerifyError(f"{twin}.{names[0]} is too large to be compared within one invocation.")
            names = answer["left"]
        return found

    def _invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._lambda.invoke(FunctionName=self._naming.sync_function, Payload=json.dumps(event).encode())
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise VerifyError(str(said.get("errorMessage", said)))
        return said
