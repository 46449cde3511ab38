"""The events that Pulumi's own CLI streams are read right: the program runs in this process, the engine decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path

import grpc
import pulumi
import pulumi_aws as aws
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc

from lakemesh.declarations.models import Declarations
from lakemesh.workflows.events import Preview, Step
from lakemesh.workflows.pulumi import Pulumi
from local_aws.engine.install import analyzer
from tests.conftest import ROOT
from tests.workflows import cli
from tests.workflows.cli import needs_pulumi, project_in


@contextmanager
def serving(program: Callable[[], None]) -> Iterator[str]:
    """`--client` of a language host that runs `program`, as the Automation API does it."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServer(program), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"--client=127.0.0.1:{port}"
    finally:
        server.stop(0)


class Runner(Pulumi):
    """Our runner, with the language host of this process."""

    client = ""

    @contextmanager
    def _policies(self, stack: str) -> Iterator[Sequence[str]]:
        yield (self.client,)


def program(permissions: list[str], retention: int, *names: str) -> Callable[[], None]:
    def run() -> None:
        opts = pulumi.ResourceOptions(provider=aws.Provider("aws", region="eu-north-1"))
        for name in names:
            aws.cloudwatch.LogGroup(name, name=name, retention_in_days=retention, opts=opts)
        aws.lakeformation.Permissions(
            "grant",
            principal="444455556666",
            permissions=permissions,
            database={"name": "ar_curated"},
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
        )

    return run


@needs_pulumi
def test_what_the_engine_means_to_do_is_told(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    runner = Runner(project, environment=cli.environment(project), say=lambda text: None)

    def preview(run: Callable[[], None], *, refresh: bool = False) -> Preview:
        with serving(run) as Runner.client:
            return runner.preview("central", refresh=refresh)

    first = program(["DESCRIBE"], 30, "kept", "gone")
    new = preview(first)
    assert (new.new, new.ok, [step.op for step in new.steps]) == (True, True, ["create"] * 4), new.errors
    assert not list((tmp_path / "state").rglob("central*")), "a preview makes no stack"

    with serving(first) as Runner.client:
        assert [each.code for each in runner.up(["central"])] == [0]
    assert preview(first).clean

    changed = preview(program(["ALTER", "DESCRIBE"], 60, "kept", "new"))
    assert changed.ok, changed.errors
    assert changed.steps == (
        Step("create", "LogGroup", "new"),
        Step("update", "LogGroup", "kept", ("retentionInDays",)),
        Step("replace", "Permissions", "grant", ("permissions",), "444455556666 on database ar_curated"),
        Step("delete", "LogGroup", "gone"),
    )

    def fails() -> None:
        raise pulumi.RunError("mesh.yaml:3:5 not so")

    assert any("mesh.yaml:3:5 not so" in error for error in preview(fails).errors)


class Judged(Runner):
    """The same with the policy pack."""

    @contextmanager
    def _policies(self, stack: str) -> Iterator[Sequence[str]]:
        with Pulumi._policies(self, stack) as policies:
            yield (self.client, *policies)


@needs_pulumi
def test_the_engine_takes_the_packs_configuration(tmp_path: Path, sample: Declarations) -> None:
    project = project_in(tmp_path)
    # Without a language host the engine looks for an analyzer, which needs no stand-in.
    (tmp_path / "bin" / "pulumi-language-python").unlink()
    analyzer(tmp_path / "bin")
    (project / "policies").symlink_to(ROOT / "policies")
    runner = Judged(project, environment=cli.environment(project), say=lambda text: None, declarations=sample)

    with serving(program(["ALL"], 30)) as Runner.client:
        found = runner.preview("central")

    assert not found.errors, "the violations say what failed"
    mandatory = {violation.policy for violation in found.violations if violation.mandatory}
    assert "grants-never-give-all" in mandatory
    assert "mesh-is-described" not in {violation.policy for violation in found.violations}, "it has the manifest"
