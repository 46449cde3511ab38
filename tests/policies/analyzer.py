"""The pack in its own process, booted as the engine boots it, and asked over gRPC."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy.deserialize import serialize_properties

from tests.policies.record import ROOT, Finding, Recorded

PACK = ROOT / "policies"
LEVELS = {"advisory": 0, "mandatory": 1, "disabled": 2, "remediate": 3}
SIZE = [("grpc.max_send_message_length", 400 << 20), ("grpc.max_receive_message_length", 400 << 20)]


@contextmanager
def booted(pack: Path = PACK, *, preview: bool = True) -> Iterator[Analyzer]:
    """A running pack. What it would find on the path of the repository it cannot: it stands alone."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    env |= {"PULUMI_PROJECT": "lakemesh", "PULUMI_STACK": "test", "PULUMI_DRY_RUN": str(preview).lower()}
    command = [sys.executable, "-u", "-W", "ignore", "-m", "pulumi.policy", "127.0.0.1:0", str(pack)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=env, cwd=pack.parent / "docs")
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=SIZE) as channel:
            yield Analyzer(analyzer_pb2_grpc.AnalyzerStub(channel), process.pid)  # type: ignore[no-untyped-call]
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


class Analyzer:
    """What the engine does with a pack."""

    def __init__(self, stub: Any, process: int = 0) -> None:
        self.stub = stub
        self.process = process

    def processor_seconds(self) -> float:
        """What the pack's process has computed so far; 0 where the system does not say."""
        try:
            user, system = Path(f"/proc/{self.process}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        except OSError:
            return 0.0
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def info(self) -> Any:
        return self.stub.GetAnalyzerInfo(empty_pb2.Empty())

    def configure(self, config: Mapping[str, Mapping[str, Any]]) -> None:
        """As in a file for --policy-pack-config."""
        levels = {each.name: each.enforcementLevel for each in self.info().policies}
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        for rule, given in config.items():
            own = {key: value for key, value in given.items() if key != "enforcementLevel"}
            level = given.get("enforcementLevel")
            request.policyConfig[rule].enforcementLevel = LEVELS[level] if level else levels[rule]
            request.policyConfig[rule].properties.CopyFrom(struct(own))
        self.stub.Configure(request)

    def judge(self, resources: Sequence[Recorded]) -> list[Finding]:
        """Each resource, and then the stack."""
        return self.ask(resources, [self.resource(each) for each in resources], self.stack(resources))

    def ask(self, resources: Sequence[Recorded], each_alone: Sequence[Any], stack: Any) -> list[Finding]:
        """The same with requests that were made before."""
        names = {each.urn: each.name for each in resources}
        found = []
        for each, request in zip(resources, each_alone, strict=True):
            found += [_finding(one, each.name, names) for one in self.stub.Analyze(request).diagnostics]
        return found + [_finding(one, "", names) for one in self.stub.AnalyzeStack(stack).diagnostics]

    @staticmethod
    def resource(each: Recorded) -> Any:
        return analyzer_pb2.AnalyzeRequest(
            type=each.type,
            properties=struct(each.inputs),
            urn=each.urn,
            name=each.name,
            options=options(each),
            provider=provider(each),
        )

    @staticmethod
    def stack(resources: Sequence[Recorded]) -> Any:
        return analyzer_pb2.AnalyzeStackRequest(
            resources=[
                analyzer_pb2.AnalyzerResource(
                    type=each.type,
                    properties=struct(each.outputs),
                    urn=each.urn,
                    name=each.name,
                    options=options(each),
                    provider=provider(each),
                    parent=each.parent,
                    dependencies=list(each.dependencies),
                )
                for each in resources
            ]
        )


def struct(value: Mapping[str, Any]) -> Any:
    """Properties as they travel, assets included."""
    made = struct_pb2.Struct()
    made.update(json.loads(json.dumps(serialize_properties(dict(value)))))
    return made


def options(each: Recorded) -> Any:
    return analyzer_pb2.AnalyzerResourceOptions(
        protect=each.protect,
        ignoreChanges=list(each.ignore_changes),
        deleteBeforeReplace=each.delete_before_replace,
        deleteBeforeReplaceDefined=each.delete_before_replace,
        parent=each.parent,
    )


def provider(each: Recorded) -> Any:
    if each.provider is None:
        return None
    given = each.provider
    return analyzer_pb2.AnalyzerProviderResource(
        type=given.type, properties=struct(given.inputs), urn=given.urn, name=given.name
    )


def _finding(diagnostic: Any, resource: str, names: Mapping[str, str]) -> Finding:
    about = names.get(diagnostic.urn, resource)
    kind = "unknown" if diagnostic.message.startswith("can't run policy") else "violation"
    return Finding(diagnostic.policyName, about, diagnostic.message.split("\n", 1)[-1], kind)
