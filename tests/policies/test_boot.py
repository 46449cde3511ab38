"""The pack as a black box: its own process, asked over gRPC as the engine asks it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from guardrails.decode_once import decode_once
from guardrails.pack import RULES
from guardrails.profiles import configuration as profile
from pulumi.runtime.proto import analyzer_pb2

from tests.policies.analyzer import PACK, Analyzer, booted
from tests.policies.baseline import PROGRAMS
from tests.policies.corpus import bad, good
from tests.policies.mesh import TODAY, compiled, configuration
from tests.policies.record import ROOT, Pack, violations


@pytest.fixture(scope="module")
def analyzer() -> Iterator[Analyzer]:
    with booted() as running:
        yield running


def test_it_boots_and_describes_every_rule(analyzer: Analyzer) -> None:
    info = analyzer.info()

    assert info.name == "lakemesh-guardrails"
    assert [each.name for each in info.policies] == [rule.name for rule in RULES]
    for described, rule in zip(info.policies, RULES, strict=True):
        kind = analyzer_pb2.POLICY_TYPE_RESOURCE if rule.on_resource else analyzer_pb2.POLICY_TYPE_STACK
        assert described.policy_type == kind
        assert described.url == f"docs/policies.md#{rule.name}"
        assert described.remediation_steps == rule.remediation
        assert {"include", "exclude"} <= set(described.configSchema.properties)


@pytest.mark.parametrize("name", ["grant_of_all", "database_without_sensitivity", "tables_open_by_default"])
def test_it_refuses_a_resource_and_a_stack(analyzer: Analyzer, name: str) -> None:
    program = bad(name)
    analyzer.configure(program.config)

    found = analyzer.judge(program.resources)

    assert set(violations(found)) == {(program.rule, program.resource)}


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_over_the_wire_it_finds_what_it_finds_in_this_process(analyzer: Analyzer, name: str, preview: bool) -> None:
    """Also that decoding each resource once changes nothing: only the pack's own process does it."""
    analyzer.configure(configuration())

    found = analyzer.judge(good(name, preview=preview))

    here = [each for each in Pack(configuration()).judge(good(name, preview=preview)) if each.kind != "not applicable"]
    assert sorted((each.rule, each.kind) for each in found) == sorted((each.rule, each.kind) for each in here)
    assert violations(found) == []


def test_a_profile_decides_what_is_refused(analyzer: Analyzer) -> None:
    program = bad("alarm_without_runbook")
    levels = {}
    for name in ("advisory", "standard", "strict"):
        analyzer.configure(profile(name, manifest=compiled(), settings={"today": TODAY.isoformat()}))
        (alarm,) = [each for each in program.resources if each.name == program.resource]
        request = analyzer_pb2.AnalyzeRequest()
        from tests.policies.analyzer import struct

        request = analyzer_pb2.AnalyzeRequest(type=alarm.type, properties=struct(alarm.inputs), urn="u", name="alarm")
        (said,) = analyzer.stub.Analyze(request).diagnostics
        levels[name] = said.enforcementLevel

    assert levels == {
        "advisory": analyzer_pb2.ADVISORY,
        "standard": analyzer_pb2.ADVISORY,
        "strict": analyzer_pb2.MANDATORY,
    }


def test_a_disabled_rule_says_nothing(analyzer: Analyzer) -> None:
    program = bad("grant_of_all")
    analyzer.configure({**program.config, program.rule: {"enforcementLevel": "disabled"}})

    assert violations(analyzer.judge(program.resources)) == []


def test_the_manifest_may_come_as_a_file(analyzer: Analyzer, tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(compiled()))
    program = bad("account_of_another_organization")
    analyzer.configure({"mesh-is-described": {"manifestFile": str(file), "today": TODAY.isoformat()}})

    assert violations(analyzer.judge(program.resources)) == [(program.rule, program.resource)]


def test_a_file_that_is_not_there_is_said_once(analyzer: Analyzer, tmp_path: Path) -> None:
    analyzer.configure({"mesh-is-described": {"manifestFile": str(tmp_path / "none.json")}})

    found = analyzer.judge(good("operations"))

    assert [each.rule for each in found] == ["mesh-is-described"]
    assert "cannot be read" in found[0].message


def test_the_pack_stands_alone(tmp_path: Path) -> None:
    """Published, only its directory is there."""
    alone = tmp_path / "published" / "pack"
    (tmp_path / "published" / "docs").mkdir(parents=True)
    shutil.copytree(PACK, alone, ignore=shutil.ignore_patterns("__pycache__"))

    with booted(alone) as running:
        program = bad("grant_of_all")
        running.configure(program.config)
        assert set(violations(running.judge(program.resources))) == {(program.rule, program.resource)}


def test_it_imports_nothing_of_the_repository() -> None:
    for path in PACK.rglob("*.py"):
        text = path.read_text()
        for foreign in ("lakemesh", "components", "sync_handlers", "local_aws", "pydantic", "boto3", "yaml"):
            assert f"import {foreign}" not in text
            assert f"from {foreign}" not in text


def test_it_runs_in_an_environment_that_it_names() -> None:
    """Trap: without `virtualenv` a pack runs in whatever python3 is there."""
    project = yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text())

    assert project["runtime"]["options"]["virtualenv"] == "../.venv"
    required = {line.split(">=")[0] for line in (PACK / "requirements.txt").read_text().split() if ">=" in line}
    assert required == {"pulumi", "pulumi-aws", "pulumi-policy"}
    assert (ROOT / "policies" / "README.md").is_file()


def test_where_the_sdk_has_other_names_nothing_is_replaced() -> None:
    from types import ModuleType

    assert decode_once(ModuleType("another")) is False


def configured(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", str(PACK / "configure.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_configuration_is_written_for_the_engine(tmp_path: Path) -> None:
    for name, value in (
        ("manifest", {"version": 1}),
        ("exceptions", [{"rule": "x"}]),
        ("approvals", {"a": "verified"}),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    files = [f"--{name}={tmp_path / name}.json" for name in ("manifest", "exceptions", "approvals")]

    done = configured("--profile", "strict", *files, "--override", "alarms-have-a-runbook=disabled")

    written = json.loads(done.stdout)
    assert set(written) == {rule.name for rule in RULES}
    assert written["alarms-have-a-runbook"] == {"enforcementLevel": "disabled"}
    assert written["mesh-is-described"]["manifest"] == {"version": 1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--override", "alarms-have-a-runbook"], "write RULE=LEVEL"),
        (["--override", "no-such-rule=disabled"], "no rule of the pack"),
        (["--manifest", "nowhere.json"], "nowhere.json"),
    ],
)
def test_what_cannot_be_configured_is_said(arguments: list[str], said: str) -> None:
    done = configured(*arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
