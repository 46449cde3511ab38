"""The policy pack over previews by Pulumi's own engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lakemesh.check.finding import Finding, Judged, Rule, judged, said
from lakemesh.declarations.levels import Profile
from lakemesh.deploy.pulumi import Pulumi
from lakemesh.deploy.pulumi_events import Listener

WITHOUT: Final = "The same rules run without Pulumi, credentials and state: lakemesh check --engine inprocess"


class Judging(Listener):
    """Keeps what policies say apart from what else fails."""

    def __init__(self, stack: str, rules: Mapping[str, Rule]) -> None:
        super().__init__(None)
        self._stack, self._rules = stack, rules
        self._of_policies: set[str] = set()
        self.findings: list[Finding] = []

    def _violated(self, level: str, policy: Any, urn: str) -> None:
        before = set(self.errors)
        super()._violated(level, policy, urn)
        self._of_policies |= set(self.errors) - before
        rule = self._rules.get(policy.policy_name, Rule(policy.policy_name))
        self.findings.append(said(rule, level, self._stack, urn, _plain(policy.message)))

    @property
    def failures(self) -> list[str]:
        """What failed beside policies."""
        return [error for error in self.errors if error not in self._of_policies]


def check(
    engine: Pulumi, rules: Mapping[str, Rule], stacks: Sequence[str], profile: Profile | None
) -> Iterator[Judged]:
    """What the pack says of stacks in the engine's previews. `rules`: the pack's, by name. Raises DeployError."""
    for stack in stacks:
        listener = Judging(stack, rules)
        engine.preview(stack, listener, profile)
        failed = listener.failures
        yield judged(stack, listener.findings, [*failed, WITHOUT] if failed else ())


def _plain(text: str) -> str:
    """Without the marks for colours that the engine puts into messages (`<{%reset%}>`)."""
    parts = text.split("<{%")
    return parts[0] + "".join(part.partition("%}>")[2] for part in parts[1:])
