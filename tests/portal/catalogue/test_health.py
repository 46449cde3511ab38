from __future__ import annotations

import datetime as dt

from lakemesh.portal.catalogue.health import Health, SyncState, healths

NOW = dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def table(name: str, product: str = "orders", **values: object) -> dict[str, object]:
    return {"twin": "shop", "item": f"table#{name}", "product": product, **values}


def test_a_product_is_as_old_as_its_oldest_table() -> None:
    items = [
        table("a", freshness={"at": "2026-03-09T10:00:00Z"}, lastSuccess="2026-03-09T11:00:00Z"),
        table("b", freshness={"at": "2026-03-07T10:00:00Z"}, lastSuccess="2026-03-09T11:30:00Z"),
        {"twin": "shop", "item": "guard#tables"},
    ]
    health = dict(healths(items, {"orders": DAY}, NOW))["orders"]
    assert health.newest == dt.datetime(2026, 3, 7, 10, tzinfo=dt.UTC)
    assert health.synced == dt.datetime(2026, 3, 9, 11, tzinfo=dt.UTC)
    assert health.fresh is False


def test_a_product_with_a_table_nobody_has_seen_is_not_known_to_be_fresh() -> None:
    items = [table("a", freshness={"at": "2026-03-09T10:00:00Z"}), table("b")]
    assert dict(healths(items, {"orders": DAY}, NOW))["orders"] == Health()


def test_a_product_that_promises_nothing_is_neither_fresh_nor_stale() -> None:
    items = [table("a", freshness={"at": "2026-03-09T10:00:00Z"})]
    assert dict(healths(items, {}, NOW))["orders"].fresh is None
    assert dict(healths(items, {"orders": DAY}, NOW))["orders"].fresh is True


def test_what_is_held_is_told_with_its_reason() -> None:
    items = [table("a", held={"reason": "column id became text"})]
    assert dict(healths(items, {}, NOW))["orders"].held == ("a: column id became text",)


def test_the_table_is_read_once_a_minute_whoever_asks() -> None:
    reads, clock = [], [0.0]

    def read() -> list[dict[str, object]]:
        reads.append(clock[0])
        return [table("a", freshness={"at": "2026-03-09T10:00:00Z"})]

    state = SyncState(read, {}, lambda: clock[0])
    for clock[0] in (1.0, 2.0, 59.0, 61.5, 70.0):
        assert state.of("orders").newest is not None
    assert state.of("other") == Health()
    assert reads == [1.0, 61.5]
