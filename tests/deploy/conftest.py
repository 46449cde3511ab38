"""A mesh beside a small program of its own, so that deployments can be tested without deploying the product."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakemesh.deploy.run import StackResult, deploy, destroy

PROGRAM = """
import json
from pathlib import Path

import pulumi
import pulumi_aws as aws

HERE = Path(__file__).parent
stack = pulumi.get_stack()
wanted = json.loads((HERE / "wanted.json").read_text()).get(stack, {})
if "error" in wanted:
    raise pulumi.RunError(wanted["error"])
config = pulumi.Config("lakemesh")
options = pulumi.ResourceOptions(
    provider=aws.Provider("aws", region="eu-north-1", allowed_account_ids=["111122223333"]),
    protect=wanted.get("protect", False),
)
for name, value in wanted.get("topics", {"notes": "one"}).items():
    aws.cloudwatch.LogGroup(name, name=f"/{stack}/{name}", tags={"value": value}, opts=options)
pulumi.export("mesh", config.require("mesh"))
"""


@dataclass
class Site:
    """A project directory with a mesh, and the local AWS that it is deployed to."""

    root: Path
    endpoint: str

    @property
    def mesh(self) -> Path:
        return self.root / "mesh"

    def want(self, text: str = "{}") -> None:
        """What each stack's program should do, as JSON by stack."""
        (self.root / "wanted.json").write_text(text)

    def deploy(self, *stacks: str, preview: bool = False) -> dict[str, StackResult]:
        return {one.stack: one for one in deploy(self.mesh, stacks, self.endpoint, preview=preview)}

    def destroy(self, *stacks: str, exclude_protected: bool = False) -> dict[str, StackResult]:
        return {
            one.stack: one for one in destroy(self.mesh, stacks, self.endpoint, exclude_protected=exclude_protected)
        }


@pytest.fixture(autouse=True)
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Pulumi's CLI, even where there is one: that is tested by tests/engine."""
    monkeypatch.setenv("LAKEMESH_ENGINE", "inprocess")


@pytest.fixture
def site(mesh: Path, reset: Callable[[], str]) -> Site:
    (mesh.parent / "Pulumi.yaml").write_text("name: lakemesh\nruntime: python\n")
    (mesh.parent / "__main__.py").write_text(textwrap.dedent(PROGRAM))
    made = Site(mesh.parent, reset())
    made.want()
    return made


@pytest.fixture
def bare(site: Site) -> Site:
    """A mesh without producers, domains and consumers, so without predecessors: one stack."""
    for kind in ("products", "grants", "consumers"):
        shutil.rmtree(site.mesh / kind)
    text = (site.mesh / "mesh.yaml").read_text()
    head = text[: text.index("producers:")]
    (site.mesh / "mesh.yaml").write_text(head)
    (site.mesh / "tags.yaml").write_text("tags: {}\n")
    return site
