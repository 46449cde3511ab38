"""The policy pack over a program that is recorded in this process: no CLI of Pulumi, no cloud, no state.

What the pack is asked, and in which order, is what the engine asks it in a preview of a stack that is not there yet
(pulumi/pulumi, `pkg/resource/deploy/step_generator.go`): every resource's inputs as it is registered, then the outputs
of all of them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import analyzer_pb2 as proto

from lakemesh.check.analyzer import Analyzer
from lakemesh.check.finding import Finding, Judged, judged, said
from lakemesh.declarations.levels import Profile
from lakemesh.declarations.models import Declarations
from lakemesh.deploy.pack import pack_configuration
from lakemesh.deploy.recording import STACK_TYPE, RecordingError, Registered, record
from lakemesh.deploy.results import DeployError


@dataclass(frozen=True)
class Asked:
    """A running pack that is asked about stacks of one mesh."""

    analyzer: Analyzer
    pack: Path
    program: Path
    mesh: Path
    declarations: Declarations
    profile: Profile | None = None
    approvals: Mapping[str, str] | None = None

    def about(self, stacks: Sequence[str]) -> Iterator[Judged]:
        """What the pack says of stacks, one after the other. Raises DeployError for a project that cannot be read."""
        from local_aws.inprocess.project import Project, ProjectError  # noqa: PLC0415

        try:
            project = Project.load(self.program)
        except ProjectError as error:
            raise DeployError(str(error)) from error
        for stack in stacks:
            try:
                config = project.config(stack, {f"{project.name}:mesh": str(self.mesh.resolve())})
                registered = record(project.root, project.name, stack, config, _nothing, preview=True)
            except (RecordingError, ProjectError) as error:
                yield Judged(stack, errors=(str(error),))
                continue
            yield self.judge(project.name, stack, registered)

    def judge(self, project: str, stack: str, registered: Sequence[Registered], *, disabled: str = "") -> Judged:
        """What the pack says of a stack's resources. `disabled`: a rule that cannot be asked."""
        told = pack_configuration(
            self.pack, self.declarations, profile=self.profile, stack=stack, approvals=self.approvals
        )
        if disabled in told:
            told[disabled]["enforcementLevel"] = "disabled"
        self.analyzer.configure(project, stack, told)
        return judged(stack, list(findings(self.analyzer, project, stack, registered)))


def findings(analyzer: Analyzer, project: str, stack: str, registered: Sequence[Registered]) -> Iterator[Finding]:
    """What a configured pack says of the registrations of one stack."""
    root = f"urn:pulumi:{stack}::{project}::{STACK_TYPE}::{project}-{stack}"
    providers = {each.urn: _provider(each) for each in registered if each.type.startswith("pulumi:providers:")}
    told = list(analyzer.analyze(proto.AnalyzeRequest(type=STACK_TYPE, urn=root, name=f"{project}-{stack}")))
    for each in registered:
        told += analyzer.analyze(
            proto.AnalyzeRequest(
                type=each.type,
                urn=each.urn,
                name=each.name,
                properties=each.request.object,
                options=_options(each.request),
                provider=providers.get(each.provider),
            )
        )
    first = proto.AnalyzerResource(type=STACK_TYPE, urn=root, name=f"{project}-{stack}")
    told += analyzer.analyze_stack([first, *(_resource(each, providers) for each in registered)], root)
    rules = analyzer.rules
    for rule, level, urn, message in told:
        yield said(rules[rule], level, stack, urn, message)


def _nothing(_type: str, _inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


def _provider(each: Registered) -> proto.AnalyzerProviderResource:
    return proto.AnalyzerProviderResource(type=each.type, urn=each.urn, name=each.name, properties=each.request.object)


def _resource(each: Registered, providers: Mapping[str, proto.AnalyzerProviderResource]) -> proto.AnalyzerResource:
    return proto.AnalyzerResource(
        type=each.type,
        urn=each.urn,
        name=each.name,
        properties=each.outputs or struct_pb2.Struct(),
        options=_options(each.request),
        provider=providers.get(each.provider),
        parent=each.request.parent,
        dependencies=each.request.dependencies,
        propertyDependencies={
            key: proto.AnalyzerPropertyDependencies(urns=found.urns)
            for key, found in each.request.propertyDependencies.items()
        },
    )


def _options(request: Any) -> proto.AnalyzerResourceOptions:
    return proto.AnalyzerResourceOptions(
        protect=request.protect,
        ignoreChanges=request.ignoreChanges,
        deleteBeforeReplace=request.deleteBeforeReplace,
        deleteBeforeReplaceDefined=request.deleteBeforeReplaceDefined,
        additionalSecretOutputs=request.additionalSecretOutputs,
        parent=request.parent,
    )
