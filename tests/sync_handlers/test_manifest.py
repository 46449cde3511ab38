from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from sync_handlers.errors import ManifestError, NotDeployedError
from sync_handlers.manifest import load, parse
from tests.sync_handlers.tables import document, manifest, orders_contract


def test_the_manifest_is_read_as_values() -> None:
    read = manifest(orders_contract(email=("string", None)))
    assert read.account == "999900001111"
    assert read.keys == {"domain", "product", "sensitivity", "layer"}
    table = read.tables["sales_raw.orders"]
    assert table.by_name["id"].tags == {"sensitivity": "internal"}
    assert table.by_name["email"].tags == {}, "nothing is set on what nobody reviewed"
    assert table.by_name["day"].partition_key == 1


def test_a_column_carries_its_own_tags_beside_its_sensitivity() -> None:
    listed = orders_contract()
    listed["columns"][0]["tags"] = {"layer": "raw"}
    assert manifest(listed).tables["sales_raw.orders"].by_name["id"].tags == {"layer": "raw", "sensitivity": "internal"}


@pytest.mark.parametrize("version", [0, 2, "1", None, True, 1.5])
def test_another_version_is_refused_with_what_to_deploy(version: Any) -> None:
    with pytest.raises(ManifestError, match=r"read version 1.*pulumi up --stack central"):
        parse({**document(), "version": version})


@pytest.mark.parametrize("value", [[], None, "text", 1])
def test_what_is_no_object_is_refused(value: Any) -> None:
    with pytest.raises(ManifestError):
        parse(value)


@pytest.mark.parametrize(
    "path",
    [("mesh",), ("central", "account"), ("producers", "shop", "readerRole"), ("sources", "sales_raw", "prefixes"),
     ("tables", "sales_raw.orders", "columns"), ("tables", "sales_raw.orders", "kind"), ("ontology",), ("domains", "sales", "stack")],
)  # fmt: skip
def test_a_missing_field_is_named(path: tuple[str, ...]) -> None:
    broken = copy.deepcopy(document(orders_contract()))
    place: Any = broken
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    with pytest.raises(ManifestError, match=path[-1]):
        parse(broken)


def test_fields_of_a_later_compiler_are_ignored() -> None:
    assert parse({**document(), "policies": {"new": True}}).mesh == "shopmesh"


def test_a_column_whose_tag_is_not_its_sensitivity_is_refused() -> None:
    listed = orders_contract()
    listed["columns"][0]["tags"] = {"sensitivity": "public"}
    with pytest.raises(ManifestError, match="'public' is not its sensitivity 'internal'"):
        manifest(listed)


def test_a_kind_that_is_neither_table_nor_view_is_refused() -> None:
    with pytest.raises(ManifestError, match="neither table nor view"):
        manifest({**orders_contract(), "kind": "topic"})


def test_a_bundle_without_its_manifest_says_so(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="bundled without its manifest"):
        load(tmp_path / "manifest.json")


def test_a_manifest_that_is_no_json_says_so(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(ManifestError, match="not a readable manifest"):
        load(tmp_path / "manifest.json")


def test_a_manifest_on_disk_is_read(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(document()), encoding="utf-8")
    assert load(tmp_path / "manifest.json") == parse(document())


@pytest.mark.parametrize(("twin", "digest"), [("sales_raw", "newer"), ("elsewhere", "source-digest")])
def test_a_source_that_differs_from_the_invocation_asks_for_central_first(twin: str, digest: str) -> None:
    with pytest.raises(NotDeployedError, match=rf"{twin}.*deploy stack central first \(pulumi up --stack central\)"):
        manifest().source(twin, digest)


def test_a_key_is_split_at_the_name_of_its_twin_even_where_names_hold_dots() -> None:
    two = document()
    two["sources"]["sales_raw.eu"] = {**two["sources"]["sales_raw"], "database": "sales_raw.eu"}
    read = parse(two)
    assert read.split("sales_raw.orders") == ("sales_raw", "orders")
    assert read.split("sales_raw.eu.orders") == ("sales_raw.eu", "orders")
    assert read.split("gone.orders") == ("gone", "orders")


def test_the_manifest_of_the_sample_is_understood() -> None:
    """Compiler and reader are written apart; this holds them together."""
    from lakemesh.access.check import load_mesh
    from lakemesh.declarations import manifest as compiler

    compiled = compiler.manifest(load_mesh(Path(__file__).parents[2] / "mesh"))
    read = parse(json.loads(compiler.to_json(compiled)))
    assert read.tables.keys() == compiled["tables"].keys()
    for twin in read.sources:
        assert read.source(twin, compiler.source_digest(compiled, twin)).prefixes
    reviewed = [column for table in read.tables.values() for column in table.columns if column.reviewed]
    assert reviewed
    assert all("sensitivity" in column.tags for column in reviewed)
