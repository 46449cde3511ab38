"""Programs, run in the recording engine, as a policy pack gets to see them.

Nothing is hand-typed: inputs are what the real SDK emits for the classes a program uses, options and providers included.
Numbers become floats and unknown values sentinels, as on the wire.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pulumi
from pulumi.output import Unknown
from pulumi.runtime import mocks as pulumi_mocks

from tests.program.engine import Engine

ROOT = Path(__file__).parents[2]
# The pack runs with its own directory first on the path, and has no package around it.
if str(ROOT / "policies") not in sys.path:
    sys.path.insert(0, str(ROOT / "policies"))

from guardrails.mesh import Shared  # noqa: E402
from guardrails.pack import RULES, policies  # noqa: E402
from guardrails.rule import Rule  # noqa: E402
from pulumi_policy import (  # noqa: E402
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
)
from pulumi_policy.policy import PolicyCustomTimeouts, PolicyProviderResource, _NotApplicableError  # noqa: E402
from pulumi_policy.proxy import (  # noqa: E402
    UNKNOWN_STRING_VALUE,
    UnknownValueError,
    unknown_checking_proxy,
)

REGION = "eu-central-1"


@dataclass(frozen=True)
class Recorded:
    """One resource: its inputs, its outputs, its options and its provider's inputs."""

    type: str
    name: str
    urn: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    protect: bool = False
    delete_before_replace: bool = False
    ignore_changes: tuple[str, ...] = ()
    parent: str = ""
    provider: Recorded | None = None
    dependencies: tuple[str, ...] = ()

    @cached_property
    def proxied(self) -> tuple[Any, Any]:
        """Inputs and outputs as the SDK wraps them."""
        return unknown_checking_proxy(dict(self.inputs)), unknown_checking_proxy(dict(self.outputs))


@dataclass(frozen=True)
class Finding:
    """What a rule said of a resource. `kind`: violation, unknown or not applicable."""

    rule: str
    resource: str
    message: str
    kind: str = "violation"


@dataclass
class Cloud(Engine):
    """Also computes ids and ARNs, in the account of each resource's provider; in a preview they are not known."""

    states: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def new_resource(self, args: pulumi_mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        id_, state = self._made(args)
        self.states[args.typ, args.name] = state
        return id_, state

    def _made(self, args: pulumi_mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        id_, state = super().new_resource(args)
        if not args.typ.startswith("aws:"):
            return id_, state
        if pulumi.runtime.is_dry_run():
            return "", dict(args.inputs)
        service, kind = args.typ.split(":")[1].split("/")
        account = self._account(args.provider)
        named = state.get("name") or state.get("bucket") or args.name
        path = {"role": f"role/{named}", "policy": f"policy/{named}"}.get(kind, named) if service == "iam" else named
        arn = f"arn:aws:s3:::{named}" if service == "s3" else f"arn:aws:{service}:{REGION}:{account}:{path}"
        if service == "iam":
            arn = f"arn:aws:iam::{account}:{path}"
        if args.typ == "aws:lakeformation/resource:Resource":
            arn = state["arn"]
        id_ = named if service in {"s3", "sqs"} else id_
        return id_, {**state, "id": id_, "name": named, "arn": arn}

    def _account(self, provider: str) -> str:
        found = [each for each in self.resources if each.urn == provider.rsplit("::", 1)[0]]
        return json.loads(found[0]["allowedAccountIds"])[0] if found else "000000000000"


def record(program: Callable[[], Any], *, stack: str = "test", preview: bool = False, **config: str) -> list[Recorded]:
    """Everything that a program registers, the stack itself first."""
    engine = Cloud().run(program, stack=stack, preview=preview, config=config)
    by_urn = {
        each.urn: Recorded(
            type=each.type,
            name=each.name,
            urn=each.urn,
            inputs=on_the_wire(each.inputs),
            outputs=on_the_wire(_outputs(engine, each)),
            protect=each.protect,
            delete_before_replace=each.delete_before_replace,
            ignore_changes=each.ignore_changes,
            parent=each.parent,
            dependencies=tuple(each.dependencies),
        )
        for each in engine.resources
    }
    root = Recorded(
        "pulumi:pulumi:Stack", f"lakemesh-{stack}", f"urn:pulumi:{stack}::lakemesh::pulumi:pulumi:Stack", {}, {}
    )
    return [
        root,
        *(
            replace(by_urn[each.urn], provider=by_urn.get(each.provider.rsplit("::", 1)[0]))
            if each.provider
            else by_urn[each.urn]
            for each in engine.resources
        ),
    ]


def _outputs(engine: Cloud, each: Any) -> Mapping[str, Any]:
    if not each.custom:
        return engine.outputs.get(each.urn, {})
    return {**engine.states.get((each.type, each.name), {}), **each.inputs}


def on_the_wire(value: Any) -> Any:
    """A value as the pack's process receives it."""
    if isinstance(value, Unknown):
        return UNKNOWN_STRING_VALUE
    if isinstance(value, Mapping):
        return {str(key): on_the_wire(each) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [on_the_wire(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return (
        value if isinstance(value, str | float | bool | pulumi.Asset | pulumi.Archive) or value is None else str(value)
    )


# ---------------------------------------------------------------------------------------------------------- judging
@dataclass
class Pack:
    """The pack as the SDK runs it, in this process. `config`: by rule, as in a --policy-pack-config file."""

    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = RULES

    def judge(self, resources: Sequence[Recorded]) -> list[Finding]:
        """Everything that the rules say of a stack."""
        shared = Shared()
        made = policies(self.rules, shared)
        on_resource = [each for each in made if isinstance(each, ResourceValidationPolicy)]
        found: list[Finding] = []
        for resource in resources:
            for policy in on_resource:
                args = ResourceValidationArgs(
                    resource.type, resource.proxied[0], resource.urn, resource.name, _options(resource), _provider(resource),
                    self.config.get(policy.name),
                )  # fmt: skip
                found += _run(policy, args, {resource.urn: resource.name}, resource.name)
        seen = [_stack_resource(each) for each in resources]
        names = {each.urn: each.name for each in resources}
        for policy in made:
            if policy not in on_resource:
                found += _run(policy, StackValidationArgs(seen, self.config.get(policy.name)), names, "")
        return found


def _run(policy: Any, args: Any, names: Mapping[str, str], resource: str) -> list[Finding]:
    found: list[Finding] = []
    try:
        policy.validate(
            args, lambda text, urn=None: found.append(Finding(policy.name, names.get(urn or "", resource), text))
        )
    except UnknownValueError as error:
        found.append(Finding(policy.name, resource, error.message, "unknown"))
    except _NotApplicableError as error:
        found.append(Finding(policy.name, resource, error.message, "not applicable"))
    return found


def _options(resource: Recorded) -> PolicyResourceOptions:
    return PolicyResourceOptions(
        resource.protect,
        list(resource.ignore_changes),
        resource.delete_before_replace or None,
        [],
        PolicyCustomTimeouts(0, 0, 0),
        [],
        resource.parent or None,
    )


def _provider(resource: Recorded) -> PolicyProviderResource | None:
    given = resource.provider
    if given is None:
        return None
    return PolicyProviderResource(given.type, given.proxied[0], given.urn, given.name)


def _stack_resource(each: Recorded) -> PolicyResource:
    return PolicyResource(
        each.type, each.proxied[1], each.urn, each.name, _options(each), _provider(each), None, [], {}
    )


def violations(found: Sequence[Finding]) -> list[tuple[str, str]]:
    """(rule, resource) of each violation, sorted."""
    return sorted((each.rule, each.resource) for each in found if each.kind == "violation")
