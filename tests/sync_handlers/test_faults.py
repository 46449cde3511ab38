"""Whatever happens to events and calls, one repair leaves the twin equal to its source, and nothing else touched.

Producers change their tables; events are lost, doubled, late and out of order; Glue throttles, refuses single partitions
and answers after it has written; functions are killed between two writes, and two of them work on one table at once.
"""

from __future__ import annotations

import contextlib
import copy
import random
from typing import Any

from botocore.exceptions import ReadTimeoutError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from sync_handlers import canonical
from sync_handlers.hints import RefreshWork, TableWork
from tests.sync_handlers.fakes import error
from tests.sync_handlers.tables import column, parquet, partition
from tests.sync_handlers.test_follow import World
from tests.sync_handlers.test_hints import DB, event

TABLES = ("customers", "orders", "stock")
DAYS = tuple(f"2026-01-{day:02d}" for day in range(1, 7))
OTHER = "of_another_domain"
WRITES = (
    "batch_create_partition", "batch_delete_partition", "batch_update_partition", "create_table", "update_table",
)  # fmt: skip
READS = ("batch_get_partition", "get_partitions", "get_table")
TRANSIENT = ("InternalServiceException", "OperationTimeoutException", "ThrottlingException")


class KilledError(BaseException):
    """The function's process ends here, between two calls."""


def never(params: dict[str, Any]) -> None:
    raise AssertionError(f"the sync deletes {params['Name']}, and its tags and grants with it")


