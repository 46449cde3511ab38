from __future__ import annotations

from pathlib import Path

from lakemesh.access.check import load_mesh
from lakemesh.declarations.models import Sensitivity
from lakemesh.demo.edit import edited_copy
from lakemesh.demo.expected import Edit

EDIT = Edit(
    withdraw=("ar-cash-application-finance-analytics",),
    widen={"ap-vendor-contacts-payments": (Sensitivity.RESTRICTED,)},
)


def test_a_withdrawn_grant_goes_with_its_assignments(mesh: Path, tmp_path: Path) -> None:
    copy, said = edited_copy(mesh, tmp_path / "scratch", EDIT)
    edited = load_mesh(copy)
    assert "ar-cash-application-finance-analytics" not in {grant.id for grant in edited.grants["ar"]}
    assignments = {assignment.grant for assignment in edited.consumers["finance-analytics"].assignments}
    assert "ar-cash-application-finance-analytics" not in assignments
    assert any("no longer assigned to ar-cash-application-finance-analytics" in text for text in said)


def test_a_widened_grant_keeps_what_it_had(mesh: Path, tmp_path: Path) -> None:
    copy, _ = edited_copy(mesh, tmp_path / "scratch", EDIT)
    (grant,) = [grant for grant in load_mesh(copy).grants["ap"] if grant.id == "ap-vendor-contacts-payments"]
    assert grant.sensitivity == tuple(Sensitivity)


def test_everything_else_is_as_people_wrote_it(mesh: Path, tmp_path: Path) -> None:
    copy, _ = edited_copy(mesh, tmp_path / "scratch", EDIT)
    before = (mesh / "grants" / "ap.yaml").read_text().splitlines()
    after = (copy / "grants" / "ap.yaml").read_text().splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old.split() != new.split()]
    assert len(changed) == 1
    assert "restricted" in changed[0][1]


def test_the_mesh_itself_is_not_touched(mesh: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in mesh.rglob("*.yaml")}
    edited_copy(mesh, tmp_path / "scratch", EDIT)
    assert {path: path.read_bytes() for path in mesh.rglob("*.yaml")} == before
