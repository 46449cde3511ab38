"""Values at the edge of what Glue takes: each is the same on both sides afterwards, or refused with a reason.

On the local AWS's Glue over HTTP, so that what is serialized, listed and read back is what counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws.server import LocalAws
from local_aws.services import calls
from sync_handlers import canonical
from sync_handlers.errors import IncompleteError
from tests.sync_handlers.tables import column, parquet, partition
from tests.sync_handlers.test_local_aws import TWIN, Cloud

VALUES = (
    " ", "  two  spaces  ", "%", "%2F", "%25", "a%20b", "=", "day=2026-01-01", "a/b", "/", "a/b/c/", ".", "..", ",",
    "a, b", "[a]", "[2026, 01]", "'", '"', "\\", "|", "#", "?", "&", "+", "*", "{day}", "${day}", "$path", "null", "NULL",
    "__HIVE_DEFAULT_PARTITION__", "zürich", "zu\u0308rich", "東京", "Ωμέγα", "שלום", "مرحبا", "🧾", "👩🏽‍🌾", "\u200b", "\u00a0",
    "İ", "ß", "SS", "A", "a", "0", "00", "-0", "1e3", "x" * 255,
)  # fmt: skip
NAMES = ("z" * 255, "t-with-dashes", "t.with.dots", "0starts_with_a_digit", "tabelle_ü", "表")


@pytest.fixture(scope="module")
def server() -> Iterator[LocalAws]:
    with LocalAws().start() as aws:
        yield aws


@pytest.fixture
def cloud(server: LocalAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Cloud:
    calls.reset()
    return Cloud(server.endpoint, monkeypatch, tmp_path)


def listed(glue: Any, table: str) -> dict[tuple[str, ...], dict[str, Any]]:
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName=TWIN, TableName=table)
    return {tuple(one["Values"]): one for page in pages for one in page["Partitions"]}


def same(cloud: Cloud, *names: str) -> None:
    """Definitions and partitions of both sides, compared as they are and not by what the sync calls equal."""
    for name in names:
        theirs, ours = (
            canonical.table_input(glue.get_table(DatabaseName=TWIN, Name=name)["Table"])
            for glue in (cloud.source, cloud.glue)
        )
        # A copy has parameters of the sync, so that of a table without any it has none left, which is the same.
        assert {"Parameters": {}, **ours} == {"Parameters": {}, **theirs}, name
        here, there = listed(cloud.source, name), listed(cloud.glue, name)
        assert there.keys() == here.keys(), name
        assert all(
            canonical.partition_input(there[values]) == canonical.partition_input(here[values]) for values in here
        )


def survives(cloud: Cloud, *names: str) -> None:
    """Copied by one run, and left alone by the next."""
    cloud.sync()
    same(cloud, *names)
    again = cloud.sync()
    assert (again["tables"]["created"], again["tables"]["updated"]) == (0, 0)
    assert sum(again["partitions"][name] for name in ("created", "updated", "deleted")) == 0
    assert again["sourceDigest"] == again["twinDigest"]


def make(cloud: Cloud, table: dict[str, Any], *partitions: dict[str, Any]) -> str:
    cloud.source.create_table(DatabaseName=TWIN, TableInput=table)
    for start in range(0, len(partitions), 100):
        answer = cloud.source.batch_create_partition(
            DatabaseName=TWIN, TableName=table["Name"], PartitionInputList=list(partitions[start : start + 100])
        )
        assert not answer.get("Errors"), answer
    return str(table["Name"])


def of_cities(name: str = "cities") -> dict[str, Any]:
    return parquet(name, PartitionKeys=[column("city"), column("kind")])


def test_partition_values_of_any_text_arrive_and_none_is_taken_for_another(cloud: Cloud) -> None:
    table = of_cities()
    place = table["StorageDescriptor"]["Location"]
    parts = [partition(table, value, "a", location=f"{place}/{n}") for n, value in enumerate(VALUES)]
    # The same text in the other key, and two pairs that are one when joined.
    parts += [partition(table, "b", value, location=f"{place}/second/{n}") for n, value in enumerate(VALUES)]
    parts += [partition(table, *pair, location=f"{place}/pair") for pair in (("p,q", "r"), ("p", "q,r"))]
    name = make(cloud, table, *parts)
    survives(cloud, name)
    assert len(listed(cloud.glue, name)) == len(parts)


def test_partitions_of_any_text_are_changed_and_deleted_alone(cloud: Cloud) -> None:
    table = of_cities()
    place = table["StorageDescriptor"]["Location"]
    name = make(
        cloud, table, *(partition(table, value, "a", location=f"{place}/{n}") for n, value in enumerate(VALUES))
    )
    cloud.sync()
    for value in VALUES[::2]:
        cloud.source.delete_partition(DatabaseName=TWIN, TableName=name, PartitionValues=[value, "a"])
    for n, value in enumerate(VALUES[1::2]):
        changed = partition(table, value, "a", location=f"{place}/moved/{n}")
        cloud.source.update_partition(
            DatabaseName=TWIN, TableName=name, PartitionValueList=[value, "a"], PartitionInput=changed
        )
    done = cloud.sync()["partitions"]
    assert (done["deleted"], done["updated"], done["created"]) == (len(VALUES[::2]), len(VALUES[1::2]), 0)
    same(cloud, name)


def test_locations_with_characters_of_their_own_meaning_are_copied_letter_by_letter(cloud: Cloud) -> None:
    table = of_cities()
    place = table["StorageDescriptor"]["Location"]
    values = ("a b", "ü/%=&?#", "100%", "東京/🧾")
    parts = (partition(table, value, "a", location=f"{place}/city={value}/kind=a") for value in values)
    survives(cloud, make(cloud, table, *parts))


def test_partitions_whose_locations_climb_out_of_their_prefix_are_refused_with_the_reason(cloud: Cloud) -> None:
    table = of_cities()
    place = table["StorageDescriptor"]["Location"]
    paths = ("../finance/x", "x/../../finance", "./x")
    bad = [partition(table, path, "bad", location=f"{place}/{path}") for path in paths]
    name = make(cloud, table, partition(table, "good", "a"), *bad)
    skipped = {tuple(one["partition"]): one["reason"] for one in cloud.sync()["skipped"]}
    assert skipped.keys() == {(path, "bad") for path in paths}
    assert all("`.` or `..`" in reason for reason in skipped.values())
    assert set(listed(cloud.glue, name)) == {("good", "a")}


def test_tables_of_any_name_arrive(cloud: Cloud) -> None:
    for number, name in enumerate(NAMES):
        table = parquet(name)
        table["StorageDescriptor"]["Location"] = f"s3://lake/raw/sales/{number}"
        make(cloud, table, partition(table, "2026-01-01"))
    survives(cloud, *NAMES)


def test_columns_of_the_longest_names_and_comments_in_any_language_arrive(cloud: Cloud) -> None:
    table = parquet("wide_names")
    names = ["n" * 255, "имя", "名前", "with space", "with%percent", "with=equals", "select", "`quoted`", "a.b"]
    table["StorageDescriptor"]["Columns"] = [column(name, Comment=f"{name[:9]}: 🧾 “é” \\ '") for name in names]
    survives(cloud, make(cloud, table, partition(table, "2026-01-01")))


def test_two_thousand_columns_arrive_in_their_order(cloud: Cloud) -> None:
    table = parquet("wide")
    table["StorageDescriptor"]["Columns"] = [column(f"c{n * 7919 % 2000:04d}", "decimal(38,9)") for n in range(2000)]
    survives(cloud, make(cloud, table, *(partition(table, f"2026-01-0{day}") for day in range(1, 4))))
    copied = cloud.glue.get_table(DatabaseName=TWIN, Name="wide")["Table"]["StorageDescriptor"]["Columns"]
    assert [one["Name"] for one in copied] == [one["Name"] for one in table["StorageDescriptor"]["Columns"]]


def test_types_nested_ten_deep_arrive_and_a_change_in_the_deepest_is_seen(cloud: Cloud) -> None:
    wraps = {"arrays": "array<{0}>", "maps": "map<string,{0}>", "structs": "struct<a:{0},b:string>"}

    def nested(name: str, kind: str) -> dict[str, Any]:
        for _ in range(10):
            kind = wraps[name].format(kind)
        table = parquet(name)
        table["StorageDescriptor"]["Columns"] = [column("deep", kind), column("id", "bigint")]
        return table

    for name in wraps:
        make(cloud, nested(name, "int"))
    survives(cloud, *wraps)
    for name in wraps:
        cloud.source.update_table(DatabaseName=TWIN, TableInput=nested(name, "bigint"))
    assert cloud.sync()["tables"]["updated"] == len(wraps)
    same(cloud, *wraps)


def test_parameters_of_200_kilobytes_arrive_and_a_change_in_their_last_letter_is_seen(cloud: Cloud) -> None:
    """Spark writes schemas of wide tables into parameters, in parts (spark.sql.sources.schema.part.N)."""
    table = parquet("large")
    table["Parameters"] |= {f"spark.sql.sources.schema.part.{n}": f"{n}é" * 1000 for n in range(80)}
    assert len(json.dumps(table["Parameters"], ensure_ascii=False).encode()) > 200_000
    name = make(cloud, table)
    survives(cloud, name)
    table["Parameters"]["spark.sql.sources.schema.part.79"] += "."
    cloud.source.update_table(DatabaseName=TWIN, TableInput=table)
    assert cloud.sync()["tables"]["updated"] == 1
    same(cloud, name)


def test_a_table_with_nothing_but_a_name_arrives(cloud: Cloud) -> None:
    survives(cloud, make(cloud, {"Name": "bare"}))


def test_a_table_without_columns_and_without_partitions_arrives(cloud: Cloud) -> None:
    table = parquet("empty")
    table["StorageDescriptor"]["Columns"] = []
    survives(cloud, make(cloud, table))


def test_partitions_without_locations_or_without_anything_arrive(cloud: Cloud) -> None:
    table = parquet("placeless")
    nowhere, empty = partition(table, "2026-01-01"), partition(table, "2026-01-02")
    del nowhere["StorageDescriptor"]["Location"]
    empty["StorageDescriptor"]["Location"] = ""
    survives(cloud, make(cloud, table, nowhere, empty, {"Values": ["2026-01-03"]}))


def test_partitions_of_other_columns_types_and_formats_than_their_tables_arrive_as_they_are(cloud: Cloud) -> None:
    table = parquet("mixed")
    older, other, none = (partition(table, f"2026-01-0{day}") for day in (1, 2, 3))
    older["StorageDescriptor"]["Columns"] = [column("id", "int"), column("was_dropped")]
    other["StorageDescriptor"]["SerdeInfo"] = {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde"}
    none["StorageDescriptor"]["Columns"] = []
    name = make(cloud, table, older, other, none)
    survives(cloud, name)
    copied = listed(cloud.glue, name)["2026-01-01",]["StorageDescriptor"]["Columns"]
    assert [(one["Name"], one["Type"]) for one in copied] == [("id", "int"), ("was_dropped", "string")]


def test_what_the_central_glue_does_not_take_is_named_and_keeps_nothing_else_back(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A definition that the producer's Glue took and central's refuses: the rest arrives, the answer names the table."""
    from botocore.client import BaseClient

    make(cloud, parquet("refused"))
    make(cloud, parquet("taken"))
    made = BaseClient._make_api_call  # type: ignore[attr-defined]

    def picky(self: Any, operation: str, params: Any) -> Any:
        if operation == "CreateTable" and params["TableInput"]["Name"] == "refused":
            params = {**params, "TableInput": {**params["TableInput"], "Name": ""}}
        return made(self, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", picky)
    with pytest.raises(IncompleteError, match=r"table refused: ") as said:
        cloud.sync()
    assert "1 failure" in str(said.value)
    assert "taken" in {table["Name"] for table in cloud.glue.get_tables(DatabaseName=TWIN)["TableList"]}
