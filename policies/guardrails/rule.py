"""What a rule is, and how it becomes a policy of Pulumi's SDK.

A rule is a generator of sentences. Its docstring is its documentation: the first paragraph is the policy's description,
the second says why, and two examples show what passes and what does not. Around every rule runs one guard: an error
inside it becomes a violation that says so, because an exception would abort the whole preview; only UnknownValueError
passes, which the SDK turns into one advisory line, and the update checks again what could not be known yet.
"""

from __future__ import annotations

import fnmatch
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from guardrails.mesh import Given, Shared
from guardrails.resource import Resource, Stack, plain, texts

PAGE: Final = "docs/policies.md"
STRINGS: Final = {"type": "array", "items": {"type": "string"}}
SELECTION: Final[Mapping[str, dict[str, Any]]] = {
    "include": {**STRINGS, "description": "Patterns of resource names that the rule is for; all of them if left out."},
    "exclude": {**STRINGS, "description": "Patterns of resource names that the rule leaves alone."},
}

ResourceCheck = Callable[[Resource, Given], Iterator[str]]
StackCheck = Callable[[Stack, Given], Iterator[tuple[Resource, str]]]


@dataclass(frozen=True)
class Rule:
    """One rule and its metadata."""

    name: str
    severity: Severity
    concern: str
    tags: tuple[str, ...]
    remediation: str
    doc: str
    types: frozenset[str] = frozenset()
    on_resource: ResourceCheck | None = None
    on_stack: StackCheck | None = None
    needs_manifest: bool = False
    informs: bool = False
    """Whether what it says is never a mistake: it refuses nothing, in any profile."""
    options: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """One sentence."""
        return " ".join(self._paragraphs[0].split())

    @property
    def why(self) -> str:
        return " ".join(self._paragraphs[1].split())

    @property
    def good(self) -> str:
        return self._example("Good::")

    @property
    def bad(self) -> str:
        return self._example("Bad::")

    @property
    def url(self) -> str:
        return f"{PAGE}#{self.name}"

    def level(self, profile: str) -> EnforcementLevel:
        """advisory: nothing is refused. standard: what is critical or high is. strict: everything is."""
        if self.informs or profile == "advisory":
            return EnforcementLevel.ADVISORY
        refused = profile == "strict" or self.severity in {Severity.CRITICAL, Severity.HIGH}
        return EnforcementLevel.MANDATORY if refused else EnforcementLevel.ADVISORY

    @property
    def schema(self) -> dict[str, dict[str, Any]]:
        return {**SELECTION, **self.options}

    @property
    def _paragraphs(self) -> list[str]:
        return self.doc.split("\n\n")

    def _example(self, title: str) -> str:
        found, taking = [], False
        for line in self.doc.splitlines():
            if line.strip() in {"Good::", "Bad::"}:
                taking = line.strip() == title
            elif taking:
                found.append(line)
        return inspect.cleandoc("\n".join(found)).strip("\n")

    # ------------------------------------------------------------------------------------------------- policies
    def policy(self, shared: Shared) -> Policy:
        """The rule as a policy that shares its settings with the others."""
        given: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "severity": self.severity,
            "enforcement_level": self.level("standard"),
            "tags": [self.concern, *self.tags],
            "remediation_steps": self.remediation,
            "url": self.url,
            "config_schema": PolicyConfigSchema(properties=self.schema),
        }
        if self.on_resource is not None:
            return ResourceValidationPolicy(validate=lambda a, report: self.validate(a, report, shared), **given)
        return StackValidationPolicy(validate=lambda a, report: self.validate_stack(a, report, shared), **given)

    def validate(self, args: ResourceValidationArgs, report: ReportViolation, shared: Shared) -> None:
        """Judge one resource."""
        if args.resource_type not in self.types:
            return
        config = args.get_config()
        if not selected(args.name, config):
            return
        if self.needs_manifest and shared.manifest is None:
            args.not_applicable("It needs the manifest of the mesh, and there is none; see mesh-is-described.")
        waived = next((each for each in shared.exceptions if each.holds(self.name, args.name, shared.today)), None)
        resource = seen(args)
        found = []
        try:
            for message in (self.on_resource or _nothing)(resource, Given(config, shared)):
                found.append(message)
                if waived is None:
                    report(message, None)
        except UnknownValueError:
            raise
        except Exception as error:  # noqa: BLE001 - an exception would abort the preview
            report(self.gave_up(str(resource), error), None)
        if waived is not None and found:
            args.not_applicable(f"{found[0]} Waived until {waived.expires} by {waived.owner}: {waived.reason}")

    def validate_stack(self, args: StackValidationArgs, report: ReportViolation, shared: Shared) -> None:
        """Judge a stack."""
        config = args.get_config()
        if self.needs_manifest and shared.manifest is None:
            args.not_applicable("It needs the manifest of the mesh, and there is none; see mesh-is-described.")
        stack = Stack([seen(each) for each in args.resources])
        waived = []
        try:
            for resource, message in (self.on_stack or _nothing)(stack, Given(config, shared)):
                if not selected(resource.name, config):
                    continue
                excuse = next((e for e in shared.exceptions if e.holds(self.name, resource.name, shared.today)), None)
                if excuse is None:
                    report(message, resource.urn)
                else:
                    waived.append(f"{message} Waived until {excuse.expires} by {excuse.owner}: {excuse.reason}")
        except UnknownValueError:
            raise
        except Exception as error:  # noqa: BLE001 - an exception would abort the preview
            report(self.gave_up("the stack", error), None)
        if stack.unknown is not None:
            raise stack.unknown
        if waived:
            args.not_applicable(" ".join(waived))

    def gave_up(self, resource: str, error: Exception) -> str:
        """What is reported where the rule itself fails."""
        return (
            f'Rule "{self.name}" could not judge {resource}: {type(error).__name__}: {error}. The resource is '
            "written in a "
            "way that the rule did not expect; check it by hand, exclude it in the rule's configuration, and "
            "report this."
        )


