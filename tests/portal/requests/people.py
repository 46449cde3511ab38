"""People and asks of the portal's tests."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from lakemesh.declarations.models import Sensitivity
from lakemesh.portal.requests.log import ConflictError
from lakemesh.portal.requests.model import Ask, Event, Person
from lakemesh.portal.requests.rules import Approval

NOW = dt.datetime(2026, 3, 9, 8, 30, tzinfo=dt.UTC)
MARA = Person("mara@shop.example", consumers=frozenset({"shop"}))
RUTH = Person("ruth@bank.example", consumers=frozenset({"bank"}))
NADIA = Person("nadia@sales.example")
TOMAS = Person("Tomas@sales.example")
STEWARD = Person("steward@mesh.example", steward=True)
APPROVERS = ("nadia@sales.example", "tomas@sales.example")
ONE = Approval(1, APPROVERS)
TWO = Approval(2, APPROVERS)
NONE = Approval(0, APPROVERS)


def ask(**changes: Any) -> Ask:
    values: dict[str, Any] = {
        "product": "orders",
        "to": "shop/analyst",
        "sensitivity": (Sensitivity.INTERNAL, Sensitivity.CONFIDENTIAL),
        "expires": dt.date(2026, 6, 30),
        "purpose": "Forecast of returns.",
    }
    return Ask(**values | changes)


class MemoryLog:
    """An event log that refuses a place that is taken, as DynamoDB's condition does."""

    def __init__(self) -> None:
        self.kept: dict[str, list[Event]] = defaultdict(list)

    def append(self, events: Sequence[Event]) -> None:
        if events[0].sequence != len(self.kept[events[0].request]) + 1:
            raise ConflictError(events[0].request)
        self.kept[events[0].request] += events

    def events(self, request: str) -> list[Event]:
        return list(self.kept[request])

    def every(self) -> Iterator[Event]:
        for events in self.kept.values():
            yield from events
