"""Every quarter of an hour: how each domain stands, from the state table alone."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from sync_handlers import state
from sync_handlers.follow import Follow, Message
from sync_handlers.hints import RefreshWork, TableWork, WatchWork
from sync_handlers.manifest import Manifest, parse
from sync_handlers.opening import Memory
from sync_handlers.watch import standing, watch
from tests.sync_handlers.fakes import budget
from tests.sync_handlers.memory import FakePeople, FakeStore
from tests.sync_handlers.tables import contract, document
from tests.sync_handlers.test_follow import World

NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
DB = "sales_raw"


def hours(ago: float) -> str:
    return (NOW - dt.timedelta(hours=ago)).isoformat()


def manifest(max_age: int | None = 3600) -> Manifest:
    text = document(contract("orders"), contract("lines"))
    text["products"]["orders"]["maxAgeSeconds"] = max_age
    return parse(text)


def item(table: str, **more: Any) -> dict[str, Any]:
    return {"twin": DB, "item": f"table#{table}", "domain": "sales", "lastSuccess": hours(1), **more}


def stands(*items: dict[str, Any], max_age: int | None = 3600) -> Any:
    return standing(map(state.read, items), manifest(max_age), NOW)


def test_the_table_that_waits_longest_tells_how_old_the_catalog_is() -> None:
    assert stands(item("a"), item("b", lastSuccess=hours(7))).oldest_success == 7 * 3600


def test_a_table_that_never_succeeded_waits_since_it_was_first_seen() -> None:
    assert stands(item("a"), item("b", lastSuccess=None, firstSeen=hours(30))).oldest_success == 30 * 3600


def test_a_deleted_table_waits_for_nothing() -> None:
    assert stands(item("a"), item("b", lastSuccess=hours(99), deletedAt=hours(99))).oldest_success == 3600


def test_a_product_is_as_fresh_as_its_oldest_table_and_stale_by_its_contract() -> None:
    tables = [
        item("orders", product="orders", freshness={"at": hours(0.5)}),
        item("lines", product="orders", freshness={"at": hours(3)}),
        item("raw", freshness={"at": hours(9999)}),
    ]
    found = stands(*tables)
    assert found.ages == {"orders": 3 * 3600}
    assert found.stale == ["orders"]
    assert stands(*tables, max_age=4 * 3600).stale == []
    assert stands(*tables, max_age=None).stale == []


def test_what_is_held_and_what_is_not_seen_is_counted() -> None:
    found = stands(item("a", held={"reason": "x"}), item("b", absentSince=hours(1)), item("c"))
    assert (found.held, found.absent) == (1, 1)


def metrics(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]


def test_metrics_carry_their_domain_and_their_product(capsys: pytest.CaptureFixture[str]) -> None:
    store = FakeStore()
    store.put(item("orders", product="orders", freshness={"at": hours(3)}, held={"reason": "x"}))
    watch(manifest(), store, FakePeople(), NOW)
    found = metrics(capsys)
    values = {key: of[0] for one in found for key, of in one.items() if isinstance(of, list)}
    assert values == {
        "OldestSuccessSeconds": 3600, "TablesHeld": 1, "SourcesAbsent": 0, "ProductsStale": 1, "FreshnessSeconds": 10_800,
    }  # fmt: skip
    assert all(one["domain"] == "sales" for one in found)
    assert [one.get("product") for one in found if "FreshnessSeconds" in one] == ["orders"]


def test_the_watch_is_a_message_on_the_queue(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    store = FakeStore()
    message = Message("m", "r", json.dumps(WatchWork().body()), 1)
    follow = Follow(world.manifest, budget(), world.queue, world.tags, world.open, Memory(store, FakePeople()))
    assert follow.run([message]) == []
    assert any("OldestSuccessSeconds" in one for one in metrics(capsys))
    store.broken = True
    assert follow.run([message]) == ["m"], "what cannot be published is tried again"
    assert world.opened == 0, "no producer is asked"


def test_a_refresh_looks_again_at_what_is_remembered_and_on_neither_side() -> None:
    world = World()
    store = FakeStore()
    store.put(item("forgotten"))
    store.put(item("deleted", deletedAt=hours(1)))
    plain = world.open

    def opened(source: Any, of: Any) -> Any:
        sides = plain(source, of)
        return type(sides)(sides.theirs, sides.twin, None, Memory(store, FakePeople()))

    world.open = opened  # type: ignore[method-assign]
    world.follow(RefreshWork(DB))
    assert [body["table"] for body, _ in world.queue.sent] == ["forgotten"]
    world.follow(TableWork(DB, "forgotten"))
    assert store.get(DB, "table#forgotten") is None
