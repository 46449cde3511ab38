"""A consumer's entries: who queries there, who administers its lake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lakemesh.access.check import load_mesh
from lakemesh.onboard.consumer_plan import WantedConsumer, alias, plan_consumer, queries
from lakemesh.onboard.facts import ConsumerFacts, RoleFacts
from lakemesh.onboard.proposal import Proposal, write
from tests.onboard.given import empty_mesh
from tests.onboard.unprepared import CENTRAL, CONSUMER, STRANGER


def role(name: str, *actions: str, path: str = "/", effect: str = "Allow") -> RoleFacts:
    statement = {"Effect": effect, "Action": list(actions), "Resource": "*"}
    return RoleFacts(name, f"arn:aws:iam::{CONSUMER}:role{path}{name}", path, {}, (statement,) if actions else ())


def consumer(*roles: RoleFacts, **more: Any) -> ConsumerFacts:
    given: dict[str, Any] = {"administrators": (), "open_by_default": False, "trusted_owners": (), "databases": {}}
    return ConsumerFacts(account=CONSUMER, roles=roles, **{**given, **more})


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    return empty_mesh(tmp_path / "mesh")


def plan(mesh: Path, facts: ConsumerFacts, **more: Any) -> Proposal:
    wanted = WantedConsumer("reporting", CONSUMER, "@example/reporting", **more)
    return plan_consumer(mesh, load_mesh(mesh), facts, wanted)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (role("r", "athena:*"), True),
        (role("r", "glue:Get*"), True),
        (role("r", "ATHENA:startqueryexecution"), True),
        (role("r", "*"), False),
        (role("r", "s3:*"), False),
        (role("r", "athena:*", effect="Deny"), False),
        (role("r"), False),
    ],
)
def test_a_role_queries_if_its_policies_let_it_by_name(given: RoleFacts, expected: bool) -> None:
    assert queries(given) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TreasuryCashDesk", "treasury-cash-desk"),
        ("AWSReservedSSO_DataAnalyst_0123456789abcdef", "data-analyst"),
        ("ETL_job.v2", "etl-job-v2"),
        ("x" * 64, "x" * 50),
        ("__", "role"),
    ],
)
def test_an_alias_is_the_roles_name_as_people_write_it(name: str, expected: str) -> None:
    assert alias(name, ()) == expected


def test_aliases_differ_in_more_than_case() -> None:
    assert alias("Analyst", ("analyst", "Analyst-2")) == "analyst-3"


def test_principals_are_who_queries_and_administrators_are_kept(mesh: Path) -> None:
    admin = role("LakeAdmin", "athena:*")
    facts = consumer(
        role("Analyst", "athena:*"), role("Shipper", "logs:*"), admin, role("lakemesh-deploy", "glue:*"),
        role("AWSServiceRoleForX", "glue:*", path="/aws-service-role/x.amazonaws.com/"),
        administrators=(admin.arn, f"arn:aws:iam::{CONSUMER}:user/Old"),
    )  # fmt: skip
    proposal = plan(mesh, facts)
    write(mesh, proposal.changes)
    declared = load_mesh(mesh).consumers["reporting"]
    assert {name: one.role for name, one in declared.principals.items()} == {
        "analyst": f"arn:aws:iam::{CONSUMER}:role/Analyst"
    }
    assert declared.administrators == (admin.arn,)
    assert [one.what for one in proposal.refused] == [f"data lake administrator arn:aws:iam::{CONSUMER}:user/Old"]


def test_an_administrator_cannot_be_a_principal_even_by_its_name(mesh: Path) -> None:
    admin = role("LakeAdmin", "athena:*")
    proposal = plan(mesh, consumer(admin, administrators=(admin.arn,)), principals=("Lake*", "Nobody"))
    assert {one.what for one in proposal.refused} == {"role LakeAdmin", "principal Nobody"}


def test_a_persons_file_gains_new_principals_and_keeps_everything_else(mesh: Path) -> None:
    write(mesh, plan(mesh, consumer(role("Analyst", "athena:*"))).changes)
    file = mesh / "consumers/reporting.yaml"
    file.write_text(file.read_text().replace("  analyst:\n", "  # renamed by us\n  desk:\n"))
    before = file.read_text()
    proposal = plan(mesh, consumer(role("Analyst", "athena:*"), role("Job", "glue:GetTable")))
    lines = iter(proposal.changes[0].after.splitlines())
    assert all(line in lines for line in before.splitlines())
    write(mesh, proposal.changes)
    assert sorted(load_mesh(mesh).consumers["reporting"].principals) == ["desk", "job"]
    assert plan(mesh, consumer(role("Analyst", "athena:*"), role("Job", "glue:GetTable"))).changes == []


def test_what_the_stack_will_take_over_is_said(mesh: Path) -> None:
    facts = consumer(role("A", "athena:*"), open_by_default=True, trusted_owners=(STRANGER, CENTRAL))
    said = "\n".join(plan(mesh, facts).notes)
    assert f"the consumer's stack takes out: {STRANGER}" in said
    assert "left to IAM today" in said
