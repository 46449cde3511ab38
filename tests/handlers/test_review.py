"""The review after each sync: metadata alone, new and changed columns, and how far it is."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lakemesh.handlers import review as module
from lakemesh.handlers.review import Review
from sync_handlers.budget import Budget
from sync_handlers.errors import EventError, IncompleteError
from sync_handlers.manifest import Manifest
from tests.handlers.conftest import NOW, MemoryCatalog, MemoryStore

KEY = "metadata/crm/contact.json"
CHANGED = {
    "detail-type": "Glue Data Catalog Table State Change",
    "detail": {"databaseName": "crm", "tableName": "contact"},
}
EMAIL, PHONE = ("email", "string", ""), ("Phone", "string", "Direct line")


@pytest.fixture
def catalog() -> MemoryCatalog:
    made = MemoryCatalog()
    made.add("contact", EMAIL, PHONE, ("birth_date", "date", ""))
    return made


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Metrics of domain sales."""
    found: dict[str, int] = {}

    def count(name: str, number: int, **dimensions: str) -> None:
        assert dimensions == {"domain": "sales"}
        found[name] = number

    monkeypatch.setattr(module, "count", count)
    return found


def reviewing(manifest: Manifest, catalog: MemoryCatalog, store: MemoryStore, at: dt.datetime = NOW) -> Review:
    return Review(manifest, catalog, store, Budget(lambda: 900_000), at)  # type: ignore[arg-type]


def test_columns_that_nobody_reviewed_are_judged_and_no_others(
    manifest: Manifest, catalog: MemoryCatalog, store: MemoryStore
) -> None:
    assert reviewing(manifest, catalog, store).run(CHANGED) == {"tables": 1, "changed": 1}
    found = store.kept[KEY].columns
    assert {name: one.kind for name, one in found.items()} == {"phone": "phone", "birth_date": "date-of-birth"}
    assert all(one.samples is None for one in found.values())


def test_what_is_the_same_is_not_written_again(manifest: Manifest, catalog: MemoryCatalog, store: MemoryStore) -> None:
    reviewing(manifest, catalog, store).run(CHANGED)
    later = reviewing(manifest, catalog, store, NOW + dt.timedelta(days=3))
    assert later.run(CHANGED) == {"tables": 1, "changed": 0}
    assert store.writes == 1


def test_a_column_whose_comment_says_something_else_waits_anew(
    manifest: Manifest, catalog: MemoryCatalog, store: MemoryStore
) -> None:
    reviewing(manifest, catalog, store).run(CHANGED)
    catalog.add("contact", EMAIL, ("phone", "string", "Number of the shelf"), ("birth_date", "date", ""))
    later = NOW + dt.timedelta(days=3)
    reviewing(manifest, catalog, store, later).run(CHANGED)
    found = store.kept[KEY].columns
    assert (found["phone"].since, found["birth_date"].since) == (later, NOW)


def test_tables_that_events_of_a_database_name_are_looked_at(
    manifest: Manifest, catalog: MemoryCatalog, store: MemoryStore
) -> None:
    event = {"detail": {"databaseName": "crm", "typeOfChange": "CreateTable", "changedTables": ["contact", "gone"]}}
    assert reviewing(manifest, catalog, store).run(event) == {"tables": 1, "changed": 1}


def test_a_database_that_is_no_twin_is_nobodys_business(
    manifest: Manifest, catalog: MemoryCatalog, store: MemoryStore
) -> None:
    event = {"detail": {"databaseName": "other", "tableName": "contact"}}
    assert reviewing(manifest, catalog, store).run(event) == {"tables": 0, "changed": 0}


@pytest.mark.parametrize("event", [{}, {"action": "tag"}, {"detail": "text"}, {"detail": {"databaseName": 7}}], ids=str)
def test_an_event_that_is_none_is_refused(
    event: dict[str, Any], manifest: Manifest, catalog: MemoryCatalog, store: MemoryStore
) -> None:
    with pytest.raises(EventError):
        reviewing(manifest, catalog, store).run(event)


def test_the_schedule_counts_what_is_reviewed_and_how_long_the_oldest_waits(
    manifest: Manifest, catalog: MemoryCatalog, store: MemoryStore, published: dict[str, int]
) -> None:
    reviewing(manifest, catalog, store).run(CHANGED)
    catalog.add("visit", ("note", "string", ""))
    reviewing(manifest, catalog, store, NOW + dt.timedelta(hours=2)).run({"action": "review"})
    assert published == {"ColumnsReviewed": 1, "ColumnsPending": 3, "OldestPendingSeconds": 7200}


def test_a_column_that_people_rejected_waits_for_nobody(
    manifest: Manifest,
    catalog: MemoryCatalog,
    store: MemoryStore,
    published: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "rejected", lambda: frozenset({"crm.contact.phone"}))
    reviewing(manifest, catalog, store).run({"action": "review"})
    assert published["ColumnsPending"] == 1


def test_a_review_that_runs_out_of_time_says_so(
    manifest: Manifest, catalog: MemoryCatalog, store: MemoryStore, published: dict[str, int]
) -> None:
    review = Review(manifest, catalog, store, Budget(lambda: 1000), NOW)  # type: ignore[arg-type]
    with pytest.raises(IncompleteError, match="time ran short"):
        review.run({"action": "review"})
    assert published == {}
