"""The same refreshes by awswrangler's catalog functions, in an environment of its own.

    python -m venv DIRECTORY
    DIRECTORY/bin/pip install awswrangler
    python benchmarks/sync.py --wrangler DIRECTORY/bin/python

`benchmarks/sync.py` runs this with that interpreter. Imports nothing of this project but the counting. Two ways that
people use it: `overwrite` creates the table again with mode="overwrite" and adds every partition; `missing` adds what
the twin lacks and deletes what the source no longer has, which never sees a partition that changed in place.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from typing import Any

import boto3
from sync_counting import Ledger  # type: ignore[import-not-found,unused-ignore] # beside this script


def session(account: str, region: str) -> Any:
    return boto3.Session(aws_access_key_id=account, aws_secret_access_key="unused", region_name=region)  # noqa: S106


def overwrite(wr: Any, source: Any, twin: Any, given: argparse.Namespace, table: str) -> None:
    found = wr.catalog.get_partitions(database=given.source, table=table, boto3_session=source)
    types = wr.catalog.get_table_types(database=given.source, table=table, boto3_session=source)
    location = wr.catalog.get_table_location(database=given.source, table=table, boto3_session=source)
    wr.catalog.create_parquet_table(
        database=given.database,
        table=table,
        path=location,
        columns_types={name: kind for name, kind in types.items() if name != "day"},
        partitions_types={"day": "string"},
        mode="overwrite",
        boto3_session=twin,
    )
    wr.catalog.add_parquet_partitions(database=given.database, table=table, partitions_values=found, boto3_session=twin)


def missing(wr: Any, source: Any, twin: Any, given: argparse.Namespace, table: str) -> None:
    here = wr.catalog.get_partitions(database=given.source, table=table, boto3_session=source)
    there = wr.catalog.get_partitions(database=given.database, table=table, boto3_session=twin)
    lacking = {location: values for location, values in here.items() if location not in there}
    if lacking:
        wr.catalog.add_parquet_partitions(
            database=given.database, table=table, partitions_values=lacking, boto3_session=twin
        )
    gone = [values for location, values in there.items() if location not in here]
    if gone:
        wr.catalog.delete_partitions(database=given.database, table=table, partitions_values=gone, boto3_session=twin)


WAYS = {"overwrite": overwrite, "missing": missing}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("endpoint", "way", "source", "database", "region", "producer", "central", "tables"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    wr: Any = importlib.import_module("awswrangler")  # only this environment has it
    wr.config.glue_endpoint_url = given.endpoint
    ledger = Ledger()
    source, twin = session(given.producer, given.region), session(given.central, given.region)
    for one in (source, twin):
        ledger.listen(one.events)
    started = time.perf_counter()
    for table in given.tables.split(","):
        WAYS[given.way](wr, source, twin, given, table)
    print(json.dumps({"seconds": time.perf_counter() - started, "version": wr.__version__, **ledger.figures()}))


if __name__ == "__main__":
    main()
