"""What is remembered of a table: one write a reconcile, in DynamoDB as in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sync_handlers import state
from sync_handlers.freshness import Freshness, Seen
from sync_handlers.planner import Kind
from sync_handlers.schema_changes import Change
from sync_handlers.state import About, Outcome, Update
from sync_handlers.state_access import StateTable, Store
from tests.sync_handlers.memory import FakeStore

NOW = dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC)
ABOUT = About("sales", "orders", "1.2.0", "event-1", NOW, dt.timedelta(hours=24))
COPIED = Outcome(
    "orders", Kind.KEEP, "equal", source_digest="s", twin_digest="s", freshness=Freshness(NOW, Seen.PARTITION)
)
HELD = Outcome("orders", Kind.HOLD, "column x was dropped", change=Change.BREAKING, source_digest="t", twin_digest="s")


@pytest.fixture(params=["dynamodb", "memory"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    if request.param == "memory":
        yield FakeStore()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-3")
        client.create_table(
            TableName="state", BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "twin", "KeyType": "HASH"}, {"AttributeName": "item", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("twin", "item")],
        )  # fmt: skip
        yield StateTable(client, "state")


def write(store: Store, outcome: Outcome, **about: Any) -> dict[str, Any]:
    change = state.update(outcome, About(**{**vars(ABOUT), **about}))
    assert change is not None
    store.update("raw", "table#orders", change)
    found = store.get("raw", "table#orders")
    assert found is not None
    return found


def test_a_success_says_when_what_and_what_it_came_from(store: Store) -> None:
    assert write(store, COPIED) == {
        "twin": "raw", "item": "table#orders", "domain": "sales", "product": "orders", "correlationId": "event-1",
        "lastAttempt": "2026-03-04T05:06:07Z", "lastSuccess": "2026-03-04T05:06:07Z", "firstSeen": "2026-03-04T05:06:07Z",
        "sourceDigest": "s", "twinDigest": "s", "freshness": {"at": "2026-03-04T05:06:07Z", "from": "partition"},
    }  # fmt: skip


def test_a_failure_keeps_what_was_known_and_the_next_success_clears_it(store: Store) -> None:
    write(store, COPIED)
    later = NOW + dt.timedelta(hours=1)
    failed = write(store, Outcome("orders", Kind.ABSENT, "", failure="AccessDenied"), now=later)
    assert failed["failure"] == {"reason": "AccessDenied", "at": "2026-03-04T06:06:07Z"}
    assert (failed["lastSuccess"], failed["lastAttempt"]) == ("2026-03-04T05:06:07Z", "2026-03-04T06:06:07Z")
    assert failed["sourceDigest"] == "s"
    assert "failure" not in write(store, COPIED, now=later)


def test_a_hold_remembers_when_it_began_and_the_version_of_the_contract_then(store: Store) -> None:
    first = write(store, HELD)["held"]
    assert first == {
        "reason": "column x was dropped", "change": "breaking", "since": "2026-03-04T05:06:07Z", "contractVersion": "1.2.0",
    }  # fmt: skip
    store.update("raw", "table#orders", Update({"held.notified": "abc"}))
    again = write(store, HELD, now=NOW + dt.timedelta(days=1), version="1.3.0")["held"]
    assert again == {**first, "notified": "abc"}
    assert state.released(again, "1.3.0")
    assert not state.released(again, "1.2.0")
    assert not state.released(None, "9.0.0")
    assert "held" not in write(store, COPIED)


def test_absence_and_deletion_are_dated_and_a_deletion_ends_by_itself(store: Store) -> None:
    since = NOW - dt.timedelta(days=2)
    absent = write(store, Outcome("orders", Kind.MARK, "not seen", absent_since=since))
    assert state.read(absent).absent_since == since
    gone = write(store, Outcome("orders", Kind.DELETE, "gone", absent_since=since, approval="abc"))
    assert (gone["deletedAt"], gone["approval"]) == ("2026-03-04T05:06:07Z", "abc")
    assert gone["expires"] == int((NOW + dt.timedelta(hours=24)).timestamp())
    back = write(store, COPIED)
    assert not {"deletedAt", "expires", "approval", "absentSince"} & back.keys()


def test_a_table_that_is_on_neither_side_is_forgotten() -> None:
    assert state.update(Outcome("orders", Kind.ABSENT, "gone on both sides"), ABOUT) is None


def test_a_partial_comparison_keeps_the_digests_of_the_last_whole_one(store: Store) -> None:
    write(store, COPIED)
    assert write(store, Outcome("orders", Kind.KEEP, "equal"))["sourceDigest"] == "s"


def test_what_was_skipped_or_withheld_is_said_and_unsaid(store: Store) -> None:
    item = write(store, Outcome("orders", Kind.SKIP, "x" * 5000, withheld=3))
    assert item["withheld"] == 3
    assert len(item["skipped"]) == state.REASON_CHARACTERS + 1
    assert not {"skipped", "withheld"} & write(store, COPIED).keys()


def test_items_are_found_by_twin_and_prefix_page_by_page(store: Store) -> None:
    for number in range(12):
        store.put({"twin": "raw", "item": f"table#t{number:02d}", "text": "x" * 200_000})
    store.put({"twin": "raw", "item": "guard#tables", "share": 0.25, "count": 12, "names": ["a"]})
    store.put({"twin": "other", "item": "table#t00"})
    assert [one["item"] for one in store.items("raw", "table#")] == [f"table#t{number:02d}" for number in range(12)]
    (guard,) = store.items("raw", "guard#")
    assert (guard["share"], guard["count"], guard["names"]) == (0.25, 12, ["a"])
    store.delete("raw", "guard#tables")
    assert store.get("raw", "guard#tables") is None


def test_unreadable_members_of_an_item_are_nothing() -> None:
    found = state.read({"twin": "raw", "item": "table#orders", "lastSuccess": "yesterday", "freshness": {"at": 3}})
    assert (found.table, found.last_success, found.fresh_at) == ("orders", None, None)
