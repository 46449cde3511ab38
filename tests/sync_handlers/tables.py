"""Tables as people have them, the manifest that declares them, and strategies that vary them."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from sync_handlers.manifest import Manifest, parse

CENTRAL, PRODUCER = "999900001111", "999900002222"
PREFIXES = ("s3://lake/raw/sales/",)


def column(name: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, **more}


def parquet(name: str = "orders", **more: Any) -> dict[str, Any]:
    """A Parquet table partitioned by day, as Glue answers it (without what only Glue sets)."""
    return {
        "Name": name,
        "Owner": "hadoop",
        "Retention": 0,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [column("day", "date")],
        "Parameters": {"classification": "parquet", "transient_lastDdlTime": "1700000000", "EXTERNAL": "TRUE"},
        "StorageDescriptor": {
            "Columns": [column("id", "bigint"), column("email"), column("amount", "decimal(18,2)")],
            "Location": f"s3://lake/raw/sales/{name}",
            "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            "Compressed": False,
            "NumberOfBuckets": -1,
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
                "Parameters": {"serialization.format": "1"},
            },
            "BucketColumns": [],
            "SortColumns": [],
            "Parameters": {},
            "StoredAsSubDirectories": False,
        },
        **more,
    }


def csv(name: str = "vendors", *columns: str) -> dict[str, Any]:
    table = parquet(name, PartitionKeys=[])
    table["StorageDescriptor"]["Columns"] = [column(one) for one in columns or ("id", "name", "iban")]
    table["StorageDescriptor"]["SerdeInfo"] = {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
        "Parameters": {"separatorChar": ",", "quoteChar": '"'},
    }
    table["Parameters"] = {"classification": "csv", "UPDATED_BY_CRAWLER": "nightly", "recordCount": "120",
                           "skip.header.line.count": "1"}  # fmt: skip
    return table


def iceberg(name: str = "invoice", sequence: int = 3, uuid: str = "aaaa") -> dict[str, Any]:
    table = parquet(name, PartitionKeys=[])
    table["Parameters"] = {
        "table_type": "ICEBERG",
        "metadata_location": f"s3://lake/raw/sales/{name}/metadata/{sequence:05d}-{uuid}.metadata.json",
    }
    return table


def view(name: str = "open_orders") -> dict[str, Any]:
    """A view as Athena writes it."""
    return {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "ViewOriginalText": "/* Presto View: eyJvcmlnaW5hbFNxbCI6ICJTRUxFQ1QgMSJ9 */",
        "ViewExpandedText": "/* Presto View */",
        "PartitionKeys": [],
        "StorageDescriptor": {"Columns": [column("id", "bigint"), column("amount", "decimal(18,2)")], "Location": ""},
    }


def partition(table: dict[str, Any], *values: str, location: str | None = None) -> dict[str, Any]:
    """A partition of a table at its usual place."""
    descriptor = copy.deepcopy(table["StorageDescriptor"])
    descriptor["Location"] = location or f"{descriptor['Location']}/{'/'.join(values)}"
    return {"Values": list(values), "StorageDescriptor": descriptor, "Parameters": {"numRows": "7", "kind": "day"}}


def contract(
    table: str = "orders", *, kind: str = "table", product: str = "orders", tags: dict[str, str] | None = None,
    **columns: tuple[str, str | None] | tuple[str, str | None, int],
) -> dict[str, Any]:  # fmt: skip
    """A table of the manifest: `contract(id=("bigint", "internal"), day=("date", "public", 1))`."""
    return {
        "domain": "sales", "product": product, "producer": "shop", "database": "sales_raw", "twin": "sales_raw",
        "table": table, "kind": kind, "tags": {"product": product, **(tags or {})}, "digest": f"digest-of-{table}",
        "columns": [
            {"name": name, "type": spec[0], "sensitivity": spec[1], "personalData": None,
             "partitionKey": spec[2] if len(spec) > 2 else None, "tags": {}}
            for name, spec in columns.items()
        ],
    }  # fmt: skip


def orders_contract(**changes: Any) -> dict[str, Any]:
    columns = {"id": ("bigint", "internal"), "email": ("string", "confidential"), "amount": ("decimal(18,2)", "internal"),
               "day": ("date", "public", 1)} | changes  # fmt: skip
    return contract("orders", **columns)


def document(*tables: dict[str, Any], twin: str = "sales_raw", **more: Any) -> dict[str, Any]:
    """The JSON of a manifest with one source."""
    return {
        "version": 1, "mesh": "shopmesh", "region": "eu-west-3", "digest": "d",
        "central": {"account": CENTRAL, "administrators": []},
        "producers": {"shop": {
            "account": PRODUCER, "governance": "iam", "readerRole": f"arn:aws:iam::{PRODUCER}:role/reader",
            "externalId": "shop-of-the-mesh", "catalogKey": None, "stack": "producer-shop",
        }},
        "consumers": {}, "ontology": {"domain": ["sales"], "product": ["orders"], "sensitivity": ["public"], "layer": ["raw"]},
        "domains": {"sales": {"owner": "@a/b", "approvers": [], "stack": "domain-sales"}},
        "sources": {twin: {
            "domain": "sales", "producer": "shop", "database": "sales_raw", "prefixes": list(PREFIXES),
            "tables": [table["table"] for table in tables], "digest": "source-digest",
        }},
        "tables": {f"{table['twin']}.{table['table']}": table for table in tables},
        "products": {table["product"]: {"domain": "sales", "version": "1.0.0", "status": "active", "maxAgeSeconds": None}
                     for table in tables},
        "grants": [],
        # Wide, so that tests of other things may delete what they like; tests of the guard set their own.
        "thresholds": {"gracePeriodHours": 24, "massDelete": {"count": 1000, "share": 0.5}},
        **more,
    }  # fmt: skip


def manifest(*tables: dict[str, Any], **more: Any) -> Manifest:
    return parse(document(*tables, **more))


# ---------------------------------------------------------------------------------------------------- strategies
_text = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
_name = st.text("abcdefghij_", min_size=1, max_size=8)
_scalar = st.sampled_from(["string", "bigint", "decimal(18,2)", "date", "boolean"])
_type = st.recursive(
    _scalar,
    lambda inner: st.one_of(
        inner.map(lambda one: f"array<{one}>"),
        st.tuples(inner, inner).map(lambda two: f"map<{two[0]},{two[1]}>"),
        st.dictionaries(_name, inner, min_size=1, max_size=3).map(
            lambda fields: f"struct<{','.join(f'{name}:{kind}' for name, kind in fields.items())}>"
        ),
    ),
    max_leaves=4,
)
_columns = st.dictionaries(_name, _type, min_size=1, max_size=5).map(
    lambda fields: [column(name, kind) for name, kind in fields.items()]
)
_parameters = st.dictionaries(_text.filter(bool), _text, max_size=4)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """Any table that may be copied: Parquet, CSV, Hudi, Delta, projected, bucketed or an Iceberg table or a view."""
    base = draw(st.sampled_from([parquet, csv, iceberg, view]))(draw(_name))
    base["StorageDescriptor"]["Columns"] = draw(_columns)
    base["Parameters"] = {**draw(_parameters), **base["Parameters"], **draw(st.sampled_from(KINDS_OF_PARAMETERS))}
    if base["TableType"] != "VIRTUAL_VIEW":
        if draw(st.booleans()):
            names = [one["Name"] for one in base["StorageDescriptor"]["Columns"]]
            base["StorageDescriptor"] |= {"BucketColumns": names[:1], "NumberOfBuckets": 8,
                                          "SortColumns": [{"Column": names[0], "SortOrder": draw(st.integers(0, 1))}]}  # fmt: skip
        base["Description"] = draw(_text)
        base["Retention"] = draw(st.integers(0, 3))
    return base


KINDS_OF_PARAMETERS: list[dict[str, str]] = [
    {},
    {"projection.enabled": "true", "projection.day.type": "date", "projection.day.range": "2020-01-01,NOW",
     "storage.location.template": "s3://lake/raw/sales/orders/${day}/"},
    {"spark.sql.sources.provider": "hudi", "last_commit_time_sync": "20260101120000", "hoodie.table.name": "orders"},
    {"spark.sql.sources.provider": "delta", "delta.lastUpdateVersion": "7", "delta.lastCommitTimestamp": "1700000000000"},
    {"parquet.compression": "ZSTD", "orc.bloom.filter.columns": "id"},
]  # fmt: skip
