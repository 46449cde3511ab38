"""What the program registers for a stack, without an engine, a state or a cloud.

For tools that have to know a stack's resources before Pulumi does, such as `lakemesh import`. The program runs as it
always does; instead of an engine a monitor answers, which notes each registration and deploys nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import runpy
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from google.protobuf import empty_pb2, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime import rpc, set_all_config, settings
from pulumi.runtime.proto import engine_pb2, resource_pb2
from pulumi.runtime.stack import run_in_stack

STACK_TYPE: Final = "pulumi:pulumi:Stack"
_WORKERS: Final = 16

Computed = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Outputs that AWS would add to a resource's inputs, by type token and inputs; `id` among them is the resource's id."""


class RecordingError(Exception):
    """The program did not come to its end; the text is what it said."""


@dataclass(frozen=True)
class Registered:
    """One resource or component as it was registered."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str
    """URN of the component it is part of; "" where that is the stack."""
    provider: str
    """URN of its provider; "" for components and providers."""
    inputs: Mapping[str, Any]
    request: Any = field(default=None, compare=False, repr=False)
    """The whole registration (`RegisterResourceRequest`), options and all."""
    outputs: Any = field(default=None, compare=False, repr=False)
    """Outputs as a `Struct`: what was answered, or of a component what it registered."""


def record(
    root: Path, project: str, stack: str, config: Mapping[str, str], computed: Computed, *, preview: bool = False
) -> tuple[Registered, ...]:
    """Every registration of the program in `root`, in the order in which they came.

    `preview`: what nobody computes is unknown, as in a preview of a stack that is not there yet. Raises RecordingError
    with what the program, or the first refused registration, said.
    """
    monitor = _Monitor(project, stack, computed, preview)
    failures: list[BaseException] = []

    def run() -> None:
        settings.ROOT.set(None)
        settings.configure(
            settings.Settings(
                project=project,
                stack=stack,
                monitor=monitor,
                engine=_Log(),
                parallel=_WORKERS,
                dry_run=preview,
                organization="organization",
                root_directory=str(root),
            )
        )
        set_all_config(dict(config), [])
        try:
            _in_own_loop(lambda: _program(root))
        except BaseException as error:  # noqa: BLE001 - whatever a program raises is told to whoever asked for it
            failures.append(error)

    # A thread and a context of its own: the SDK keeps its settings in them.
    thread = threading.Thread(target=contextvars.Context().run, args=(run,), name=f"record-{stack}", daemon=True)
    thread.start()
    thread.join()
    if told := [*monitor.failures, *failures]:
        raise RecordingError(str(told[0])) from told[0]
    return tuple(replace(each, outputs=monitor.outputs[each.urn]) for each in monitor.registered)


def _program(root: Path) -> None:
    with _importable(str(root)):
        runpy.run_path(str(root / "__main__.py"), run_name="__main__")


@contextlib.contextmanager
def _importable(directory: str) -> Iterator[None]:
    """A program finds its own packages, as it does under Pulumi's language host."""
    missing = directory not in sys.path
    if missing:
        sys.path.insert(0, directory)
    try:
        yield
    finally:
        if missing:
            sys.path.remove(directory)


def _in_own_loop(program: Callable[[], None]) -> None:
    # The SDK leaves futures that nobody asks about; asyncio would log each of them.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    executor = ThreadPoolExecutor(_WORKERS)
    loop.set_default_executor(executor)
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(run_in_stack(program))
    finally:
        executor.shutdown()
        asyncio.set_event_loop(None)
        loop.close()


@dataclass
class _Monitor:
    """Answers the SDK in place of the engine."""

    project: str
    stack: str
    computed: Computed
    preview: bool
    registered: list[Registered] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    outputs: dict[str, struct_pb2.Struct] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)  # registrations come from several threads

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:  # noqa: N802 - the SDK's name
        urn = self._urn(request.parent, request.type, request.name)
        if request.type == STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
        builtin = request.type.startswith("pulumi:providers:")
        root = request.parent.split("::")[2:3] == [STACK_TYPE]
        found = Registered(
            urn=urn,
            type=request.type,
            name=request.name,
            custom=request.custom,
            parent="" if root else request.parent,
            provider="" if builtin or not request.custom else request.provider.rpartition("::")[0],
            inputs=inputs,
            request=request,
        )
        try:
            added = dict(self.computed(request.type, inputs)) if request.custom and not builtin else {}
            default = "" if self.preview else f"{request.name}-id"
            identifier = str(added.pop("id", default)) if request.custom else ""
            outputs = struct_pb2.Struct()
            outputs.CopyFrom(request.object)
            outputs.update(added)
        except Exception as error:  # noqa: BLE001 - raised in a thread of the SDK it would end in a log
            self.failures.append(error)
            return resource_pb2.RegisterResourceResponse(urn=urn, result=resource_pb2.FAIL)
        with self._lock:
            self.registered.append(found)
            self.outputs[urn] = outputs
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identifier, object=outputs)

    def _urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine makes it: the types of the components around a resource are part of it, the stack's is not."""
        qualified = parent.split("::")[2] if parent else ""
        prefix = "" if qualified in {"", STACK_TYPE} else f"{qualified}$"
        return f"urn:pulumi:{self.stack}::{self.project}::{prefix}{type_}::{name}"

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        with self._lock:
            self.outputs[request.urn] = request.outputs
        return empty_pb2.Empty()

    def Invoke(self, request: Any) -> Any:  # noqa: N802
        self.failures.append(RecordingError(f"The program asks AWS ({request.tok}), and here nobody answers."))
        return resource_pb2.ResourceInvokeResponse()

    def GetDeploymentInfo(self, _request: Any) -> resource_pb2.DeploymentInfo:  # noqa: N802
        return resource_pb2.DeploymentInfo(
            supportedFeatures=(
                resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
                resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
                resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
            )
        )

    def SignalAndWaitForShutdown(self, _request: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


class _Log:
    """The SDK's other interlocutor: what the program logs goes to Python's log."""

    def Log(self, request: Any) -> Any:  # noqa: N802
        logging.getLogger(__name__).info("%s", request.message)
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, _request: Any) -> Any:  # noqa: N802
        return engine_pb2.RequirePulumiVersionResponse()
