from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_handlers import canonical
from tests.sync_handlers.fakes import FakeGlue
from tests.sync_handlers.tables import parquet, partition, tables


def stored(table: dict[str, Any]) -> dict[str, Any]:
    """The table as Glue answers it after it was written."""
    glue = FakeGlue("1", "d")
    glue.put("d", table)
    return glue.tables["d", table["Name"]]


@given(tables())
def test_what_is_written_for_a_table_reads_back_as_the_same_table(table: dict[str, Any]) -> None:
    written = canonical.table_input(stored(table))
    assert canonical.table_digest(stored(written)) == canonical.table_digest(stored(table))


@given(tables())
def test_what_is_written_is_accepted_by_the_service_model(table: dict[str, Any]) -> None:
    FakeGlue("1", "d").create_table(DatabaseName="d", TableInput=canonical.table_input(stored(table)))


@given(tables(), st.randoms())
def test_the_order_of_keys_has_no_meaning(table: dict[str, Any], random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            keys = list(value)
            random.shuffle(keys)
            return {key: shuffled(value[key]) for key in keys}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    assert canonical.table_digest(shuffled(table)) == canonical.table_digest(table)


def test_the_order_of_columns_has_meaning() -> None:
    table, other = parquet(), parquet()
    other["StorageDescriptor"]["Columns"].reverse()
    assert canonical.table_digest(table) != canonical.table_digest(other)


@pytest.mark.parametrize("empty", [None, "", [], {}, 0, False])
def test_null_empty_and_missing_are_one(empty: Any) -> None:
    with_it = parquet(Description=empty) if empty in (None, "") else parquet()
    if empty in ([], {}):
        with_it["StorageDescriptor"]["SkewedInfo"] = {"SkewedColumnNames": []}
    if empty == 0:
        del with_it["Retention"]
        del with_it["StorageDescriptor"]["Compressed"]
    assert canonical.table_digest(with_it) == canonical.table_digest(parquet())


@pytest.mark.parametrize(
    "parameter",
    ["transient_lastDdlTime", "numRows", "UPDATED_BY_CRAWLER", "spark.sql.statistics.totalSize", "lakemesh.synced_by"],
)
def test_volatile_parameters_neither_count_nor_are_copied(parameter: str) -> None:
    table = parquet()
    table["Parameters"][parameter] = "changes with every run"
    assert parameter not in canonical.table_input(table)["Parameters"]
    assert canonical.table_digest(table) == canonical.table_digest(parquet())


@pytest.mark.parametrize(
    "parameter",
    ["last_commit_time_sync", "delta.lastUpdateVersion", "projection.enabled", "spark.sql.sources.schema.part.0"],
)
def test_parameters_that_readers_follow_are_copied_and_count(parameter: str) -> None:
    table = parquet()
    table["Parameters"][parameter] = "7"
    assert canonical.table_input(table)["Parameters"][parameter] == "7"
    assert canonical.table_digest(table) != canonical.table_digest(parquet())


def test_only_members_of_the_sdk_model_are_written() -> None:
    written = canonical.table_input({**stored(parquet()), "SomethingNewerThanThisSdk": 1, "FederatedTable": None})
    for only_glue_sets in ("DatabaseName", "CatalogId", "CreateTime", "CreatedBy", "VersionId",
                           "IsRegisteredWithLakeFormation", "SomethingNewerThanThisSdk", "FederatedTable"):  # fmt: skip
        assert only_glue_sets not in written
    part = canonical.partition_input({**partition(parquet(), "2026-01-01"), "CreationTime": 1, "TableName": "orders"})
    assert set(part) == {"Values", "StorageDescriptor", "Parameters"}
    assert part["Parameters"] == {"kind": "day"}


def test_a_schema_of_the_producers_registry_is_not_referenced_from_another_account() -> None:
    table = parquet()
    table["StorageDescriptor"]["SchemaReference"] = {"SchemaVersionId": "0" * 36}
    assert "SchemaReference" not in canonical.table_input(table)["StorageDescriptor"]
    assert canonical.table_input(table)["StorageDescriptor"]["Columns"] == table["StorageDescriptor"]["Columns"]


def test_writing_does_not_change_what_was_read() -> None:
    table = parquet()
    before = copy.deepcopy(table)
    canonical.table_input(table)["StorageDescriptor"]["Columns"].clear()
    assert table == before


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), unique=True, max_size=6), st.randoms())
def test_a_set_digest_does_not_depend_on_order(pairs: list[tuple[str, str]], random: Any) -> None:
    def of(items: list[tuple[str, str]]) -> str:
        digest = canonical.SetDigest()
        for values, one in items:
            digest.add((values,), one)
        return digest.hexdigest()

    other = list(pairs)
    random.shuffle(other)
    assert of(pairs) == of(other)
    assert of(pairs) != of([*pairs, ("another", "partition")])


@given(tables(), st.data())
def test_a_partitions_digest_tells_apart_what_its_comparable_form_does(
    table: dict[str, Any], data: st.DataObject
) -> None:
    """Parts of the digest are remembered from one partition to the next; that may not show."""
    here = partition(table, "2026-01-01")
    there = copy.deepcopy(here)
    descriptor = there["StorageDescriptor"]
    match data.draw(
        st.sampled_from(["nothing", "volatile", "empty", "columns", "serde", "location", "parameter", "flag"])
    ):
        case "volatile":
            there["Parameters"]["numRows"] = descriptor.setdefault("Parameters", {})["recordCount"] = "9"
        case "empty":
            descriptor |= {"SkewedInfo": {"SkewedColumnNames": []}, "Compressed": False, "Parameters": None}
        case "columns":
            descriptor["Columns"] = list(reversed(descriptor["Columns"]))
        case "serde":
            descriptor["SerdeInfo"] = {"SerializationLibrary": "another"}
        case "location":
            descriptor["Location"] = "s3://lake/raw/sales/elsewhere"
        case "parameter":
            descriptor["Parameters"] = {"mine": "yes"}
        case "flag":
            descriptor["StoredAsSubDirectories"] = True
    same = canonical.digest(canonical.partition_input(here)) == canonical.digest(canonical.partition_input(there))
    assert (canonical.partition_digest(here) == canonical.partition_digest(there)) == same


def test_a_partition_without_a_storage_descriptor_has_a_digest() -> None:
    bare = {"Values": ["a"], "StorageDescriptor": None, "Parameters": {}}
    assert canonical.partition_digest(bare) == canonical.partition_digest({"Values": ["a"]})
    assert canonical.partition_digest(bare) != canonical.partition_digest({"Values": ["b"]})


def test_a_set_digest_goes_on_from_what_it_said() -> None:
    whole, first = canonical.SetDigest(), canonical.SetDigest()
    for number in range(5):
        whole.add((str(number),), "d")
    first.add(("0",), "d")
    first.add(("3",), "d")
    rest = canonical.SetDigest.parse(first.hexdigest())
    for number in (4, 1, 2):
        rest.add((str(number),), "d")
    assert rest.hexdigest() == whole.hexdigest()
