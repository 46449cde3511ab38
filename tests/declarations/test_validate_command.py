"""`lakemesh validate`: what it prints where, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import typer
from typer.testing import CliRunner, Result

from lakemesh.cli import validate as command
from tests.declarations.meshes import GOOD, copy, edit

# What code review tools need of SARIF 2.1.0 (OASIS standard, sections 3.13 to 3.30).
SARIF = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name", "version", "rules"],
                                "properties": {
                                    "rules": {"type": "array", "items": {"type": "object", "required": ["id"]}}
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
                            "properties": {
                                "level": {"enum": ["error"]},
                                "message": {"type": "object", "required": ["text"]},
                                "locations": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {
                                        "type": "object",
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "type": "object",
                                                "required": ["artifactLocation", "region"],
                                                "properties": {
                                                    "region": {
                                                        "type": "object",
                                                        "required": ["startLine", "startColumn"],
                                                        "properties": {
                                                            "startLine": {"type": "integer", "minimum": 1},
                                                            "startColumn": {"type": "integer", "minimum": 1},
                                                        },
                                                    }
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command.validate)
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    mesh = copy(tmp_path)
    edit(mesh, "grants/sales.yaml", "to: bi\n", "to: bii\n")
    edit(mesh, "consumers/ops.yaml", "principals: [facility]", "principals: [facilities]")
    return mesh


def test_a_valid_mesh_is_said_to_be_with_what_it_declares() -> None:
    result = run("--mesh", str(GOOD))
    assert result.exit_code == 0
    assert result.stdout == (
        f"{GOOD} is valid: 2 producers, 2 domains, 2 consumers, 2 products, 3 tables, 8 columns (1 unreviewed), 3 grants.\n"
    )


def test_problems_are_listed_and_counted(broken: Path) -> None:
    result = run("--mesh", str(broken))
    assert result.exit_code == 1
    assert (
        'mesh/grants/sales.yaml:4:5  grants[0].to: Consumer "bii" is not in mesh/mesh.yaml. Did you mean "bi"?'
        in result.stdout
    )
    assert result.stdout.endswith("\nFound 2 problems in 2 files.\n")


def test_json_holds_every_problem_and_nothing_else(broken: Path) -> None:
    result = run("--mesh", str(broken), "--format", "json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["valid"] is False
    assert document["problems"][1] == {
        "file": "mesh/grants/sales.yaml",
        "line": 4,
        "column": 5,
        "path": "grants[0].to",
        "message": 'Consumer "bii" is not in mesh/mesh.yaml. Did you mean "bi"?',
        "rule": "unknown-reference",
    }


def test_json_of_a_valid_mesh_says_what_it_declares() -> None:
    document = json.loads(run("--mesh", str(GOOD), "--format", "json").stdout)
    assert document["valid"] is True
    assert document["problems"] == []
    assert document["summary"]["grants"] == 3


def test_sarif_points_at_every_problem(broken: Path) -> None:
    result = run("--mesh", str(broken), "--format", "sarif")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    jsonschema.validate(document, SARIF)
    (only,) = document["runs"]
    rules = [rule["id"] for rule in only["tool"]["driver"]["rules"]]
    for finding in only["results"]:
        assert rules[finding["ruleIndex"]] == finding["ruleId"]
    place = only["results"][1]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "mesh/grants/sales.yaml"
    assert place["region"] == {"startLine": 4, "startColumn": 5}


def test_sarif_of_a_valid_mesh_has_no_results() -> None:
    result = run("--mesh", str(GOOD), "--format", "sarif")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    jsonschema.validate(document, SARIF)
    assert document["runs"][0]["results"] == []


@pytest.mark.parametrize("arguments", [["--mesh", "no/such/directory"], ["--format", "xml"], ["--no-such-option"]])
def test_misuse_is_told_apart_from_findings(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_a_long_check_says_so_on_the_error_stream_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_SLOW_SECONDS", 0.0)
    result = run("--mesh", str(GOOD), "--format", "json")
    assert json.loads(result.stdout)["valid"] is True


def test_a_quota_that_only_shows_in_the_expansion_is_found_too(tmp_path: Path) -> None:
    mesh = copy(tmp_path)
    edit(mesh, "mesh.yaml", "consumers:\n", "quotas:\n  expressionsPerPrincipal: 0\nconsumers:\n")
    result = run("--mesh", str(mesh))
    assert result.exit_code == 1
    assert "LF-Tag expressions" in result.stdout
