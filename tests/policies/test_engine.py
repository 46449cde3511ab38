"""The real engine refuses a bad preview with the pack: exit code and message."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.policies.baseline import PROGRAMS
from tests.policies.corpus import bad
from tests.policies.mesh import configuration
from tests.policies.record import ROOT
from tests.workflows import cli
from tests.workflows.cli import needs_pulumi, project_in
from tests.workflows.test_preview_engine import serving


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose engine starts the pack in this interpreter, as a language host would in the pack's own."""
    made = project_in(tmp_path)
    # Without a language host the engine starts a pack by a plugin on PATH; the stand-in for one cannot start packs.
    (tmp_path / "bin" / "pulumi-language-python").unlink()
    plugin = tmp_path / "bin" / "pulumi-analyzer-policy-python"
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" -u -W ignore -m pulumi.policy "$1" "$2"\n')
    plugin.chmod(0o755)
    return made


def preview(project: Path, program: Callable[[], None], config: Mapping[str, Any]) -> tuple[int, str]:
    """Exit code and output of a preview with the pack."""
    file = project.parent / "guardrails.json"
    file.write_text(json.dumps(config))
    cli.pulumi(project, "stack", "init", "test")
    with serving(program) as client:
        done = subprocess.run(
            [
                str(cli.PULUMI), "preview", "--stack", "test", "--non-interactive", client,
                "--policy-pack", str(ROOT / "policies"), "--policy-pack-config", str(file),
            ],
            cwd=project, env=cli.environment(project), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@needs_pulumi
@pytest.mark.parametrize("name", ["grant_of_all", "database_without_sensitivity"])
def test_the_engine_refuses_a_bad_preview(project: Path, name: str) -> None:
    """By a rule about a resource, and by one about the stack."""
    program = bad(name)
    module = importlib.import_module(f"tests.policies.bad.{name}")

    code, said = preview(project, module.program, program.config)

    assert code != 0, said
    refused = [line for line in said.splitlines() if "[mandatory]" in line]
    assert len(refused) == 1, said
    assert program.rule in refused[0]
    assert program.resource in refused[0]


@needs_pulumi
@pytest.mark.parametrize("name", ["central", "domain", "consumer"])
def test_the_engine_passes_a_good_preview(project: Path, name: str) -> None:
    code, said = preview(project, PROGRAMS[name], configuration())

    assert code == 0, said
    assert "[mandatory]" not in said


@needs_pulumi
def test_the_engine_says_once_that_there_is_no_manifest(project: Path) -> None:
    _, said = preview(project, PROGRAMS["operations"], {})

    assert said.count("The pack was given no manifest of the mesh") == 1, said
