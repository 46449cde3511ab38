"""Chapters of `lakemesh demo`, played without the others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from lakemesh.cli.main import main; main()", "demo", "--format", "json"]


def test_a_new_table_is_classified_and_read_by_those_who_may_without_any_chapter_before(mesh: Path) -> None:
    before = {path: path.read_bytes() for path in mesh.rglob("*") if path.is_file()}
    ended = subprocess.run(
        [*COMMAND, "--mesh", str(mesh), "--chapter", "classification"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert set(told["chapters"]) == {"classification"}
    chapter = told["chapters"]["classification"]
    assert [one for one in chapter["checks"] if not one["holds"]] == []
    found = {one["claim"]: one["found"] for one in chapter["checks"]}
    assert found["an unreviewed column is refused to everybody"] == "5 of 5 are refused"
    assert found["email (confidential) is read by exactly those whose grant names confidential"] == (
        "treasury/payments; 4 others are refused"
    )
    assert len(found) == 4
    assert any("procurement_raw.demo_contacts" in text for text in chapter["said"])
    # The chapter edits contracts and reviews of a scratch copy.
    assert {path: path.read_bytes() for path in mesh.rglob("*") if path.is_file()} == before
