"""Which stacks are deployed, in which order, and what is said about those that are not."""

from __future__ import annotations

import json

import pytest

from lakemesh.access.check import load_mesh
from lakemesh.declarations.errors import InvalidMeshError
from lakemesh.deploy.run import Counts, DeployError, deploy, find_program, orphans
from tests.deploy.conftest import Site

ALL = [
    "central",
    "producer-erp",
    "producer-procurement",
    "domain-ap",
    "domain-ar",
    "consumer-finance-analytics",
    "consumer-treasury",
]


def test_every_stack_is_deployed_in_order_and_a_second_time_changes_nothing(site: Site) -> None:
    first = site.deploy()
    assert list(first) == ALL
    assert all(result.ok for result in first.values())
    assert {result.counts for result in first.values()} == {Counts(created=2)}
    assert first["central"].outputs == {"mesh": str(site.mesh)}
    second = site.deploy()
    assert {result.counts for result in second.values()} == {Counts(unchanged=2)}
    assert not any(result.changes for result in second.values())


def test_changes_name_the_resource_and_its_changed_inputs(site: Site) -> None:
    site.deploy("central")
    site.want('{"central": {"topics": {"notes": "two"}}}')
    (change,) = site.deploy("central")["central"].changes
    assert (change.op, change.name, change.properties) == ("update", "notes", ("tags",))
    assert change.type == "aws:cloudwatch/logGroup:LogGroup"


def test_a_preview_needs_no_predecessor_and_leaves_nothing_behind(site: Site) -> None:
    results = site.deploy(preview=True)
    assert list(results) == ALL
    assert {result.counts for result in results.values()} == {Counts(created=2)}
    assert {result.counts for result in site.deploy().values()} == {Counts(created=2)}


def test_a_missing_predecessor_is_named_with_the_command_that_deploys_it(site: Site) -> None:
    with pytest.raises(DeployError) as error:
        site.deploy("domain-ar")
    assert "Stack domain-ar needs central and producer-erp" in str(error.value)
    assert "lakemesh up --local central producer-erp" in str(error.value)
    site.deploy("central")
    with pytest.raises(DeployError, match="needs producer-erp,"):
        site.deploy("domain-ar")
    assert site.deploy("domain-ar", "producer-erp")["domain-ar"].ok


def test_a_predecessor_whose_deployment_failed_does_not_count(site: Site) -> None:
    site.deploy("central")
    site.want(json.dumps({"producer-erp": {"topics": {"a b": "not a name"}}}))
    assert not site.deploy("producer-erp")["producer-erp"].ok
    with pytest.raises(DeployError, match="producer-erp"):
        site.deploy("domain-ar")


def test_the_first_failed_stack_stops_the_rest_and_the_next_run_completes_them(site: Site) -> None:
    site.want('{"producer-erp": {"error": "mesh.yaml:3:5 no"}}')
    results = site.deploy()
    assert results["central"].ok
    assert results["producer-erp"].errors == ("mesh.yaml:3:5 no",)
    assert [stack for stack, result in results.items() if not result.attempted] == ALL[2:]
    assert not any(results[stack].ok for stack in ALL[1:])
    site.want()
    results = site.deploy()
    assert all(result.ok for result in results.values())
    assert results["central"].counts == Counts(unchanged=2)


def test_errors_name_the_resource(site: Site) -> None:
    site.want('{"central": {"topics": {"a b": "x"}}}')
    (error,) = site.deploy("central")["central"].errors
    assert error.startswith("aws:cloudwatch/logGroup:LogGroup (a b): ")
    assert "urn:pulumi:central::lakemesh::" in error


def test_an_unknown_stack_is_an_error_that_lists_the_parts_and_nothing_is_deployed(site: Site) -> None:
    with pytest.raises(DeployError) as error:
        site.deploy("central", "domain-hr")
    assert all(stack in str(error.value) for stack in ALL)
    assert site.deploy("central")["central"].counts == Counts(created=2)


def test_an_invalid_mesh_deploys_nothing(site: Site) -> None:
    path = site.mesh / "mesh.yaml"
    path.write_text(path.read_text().replace('account: "111122223333"', "account: 111122223333"))
    with pytest.raises(InvalidMeshError):
        site.deploy()


def test_without_a_local_aws_the_error_says_how_to_start_one(site: Site) -> None:
    with pytest.raises(DeployError, match="lakemesh local start"):
        deploy(site.mesh, [], "http://127.0.0.1:9")


def test_destroy_takes_the_last_deployed_stack_first(site: Site) -> None:
    site.deploy()
    results = site.destroy()
    assert list(results) == list(reversed(ALL))
    assert {result.counts for result in results.values()} == {Counts(deleted=2)}
    assert site.destroy() == {}


def test_a_stack_that_others_need_is_not_destroyed_before_them(site: Site) -> None:
    site.deploy()
    with pytest.raises(DeployError, match=r"consumer-treasury is deployed and needs domain-ar"):
        site.destroy("domain-ar")
    assert all(
        result.ok for result in site.destroy("domain-ar", "consumer-treasury", "consumer-finance-analytics").values()
    )


def test_protected_resources_stop_a_destruction_unless_they_are_left_out(site: Site) -> None:
    site.want('{"central": {"protect": true}}')
    site.deploy("central")
    assert "protected" in site.destroy("central")["central"].errors[0]
    assert site.destroy("central", exclude_protected=True)["central"].counts == Counts()


def test_a_stack_whose_part_left_the_mesh_can_still_be_destroyed(bare: Site, site: Site) -> None:
    mesh_without = (bare.mesh / "mesh.yaml").read_text()
    producer = 'producers:\n  erp:\n    account: "222233334444"\n    owner: "@acme/erp"\n    buckets: {}\n'
    (bare.mesh / "mesh.yaml").write_text(mesh_without + producer)
    bare.deploy()
    (bare.mesh / "mesh.yaml").write_text(mesh_without)
    assert orphans(load_mesh(bare.mesh), bare.endpoint, bare.mesh) == ["producer-erp"]
    assert bare.destroy("producer-erp")["producer-erp"].counts == Counts(deleted=2)
    with pytest.raises(DeployError, match="neither deployed nor a part"):
        bare.destroy("producer-erp")


def test_the_program_is_the_project_that_the_mesh_lies_in(site: Site) -> None:
    assert find_program(site.mesh) == site.root
