"""A project with one bad stack, the policy pack, and the engines that can judge it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from lakemesh.access.check import load_mesh
from lakemesh.check.run import Checking
from lakemesh.declarations.models import Declarations
from lakemesh.deploy.pulumi import find_cli
from tests.conftest import ROOT

PACK = ROOT / "policies"
PROGRAM = """
import pulumi
import pulumi_aws as aws

aws_provider = aws.Provider("central", region="eu-central-1", allowed_account_ids=["999988887777"])
opts = pulumi.ResourceOptions(provider=aws_provider)
grant = pulumi.ResourceOptions(provider=aws_provider, delete_before_replace=True)
database = {"catalog_id": "999988887777", "name": "ar_raw"}

role = aws.iam.Role("reader", name="reader", assume_role_policy="{}", opts=opts)
# Everything to everybody, and replaced before it is deleted.
aws.lakeformation.Permissions(
    "everybody", principal="IAM_ALLOWED_PRINCIPALS", permissions=["ALL"], database=database, opts=opts
)
# To somebody that only the deployment knows.
aws.lakeformation.Permissions("role", principal=role.arn, permissions=["DESCRIBE"], database=database, opts=grant)
# Two on one natural key: what one sets the other takes away.
for name in ("one", "two"):
    aws.lakeformation.Permissions(
        name, principal="444455556666", permissions=["DESCRIBE"], database=database, opts=grant
    )
"""
EXCEPTIONS = [
    {
        "rule": "permissions-are-deleted-before-replaced",
        "resource": "every*",
        "stack": "central",
        "reason": "It goes next week.",
        "owner": "ines.moreau@acme.example",
        "approver": "jonas.weber@acme.example",
        "expires": "2999-12-31",
    },
    {
        "rule": "hybrid-access-is-an-exception",
        "resource": "old-lake",
        "reason": "Migration of old jobs.",
        "owner": "ines.moreau@acme.example",
        "approver": "jonas.weber@acme.example",
        "expires": "2020-01-01",
    },
    {
        "rule": "grants-never-give-all",
        "resource": "everybody",
        "stack": "domain-*",
        "reason": "Not of this stack.",
        "owner": "ines.moreau@acme.example",
        "approver": "jonas.weber@acme.example",
        "expires": "2999-12-31",
    },
]


@dataclass(frozen=True)
class Project:
    """A project whose program is the same for each stack."""

    root: Path

    @property
    def mesh(self) -> Path:
        return self.root / "mesh"

    def declarations(self) -> Declarations:
        return load_mesh(self.mesh)

    def checking(self, **more: object) -> Checking:
        return Checking(self.mesh, self.declarations(), home=self.root / "home", **more)  # type: ignore[arg-type]

    def edit(self, change: Callable[[dict], None], file: str = "mesh.yaml") -> None:
        path = self.mesh / file
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The sample's mesh with a program that breaks rules."""
    root = tmp_path / "project"
    root.mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", root)
    (root / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    (root / "policies").symlink_to(PACK)
    shutil.copytree(ROOT / "mesh", root / "mesh")
    (root / "mesh" / "exceptions.yaml").write_text(yaml.safe_dump({"exceptions": EXCEPTIONS}), encoding="utf-8")
    return Project(root)


@pytest.fixture(scope="session")
def cli() -> Path:
    """Pulumi's CLI; without one these tests are skipped, and say how not to be."""
    found = find_cli(ROOT)
    if found is None:
        pytest.skip(
            "NOT TESTED: that Pulumi's own engine finds what `lakemesh check` finds without it. There is no pulumi on "
            "PATH and none in .tools/bin. To enable: install Pulumi (https://www.pulumi.com/docs/install/), or, where "
            "Go is installed: make tools"
        )
    return found


@pytest.fixture
def lakemesh() -> Callable[..., Result]:
    """The command line."""
    import typer

    from lakemesh.cli.check import check

    app = typer.Typer()
    app.command()(check)
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])
