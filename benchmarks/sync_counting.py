"""Count what a client asks of Glue, and how long partitions were missing meanwhile. Only the standard library."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

WRITES = ("Create", "Update", "Delete", "BatchCreate", "BatchUpdate", "BatchDelete")


class Ledger:
    """Calls of every client whose events it was registered with (`client.meta.events` or `session.events`)."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.longest_gap = 0.0
        """Seconds in which one partition was gone that came back: deleted and created again."""
        self._gone: dict[tuple[str, ...], float] = {}
        self._asked: dict[int, Any] = {}

    def listen(self, events: Any) -> None:
        events.register("provide-client-params.glue", self._before)
        events.register("after-call.glue", self._after)

    @property
    def total(self) -> int:
        return sum(self.calls.values())

    @property
    def writes(self) -> int:
        """Calls that write, however many partitions each carries."""
        return sum(number for name, number in self.calls.items() if name.startswith(WRITES))

    def figures(self) -> dict[str, Any]:
        return {"calls": self.total, "writes": self.writes, "gap": round(self.longest_gap, 4)}

    def _before(self, params: Any, model: Any, **_: Any) -> None:
        self.calls[model.name] += 1
        self._asked[threading.get_ident()] = params

    def _after(self, model: Any, **_: Any) -> None:
        params, now = self._asked.get(threading.get_ident()) or {}, time.perf_counter()
        where = params.get("DatabaseName", ""), params.get("TableName", "")
        if model.name in {"BatchDeletePartition", "DeletePartition"}:
            for item in params.get("PartitionsToDelete") or [{"Values": params.get("PartitionValues", ())}]:
                self._gone[*where, *item["Values"]] = now
        elif model.name in {"BatchCreatePartition", "CreatePartition"}:
            for item in params.get("PartitionInputList") or [params["PartitionInput"]]:
                since = self._gone.pop((*where, *item["Values"]), now)
                self.longest_gap = max(self.longest_gap, now - since)
