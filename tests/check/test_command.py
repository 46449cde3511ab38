"""`lakemesh check` without Pulumi: what it says, in which format, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

from lakemesh.deploy.recording import record
from tests.check.conftest import Project

Lakemesh = Callable[..., Result]
HERE = ("--engine", "inprocess", "central")


def findings(result: Result) -> dict[tuple[str, str], dict]:
    """Findings of the one stack by rule and resource, those left out that only a deployment can judge."""
    (stack,) = json.loads(result.stdout)["stacks"]
    return {(each["rule"], each["resource"]): each for each in stack["findings"] if not each["unknown"]}


def test_a_refused_resource_is_named_with_rule_severity_urn_and_page(project: Project, lakemesh: Lakemesh) -> None:
    result = lakemesh(*HERE, "--mesh", project.mesh, "--format", "json")
    assert result.exit_code == 1, result.output
    found = findings(result)["grants-never-give-all", "everybody"]
    urn = "urn:pulumi:central::lakemesh::aws:lakeformation/permissions:Permissions::everybody"
    assert (found["level"], found["severity"], found["stack"], found["urn"]) == (
        "mandatory", "critical", "central", urn,
    )  # fmt: skip
    assert '"everybody"' in found["message"]
    assert found["url"].endswith("#grants-never-give-all")


def test_what_only_a_deployment_knows_is_said_and_refuses_nothing(project: Project, lakemesh: Lakemesh) -> None:
    (stack,) = json.loads(lakemesh(*HERE, "--mesh", project.mesh, "--format", "json").stdout)["stacks"]
    waiting = [each for each in stack["findings"] if each["unknown"]]
    assert {each["resource"] for each in waiting} >= {"role"}
    assert {each["level"] for each in waiting} == {"advisory"}
    assert all(".principal" in each["message"] for each in waiting if each["resource"] == "role")


def test_an_exception_in_force_is_shown_and_waives_its_rule_for_its_resource(
    project: Project, lakemesh: Lakemesh
) -> None:
    found = findings(lakemesh(*HERE, "--mesh", project.mesh, "--format", "json"))
    assert ("permissions-are-deleted-before-replaced", "everybody") not in found
    shown = found["exceptions-are-shown", "lakemesh-central"]
    assert shown["level"] == "advisory"
    assert "It goes next week" in shown["message"]


def test_an_expired_exception_waives_nothing_and_fails(project: Project, lakemesh: Lakemesh) -> None:
    def expire(document: dict) -> None:
        document["exceptions"][0]["expires"] = "2020-01-01"

    project.edit(expire, "exceptions.yaml")
    found = findings(lakemesh(*HERE, "--mesh", project.mesh, "--format", "json"))
    assert ("permissions-are-deleted-before-replaced", "everybody") in found
    assert found["exceptions-hold", "lakemesh-central"]["level"] == "mandatory"


def test_an_exception_of_another_stack_waives_nothing(project: Project, lakemesh: Lakemesh) -> None:
    found = findings(lakemesh(*HERE, "--mesh", project.mesh, "--format", "json"))
    assert found["grants-never-give-all", "everybody"]["level"] == "mandatory"


def test_the_advisory_profile_says_everything_and_refuses_nothing(project: Project, lakemesh: Lakemesh) -> None:
    result = lakemesh(*HERE, "--mesh", project.mesh, "--format", "json", "--profile", "advisory")
    assert result.exit_code == 0, result.output
    assert ("grants-never-give-all", "everybody") in findings(result)


def test_a_level_in_mesh_yaml_counts(project: Project, lakemesh: Lakemesh) -> None:
    project.edit(lambda mesh: mesh.update(policies={"levels": {"grants-never-give-all": "disabled"}}))
    found = findings(lakemesh(*HERE, "--mesh", project.mesh, "--format", "json"))
    assert ("grants-never-give-all", "everybody") not in found
    assert ("grants-never-go-to-everybody", "everybody") in found


def test_people_get_a_table_of_each_stack_and_one_sentence(project: Project, lakemesh: Lakemesh) -> None:
    result = lakemesh(*HERE, "--mesh", project.mesh)
    assert result.exit_code == 1
    for word in ("central", "refused", "critical", "grants-never-give-all", "everybody"):
        assert word in result.stdout
    assert "1 stack, " in result.stdout
    assert "findings that a deployment is refused for" in result.stdout


def test_code_review_tools_get_a_place_in_the_mesh(project: Project, lakemesh: Lakemesh) -> None:
    (run,) = json.loads(lakemesh(*HERE, "--mesh", project.mesh, "--format", "sarif").stdout)["runs"]
    by_rule = {each["ruleId"]: each for each in run["results"]}
    places = {
        rule: each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for rule, each in by_rule.items()
    }
    assert places["grants-never-give-all"] == "mesh/mesh.yaml"
    assert places["exceptions-hold"] == "mesh/exceptions.yaml"
    assert by_rule["grants-never-give-all"]["level"] == "error"
    assert by_rule["exceptions-are-shown"]["level"] == "warning"
    assert {run["tool"]["driver"]["rules"][each["ruleIndex"]]["id"] for each in run["results"]} == set(by_rule)


def test_names_from_a_branch_are_text_in_a_comment(project: Project, lakemesh: Lakemesh) -> None:
    text = (project.root / "__main__.py").read_text()
    (project.root / "__main__.py").write_text(text.replace('"everybody"', '"<b>|@everybody`"'))
    result = lakemesh(*HERE, "--mesh", project.mesh, "--format", "markdown")
    row = next(line for line in result.stdout.splitlines() if "grants-never-give-all" in line)
    assert "&lt;b&gt;&#124;&#64;everybody&#96;" in row
    assert row.count("|") == 7


def test_a_clean_stack_ends_well(project: Project, lakemesh: Lakemesh) -> None:
    (project.root / "__main__.py").write_text("")
    (project.mesh / "exceptions.yaml").unlink()
    result = lakemesh(*HERE, "--mesh", project.mesh)
    assert result.exit_code == 0, result.output
    assert "nothing is refused" in result.stdout


def test_a_program_that_fails_is_told_and_no_success(project: Project, lakemesh: Lakemesh) -> None:
    (project.root / "__main__.py").write_text("raise ValueError('no such table')")
    result = lakemesh(*HERE, "--mesh", project.mesh)
    assert result.exit_code == 1
    assert "central: no such table" in result.stdout
    assert "1 stack could not be checked" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--engine", "inprocess", "centrall"), "Did you mean central?"),
        (("--mesh", "nowhere"), 'There is no directory "nowhere"'),
    ],
)
def test_misuse_is_said(project: Project, lakemesh: Lakemesh, arguments: tuple[str, ...], said: str) -> None:
    result = lakemesh("--mesh", project.mesh, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_project_without_a_pack_is_misuse(project: Project, lakemesh: Lakemesh) -> None:
    (project.root / "policies").unlink()
    result = lakemesh(*HERE, "--mesh", project.mesh)
    assert result.exit_code == 2
    assert "policies/PulumiPolicy.yaml" in result.stderr


def test_a_rule_that_the_pack_does_not_have_is_misuse_of_mesh_yaml(project: Project, lakemesh: Lakemesh) -> None:
    project.edit(lambda mesh: mesh.update(policies={"levels": {"grants-never-give-al": "disabled"}}))
    result = lakemesh(*HERE, "--mesh", project.mesh)
    assert result.exit_code == 2
    assert 'policies.levels.grants-never-give-al: The policy pack has no rule of this name. Did you mean "grants-' in (
        result.stderr
    )


def test_a_pack_that_does_not_start_says_why(project: Project, lakemesh: Lakemesh) -> None:
    (project.root / "policies").unlink()
    (project.root / "policies").mkdir()
    (project.root / "policies" / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (project.root / "policies" / "__main__.py").write_text("import no_such_module")
    result = lakemesh(*HERE, "--mesh", project.mesh)
    assert result.exit_code == 2
    assert "no_such_module" in result.stderr


def test_an_invalid_mesh_is_told_as_validate_tells_it(project: Project, lakemesh: Lakemesh) -> None:
    project.edit(lambda mesh: mesh.update(regoin="x"))
    result = lakemesh(*HERE, "--mesh", project.mesh)
    assert result.exit_code == 1
    assert "regoin" in result.stderr


def test_a_preview_leaves_unknown_what_only_a_deployment_makes(project: Project) -> None:
    made = record(project.root, "lakemesh", "central", {}, lambda *_: {}, preview=True)
    role = next(each for each in made if each.name == "role")
    assert not isinstance(role.inputs["principal"], str)
    assert role.request.deleteBeforeReplace
    assert role.outputs["permissions"] == ["DESCRIBE"]
