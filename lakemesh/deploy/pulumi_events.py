"""What Pulumi's engine tells while it works, as steps, messages and failures.

The events are those of the CLI's event log (pulumi/pulumi, `sdk/go/common/apitype/events.go`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lakemesh.deploy.results import Observer, failure
from lakemesh.deploy.troubles import mend

if TYPE_CHECKING:
    from pulumi.automation.events import EngineEvent, StepEventMetadata

_STACK = "pulumi:pulumi:Stack"
_OPS: Final[Mapping[str, str]] = {
    "same": "unchanged",
    "create": "create",
    "import": "create",
    "update": "update",
    "delete": "delete",
    "replace": "replace",
    "read": "read",
}
"""Operations that count. Of a replacement the logical one does; its creation and deletion are parts of it."""
_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - the signature of a special value, not a secret
_COLOUR = re.compile(r"<\{%.*?%\}>|\x1b\[[0-9;]*m")
_NOT_YET = "can't be known during preview"
"""How the policies' SDK says that a value is unknown; it does so for each policy and resource."""
_OF_NO_USE = (
    # Where plugins come from is nobody's concern who asked for the local AWS.
    "using pulumi-resource-aws from $PATH",
    "using pulumi-analyzer-policy-python from $PATH",
    # Said of the run as a whole, after what failed has been said.
    "update failed", "preview failed", "destroy failed", "resource registration failed",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One operation on one resource."""

    op: str
    urn: str
    type: str
    changed: tuple[str, ...] = ()
    delete_first: bool = False
    before: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    after: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def name(self) -> str:
        return self.urn.split("::", 3)[3]


class Listener:
    """Takes the events of one run, from the thread that reads them."""

    def __init__(self, observer: Observer | None) -> None:
        self._observer = observer
        self._lock = threading.Lock()
        self._replacing: set[str] = set()
        self._counted: set[tuple[str, str]] = set()
        self._deleted_first: set[str] = set()
        self._reasons: dict[str, str] = {}
        self._unjudged: set[str] = set()
        self.steps: list[Step] = []
        self.errors: list[str] = []
        self.outputs: Mapping[str, Any] = {}
        """The stack's outputs; secrets are masked by the engine."""

    def __call__(self, event: EngineEvent) -> None:
        """Take one event."""
        with self._lock:
            if event.resource_pre_event:
                self._started(event.resource_pre_event.metadata)
            elif event.res_outputs_event:
                self._finished(event.res_outputs_event.metadata)
            elif event.res_op_failed_event:
                self._failed(event.res_op_failed_event.metadata)
            elif event.diagnostic_event:
                said = event.diagnostic_event
                self._said(said.severity, said.message, said.urn or "", ephemeral=bool(said.ephemeral))
            elif event.policy_event:
                violated = event.policy_event
                self._violated(violated.enforcement_level, violated, violated.resource_urn or "")

    def close(self) -> None:
        """Tell what is only known now that everything has been said."""
        if self._unjudged and self._observer:
            rules = "1 rule waits" if len(self._unjudged) == 1 else f"{len(self._unjudged)} rules wait"
            text = f"{rules} for values that only a deployment knows, and it asks again; `lakemesh check` lists them."
            self._observer.message("policies", text, "")

    # ------------------------------------------------------------------------------------------------------- steps
    def _started(self, told: StepEventMetadata) -> None:
        op = str(told.op.value)
        if op in {"delete-replaced", "create-replacement"}:
            # Whichever comes first says how this replacement goes.
            if told.urn not in self._replacing:
                self._replacing.add(told.urn)
                if op == "delete-replaced":
                    self._deleted_first.add(told.urn)
                self._tell("started", self._step("replace", told))
            return
        if op in _OPS and op != "same" and told.type != _STACK:
            self._tell("started", self._step(_OPS[op], told))

    def _finished(self, told: StepEventMetadata) -> None:
        op = _OPS.get(str(told.op.value))
        if told.type == _STACK and told.new is not None:
            self.outputs = {name: _masked(value) for name, value in (told.new.outputs or {}).items()}
        if op is None or told.type == _STACK:
            return
        if op == "delete" and told.old is not None and told.old.retain_on_delete and told.old.custom:
            op = "retain"
        if (op, told.urn) in self._counted:
            # A component is told of twice in a preview: when it is registered and when its outputs are.
            return
        self._counted.add((op, told.urn))
        step = self._step(op, told)
        self.steps.append(step)
        self._tell("finished", step)

    def _failed(self, told: StepEventMetadata) -> None:
        if self._observer and told.type != _STACK:
            step = self._step(_OPS.get(str(told.op.value), "replace"), told)
            self._observer.finished(step, self._reasons.get(told.urn, "failed"))

    def _step(self, op: str, told: StepEventMetadata) -> Step:
        return Step(
            op,
            told.urn,
            told.type,
            changed=tuple(sorted(told.diffs or ())) if op in {"update", "replace"} else (),
            delete_first=told.urn in self._deleted_first,
            before=(told.old.inputs if told.old else None) or {},
            after=(told.new.inputs if told.new else None) or {},
        )

    def _tell(self, what: str, step: Step) -> None:
        if self._observer:
            getattr(self._observer, what)(step)

    # ---------------------------------------------------------------------------------------------------- messages
    def _said(self, severity: str, message: str, urn: str, *, ephemeral: bool) -> None:
        text = _COLOUR.sub("", message).strip()
        if not text or ephemeral or any(of_no_use in text for of_no_use in _OF_NO_USE):
            return
        if severity == "error":
            self._fail(urn, text.removeprefix("error: "))
        elif severity in {"warning", "info"} and self._observer:
            self._observer.message(severity, text, urn)

    def _violated(self, level: str, policy: Any, urn: str) -> None:
        message = " ".join(_COLOUR.sub("", policy.message).split())
        if _NOT_YET in message:
            self._unjudged.add(policy.policy_name)
            return
        text = f"policy {policy.policy_name} ({policy.policy_pack_name}): {message}"
        if level == "mandatory":
            self._fail(urn, text)
        elif self._observer:
            self._observer.message("policy", text, urn)

    def _fail(self, urn: str, text: str) -> None:
        if urn:
            self._reasons[urn] = text
        said = failure(*_of(urn), urn, text) if urn and _STACK not in urn else text
        advice = mend(text)
        said = f"{said}\n{advice}" if advice else said
        if said not in self.errors:
            self.errors.append(said)


def _masked(value: Any) -> Any:
    """An output without what is secret in it, which the engine has left out already."""
    return "[secret]" if isinstance(value, dict) and _SECRET in value else value


def _of(urn: str) -> tuple[str, str]:
    """Type and name of a resource."""
    _, _, kinds, name = urn.split("::", 3)
    return kinds.rpartition("$")[2], name
