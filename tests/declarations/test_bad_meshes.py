"""Every failure class has a mesh in bad/: what differs from the good mesh, and exactly what is said about it and where.

A folder holds `mesh/` (files laid over the good mesh), `removed.txt` (files that are missing), and `expected.txt` (every
problem as people see it, with its rule in brackets).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.declarations.meshes import BAD, check, copy

CASES = sorted(path.name for path in BAD.iterdir())


def broken(case: str, directory: Path) -> Path:
    mesh = copy(directory)
    if (BAD / case / "mesh").is_dir():  # git keeps no empty folders: a case may consist of what it removes
        shutil.copytree(BAD / case / "mesh", mesh, dirs_exist_ok=True)
    removed = BAD / case / "removed.txt"
    for name in removed.read_text(encoding="utf-8").split() if removed.exists() else []:
        (mesh / name).unlink()
    return mesh


@pytest.mark.parametrize("case", CASES)
def test_each_failure_is_told_with_its_place_its_cause_and_its_mend(case: str, tmp_path: Path) -> None:
    loaded = check(broken(case, tmp_path))
    found = "".join(f"{problem}  [{problem.rule}]\n" for problem in loaded.problems)
    assert found == (BAD / case / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_each_place_is_in_a_file_that_people_can_open(case: str, tmp_path: Path) -> None:
    mesh = broken(case, tmp_path)
    for problem in check(mesh).problems:
        path = mesh.parent / problem.file
        if not path.is_file():
            assert problem.rule in {"unknown-file", "no-mesh"}, f"{problem} points nowhere"
            continue
        lines = path.read_bytes().decode(errors="replace").split("\n")
        assert 1 <= problem.line <= len(lines), problem
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1, problem


def test_there_is_a_mesh_for_every_class_that_the_project_promises_to_refuse() -> None:
    promised = {
        "malformed-yaml",
        "unknown-key",
        "unknown-product",
        "unknown-consumer",
        "unknown-principal",
        "unknown-producer",
        "duplicate-grant-id",
        "wrong-types",
        "unreviewed-granted",
        "assignment-beyond-its-grant",
        "unreviewed-partition-key",
        "too-sensitive-partition-key",
        "two-sources-with-one-database-name",
        "prefix-inside-another-producers",
        "unquoted-account",
        "on-off-boolean",
        "duplicate-key",
        "alias-bomb",
    }
    assert promised <= set(CASES)


def test_nothing_is_declared_while_a_reference_dangles(tmp_path: Path) -> None:
    assert check(broken("unknown-product", tmp_path)).declarations is None


def test_a_rule_that_is_broken_does_not_hide_what_was_declared(tmp_path: Path) -> None:
    """So that what only shows in the expansion of grants is said in the same run."""
    loaded = check(broken("approved-by-a-stranger", tmp_path))
    assert loaded.problems
    assert loaded.declarations is not None


def test_problems_come_in_the_order_of_files_and_lines(tmp_path: Path) -> None:
    problems = check(broken("everything-at-once", tmp_path)).problems
    assert len({problem.file for problem in problems}) >= 5
    assert list(problems) == sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column))
