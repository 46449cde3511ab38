"""`lakemesh demo` as a person or a script runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from lakemesh.cli.main import main; main()", "demo"]


def demo(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, cwd=ROOT, env=env, timeout=400, check=False
    )


def test_the_demo_proves_the_sample_edits_it_and_proves_it_again(mesh: Path) -> None:
    # A person's profile, keys and endpoint of a real account have no part in it.
    ended = demo(
        "--mesh", str(mesh), "--format", "json", AWS_PROFILE="of-somebody", AWS_ENDPOINT_URL="http://127.0.0.1:9"
    )
    told = json.loads(ended.stdout)
    assert ended.returncode == 0, ended.stderr
    assert told["ok"] is True
    assert [proof["differences"] for proof in told["proofs"].values()] == [[], []]
    assert [one for chapter in told["chapters"].values() for one in chapter["checks"] if not one["holds"]] == []
    assert {name for name, chapter in told["chapters"].items() if chapter["checks"]} >= {
        "classification",
        "policies",
        "sync",
    }
    changed = {(one["principal"], one["table"]): (one["gained"], len(one["lost"])) for one in told["changes"]}
    assert changed == {
        ("finance-analytics/analyst", "ar_raw.remittance_advice"): ([], 4),
        ("finance-analytics/analyst", "ar_curated.cash_application"): ([], 8),
        ("finance-analytics/controller", "ar_raw.remittance_advice"): ([], 4),
        ("finance-analytics/controller", "ar_curated.cash_application"): ([], 8),
        ("treasury/payments", "procurement_raw.vendor_master"): (["iban"], 0),
    }
    analyst = next(
        one
        for one in told["proofs"]["as declared"]["tables"]
        if (one["principal"], one["table"]) == ("finance-analytics/analyst", "ar_curated.invoice")
    )
    assert analyst["columns"]["direct_debit_iban"]["actual"] == "denied"
    assert "COLUMN_NOT_FOUND" in analyst["columns"]["direct_debit_iban"]["refusal"]


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("grants/ar.yaml", "to: treasury\n", "to: tresury\n", 'Did you mean "treasury"?'),
        ("expected.yaml", "read: [vendor_name, country]", "read: [vendor_nam, country]", 'Did you mean "vendor_name"?'),
    ],
)
def test_a_mistake_in_the_mesh_starts_nothing(mesh: Path, file: str, old: str, new: str, said: str) -> None:
    text = (mesh / file).read_text()
    assert old in text
    (mesh / file).write_text(text.replace(old, new, 1))
    ended = demo("--mesh", str(mesh))
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Nothing was started" in ended.stderr
    assert ended.stdout == ""


def test_a_failure_is_told_to_tools_as_json_too(mesh: Path) -> None:
    (mesh / "expected.yaml").unlink()
    ended = demo("--mesh", str(mesh), "--format", "json")
    assert ended.returncode == 1
    told = json.loads(ended.stdout)
    assert told["ok"] is False
    assert "expected.yaml is missing" in told["error"]


def test_a_chapter_that_does_not_exist_is_misuse_and_the_others_are_named() -> None:
    ended = demo("--chapter", "edti")
    assert ended.returncode == 2
    assert 'Did you mean "edit"?' in ended.stderr


def test_a_directory_that_is_not_there_is_misuse(tmp_path: Path) -> None:
    ended = demo("--mesh", str(tmp_path / "nowhere"))
    assert ended.returncode == 2
    assert "is no directory" in ended.stderr
