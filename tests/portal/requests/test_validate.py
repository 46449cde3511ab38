from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest

from lakemesh.declarations.errors import InvalidMeshError
from lakemesh.declarations.models import Access, Sensitivity
from lakemesh.portal.requests import commands
from lakemesh.portal.requests.fold import fold
from lakemesh.portal.requests.model import Ask, Person, Request
from lakemesh.portal.requests.rules import approval
from lakemesh.portal.requests.validate import InvalidAskError, Preview, assumed, preview
from lakemesh.portal.workspace import Workspace

NOW = dt.datetime(2026, 3, 9, 8, 30, tzinfo=dt.UTC)
MARA = Person("mara.lindner@acme.example", consumers=frozenset({"finance-analytics", "treasury"}))


@pytest.fixture
def workspace(mesh: Path) -> Workspace:
    return Workspace(mesh, lambda: NOW)


def ask(**changes: Any) -> Ask:
    values: dict[str, Any] = {
        "product": "vendor_payment",
        "to": "finance-analytics/analyst",
        "sensitivity": (Sensitivity.PUBLIC, Sensitivity.INTERNAL),
        "expires": dt.date(2026, 9, 30),
        "purpose": "Spend report.",
    }
    return Ask(**values | changes)


def request(workspace: Workspace, wanted: Ask) -> Request:
    needs = approval(workspace.mesh().declarations, wanted, MARA.email)
    made = fold(commands.submit("REQ-0000000001", wanted, MARA, needs, NOW, None)[:1])
    return assumed(made, needs.approvers)


def tried(workspace: Workspace, **changes: Any) -> Preview:
    return preview(workspace, request(workspace, ask(**changes)))


def test_a_preview_names_the_columns_that_would_become_readable_and_those_that_would_not(workspace: Workspace) -> None:
    found = tried(workspace)
    assert {gain.principal for gain in found.gains} == {"finance-analytics/analyst"}
    assert ("amount", "internal") in {(gain.column, gain.sensitivity) for gain in found.gains}
    assert "procurement_curated.vendor_payment.beneficiary_iban" in found.out_of_reach
    assert found.held == 0


def test_access_that_is_held_already_is_told(workspace: Workspace) -> None:
    found = tried(workspace, product="ar_invoice", sensitivity=(Sensitivity.INTERNAL,))
    assert found.nothing_new
    assert found.held == 8


def test_confidential_columns_come_by_the_direct_path(workspace: Workspace) -> None:
    levels = (Sensitivity.PUBLIC, Sensitivity.INTERNAL, Sensitivity.CONFIDENTIAL)
    assert "confidential" in {gain.sensitivity for gain in tried(workspace, sensitivity=levels).gains}


def test_discovery_gains_what_glue_shows(workspace: Workspace) -> None:
    found = tried(workspace, access=Access.DISCOVER, sensitivity=())
    assert len(found.gains) == 11


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"product": "vendr"}, "product", 'no product "vendr"'),
        ({"to": "finance-analytics/analist"}, "to", "analist"),
        (
            {"product": "vendor", "to": "finance-analytics", "sensitivity": (Sensitivity.CONFIDENTIAL,)},
            "sensitivity",
            "confi",
        ),
        ({"sensitivity": ()}, "", "sensitivity"),
        ({"expires": dt.date(2026, 3, 1)}, "expires", "2026-03-01"),
    ],
    ids=["no product", "no principal", "confidential to an account", "no sensitivity", "past"],
)
def test_what_the_yaml_would_refuse_is_refused_beside_its_field(
    workspace: Workspace, changes: dict[str, Any], field: str, said: str
) -> None:
    wanted = ask(**changes)
    known = wanted.product in workspace.mesh().declarations.products
    made = request(workspace, wanted if known else ask())
    with pytest.raises(InvalidAskError) as error:
        preview(workspace, assumed(made.with_(ask=wanted), ("ines.moreau@acme.example",)))
    assert said in str(error.value)
    assert error.value.field == field


def test_a_trial_leaves_the_mesh_alone(workspace: Workspace) -> None:
    before = {path: path.read_bytes() for path in workspace.directory.rglob("*.yaml")}
    tried(workspace)
    assert {path: path.read_bytes() for path in workspace.directory.rglob("*.yaml")} == before


def test_an_edit_of_the_mesh_is_seen_at_once(workspace: Workspace) -> None:
    assert workspace.mesh() is workspace.mesh()
    file = workspace.directory / "products" / "ap" / "vendor.odcs.yaml"
    file.write_text(file.read_text().replace("dataProduct: ", "dataProduct: New "))
    os.utime(file, (1, 1))
    assert workspace.mesh().declarations.products["vendor"].title.startswith("New ")


def test_a_mesh_that_breaks_keeps_its_last_good_reading_and_says_what_is_wrong(workspace: Workspace) -> None:
    good = workspace.mesh()
    grants = workspace.directory / "grants" / "ar.yaml"
    grants.write_text(grants.read_text().replace("to: treasury\n", "to: tresury\n", 1))
    now = workspace.mesh()
    assert now.declarations is good.declarations
    assert "tresury" in str(now.broken[0])


def test_a_mesh_that_never_was_whole_is_refused(mesh: Path) -> None:
    (mesh / "mesh.yaml").unlink()
    with pytest.raises(InvalidMeshError):
        Workspace(mesh, lambda: NOW).mesh()
