"""All rules, and what makes policies of them."""

from __future__ import annotations

from typing import Final

from pulumi_policy import Policy, ReportViolation, ResourceValidationArgs, ResourceValidationPolicy

from guardrails.combinations import COMBINATIONS
from guardrails.consumers import CONSUMERS
from guardrails.encryption import ENCRYPTION
from guardrails.grants import GRANTS
from guardrails.locations import LOCATIONS
from guardrails.mesh import Shared
from guardrails.meta import META
from guardrails.operations import OPERATIONS
from guardrails.roles import ROLES
from guardrails.rule import Concern, Rule
from guardrails.settings import SETTINGS
from guardrails.sharing import SHARING
from guardrails.tagging import TAGGING

CONCERNS: Final[tuple[Concern, ...]] = (
    META, TAGGING, GRANTS, COMBINATIONS, SHARING, SETTINGS, LOCATIONS, ROLES, OPERATIONS, ENCRYPTION, CONSUMERS,
)  # fmt: skip
RULES: Final[tuple[Rule, ...]] = tuple(rule for concern in CONCERNS for rule in concern.rules)
SHARES_SETTINGS: Final = "mesh-is-described"


def policies(rules: tuple[Rule, ...] = RULES, shared: Shared | None = None) -> list[Policy]:
    """The rules as policies. The first one reads the settings of all, and runs before the others on every resource."""
    settings = shared or Shared()
    made: list[Policy] = []
    for rule in rules:
        policy = rule.policy(settings)
        if rule.name == SHARES_SETTINGS:
            policy = _reading_settings(rule, settings)
        made.append(policy)
    return made


def _reading_settings(rule: Rule, shared: Shared) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        shared.configure({key: value for key, value in args.get_config().items() if key not in {"include", "exclude"}})
        rule.validate(args, report, shared)

    made = rule.policy(shared)
    return ResourceValidationPolicy(
        name=made.name,
        description=made.description,
        validate=validate,
        enforcement_level=made.enforcement_level,
        severity=made.severity,
        tags=made.tags,
        remediation_steps=made.remediation_steps,
        url=made.url,
        config_schema=made.config_schema,
    )
