"""What a rule said of a resource, whichever engine asked it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_UNKNOWN = "can't run policy "
_SEVERITIES = ("critical", "high", "medium", "low", "")


@dataclass(frozen=True)
class Rule:
    """A rule of the pack as it describes itself."""

    name: str
    description: str = ""
    severity: str = ""
    url: str = ""
    remediation: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that a rule said. `level`: mandatory refuses, advisory only says."""

    rule: str
    severity: str
    level: str
    stack: str
    urn: str
    message: str
    url: str = ""
    unknown: bool = False
    """The rule looked at a value that only a deployment makes; `message` says which, and the update asks again."""

    @property
    def mandatory(self) -> bool:
        return self.level == "mandatory"

    @property
    def type(self) -> str:
        return self.urn.split("::")[2].rpartition("$")[2]

    @property
    def resource(self) -> str:
        """Name of the resource; of the whole stack, that of Pulumi's resource for it."""
        return self.urn.split("::", 3)[3]

    @property
    def order(self) -> tuple[bool, int, str, str, str]:
        """What refuses first, then by severity."""
        return (not self.mandatory, _SEVERITIES.index(self.severity), self.rule, self.resource, self.message)


@dataclass(frozen=True)
class Judged:
    """What the pack said of one stack."""

    stack: str
    findings: tuple[Finding, ...] = ()
    errors: tuple[str, ...] = ()
    """Why it could not be asked, or not to the end."""

    @property
    def ok(self) -> bool:
        return not self.errors and not any(each.mandatory for each in self.findings)


def said(rule: Rule, level: str, stack: str, urn: str, message: str) -> Finding:
    """A finding from what an engine was told: the SDK puts the rule's description before every message."""
    text = message.removeprefix(rule.description).strip() or rule.description
    unknown = text.startswith(_UNKNOWN)
    return Finding(
        rule=rule.name,
        severity=rule.severity,
        level="advisory" if unknown else level,
        stack=stack,
        urn=urn,
        message=text.rpartition("during preview: ")[2] if unknown else text,
        url=rule.url,
        unknown=unknown,
    )


def judged(stack: str, findings: Sequence[Finding], errors: Sequence[str] = ()) -> Judged:
    """The findings of a stack, each once, the gravest first."""
    return Judged(stack, tuple(sorted(set(findings), key=lambda each: each.order)), tuple(errors))
