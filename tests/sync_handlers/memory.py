"""A state table in memory, and people who hear."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from sync_handlers.notices import Notice
from sync_handlers.state import Update, merged
from tests.sync_handlers.fakes import error


class FakeStore:
    """Keeps items as the state table does; `broken` makes every call fail as DynamoDB would."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], dict[str, Any]] = {}
        self.writes: list[tuple[str, str]] = []
        self.broken = False

    def _call(self) -> None:
        if self.broken:
            raise error("ProvisionedThroughputExceededException", "no")

    def get(self, twin: str, item: str) -> dict[str, Any] | None:
        self._call()
        return copy.deepcopy(self.kept.get((twin, item)))

    def items(self, twin: str, prefix: str) -> Iterator[dict[str, Any]]:
        self._call()
        yield from [copy.deepcopy(of) for (a, b), of in sorted(self.kept.items()) if a == twin and b.startswith(prefix)]

    def put(self, item: Mapping[str, Any]) -> None:
        self._call()
        self.writes.append((item["twin"], item["item"]))
        self.kept[item["twin"], item["item"]] = copy.deepcopy(dict(item))

    def delete(self, twin: str, item: str) -> None:
        self._call()
        self.kept.pop((twin, item), None)

    def update(self, twin: str, item: str, change: Update) -> dict[str, Any] | None:
        self._call()
        self.writes.append((twin, item))
        before = self.kept.get((twin, item))
        self.kept[twin, item] = {**merged(before, change), "twin": twin, "item": item}
        return copy.deepcopy(before)


class FakePeople:
    def __init__(self) -> None:
        self.told: list[Notice] = []
        self.deaf = False

    def tell(self, notice: Notice) -> bool:
        if not self.deaf:
            self.told.append(notice)
        return not self.deaf
