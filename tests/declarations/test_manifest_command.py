"""`lakemesh manifest`."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from lakemesh.cli.main import app
from tests.declarations.meshes import copy


def test_the_manifest_is_written_as_a_policy_pack_reads_it(tmp_path: Path) -> None:
    mesh, file = copy(tmp_path), tmp_path / "manifest.json"
    done = CliRunner().invoke(app, ["manifest", "--mesh", str(mesh), "--output", str(file)])
    assert done.exit_code == 0, done.output
    assert json.loads(file.read_text(encoding="utf-8"))["version"] == 1
    assert CliRunner().invoke(app, ["manifest", "--mesh", str(mesh)]).stdout == file.read_text(encoding="utf-8")


def test_an_invalid_mesh_has_no_manifest(tmp_path: Path) -> None:
    mesh, file = copy(tmp_path), tmp_path / "manifest.json"
    (mesh / "tags.yaml").write_text("tags: [", encoding="utf-8")
    done = CliRunner().invoke(app, ["manifest", "--mesh", str(mesh), "--output", str(file)])
    assert done.exit_code == 1
    assert "tags.yaml:1" in done.output
    assert not file.exists()
