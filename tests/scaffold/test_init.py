"""`lakemesh init`: an empty mesh, whose examples make up a whole one."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lakemesh.access.check import load_mesh
from lakemesh.cli.init import init
from lakemesh.scaffold.mesh import EXAMPLE, ScaffoldError, Settings, scaffold

SETTINGS = Settings("orchard", "o-orchard0001", "eu-north-1", "210000000001")
app = typer.Typer()
app.command()(init)


@pytest.mark.parametrize("settings", [Settings(), SETTINGS])
def test_an_empty_mesh_validates_with_and_without_settings(tmp_path: Path, settings: Settings) -> None:
    scaffold(tmp_path / "mesh", settings)
    assert load_mesh(tmp_path / "mesh").products == {}


def test_the_examples_taken_into_use_are_a_valid_mesh(tmp_path: Path) -> None:
    mesh = tmp_path / "mesh"
    scaffold(mesh, SETTINGS)
    for name in ("mesh.yaml", "tags.yaml"):
        lines = (mesh / name).read_text().splitlines()
        used = [line.removesuffix(" {}") if line.endswith(": {}") else line for line in lines]
        (mesh / name).write_text("\n".join(line[1:] if line.startswith("#   ") else line for line in used))
    for example in mesh.rglob(f"*{EXAMPLE}"):
        example.rename(example.with_suffix(""))
    declarations = load_mesh(mesh)
    assert list(declarations.grants["sales"]) != []
    assert list(declarations.consumers["reporting"].assignments) != []
    assert "layer" in declarations.tags


def test_a_directory_that_is_not_empty_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(ScaffoldError, match="is not empty"):
        scaffold(tmp_path, SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_settings_that_no_mesh_can_have_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(ScaffoldError, match=r"organization\.id"):
        scaffold(tmp_path / "mesh", Settings(organization="orchard"))
    assert not (tmp_path / "mesh").exists()


def test_placeholders_are_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(tmp_path / "mesh"), "--region", "eu-north-1"])
    assert result.exit_code == 0
    assert "organization.id, central.account" in result.output


def test_the_command_refuses_with_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    result = CliRunner().invoke(app, [str(tmp_path)])
    assert result.exit_code == 1
    assert "not empty" in result.stderr