class Sync(RuleBasedStateMachine):
    """One producer, one twin, and everything that may go wrong between them."""

    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.mail: list[Any] = []
        self.version = 0
        twin = self.world.twin
        twin.databases[OTHER] = {"Name": OTHER, "CreateTableDefaultPermissions": []}
        # With the table would go its LF-Tags and grants; nothing here proves that a table is gone.
        twin.before["delete_table"] = never
        theirs = parquet("theirs")
        twin.put(OTHER, theirs)
        twin.put_partitions(OTHER, "theirs", *(partition(theirs, day) for day in DAYS[:2]))
        self.theirs = self._of(OTHER)

    # ------------------------------------------------------------------------------------------------- producers
    @rule(name=st.sampled_from(TABLES), days=st.sets(st.sampled_from(DAYS)), heard=st.booleans())
    def create(self, name: str, days: set[str], heard: bool) -> None:
        """Also a recreation: what was there is gone."""
        table = parquet(name)
        self.world.source.parts.pop((DB, name), None)
        self.world.source.put(DB, table)
        self.world.source.put_partitions(DB, name, *(partition(table, day) for day in sorted(days)))
        self._tell(TableWork(DB, name), heard)

    @precondition(lambda self: self.world.source.tables)
    @rule(data=st.data(), heard=st.booleans())
    def alter(self, data: st.DataObject, heard: bool) -> None:
        name = self._any(data)
        self.version += 1
        table = copy.deepcopy(self.world.source.tables[DB, name])
        table["StorageDescriptor"]["Columns"].append(column(f"c{self.version}"))
        self.world.source.put(DB, {key: table[key] for key in parquet()}, version=str(self.version))
        self._tell(TableWork(DB, name), heard)

    @precondition(lambda self: self.world.source.tables)
    @rule(data=st.data(), heard=st.booleans())
    def drop(self, data: st.DataObject, heard: bool) -> None:
        name = self._any(data)
        del self.world.source.tables[DB, name]
        self.world.source.parts.pop((DB, name), None)
        self._tell(TableWork(DB, name), heard)

    @precondition(lambda self: self.world.source.tables)
    @rule(data=st.data(), day=st.sampled_from(DAYS), gone=st.booleans(), heard=st.booleans())
    def change_partition(self, data: st.DataObject, day: str, gone: bool, heard: bool) -> None:
        """Added, changed or deleted; its event names it alone."""
        name = self._any(data)
        if gone:
            self.world.source.parts[DB, name].pop((day,), None)
        else:
            self.version += 1
            changed = partition(parquet(name), day)
            changed["Parameters"] = {"files": str(self.version)}
            self.world.source.put_partitions(DB, name, changed)
        self._tell(event(detail={"tableName": name, "changedPartitions": [day]}), heard)

    # ---------------------------------------------------------------------------------------------------- events
    @precondition(lambda self: self.mail)
    @rule(count=st.integers(1, 10), again=st.booleans(), seed=st.integers(0, 99))
    def deliver(self, count: int, again: bool, seed: int) -> None:
        """Some of what waits, in any order, perhaps to be delivered again."""
        random.Random(seed).shuffle(self.mail)  # noqa: S311 - an order, not a secret
        some, rest = self.mail[:count], self.mail[count:]
        self.mail = [*rest, *some] if again else rest
        self._follow(*some)

    # ---------------------------------------------------------------------------------------------------- faults
    @rule(
        side=st.sampled_from(["source", "twin"]),
        operation=st.sampled_from([*READS, *WRITES]),
        code=st.sampled_from(TRANSIENT),
        times=st.integers(1, 3),
    )
    def refuse(self, side: str, operation: str, code: str, times: int) -> None:
        getattr(self.world, side).fail[operation] = [error(code)] * times

    @rule(day=st.sampled_from(DAYS), code=st.sampled_from(["InternalServiceException", "InvalidInputException"]))
    def refuse_a_partition(self, day: str, code: str) -> None:
        self.world.twin.bad[day,] = [code]

    @precondition(lambda self: self.mail)
    @rule(operation=st.sampled_from(WRITES))
    def answer_lost(self, operation: str) -> None:
        """The call is done, and its answer never arrives."""
        done = getattr(type(self.world.twin), operation)

        def lost(**params: Any) -> Any:
            delattr(self.world.twin, operation)
            done(self.world.twin, **params)
            raise ReadTimeoutError(endpoint_url="glue")

        setattr(self.world.twin, operation, lost)
        self._follow(*self.mail[:3])
        self.world.twin.__dict__.pop(operation, None)

    @precondition(lambda self: self.mail)
    @rule(operation=st.sampled_from(WRITES), after=st.booleans())
    def killed(self, operation: str, after: bool) -> None:
        """Before a write or right after it."""
        done = getattr(type(self.world.twin), operation)

        def kill(**params: Any) -> Any:
            if after:
                done(self.world.twin, **params)
            raise KilledError

        setattr(self.world.twin, operation, kill)
        with contextlib.suppress(KilledError):
            self._follow(*self.mail[:3])
        self.world.twin.__dict__.pop(operation, None)

    @precondition(lambda self: self.mail)
    @rule(operation=st.sampled_from([*READS, *WRITES]), side=st.sampled_from(["source", "twin"]))
    def two_at_once(self, operation: str, side: str) -> None:
        """In the middle of one comparison another of the same tables runs from beginning to end."""
        client, some = getattr(self.world, side), self.mail[:3]

        def other(_params: dict[str, Any]) -> None:
            client.before.pop(operation)
            self._follow(*some)

        client.before[operation] = other
        self._follow(*some)
        client.before.pop(operation, None)

    # -------------------------------------------------------------------------------------------------- the end
    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        for client in (self.world.source, self.world.twin):
            client.fail.clear()
        self.world.twin.bad.clear()
        self._repair()
        for name in TABLES:
            self._equal(name)
        assert self._of(OTHER) == self.theirs, "nothing of another domain is touched"
        self._repair()
        assert self.wrote == [], "a second repair has nothing to do"

    def _repair(self) -> None:
        """The scheduled refresh of the twin, and each message that it puts on the queue."""
        assert self.world.follow(RefreshWork(DB, 0)) == []
        tables = [body for body, _ in self.world.queue.sent]
        self.wrote: list[str] = []
        for body in tables:
            assert self.world.follow(TableWork(body["twin"], body["table"])) == []
            self.wrote += self.world.twin.writes

    def _equal(self, name: str) -> None:
        source, twin = self.world.source.tables.get((DB, name)), self.world.twin.tables.get((DB, name))
        if source is None:
            # Not seen is no proof of being gone: the copy is marked, and stays.
            assert twin is None or "lakemesh.not_seen_since" in twin["Parameters"]
            return
        assert twin is not None
        assert canonical.table_digest(twin) == canonical.table_digest(source)
        ours, theirs = (
            {v: canonical.partition_digest(p) for v, p in side.parts[DB, name].items()}
            for side in (self.world.twin, self.world.source)
        )
        assert ours == theirs

    # ---------------------------------------------------------------------------------------------------- helpers
    def _any(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(name for _, name in self.world.source.tables)))

    def _tell(self, message: Any, heard: bool) -> None:
        if heard:
            self.mail.append(message)

    def _follow(self, *messages: Any) -> None:
        self.world.follow(*messages)

    def _of(self, database: str) -> Any:
        twin = self.world.twin
        tables = {key: table for key, table in twin.tables.items() if key[0] == database}
        return copy.deepcopy((tables, {key: parts for key, parts in twin.parts.items() if key[0] == database}))


Sync.TestCase.settings = settings(max_examples=150, stateful_step_count=20, deadline=None)
TestSync = Sync.TestCase
