"""The component package as the engine sees it: a process that serves gRPC, and a monitor that it registers with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

ROOT = Path(__file__).parents[2]


@dataclass
class Plugin:
    """`python components/__main__.py <engine>`, running."""

    stub: Any
    monitor: RecordingMonitor
    monitor_address: str

    def schema(self) -> dict[str, Any]:
        return json.loads(self.stub.GetSchema(provider_pb2.GetSchemaRequest(), timeout=60).schema)

    def construct(self, token: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Construct one component; its outputs. Raises grpc.RpcError."""
        body = struct_pb2.Struct()
        body.update(inputs)
        response = self.stub.Construct(
            provider_pb2.ConstructRequest(
                project="yaml",
                stack="dev",
                type=token,
                name=name,
                inputs=body,
                monitorEndpoint=self.monitor_address,
                providers={"aws": "urn:pulumi:dev::yaml::pulumi:providers:aws::given::some-id"},
            ),
            timeout=15,
        )
        return json.loads(json.dumps({key: _plain(value) for key, value in response.state.fields.items()}))


@dataclass
class RecordingMonitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Answers as an engine would that creates everything at once, and remembers what was registered."""

    requests: list[Any] = field(default_factory=list)

    def SupportsFeature(self, request: Any, context: Any) -> Any:
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in {"secrets", "resourceReferences"})

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        return resource_pb2.DeploymentInfo(
            supportedFeatures=[
                resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
                resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
            ]
        )

    def RegisterResource(self, request: Any, context: Any) -> Any:
        self.requests.append(request)
        outputs = struct_pb2.Struct()
        outputs.CopyFrom(request.object)
        if request.custom:
            outputs.update({"arn": f"arn:of:{request.name}", "keyId": request.name, "url": f"https://{request.name}"})
            outputs.update({"result": "{}"})
        return resource_pb2.RegisterResourceResponse(
            urn=f"urn:pulumi:dev::yaml::{request.type}::{request.name}",
            id=request.name if request.custom else "",
            object=outputs,
        )

    def Invoke(self, request: Any, context: Any) -> Any:
        """The package asks what the given provider is, and nothing else."""
        assert request.tok == "pulumi:pulumi:getResource", request.tok
        answer = struct_pb2.Struct()
        answer.update({"urn": request.args["urn"], "id": "some-id", "state": {}})
        return provider_pb2.InvokeResponse(**{"return": answer})

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def RegisterPackage(self, request: Any, context: Any) -> Any:
        return resource_pb2.RegisterPackageResponse(ref="aws")

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


class QuietEngine(engine_pb2_grpc.EngineServicer):
    """Hears the package's log."""

    def Log(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.GetRootResourceResponse(urn="")

    def SetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.SetRootResourceResponse()


@contextmanager
def running() -> Iterator[Plugin]:
    """Start the package with a monitor and an engine beside it; stop all three."""
    monitor = RecordingMonitor()
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(QuietEngine(), server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "components" / "__main__.py"), address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT / "components",
    )
    try:
        port = process.stdout.readline().strip()
        assert port.isdigit(), process.stderr.read()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Plugin(provider_pb2_grpc.ResourceProviderStub(channel), monitor, address)
    finally:
        process.kill()
        process.communicate()
        server.stop(None)


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return {key: _plain(each) for key, each in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_plain(each) for each in value.list_value.values]
    return getattr(value, kind) if kind != "null_value" else None
