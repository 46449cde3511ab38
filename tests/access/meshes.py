"""Small meshes, built as values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from lakemesh.declarations.models import (
    Assignment,
    Central,
    Column,
    Consumer,
    ConsumerEntry,
    Declarations,
    Domain,
    Grant,
    Mesh,
    Organization,
    Principal,
    Producer,
    Product,
    Quotas,
    Sensitivity,
    Source,
    Status,
    Table,
)

TODAY = dt.date(2031, 5, 6)
CENTRAL = "000000000011"
CONSUMERS = {"lab": "000000000022", "desk": "000000000033"}
ROLES = {
    "lab": {
        "ana": f"arn:aws:iam::{CONSUMERS['lab']}:role/Ana",
        "bob": f"arn:aws:iam::{CONSUMERS['lab']}:role/team/Bob",
    },
    "desk": {"ana": f"arn:aws:iam::{CONSUMERS['desk']}:role/Ana"},
}
LEVELS = list(Sensitivity)


def table(name: str, twin: str, **tags: str) -> Table:
    columns = (
        *(Column(name=level.value, type="string", sensitivity=level) for level in LEVELS),
        Column(name="new", type="string"),
    )
    return Table(name=name, producer="plant", database=twin, twin=twin, columns=columns, tags=tags)


PRODUCTS = {
    "orders": ("sales", (table("orders", "sales_raw", layer="raw"), table("orders_daily", "sales_curated"))),
    "returns": ("sales", (table("returns", "sales_curated", layer="curated"),)),
    "stock": ("supply", (table("stock", "supply_curated", layer="curated"),)),
}


def grant(id_: str, **values: Any) -> Grant:
    return Grant.model_validate({
        "id": id_,
        "purpose": "x",
        "requestedBy": "a@b.example",
        "approvedBy": "c@d.example",
        "approvedAt": dt.date(2030, 1, 1),
        "ticket": "T-1",
        **values,
    })  # fmt: skip


def mesh(
    grants: Mapping[str, Iterable[Grant]],
    assignments: Mapping[str, Mapping[str, Iterable[str]]] | None = None,
    products: Mapping[str, tuple[str, tuple[Table, ...]]] | None = None,
    quotas: Quotas | None = None,
) -> Declarations:
    """`assignments`: by consumer, the principals of each grant."""
    products = PRODUCTS if products is None else products
    assignments = assignments or {}
    twins = {
        domain: sorted({t.twin for d, tables in products.values() if d == domain for t in tables})
        for domain in ("sales", "supply")
    }
    return Declarations(
        mesh=Mesh(
            organization=Organization(id="o-0123456789"),
            region="us-west-2",
            central=Central(account=CENTRAL),
            producers={"plant": Producer(account="000000000044", owner="@x")},
            domains={
                domain: Domain(
                    owner="@x",
                    approvers=("c@d.example",),
                    sources=tuple(
                        Source(producer="plant", database=twin, prefixes=(f"s3://lake/{twin}/",)) for twin in names
                    ),
                )
                for domain, names in twins.items()
            },
            consumers={name: ConsumerEntry(account=account, owner="@x") for name, account in CONSUMERS.items()},
            quotas=quotas or Quotas(),
        ),
        tags={},
        products={
            name: Product(name=name, domain=domain, version="1.0.0", status=Status.ACTIVE, tables=tables)
            for name, (domain, tables) in products.items()
        },
        grants={domain: tuple(given) for domain, given in grants.items()},
        consumers={
            name: Consumer(
                account=account,
                principals={alias: Principal(role=role) for alias, role in ROLES[name].items()},
                assignments=tuple(
                    Assignment(grant=id_, principals=tuple(who))
                    for id_, who in assignments.get(name, {}).items()
                    if who
                ),
            )
            for name, account in CONSUMERS.items()
        },
    )
