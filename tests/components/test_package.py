"""The component package: its schema, its Construct, and an example in another language."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.components.given import arguments_of
from tests.components.plugin import Plugin, running

EXAMPLE = Path(__file__).parents[2] / "examples" / "consumer-in-yaml" / "Pulumi.yaml"
COMPONENTS = ("CentralAccount", "ConsumerAccount", "Domain", "ProducerAccount", "TableTags")


@pytest.fixture(scope="module")
def plugin() -> Iterator[Plugin]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def schema(plugin: Plugin) -> dict[str, Any]:
    return plugin.schema()


def test_the_schema_is_the_one_that_was_published(schema: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    assert schema == snapshot(extension_class=JSONSnapshotExtension)


def test_type_tokens_are_a_contract(schema: dict[str, Any]) -> None:
    assert sorted(schema["resources"]) == [f"lakemesh:index:{name}" for name in COMPONENTS]


def test_every_member_of_the_package_is_described(schema: dict[str, Any]) -> None:
    for kind in ("resources", "types"):
        for token, definition in schema[kind].items():
            for group in ("inputProperties", "properties"):
                for name, member in definition.get(group, {}).items():
                    assert member.get("description"), f"{token}.{name} has no docstring"


def test_consumers_need_no_schema_of_another_package(schema: dict[str, Any]) -> None:
    assert "aws.json" not in str(schema), (
        "a component takes or gives ARNs and names, never resources of another package"
    )


@pytest.mark.parametrize("component", COMPONENTS)
def test_construct_builds_each_component_under_the_given_provider(plugin: Plugin, component: str) -> None:
    plugin.monitor.requests.clear()

    outputs = plugin.construct(f"lakemesh:index:{component}", "given", camel(arguments_of(component)))

    registered = list(plugin.monitor.requests)
    assert f"lakemesh:index:{component}" in {request.type for request in registered}
    promised = set(plugin.schema()["resources"][f"lakemesh:index:{component}"]["required"])
    assert promised <= set(outputs), "what the schema promises is there"
    for request in registered:
        if request.custom:
            assert request.provider.endswith("::given::some-id"), f"{request.name} escapes the given provider"


def test_construct_gives_tagged_tables_in_the_schemas_words(plugin: Plugin) -> None:
    outputs = plugin.construct("lakemesh:index:TableTags", "words", camel(arguments_of("TableTags")))

    assert outputs["tables"][0]["partitionKeys"] == ["day"]
    assert outputs["tables"][0]["columns"] == {"day": {"sensitivity": "internal"}, "email": {}}


def test_numbers_arrive_as_integers_in_resources(plugin: Plugin) -> None:
    """The wire knows floats only, and AWS refuses `90.0` days."""
    plugin.monitor.requests.clear()
    plugin.construct("lakemesh:index:ConsumerAccount", "whole", camel(arguments_of("ConsumerAccount")))

    log_group = next(r for r in plugin.monitor.requests if r.type == "aws:cloudwatch/logGroup:LogGroup")
    assert log_group.object["retentionInDays"] == 90


def test_a_missing_argument_is_named(plugin: Plugin) -> None:
    arguments = camel(arguments_of("TableTags"))
    del arguments["product"]

    with pytest.raises(grpc.RpcError) as refused:
        plugin.construct("lakemesh:index:TableTags", "incomplete", arguments)

    assert "Missing required input 'product' on 'TableTags'" in str(refused.value.trailing_metadata())


def test_the_package_starts_from_its_own_folder_whatever_the_path() -> None:
    assert str(Path(__file__).parents[2] / "components") not in sys.path, "or this would prove nothing"
    with running() as started:
        assert started.schema()["name"] == "lakemesh"


def test_the_yaml_example_says_only_what_the_schema_knows(schema: dict[str, Any]) -> None:
    program = yaml.safe_load(EXAMPLE.read_text())
    used = [each for each in program["resources"].values() if each["type"].startswith("lakemesh:")]
    assert {each["type"] for each in used} == {"lakemesh:index:ConsumerAccount", "lakemesh:index:TableTags"}
    for resource in used:
        definition = schema["resources"][resource["type"]]
        conforms(
            resource["properties"],
            {"properties": definition["inputProperties"], "required": definition["requiredInputs"]},
            schema,
            resource["type"],
        )
        assert resource["options"]["providers"], "the default provider is disabled"


def test_the_yaml_example_is_what_construct_takes(plugin: Plugin) -> None:
    for name, resource in yaml.safe_load(EXAMPLE.read_text())["resources"].items():
        if resource["type"].startswith("lakemesh:"):
            plugin.construct(resource["type"], name, resource["properties"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"produkt": "orders"}, "produkt"),
        ({"tables": "order_line"}, "tables"),
        ({"tables": [{"database": "orders"}]}, "digest"),
    ],
)
def test_the_check_of_the_example_sees_mistakes(schema: dict[str, Any], change: dict[str, Any], message: str) -> None:
    definition = schema["resources"]["lakemesh:index:TableTags"]
    properties = {**camel(arguments_of("TableTags")), **change}

    with pytest.raises(AssertionError, match=message):
        conforms(
            properties,
            {"properties": definition["inputProperties"], "required": definition["requiredInputs"]},
            schema,
            "TableTags",
        )


def conforms(value: Any, definition: dict[str, Any], schema: dict[str, Any], path: str) -> None:
    """Whether a value of a YAML program is what a Pulumi schema allows; an AssertionError says where it is not."""
    if "$ref" in definition:
        return conforms(value, schema["types"][definition["$ref"].removeprefix("#/types/")], schema, path)
    if "properties" in definition:
        assert isinstance(value, dict), f"{path}: not an object"
        assert set(value) <= set(definition["properties"]), f"{path}: {set(value) - set(definition['properties'])}"
        assert set(definition.get("required", ())) <= set(value), f"{path}: {definition['required']} are required"
        for key, each in value.items():
            conforms(each, definition["properties"][key], schema, f"{path}.{key}")
        return None
    python = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict}
    assert isinstance(value, python[definition["type"]]), f"{path}: {value!r} is no {definition['type']}"
    items = definition.get("items") or definition.get("additionalProperties")
    each_value = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in each_value:
        conforms(each, items, schema, f"{path}[{key}]")
    return None


def camel(value: Any, *, keys: bool = True) -> Any:
    """Arguments as they go over the wire. Names inside maps, such as columns, stay as they are."""
    if isinstance(value, list):
        return [camel(each) for each in value]
    if not isinstance(value, dict):
        return value
    maps = {"columns", "tags", "expression", "ontology"}
    return {(_camel(key) if keys else key): (each if key in maps else camel(each)) for key, each in value.items()}


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)
