"""What a policy pack is told of the mesh: the configuration that it gets wherever it runs.

`lakemesh preview`, `up` and `check`, and the workflows' previews: one mesh is judged by one measure. Which rules there
are the pack itself says, in `profiles/` beside its program; nothing of it is imported, since it has an interpreter of
its own.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lakemesh.declarations.checks_exceptions import DRIFT_RULE
from lakemesh.declarations.errors import did_you_mean
from lakemesh.declarations.levels import Profile
from lakemesh.declarations.manifest import manifest
from lakemesh.declarations.models import Declarations, Policies, PolicyException
from lakemesh.deploy.results import DeployError

POLICIES: Final = Path("policies")
"""The policy pack of a project, if it has one."""
SHARED: Final = "mesh-is-described"
"""The rule whose configuration all rules share."""

Configuration = dict[str, dict[str, Any]]


def find_pack(root: Path) -> Path | None:
    """The policy pack of a project."""
    return root / POLICIES if (root / POLICIES / "PulumiPolicy.yaml").is_file() else None


def pack_configuration(
    pack: Path,
    declarations: Declarations,
    *,
    profile: Profile | None = None,
    stack: str | None = None,
    approvals: Mapping[str, str] | None = None,
) -> Configuration:
    """What `--policy-pack-config` takes: a level for each rule, the mesh's own settings, the manifest and exceptions.

    `profile`: in place of the one that mesh.yaml names. `stack`: leave out exceptions of other stacks. `approvals`:
    what was found of each grant's approval, by id; None: nobody looked. A pack without `profiles/` is not ours and gets
    nothing. Raises DeployError for a rule that the pack does not have.
    """
    given = declarations.mesh.policies
    file = pack / "profiles" / f"{(profile or given.profile).value}.json"
    if not file.is_file():
        return {}
    made: Configuration = json.loads(file.read_text(encoding="utf-8"))
    _override(made, given)
    if SHARED in made:
        made[SHARED]["manifest"] = manifest(declarations)
        made[SHARED]["exceptions"] = [
            _exception(each)
            for each in declarations.exceptions
            # Those about drift are for `lakemesh drift`: the pack judges what is about to be made.
            if not each.rule.startswith(DRIFT_RULE) and (not stack or fnmatch.fnmatchcase(stack, each.stack))
        ]
        if approvals is not None:
            made[SHARED]["approvals"] = dict(approvals)
    return made


def write_configuration(file: Path, configuration: Mapping[str, Any]) -> Path:
    """The configuration as a file for `--policy-pack-config`."""
    file.write_text(json.dumps(configuration), encoding="utf-8")
    return file


def _override(made: Configuration, given: Policies) -> None:
    for where, rules in (("levels", given.levels), ("options", given.options)):
        for rule in rules:
            if rule not in made:
                raise DeployError(
                    f"mesh.yaml: policies.{where}.{rule}: The policy pack has no rule of this name."
                    f"{did_you_mean(rule, made)}"
                )
    for rule, options in given.options.items():
        made[rule].update({key: value for key, value in options.items() if key != "enforcementLevel"})
    for rule, level in given.levels.items():
        made[rule]["enforcementLevel"] = level.value


def _exception(exception: PolicyException) -> dict[str, Any]:
    return {
        "rule": exception.rule,
        "resource": exception.resource,
        "stack": exception.stack,
        "reason": exception.reason,
        "owner": exception.owner,
        "approver": exception.approver,
        "expires": exception.expires.isoformat(),
    }
