"""Hostile and broken input: no crash, bounded work, and no value in anything that is written."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import logging
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakemesh.classification import Column, Verdict, classify_table
from lakemesh.classification.jsonl import classify_lines, render
from lakemesh.classification.types import leaves
from lakemesh.classification.values import MAX_LENGTH, text_of

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.binary(max_size=40) | st.dates()
    | st.decimals(allow_nan=True),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
COLUMNS = st.builds(
    Column,
    st.text(max_size=60),
    st.none() | st.text(max_size=60) | st.sampled_from(["struct<a:", "array<struct<b:string>>", "map<", "decimal(9,"]),
    st.none() | st.text(max_size=80),
    st.none() | st.lists(JUNK, max_size=8),
)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40), st.lists(COLUMNS, max_size=6))
def test_nothing_in_a_table_makes_it_fail(table: str, columns: list[Column]) -> None:
    found = classify_table(table, columns)
    assert [one.column for one in found] == [column.name for column in columns]
    assert all(0 <= one.confidence <= 1 and one.evidence for one in found)
    assert all(json.loads(render(one))["column"] == one.column for one in found)


@settings(max_examples=60, deadline=None)
@given(st.lists(COLUMNS, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_columns_does_not_matter(columns: list[Column], dice: Any) -> None:
    shuffled = list(columns)
    dice.shuffle(shuffled)
    assert sorted(classify_table("t", columns), key=repr) == sorted(classify_table("t", shuffled), key=repr)


@pytest.mark.parametrize(
    "column",
    [
        Column("x", samples=["a" * 10_000_000] * 20),
        Column("x", samples=["1" * 10_000_000, 10**5000]),
        Column("x", samples=[[["deep"] * 1000] * 1000]),
        Column("x", samples=[("a@" * 4_000_000) + "b.example"]),
        Column("x", samples=["((((" * 2_000_000]),
        Column("x" * 5_000_000),
        Column("firstlastnamenumberid" * 200_000),
        Column("x", type="struct<" * 1_000_000),
        Column("x", type="struct<" + ",".join(f"f{n}:string" for n in range(500_000)) + ">"),
        Column("x", comment="date of birth " * 500_000),
        Column("x", samples=list(range(1_000_000))),
    ],
    ids=[
        "text",
        "digits",
        "nested",
        "at signs",
        "brackets",
        "name",
        "lump",
        "open type",
        "wide type",
        "comment",
        "many",
    ],
)
def test_work_is_bounded_however_much_there_is(column: Column) -> None:
    # The processor's time, not the clock's, and far above what it takes: unbounded work needs minutes, not a busy machine.
    start = time.process_time()
    classify_table("t", [column])
    assert time.process_time() - start < 30


def test_a_value_is_cut_before_it_is_looked_at() -> None:
    assert len(text_of("ß" * 10_000_000)) == MAX_LENGTH
    assert len(text_of(b"\x00" * 10_000_000)) <= MAX_LENGTH


@pytest.mark.parametrize(
    "value",
    [dt.date(1970, 1, 1), dt.datetime(1970, 1, 1, tzinfo=dt.UTC), decimal.Decimal("NaN"), float("nan"), float("inf"), b"\xff\xfe",
     {"a": {"b": ["c@d.example"]}}, {1, 2}, object(), "\ud800", "\x00\x01\x02\x03", "\u202egnp.exe", "مرحبا بالعالم", "שלום עולם"],
)  # fmt: skip
def test_values_of_every_type_and_script_are_taken(value: object) -> None:
    assert classify_table("t", [Column("x", samples=[value, None, 3])])


def test_nested_types_are_read_to_a_bounded_depth() -> None:
    assert leaves("struct<a:struct<b:string,c:array<struct<d:int>>>,e:decimal(3,2)>") == [
        ("b", "string"), ("d", "int"), ("e", "decimal(3,2)")
    ]  # fmt: skip
    assert leaves("array<" * 5000) == []


CANARIES = [
    "Zyxomir Quanderwelt", "zyxomir.canary@post.example", "+49 30 77712345", "DE89370400440532013000", "4111111111111111",
    "219-09-9999", "Canarystrasse 77", "77.1234567", "1971-07-17", "canary free text about Zyxomir that nobody should ever see again",
    "Xq-CANARY-77", "203.0.113.77",
]  # fmt: skip


def _canary_table() -> list[Column]:
    """Every canary under every name that could carry it, in comments too."""
    names = [
        "name",
        "email",
        "phone",
        "iban",
        "card_number",
        "ssn",
        "street",
        "lat",
        "dob",
        "notes",
        "code",
        "ip",
        "col",
    ]
    return [
        Column(name, None, f"Example: {canary}", [canary, f" {canary} ", None, {"nested": [canary]}])
        for name in names
        for canary in CANARIES
    ]


def _said(verdicts: list[Verdict]) -> str:
    return "\n".join(map(render, verdicts)) + repr(verdicts)


def test_no_value_and_no_comment_is_in_any_verdict(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = _said(classify_table("t", _canary_table())) + caplog.text
    for canary in CANARIES:
        assert canary not in said
        assert canary.split()[0] not in said
        assert canary.replace(" ", "")[-6:] not in said


def test_markup_in_names_stays_text_and_ascii() -> None:
    nasty = '<script>alert("x")</script>\x1b[31m\u202e\n'
    verdict = classify_table(nasty, [Column(nasty, nasty, nasty, [nasty])])[0]
    line = render(verdict)
    assert line.isascii()
    assert "\x1b" not in line
    assert "\n" not in line
    assert not any("<" in reason for reason in verdict.evidence)


def test_canaries_in_lines_are_in_no_error_either() -> None:
    bad = [b'{"table": "t", "column": "c", "samples": "Zyxomir"}', b'{"table": "t", "column": ["Zyxomir"]}', b'["Zyxomir"]',
           b'{"table": "t", "column": "Zyxomir', b'{"table": "t", "Zyxomir": 1}', b'\xff Zyxomir']  # fmt: skip
    for line in bad:
        with pytest.raises(ValueError, match="line 2: ") as raised:
            list(classify_lines([b'{"table": "t", "column": "c"}', line]))
        assert "Zyxomir" not in str(raised.value)
