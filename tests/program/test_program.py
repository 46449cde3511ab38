"""The program, run for every stack of a mesh in an engine that records and deploys nothing."""

from __future__ import annotations

import json
import re
import runpy
from collections import Counter
from pathlib import Path

import pulumi
import pytest
import yaml

from benchmarks.generate import generate
from lakemesh.access.check import load_mesh
from lakemesh.deploy.arguments import Options
from lakemesh.deploy.parts import parts
from tests.program.conftest import ROOT, Deploy
from tests.program.engine import Engine

SAMPLE = ROOT / "mesh"
STACKS = [part.stack for part in parts(load_mesh(SAMPLE))]


def settings_of_stacks() -> list[str]:
    return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in ROOT.glob("Pulumi.*.yaml"))


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_of_the_sample_builds_its_component(program: Deploy, stack: str, preview: bool) -> None:
    engine = program(stack, preview=preview)

    kind = {
        "central": "CentralAccount",
        "producer": "ProducerAccount",
        "domain": "Domain",
        "consumer": "ConsumerAccount",
    }
    root = engine.one(f"lakemesh:index:{kind[stack.split('-', maxsplit=1)[0]]}")
    assert root.name == stack
    assert engine.stack_outputs or preview
    assert len(engine.resources) < 500


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_goes_through_the_one_provider_of_its_account(program: Deploy, stack: str) -> None:
    """Trap: without one a resource lands in whatever account the credentials are for. The engine fixture refuses it too."""
    engine = program(stack)

    provider = engine.one("pulumi:providers:aws")
    assert {r.provider.rsplit("::", 1)[0] for r in engine.resources if r.custom and r is not provider} == {provider.urn}
    account = json.loads(provider["allowedAccountIds"])
    (role,) = json.loads(provider["assumeRoles"])
    assert len(account) == 1
    assert f"::{account[0]}:role/" in role["roleArn"], "the keys of assume_roles reach the provider as it knows them"
    assert json.loads(provider["defaultTags"])["tags"] == {"lakemesh:mesh": "lakemesh", "lakemesh:stack": stack}


def test_a_resource_without_explicit_provider_fails_the_test_that_makes_it() -> None:
    import pulumi_aws as aws

    with pytest.raises(AssertionError, match="default provider"):
        Engine().run(lambda: aws.s3.Bucket("loose"))


