from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lakemesh.portal.provision.grants_file import EditConflictError, added, exchanged, found, removed

FILE = """\
# What sales lets others do.
grants:
  # The first of all.
  - id: first
    product: orders
    to: shop   # the whole consumer
    purpose: Reports.

  # The second.
  - id: second
    product: orders
    to: bank
    purpose: Plans.
"""
ENTRY: dict[str, Any] = {
    "id": "portal-req-1",
    "product": "orders",
    "to": "shop/analyst",
    "access": "read",
    "sensitivity": ["internal", "confidential"],
    "purpose": 'Says "yes": # no comment\nover two lines',
    "requestedBy": "mara@shop.example",
    "approvedBy": ["nadia@sales.example", "tomas@sales.example"],
    "approvedAt": dt.date(2026, 3, 9),
    "ticket": "007",
    "expires": dt.date(2026, 6, 30),
}


def test_an_entry_is_added_at_the_end_and_reads_back_as_it_was() -> None:
    after = added(FILE, ENTRY)
    assert after.startswith(FILE.rstrip("\n"))
    assert found(after, "portal-req-1") == ENTRY


def test_an_entry_that_is_there_is_not_added_again() -> None:
    once = added(FILE, ENTRY)
    assert added(once, ENTRY) == once


def test_a_file_that_is_not_there_is_begun() -> None:
    assert found(added("", ENTRY), "portal-req-1") == ENTRY


def test_taking_out_what_was_added_leaves_the_file_as_people_wrote_it() -> None:
    assert removed(added(FILE, ENTRY), ENTRY) == FILE
    assert removed(FILE, ENTRY) == FILE


@pytest.mark.parametrize("identifier", ["first", "second"])
def test_an_entry_is_taken_out_and_the_comments_of_others_stay(identifier: str) -> None:
    was = found(FILE, identifier)
    assert was is not None
    after = removed(FILE, was)
    assert found(after, identifier) is None
    other = "second" if identifier == "first" else "first"
    assert found(after, other) == found(FILE, other)
    assert ("# The second." in after) is True
    assert "# What sales lets others do." in after


def test_the_last_entry_leaves_a_list_without_any() -> None:
    alone = added("", ENTRY)
    assert yaml.safe_load(removed(alone, ENTRY)) == {"grants": []}


def test_an_extension_takes_the_place_of_what_it_extends() -> None:
    longer = {**ENTRY, "expires": dt.date(2026, 12, 31)}
    after = exchanged(added(FILE, ENTRY), ENTRY, longer)
    assert found(after, "portal-req-1") == longer
    assert exchanged(after, ENTRY, longer) == after


def test_what_a_person_edited_is_left_and_said() -> None:
    edited = added(FILE, ENTRY).replace("2026-06-30", "2027-06-30")
    for edit in (lambda: removed(edited, ENTRY), lambda: exchanged(edited, ENTRY, {**ENTRY, "to": "bank"})):
        with pytest.raises(EditConflictError, match="expires is 2027-06-30 and was 2026-06-30"):
            edit()


def test_another_grant_of_that_id_is_not_overwritten() -> None:
    with pytest.raises(EditConflictError, match="says something else"):
        added(added(FILE, ENTRY), {**ENTRY, "to": "bank"})


@pytest.mark.parametrize("text", ["grants: {a: b}\n", "- id: first\n", "grants:\n  - [", "grants:\n  - text\n"])
def test_a_file_that_is_no_list_of_grants_is_left_alone(text: str) -> None:
    with pytest.raises(EditConflictError, match="mend it first"):
        added(text, ENTRY)


def test_an_entry_on_one_line_is_left_to_a_person() -> None:
    flow = "grants: [{id: first, to: shop}]\n"
    with pytest.raises(EditConflictError, match="by hand"):
        removed(flow, {"id": "first", "to": "shop"})


@given(purpose=st.text(st.characters(blacklist_categories=("Cs", "Cc", "Co", "Cn")), min_size=1, max_size=60))
def test_whatever_people_write_stays_within_its_value(purpose: str) -> None:
    """Quotes, colons, dashes, comment signs, tags and anchors are text and nothing else."""
    entry = {**ENTRY, "purpose": purpose}
    after = added(FILE, entry)
    assert found(after, "portal-req-1") == entry
    assert removed(after, entry) == FILE
