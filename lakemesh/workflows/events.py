"""What a preview says, out of the engine events that `pulumi preview --json` streams, one JSON object a line.

The events are those of Pulumi's API (`apitype.EngineEvent`). What is unknown here is passed over, so that a newer CLI
does not break a comment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from lakemesh.deploy.interruptions import PERMISSIONS, resource

_CHANGES: Final = {
    "create": "create",
    "import": "create",
    "update": "update",
    "delete": "delete",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "import-replacement": "replace",
}
ORDER: Final = ("create", "update", "replace", "delete")


@dataclass(frozen=True)
class Step:
    """What would happen to one resource. `op`: create, update, replace or delete."""

    op: str
    type: str
    name: str
    properties: tuple[str, ...] = ()
    """Inputs that differ, sorted."""
    interrupts: str = ""
    """Whose access to what a replaced grant takes away until its successor is there."""


@dataclass(frozen=True)
class Violation:
    """What the policy pack said of a resource."""

    policy: str
    mandatory: bool
    message: str


@dataclass(frozen=True)
class Preview:
    """What would happen to one stack."""

    stack: str
    steps: tuple[Step, ...] = ()
    unchanged: int = 0
    violations: tuple[Violation, ...] = ()
    errors: tuple[str, ...] = ()
    new: bool = False
    """The stack does not exist yet."""

    @property
    def ok(self) -> bool:
        return not self.errors and not any(violation.mandatory for violation in self.violations)

    @property
    def clean(self) -> bool:
        """Nothing would change."""
        return self.ok and not self.steps

    def count(self, op: str) -> int:
        return sum(step.op == op for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Preview:
        """The inverse of `to_json`, also after a journey through JSON."""
        return Preview(
            stack=document["stack"],
            steps=tuple(Step(**{**step, "properties": tuple(step["properties"])}) for step in document["steps"]),
            unchanged=document["unchanged"],
            violations=tuple(Violation(**violation) for violation in document["violations"]),
            errors=tuple(document["errors"]),
            new=document["new"],
        )


@dataclass
class _Seen:
    """What the events said of one resource so far."""

    type: str
    ops: list[str] = field(default_factory=list)
    properties: set[str] = field(default_factory=set)
    before: Mapping[str, Any] = field(default_factory=dict)
    """Inputs of a grant as it was."""


def read(stack: str, lines: Iterable[str], *, new: bool = False) -> Preview:
    """The preview that a stream of events tells. Lines that are no events are passed over."""
    seen: dict[str, _Seen] = {}
    errors: list[str] = []
    violations: list[Violation] = []
    for event in _events(lines):
        for kind in ("resourcePreEvent", "resOutputsEvent"):
            if isinstance(step := event.get(kind), dict):
                _note(seen, step.get("metadata") or {}, outputs=kind == "resOutputsEvent")
        if isinstance(said := event.get("diagnosticEvent"), dict) and said.get("severity") == "error":
            text = _plain(str(said.get("prefix", "")) + str(said.get("message", ""))).strip()
            if text and text not in errors:
                errors.append(text)
        if isinstance(said := event.get("policyEvent"), dict):
            violations.append(
                Violation(
                    policy=str(said.get("policyName", "")),
                    mandatory=said.get("enforcementLevel") == "mandatory",
                    message=_plain(str(said.get("message", ""))).strip(),
                )
            )
    if any(violation.mandatory for violation in violations):
        # Said of the run as a whole: the violations say what failed.
        errors = [error for error in errors if error.removeprefix("error: ") != "preview failed"]
    steps = [_step(urn, found) for urn, found in seen.items()]
    changed = sorted(
        (step for step in steps if step is not None), key=lambda step: (ORDER.index(step.op), step.type, step.name)
    )
    return Preview(
        stack=stack,
        steps=tuple(changed),
        unchanged=sum(found.ops == ["same"] for found in seen.values()),
        violations=tuple(violations),
        errors=tuple(errors),
        new=new,
    )


def _events(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if not line.lstrip().startswith("{"):
            continue
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def _note(seen: dict[str, _Seen], metadata: Mapping[str, Any], *, outputs: bool) -> None:
    urn, op = str(metadata.get("urn", "")), str(metadata.get("op", ""))
    if not urn or "pulumi:pulumi:Stack" in urn.split("::")[2:3]:
        return
    found = seen.setdefault(urn, _Seen(str(metadata.get("type") or urn.split("::")[2].rpartition("$")[2])))
    if outputs and not ("refresh" in found.ops and op in {"update", "delete"}):
        # The outcome of a step says nothing new, except of a refresh: only there it shows what drifted.
        return
    found.ops.append(op)
    found.properties |= set(metadata.get("diffs") or ()) | set(metadata.get("detailedDiff") or ())
    old = metadata.get("old")
    if found.type == PERMISSIONS and isinstance(old, dict) and isinstance(old.get("inputs"), dict):
        found.before = old["inputs"]


def _step(urn: str, found: _Seen) -> Step | None:
    ops = {_CHANGES[op] for op in found.ops if op in _CHANGES}
    if not ops:
        return None
    op = "replace" if "replace" in ops else next(each for each in ("delete", "create", "update") if each in ops)
    # Every grant is deleted before it is replaced: components/permissions.py.
    interrupted = op == "replace" and bool(found.before)
    return Step(
        op=op,
        type=found.type.rpartition(":")[2],
        name=urn.rpartition("::")[2],
        properties=tuple(sorted({name.partition(".")[0].partition("[")[0] for name in found.properties})),
        interrupts=f"{found.before.get('principal')} on {resource(found.before)}" if interrupted else "",
    )


_MARK: Final = "<{%"


def _plain(text: str) -> str:
    """Text without Pulumi's colour marks (`<{%reset%}>`)."""
    parts = text.split(_MARK)
    return parts[0] + "".join(part.partition("%}>")[2] if "%}>" in part else part for part in parts[1:])
