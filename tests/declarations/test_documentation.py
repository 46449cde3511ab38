"""docs/declarations.md: its examples are a valid mesh, and it leaves out no key and no rule."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lakemesh.access.check import problems
from lakemesh.declarations.odcs_pieces import CUSTOM_PROPERTIES
from lakemesh.declarations.schemas import schemas
from tests.declarations.meshes import HERE, TODAY

ROOT = HERE.parents[1]
PAGE = (ROOT / "docs" / "declarations.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```yaml\n# (mesh/\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SOURCES = [
    path.read_text(encoding="utf-8")
    for path in (*sorted((ROOT / "lakemesh" / "declarations").glob("*.py")), ROOT / "lakemesh/access/check_filters.py")
]


def keys(schema: Any) -> set[str]:
    found: set[str] = set()
    if isinstance(schema, dict):
        named = schema.get("properties", {})
        # A key may itself be called `properties`, as in contracts: then what is inside is a schema.
        found |= set(named) if all(isinstance(value, dict) for value in named.values()) else set()
        for value in schema.values():
            found |= keys(value)
    elif isinstance(schema, list):
        for value in schema:
            found |= keys(value)
    return found


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    for name, text in BLOCK.findall(PAGE):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "mesh"


def test_the_examples_are_one_valid_mesh(examples: Path) -> None:
    declarations, found = problems(examples, TODAY)
    assert found == ()
    assert declarations is not None
    assert list(declarations.products) == ["order_book"]


def test_there_is_an_example_of_each_kind_of_file(examples: Path) -> None:
    assert {path.relative_to(examples).parts[0] for path in examples.rglob("*.yaml")} == {
        "mesh.yaml",
        "tags.yaml",
        "exceptions.yaml",
        "products",
        "grants",
        "consumers",
        "recommendations",
    }


@pytest.mark.parametrize("schema", ["mesh", "tags", "exceptions", "grants", "consumer", "contract", "recommendations"])
def test_every_key_is_on_the_page(schema: str) -> None:
    missing = {key for key in keys(schemas()[f"{schema}.schema.json"]) if not re.search(rf"\b{re.escape(key)}\b", PAGE)}
    assert missing == set()


def test_every_custom_property_that_is_read_is_on_the_page() -> None:
    assert all(f"`{name}`" in PAGE for name in CUSTOM_PROPERTIES)


def test_every_rule_is_on_the_page_and_no_other() -> None:
    written = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", PAGE.split("## What is refused")[1]))
    used = set(re.findall(r'"((?:[a-z0-9]+-)+[a-z0-9]+)"', "\n".join(SOURCES)))
    assert written - used == set(), "the page names rules that nothing uses"
    told = set()
    for expected in (HERE / "bad").glob("*/expected.txt"):
        told |= set(re.findall(r"\[((?:[a-z0-9]+-)+[a-z0-9]+)\]$", expected.read_text(encoding="utf-8"), re.MULTILINE))
    assert told - written == set(), "the page leaves out rules"


def test_the_page_is_as_wide_as_the_others() -> None:
    """Prose breaks at 140 characters; tables cannot."""
    for line in PAGE.splitlines():
        assert len(line) <= 140 or line.startswith("|"), line


def test_yaml_of_the_page_is_what_a_plain_reader_reads() -> None:
    for name, text in BLOCK.findall(PAGE):
        assert isinstance(yaml.safe_load(text), dict), name
