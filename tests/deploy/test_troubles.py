"""What is said about what AWS refuses, before and during a deployment."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from lakemesh.access.check import load_mesh
from lakemesh.deploy.interruptions import PERMISSIONS, interruption
from lakemesh.deploy.parts import parts
from lakemesh.deploy.preflight import check
from lakemesh.deploy.prepare import prepare
from lakemesh.deploy.results import DeployError
from lakemesh.deploy.troubles import mend
from tests.deploy.conftest import Site

DENIED = (
    "creating Role: operation error CreateRole, api error AccessDenied: User: arn:aws:sts::111122223333:assumed-role/"
    "lakemesh-deploy/lakemesh-central is not authorized to perform: iam:CreateRole on resource: "
    "arn:aws:iam::111122223333:role/lakemesh-sync because no identity-based policy allows the iam:CreateRole action"
)


def test_a_missing_permission_comes_with_the_role_and_the_statement_to_add() -> None:
    said = mend(DENIED)
    assert said is not None
    assert "the policies of arn:aws:iam::111122223333:role/lakemesh-deploy," in said
    assert (
        '{"Effect": "Allow", "Action": "iam:CreateRole", "Resource": "arn:aws:iam::111122223333:role/lakemesh-sync"}'
    ) in said


def test_an_explicit_deny_is_not_answered_with_a_statement_that_allows() -> None:
    said = mend(DENIED.replace("because no identity-based policy allows", "with an explicit deny in a policy:"))
    assert said is not None
    assert "denied iam:CreateRole explicitly" in said
    assert "Effect" not in said


def test_an_action_without_a_resource_is_allowed_on_everything() -> None:
    said = mend("User: arn:aws:iam::111122223333:user/ada is not authorized to perform: glue:GetTables")
    assert said is not None
    assert '"Resource": "*"' in said


@pytest.mark.parametrize(
    "text",
    [
        "api error ExpiredToken: The security token included in the request is expired",
        "api error ExpiredTokenException: The provided token has expired.",
        "api error RequestExpired: Request has expired.",
        "the SSO session has expired or is invalid",
    ],
)
def test_expired_credentials_are_told_and_that_the_next_run_goes_on(text: str) -> None:
    said = mend(text)
    assert said is not None
    assert "sign in again and run the same command" in said


def test_what_lake_formation_refuses_is_no_matter_of_iam() -> None:
    said = mend("AccessDeniedException: Insufficient Lake Formation permission(s): Required Create Tag on Catalog")
    assert said is not None
    assert "data lake administrator" in said


def test_other_errors_say_it_themselves() -> None:
    assert mend("InvalidParameterValueException: The runtime parameter is not supported") is None


# ------------------------------------------------------------------------------------------------------- the preflight
def credentials(site: Site, account: str) -> dict[str, Any]:
    return {"endpoint_url": site.endpoint, "aws_access_key_id": account, "aws_secret_access_key": "local"}


def test_credentials_that_reach_every_account_pass(site: Site) -> None:
    declarations = load_mesh(site.mesh)
    prepare(declarations, site.endpoint)
    check(declarations, parts(declarations), credentials(site, declarations.mesh.central.account))


def test_credentials_of_another_account_are_refused_with_whose_they_are_and_what_they_do_not_reach(site: Site) -> None:
    declarations = load_mesh(site.mesh)
    prepare(declarations, site.endpoint)
    with pytest.raises(DeployError) as error:
        check(declarations, parts(declarations), credentials(site, "999988887777"))
    said = str(error.value)
    assert said.startswith("Nothing was changed. The credentials are those of arn:aws:iam::999988887777:root")
    assert "no account of this mesh" in said
    assert "producer-erp: arn:aws:iam::222233334444:role/" in said
    assert "lakemesh bootstrap" in said


def test_accounts_without_deploying_roles_are_all_named_at_once(site: Site) -> None:
    declarations = load_mesh(site.mesh)
    with pytest.raises(DeployError) as error:
        check(declarations, parts(declarations), credentials(site, declarations.mesh.central.account))
    assert str(error.value).count("cannot be assumed") == 5
    assert f"({declarations.mesh.central.account}: central)" in str(error.value)


def test_credentials_that_aws_does_not_know_are_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    declarations = load_mesh(site.mesh)
    nowhere = {**credentials(site, "111122223333"), "endpoint_url": "http://127.0.0.1:9"}
    with pytest.raises(DeployError, match="does not say whose credentials"):
        check(declarations, parts(declarations), nowhere)


# ------------------------------------------------------------------------------------------------------ interruptions
@dataclass
class Step:
    op: str = "replace"
    type: str = PERMISSIONS
    urn: str = "urn"
    name: str = "name"
    changed: tuple[str, ...] = ("permissions",)
    delete_first: bool = True
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


POLICY = {"resourceType": "TABLE", "expressions": [{"key": "sensitivity", "values": ["public", "internal"]}]}


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ({"database": {"name": "sales"}}, "database sales"),
        ({"table": {"databaseName": "sales", "name": "orders"}}, "table orders of database sales"),
        ({"table": {"databaseName": "sales", "wildcard": True}}, "every table of database sales"),
        ({"lfTagPolicy": POLICY}, "tables with sensitivity in (internal, public)"),
        ({"lfTagPolicy": [POLICY]}, "tables with sensitivity in (internal, public)"),
        ({"lfTagPolicy": {**POLICY, "resourceType": "DATABASE"}}, "databases with sensitivity in (internal, public)"),
        ({"tableWithColumns": {"databaseName": "sales", "name": "orders", "columnNames": ["a"]}}, "columns a of table sales.orders"),
        ({"lfTag": {"key": "domain", "values": ["*"]}}, "LF-Tag domain"),
        ({"dataLocation": {"arn": "arn:aws:s3:::lake"}}, "location arn:aws:s3:::lake"),
        ({"catalogResource": True}, "the catalog"),
    ],
)  # fmt: skip
def test_an_interruption_says_who_loses_what_on_which_resource(resource: dict[str, Any], words: str) -> None:
    before = {"principal": "arn:aws:iam::1:role/R", "permissions": ["SELECT"], **resource}
    said = interruption(Step(before=before, after={**before, "permissions": ["SELECT", "DESCRIBE"]}))
    assert said == f"arn:aws:iam::1:role/R loses SELECT on {words} until DESCRIBE, SELECT is granted there."


@pytest.mark.parametrize(
    "other", [{"op": "create"}, {"op": "delete"}, {"type": "aws:iam/role:Role"}, {"delete_first": False}]
)
def test_what_takes_nothing_away_for_a_moment_is_no_interruption(other: dict[str, Any]) -> None:
    assert interruption(Step(before={"principal": "p", "permissions": ["SELECT"]}, **other)) is None


TRUST = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "glue.amazonaws.com"}}],
})  # fmt: skip

PROGRAM = """
import json
from pathlib import Path

