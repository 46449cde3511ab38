"""A producer's tables as files in S3 and as entries of its Glue catalog: pure, nothing is sent from here."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from lakemesh.demo.tables import Format, Row, SourceColumn, SourceTable

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import PartitionInputTypeDef, StorageDescriptorTypeDef, TableInputTypeDef

PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
LAZY_SIMPLE_SERDE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
OPEN_CSV_SERDE = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"
_TEXT = ("org.apache.hadoop.mapred.TextInputFormat", "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat")
_PARQUET = (
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
)


@dataclass(frozen=True)
class DataFile:
    """One object: `path` below the table's location."""

    path: str
    body: bytes


def _arrow_type(glue: str) -> Any:
    """The Arrow type of a scalar Glue type. Raises ValueError for a nested one."""
    decimal = re.fullmatch(r"decimal\((\d+),\s*(\d+)\)", glue)
    if decimal:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    scalars = {
        "string": pa.string(), "tinyint": pa.int8(), "smallint": pa.int16(), "int": pa.int32(), "integer": pa.int32(),
        "bigint": pa.int64(), "float": pa.float32(), "double": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(),
    }  # fmt: skip
    name = "string" if re.match(r"(var)?char\b", glue) else glue
    if name not in scalars:
        raise ValueError(f"the demo writes no Parquet column of type {glue}")
    return scalars[name]


def arrow_table(columns: Sequence[SourceColumn], rows: Sequence[Row]) -> Any:
    """Rows as Arrow, in the types that Glue declares."""
    schema = pa.schema([(column.name, _arrow_type(column.type)) for column in columns])
    return pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema=schema)


def _parquet(columns: Sequence[SourceColumn], rows: Sequence[Row]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(arrow_table(columns, rows), sink)
    return sink.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _csv(table: SourceTable, delimiter: str, quoting: Any) -> bytes:
    sink = io.StringIO()
    # The escape character is OpenCSVSerde's; unquoted files of the sample have nothing to escape.
    writer = csv.writer(
        sink, delimiter=delimiter, quoting=quoting, lineterminator="\n", doublequote=False, escapechar="\\"
    )
    writer.writerow(column.name for column in table.columns)
    writer.writerows([_text(row[column.name]) for column in table.columns] for row in table.rows)
    return sink.getvalue().encode()


def partition_path(table: SourceTable, values: Sequence[str]) -> str:
    """`year=2026/month=5/`, as Hive and Athena lay partitions out."""
    return "".join(f"{key.name}={value}/" for key, value in zip(table.partition_keys, values, strict=True))


def data_files(table: SourceTable) -> Iterator[DataFile]:
    """The objects of a table, apart from an Iceberg table's, which are written by `lakemesh.demo.iceberg`."""
    if table.format is Format.PARQUET:
        for values, rows in table.partitions():
            yield DataFile(f"{partition_path(table, values)}part-00000.parquet", _parquet(table.columns, rows))
    elif table.format is Format.CSV:
        yield DataFile(f"{table.name}.csv", _csv(table, ",", csv.QUOTE_NONE))
    elif table.format is Format.QUOTED_CSV:
        yield DataFile(f"{table.name}.csv", _csv(table, ";", csv.QUOTE_ALL))
    elif table.format is Format.JSON:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table.rows)
        yield DataFile(f"{table.name}.jsonl", lines.encode())


# ----------------------------------------------------------------------------------------------- the catalog's entry
def _glue_columns(columns: Sequence[SourceColumn]) -> list[Any]:
    return [{"Name": column.name, "Type": column.type} for column in columns]


def storage(table: SourceTable, location: str) -> StorageDescriptorTypeDef:
    """The StorageDescriptor of a table or, with its own location, of a partition."""
    serdes: dict[Format, tuple[str, dict[str, str], tuple[str, str]]] = {
        Format.PARQUET: (PARQUET_SERDE, {"serialization.format": "1"}, _PARQUET),
        Format.CSV: (LAZY_SIMPLE_SERDE, {"field.delim": ","}, _TEXT),
        Format.QUOTED_CSV: (OPEN_CSV_SERDE, {"separatorChar": ";", "quoteChar": '"', "escapeChar": "\\"}, _TEXT),
        Format.JSON: (JSON_SERDE, {"paths": ",".join(column.name for column in table.columns)}, _TEXT),
    }
    library, parameters, (reader, writer) = serdes[table.format]
    return {
        "Columns": _glue_columns(table.columns),
        "Location": location,
        "InputFormat": reader,
        "OutputFormat": writer,
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {"SerializationLibrary": library, "Parameters": parameters},
        "BucketColumns": [],
        "SortColumns": [],
        "StoredAsSubDirectories": False,
    }


def _parameters(table: SourceTable) -> dict[str, str]:
    if table.format is Format.PARQUET:
        return {"classification": "parquet", "EXTERNAL": "TRUE"}
    crawled = {
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": f"{table.database.replace('_', '-')}-nightly",
        "compressionType": "none",
        "objectCount": "1",
        "recordCount": str(len(table.rows)),
        "typeOfData": "file",
    }
    if table.format is Format.JSON:
        return {**crawled, "classification": "json"}
    return {
        **crawled,
        "classification": "csv",
        "columnsOrdered": "true",
        "areColumnsQuoted": "true" if table.format is Format.QUOTED_CSV else "false",
        "delimiter": ";" if table.format is Format.QUOTED_CSV else ",",
        "skip.header.line.count": "1",
    }


def table_input(table: SourceTable, location: str) -> TableInputTypeDef:
    """What CreateTable takes for any table but an Iceberg one."""
    if table.format is Format.VIEW:
        return view_input(table)
    return {
        "Name": table.name,
        "Description": table.description,
        "Owner": "owner",
        "Retention": 0,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": _parameters(table),
        "PartitionKeys": _glue_columns(table.partition_keys),
        "StorageDescriptor": storage(table, location),
    }


def presto_type(glue: str) -> str:
    """A scalar Glue type as Athena writes it in a view's definition."""
    names = {"string": "varchar", "int": "integer", "float": "real"}
    return names.get(glue, glue)


def view_input(table: SourceTable) -> TableInputTypeDef:
    """What Athena's CREATE VIEW writes into Glue: the definition as base64 of JSON within a comment."""
    definition = {
        "originalSql": table.sql,
        "catalog": "awsdatacatalog",
        "schema": table.database,
        "columns": [{"name": column.name, "type": presto_type(column.type)} for column in table.columns],
    }
    encoded = base64.b64encode(json.dumps(definition).encode()).decode()
    return {
        "Name": table.name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "PartitionKeys": [],
        "ViewOriginalText": f"/* Presto View: {encoded} */",
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {
            "Columns": _glue_columns(table.columns),
            "Location": "",
            "NumberOfBuckets": 0,
            "SerdeInfo": {},
        },
    }


def partition_inputs(table: SourceTable, location: str) -> list[PartitionInputTypeDef]:
    return [
        {
            "Values": list(values),
            "StorageDescriptor": storage(table, f"{location}{partition_path(table, values)}"),
            "Parameters": {"numRows": str(len(rows))},
        }
        for values, rows in (table.partitions() if table.partition_keys else ())
    ]
