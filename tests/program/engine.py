"""A recording engine for tests: everything that a program registers, with its options, and nothing deployed.

Under `Mocks` a duplicate name overwrites silently, options stay unseen, and a missing provider passes. This monitor records
parent, dependencies and options of each registration, and refuses what the real engine would.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime import settings as pulumi_settings
from pulumi.runtime.config import set_all_config
from pulumi.runtime.stack import run_in_stack


@dataclass(frozen=True)
class Registered:
    """One resource as it was registered."""

    urn: str
    type: str
    name: str
    custom: bool
    inputs: Mapping[str, Any]
    parent: str
    dependencies: frozenset[str]
    provider: str
    protect: bool
    retain_on_delete: bool
    delete_before_replace: bool
    ignore_changes: tuple[str, ...]
    position: int

    def __getitem__(self, key: str) -> Any:
        return self.inputs[key]


@dataclass
class Engine(pulumi_mocks.Mocks):
    """Runs programs and remembers what they registered."""

    resources: list[Registered] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    stack_outputs: dict[str, Any] = field(default_factory=dict)

    def new_resource(self, args: pulumi_mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        state = {**args.inputs, **_computed(args)}
        return (f"{args.name}-id" if args.custom else ""), state

    def call(self, args: pulumi_mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"{args.token}: a program that previews offline invokes nothing")

    def run(
        self,
        program: Callable[[], Any],
        *,
        stack: str = "test",
        preview: bool = False,
        config: Mapping[str, str] | None = None,
        project: str = "lakemesh",
    ) -> Engine:
        """Run a program in an event loop and a context of its own. Raises what the program raises."""
        contextvars.copy_context().run(self._run, program, (project, stack), preview, dict(config or {}))
        return self

    def _run(self, program: Callable[[], Any], of: tuple[str, str], preview: bool, config: dict[str, str]) -> None:
        project, stack = of
        loop = asyncio.new_event_loop()
        threads = _Threads()
        loop.set_default_executor(ThreadPoolExecutor(max_workers=8, initializer=threads.enter))
        asyncio.set_event_loop(loop)
        pulumi_settings.ROOT.set(None)
        monitor = Monitor(self)
        pulumi_settings.configure(
            pulumi_settings.Settings(project=project, stack=stack, monitor=monitor, engine=_Log(None), dry_run=preview)
        )
        set_all_config({f"{project}:{key}": value for key, value in config.items()})
        try:
            loop.run_until_complete(run_in_stack(program))
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
            threads.close()
            asyncio.set_event_loop(None)
        if monitor.failures:
            raise monitor.failures[0]

    # ------------------------------------------------------------------------------------------------- questions
    def of(self, type_: str) -> list[Registered]:
        """Resources of one type token; the part after the last `/` and `:` is enough, e.g. `Permissions`."""
        return [each for each in self.resources if each.type == type_ or each.type.rsplit(":", 1)[-1] == type_]

    def one(self, type_: str, name: str = "") -> Registered:
        """The only resource of a type, or the one of that name."""
        found = [each for each in self.of(type_) if not name or each.name == name]
        assert len(found) == 1, f"{type_} {name}: {[each.name for each in self.of(type_)]}"
        return found[0]

    def by_urn(self, urn: str) -> Registered:
        return next(each for each in self.resources if each.urn == urn)

    def ancestors(self, resource: Registered) -> list[Registered]:
        """Components that a resource is part of, nearest first; the stack itself left out."""
        found = []
        known = {each.urn: each for each in self.resources}
        while resource.parent in known:
            resource = known[resource.parent]
            found.append(resource)
        return found

    def waits_for(self, resource: Registered, other: Registered) -> bool:
        """Whether `resource` is made after `other`: by its own dependencies or those of a component it is part of."""
        known = {each.urn: each for each in self.resources}
        todo, seen = [resource.urn], set()
        while todo:
            urn = todo.pop()
            if urn in seen or urn not in known:
                continue
            seen.add(urn)
            todo += [*known[urn].dependencies, known[urn].parent]
        return other.urn in seen - {resource.urn}


class Monitor(pulumi_mocks.MockMonitor):
    """Records each registration; refuses a duplicate and a resource without explicit provider."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.engine = engine
        self.failures: list[Exception] = []
        self._lock = threading.Lock()  # registrations arrive from several threads

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        # The mocks forget all but the nearest parent; the engine does not.
        qualified = parent.split("::")[2] if parent else ""
        prefix = "" if qualified in {"", "pulumi:pulumi:Stack"} else f"{qualified}$"
        return "::".join(["urn:pulumi:test", "lakemesh", f"{prefix}{type_}", name])

    def RegisterResource(self, request: Any) -> Any:
        try:
            with self._lock:
                response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
                self._record(request, response.urn)
        except Exception as error:
            self.failures.append(error)
            raise
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:
        outputs = pulumi.runtime.rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        self.engine.outputs[request.urn] = outputs
        if "pulumi:pulumi:Stack" in request.urn.split("::")[2]:
            self.engine.stack_outputs = outputs
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    def _record(self, request: Any, urn: str) -> None:
        if request.type == "pulumi:pulumi:Stack":
            return
        assert urn not in {each.urn for each in self.engine.resources}, f"two resources have the URN {urn}"
        builtin = request.type.startswith("pulumi:")
        if request.custom and not builtin:
            assert request.provider, f"{urn} uses the default provider, and with it whatever account is at hand"
        self.engine.resources.append(
            Registered(
                urn=urn,
                type=request.type,
                name=request.name,
                custom=request.custom,
                inputs=pulumi.runtime.rpc.deserialize_properties(request.object, keep_unknowns=True),
                parent=request.parent,
                dependencies=frozenset(request.dependencies),
                provider=request.provider,
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                delete_before_replace=request.deleteBeforeReplace,
                ignore_changes=tuple(request.ignoreChanges),
                position=len(self.engine.resources),
            )
        )


