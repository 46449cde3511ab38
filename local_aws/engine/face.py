"""The provider as Pulumi's engine talks to it: gRPC around `local_aws.provider`, and nothing of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc, status_pb2
from pulumi.runtime.proto import provider_pb2 as pb

from local_aws.provider.connection import ProviderError
from local_aws.provider.provider import CreatedButFailedError, LocalProvider
from local_aws.provider.values import struct

log = logging.getLogger(__name__)
T = TypeVar("T")

WORKERS = 32
"""Requests served at once; more than the engine sends, so that none waits for a function that runs for minutes."""
_LONGEST_MESSAGE = 400 * 1024 * 1024  # bytes; what Pulumi's own engine and SDKs allow
_DETAILS = "grpc-status-details-bin"


class EngineFace(provider_pb2_grpc.ResourceProviderServicer):
    """One provider process: the engine starts one for each provider resource and configures it once."""

    def __init__(self, provider: LocalProvider, version: str) -> None:
        self._provider, self._version = provider, version

    # -------------------------------------------------------------------------------------------- the plugin itself
    def Handshake(self, _request: Any, _context: Any) -> pb.ProviderHandshakeResponse:  # noqa: N802
        """No secrets, resource references or output values: the engine sends plain values and marks them again."""
        return pb.ProviderHandshakeResponse()

    def GetPluginInfo(self, _request: Any, _context: Any) -> plugin_pb2.PluginInfo:  # noqa: N802
        return plugin_pb2.PluginInfo(version=self._version)

    def GetSchema(self, _request: Any, _context: Any) -> pb.GetSchemaResponse:  # noqa: N802
        """Enough for an engine that asks whose provider this is. Types are checked when a resource is."""
        return pb.GetSchemaResponse(schema=f'{{"name": "aws", "version": "{self._version}"}}')

    def Attach(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def Cancel(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """What runs is finished, as with AWS: a call that was sent cannot be taken back."""
        return empty_pb2.Empty()

    # ---------------------------------------------------------------------------------------------- the provider's
    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer(context, lambda: self._provider.CheckConfig(request))

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer(context, lambda: self._provider.DiffConfig(request))

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer(context, lambda: self._provider.Configure(request))

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer(context, lambda: self._provider.Check(request))

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer(context, lambda: self._provider.Diff(request))

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer(context, lambda: self._provider.Create(request))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer(context, lambda: self._provider.Read(request))

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer(context, lambda: self._provider.Update(request))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer(context, lambda: self._provider.Delete(request))

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer(context, lambda: self._provider.Invoke(request))

    # ------------------------------------------------------------------------------------------------------ failures
    @staticmethod
    def _answer(context: Any, call: Callable[[], T]) -> T:
        """The call's answer; what it raises becomes a status, whose text the engine shows beside the resource."""
        try:
            return call()
        except CreatedButFailedError as error:
            _abort_half_made(context, error)
        except ProviderError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except Exception as error:
            # A mistake of ours fails this resource, not the whole provider.
            log.exception("request failed")
            context.abort(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}")
        raise AssertionError("abort() raises")


def _abort_half_made(context: Any, error: CreatedButFailedError) -> NoReturn:
    """Tell the engine that the object exists: it keeps the id, and the next run completes it by an update."""
    made = pb.ErrorResourceInitFailed(id=error.identifier, properties=struct(error.outputs), reasons=[str(error)])
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(made)
    context.set_trailing_metadata(((_DETAILS, status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))
    raise AssertionError("abort() raises")


def serve(face: EngineFace) -> tuple[grpc.Server, int]:
    """Serve on a free port of loopback; answers with the server and the port."""
    options = [
        ("grpc.max_receive_message_length", _LONGEST_MESSAGE),
        ("grpc.max_send_message_length", _LONGEST_MESSAGE),
    ]
    server = grpc.server(ThreadPoolExecutor(WORKERS), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(face, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port
