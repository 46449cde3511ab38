"""A producer's catalog to be copied: tables of one shape, their partitions, a day's churn, and the manifest of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import boto3
from botocore.config import Config

REGION, CENTRAL, PRODUCER, DATABASE = "eu-west-3", "999900001111", "999900002222", "sales_raw"
COLUMNS = 20
KINDS = ("update", "create", "delete")


def client(endpoint: str, account: str) -> Any:
    """Glue of an account of the local AWS, as its administrator."""
    return boto3.client(
        "glue",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=account,
        aws_secret_access_key="unused",  # noqa: S106 - a local AWS verifies no signature
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=10),
    )


def name(number: int) -> str:
    return f"orders_{number:04d}"


def day(number: int) -> str:
    return (dt.date(2020, 1, 1) + dt.timedelta(days=number)).isoformat()


def table(title: str) -> dict[str, Any]:
    return {
        "Name": title,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": "day", "Type": "string"}],
        "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE"},
        "StorageDescriptor": _descriptor(title),
    }


def partition(title: str, value: str, kind: str = "day") -> dict[str, Any]:
    return {
        "Values": [value],
        "StorageDescriptor": _descriptor(f"{title}/day={value}"),
        "Parameters": {"kind": kind, "numRows": "7"},
    }


def _descriptor(path: str) -> dict[str, Any]:
    return {
        "Columns": [{"Name": f"column_{number:02d}", "Type": "string"} for number in range(COLUMNS)],
        "Location": f"s3://lake/raw/sales/{path}/",
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {
            "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
            "Parameters": {"serialization.format": "1"},
        },
    }


def fill(glue: Any, database: str, tables: Iterable[str], partitions: int) -> None:
    glue.create_database(DatabaseInput={"Name": database, "CreateTableDefaultPermissions": []})
    for title in tables:
        glue.create_table(DatabaseName=database, TableInput=table(title))
        add(glue, database, title, (day(number) for number in range(partitions)))


def add(glue: Any, database: str, title: str, values: Iterable[str]) -> None:
    for some in slices([partition(title, value) for value in values], 100):
        glue.batch_create_partition(DatabaseName=database, TableName=title, PartitionInputList=some)


def churn(glue: Any, tables: Sequence[str], partitions: int, share: float) -> dict[str, int]:
    """Change that share of all partitions at the source, each table's in one way: a third each is updated, created and
    deleted. Returns the partitions changed and the write calls that copying them takes at least."""
    each = max(1, round(partitions * share))
    for number, title in enumerate(tables):
        at: dict[str, Any] = {"DatabaseName": DATABASE, "TableName": title}
        values = [day(one) for one in range(each)]
        match KINDS[number % 3]:
            case "update":
                entries = [
                    {"PartitionValueList": [one], "PartitionInput": partition(title, one, "new")} for one in values
                ]
                for some in slices(entries, 100):
                    glue.batch_update_partition(**at, Entries=some)
            case "create":
                add(glue, DATABASE, title, (day(partitions + one) for one in range(each)))
            case _:
                for some in slices([{"Values": [one]} for one in values], 25):
                    glue.batch_delete_partition(**at, PartitionsToDelete=some)
    calls = {"update": -(-each // 100), "create": -(-each // 100), "delete": -(-each // 25)}
    return {
        "partitions": each * len(tables),
        "minimum": sum(calls[KINDS[number % 3]] for number in range(len(tables))),
    }


def listed(glue: Any, database: str, title: str) -> Iterator[dict[str, Any]]:
    for page in glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=title):
        yield from page["Partitions"]


def slices(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def document(twin: str) -> dict[str, Any]:
    """The manifest that the handler would be bundled with."""
    return {
        "version": 1,
        "mesh": "bench",
        "region": REGION,
        "digest": "d",
        "central": {"account": CENTRAL, "administrators": []},
        "producers": {
            "shop": {
                "account": PRODUCER,
                "governance": "iam",
                "readerRole": f"arn:aws:iam::{PRODUCER}:role/reader",
                "externalId": "shop",
                "catalogKey": None,
                "stack": "producer-shop",
            }
        },
        "consumers": {},
        "ontology": {"domain": ["sales"]},
        "domains": {"sales": {"owner": "@a/b", "approvers": [], "stack": "domain-sales"}},
        "sources": {
            twin: {
                "domain": "sales",
                "producer": "shop",
                "database": DATABASE,
                "prefixes": ["s3://lake/raw/sales/"],
                "tables": [],
                "digest": "d",
            }
        },
        "tables": {},
        "products": {},
        "grants": [],
        "thresholds": {"gracePeriodHours": 24, "massDelete": {"count": 1000, "share": 0.5}},
    }
