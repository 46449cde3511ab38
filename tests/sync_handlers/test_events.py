from __future__ import annotations

import json
from typing import Any

import pytest

from sync_handlers.errors import EventError, listed
from sync_handlers.events import Lifecycle, sync_event, tag_event

SYNC = {"action": "reconcile", "twin": "t", "digest": "d"}


def test_an_event_run_by_hand_counts_as_an_update() -> None:
    assert sync_event(SYNC).deployment.lifecycle is Lifecycle.UPDATE


@pytest.mark.parametrize("action", ["create", "update", "delete"])
def test_the_deployment_says_what_it_is_doing(action: str) -> None:
    event = sync_event({**SYNC, "tf": {"action": action, "prev_input": None}})
    assert event.deployment.lifecycle is Lifecycle(action)


def test_the_event_before_is_read_whether_it_comes_as_text_or_as_an_object() -> None:
    before = {"action": "tag", "product": "p", "tables": {"t.a": "1", "t.b": "2"}}
    now = {**before, "tables": {"t.b": "2"}}
    for value in (before, json.dumps(before)):
        assert tag_event({**now, "tf": {"action": "update", "prev_input": value}}).left == ("t.a",)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (None, "not a JSON object"),
        ([], "not a JSON object"),
        ({}, "expected 'reconcile', got None"),
        ({**SYNC, "action": "tag"}, "expected 'reconcile', got 'tag'"),
        ({**SYNC, "twin": ""}, r"event\.twin"),
        ({**SYNC, "digest": 7}, r"event\.digest"),
        ({**SYNC, "tf": "create"}, r"event\.tf\.action"),
        ({**SYNC, "tf": {"action": "read"}}, r"event\.tf\.action"),
        ({**SYNC, "tf": {"action": "update", "prev_input": "{"}}, r"event\.tf\.prev_input: not JSON"),
        ({**SYNC, "tf": {"action": "update", "prev_input": "[]"}}, r"prev_input: not a JSON object"),
    ],
)
def test_an_event_that_is_not_understood_is_refused_by_the_place_that_is_wrong(event: Any, message: str) -> None:
    with pytest.raises(EventError, match=message):
        sync_event(event)


@pytest.mark.parametrize("tables", [None, [], {"t.a": 1}])
def test_a_tag_event_needs_its_tables_with_their_digests(tables: Any) -> None:
    with pytest.raises(EventError, match=r"event\.tables"):
        tag_event({"action": "tag", "product": "p", "tables": tables})


def test_a_refusal_shows_no_value_of_the_event() -> None:
    with pytest.raises(EventError) as refused:
        sync_event({**SYNC, "twin": {"secret": "hunter2"}})
    assert "hunter2" not in str(refused.value)


def test_a_list_in_a_message_is_indented_and_bounded() -> None:
    assert listed(["a", "b\nc"]) == "    a\n    b\n    c"
    assert listed([str(number) for number in range(25)]).splitlines()[-1] == "    … and 5 more"
