"""Profiles: which rules refuse and which only say something, as configuration of the pack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from guardrails.pack import RULES

PROFILES: Final = ("advisory", "standard", "strict")
LEVELS: Final = ("advisory", "mandatory", "disabled")


def level(rule: str, profile: str) -> str:
    """Enforcement level of a rule in a profile. Raises ValueError for what does not exist."""
    if profile not in PROFILES:
        raise ValueError(f"{profile!r} is no profile; there are {', '.join(PROFILES)}.")
    found = next((each for each in RULES if each.name == rule), None)
    if found is None:
        raise ValueError(f"{rule!r} is no rule of the pack; docs/policies.md lists them.")
    return found.level(profile).value


def configuration(
    profile: str,
    *,
    manifest: Mapping[str, Any] | None = None,
    exceptions: Sequence[Mapping[str, Any]] = (),
    approvals: Mapping[str, str] | None = None,
    overrides: Mapping[str, str | Mapping[str, Any]] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, dict[str, Any]]:
    """What `--policy-pack-config` takes: a level for every rule, and what the pack knows of the mesh.

    `overrides`: by rule a level, or a map that may hold `enforcementLevel` and the rule's own options. `settings`:
    further keys of `mesh-is-described`. Raises ValueError for a profile, rule or level that does not exist.
    """
    made: dict[str, dict[str, Any]] = {each.name: {"enforcementLevel": level(each.name, profile)} for each in RULES}
    shared: dict[str, Any] = {**(settings or {})}
    if manifest is not None:
        shared["manifest"] = dict(manifest)
    if exceptions:
        shared["exceptions"] = [dict(each) for each in exceptions]
    if approvals is not None:
        shared["approvals"] = dict(approvals)
    made["mesh-is-described"].update(shared)
    for rule, given in (overrides or {}).items():
        level(rule, profile)
        made[rule].update({"enforcementLevel": given} if isinstance(given, str) else given)
        if (said := made[rule]["enforcementLevel"]) not in LEVELS:
            raise ValueError(f"rule {rule!r} cannot have the level {said!r}; there are {', '.join(LEVELS)}.")
    return made