import pulumi
import pulumi_aws as aws

wanted = json.loads((Path(__file__).parent / "wanted.json").read_text())
options = pulumi.ResourceOptions(
    provider=aws.Provider("aws", region="eu-north-1", allowed_account_ids=["111122223333"]), delete_before_replace=True
)
aws.lakeformation.Permissions(
    "grant",
    principal="arn:aws:iam::111122223333:role/reader",
    permissions=wanted["permissions"],
    database={"name": "sales"},
    opts=options,
)
"""


def test_a_preview_in_this_process_announces_whose_access_is_interrupted(
    site: Site, clients_of: Callable[..., Any]
) -> None:
    clients = clients_of(site.endpoint, "eu-north-1")
    iam = clients.root("iam", "111122223333")
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)
    clients.root("glue", "111122223333").create_database(DatabaseInput={"Name": "sales"})
    (site.root / "__main__.py").write_text(PROGRAM)
    site.want('{"permissions": ["DESCRIBE"]}')
    made = site.deploy("central")["central"]
    assert made.ok, made.errors
    site.want('{"permissions": ["ALTER", "DESCRIBE"]}')
    (said,) = site.deploy("central", preview=True)["central"].interrupted
    assert said == (
        "arn:aws:iam::111122223333:role/reader loses DESCRIBE on database sales until ALTER, DESCRIBE is granted there."
    )
