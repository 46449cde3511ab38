"""What Glue says of a table, as facts."""

from __future__ import annotations

from typing import Any

import pytest

from lakemesh.onboard.facts import TableKind
from lakemesh.onboard.formats import directory, logical_type, table_facts


def entry(**more: Any) -> dict[str, Any]:
    storage = {"Columns": [{"Name": "Id", "Type": "string"}], "Location": "s3://lake/t", **more.pop("storage", {})}
    return {"Name": "t", "StorageDescriptor": storage, **more}


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (entry(Parameters={"table_type": "ICEBERG"}), "iceberg"),
        (entry(Parameters={"spark.sql.sources.provider": "delta"}), "delta"),
        (entry(storage={"InputFormat": "org.apache.hudi.hadoop.HoodieParquetInputFormat"}), "hudi"),
        (entry(Parameters={"classification": "parquet"}), "parquet"),
        (entry(storage={"SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde"}}), "csv"),
        (entry(storage={"SerdeInfo": {"SerializationLibrary": "…lazy.LazySimpleSerDe"}}), "csv"),
        (entry(storage={"SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}}), "json"),
        (entry(), ""),
    ],
)
def test_the_format_is_what_the_table_says_first(table: dict[str, Any], expected: str) -> None:
    assert table_facts("db", table).format == expected


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"TableType": "VIRTUAL_VIEW"}, TableKind.VIEW),
        ({"TableType": "VIRTUAL_VIEW", "IsMultiDialectView": True}, TableKind.CATALOG_VIEW),
        ({"TargetTable": {"CatalogId": "1"}}, TableKind.LINK),
        ({"TableType": "EXTERNAL_TABLE"}, TableKind.TABLE),
    ],
)
def test_views_and_links_are_told_apart(more: dict[str, Any], kind: TableKind) -> None:
    assert table_facts("db", entry(**more)).kind is kind


def test_every_place_that_a_table_names_counts() -> None:
    table = entry(Parameters={"metadata_location": "s3://lake/other/metadata/1.json"})
    partitions = [
        {"StorageDescriptor": {"Location": "s3://elsewhere/p=1"}},
        {"StorageDescriptor": {"Location": "s3://lake/t/p=2"}},
    ]
    facts = table_facts("db", table, partitions)
    assert facts.directories == ("s3://elsewhere/p=1/", "s3://lake/other/metadata/", "s3://lake/t/")


def test_columns_that_iceberg_has_dropped_are_none_of_the_table() -> None:
    columns = [
        {"Name": "a", "Type": "int"},
        {"Name": "b", "Type": "int", "Parameters": {"iceberg.field.current": "false"}},
    ]
    assert [column.name for column in table_facts("db", entry(storage={"Columns": columns})).columns] == ["a"]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("s3://lake/a/b", "s3://lake/a/b/"),
        ("s3a://lake/a/", "s3://lake/a/"),
        ("s3://lake", "s3://lake/"),
        ("s3://lake/a/${day}/x", "s3://lake/a/"),
        ("hdfs://host/a", None),
        ("s3://lake/a/../b", None),
        ("s3://lake/a*b/", None),
        ("s3://lake/a//b/", None),
        ("s3://Lake_With_Case/a/", None),
    ],
)
def test_a_location_is_a_directory_or_cannot_be_a_prefix(location: str, expected: str | None) -> None:
    assert directory(location) == expected


@pytest.mark.parametrize(
    ("glue", "logical"),
    [
        ("varchar(10)", "string"),
        ("decimal(18,2)", "number"),
        ("bigint", "integer"),
        ("struct<a:int>", "object"),
        ("binary", ""),
    ],
)
def test_logical_types_are_the_standards(glue: str, logical: str) -> None:
    assert logical_type(glue) == logical
