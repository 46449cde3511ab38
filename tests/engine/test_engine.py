"""What the engine keeps safe, by a small program: locks, secrets, half-made deployments, plugins that end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from lakemesh.demo.clients import Clients
from lakemesh.deploy.pulumi import Pulumi
from lakemesh.deploy.results import Counts, DeployError
from tests.engine.conftest import Site, resources


def logs(site: Site) -> Any:
    return Clients(site.endpoint, "eu-north-1").root("logs", site.account)


def state(site: Site) -> str:
    (file,) = site.home.glob("pulumi/world/.pulumi/stacks/lakemesh/central.json")
    return file.read_text()


DEPLOYER = "arn:aws:iam::{}:role/deployer"


def allow(site: Site, *actions: str) -> None:
    """A role that may do this and nothing else."""
    iam = Clients(site.endpoint, "eu-north-1").root("iam", site.account)
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{site.account}:root"}}
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=document(trust))
    iam.put_role_policy(RoleName="deployer", PolicyName="may", PolicyDocument=document(statement))


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_failure_half_way_keeps_what_was_made_and_the_next_up_completes_it(site: Site) -> None:
    site.want(first={}, second={"name": "a b"}, third={})
    failed = site.up()
    (error,) = failed.errors
    assert error.startswith("aws:cloudwatch/logGroup:LogGroup (second): ")
    assert "urn:pulumi:central::lakemesh::aws:cloudwatch/logGroup:LogGroup::second" in error
    assert not site.engine.complete("central")
    made = failed.counts.created
    site.want(first={}, second={}, third={})
    completed = site.up()
    assert completed.errors == ()
    assert completed.counts.created == 4 - made
    assert site.engine.complete("central")
    assert site.up().counts == Counts(unchanged=4)


def test_an_object_that_was_made_by_halves_is_completed_by_an_update(site: Site) -> None:
    allow(site, "logs:CreateLogGroup", "logs:DescribeLogGroups", "logs:ListTagsForResource", "logs:TagResource")
    site.want(role=DEPLOYER.format(site.account), notes={"days": 5})
    (error,) = site.up().errors
    assert "is not authorized to perform: logs:PutRetentionPolicy" in error
    assert f"Add to the policies of {DEPLOYER.format(site.account)}" in error
    assert '{"Effect": "Allow", "Action": "logs:PutRetentionPolicy"' in error, "the statement that is missing"
    allow(site, "logs:*")
    completed = site.up()
    assert (completed.counts.created, completed.counts.updated) == (0, 1)
    (group,) = logs(site).describe_log_groups(logGroupNamePrefix="/central/notes")["logGroups"]
    assert group["retentionInDays"] == 5


def test_a_second_update_is_refused_while_one_runs(site: Site) -> None:
    site.want(notes={})
    thread, results = site.waiting()
    try:
        locks = site.home / "pulumi" / "world" / ".pulumi" / "locks"
        deadline = time.monotonic() + 60
        while not list(locks.rglob("*.json")) and time.monotonic() < deadline:
            time.sleep(0.05)
        with Pulumi(site.engine._settings, site.engine._mesh, site.root) as other:
            refused = other.up("central", None, preview=False)
    finally:
        (site.root / "wait").unlink()
        thread.join()
    (error,) = refused.errors
    assert error.startswith("Stack central is being changed by ")
    assert f"process {os.getpid()}" not in error, "the CLI's process holds the lock"
    assert "pulumi cancel --stack central" in error
    assert results[0].ok


def test_secrets_are_encrypted_in_the_state_and_plain_in_aws(site: Site) -> None:
    (site.root / "Pulumi.central.yaml").write_text("config:\n  lakemesh:word: none\n")
    site.want(keeper=True, notes={})
    site.engine._configure("central")
    stack = site.engine._selected("central")
    # As a person does it: `pulumi config set --secret`.
    stack.set_config("lakemesh:word", _secret("shibboleth"))
    (site.root / "Pulumi.central.yaml").write_text((site.engine._work / "Pulumi.central.yaml").read_text())
    assert "shibboleth" not in (site.root / "Pulumi.central.yaml").read_text()
    result = site.up()
    assert result.errors == ()
    assert result.outputs == {"word": "[secret]"}
    assert "shibboleth" not in state(site)
    assert "open sesame" not in state(site)
    assert json.loads(state(site))["checkpoint"]["latest"]["secrets_providers"]["type"] == "passphrase"
    iam = Clients(site.endpoint, "eu-north-1").root("iam", site.account)
    assert iam.get_role(RoleName="keeper")["Role"]["Description"] == "shibboleth"
    assert site.up().counts == Counts(unchanged=3)


def _secret(value: str) -> Any:
    from pulumi import automation as auto

    return auto.ConfigValue(value, secret=True)


def test_without_a_passphrase_the_error_says_how_to_give_one(site: Site) -> None:
    site.want(notes={})
    site.up()
    environment = {k: v for k, v in site.engine._settings.environment.items() if "PASSPHRASE" not in k}
    object.__setattr__(site.engine._settings, "environment", environment)
    (error,) = site.up().errors
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" in error
    assert "awskms://" in error


def test_another_account_is_refused_before_anything_changes(site: Site) -> None:
    site.want(account="999988887777", notes={})
    (error,) = {line.splitlines()[0] for line in site.up().errors}
    assert f"AWS account ID not allowed: {site.account}" in error
    assert logs(site).describe_log_groups()["logGroups"] == []


def test_a_new_stack_is_previewed_without_being_made(site: Site) -> None:
    site.want(notes={})
    assert site.up(preview=True).counts == Counts(created=2)
    assert site.engine.deployed() == []
    assert not list(site.home.rglob("central.json"))


def test_another_region_replaces_everything_behind_the_provider(site: Site) -> None:
    site.want(notes={})
    site.up()
    program = site.root / "__main__.py"
    program.write_text(program.read_text().replace("eu-north-1", "eu-west-1"))
    result = site.up()
    assert result.errors == ()
    assert result.counts == Counts(replaced=2)
    assert logs(site).describe_log_groups()["logGroups"] == []


def test_a_backend_that_is_not_there_is_an_error_and_not_a_traceback(site: Site) -> None:
    object.__setattr__(site.engine._settings, "backend", "file:///nowhere/at/all")
    with pytest.raises(DeployError, match="nowhere"):
        site.engine.deployed()


def test_the_project_s_policy_pack_runs_and_a_mandatory_violation_fails_the_stack(site: Site) -> None:
    pack = site.root / "policies"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 0.0.1\n")
    (pack / "__main__.py").write_text(PACK)
    site.want(notes={"days": 1})
    refused = site.up(preview=True)
    (error,) = refused.errors
    assert "policy logs-are-kept (toy): Logs are kept. Keep what notes logs for longer than a day." in error
    assert "aws:cloudwatch/logGroup:LogGroup (notes)" in error
    site.want(notes={"days": 30})
    assert site.up(preview=True).ok


PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy


def kept(args, report):
    if args.resource_type == "aws:cloudwatch/logGroup:LogGroup" and args.props.get("retentionInDays") == 1:
        report(f"Keep what {args.name} logs for longer than a day.")


PolicyPack(
    name="toy",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[ResourceValidationPolicy(name="logs-are-kept", description="Logs are kept.", validate=kept)],
)
"""


