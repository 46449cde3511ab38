"""The manifest: its content, its schema, and digests that change when and only when their part does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from lakemesh.declarations.manifest import manifest, source_digest, table_digest, to_json
from lakemesh.declarations.schemas import schemas
from tests.declarations.meshes import GOOD, ORDERS, SAMPLE, check, copy, edit

STAFF = "products/people/staff.odcs.yaml"


def of(mesh: Path) -> dict:
    loaded = check(mesh)
    assert loaded.problems == ()
    assert loaded.declarations is not None
    return manifest(loaded.declarations)


def digests(document: dict) -> dict[str, str]:
    parts = {f"source {twin}": source_digest(document, twin) for twin in document["sources"]}
    parts |= {f"table {key}": table_digest(document, *key.split(".")) for key in document["tables"]}
    return parts


def changed(tmp_path: Path, change: Callable[[Path], None]) -> set[str]:
    """Parts whose digest differs after a change, and `whole` if the manifest's own does."""
    mesh = copy(tmp_path)
    before = of(mesh)
    change(mesh)
    after = of(mesh)
    old, new = digests(before), digests(after)
    parts = {part for part in old.keys() | new.keys() if old.get(part) != new.get(part)}
    return parts | ({"whole"} if before["digest"] != after["digest"] else set())


@pytest.mark.parametrize("mesh", [GOOD, SAMPLE], ids=["good", "sample"])
def test_a_manifest_is_as_its_published_schema_says(mesh: Path) -> None:
    jsonschema.Draft202012Validator(schemas()["manifest.schema.json"]).validate(json.loads(to_json(of(mesh))))


def test_equal_declarations_are_equal_bytes() -> None:
    assert to_json(of(GOOD)) == to_json(of(GOOD))


def test_a_source_says_where_it_is_read_and_what_contracts_list_of_it() -> None:
    source = dict(of(GOOD)["sources"]["orders"])
    assert source.pop("digest")
    assert source == {
        "domain": "sales",
        "producer": "shop",
        "database": "orders",
        "prefixes": ["s3://acme-shop/orders/"],
        "tables": ["order_line", "order_totals"],
    }


def test_a_table_is_tagged_with_its_product_and_its_columns_with_their_sensitivity() -> None:
    table = of(GOOD)["tables"]["orders.order_line"]
    assert table["tags"] == {"product": "orders", "topic": "orders"}
    assert {column["name"]: column["sensitivity"] for column in table["columns"]} == {
        "order_id": "internal",
        "email": "confidential",
        "note": None,
        "day": "internal",
    }
    assert [column["partitionKey"] for column in table["columns"]] == [None, None, None, 1]


def test_a_view_is_as_sensitive_as_its_most_sensitive_column(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(
        mesh,
        ORDERS,
        "        physicalType: decimal(18,2)\n        classification: internal",
        "        physicalType: decimal(18,2)\n        classification: restricted",
    )
    assert of(mesh)["tables"]["orders.order_totals"]["tags"]["sensitivity"] == "restricted"


def test_a_view_with_an_unreviewed_column_has_no_sensitivity(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(
        mesh,
        ORDERS,
        "        physicalType: decimal(18,2)\n        classification: internal",
        "        physicalType: decimal(18,2)",
    )
    assert "sensitivity" not in of(mesh)["tables"]["orders.order_totals"]["tags"]


def test_nobody_reads_a_retired_product(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(mesh, ORDERS, "status: active", "status: retired")
    (mesh / "grants/sales.yaml").write_text("grants: []\n", encoding="utf-8")
    edit(mesh, "consumers/bi.yaml", "assignments:\n  - grant: orders-bi\n    principals: [analyst]\n", "")
    tables = of(mesh)["tables"]
    assert all(column["sensitivity"] is None for column in tables["orders.order_line"]["columns"])
    assert "sensitivity" not in tables["orders.order_totals"]["tags"]


def test_reviewing_a_column_changes_its_table_and_nothing_else(tmp_path: Path) -> None:
    def review(mesh: Path) -> None:
        edit(mesh, ORDERS, "      - name: note\n", "      - name: note\n        classification: internal\n")

    assert changed(tmp_path, review) == {"table orders.order_line", "whole"}


def test_another_type_in_a_contract_changes_its_source_so_that_a_schema_held_back_is_copied(tmp_path: Path) -> None:
    def retype(mesh: Path) -> None:
        edit(mesh, ORDERS, "        physicalType: decimal(18,2)\n", "        physicalType: decimal(20,2)\n")

    assert changed(tmp_path, retype) == {"source orders", "table orders.order_totals", "whole"}


def test_a_tag_of_a_product_changes_its_tables(tmp_path: Path) -> None:
    def tag(mesh: Path) -> None:
        edit(mesh, ORDERS, "{topic: orders}", "{topic: orders, layer: raw}")

    assert changed(tmp_path, tag) == {"table orders.order_line", "table orders.order_totals", "whole"}


def test_a_prefix_changes_its_source(tmp_path: Path) -> None:
    def prefix(mesh: Path) -> None:
        edit(mesh, "mesh.yaml", '["s3://acme-shop/raw/"]', '["s3://acme-shop/raw/", "s3://acme-shop/older/"]')

    assert changed(tmp_path, prefix) == {"source orders_raw", "whole"}


def test_a_table_that_a_contract_starts_to_list_changes_its_source(tmp_path: Path) -> None:
    def lists(mesh: Path) -> None:
        edit(mesh, STAFF, "schema:\n", "schema:\n  - name: badge\n    properties: []\n")

    assert changed(tmp_path, lists) == {"source staff", "table staff.badge", "whole"}


def test_how_a_producer_is_reached_changes_its_sources(tmp_path: Path) -> None:
    def governed(mesh: Path) -> None:
        edit(mesh, "mesh.yaml", "governance: iam", "governance: lake-formation")

    assert changed(tmp_path, governed) == {"source orders", "source orders_raw", "whole"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("grants/sales.yaml", "sensitivity: [public, internal]", "sensitivity: [internal]"),
        ("mesh.yaml", "approvers: [eve@acme.example]", "approvers: [eve@acme.example, fay@acme.example]"),
        ("mesh.yaml", "consumers:\n", "sync: {gracePeriodHours: 12}\nconsumers:\n"),
        (ORDERS, "version: 1.0.0", "version: 1.1.0"),
    ],
)
def test_what_no_source_or_table_says_changes_the_whole_alone(file: str, old: str, new: str, tmp_path: Path) -> None:
    assert changed(tmp_path, lambda mesh: edit(mesh, file, old, new)) == {"whole"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("mesh.yaml", "name: acme\n", "# a comment\nname: acme\n"),
        ("consumers/bi.yaml", "    principals: [analyst]\n", "    principals:\n      - analyst\n"),
        (
            ORDERS,
            "        physicalType: string\n        classification: internal",
            "        classification: internal\n        physicalType: string",
        ),
        (ORDERS, "status: active\n", "status: active\nsupport:\n  - channel: orders\n"),
        ("grants/sales.yaml", "purpose: Sales reports.", "purpose: Reports of sales."),
    ],
)
def test_what_the_manifest_does_not_say_changes_nothing(file: str, old: str, new: str, tmp_path: Path) -> None:
    assert changed(tmp_path, lambda mesh: edit(mesh, file, old, new)) == set()
