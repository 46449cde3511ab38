"""Messages of the queue, as work: events are hints, and what cannot be told is looked at as a whole."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_handlers import hints
from sync_handlers.hints import (
    DATABASE_CHANGE,
    MOST_PARTITIONS,
    TABLE_CHANGE,
    Drop,
    PoisonError,
    RefreshWork,
    TableWork,
    TagWork,
    WatchWork,
    coalesce,
    parse,
    partition_values,
    sort,
)
from tests.sync_handlers.tables import CENTRAL, PRODUCER, manifest, orders_contract

MANIFEST = manifest(orders_contract())
DB = "sales_raw"


def event(kind: str = TABLE_CHANGE, **changes: Any) -> str:
    detail = {
        "databaseName": DB,
        "typeOfChange": "BatchCreatePartition",
        "tableName": "orders",
        "changedPartitions": [],
    }
    body = {
        "version": "0", "id": "1", "detail-type": kind, "source": "aws.glue", "account": PRODUCER, "region": "eu-west-3",
        "resources": [f"arn:aws:glue:eu-west-3:{PRODUCER}:table/{DB}/orders"],
        "detail": {**detail, **changes.pop("detail", {})},
    }  # fmt: skip
    return json.dumps({**body, **changes})


def one(body: str) -> Any:
    read = parse(body, MANIFEST)
    assert not isinstance(read, Drop), read
    (work,) = read
    return work


@pytest.mark.parametrize(
    "spelled", [["[2025, 01]", "[2025, 02]"], ["2025,01"], ["2025-01-31"]], ids=["brackets", "commas", "bare"]
)
def test_partitions_are_named_as_the_event_spells_them(spelled: list[str]) -> None:
    assert one(event(detail={"changedPartitions": spelled})) == TableWork(DB, "orders", frozenset(spelled))


@pytest.mark.parametrize("partitions", [[], None, "2025", [["2025"]], [1], [""]])
def test_partitions_that_cannot_be_read_mean_the_whole_table(partitions: Any) -> None:
    assert one(event(detail={"changedPartitions": partitions})) == TableWork(DB, "orders")


def test_an_updated_table_is_compared_as_a_whole_whatever_partitions_its_event_names() -> None:
    named = {"typeOfChange": "UpdateTable", "changedPartitions": ["2025"]}
    assert one(event(detail=named)) == TableWork(DB, "orders")


@pytest.mark.parametrize("change", ["CreateTable", "DeleteTable", "BatchDeleteTable", "ChangeOfALaterGlue"])
def test_tables_come_and_go_as_changes_of_their_database(change: str) -> None:
    body = event(DATABASE_CHANGE, detail={"typeOfChange": change, "changedTables": ["orders", "Vendors"]})
    assert parse(body, MANIFEST) == [TableWork(DB, "orders"), TableWork(DB, "vendors")]


def test_a_change_of_the_database_itself_is_a_refresh_of_its_twin() -> None:
    body = event(DATABASE_CHANGE, detail={"typeOfChange": "CreateDatabase", "changedTables": []})
    assert one(body) == RefreshWork(DB)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"account": CENTRAL}, Drop.FOREIGN),
        ({"account": "123456789012"}, Drop.FOREIGN),
        ({"account": None}, Drop.FOREIGN),
        ({"source": "my.glue"}, Drop.FORGED),
        ({"resources": [f"arn:aws:glue:eu-west-3:{CENTRAL}:table/{DB}/orders"]}, Drop.FORGED),
        ({"resources": ["nonsense"]}, Drop.FORGED),
        ({"kind": "Glue Job State Change"}, Drop.UNKNOWN),
        ({"kind": "Glue Data Catalog Something New", "detail": {}}, Drop.UNKNOWN),
        ({"detail": {"databaseName": "private"}}, Drop.UNLISTED),
    ],
)
def test_what_is_forged_foreign_or_unknown_is_dropped_with_its_reason(changes: dict[str, Any], reason: Drop) -> None:
    kind = changes.pop("kind", TABLE_CHANGE)
    assert parse(event(kind, **changes), MANIFEST) is reason


@pytest.mark.parametrize(
    "body",
    [
        "", "not json", "[]", '"text"', "{}", '{"action": "delete-everything"}', '{"action": "table", "twin": "sales_raw"}',
        '{"action": "table", "twin": "sales_raw", "table": "t", "turn": "1"}',
        '{"action": "table", "twin": "sales_raw", "table": "t", "partitions": "x"}',
        '{"action": "tag", "product": "orders", "tables": null}', '{"action": "refresh", "window": -1}',
        event(detail={"databaseName": None}), event(detail={"tableName": 7}), event(detail={"tableName": ""}),
        event(DATABASE_CHANGE, detail={"changedTables": [1]}),
    ],
)  # fmt: skip
def test_what_nobody_understands_is_poison(body: str) -> None:
    with pytest.raises(PoisonError):
        parse(body, MANIFEST)


def test_work_for_what_the_mesh_no_longer_has_is_dropped() -> None:
    for body in (TableWork("gone", "t").body(), RefreshWork("gone").body(), TagWork("gone", frozenset({"a.b"})).body()):
        assert parse(json.dumps(body), MANIFEST) is Drop.STALE


@given(
    st.one_of(
        st.builds(
            TableWork, st.just(DB), st.text(min_size=1), st.none() | st.frozensets(st.text(min_size=1), min_size=1),
            st.integers(0, 9),
        ),
        st.builds(RefreshWork, st.just(DB) | st.none(), st.integers(0, 900)),
        st.just(TagWork("orders", frozenset({f"{DB}.orders"}))),
    )
)  # fmt: skip
def test_what_the_sync_puts_on_the_queue_it_reads_again_as_it_was(work: Any) -> None:
    assert one(json.dumps(work.body())) == work


names = st.sampled_from(["orders", "vendors", "lines"])
partitions = st.none() | st.frozensets(st.sampled_from(["1", "2", "3"]), min_size=1)
table_works = st.builds(TableWork, st.just(DB), names, partitions, st.integers(0, 3))


@given(st.lists(table_works))
def test_messages_of_one_table_become_one_piece_of_work_that_covers_them_all(works: list[TableWork]) -> None:
    merged = coalesce([(str(number), work) for number, work in enumerate(works)])
    assert sorted(work.table for work in merged) == sorted({work.table for work in works})  # type: ignore[union-attr]
    ids = [identifier for those in merged.values() for identifier in those]
    assert sorted(ids, key=int) == [str(number) for number in range(len(works))]
    for work, those in merged.items():
        assert isinstance(work, TableWork)
        asked = [works[int(identifier)].partitions for identifier in those]
        if work.partitions is None:
            assert None in asked, "nothing asked for the whole table"
        else:
            assert work.partitions == frozenset[str]().union(*(each or frozenset() for each in asked))


@given(st.lists(table_works), st.randoms())
def test_the_order_of_messages_does_not_matter(works: list[TableWork], random: Any) -> None:
    before = coalesce([("id", work) for work in works])
    shuffled = list(works)
    random.shuffle(shuffled)
    assert set(coalesce([("id", work) for work in shuffled])) == set(before)


def test_more_partitions_than_one_call_can_name_mean_the_whole_table() -> None:
    works = [TableWork(DB, "orders", frozenset({str(number)})) for number in range(MOST_PARTITIONS + 1)]
    (work,) = coalesce([("id", work) for work in works])
    assert work == TableWork(DB, "orders")


def test_one_bad_message_keeps_no_other_back() -> None:
    batch = sort([("a", "{"), ("b", event()), ("c", event(account=CENTRAL)), ("d", event())], MANIFEST)
    assert list(batch.poison) == ["a"]
    assert batch.dropped == {Drop.FOREIGN: 1}
    assert batch.work == {TableWork(DB, "orders"): ["b", "d"]}


@pytest.mark.parametrize(
    ("text", "keys", "values"),
    [
        (
            "[1, 2021-05-23 00:00:00, 1622181290861, SNAPSHOT]",
            4,
            ("1", "2021-05-23 00:00:00", "1622181290861", "SNAPSHOT"),
        ),
        ("2018,01", 2, ("2018", "01")),
        ("2024-10-27", 1, ("2024-10-27",)),
        ("[2024-10-27]", 1, ("2024-10-27",)),
        ("[a, b, c]", 2, None),
        ("a,b", 1, None),
        ("a", 2, None),
        ("", 1, None),
        ("[]", 1, None),
        ("a,,b", 3, None),
    ],
)
def test_a_spelling_counts_where_it_has_a_part_for_each_key(text: str, keys: int, values: Any) -> None:
    assert partition_values(text, keys) == values


plain = st.text(st.characters(exclude_characters=",[]", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(plain, min_size=1, max_size=4))
def test_values_without_commas_are_read_back_from_either_spelling(values: list[str]) -> None:
    assert partition_values(f"[{', '.join(values)}]", len(values)) == tuple(values)
    assert partition_values(",".join(values), len(values)) == tuple(values)


@given(st.text(), st.integers(1, 4))
def test_whatever_is_spelled_gives_a_value_for_each_key_or_none(text: str, keys: int) -> None:
    values = partition_values(text, keys)
    assert values is None or len(values) == keys


@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["detail-type", "source", "account", "detail", "action", "databaseName", "resources"]), inner)))  # fmt: skip
def test_no_message_breaks_the_reader(body: Any) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    with contextlib.suppress(PoisonError):
        parse(text, MANIFEST)


@given(st.sampled_from(["detail-type", "source", "account", "detail", "resources"]), st.recursive(
    st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_no_member_of_an_event_breaks_the_reader(member: str, value: Any) -> None:
    with contextlib.suppress(PoisonError):
        parse(json.dumps({**json.loads(event()), member: value}), MANIFEST)


def test_there_is_a_reason_to_count_for_every_drop() -> None:
    assert {drop.value for drop in Drop} == {
        "forged", "foreign_account", "unlisted_database", "unknown_type", "stale",
    }  # fmt: skip
    assert hints.MOST_DELAY == 900


def test_the_watch_is_asked_for_by_its_name_and_once() -> None:
    message = json.dumps(WatchWork().body())
    assert one(message) == WatchWork()
    assert sort([("a", message), ("b", message)], MANIFEST).work == {WatchWork(): ["a", "b"]}


@pytest.mark.parametrize(
    ("body", "origin"),
    [
        (event(id="event-7"), "event-7"),
        (event(id=None), "m"),
        (json.dumps({"action": "table", "twin": DB, "table": "orders", "correlation": "event-7"}), "event-7"),
        (json.dumps({"action": "table", "twin": DB, "table": "orders"}), "m"),
        (json.dumps({"action": "table", "twin": DB, "table": "orders", "correlation": "x" * 999}), "m"),
        (json.dumps({"action": "table", "twin": DB, "table": "orders", "correlation": {"a": 1}}), "m"),
    ],
)
def test_a_message_says_which_event_it_goes_back_to(body: str, origin: str) -> None:
    assert sort([("m", body)], MANIFEST).origins == {"m": origin}
