"""Pulumi's CLI in tests, with stand-ins for the plugins that it would download."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PULUMI = shutil.which("pulumi") or shutil.which("pulumi", path=str(ROOT / ".tools" / "bin"))

needs_pulumi = pytest.mark.skipif(
    PULUMI is None, reason="pulumi is neither on PATH nor in .tools/bin: `make tools` puts it there"
)


def project_in(tmp_path: Path) -> Path:
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


def environment(project: Path) -> dict[str, str]:
    """The CLI's environment: a state, a home and plugins of its own."""
    assert PULUMI is not None
    (project.parent / "state").mkdir(exist_ok=True)
    return {
        "HOME": str(project.parent),
        "PATH": f"{project.parent / 'bin'}:{Path(PULUMI).parent}:{os.environ['PATH']}",
        "PULUMI_BACKEND_URL": f"file://{project.parent / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def pulumi(project: Path, *arguments: str) -> str:
    """Run the CLI; fails with all that it said."""
    assert PULUMI is not None
    done = subprocess.run(
        [PULUMI, *arguments, "--non-interactive"],
        cwd=project, env=environment(project), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
