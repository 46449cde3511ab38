"""The sync's only way to its queue and to the tag function."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sync_handlers.batches import chunks
from sync_handlers.errors import IncompleteError, counted
from sync_handlers.observability import correlation

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_sqs.client import SQSClient

SEND = 10
"""SQS API, SendMessageBatch: entries of a request."""
LONGEST_WAIT = 900


class Queue(Protocol):
    """What the handler does with the queue that its messages come from."""

    def send(self, messages: Iterable[tuple[Mapping[str, Any], int]]) -> None: ...
    def postpone(self, receipt: str, seconds: int) -> None: ...


class TagFunction(Protocol):
    """Runs the tag function and waits for it."""

    def run(self, event: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True)
class SqsQueue:
    client: SQSClient
    url: str

    def send(self, messages: Iterable[tuple[Mapping[str, Any], int]]) -> None:
        """Put (body, seconds of delay) messages on the queue. Raises IncompleteError when SQS did not take one."""
        for chunk in chunks(messages, SEND):
            entries: Any = [
                {"Id": str(number), "MessageBody": _text(body), "DelaySeconds": delay}
                for number, (body, delay) in enumerate(chunk)
            ]
            failed = self.client.send_message_batch(QueueUrl=self.url, Entries=entries).get("Failed") or []
            if failed:
                raise IncompleteError(
                    f"SQS did not take {counted(len(failed), 'message')}: {failed[0].get('Code')}: "
                    f"{failed[0].get('Message', '')}"
                )

    def postpone(self, receipt: str, seconds: int) -> None:
        """Keep a message that failed from coming back at once."""
        self.client.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=min(seconds, LONGEST_WAIT)
        )


def _text(body: Mapping[str, Any]) -> str:
    """A message, with what it goes back to: a person can follow an event to everything that came of it."""
    origin = {"correlation": correlation()} if correlation() else {}
    return json.dumps({**body, **origin}, sort_keys=True)


@dataclass(frozen=True)
class Tagging:
    client: LambdaClient
    function: str

    def run(self, event: Mapping[str, Any]) -> None:
        """Raises IncompleteError with what the function says when it fails."""
        answer = self.client.invoke(FunctionName=self.function, Payload=json.dumps(event, sort_keys=True).encode())
        payload = answer["Payload"].read().decode(errors="replace")
        if answer.get("FunctionError"):
            with contextlib.suppress(ValueError, KeyError, TypeError):
                payload = str(json.loads(payload)["errorMessage"])
            raise IncompleteError(f"function {self.function}: {payload}")
