"""The published JSON Schemas: current, correct for the sample, and as strict as the models where they can be."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from lakemesh.declarations.schemas import schemas, text_of, write
from tests.declarations.meshes import GOOD, SAMPLE

PUBLISHED = Path(__file__).parents[2] / "schemas"
OF = {
    "mesh.yaml": "mesh",
    "tags.yaml": "tags",
    "exceptions.yaml": "exceptions",
    "grants": "grants",
    "consumers": "consumer",
    "products": "contract",
    "recommendations": "recommendations",
}
FILES = [path for mesh in (GOOD, SAMPLE) for path in sorted(mesh.rglob("*.yaml")) if path.name != "expected.yaml"]


def schema_of(path: Path, mesh: Path) -> dict:
    return schemas()[f"{OF[path.relative_to(mesh).parts[0]]}.schema.json"]


def as_json(path: Path) -> Any:
    def text(value: Any) -> str:
        assert isinstance(value, dt.date)
        return value.isoformat()

    return json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=text))


@pytest.mark.parametrize("name", schemas())
def test_each_published_schema_is_current(name: str) -> None:
    """After a change of the models: python -m lakemesh.declarations.schemas."""
    assert (PUBLISHED / name).read_text(encoding="utf-8") == text_of(schemas()[name])


@pytest.mark.parametrize("name", schemas())
def test_each_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas()[name])


def test_nothing_else_is_published() -> None:
    assert {path.name for path in PUBLISHED.iterdir()} == set(schemas())


def test_they_are_written_where_one_asks(tmp_path: Path) -> None:
    assert {path.name for path in write(tmp_path / "new")} == set(schemas())


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-3:]))
def test_every_file_of_the_meshes_here_is_as_its_schema_says(path: Path) -> None:
    mesh = GOOD if path.is_relative_to(GOOD) else SAMPLE
    jsonschema.Draft202012Validator(schema_of(path, mesh)).validate(as_json(path))


@pytest.mark.parametrize(
    ("schema", "broken"),
    [
        ("mesh", {"region": "eu-west-1"}),
        ("mesh", {"organization": {"id": "o-zzzz000011"}, "region": "eu-west-1", "central": {"account": 1}}),
        (
            "mesh",
            {"organization": {"id": "o-zzzz000011"}, "region": "eu-west-1", "central": {"account": "0" * 12}, "x": 1},
        ),
        ("tags", {"tags": {"Layer": {"values": ["raw"]}}}),
        ("exceptions", {"exceptions": [{"rule": "alarms-have-a-runbook", "resource": "x"}]}),
        ("grants", {"grants": [{"id": "x"}]}),
        ("recommendations", {"products": {"p": {"t": {"c": {"decision": "perhaps"}}}}}),
        ("consumer", {"account": "12"}),
        ("contract", {"apiVersion": "v2.2.2", "kind": "DataContract", "id": "x", "version": "1"}),
    ],
)
def test_a_schema_refuses_what_the_models_refuse(schema: str, broken: dict) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schemas()[f"{schema}.schema.json"]).validate(broken)


def test_an_editor_does_not_offer_unreviewed_in_a_grant() -> None:
    grant = schemas()["grants.schema.json"]["$defs"]["Grant"]
    assert "unreviewed" not in grant["properties"]["sensitivity"]["items"]["enum"]
