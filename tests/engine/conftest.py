"""Worlds for tests of Pulumi's own engine: the real CLI, the local AWS's provider, states in temporary directories."""

from __future__ import annotations

import json
import shutil
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation as auto

from lakemesh.access.check import load_mesh
from lakemesh.demo.process import LocalAwsProcess
from lakemesh.deploy import choose
from lakemesh.deploy.pulumi import Pulumi, find_cli
from lakemesh.deploy.pulumi_events import Listener
from lakemesh.deploy.results import Counts, StackResult, summed
from lakemesh.deploy.run import deploy
from tests.e2e.conftest import World
from tests.engine.clouds import dump

ROOT = Path(__file__).parents[2]
FAST = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
"""The state is written at the end of an update and not at every step: for tests that kill nothing."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "engine: drives Pulumi's CLI; run one after the other, on one worker")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the CLI, and runs one after the other: on one worker."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)
            item.add_marker(pytest.mark.xdist_group("engine"))


@pytest.fixture(scope="session")
def cli() -> Path:
    """Pulumi's CLI; without one these tests are skipped, and say how not to be."""
    found = find_cli(ROOT)
    if found is None:
        pytest.skip(
            "NOT TESTED: Pulumi's own engine. There is no pulumi on PATH and none in .tools/bin. To enable: install "
            "Pulumi (https://www.pulumi.com/docs/install/), or, where Go is installed: make tools"
        )
    return found


def project(directory: Path) -> Path:
    """A copy of the program and the sample, without the policy pack, which has tests of its own."""
    for file in (*ROOT.glob("Pulumi*.yaml"), ROOT / "__main__.py"):
        shutil.copy(file, directory)
    shutil.copytree(ROOT / "mesh", directory / "mesh")
    return directory


# ---------------------------------------------------------------------------------------------------------- the sample
@dataclass
class Mesh:
    """The sample on a local AWS, deployed by the real CLI."""

    world: World
    engine: Pulumi
    recorded: dict[str, dict[str, StackResult]] = field(default_factory=dict)
    """Results of the first preview, the first up, the second up and the refresh after it, by stack."""
    cloud: dict[str, list[str]] = field(default_factory=dict)
    """What the accounts held after the first up."""

    def up(self, *stacks: str, mesh: Path | None = None, preview: bool = False) -> dict[str, StackResult]:
        engine = self.engine if mesh is None else _of(self.engine, mesh)
        results = deploy(mesh or self.world.directory, stacks, engine, preview=preview)
        failed = [text for result in results for text in result.errors]
        assert not failed, "\n".join(failed)
        return {result.stack: result for result in results}

    def refresh(self, *stacks: str) -> dict[str, StackResult]:
        return {stack: refresh(self.engine, stack) for stack in stacks or self.engine.deployed()}

    def state(self, stack: str) -> list[dict[str, Any]]:
        return resources(self.engine, stack)


def _of(engine: Pulumi, mesh: Path) -> Pulumi:
    """The same engine and state for another mesh directory."""
    return Pulumi(engine._settings, mesh, engine._root)


def refresh(engine: Pulumi, stack: str) -> StackResult:
    """`pulumi refresh`: what AWS has other than the state says."""
    listener = Listener(None)
    engine._configure(stack)
    done = auto.Stack.select(stack, engine._workspace()).refresh(on_event=listener, color="never", show_secrets=False)
    changes = done.summary.resource_changes or {}
    result = summed(stack, [], listener.errors, {})
    number = {str(getattr(op, "value", op)): count for op, count in changes.items()}
    counts = Counts(updated=number.get("update", 0), deleted=number.get("delete", 0), unchanged=number.get("same", 0))
    return replace(result, counts=counts)


def resources(engine: Pulumi, stack: str) -> list[dict[str, Any]]:
    """The resources of a stack's state."""
    deployment = engine._workspace().export_stack(stack).deployment
    return list((deployment or {}).get("resources") or [])


def engine_on(endpoint: str, account: str, mesh: Path, root: Path, home: Path, cli: Path, *, fast: bool) -> Pulumi:
    """The engine as `lakemesh up --local` makes it."""
    settings = choose._local(cli, endpoint, account, home / "pulumi" / "world", None)
    if fast:
        settings = replace(settings, environment={**settings.environment, **FAST})
    return Pulumi(settings, mesh, root)


