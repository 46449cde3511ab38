"""The sample's stacks, as the program makes them, have no violation at `strict`."""

from __future__ import annotations

import runpy
from functools import cache

import pytest
from guardrails.mesh import Manifest

from lakemesh.access.check import load_mesh
from lakemesh.deploy.parts import parts
from tests.policies.mesh import compiled, configuration
from tests.policies.record import ROOT, Pack, Recorded, record, violations

STACKS = [part.stack for part in parts(load_mesh(ROOT / "mesh"))]


@cache
def recorded(stack: str, *, preview: bool = False) -> tuple[Recorded, ...]:
    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    return tuple(record(program, stack=stack, preview=preview, mesh=str(ROOT / "mesh")))


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_of_the_sample_breaks_no_rule(stack: str, preview: bool) -> None:
    found = Pack(configuration()).judge(recorded(stack, preview=preview))

    assert violations(found) == []
    assert preview or not [each for each in found if each.kind == "unknown"]


def test_the_administrators_of_every_account_are_those_of_the_declarations() -> None:
    """The manifest says what `mesh.yaml` and the consumers' files list."""
    document = compiled()
    assert set(Manifest(document).administrators) == {
        document["central"]["account"], *(each["account"] for each in document["consumers"].values()),
    }  # fmt: skip

    for stack in STACKS:
        found = violations(Pack(configuration(document)).judge(recorded(stack)))
        assert found == []


@pytest.mark.parametrize("stack", STACKS)
def test_without_a_manifest_only_what_knows_the_service_roles_speaks(stack: str) -> None:
    settings = {"mesh-is-described": {"serviceRoles": {"sync": "lakemesh-sync", "tag": "lakemesh-tag"}}}

    found = violations(Pack(settings).judge(recorded(stack)))

    assert found == [("mesh-is-described", f"lakemesh-{stack}")]


def test_a_change_of_a_contract_that_leaves_a_bank_account_unreviewed_is_refused(mesh, monkeypatch) -> None:
    """What a data engineer sees when a bank account number joins a contract without a classification."""
    path = mesh / "products" / "ar" / "cash_application.odcs.yaml"
    lines = path.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.strip().startswith("- name: payer_iban"))
    indent = " " * (len(lines[at]) - len(lines[at].lstrip()))
    lines[at:at] = [
        f"{indent}- name: refund_bank_account",
        f"{indent}  logicalType: string",
        f"{indent}  physicalType: string",
    ]
    path.write_text("\n".join(lines) + "\n")

    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    found = Pack(configuration()).judge(record(program, stack="domain-ar", mesh=str(mesh)))

    assert [each.message for each in found if each.kind == "violation"] == [
        (
            'TableTags "domain-ar-cash_application" leaves column "refund_bank_account" of ar_curated.cash_application without the '
            "LF-Tag sensitivity, and it has the name of a sensitive column; review it and give it a sensitivity of its own."
        )
    ]
