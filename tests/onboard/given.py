"""Facts for tests: one producer whose every member can be changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from lakemesh.onboard.facts import (
    BucketFacts,
    ColumnFacts,
    DatabaseFacts,
    KeyFacts,
    PermissionFacts,
    ProducerFacts,
    TableFacts,
    TableKind,
)
from lakemesh.onboard.producer_plan import Wanted
from lakemesh.scaffold.mesh import Settings, scaffold
from tests.onboard.unprepared import CENTRAL, PRODUCER, REGION

BUCKET = "orchard-lake"
KEY = f"arn:aws:kms:{REGION}:{PRODUCER}:key/11111111-2222-4333-8444-555555555555"


def table(name: str, *places: str, database: str = "harvest", **more: Any) -> TableFacts:
    made = TableFacts(
        database=database,
        name=name,
        kind=TableKind.TABLE,
        format="parquet",
        columns=(ColumnFacts("id", "string"), ColumnFacts("amount", "decimal(18,2)")),
        directories=places or (f"s3://{BUCKET}/{database}/{name}/",),
    )
    return replace(made, **more)


def database(*tables: TableFacts, name: str = "harvest", **more: Any) -> DatabaseFacts:
    return DatabaseFacts(name, tables, **more)


def facts(*databases: DatabaseFacts, **more: Any) -> ProducerFacts:
    given: dict[str, Any] = {
        "own_buckets": frozenset({BUCKET}),
        "buckets": {BUCKET: BucketFacts(BUCKET, KeyFacts(KEY, customer_managed=True))},
        "permissions": (),
    }
    return ProducerFacts(account=PRODUCER, databases=databases, **{**given, **more})


def wanted(*databases: str, **more: Any) -> Wanted:
    given: dict[str, Any] = {
        "name": "orchards",
        "account": PRODUCER,
        "domain": "harvest",
        "owner": "@example/orchards",
        "domain_owner": "@example/harvest",
        "approvers": ("olga@example.com",),
    }
    return Wanted(databases=frozenset(databases or {"harvest"}), **{**given, **more})


def grant(principal: str, resource: dict[str, Any], *permissions: str) -> PermissionFacts:
    return PermissionFacts(principal, resource, permissions)


def empty_mesh(directory: Path) -> Path:
    scaffold(directory, Settings("orchard", "o-orchard0001", REGION, CENTRAL))
    return directory
