"""Which stacks a change affects."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from lakemesh.access.check import load_mesh
from lakemesh.declarations.models import Declarations
from lakemesh.deploy.arguments import Arguments, Options
from lakemesh.workflows.affected import Changes, compare
from lakemesh.workflows.git import RevisionError, changed_files
from lakemesh.workflows.revisions import arguments_at
from tests.workflows.conftest import Checkout

TODAY = dt.date(2026, 11, 1)


def arguments(declarations: Declarations) -> Arguments:
    return Arguments(declarations, Options(), TODAY)


def stacks(changes: Changes) -> list[str]:
    return [one.stack for one in changes.affected]


def changes_of(checkout: Checkout) -> Changes:
    after = arguments(load_mesh(checkout.mesh, TODAY))
    before = arguments_at(checkout.mesh, "HEAD", TODAY, Options())
    return compare(before, after, changed_files(checkout.mesh, "HEAD"))


def test_nothing_is_affected_by_no_change(sample: Declarations) -> None:
    assert compare(arguments(sample), arguments(sample)) == Changes(())


def test_a_comment_affects_nothing(checkout: Checkout) -> None:
    file = checkout.mesh / "grants" / "ar.yaml"
    file.write_text(f"# somebody's note\n{file.read_text()}")
    assert stacks(changes_of(checkout)) == []


def test_a_removed_grant_affects_its_domain_its_consumer_and_what_the_functions_know(checkout: Checkout) -> None:
    grants = json.loads("[]")

    def drop(document: Any) -> None:
        grants.append(document["grants"].pop(0))

    checkout.edit("mesh/grants/ar.yaml", drop)
    consumer = grants[0]["to"].partition("/")[0]
    # What was granted is assigned by the consumer; without the grant there is nothing to assign.
    checkout.edit(f"mesh/consumers/{consumer}.yaml", lambda each: _unassign(each, grants[0]["id"]))
    found = changes_of(checkout)
    assert stacks(found) == ["central", "domain-ar", f"consumer-{consumer}"]
    reasons = {one.stack: " ".join(one.reasons) for one in found.affected}
    assert "removed" in reasons["domain-ar"]
    assert "grants" in reasons["domain-ar"]


def _unassign(consumer: Any, grant: str) -> None:
    consumer["assignments"] = [each for each in consumer.get("assignments", []) if each.get("grant") != grant]


def test_a_new_administrator_of_central_affects_central_alone(checkout: Checkout) -> None:
    checkout.edit(
        "mesh/mesh.yaml",
        lambda mesh: mesh["central"]["administrators"].append("arn:aws:iam::111122223333:role/SecondPair"),
    )
    found = changes_of(checkout)
    assert stacks(found) == ["central"]
    assert any("data lake administrators (1 added)" in reason for reason in found.affected[0].reasons)


def test_another_deploying_role_affects_the_stacks_that_it_deploys(checkout: Checkout) -> None:
    checkout.edit("mesh/mesh.yaml", lambda mesh: mesh["producers"]["procurement"].update(deployRole="other-deployer"))
    found = changes_of(checkout)
    assert stacks(found) == ["producer-procurement"]
    assert found.affected[0].reasons == ("account, region or deploying role",)


def test_a_part_that_leaves_the_mesh_is_told_last_deployed_first(sample: Declarations) -> None:
    mesh = sample.mesh.model_copy(update={"consumers": {}, "producers": {}})
    after = sample.model_copy(update={"mesh": mesh, "grants": {}, "consumers": {}})
    before = arguments(sample)
    found = compare(
        before, arguments(after.model_copy(update={"mesh": mesh.model_copy(update={"domains": {}}), "products": {}}))
    )
    assert found.removed == (
        "consumer-treasury", "consumer-finance-analytics", "domain-ar", "domain-ap", "producer-procurement", "producer-erp",
    )  # fmt: skip


@pytest.mark.parametrize("file", ["__main__.py", "components/domain.py", "uv.lock", "lakemesh/deploy/parts.py"])
def test_a_change_of_the_program_affects_every_stack(sample: Declarations, file: str) -> None:
    found = compare(arguments(sample), arguments(sample), [file])
    assert len(found.affected) == 7
    assert all(one.reasons == (f"{file} changed",) for one in found.affected)


@pytest.mark.parametrize(
    "file", ["README.md", "docs/ci.md", "components/README.md", "lakemesh/cli/main.py", "tests/x.py"]
)
def test_what_no_stack_is_made_of_affects_none(sample: Declarations, file: str) -> None:
    assert stacks(compare(arguments(sample), arguments(sample), [file])) == []


def test_settings_of_one_stack_affect_that_stack(sample: Declarations) -> None:
    assert stacks(compare(arguments(sample), arguments(sample), ["Pulumi.domain-ar.yaml"])) == ["domain-ar"]


def test_without_an_earlier_mesh_every_stack_is_affected(sample: Declarations) -> None:
    found = compare(None, arguments(sample))
    assert len(found.affected) == 7
    assert "no valid mesh" in found.affected[0].reasons[0]


# ----------------------------------------------------------------------------------------------------- revisions
def test_an_earlier_revision_that_was_invalid_compares_as_none(checkout: Checkout) -> None:
    checkout.replace("mesh/mesh.yaml", "region:", "regoin:")
    broken = checkout.commit()
    checkout.replace("mesh/mesh.yaml", "regoin:", "region:")
    assert arguments_at(checkout.mesh, broken, TODAY, Options()) is None


def test_an_earlier_revision_without_a_mesh_compares_as_none(checkout: Checkout) -> None:
    shutil.rmtree(checkout.mesh)
    empty = checkout.commit()
    checkout.git("checkout", "--quiet", "HEAD~1", "--", "mesh")
    assert arguments_at(checkout.mesh, empty, TODAY, Options()) is None


@pytest.mark.parametrize("revision", ["nowhere", "--output=x"])
def test_an_unknown_revision_is_named_with_the_mend(checkout: Checkout, revision: str) -> None:
    with pytest.raises(RevisionError, match="fetch-depth: 0"):
        arguments_at(checkout.mesh, revision, TODAY, Options())


def test_files_that_are_not_committed_yet_count_as_changed(checkout: Checkout) -> None:
    (checkout.root / "Pulumi.producer-new.yaml").write_text("config: {}\n")
    checkout.replace("Pulumi.central.yaml", "mesh: mesh", "mesh: mesh  # here")
    assert changed_files(checkout.mesh, "HEAD") == ("Pulumi.central.yaml", "Pulumi.producer-new.yaml")


# ------------------------------------------------------------------------------------------------------- command
@pytest.fixture
def changed(checkout: Checkout) -> Checkout:
    checkout.edit("mesh/mesh.yaml", lambda mesh: mesh["producers"]["procurement"].update(deployRole="other-deployer"))
    return checkout


def test_the_matrix_is_a_json_list_of_stacks(commands: typer.Typer, changed: Checkout) -> None:
    result = CliRunner().invoke(
        commands, ["affected", "--base", "HEAD", "--mesh", str(changed.mesh), "--format", "matrix"]
    )
    assert (result.exit_code, json.loads(result.stdout)) == (0, ["producer-procurement"])


def test_json_says_why(commands: typer.Typer, changed: Checkout) -> None:
    result = CliRunner().invoke(
        commands, ["affected", "--base", "HEAD", "--mesh", str(changed.mesh), "--format", "json"]
    )
    assert json.loads(result.stdout) == {
        "base": "HEAD",
        "affected": [
            {"stack": "producer-procurement", "kind": "producer", "reasons": ["account, region or deploying role"]}
        ],
        "removed": [],
    }


def test_text_says_that_nothing_differs(commands: typer.Typer, checkout: Checkout) -> None:
    result = CliRunner().invoke(commands, ["affected", "--base", "HEAD", "--mesh", str(checkout.mesh)])
    assert (result.exit_code, result.stdout) == (0, "Nothing that a stack is made of differs from HEAD.\n")


@pytest.mark.parametrize(("base", "mesh", "code"), [("nowhere", "mesh", 2), ("HEAD", "nowhere", 2)])
def test_misuse_ends_with_2(commands: typer.Typer, checkout: Checkout, base: str, mesh: str, code: int) -> None:
    result = CliRunner().invoke(commands, ["affected", "--base", base, "--mesh", str(checkout.root / mesh)])
    assert result.exit_code == code
    assert "nowhere" in result.stderr


def test_an_invalid_mesh_ends_with_1_and_every_problem(commands: typer.Typer, checkout: Checkout) -> None:
    checkout.replace("mesh/mesh.yaml", "region:", "regoin:")
    result = CliRunner().invoke(commands, ["affected", "--base", "HEAD", "--mesh", str(checkout.mesh)])
    assert result.exit_code == 1
    assert "regoin" in result.stderr
