"""The event log: a DynamoDB table to which events are only ever added.

An event's key is its request and its sequence, and it is put on the condition that the key is free (DynamoDB developer
guide, "Condition expressions"): of two writers that continue from the same event one is refused, and reads again. The
portal's role may put and read, and neither update nor delete.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

from lakemesh.portal.requests.fold import fold
from lakemesh.portal.requests.model import Event, Request

MOST_EVENTS: Final = 100
"""Items of one transaction (API reference, TransactWriteItems)."""


_NAMES: Final = {"#request": "request"}
"""A word that expressions reserve (DynamoDB developer guide, "Reserved words")."""


class ConflictError(Exception):
    """Somebody else continued the request meanwhile."""


class EventLog(Protocol):
    """Where events are kept."""

    def append(self, events: Sequence[Event]) -> None:
        """Add events of one request, all or none. Raises ConflictError where one of their places is taken."""

    def events(self, request: str) -> list[Event]:
        """Events of a request in order; none where there is no such request."""

    def every(self) -> Iterator[Event]:
        """All events, those of one request together and in order."""


class DynamoEventLog:
    """The log in the table `<mesh>-access-requests` of the governance account."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def append(self, events: Sequence[Event]) -> None:
        """Raises ConflictError, and ClientError for what DynamoDB refuses."""
        puts = [{"Put": self._put(event)} for event in events]
        try:
            if len(puts) == 1:
                self._client.put_item(**puts[0]["Put"])
            else:
                self._client.transact_write_items(TransactItems=puts)
        except ClientError as error:
            if _taken(error.response):
                raise ConflictError(events[0].request) from None
            raise

    def events(self, request: str) -> list[Event]:
        """Raises ClientError."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#request = :request",
            ExpressionAttributeNames=_NAMES,
            ExpressionAttributeValues={":request": {"S": request}},
            ConsistentRead=True,
        )
        return [_event(item) for page in pages for item in page["Items"]]

    def every(self) -> Iterator[Event]:
        """A scan. DynamoDB keeps the items of one partition key together and in the order of the sort key."""
        pages = self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True)
        for page in pages:
            yield from (_event(item) for item in page["Items"])

    def _put(self, event: Event) -> dict[str, Any]:
        body = event.body()
        item = {
            "request": {"S": event.request},
            "sequence": {"N": str(event.sequence)},
            "body": {"S": json.dumps(body, sort_keys=True, ensure_ascii=False)},
        }
        return {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(#request)",
            "ExpressionAttributeNames": _NAMES,
        }


def _event(item: Mapping[str, Any]) -> Event:
    return Event.of(json.loads(item["body"]["S"]))


def _taken(response: Mapping[str, Any]) -> bool:
    code = response.get("Error", {}).get("Code")
    if code == "TransactionCanceledException":
        reasons = response.get("CancellationReasons", ())
        return any(reason.get("Code") in {"ConditionalCheckFailed", "TransactionConflict"} for reason in reasons)
    return code in {"ConditionalCheckFailedException", "TransactionConflictException"}


def requests(log: EventLog) -> dict[str, Request]:
    """Every request by its id, folded from the whole log. Raises BrokenLogError."""
    events: dict[str, list[Event]] = {}
    for event in log.every():
        events.setdefault(event.request, []).append(event)
    return {identifier: fold(sorted(found, key=lambda each: each.sequence)) for identifier, found in events.items()}
