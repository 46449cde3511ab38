"""The commands of onboarding against accounts that nobody prepared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from lakemesh.cli import local
from lakemesh.cli.codeowners import codeowners
from lakemesh.cli.deploy import up
from lakemesh.cli.init import init
from lakemesh.cli.onboard import app as onboard
from lakemesh.cli.validate import validate
from tests.onboard.unprepared import CENTRAL, REGION, Unprepared

Lakemesh = Callable[..., Result]

app = typer.Typer()
app.add_typer(onboard, name="onboard")
for command in (init, codeowners, validate, up):
    app.command()(command)


@pytest.fixture
def lakemesh(monkeypatch: pytest.MonkeyPatch, reset: Callable[[], str]) -> Lakemesh:
    """`lakemesh(account, *arguments)`: the command with the credentials of an account's root on the local AWS."""
    endpoint = reset()
    monkeypatch.setattr(local, "endpoint", lambda: endpoint)

    def run(account: str, *arguments: str, answers: str | None = None) -> Result:
        environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": None,
            "AWS_PROFILE": None,
            "AWS_CONFIG_FILE": "/nowhere",
            "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return CliRunner().invoke(app, list(arguments), input=answers, env=environment)

    return run


@pytest.fixture
def accounts(lakemesh: Lakemesh, reset: Callable[[], str], local_aws_process: object) -> Unprepared:
    """The producer and the consumer as one finds them."""
    return Unprepared.at(local_aws_process.endpoint).make()  # type: ignore[attr-defined]


@pytest.fixture
def empty(lakemesh: Lakemesh, tmp_path: Path) -> Path:
    """An empty mesh, as `lakemesh init` makes it."""
    directory = tmp_path / "mesh"
    result = lakemesh(
        CENTRAL, "init", str(directory), "--name", "orchard", "--organization", "o-orchard0001",
        "--region", REGION, "--account", CENTRAL,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    return directory


def text(directory: Path) -> dict[str, str]:
    """Every file of a directory, by its path."""
    return {
        str(path.relative_to(directory)): path.read_text() for path in sorted(directory.rglob("*")) if path.is_file()
    }
