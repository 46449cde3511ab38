"""What functions that judge columns need of the cloud, in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from lakemesh.review.findings import Findings
from sync_handlers.manifest import Manifest, parse

NOW = dt.datetime(2026, 11, 25, 6, 0, tzinfo=dt.UTC)


@dataclass
class MemoryStore:
    """A bucket."""

    kept: dict[str, Findings] = field(default_factory=dict)
    writes: int = 0

    def read(self, key: str) -> Findings | None:
        return self.kept.get(key)

    def write(self, key: str, findings: Findings) -> None:
        self.kept[key] = findings
        self.writes += 1


@dataclass
class MemoryCatalog:
    """Tables by twin and name."""

    made: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def add(self, name: str, *columns: tuple[str, str, str], twin: str = "crm") -> None:
        described = [{"Name": each, "Type": kind, "Comment": comment} for each, kind, comment in columns]
        self.made[twin, name] = {"Name": name, "StorageDescriptor": {"Columns": described}}

    def table(self, twin: str, name: str) -> Mapping[str, Any] | None:
        return self.made.get((twin, name))

    def tables(self, twin: str) -> Iterator[Mapping[str, Any]]:
        yield from (table for (of, _), table in self.made.items() if of == twin)


def declared(name: str, sensitivity: str | None) -> dict[str, Any]:
    return {"name": name, "type": "string", "sensitivity": sensitivity, "partitionKey": None, "tags": {}}


@pytest.fixture
def manifest() -> Manifest:
    """One twin, `crm`, with one contract: `contact`, whose email somebody has reviewed."""
    return parse({
        "version": 1,
        "mesh": "orchard",
        "organization": "o-orchard12345",
        "central": {"account": "900000000001"},
        "producers": {
            "shop": {
                "account": "900000000002", "governance": "iam", "readerRole": "arn:aws:iam::900000000002:role/r",
                "externalId": "x", "stack": "producer-shop",
            }
        },
        "domains": {"sales": {"stack": "domain-sales", "owner": "@a/b", "approvers": ["a@example.com"]}},
        "ontology": {"sensitivity": ["internal"]},
        "sources": {
            "crm": {
                "twin": "crm", "domain": "sales", "producer": "shop", "database": "crm_raw",
                "prefixes": ["s3://shop/crm/"], "tables": ["contact"], "digest": "d",
            }
        },
        "products": {},
        "grants": [],
        "thresholds": {"gracePeriodHours": 24, "massDelete": {"count": 10, "share": 0.1}},
        "tables": {
            "crm.contact": {
                "twin": "crm", "table": "contact", "product": "contacts", "domain": "sales", "kind": "table",
                "tags": {}, "columns": [declared("email", "confidential"), declared("phone", None)], "digest": "d",
            }
        },
    })  # fmt: skip
