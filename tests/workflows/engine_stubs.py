"""As much of a language host and of an AWS provider as the CLI talks to here: run as `engine_stubs.py language|aws`.

The provider knows every id and keeps nothing: what is under test is what the CLI takes and tells.
"""

from __future__ import annotations

import sys
from concurrent import futures
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc


class Language(language_pb2_grpc.LanguageRuntimeServicer):
    def Handshake(self, request: Any, context: Any) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="3.0.0")

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPackagesResponse()

    def About(self, request: Any, context: Any) -> Any:
        return language_pb2.AboutResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


class Aws(provider_pb2_grpc.ResourceProviderServicer):
    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="7.51.1")

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Read(self, request: Any, context: Any) -> Any:
        known = struct_pb2.Struct()
        known.update({"known": request.id})
        return provider_pb2.ReadResponse(id=request.id, properties=known, inputs=struct_pb2.Struct())

    def Check(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Create(self, request: Any, context: Any) -> Any:
        return provider_pb2.CreateResponse(id="" if request.preview else "made", properties=request.properties)

    def Diff(self, request: Any, context: Any) -> Any:
        """Whatever differs is an update, except of permissions: those are replaced."""
        old, new = dict(request.old_inputs), dict(request.news)
        changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        kind = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        replaces = [key for key in changed if key == "permissions"]
        return provider_pb2.DiffResponse(changes=kind, diffs=changed, replaces=replaces)

    def Update(self, request: Any, context: Any) -> Any:
        return provider_pb2.UpdateResponse(properties=request.news)

    def Delete(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


def main() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(8))
    if sys.argv[1] == "language":
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Language(), server)
    else:
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(Aws(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)  # noqa: T201 - how a plugin says where it is
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