class _Threads:
    """The event loops of the threads that registrations arrive on: the SDK makes them, and closes none."""

    def __init__(self) -> None:
        self._loops: list[asyncio.AbstractEventLoop] = []

    def enter(self) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        self._loops.append(loop)

    def close(self) -> None:
        for loop in self._loops:
            loop.close()


class _Log(pulumi_mocks.MockEngine):
    """What the program logs; errors show as exceptions anyway."""

    def __init__(self, logger: logging.Logger | None) -> None:
        super().__init__(logger or logging.getLogger("tests.engine"))

    def GetRootResource(self, request: Any) -> Any:
        raise NotImplementedError

    def SetRootResource(self, request: Any) -> Any:
        raise NotImplementedError


def _computed(args: pulumi_mocks.MockResourceArgs) -> dict[str, Any]:
    """Outputs that AWS computes, as far as programs use them."""
    if args.typ == "aws:kms/key:Key":
        return {"arn": f"arn:aws:kms:eu-west-3:999988887777:key/{args.name}", "keyId": args.name}
    if args.typ == "aws:iam/role:Role":
        return {"arn": f"arn:aws:iam::999988887777:role/{args.inputs['name']}"}
    if args.typ == "aws:iam/policy:Policy":
        return {"arn": f"arn:aws:iam::999988887777:policy/{args.inputs['name']}"}
    if args.typ == "aws:sqs/queue:Queue":
        name = args.inputs["name"]
        url = f"https://sqs.eu-west-3.amazonaws.com/999988887777/{name}"
        return {"arn": f"arn:aws:sqs:eu-west-3:999988887777:{name}", "url": url}
    if args.typ == "aws:dynamodb/table:Table":
        return {"arn": f"arn:aws:dynamodb:eu-west-3:999988887777:table/{args.inputs.get('name', args.name)}"}
    if args.typ == "aws:cloudwatch/eventBus:EventBus":
        return {"arn": f"arn:aws:events:eu-west-3:999988887777:event-bus/{args.inputs['name']}"}
    if args.typ == "aws:cloudwatch/eventRule:EventRule":
        return {"arn": f"arn:aws:events:eu-west-3:999988887777:rule/{args.inputs['name']}"}
    if args.typ == "aws:lambda/invocation:Invocation":
        return {"result": json.dumps({"invoked": args.inputs["functionName"]})}
    return {}
