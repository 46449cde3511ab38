"""A generated mesh, skewed as real ones are: one big domain, one very wide table, one consumer that wants everything.

    python benchmarks/generate.py DIRECTORY [--exceed]

Deterministic: the same shape gives the same files. The mesh is valid; with `--exceed` its biggest consumer asks for one
product after another until its account would hold more LF-Tag expressions than Lake Formation takes, which
`lakemesh validate` refuses; `merge_product_grants` is the remedy that it names.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]

REGION = "eu-west-1"
PROCESSES = ("order-to-cash", "procure-to-pay", "record-to-report", "hire-to-retire", "plan-to-produce")
LAYERS = ("raw", "curated", "mart")
TYPES = ("string", "bigint", "decimal(18,2)", "date", "timestamp", "double", "boolean", "array<string>")
_CONSUMER_PRINCIPALS = 8


@dataclass(frozen=True)
class Shape:
    """How big the mesh is; the defaults are the figures the project promises."""

    domains: int = 20
    tables: int = 850
    largest_domain: int = 200
    products: int = 300
    widest_table: int = 1500
    producers: int = 8
    consumers: int = 10
    grants: int = 400
    largest_consumer: int = 120
    seed: int = 3


@dataclass(frozen=True)
class ProductPlan:
    """One product: its domain, and how many tables it has."""

    name: str
    domain: str
    tables: int
    widest: bool = False


def generate(directory: Path, shape: Shape | None = None, *, exceed: bool = False) -> None:
    """Write the mesh into `directory`, which is made if it is not there.

    `exceed`: the biggest consumer's grants all go to its account, one for each product.
    """
    shape = shape or Shape()
    products = list(_products(shape))
    _write(directory / "mesh.yaml", _mesh(shape))
    _write(directory / "tags.yaml", _tags())
    for position, product in enumerate(products):
        path = directory / "products" / product.domain / f"{product.name}.odcs.yaml"
        _write(path, _contract(shape, product, position))
    grants = list(_grants(shape, products, exceed=exceed))
    by_domain: dict[str, list[Json]] = defaultdict(list)
    for domain, grant in grants:
        by_domain[domain].append(grant)
    for domain, entries in by_domain.items():
        _write(directory / "grants" / f"{domain}.yaml", {"grants": entries})
    for number in range(shape.consumers):
        entry = _consumer(number, [grant for _, grant in grants])
        _write(directory / "consumers" / f"{_consumer_name(number)}.yaml", entry)


def merge_product_grants(directory: Path, consumer: str) -> int:
    """Replace the product grants to a consumer's account by one grant a domain with `tags: {product: […]}`.

    What `lakemesh validate` suggests where the quota of expressions a principal is exceeded. Returns how many grants
    went.
    """
    renamed: dict[str, str] = {}
    removed = 0
    for path in sorted((directory / "grants").glob("*.yaml")):
        content = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        alike = [grant for grant in content["grants"] if grant["to"] == consumer and "product" in grant]
        if len(alike) < 2:
            continue
        merged = {key: value for key, value in alike[0].items() if key != "product"}
        merged["id"] = f"{path.stem}-products-{consumer}"
        merged["tags"] = {"product": [grant["product"] for grant in alike]}
        renamed |= {grant["id"]: merged["id"] for grant in alike}
        _write(path, {"grants": [*(grant for grant in content["grants"] if grant not in alike), merged]})
        removed += len(alike) - 1
    path = directory / "consumers" / f"{consumer}.yaml"
    content = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    assigned: dict[str, set[str]] = defaultdict(set)
    for assignment in content["assignments"]:
        assigned[renamed.get(assignment["grant"], assignment["grant"])] |= set(assignment["principals"])
    content["assignments"] = [{"grant": grant, "principals": sorted(names)} for grant, names in assigned.items()]
    _write(path, content)
    return removed


# ------------------------------------------------------------------------------------------------------- mesh, tags
def _mesh(shape: Shape) -> Json:
    producers: Json = {
        _producer_name(number): {
            "account": _account(100 + number),
            "owner": f"@bench/{_producer_name(number)}",
            "governance": "lake-formation" if number % 3 == 0 else "iam",
            "buckets": {_bucket(number): {}},
        }
        for number in range(shape.producers)
    }
    domains = {
        _domain_name(number): {
            "title": f"Domain {number}",
            "owner": f"@bench/{_domain_name(number)}",
            "approvers": [_approver(number)],
            "sources": [
                {
                    "producer": _producer_name(number % shape.producers),
                    "database": _database(number, layer),
                    "prefixes": [f"s3://{_bucket(number % shape.producers)}/{_domain_name(number)}/{layer}/"],
                }
                for layer in LAYERS
            ],
        }
        for number in range(shape.domains)
    }
    consumers = {
        _consumer_name(number): {"account": _account(500 + number), "owner": f"@bench/{_consumer_name(number)}"}
        for number in range(shape.consumers)
    }
    return {
        "name": "bench",
        "organization": {"id": "o-bench00001", "ramSharing": True},
        "region": REGION,
        "central": {"account": _account(1)},
        "producers": producers,
        "domains": domains,
        "consumers": consumers,
    }


def _tags() -> Json:
    return {
        "tags": {
            "process": {"description": "Business process.", "values": list(PROCESSES)},
            "layer": {"description": "How far a table has been worked on.", "values": list(LAYERS)},
        }
    }


# --------------------------------------------------------------------------------------------------------- products
def _products(shape: Shape) -> Iterator[ProductPlan]:
    """Products by domain: the first domain is the big one; the rest share what is left as evenly as it goes."""
    tables = [shape.largest_domain, *_shares(shape.tables - shape.largest_domain, shape.domains - 1)]
    big = max(1, shape.products * shape.largest_domain // shape.tables // 2)
    products = [big, *_shares(shape.products - big, shape.domains - 1)]
    for number, (table_count, product_count) in enumerate(zip(tables, products, strict=True)):
        for position, count in enumerate(_shares(table_count, product_count)):
            widest = number == 1 and position == 0
            yield ProductPlan(f"{_domain_name(number)}_product_{position:02}", _domain_name(number), count, widest)


def _shares(total: int, parts: int) -> list[int]:
    return [total // parts + (1 if part < total % parts else 0) for part in range(parts)]


def _contract(shape: Shape, product: ProductPlan, position: int) -> Json:
    rng = random.Random(f"{shape.seed}/{product.name}")
    number = int(product.domain.removeprefix("domain"))
    layer = LAYERS[position % len(LAYERS)]
    producer = number % shape.producers
    return {
        "apiVersion": ("v3.0.2", "v3.1.0", "v3.2.0")[position % 3],
        "kind": "DataContract",
        "id": f"{product.name}-{shape.seed}",
        "name": product.name,
        "version": f"1.{position % 7}.0",
        "status": "active",
        "domain": product.domain,
        "description": {"purpose": f"Generated product {position}."},
        "slaProperties": [{"property": "latency", "value": 1, "unit": "d"}],
        "customProperties": [
            {"property": "lfTags", "value": {"process": PROCESSES[position % len(PROCESSES)], "layer": layer}}
        ],
        "servers": [
            {
                "server": "lake",
                "type": "glue",
                "account": _account(100 + producer),
                "database": _database(number, layer),
                "location": f"s3://{_bucket(producer)}/{product.domain}/{layer}/",
                "format": "parquet",
            }
        ],
        "schema": [
            _table(rng, f"{product.name}_t{table:02}", shape.widest_table if product.widest and table == 0 else 0)
            for table in range(product.tables)
        ],
    }


def _table(rng: random.Random, name: str, width: int) -> Json:
    # Most tables are narrow and a few are wide.
    count = width or min(120, 6 + int(rng.paretovariate(1.1) * 6))
    partitioned = rng.random() < 0.6
    columns = [_column(rng, position) for position in range(count - (1 if partitioned else 0))]
    if partitioned:
        day = {"name": "booking_date", "logicalType": "date", "physicalType": "date", "classification": "public"}
        columns.append({**day, "partitioned": True, "partitionKeyPosition": 1})
    return {
        "name": name,
        "physicalName": name,
        "physicalType": "table",
        "description": f"Generated table {name}.",
        "properties": columns,
    }


def _column(rng: random.Random, position: int) -> Json:
    kind = rng.choices(("public", "internal", "confidential", "restricted", None), weights=(15, 60, 12, 5, 8))[0]
    column: Json = {
        "name": f"column_{position:04}",
        "logicalType": "string",
        "physicalType": rng.choice(TYPES),
    }
    if rng.random() < 0.3:
        column["description"] = f"Generated column {position}."
    if kind is not None:
        column["classification"] = kind
    if kind in {"confidential", "restricted"}:
        column["customProperties"] = [{"property": "personalData", "value": "email"}]
    return column


# ----------------------------------------------------------------------------------------------------------- grants
def _grants(shape: Shape, products: list[ProductPlan], *, exceed: bool) -> Iterator[tuple[str, Json]]:
    """Grants of all domains. The biggest consumer comes first; the others share the rest."""
    yield from _grants_of_the_largest(shape, products, exceed=exceed)
    rest = _shares(shape.grants - shape.largest_consumer, shape.consumers - 1)
    for number, count in enumerate(rest, start=1):
        chosen = random.Random(f"{shape.seed}/{number}").sample(products, count)
        for position, product in enumerate(chosen):
            direct = position % 6 == 5
            yield product.domain, _grant(number, product, principal=position % 3 if direct else None)


def _grants_of_the_largest(shape: Shape, products: list[ProductPlan], *, exceed: bool) -> Iterator[tuple[str, Json]]:
    """Every third a grant to its account; one by tag in ten domains; the others straight to one of eight principals."""
    chosen = random.Random(f"{shape.seed}/largest").sample(products, shape.largest_consumer)
    for position, product in enumerate(chosen):
        if exceed or position < shape.largest_consumer // 4:
            yield product.domain, _grant(0, product)
        elif position < shape.largest_consumer // 4 + shape.domains // 2:
            domain = _domain_name(position % shape.domains)
            yield domain, _by_tag(position, domain)
        else:
            yield product.domain, _grant(0, product, principal=position % _CONSUMER_PRINCIPALS)


def _grant(consumer: int, product: ProductPlan, principal: int | None = None) -> Json:
    to = _consumer_name(consumer) + ("" if principal is None else f"/{_principal_name(principal)}")
    sensitivity = ["public", "internal"] + ([] if principal is None else ["confidential"])
    return {
        "id": f"{product.name.replace('_product_', '-')}-{to.replace('/', '-')}".replace("_", "-"),
        "product": product.name,
        "to": to,
        "access": "read",
        "sensitivity": sensitivity,
        **_decision(product.domain),
    }


def _by_tag(position: int, domain: str) -> Json:
    process = PROCESSES[position % len(PROCESSES)]
    return {
        "id": f"{domain}-{process}-{_consumer_name(0)}",
        "tags": {"process": [process]},
        "to": _consumer_name(0),
        "access": "read",
        "sensitivity": ["public", "internal"],
        **_decision(domain),
    }


def _decision(domain: str) -> Json:
    return {
        "purpose": "Generated.",
        "requestedBy": "requester@bench.example",
        "approvedBy": _approver(int(domain.removeprefix("domain"))),
        "approvedAt": "2026-01-15",
        "ticket": "BENCH-1",
    }


def _consumer(number: int, grants: list[Json]) -> Json:
    principals = _CONSUMER_PRINCIPALS if number == 0 else 3
    account = _account(500 + number)
    own = [grant["id"] for grant in grants if grant["to"] == _consumer_name(number)]
    return {
        "account": account,
        "administrators": [f"arn:aws:iam::{account}:role/DataAdmin"],
        "principals": {
            _principal_name(principal): {"role": f"arn:aws:iam::{account}:role/Principal{principal}"}
            for principal in range(principals)
        },
        "assignments": [
            {"grant": grant, "principals": [_principal_name(position % principals)]}
            for position, grant in enumerate(own)
        ],
    }


# ------------------------------------------------------------------------------------------------------------ names
def _account(number: int) -> str:
    return f"{number:012}"


def _producer_name(number: int) -> str:
    return f"producer{number:02}"


def _domain_name(number: int) -> str:
    return f"domain{number:02}"


def _consumer_name(number: int) -> str:
    return f"consumer{number:02}"


def _principal_name(number: int) -> str:
    return f"team{number}"


def _bucket(producer: int) -> str:
    return f"bench-lake-{producer:02}"


def _database(domain: int, layer: str) -> str:
    return f"{_domain_name(domain)}_{layer}"


def _approver(domain: int) -> str:
    return f"approver{domain:02}@bench.example"


class _Dumper(yaml.CSafeDumper):
    """Puts digits in quotes always: PyYAML leaves 000000000508 bare, which YAML 1.2 reads as a number."""


def _text(dumper: yaml.CSafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"' if value.isdigit() else None)


_Dumper.add_representer(str, _text)


def _write(path: Path, content: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


def main() -> None:
    """Write a mesh into the directory that the command line names."""
    parser = argparse.ArgumentParser(description="Generate the benchmark mesh.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--exceed", action="store_true", help="exceed the 50 LF-Tag expressions a principal")
    arguments = parser.parse_args()
    generate(arguments.directory, exceed=arguments.exceed)
    print(f"Wrote {arguments.directory}.")


if __name__ == "__main__":
    main()
