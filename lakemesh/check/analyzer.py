"""A policy pack as a process that Pulumi's engine would start, and what one asks it (`pulumirpc.Analyzer`).

The pack has an interpreter of its own where its PulumiPolicy.yaml names a virtual environment, as under the engine.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import grpc
import yaml
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto import analyzer_pb2_grpc

from lakemesh.check.finding import Rule
from lakemesh.deploy.results import DeployError

_MEGABYTES: Final = 400
"""What the engine lets a message have."""
_OPTIONS: Final = (
    ("grpc.max_send_message_length", _MEGABYTES << 20),
    ("grpc.max_receive_message_length", _MEGABYTES << 20),
    ("grpc.enable_http_proxy", 0),
)
_STARTING_SECONDS: Final = 60.0
LEVELS: Final[Mapping[str, int]] = {
    "advisory": proto.ADVISORY,
    "mandatory": proto.MANDATORY,
    "disabled": proto.DISABLED,
}
_NAMES: Final = {number: name for name, number in LEVELS.items()}
_SEVERITIES: Final[Mapping[int, str]] = {
    proto.POLICY_SEVERITY_LOW: "low",
    proto.POLICY_SEVERITY_MEDIUM: "medium",
    proto.POLICY_SEVERITY_HIGH: "high",
    proto.POLICY_SEVERITY_CRITICAL: "critical",
}


class Analyzer:
    """A running pack."""

    def __init__(self, stub: analyzer_pb2_grpc.AnalyzerStub) -> None:
        self._stub = stub
        self._info = stub.GetAnalyzerInfo(empty_pb2.Empty())

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Its rules by name."""
        return {
            each.name: Rule(
                each.name, each.description, _SEVERITIES.get(each.severity, ""), each.url, each.remediation_steps
            )
            for each in self._info.policies
        }

    def configure(self, project: str, stack: str, configuration: Mapping[str, Mapping[str, Any]]) -> None:
        """Tell it which stack comes, and its configuration: every rule's level, and what a rule was configured with."""
        request = proto.ConfigureAnalyzerRequest()
        for each in self._info.policies:
            given = dict(configuration.get(each.name, {}))
            level = given.pop("enforcementLevel", None)
            entry = request.policyConfig[each.name]
            entry.enforcementLevel = LEVELS[level] if level else each.enforcementLevel
            entry.properties.update(given)
        self._stub.Configure(request)
        told = proto.AnalyzerStackConfigureRequest(
            stack=stack, project=project, organization="organization", dry_run=True
        )
        self._stub.ConfigureStack(told)

    def analyze(self, resource: proto.AnalyzeRequest) -> Iterator[tuple[str, str, str, str]]:
        """What the rules say of one resource: rule, level, urn, message."""
        yield from _told(self._stub.Analyze(resource).diagnostics, resource.urn)

    def analyze_stack(
        self, resources: Iterable[proto.AnalyzerResource], root: str
    ) -> Iterator[tuple[str, str, str, str]]:
        """What the rules say of a stack. `root`: URN that stands for the stack as a whole."""
        yield from _told(self._stub.AnalyzeStack(proto.AnalyzeStackRequest(resources=resources)).diagnostics, root)


def _told(diagnostics: Iterable[Any], urn: str) -> Iterator[tuple[str, str, str, str]]:
    for each in diagnostics:
        yield each.policyName, _NAMES.get(each.enforcementLevel, "mandatory"), each.urn or urn, each.message


@contextlib.contextmanager
def boot(pack: Path) -> Iterator[Analyzer]:
    """The pack, started as the engine starts it and ended afterwards. Raises DeployError with what it said."""
    environment = {**os.environ, "PULUMI_PROJECT": "lakemesh", "PULUMI_STACK": "check", "PULUMI_DRY_RUN": "true"}
    process = subprocess.Popen(  # noqa: S603 - no shell
        [interpreter(pack), "-u", "-m", "pulumi.policy", "127.0.0.1:0", str(pack.resolve())],
        cwd=pack,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with grpc.insecure_channel(f"127.0.0.1:{_port(process, pack)}", options=_OPTIONS) as channel:
            yield Analyzer(analyzer_pb2_grpc.AnalyzerStub(channel))
    except grpc.RpcError as error:
        raise DeployError(f"The policy pack {pack} failed: {error}") from error
    finally:
        process.terminate()
        process.communicate()


def interpreter(pack: Path) -> str:
    """Python of the virtual environment that the pack names, where it is there; else this one."""
    found = yaml.safe_load((pack / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
    runtime = found.get("runtime") if isinstance(found, dict) else None
    named = (runtime.get("options") or {}).get("virtualenv") if isinstance(runtime, dict) else None
    # The link that a virtual environment's Python is must stay one: it is how it knows where it belongs.
    python = os.path.normpath(pack.resolve() / str(named) / "bin" / "python")
    return python if named and os.access(python, os.X_OK) else sys.executable


def _port(process: subprocess.Popen[str], pack: Path) -> int:
    """The port, which the pack says on its first line."""
    timer = threading.Timer(_STARTING_SECONDS, process.kill)
    timer.start()
    try:
        line = process.stdout.readline().strip() if process.stdout else ""
    finally:
        timer.cancel()
    if not line.isdigit():
        process.kill()
        said = "\n".join(filter(None, [line, *(text.strip() for text in process.communicate())]))
        raise DeployError(f"The policy pack {pack} does not start:\n{said[-2000:] or 'it said nothing.'}")
    return int(line)
