"""Pulumi's CLI over several stacks; a stand-in notes how it is called."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lakemesh.declarations.levels import Level
from lakemesh.declarations.models import Declarations, Policies
from lakemesh.deploy.results import DeployError
from lakemesh.workflows.pulumi import Deployed, Pulumi, PulumiMissingError
from tests.conftest import ROOT
from tests.workflows.conftest import StandIns, event

GROUP = "aws:cloudwatch/logGroup:LogGroup"


@pytest.fixture
def pulumi(tmp_path: Path, stand_ins: StandIns) -> Pulumi:
    stand_ins.add("pulumi")
    (tmp_path / "project").mkdir()
    return Pulumi(tmp_path / "project", "awskms:///alias/k?region=eu-west-1", dict(os.environ), lambda text: None)


# ------------------------------------------------------------------------------------------------------------ up
def test_stacks_are_made_and_deployed_in_the_order_given(pulumi: Pulumi, stand_ins: StandIns) -> None:
    assert pulumi.up(["central", "domain-ar"]) == [Deployed("central"), Deployed("domain-ar")]
    assert stand_ins.arguments("pulumi") == [
        "stack select central --create --non-interactive --secrets-provider awskms:///alias/k?region=eu-west-1",
        "up --stack central --yes --non-interactive --skip-preview",
        "stack select domain-ar --create --non-interactive --secrets-provider awskms:///alias/k?region=eu-west-1",
        "up --stack domain-ar --yes --non-interactive --skip-preview",
    ]


def test_the_first_failure_stops_the_rest(pulumi: Pulumi, stand_ins: StandIns) -> None:
    stand_ins.add("pulumi", [{"when": ["up", "domain-ar"], "code": 255}])
    assert pulumi.up(["central", "domain-ar", "consumer-a", "consumer-b"]) == [
        Deployed("central"),
        Deployed("domain-ar", code=255),
        Deployed("consumer-a", attempted=False),
        Deployed("consumer-b", attempted=False),
    ]
    assert not any("consumer" in call for call in stand_ins.arguments("pulumi"))


def test_a_stack_that_cannot_be_made_is_not_deployed(pulumi: Pulumi, stand_ins: StandIns) -> None:
    stand_ins.add("pulumi", [{"when": ["select"], "code": 3}])
    assert pulumi.up(["central"]) == [Deployed("central", code=3)]
    assert len(stand_ins.calls("pulumi")) == 1


def test_the_policy_pack_runs_where_the_project_has_one(pulumi: Pulumi, stand_ins: StandIns) -> None:
    (pulumi.root / "policies").mkdir()
    (pulumi.root / "policies" / "PulumiPolicy.yaml").write_text("runtime: python\n")
    pulumi.up(["central"])
    pulumi.preview("central")
    for call in stand_ins.arguments("pulumi")[1:]:
        assert " --policy-pack policies --policy-pack-config " in call


def test_a_rule_that_the_pack_does_not_have_is_said_before_anything_runs(
    pulumi: Pulumi, stand_ins: StandIns, sample: Declarations
) -> None:
    shutil.copytree(ROOT / "policies", pulumi.root / "policies")
    levels = Policies(levels={"grants-never-give-al": Level.ADVISORY})
    mesh = sample.mesh.model_copy(update={"policies": levels})
    told = replace(pulumi, declarations=sample.model_copy(update={"mesh": mesh}))
    with pytest.raises(DeployError, match='Did you mean "grants-never-give-all"'):
        told.preview("central")
    assert stand_ins.calls("pulumi") == []


def test_a_checkout_without_the_stacks_key_uses_the_one_its_state_names(pulumi: Pulumi, stand_ins: StandIns) -> None:
    pulumi.up(["central"])
    for call in stand_ins.calls("pulumi"):
        assert call["environment"]["PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER"] == "true"


# ------------------------------------------------------------------------------------------------------- preview
def test_a_preview_reads_the_events_that_the_cli_streams(pulumi: Pulumi, stand_ins: StandIns) -> None:
    stand_ins.add("pulumi", [{"when": ["preview"], "out": event("create", GROUP, "new") + "\n"}])
    found = pulumi.preview("central")
    assert (found.ok, [step.name for step in found.steps]) == (True, ["new"])
    assert stand_ins.arguments("pulumi") == ["preview --stack central --non-interactive --json"]
    assert stand_ins.calls("pulumi")[0]["environment"]["PULUMI_ENABLE_STREAMING_JSON_PREVIEW"] == "true"


def test_a_failure_without_an_event_is_told_in_the_clis_words(pulumi: Pulumi, stand_ins: StandIns) -> None:
    stand_ins.add("pulumi", [{"when": ["preview"], "code": 3, "err": "error: no credentials"}])
    assert pulumi.preview("central").errors == ("pulumi ended with status 3: error: no credentials",)


def test_drift_is_no_failure_of_the_cli(pulumi: Pulumi, stand_ins: StandIns) -> None:
    out = event("update", GROUP, "edited") + "\n"
    stand_ins.add("pulumi", [{"when": ["preview"], "code": 7, "out": out, "err": "no changes were expected"}])
    found = pulumi.preview("central", refresh=True)
    assert (found.ok, found.clean) == (True, False)
    assert stand_ins.arguments("pulumi")[0].endswith("--json --refresh --expect-no-changes")


def test_drift_that_the_events_do_not_tell_is_not_called_clean(pulumi: Pulumi, stand_ins: StandIns) -> None:
    stand_ins.add("pulumi", [{"when": ["preview"], "code": 7, "err": "no changes were expected"}])
    assert not pulumi.preview("central", refresh=True).clean


@pytest.mark.parametrize("settings", [None, "config: {a: b}\n"])
def test_a_stack_that_does_not_exist_is_previewed_as_new_and_left_no_trace_of(
    pulumi: Pulumi, stand_ins: StandIns, settings: str | None
) -> None:
    file = pulumi.root / "Pulumi.producer-new.yaml"
    if settings:
        file.write_text(settings)
    missing = {"when": ["preview"], "code": 6, "err": "error: no stack named 'producer-new' found"}
    noted = {"when": ["init"], "files": {"Pulumi.producer-new.yaml": "encryptionsalt: v1\n"}}
    stand_ins.add("pulumi", [missing, noted])
    found = pulumi.preview("producer-new")
    backends = [call["environment"].get("PULUMI_BACKEND_URL", "") for call in stand_ins.calls("pulumi")]
    assert found.new
    assert [backend.startswith("file://") for backend in backends] == [False, True, True]
    assert not Path(backends[1].removeprefix("file://")).exists(), "the throwaway backend is gone"
    assert (file.read_text() if file.exists() else None) == settings


def test_without_the_cli_it_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(PulumiMissingError, match="download-install"):
        Pulumi(tmp_path, environment={"PATH": str(tmp_path)}).preview("central")
