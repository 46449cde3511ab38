"""The policy pack over what is deployed: the resources that the state of each stack says there are.

The state is what the last deployment left, or a refresh found. What somebody changed beside Pulumi since then
`lakemesh ci drift` finds. Nothing is run, and nobody but the backend is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from google.protobuf import struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import resource_pb2

from lakemesh.check.finding import Judged
from lakemesh.check.inprocess import Asked
from lakemesh.deploy.recording import STACK_TYPE, Registered
from lakemesh.deploy.results import DeployError

ONLY_WHILE_DEPLOYING: Final = "permissions-are-deleted-before-replaced"
"""The rule about an option that no state keeps (`deleteBeforeReplace`): only the program shows it."""
_SPECIAL: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the signature of a secret, and none itself


class States(Protocol):
    """An engine that knows what it has deployed."""

    def state(self, stack: str) -> list[Mapping[str, Any]]:
        """Resources as `pulumi stack export` writes them."""

    def deployed(self) -> list[str]:
        """Stacks that have something."""


def check(asked: Asked, states: States, stacks: Sequence[str]) -> Iterator[Judged]:
    """What the pack says of what is deployed of stacks; of one that is not deployed, that."""
    there = states.deployed()
    for stack in stacks:
        if stack not in there:
            yield Judged(stack, errors=("Nothing of it is deployed.",))
            continue
        try:
            found = [each for each in states.state(stack) if not each.get("delete")]
        except DeployError as error:
            yield Judged(stack, errors=(str(error),))
            continue
        project = next((str(each["urn"]).split("::")[1] for each in found), "")
        registered = [_registered(each) for each in found if each["type"] != STACK_TYPE]
        yield asked.judge(project, stack, registered, disabled=ONLY_WHILE_DEPLOYING)


def _registered(state: Mapping[str, Any]) -> Registered:
    """A resource of a state as it was registered, with what is known of its options."""
    urn, inputs = str(state["urn"]), _shown(state.get("inputs") or {})
    provider = str(state.get("provider") or "").rpartition("::")[0]
    parent = str(state.get("parent") or "")
    request = resource_pb2.RegisterResourceRequest(
        type=str(state["type"]),
        name=urn.split("::", 3)[3],
        parent=parent,
        object=_struct(inputs),
        protect=bool(state.get("protect")),
        dependencies=list(state.get("dependencies") or ()),
        ignoreChanges=list(state.get("ignoreChanges") or ()),
    )
    return Registered(
        urn=urn,
        type=request.type,
        name=request.name,
        custom=bool(state.get("custom")),
        parent=parent,
        provider=provider,
        inputs=inputs,
        request=request,
        outputs=_struct(_shown(state.get("outputs") or inputs)),
    )


def _struct(value: Mapping[str, Any]) -> Any:
    made = struct_pb2.Struct()
    made.update(value)
    return made


def _shown(value: Any) -> Any:
    """Without what is secret: the state keeps it encrypted, and no rule asks for it."""
    if isinstance(value, dict):
        if value.get(_SPECIAL) == _SECRET:
            return "[secret]"
        return {str(key): _shown(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    return value
