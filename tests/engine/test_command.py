"""`lakemesh up`, `preview` and `destroy` by Pulumi's engine: on the local AWS, and as on real accounts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from lakemesh.access.check import load_mesh
from lakemesh.cli import local
from lakemesh.cli.main import app
from lakemesh.deploy import pulumi
from lakemesh.deploy.prepare import prepare
from local_aws.engine.install import install
from tests.engine.conftest import Site

Lakemesh = Callable[..., Result]


@pytest.fixture
def lakemesh(site: Site, monkeypatch: pytest.MonkeyPatch, cli: Path) -> Lakemesh:
    """The command in the small program's directory."""
    monkeypatch.chdir(site.root)
    monkeypatch.setenv("PATH", f"{cli.parent}:/usr/bin:/bin")
    for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(site.home / "pulumi-home"))
    monkeypatch.setattr(local, "endpoint", lambda: site.endpoint)
    site.want(notes={})
    return lambda *arguments: CliRunner().invoke(app, [*arguments, "--mesh", str(site.mesh)])


def test_on_the_local_aws_pulumi_is_taken_where_it_is_there(
    lakemesh: Lakemesh, site: Site, reset: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://state-of-real-accounts")
    previewed = lakemesh("preview", "--local", "central")
    assert "2 to create." in previewed.stdout, previewed.output
    made = lakemesh("up", "--local", "central")
    assert "+ aws:cloudwatch/logGroup:LogGroup notes created" in made.stdout, made.output
    assert "2 created." in made.stdout
    assert "using pulumi-resource-aws" not in made.stdout
    assert "Nothing to change: 2 resources unchanged." in lakemesh("up", "--local", "central").stdout
    state = site.root / ".lakemesh" / "pulumi"
    assert (state / "passphrase").stat().st_mode & 0o777 == 0o600
    assert (state / "passphrase").read_text() not in made.output
    assert not (site.root / "Pulumi.central.yaml").exists(), "a state that goes with the local AWS leaves no trace"
    mixed = lakemesh("up", "--local", "central", "--engine", "inprocess")
    assert mixed.exit_code == 1
    assert "central were deployed by the engine pulumi" in mixed.stderr
    with monkeypatch.context() as without_cli:
        without_cli.setattr(pulumi, "find_cli", lambda root: None)
        assert lakemesh("up", "--local", "central").stderr == mixed.stderr

    # What another local AWS holds is another state.
    reset()
    assert "2 created." in lakemesh("up", "--local", "central").stdout
    destroyed = lakemesh("destroy", "--local", "--yes", "--format", "json")
    (stack,) = json.loads(destroyed.stdout)["stacks"]
    assert stack["counts"]["deleted"] == 2
    assert json.loads(lakemesh("destroy", "--local", "--yes", "--format", "json").stdout)["stacks"] == []


def test_a_missing_predecessor_is_named_with_the_command(lakemesh: Lakemesh) -> None:
    result = lakemesh("up", "--local", "producer-erp", "--engine", "pulumi")
    assert result.exit_code == 1
    assert "lakemesh up --local --engine pulumi central" in result.stderr


@pytest.fixture
def accounts(lakemesh: Lakemesh, site: Site, monkeypatch: pytest.MonkeyPatch) -> Lakemesh:
    """The same, as real accounts are deployed to: endpoint, credentials and provider are the environment's."""
    prepare(load_mesh(site.mesh), site.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL", site.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", site.account)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    install(site.root / "plugins")
    monkeypatch.setenv("PATH", f"{site.root / 'plugins'}:{os.environ['PATH']}")
    backend = site.root / "backend"
    backend.mkdir()
    return lambda *arguments: lakemesh(*arguments, "--backend", backend.as_uri())


def test_real_accounts_take_the_same_path(accounts: Lakemesh, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = accounts("up", "central", "--yes")
    assert lacking.exit_code == 1
    assert "PULUMI_CONFIG_PASSPHRASE" in lacking.output
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "correct horse")
    made = accounts("up", "central", "--yes")
    assert "2 created." in made.stdout, made.output
    file = site.root / "Pulumi.central.yaml"
    assert "encryptionsalt: v1:" in file.read_text(), "whoever types `pulumi up` next can decrypt the stack's secrets"
    assert "correct horse" not in made.output + file.read_text()
    assert "2 unchanged" in accounts("preview", "central").stdout
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "wrong horse")
    refused = accounts("up", "central", "--yes")
    assert "The passphrase is not the one" in refused.output


def test_the_wrong_account_is_refused_before_anything_is_begun(
    accounts: Lakemesh, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "x")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "999988887777")
    for action in (["up", "central", "--yes"], ["preview", "central"], ["destroy", "central", "--yes"]):
        result = accounts(*action)
        assert result.exit_code == 1
        assert "Nothing was changed. The credentials are those of arn:aws:iam::999988887777:root" in result.stderr
    assert not list((site.root / "backend").rglob("*.json"))


def test_what_was_not_begun_is_told_in_json_too(accounts: Lakemesh) -> None:
    result = accounts("up", "domain-ar", "--yes", "--format", "json")
    found = json.loads(result.stdout)
    assert found["ok"] is False
    assert "Stack domain-ar needs central and producer-erp" in found["error"]