def test_a_provider_ends_with_the_engine_that_started_it(site: Site) -> None:
    environment = {**os.environ, "AWS_ENDPOINT_URL": site.endpoint}
    launcher = site.home / "pulumi" / "plugins" / "pulumi-resource-aws"
    # An engine that is killed: a shell that prints its child's process id and port, and waits.
    script = f'"{launcher}" 127.0.0.1:0 & echo $!; wait'
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, env=environment, text=True) as shell:
        assert shell.stdout is not None
        child, port = int(shell.stdout.readline()), int(shell.stdout.readline())
        assert port > 0
        os.kill(shell.pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while _runs(child) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not _runs(child)


def _runs(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    if not stat.parent.parent.joinpath("self").exists():
        pytest.skip("NOT TESTED: there is no /proc here to see processes in")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_the_provider_refuses_to_work_with_anything_but_a_local_aws(site: Site) -> None:
    launcher = site.home / "pulumi" / "plugins" / "pulumi-resource-aws"
    environment = {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": "https://sts.eu-central-1.amazonaws.com"}
    done = subprocess.run([str(launcher), "127.0.0.1:0"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "lakemesh's local AWS and works with nothing else" in done.stderr


def test_a_state_has_every_resource_with_its_inputs(site: Site) -> None:
    site.want(notes={"days": 30})
    site.up()
    (group,) = [one for one in resources(site.engine, "central") if one["type"].endswith(":LogGroup")]
    assert group["inputs"]["retentionInDays"] == 30
    assert group["id"] == "/central/notes"