@pytest.mark.parametrize(
    ("stack", "hint"), [("domain-rr", "Did you mean domain-ar?"), ("dev", "central, producer-erp")]
)
def test_a_stack_with_no_part_is_an_error_that_lists_the_parts(program: Deploy, stack: str, hint: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        program(stack)

    assert hint in str(refused.value)
    assert all(name in str(refused.value) for name in STACKS)


def test_a_mesh_with_mistakes_builds_nothing_and_says_where_they_are(program: Deploy, mesh: Path) -> None:
    text = (mesh / "grants" / "ar.yaml").read_text()
    (mesh / "grants" / "ar.yaml").write_text(text.replace("product: ar_invoice", "product: ar_invoise"))

    with pytest.raises(pulumi.RunError, match=r"grants/ar\.yaml:\d+:\d+"):
        program("domain-ar", mesh)


def test_an_administrator_as_principal_is_refused_with_the_reason(program: Deploy, mesh: Path) -> None:
    """Trap: what an administrator was granted cannot be told from what it may do anyway."""
    path = mesh / "consumers" / "treasury.yaml"
    path.write_text(path.read_text().replace("role/TreasuryDataAdmin", "role/TreasuryCashDesk"))

    with pytest.raises(pulumi.RunError, match="administrator"):
        program("consumer-treasury", mesh)


def test_other_accounts_and_regions_leave_nothing_of_the_sample(program: Deploy, mesh: Path) -> None:
    new = {
        old: f"9{old[1:]}" for old in ("111122223333", "222233334444", "333344445555", "444455556666", "555566667777")
    }
    for path in mesh.rglob("*.yaml"):
        text = path.read_text().replace("eu-central-1", "cn-north-1").replace("arn:aws:", "arn:aws-cn:")
        for old, other in new.items():
            text = text.replace(old, other)
        path.write_text(text)

    for stack in STACKS:
        said = str([r.inputs for r in program(stack, mesh).resources])
        assert not [old for old in new if old in said]
        assert "eu-central-1" not in said
        services = ("kms:eu-west-3", "iam:", "sqs:eu-west-3", "events:eu-west-3", "dynamodb:eu-west-3")
        computed = [f"arn:aws:{service}:999988887777" for service in services]  # the recording engine's own
        for each in computed:
            said = said.replace(each, "")
        assert "arn:aws:" not in said, "the partition follows the region"


def test_a_changed_grant_changes_its_domain_and_its_consumer_alone(program: Deploy, mesh: Path) -> None:
    def inputs(stack: str) -> dict[str, object]:
        return {r.urn: r.inputs for r in program(stack, mesh).resources if r.type != "aws:lambda/function:Function"}

    before = {stack: inputs(stack) for stack in STACKS}
    path = mesh / "grants" / "ar.yaml"
    path.write_text(path.read_text().replace("sensitivity: [internal]", "sensitivity: [public, internal]"))
    after = {stack: inputs(stack) for stack in STACKS}

    changed = {stack for stack in STACKS if before[stack] != after[stack]}
    assert changed == {"domain-ar", "consumer-finance-analytics"}


def test_a_changed_contract_changes_one_invocation_of_its_domain(program: Deploy, mesh: Path) -> None:
    def invocations() -> dict[str, str]:
        return {r.name: r["input"] for r in program("domain-ar", mesh).of("Invocation")}

    before = invocations()
    path = mesh / "products" / "ar" / "ar_invoice.odcs.yaml"
    path.write_text(path.read_text().replace("classification: confidential", "classification: restricted", 1))
    after = invocations()

    assert [name for name in before if before[name] != after[name]] == ["domain-ar-ar_invoice-tags"]


def test_names_are_unique_in_every_stack(program: Deploy) -> None:
    for stack in STACKS:
        names = Counter((r.type, r.name) for r in program(stack).resources)
        assert max(names.values()) == 1, names.most_common(1)


def test_an_adopter_may_call_the_project_what_they_like() -> None:
    program = lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")  # noqa: E731
    engine = Engine().run(
        program, stack="central", project="orchard", config={"mesh": str(SAMPLE), "logRetentionDays": "7"}
    )

    assert {r["retentionInDays"] for r in engine.of("LogGroup")} == {7}


def test_no_stack_of_a_large_mesh_exceeds_500_resources(tmp_path: Path, program: Deploy) -> None:
    """Beyond that an engine writes its whole checkpoint too often; the mesh is the one whose figures are published."""
    generate(tmp_path)
    declarations = load_mesh(tmp_path)
    busiest = max(declarations.consumers, key=lambda name: len(declarations.consumers[name].assignments))
    tables = Counter(
        {
            name: sum(len(p.tables) for p in declarations.products.values() if p.domain == name)
            for name in declarations.mesh.domains
        }
    )
    ((largest, count),) = tables.most_common(1)

    assert count == 200
    for stack in ("central", f"domain-{largest}", f"consumer-{busiest}"):
        assert len(program(stack, tmp_path).resources) < 500, stack


def test_configuration_reaches_the_resources(program: Deploy) -> None:
    engine = program(
        "central", logRetentionDays="30", protect="false", powertoolsLayer="arn:{partition}:layer:{region}"
    )

    assert {r["retentionInDays"] for r in engine.of("LogGroup")} == {30}
    assert not [r for r in engine.resources if r.protect]
    assert engine.of("aws:lambda/function:Function")[0]["layers"] == ["arn:aws:layer:eu-central-1"]


# ---------------------------------------------------------------------------------------------- project files
def project() -> dict[str, object]:
    return yaml.safe_load((ROOT / "Pulumi.yaml").read_text())


def test_every_part_of_the_sample_has_a_stack_file_and_no_other_has() -> None:
    assert settings_of_stacks() == sorted(STACKS)


def test_the_projects_defaults_are_the_programs() -> None:
    config = project()["config"]
    default = Options()
    assert {key: each["default"] for key, each in config.items() if "default" in each} == {
        "mesh": "mesh",
        "powertoolsLayer": default.powertools_layer,
        "arrowLayer": default.arrow_layer,
        "logRetentionDays": default.log_retention_days,
        "resultRetentionDays": default.result_retention_days,
        "reservedConcurrency": default.reserved_concurrency,
        "managedPoliciesPerRole": default.managed_policies_per_role,
        "permissionsBoundary": default.permissions_boundary,
        "protect": default.protect,
    }
    assert all(each.get("description") and each.get("type") for key, each in config.items() if ":" not in key)


def test_the_program_asks_for_no_setting_that_the_project_does_not_declare() -> None:
    asked = set(re.findall(r'config\.get\w*\("(\w+)"\)', (ROOT / "__main__.py").read_text()))

    assert asked == {key for key in project()["config"] if ":" not in key}


def test_default_providers_are_disabled() -> None:
    assert project()["config"]["pulumi:disable-default-providers"] == {"value": ["*"]}


def test_program_and_package_run_in_the_projects_environment() -> None:
    """Trap: without `virtualenv` a plugin or program runs in whatever python3 is there."""
    plugin = yaml.safe_load((ROOT / "components" / "PulumiPlugin.yaml").read_text())

    assert project()["runtime"]["options"]["virtualenv"] == ".venv"
    assert plugin["runtime"]["options"]["virtualenv"] == "../.venv"
