"""The monitor: what the Pulumi SDK talks to, as an object in the same process instead of a gRPC service.

Called from the SDK's worker threads, up to sixteen at once. A failed resource answers FAIL, which makes its outputs
unknown to the program, so that every failure is reported and not only the first.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import engine_pb2, resource_pb2
from pulumi.runtime.proto import provider_pb2 as pb

from local_aws.inprocess.engine import Engine, Goal, HaltError
from local_aws.inprocess.state import PROVIDER_PREFIX, STACK_TYPE, ResourceState, urn_of
from local_aws.inprocess.steps import Observer
from local_aws.provider.connection import ProviderError
from local_aws.provider.values import properties, struct

# Not among them: secrets and output values (everything is plain here), resource references (ids arrive instead), alias
# specs (the SDK sends whole URNs instead), transforms and hooks (the SDK refuses them by name).
FEATURES = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
)
_SEVERITIES = {engine_pb2.INFO: "info", engine_pb2.WARNING: "warning", engine_pb2.ERROR: "error"}
# What a root stack's type adds to the URNs that the SDK computes for aliases; the engine's URNs leave it out.
_ROOT = f"::{STACK_TYPE}$"


def _refused(request: Any) -> str | None:
    """A resource option that this engine does not have, by its name in the SDK."""
    if request.importId:
        return "import_"
    if request.replace_with:
        return "replace_with"
    if request.HasField("replacement_trigger"):
        return "replacement_trigger"
    return "remote components" if request.remote else None


class Monitor:
    """Answers the SDK's calls for one run of one stack."""

    def __init__(self, engine: Engine, project: str, stack: str) -> None:
        self._engine, self._project, self._stack = engine, project, stack

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:  # noqa: N802
        """Bring one resource to what the program says, and answer with its id and outputs."""
        urn = urn_of(self._project, self._stack, request.parent, request.type, request.name)
        if request.type == STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        try:
            option = _refused(request)
            if option:
                self._engine.fail(urn, f"{option}: the in-process engine does not support this (docs/deploy.md).")
            if request.custom and not request.type.startswith(PROVIDER_PREFIX) and not request.provider:
                self._engine.fail(urn, "Default providers are disabled: give this resource an explicit provider.")
            done = self._engine.register(self._goal(urn, request))
        except HaltError:
            return resource_pb2.RegisterResourceResponse(urn=urn, result=resource_pb2.FAIL)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=done.id, object=struct(done.outputs))

    def _goal(self, urn: str, request: Any) -> Goal:
        root = urn_of(self._project, self._stack, "", STACK_TYPE, "")
        state = ResourceState(
            urn=urn,
            custom=request.custom,
            inputs=properties(request.object),
            parent="" if request.parent.startswith(root) else request.parent,
            provider=request.provider,
            dependencies=sorted(request.dependencies),
            property_dependencies={
                key: sorted(on.urns) for key, on in sorted(request.propertyDependencies.items()) if on.urns
            },
            protect=request.protect,
            retain_on_delete=request.retainOnDelete,
            deleted_with=request.deletedWith,
        )
        return Goal(
            state,
            aliases=[alias.replace(_ROOT, "::") for alias in request.aliasURNs],
            ignore_changes=list(request.ignoreChanges),
            replace_on_changes=list(request.replaceOnChanges),
            delete_first=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        )

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        """Outputs of a component; those of the root are the stack's."""
        self._engine.set_outputs(request.urn, properties(request.outputs))
        return empty_pb2.Empty()

    def ReadResource(self, request: Any) -> resource_pb2.ReadResourceResponse:  # noqa: N802
        """A resource that exists and that this program does not manage (`Resource.get`)."""
        urn = urn_of(self._project, self._stack, request.parent, request.type, request.name)
        try:
            identifier, outputs = self._engine.read(
                urn, request.provider, pb.ReadRequest(id=request.id, urn=urn, properties=request.properties)
            )
        except HaltError:
            return resource_pb2.ReadResourceResponse(urn=urn, result=resource_pb2.FAIL)
        return resource_pb2.ReadResourceResponse(urn=urn, id=identifier, properties=outputs)

    def Invoke(self, request: Any) -> resource_pb2.ResourceInvokeResponse:  # noqa: N802
        """No function is modelled. Raises ProviderError that names it."""
        raise ProviderError(f"The local provider models no functions; the program invokes {request.tok}.")

    def GetDeploymentInfo(self, _request: Any) -> resource_pb2.DeploymentInfo:  # noqa: N802
        return resource_pb2.DeploymentInfo(supportedFeatures=FEATURES)

    def SignalAndWaitForShutdown(self, _request: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


class EngineLog:
    """The SDK's other interlocutor: `pulumi.log` and the version check."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def Log(self, request: Any) -> Any:  # noqa: N802
        if request.severity in _SEVERITIES and not request.ephemeral:
            self._observer.message(_SEVERITIES[request.severity], request.message, request.urn)
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, _request: Any) -> Any:  # noqa: N802
        """There is no CLI here that could be too old."""
        return engine_pb2.RequirePulumiVersionResponse()