def _nothing(*_: object) -> Iterator[Any]:
    yield from ()


def selected(name: str, config: Mapping[str, Any]) -> bool:
    """Whether a rule's configuration leaves it a resource of this name."""
    include, exclude = texts(plain(config.get("include"))), texts(plain(config.get("exclude")))
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in exclude):
        return False
    return not include or any(fnmatch.fnmatchcase(name, pattern) for pattern in include)


def seen(args: Any) -> Resource:
    """A resource as the SDK hands it over, as rules see it."""
    return Resource(
        type=args.resource_type,
        name=args.name,
        urn=args.urn,
        props=args.props,
        protect=bool(args.opts.protect),
        delete_before_replace=bool(args.opts.delete_before_replace),
        provider=args.provider.props if args.provider is not None else None,
    )


@dataclass
class Concern:
    """The rules of one module, in the order in which they are written."""

    name: str
    title: str
    rules: list[Rule] = field(default_factory=list)

    def resource(
        self, name: str, severity: Severity, *types: str, **more: Any
    ) -> Callable[[ResourceCheck], ResourceCheck]:
        """Make a rule of a function that judges one resource of some types."""

        def register(check: ResourceCheck) -> ResourceCheck:
            self._add(name, severity, check, types=frozenset(types), on_resource=check, **more)
            return check

        return register

    def stack(self, name: str, severity: Severity, **more: Any) -> Callable[[StackCheck], StackCheck]:
        """Make a rule of a function that judges a whole stack."""

        def register(check: StackCheck) -> StackCheck:
            self._add(name, severity, check, on_stack=check, **more)
            return check

        return register

    def _add(self, name: str, severity: Severity, check: Callable[..., Any], *, fix: str, **more: Any) -> None:
        tags = tuple(more.pop("tags", ()))
        doc = inspect.cleandoc(check.__doc__ or "")
        self.rules.append(
            Rule(name=name, severity=severity, concern=self.name, tags=tags, remediation=fix, doc=doc, **more)
        )
