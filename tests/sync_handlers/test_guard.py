"""The mass-delete guard: what trips it, and what an approval lets through."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_handlers import guard, notices
from sync_handlers.manifest import Limits

NOW = dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC)
LIMITS = Limits(count=10, share=0.1)


@pytest.mark.parametrize(
    ("count", "total", "trips"),
    [(11, 100, True), (10, 100, False), (11, 110, False), (11, 109, True), (1, 1, False), (11, 11, True), (0, 0, False)],
)  # fmt: skip
def test_it_takes_both_the_number_and_the_share(count: int, total: int, trips: bool) -> None:
    assert guard.judge(count, total, LIMITS).trips is trips


def test_with_both_bounds_at_nothing_every_deletion_waits_for_a_person() -> None:
    strict = Limits(count=0, share=0.0)
    assert guard.judge(1, 1_000_000, strict).trips
    assert not guard.judge(0, 1_000_000, strict).trips


_keys = st.sets(st.tuples(st.sampled_from("ab"), st.integers(0, 30).map(str)), max_size=40)


@given(_keys, _keys, _keys, st.integers(0, 60))
def test_what_was_deleted_lately_counts_and_what_was_approved_does_not(
    gone: set[guard.Key], deleted: set[guard.Key], approved: set[guard.Key], more: int
) -> None:
    total = len(gone | deleted) + more
    verdict = guard.judge_tables(gone, deleted, approved, total, LIMITS)
    assert verdict.count == len((gone - approved) | deleted)
    if gone <= approved and not deleted:
        assert not verdict.trips


def item(*names: str, **more: Any) -> dict[str, Any]:
    verdict = guard.Verdict(trips=True, count=len(names), share=0.5)
    return {**guard.tables_item("raw", "sales", names, verdict, None, NOW), **more}


def test_the_order_of_names_is_not_in_their_digest() -> None:
    assert guard.digest(["b", "a", "a"]) == guard.digest(["a", "b"]) != guard.digest(["a"])


def test_an_approval_lets_exactly_its_list_through() -> None:
    approved = guard.approval(item("a", "b"), "@acme/sales", NOW)
    assert approved["item"] == f"approval#{guard.digest(['a', 'b'])}"
    assert (approved["by"], approved["at"]) == ("@acme/sales", "2026-03-04T05:06:07Z")
    assert guard.approved_tables([approved], NOW) == {"a", "b"}


def test_an_approval_ends_whether_or_not_dynamodb_has_removed_it() -> None:
    approved = guard.approval(item("a"), "somebody", NOW, lasts=dt.timedelta(hours=1))
    assert guard.approved_tables([approved], NOW + dt.timedelta(minutes=59)) == {"a"}
    assert guard.approved_tables([approved], NOW + dt.timedelta(hours=1)) == frozenset()


def test_names_added_to_an_approval_are_not_approved() -> None:
    approved = guard.approval(item("a"), "somebody", NOW)
    approved["names"].append("b")
    assert guard.approved_tables([approved], NOW) == frozenset()


@pytest.mark.parametrize("wrong", [{}, {"item": "table#a", "twin": "raw"}, item("a", names=["a", "b"])])
def test_only_what_a_guard_holds_can_be_approved(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"only what a guard holds|not those of its digest"):
        guard.approval(wrong, "somebody", NOW)


def test_partitions_are_approved_by_their_table_and_digest() -> None:
    verdict = guard.Verdict(trips=True, count=500, share=0.9)
    held = guard.partitions_item("raw", "sales", "orders", "abc", verdict, None, NOW)
    approved = guard.approval(held, "somebody", NOW)
    assert (approved["item"], approved["table"]) == ("approval#abc", "orders")
    assert guard.approved_tables([approved], NOW) == frozenset()


def test_a_guard_keeps_since_when_and_operators_hear_when_it_begins_and_when_it_doubles() -> None:
    first = item("a", "b")
    assert guard.to_be_told(first)
    first["notified"] = 2
    later = guard.tables_item("raw", "sales", ["a", "b", "c"], guard.Verdict(True, 3, 0.5), first, NOW.replace(hour=9))
    assert (later["since"], guard.to_be_told(later)) == (first["since"], False)
    doubled = guard.tables_item("raw", "sales", ["a", "b", "c", "d"], guard.Verdict(True, 4, 0.5), later, NOW)
    assert guard.to_be_told(doubled)


def test_a_list_too_long_for_an_item_is_approved_in_parts() -> None:
    held = item(*(f"t{number:05d}" for number in range(3000)))
    assert len(held["names"]) == guard.MOST_NAMES
    assert guard.digest(held["names"]) == held["digest"]
    assert len(guard.approved_tables([guard.approval(held, "somebody", NOW)], NOW)) == guard.MOST_NAMES


def test_operators_are_told_what_is_held_and_what_to_do() -> None:
    notice = notices.guarded("shopmesh", item(*(f"t{number:02d}" for number in range(30))), 10, 0.1)
    assert notice.to == ("operators",)
    assert "30 tables of domain sales" in notice.text
    assert "raw.t00" in notice.text
    assert "… and 10 more" in notice.text
    assert "lakemesh sync approve-deletes --domain sales" in notice.text
    assert len(notice.subject) < 100


def test_subjects_are_what_sns_takes() -> None:
    notice = notices.held("mesh", "sales", "p", "t" * 300, "é", "1.0", ["c"])
    assert len(notice.subject) < 100
    assert notice.subject.isascii()
    assert notice.to == ("owner-sales", "consumer-c")
