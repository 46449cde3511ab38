"""What came of a deployment, in the same words whichever engine ran it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lakemesh.deploy.interruptions import interruption


class DeployError(Exception):
    """A deployment that was not begun: an unknown stack, something that must be deployed first, no engine."""


class Step(Protocol):
    """One operation on one resource. `op`: create, update, replace, delete, retain, read or unchanged."""

    @property
    def op(self) -> str: ...
    @property
    def urn(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def changed(self) -> tuple[str, ...]: ...
    @property
    def before(self) -> Mapping[str, Any]:
        """Inputs of last time, of what is updated or replaced."""

    @property
    def after(self) -> Mapping[str, Any]: ...
    @property
    def delete_first(self) -> bool:
        """Whether a replacement deletes the old object before it makes the new one."""


class Observer(Protocol):
    """Who watches the resources of one stack. Called from several threads at once."""

    def started(self, step: Step) -> None: ...

    def finished(self, step: Step, failure: str | None = None) -> None: ...

    def message(self, severity: str, text: str, urn: str) -> None: ...


@dataclass(frozen=True)
class Change:
    """What happened to one resource. `op`: create, update, replace, delete or retain."""

    op: str
    type: str
    name: str
    urn: str
    properties: tuple[str, ...] = ()
    """Inputs that changed."""


@dataclass(frozen=True)
class Counts:
    created: int = 0
    updated: int = 0
    replaced: int = 0
    deleted: int = 0
    unchanged: int = 0


@dataclass(frozen=True)
class StackResult:
    """What came of one stack. Not attempted: an earlier one failed."""

    stack: str
    attempted: bool = True
    counts: Counts = field(default_factory=Counts)
    changes: tuple[Change, ...] = ()
    errors: tuple[str, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    interrupted: tuple[str, ...] = ()
    """Whose access is (or, of a preview, will be) taken away and given again, in words."""

    @property
    def ok(self) -> bool:
        return self.attempted and not self.errors


def failure(kind: str, name: str, urn: str, message: str) -> str:
    """An error as a person reads it: which resource, why, its URN for tools."""
    return f"{kind} ({name}): {message}\n    {urn}"


def summed(stack: str, steps: Sequence[Step], errors: Sequence[str], outputs: Mapping[str, Any]) -> StackResult:
    """The result of a stack from its steps."""
    number = Counter(str(step.op) for step in steps)
    return StackResult(
        stack,
        counts=Counts(
            created=number["create"],
            updated=number["update"],
            replaced=number["replace"],
            deleted=number["delete"],
            unchanged=number["unchanged"],
        ),
        changes=tuple(
            Change(str(step.op), step.type, step.name, step.urn, step.changed)
            for step in steps
            if str(step.op) not in {"unchanged", "read"}
        ),
        errors=tuple(errors),
        outputs=outputs,
        interrupted=tuple(sorted(filter(None, map(interruption, steps)))),
    )
