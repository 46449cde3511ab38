"""Grants that a producer has in Lake Formation already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lakemesh.access.check import load_mesh
from lakemesh.onboard.facts import PermissionFacts
from lakemesh.onboard.producer_plan import plan_producer
from lakemesh.onboard.proposal import Proposal, write
from tests.onboard.given import database, empty_mesh, facts, grant, table, wanted
from tests.onboard.unprepared import ANALYST, CENTRAL, CONSUMER, PRODUCER, STRANGER

A = {"Table": {"DatabaseName": "harvest", "Name": "a", "CatalogId": PRODUCER}}
CONSUMER_FILE = f"""\
account: "{CONSUMER}"
principals:
  analyst:
    role: {ANALYST}
"""


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    """A mesh with one consumer."""
    directory = empty_mesh(tmp_path / "mesh")
    text = (directory / "mesh.yaml").read_text()
    entry = f'consumers:\n  reporting:\n    account: "{CONSUMER}"\n    owner: "@example/reporting"'
    (directory / "mesh.yaml").write_text(text.replace("consumers: {}", entry))
    (directory / "consumers/reporting.yaml").write_text(CONSUMER_FILE)
    return directory


def plan(mesh: Path, *permissions: PermissionFacts) -> Proposal:
    given = facts(database(table("a"), table("b")), permissions=permissions)
    return plan_producer(mesh, load_mesh(mesh), given, wanted())


def file(proposal: Proposal, name: str) -> str:
    return next((change.after for change in proposal.changes if change.name == name), "")


@pytest.mark.parametrize(
    ("permission", "identifier"),
    [
        (grant(CONSUMER, A, "SELECT"), "imported-a-reporting-read"),
        (grant(ANALYST, A, "SELECT", "DESCRIBE"), "imported-a-reporting-analyst-read"),
        (grant(CONSUMER, A, "DESCRIBE"), "imported-a-reporting-discover"),
        (grant(CONSUMER, {"Table": {"DatabaseName": "harvest", "TableWildcard": {}}}, "SELECT"), "imported-b-reporting-read"),
        (grant(ANALYST, {"TableWithColumns": {"DatabaseName": "harvest", "Name": "a", "ColumnNames": ["id"]}}, "SELECT"), "imported-a-reporting-analyst-read"),
    ],
)  # fmt: skip
def test_a_grant_that_the_mesh_could_make_is_proposed_in_comments(
    mesh: Path, permission: PermissionFacts, identifier: str
) -> None:
    text = file(plan(mesh, permission), "grants/harvest.yaml")
    assert f"# - id: {identifier}\n" in text
    assert all(line.startswith(("#", "grants: []")) or not line for line in text.splitlines())


@pytest.mark.parametrize(
    ("permission", "why"),
    [
        (grant(STRANGER, A, "SELECT"), "is no consumer of the mesh"),
        (grant(ANALYST.replace("HarvestAnalyst", "Other"), A, "SELECT"), "no principal of consumer reporting"),
        (grant(f"arn:aws:organizations::{STRANGER}:organization/o-orchard0001", A, "SELECT"), "to an organization"),
        (grant(CONSUMER, A, "INSERT"), "lets others change tables"),
        (grant(CONSUMER, {"Database": {"Name": "harvest"}}, "DESCRIBE"), "on the database alone"),
        (grant(CONSUMER, {"LFTagPolicy": {"ResourceType": "TABLE", "Expression": []}}, "SELECT"), "LF-Tag expression"),
        (grant(CONSUMER, {"DataLocation": {"ResourceArn": "arn:aws:s3:::x"}}, "DATA_LOCATION_ACCESS"), "data location"),
        (grant(CONSUMER, {"Table": {"DatabaseName": "raw", "Name": "x"}}, "SELECT"), "in no product"),
        (grant(CENTRAL, A, "SELECT"), "governance account"),
        (grant(f"arn:aws:iam::{PRODUCER}:role/Writer", A, "SELECT"), "the producer's own account"),
    ],
)
def test_a_grant_without_a_place_is_a_note_with_its_reason(mesh: Path, permission: PermissionFacts, why: str) -> None:
    proposal = plan(mesh, permission)
    assert why in file(proposal, "onboarding/orchards.md")
    assert file(proposal, "grants/harvest.yaml") == ""


def test_iam_allowed_principals_is_no_grant_to_anybody(mesh: Path) -> None:
    assert file(plan(mesh, grant("IAM_ALLOWED_PRINCIPALS", A, "ALL")), "onboarding/orchards.md") == ""


def test_nothing_imported_is_in_force(mesh: Path) -> None:
    write(mesh, plan(mesh, grant(CONSUMER, A, "SELECT")).changes)
    assert load_mesh(mesh).grants["harvest"] == ()


def test_what_was_declined_is_not_proposed_again_and_notes_of_people_stay(mesh: Path) -> None:
    write(mesh, plan(mesh, grant(CONSUMER, A, "SELECT"), grant(STRANGER, A, "SELECT")).changes)
    (mesh / "grants/harvest.yaml").write_text("grants: []\n")
    page = mesh / "onboarding/orchards.md"
    edited = page.read_text().replace("- [ ]", "- [x] seen by Olga:", 1)
    page.write_text(edited)
    assert plan(mesh, grant(CONSUMER, A, "SELECT"), grant(STRANGER, A, "SELECT")).changes == []
    more: dict[str, Any] = {"Database": {"Name": "harvest"}}
    proposal = plan(mesh, grant(CONSUMER, A, "SELECT"), grant(STRANGER, more, "DESCRIBE"))
    assert [change.name for change in proposal.changes] == ["onboarding/orchards.md"]
    assert proposal.changes[0].after.startswith(edited.rstrip())


def test_existing_grants_of_people_stay_above_what_is_proposed(mesh: Path) -> None:
    write(mesh, plan(mesh).changes)
    mine = "# ours\ngrants: []\n"
    (mesh / "grants/harvest.yaml").write_text(mine)
    assert file(plan(mesh, grant(CONSUMER, A, "SELECT")), "grants/harvest.yaml").startswith(mine)