@pytest.fixture(scope="session")
def deployed(cli: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """The sample, previewed, deployed twice and refreshed by the real CLI. Whoever changes it puts it back."""
    root = project(tmp_path_factory.mktemp("project"))
    with LocalAwsProcess() as aws, ExitStack() as opened:
        world = World(aws.endpoint, root / "mesh").prepare()
        central = world.declarations.mesh.central.account
        home = tmp_path_factory.mktemp("home")
        engine = opened.enter_context(engine_on(aws.endpoint, central, root / "mesh", root, home, cli, fast=True))
        mesh = Mesh(world, engine)
        mesh.recorded["preview"] = mesh.up(preview=True)
        mesh.recorded["first"] = mesh.up()
        mesh.cloud = dump(world.declarations, world.clients)
        mesh.recorded["second"] = mesh.up()
        mesh.recorded["refresh"] = mesh.refresh()
        yield mesh


# ---------------------------------------------------------------------------------------------------- a small program
PROGRAM = """
import json
import time
from pathlib import Path

import pulumi
import pulumi_aws as aws

HERE = Path(__file__).parent
wanted = json.loads((HERE / "wanted.json").read_text())
provider = aws.Provider(
    "aws",
    region="eu-north-1",
    allowed_account_ids=[wanted["account"]],
    assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=role) for role in wanted["roles"]],
)
for name, settings in wanted["groups"].items():
    aws.cloudwatch.LogGroup(
        name,
        name=settings.get("name", f"/{pulumi.get_stack()}/{name}"),
        retention_in_days=settings.get("days"),
        opts=pulumi.ResourceOptions(provider=provider, retain_on_delete=settings.get("retain", False)),
    )
if wanted["keeper"]:
    aws.iam.Role(
        "keeper",
        name="keeper",
        description=pulumi.Config("lakemesh").require_secret("word"),
        assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [wanted["trust"]]}),
        opts=pulumi.ResourceOptions(provider=provider),
    )
while (HERE / "wait").exists():
    time.sleep(0.05)
pulumi.export("word", pulumi.Output.secret("open sesame"))
"""


@dataclass
class Site:
    """A small program, its engine with every checkpoint written, and the local AWS that it deploys to."""

    root: Path
    endpoint: str
    account: str
    engine: Pulumi
    home: Path

    @property
    def mesh(self) -> Path:
        return self.root / "mesh"

    def want(
        self, account: str | None = None, role: str | None = None, *, keeper: bool = False, **groups: dict[str, Any]
    ) -> None:
        """Log groups that the program makes, in which account, as which role; and whether a role with a secret."""
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        wanted = {
            "account": account or self.account,
            "roles": [role] if role else [],
            "keeper": keeper,
            "groups": groups,
            "trust": trust,
        }
        text = json.dumps(wanted)
        (self.root / "wanted.json").write_text(text)

    def up(self, *, preview: bool = False) -> StackResult:
        return self.engine.up("central", None, preview=preview)

    def waiting(self) -> tuple[threading.Thread, list[StackResult]]:
        """An update whose program goes on until `wait` is removed."""
        (self.root / "wait").touch()
        results: list[StackResult] = []
        thread = threading.Thread(target=lambda: results.append(self.up()))
        thread.start()
        return thread, results


@pytest.fixture
def site(
    cli: Path, mesh: Path, local_aws_process: LocalAwsProcess, tmp_path: Path, reset: Callable[[], str]
) -> Iterator[Site]:
    (mesh.parent / "Pulumi.yaml").write_text("name: lakemesh\nruntime: python\n")
    (mesh.parent / "__main__.py").write_text(textwrap.dedent(PROGRAM))
    account = load_mesh(mesh).mesh.central.account
    endpoint = reset()
    home = tmp_path / "home"
    with engine_on(endpoint, account, mesh, mesh.parent, home, cli, fast=False) as engine:
        made = Site(mesh.parent, endpoint, account, engine, home)
        made.want()
        yield made
