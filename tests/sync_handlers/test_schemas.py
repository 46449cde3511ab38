from __future__ import annotations

from typing import Any

import pytest

from sync_handlers import schemas
from tests.sync_handlers.tables import column, contract, csv, iceberg, manifest, parquet, view


def orders(**columns: Any) -> Any:
    return manifest(contract("orders", **columns)).tables["sales_raw.orders"]


@pytest.mark.parametrize(
    ("library", "parameters", "by_position"),
    [
        ("org.apache.hadoop.hive.serde2.OpenCSVSerde", {}, True),
        ("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", {}, True),
        ("org.apache.hadoop.hive.serde2.RegexSerDe", {}, True),
        ("com.amazonaws.glue.serde.GrokSerDe", {}, True),
        ("org.apache.hadoop.hive.ql.io.orc.OrcSerde", {}, True),
        ("org.apache.hadoop.hive.ql.io.orc.OrcSerde", {"orc.column.index.access": "false"}, False),
        ("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe", {}, False),
        ("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe", {"parquet.column.index.access": "true"}, True),
        ("org.openx.data.jsonserde.JsonSerDe", {}, False),
        ("org.apache.hadoop.hive.serde2.avro.AvroSerDe", {}, False),
    ],
)
def test_formats_that_are_read_by_position_are_known(
    library: str, parameters: dict[str, str], by_position: bool
) -> None:
    table = parquet()
    table["StorageDescriptor"]["SerdeInfo"] = {"SerializationLibrary": library, "Parameters": parameters}
    assert schemas.positional(table) is by_position


def test_iceberg_goes_by_field_id_and_views_have_no_format() -> None:
    assert not schemas.positional(iceberg())
    assert not schemas.positional(view())


def test_a_nested_type_change_of_a_reviewed_column_is_unsafe() -> None:
    listed = orders(id=("bigint", "internal"), payer=("struct<name:string>", "internal"))
    before, after = parquet(PartitionKeys=[]), parquet(PartitionKeys=[])
    before["StorageDescriptor"]["Columns"] = [column("id"), column("payer", "struct<name:string>")]
    after["StorageDescriptor"]["Columns"] = [column("id"), column("payer", "struct<name:string,ssn:string>")]
    assert "nested type changed" in (schemas.unsafe_change(listed, after, before) or "")


def test_a_nested_type_change_that_the_contract_reviewed_is_safe() -> None:
    listed = orders(payer=("struct< name:STRING, ssn:string >", "restricted"))
    before, after = parquet(PartitionKeys=[]), parquet(PartitionKeys=[])
    before["StorageDescriptor"]["Columns"] = [column("payer", "struct<name:string>")]
    after["StorageDescriptor"]["Columns"] = [column("payer", "struct<name:string,ssn:string>")]
    assert schemas.unsafe_change(listed, after, before) is None


@pytest.mark.parametrize("sensitivity", [None, "internal"])
def test_a_scalar_type_change_and_an_unreviewed_nested_one_are_safe(sensitivity: str | None) -> None:
    listed = orders(id=("bigint", sensitivity), payer=("struct<name:string>", None))
    before, after = parquet(PartitionKeys=[]), parquet(PartitionKeys=[])
    before["StorageDescriptor"]["Columns"] = [column("id", "int"), column("payer", "struct<name:string>")]
    after["StorageDescriptor"]["Columns"] = [column("id", "bigint"), column("payer", "struct<x:string>")]
    assert schemas.unsafe_change(listed, after, before) is None


@pytest.mark.parametrize(
    ("after", "safe"),
    [
        (("id", "name", "iban", "new"), True),
        (("id", "name"), True),
        (("id", "iban", "name"), False),
        (("id", "ssn", "name", "iban"), False),
        (("name", "iban"), False),
    ],
)
def test_in_a_positional_format_columns_may_only_be_appended(after: tuple[str, ...], safe: bool) -> None:
    listed = orders(id=("string", "internal"), name=("string", "public"), iban=("string", "restricted"))
    reason = schemas.unsafe_change(listed, csv("orders", *after), csv("orders", "id", "name", "iban"))
    assert (reason is None) is safe, reason


def test_columns_of_a_format_read_by_name_may_move() -> None:
    listed = orders(id=("bigint", "internal"))
    before, after = parquet(), parquet()
    after["StorageDescriptor"]["Columns"].reverse()
    assert schemas.unsafe_change(listed, after, before) is None


def test_a_new_partition_key_that_nobody_reviewed_is_unsafe() -> None:
    listed = orders(id=("bigint", "internal"), day=("date", "public", 1))
    after = parquet(PartitionKeys=[column("day", "date"), column("customer")])
    assert "customer" in (schemas.unsafe_change(listed, after, parquet()) or "")
    assert schemas.unsafe_change(listed, parquet(), parquet(PartitionKeys=[])) is None


def test_a_table_without_reviewed_columns_carries_no_tags_to_protect() -> None:
    assert (
        schemas.unsafe_change(orders(id=("string", None)), csv("orders", "x", "id"), csv("orders", "id", "x")) is None
    )
