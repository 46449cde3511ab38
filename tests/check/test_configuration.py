"""What the policy pack is told: the profile's levels, the mesh's own, the manifest, the exceptions of the stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lakemesh.declarations.levels import Level, Profile
from lakemesh.declarations.manifest import manifest
from lakemesh.declarations.models import Declarations, Policies
from lakemesh.deploy.pack import SHARED, find_pack, pack_configuration
from lakemesh.deploy.results import DeployError
from tests.check.conftest import EXCEPTIONS, PACK, Project

RULE = "alarms-have-a-runbook"


def with_policies(declarations: Declarations, **policies: Any) -> Declarations:
    mesh = declarations.mesh.model_copy(update={"policies": Policies(**policies)})
    return declarations.model_copy(update={"mesh": mesh})


@pytest.mark.parametrize("profile", Profile)
def test_every_rule_has_the_level_of_the_meshs_profile(sample: Declarations, profile: Profile) -> None:
    made = pack_configuration(PACK, with_policies(sample, profile=profile))
    levels = {each["enforcementLevel"] for each in made.values()}
    assert made["grants-never-give-all"]["enforcementLevel"] == ("advisory" if profile == "advisory" else "mandatory")
    assert levels == ({"advisory"} if profile == "advisory" else {"advisory", "mandatory"})


def test_a_profile_that_is_asked_for_wins_over_the_meshs(sample: Declarations) -> None:
    strict = with_policies(sample, profile=Profile.STRICT)
    assert pack_configuration(PACK, strict, profile=Profile.ADVISORY) == pack_configuration(
        PACK, with_policies(sample, profile=Profile.ADVISORY)
    )


def test_the_mesh_sets_levels_and_options_of_single_rules(sample: Declarations) -> None:
    made = pack_configuration(
        PACK, with_policies(sample, levels={RULE: Level.DISABLED}, options={RULE: {"exclude": ["sandbox-*"]}})
    )
    assert made[RULE] == {"enforcementLevel": "disabled", "exclude": ["sandbox-*"]}


def test_options_cannot_change_a_level_behind_the_levels_back(sample: Declarations) -> None:
    made = pack_configuration(
        PACK, with_policies(sample, profile=Profile.STRICT, options={RULE: {"enforcementLevel": "disabled"}})
    )
    assert made[RULE] == {"enforcementLevel": "mandatory"}


@pytest.mark.parametrize("where", ["levels", "options"])
def test_a_rule_that_the_pack_does_not_have_is_said_with_the_one_that_is_meant(
    sample: Declarations, where: str
) -> None:
    wrong = with_policies(sample, **{where: {"alarms-have-runbook": Level.ADVISORY if where == "levels" else {}}})
    with pytest.raises(DeployError, match=f'policies.{where}.alarms-have-runbook: .* Did you mean "{RULE}"'):
        pack_configuration(PACK, wrong)


def test_the_pack_gets_the_manifest_and_the_exceptions_of_the_stack(project: Project) -> None:
    declarations = project.declarations()
    told = pack_configuration(PACK, declarations, stack="domain-ar")[SHARED]
    assert told["manifest"] == manifest(declarations)
    assert [each["resource"] for each in told["exceptions"]] == ["old-lake", "everybody"]
    everything = pack_configuration(PACK, declarations)[SHARED]["exceptions"]
    assert everything == [{"stack": "*", **each} for each in EXCEPTIONS]


def test_another_pack_is_left_to_its_own_defaults(sample: Declarations, tmp_path: Path) -> None:
    assert pack_configuration(tmp_path, sample) == {}
    assert find_pack(tmp_path) is None
