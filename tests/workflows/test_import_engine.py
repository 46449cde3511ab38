"""`pulumi import` itself takes the file: its parser, its parents, its providers, the URNs that it makes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lakemesh.declarations.models import Declarations
from lakemesh.deploy.import_file import build
from tests.conftest import ROOT
from tests.workflows.test_import import KEY, place, recorded

PULUMI = shutil.which("pulumi") or shutil.which("pulumi", path=str(ROOT / ".tools" / "bin"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose language host and provider are stand-ins, so that no plugin is downloaded."""
    (tmp_path / "bin").mkdir()
    for program, role in (("pulumi-language-python", "language"), ("pulumi-resource-aws", "aws")):
        script = tmp_path / "bin" / program
        script.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("engine_stubs.py")}" {role}\n'
        )
        script.chmod(0o755)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "Pulumi.yaml").write_text("name: lakemesh\nruntime: python\n")
    return tmp_path / "project"


def pulumi(project: Path, *arguments: str) -> str:
    """Run the CLI with a state of its own; fails with all that it said."""
    assert PULUMI is not None
    (project.parent / "state").mkdir(exist_ok=True)
    environment = {
        "HOME": str(project.parent),
        "PATH": f"{project.parent / 'bin'}:{Path(PULUMI).parent}:{os.environ['PATH']}",
        "PULUMI_BACKEND_URL": f"file://{project.parent / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    done = subprocess.run(
        [PULUMI, *arguments, "--non-interactive"],
        cwd=project, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(PULUMI is None, reason="pulumi is neither on PATH nor in .tools/bin: `make tools` puts it there")
@pytest.mark.parametrize("stack", ["central", "consumer-treasury"])
def test_pulumi_imports_the_file_under_the_urns_of_the_program(sample: Declarations, project: Path, stack: str) -> None:
    registered = recorded(sample, stack)
    made = build(registered, place(sample, stack), {"central-catalog-key-key": KEY})
    (project / "import.json").write_text(json.dumps(made.document))
    pulumi(project, "stack", "init", stack)
    pulumi(
        project,
        "import",
        "--stack",
        stack,
        "--file",
        "import.json",
        "--generate-code=false",
        "--protect=false",
        "--yes",
    )
    state = json.loads(pulumi(project, "stack", "export", "--stack", stack))["deployment"]["resources"]
    found = {each["urn"]: each for each in state if each["type"] != "pulumi:pulumi:Stack"}
    program = {each.urn: each for each in registered}
    assert found.keys() <= program.keys()
    assert {each.urn for each in made.imported} <= found.keys()
    for urn, each in found.items():
        wanted = program[urn]
        assert not each.get("protect")
        assert each.get("provider", "").rpartition("::")[0] == wanted.provider
        if wanted.parent:
            assert each["parent"] == wanted.parent
