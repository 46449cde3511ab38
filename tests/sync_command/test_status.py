from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lakemesh.declarations.models import Declarations
from lakemesh.declarations.schedules import period
from lakemesh.sync.status import Status, status

NOW = dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)
HOURS6 = dt.timedelta(hours=6)


def item(table: str, **values: Any) -> dict[str, Any]:
    twin, _, name = table.partition(".")
    return {
        "twin": twin, "item": f"table#{name}", "domain": "ap", "lastSuccess": "2026-03-09T11:00:00Z",
        "sourceDigest": "a", "twinDigest": "a", **values,
    }  # fmt: skip


def every(declarations: Declarations, **changes: dict[str, Any]) -> list[dict[str, Any]]:
    """An item for each table of the contracts of domain ap, with changes by table name."""
    return [
        item(table.key, product=product.name, freshness={"at": "2026-03-09T11:00:00Z"}) | changes.get(table.name, {})
        for product in declarations.products.values()
        if product.domain == "ap"
        for table in product.tables
    ]


def of(declarations: Declarations, items: list[dict[str, Any]], queues: tuple[int, int] = (0, 0)) -> Status:
    return status(declarations, items, queues, NOW, HOURS6, "ap")


def test_a_sync_that_is_well_is_said_to_be(sample: Declarations) -> None:
    found = of(sample, every(sample), (3, 0))
    assert not found.wrong
    assert (found.waiting, found.dead, found.never) == (3, 0, ())


@pytest.mark.parametrize(
    ("change", "attribute"),
    [
        ({"failure": {"reason": "AccessDenied"}}, "failure"),
        ({"freshness": {"at": "2026-03-01T11:00:00Z"}}, "stale"),
        ({"held": {"reason": "column dropped"}}, "held"),
        ({"lastSuccess": "2026-03-08T23:59:59Z"}, "late"),
        ({"lastSuccess": None}, "late"),
        ({"twinDigest": "b"}, "different"),
    ],
)
def test_what_needs_a_person_is_told_apart(sample: Declarations, change: dict[str, Any], attribute: str) -> None:
    found = of(sample, every(sample, vendor_payment=change))
    (table,) = [one for one in found.tables if one.wrong]
    assert table.table == "procurement_curated.vendor_payment"
    assert getattr(table, attribute)
    assert found.wrong


@pytest.mark.parametrize(
    "change",
    [
        {"absentSince": "2026-03-09T10:00:00Z"},
        {"lastSuccess": "2026-03-09T00:00:00Z"},
        {"skipped": "a view of several dialects", "twinDigest": "b"},
        {"withheld": 7, "twinDigest": "a+7"},
    ],
)
def test_what_is_known_and_waits_is_no_trouble_of_its_own(sample: Declarations, change: dict[str, Any]) -> None:
    assert not of(sample, every(sample, vendor_payment=change)).wrong


def test_a_table_of_a_contract_that_was_never_seen_is_named(sample: Declarations) -> None:
    items = [one for one in every(sample) if one["item"] != "table#vendor_master"]
    assert of(sample, items).never == ("procurement_raw.vendor_master",)


def test_what_the_guard_holds_and_what_is_dead_need_a_person(sample: Declarations) -> None:
    held = {
        "twin": "procurement_raw", "item": "guard#tables", "domain": "ap", "count": 12, "share": "0.4",
        "since": "2026-03-09T10:00:00Z", "names": ["a", "b"], "digest": "d",
    }  # fmt: skip
    (guard,) = of(sample, [*every(sample), held]).guards
    assert (guard.what, guard.count, guard.share, guard.names) == ("tables of procurement_raw", 12, 0.4, ("a", "b"))
    assert of(sample, [*every(sample), held]).wrong
    assert of(sample, every(sample), (0, 1)).wrong


def test_a_guard_of_partitions_names_its_table(sample: Declarations) -> None:
    held = {"twin": "procurement_raw", "item": "guard#partitions#receipts", "domain": "ap", "count": 5, "share": 1}
    assert of(sample, [held]).guards[0].what == "partitions of procurement_raw.receipts"


def test_other_domains_are_left_out(sample: Declarations) -> None:
    found = of(sample, [*every(sample), item("ar_raw.x", domain="ar", failure={"reason": "x"})])
    assert not found.wrong
    assert {one.domain for one in found.tables} == {"ap"}


@pytest.mark.parametrize(
    ("schedule", "hours"), [("cron(0 3 * * ? *)", 24), ("rate(1 day)", 24), ("rate(1 hour)", 1), ("rate(6 hours)", 6)]
)
def test_a_schedule_has_a_period(schedule: str, hours: int) -> None:
    assert period(schedule) == dt.timedelta(hours=hours)
