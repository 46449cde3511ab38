"""What a run does, one step a resource, as those see it who watch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any, Protocol

from local_aws.inprocess.state import name_of, type_of


@unique
class Op(StrEnum):
    """What happens to a resource."""

    SAME = "unchanged"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    RETAIN = "retain"
    """Forgotten, not deleted: `retain_on_delete`, or kept by the deletion of what it is `deleted_with`."""
    READ = "read"


@dataclass(frozen=True)
class Step:
    """One operation on one resource; `changed` names the inputs that differ."""

    op: Op
    urn: str
    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    delete_first: bool = False
    """Whether a replacement deletes the old object before it makes the new one."""
    before: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """Inputs of last time, of what is updated or replaced."""
    after: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def name(self) -> str:
        return name_of(self.urn)

    @property
    def type(self) -> str:
        return type_of(self.urn)


@dataclass(frozen=True)
class Failure:
    """Why a resource failed; `urn` is empty where the program itself did."""

    urn: str
    message: str

    def __str__(self) -> str:
        return (
            f"{type_of(self.urn)} ({name_of(self.urn)}): {self.message}\n    {self.urn}" if self.urn else self.message
        )


class Observer(Protocol):
    """Who watches a run. Called from several threads at once."""

    def started(self, step: Step) -> None: ...

    def finished(self, step: Step, failure: str | None = None) -> None: ...

    def message(self, severity: str, text: str, urn: str) -> None: ...


class Silent:
    """Watches nothing."""

    def started(self, step: Step) -> None:
        pass

    def finished(self, step: Step, failure: str | None = None) -> None:
        pass

    def message(self, severity: str, text: str, urn: str) -> None:
        pass


@dataclass
class Outcome:
    """What a run came to."""

    steps: list[Step] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.failures

    def count(self, op: Op) -> int:
        return Counter(step.op for step in self.steps)[op]

    @property
    def changes(self) -> list[Step]:
        return [step for step in self.steps if step.op not in {Op.SAME, Op.READ}]
