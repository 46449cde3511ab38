"""The files in .github/: least permissions, pinned actions, and shell that does what it says, run here step by step."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lakemesh.declarations.models import Deployment, GitHub
from tests.conftest import ROOT
from tests.workflows.conftest import ENVIRONMENTS, Checkout, StandIns, event

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
SETUP = GITHUB / "actions" / "setup" / "action.yml"


def loaded(path: Path) -> Any:
    # "on" is a boolean in YAML 1.1; GitHub reads it as a word.
    return yaml.load(path.read_text(encoding="utf-8").replace("\non:", '\n"on":'), Loader=yaml.SafeLoader)


def jobs() -> Iterator[Any]:
    for path in WORKFLOWS:
        for name, job in loaded(path)["jobs"].items():
            yield pytest.param(path, name, job, id=f"{path.stem}/{name}")


# --------------------------------------------------------------------------------------------------------- linters
def tool(name: str) -> str | None:
    beside = str(Path(sys.executable).parent)
    return shutil.which(name, path=os.pathsep.join([beside, str(ROOT / ".tools" / "bin"), os.environ["PATH"]]))


@pytest.mark.skipif(tool("actionlint") is None, reason="there is no actionlint: `make tools` builds it (needs Go)")
def test_actionlint_finds_nothing() -> None:
    found = tool("actionlint")
    assert found is not None
    # With shellcheck where it is installed; -shellcheck= turns it off.
    shellcheck = tool("shellcheck") or ""
    done = subprocess.run(
        [found, "-no-color", f"-shellcheck={shellcheck}", *map(str, WORKFLOWS)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(
    tool("zizmor") is None, reason="there is no zizmor: it is one of the developers' tools (`make setup`)"
)
def test_zizmor_finds_nothing() -> None:
    found = tool("zizmor")
    assert found is not None
    done = subprocess.run(
        [found, "--offline", "--no-progress", "--color=never", str(GITHUB)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


# ------------------------------------------------------------------------------------------------------ structure
def test_every_action_is_pinned_to_a_commit_with_its_version() -> None:
    for path in (*WORKFLOWS, SETUP):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "uses:" in line and "uses: ./" not in line:
                assert re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), f"{path.name}: {line}"


def test_actions_of_others_are_few_and_one_commit_each() -> None:
    used = {
        line.partition("uses:")[2].split("#")[0].strip()
        for path in (*WORKFLOWS, SETUP)
        for line in path.read_text(encoding="utf-8").splitlines()
        if "uses:" in line and "uses: ./" not in line
    }
    assert sorted(each.partition("@")[0] for each in used) == [
        "actions/checkout", "actions/upload-artifact", "aws-actions/configure-aws-credentials",
    ]  # fmt: skip


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_no_permissions_of_its_own_and_one_run_at_a_time(path: Path) -> None:
    workflow = loaded(path)
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]
    assert "pull_request_target" not in workflow["on"]


@pytest.mark.parametrize(("path", "name", "job"), jobs())
def test_a_job_that_may_write_gets_no_credentials_of_aws_and_the_other_way_round(
    path: Path, name: str, job: Any
) -> None:
    writes = {scope for scope, access in job["permissions"].items() if access == "write"}
    assert writes in (set(), {"id-token"}, {"pull-requests"}, {"issues"}, {"security-events"}), f"{path.name}: {name}"
    assert job["timeout-minutes"]
    assert ("id-token" in writes) == ("environment" in job), "credentials only behind an environment's rules"


@pytest.mark.parametrize(("path", "name", "job"), jobs())
def test_a_checkout_leaves_no_token_behind(path: Path, name: str, job: Any) -> None:
    for step in job["steps"]:
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_deployments_wait_for_each_other_and_are_never_cancelled() -> None:
    assert loaded(GITHUB / "workflows" / "deploy.yml")["concurrency"] == {
        "group": "lakemesh-deploy",
        "cancel-in-progress": False,
    }
    others = {loaded(path)["concurrency"]["group"] for path in WORKFLOWS if path.stem != "deploy"}
    assert "lakemesh-deploy" not in others, "whatever waits in the group would push a waiting deployment out"


def test_the_comment_is_written_by_reviewed_code() -> None:
    steps = loaded(GITHUB / "workflows" / "pull-request.yml")["jobs"]["comment"]["steps"]
    assert steps[0]["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"


def test_environments_are_those_that_the_documentation_names() -> None:
    used = {job.values[2]["environment"] for job in jobs() if "environment" in job.values[2]}
    assert used == set(ENVIRONMENTS)
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    assert all(f"`{environment}`" in text for environment in used)
    Deployment(github=GitHub(repository="acme/mesh", environments=tuple(sorted(used))))  # mesh.yaml takes them


# ----------------------------------------------------------------------------------------------------------- shell
@dataclass
class Runner:
    """Runs `run:` blocks as GitHub's runner does: bash -eo pipefail, in the checkout, outputs and paths in files."""

    checkout: Checkout
    stand_ins: StandIns
    temp: Path

    def step(self, workflow: str, job: str, name: str, **environment: str) -> subprocess.CompletedProcess[str]:
        steps = loaded(GITHUB / "workflows" / f"{workflow}.yml")["jobs"][job]["steps"]
        step = next(each for each in steps if each.get("name") == name)
        missing = set(step.get("env", {})) - environment.keys()
        assert not missing - {"GH_TOKEN", "GITHUB_TOKEN", "PULUMI_BACKEND_URL"}, f"the test gives no {missing}"
        return self.bash(step["run"], **environment)

    def bash(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        assert "${{" not in script, "expressions come in through env, never into the script"
        given = {
            "HOME": str(self.temp),
            "PATH": f"{self.stand_ins.folder}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(self.temp / "output"),
            "GITHUB_PATH": str(self.temp / "path"),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary"),
            "GITHUB_REPOSITORY": "acme/mesh",
            "GITHUB_RUN_ID": "1",
            "GITHUB_SHA": "abc",
            "GITHUB_REF": "refs/pull/7/merge",
            **environment,
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.checkout.root, env=given, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def read(self, name: str) -> str:
        path = self.temp / name
        return path.read_text(encoding="utf-8") if path.exists() else ""


@pytest.fixture
def runner(checkout: Checkout, stand_ins: StandIns, tmp_path: Path) -> Runner:
    (tmp_path / "runner").mkdir()
    stand_ins.add("gh")
    stand_ins.add("pulumi")
    command = Path(sys.executable).with_name("lakemesh")
    (stand_ins.folder / "lakemesh").write_text(f'#!/bin/sh\nexec "{command}" "$@"\n')
    (stand_ins.folder / "lakemesh").chmod(0o755)
    return Runner(checkout, stand_ins, tmp_path / "runner")


def test_validate_passes_a_valid_mesh_and_leaves_a_report(runner: Runner) -> None:
    done = runner.step("pull-request", "validate", "Validate")
    assert done.returncode == 0, done.stderr
    assert json.loads(runner.read("lakemesh.sarif"))["runs"][0]["results"] == []


def test_validate_fails_an_invalid_mesh_says_why_and_still_leaves_a_report(runner: Runner) -> None:
    runner.checkout.replace("mesh/mesh.yaml", "region:", "regoin:")
    done = runner.step("pull-request", "validate", "Validate")
    assert done.returncode == 1
    assert "regoin" in done.stdout
    assert json.loads(runner.read("lakemesh.sarif"))["runs"][0]["results"]


def test_findings_are_uploaded(runner: Runner) -> None:
    runner.step("pull-request", "validate", "Validate")
    done = runner.step("pull-request", "validate", "Show findings in the changed files")
    assert done.returncode == 0, done.stderr
    assert runner.stand_ins.arguments("gh") == [
        "api --method POST --silent --input - repos/acme/mesh/code-scanning/sarifs"
    ]


def test_affected_stacks_become_the_matrix(runner: Runner) -> None:
    runner.checkout.edit(
        "mesh/mesh.yaml", lambda mesh: mesh["producers"]["procurement"].update(deployRole="other-deployer")
    )
    done = runner.step("pull-request", "plan", "Affected stacks", BASE="HEAD")
    assert done.returncode == 0, done.stderr
    assert runner.read("output") == 'stacks=["producer-procurement"]\n'
    assert json.loads((runner.checkout.root / "report" / "plan.json").read_text())["base"] == "HEAD"


def test_no_matrix_is_made_up_where_the_base_is_unknown(runner: Runner) -> None:
    done = runner.step("pull-request", "plan", "Affected stacks", BASE="nowhere")
    assert done.returncode == 2
    assert runner.read("output") == ""


@pytest.mark.parametrize(
    ("workflow", "job", "name", "command", "out"),
    [
        ("pull-request", "findings", "Who gains or loses access", "diff", "findings-diff.txt"),
        ("pull-request", "findings", "Check", "check", "findings-check.txt"),
        ("drift", "compare", "Drift of grants", "drift", "findings-drift.txt"),
    ],
)
def test_a_command_that_this_version_may_not_have_is_asked_for_first(
    runner: Runner, workflow: str, job: str, name: str, command: str, out: str
) -> None:
    report = runner.checkout.root / "report"
    stand_in = runner.stand_ins
    stand_in.add("lakemesh", [{"when": [command, "--help"], "code": 2}])
    assert runner.step(workflow, job, name, BASE="HEAD").returncode == 0
    assert not (report / out).exists()
    stand_in.add("lakemesh", [{"when": [command, "--help"]}, {"when": [command], "out": "found", "code": 1}])
    assert runner.step(workflow, job, name, BASE="HEAD").returncode == 1, "what it finds fails the job"
    assert (report / out).read_text() == "found"


@pytest.mark.parametrize(("workflow", "job"), [("pull-request", "preview"), ("deploy", "deploy"), ("drift", "compare")])
def test_settings_become_outputs(runner: Runner, workflow: str, job: str) -> None:
    done = runner.step(workflow, job, "Settings")
    assert done.returncode == 0, done.stderr
    assert "role=arn:aws:iam::111122223333:role/lakemesh-deploy\n" in runner.read("output")
    wanted = set(
        re.findall(r"steps\.settings\.outputs\.([\w-]+)", (GITHUB / "workflows" / f"{workflow}.yml").read_text())
    )
    assert wanted <= {line.partition("=")[0] for line in runner.read("output").splitlines()}


def test_a_preview_leaves_its_report(runner: Runner) -> None:
    made = event("create", "aws:cloudwatch/logGroup:LogGroup", "new") + "\n"
    runner.stand_ins.add("pulumi", [{"when": ["preview"], "out": made}])
    done = runner.step("pull-request", "preview", "Preview", STACK="domain-ar")
    assert done.returncode == 0, done.stderr
    assert json.loads((runner.checkout.root / "preview-domain-ar.json").read_text())["stack"] == "domain-ar"


def test_the_comment_is_posted_with_what_failed(runner: Runner) -> None:
    done = runner.step("pull-request", "comment", "Comment", NUMBER="7", FAILED="validate,")
    assert done.returncode == 0, done.stderr
    calls = runner.stand_ins.arguments("gh")
    assert calls[0] == "run download 1 --repo acme/mesh --dir artifacts"
    assert "**Failed: `validate`.**" in runner.stand_ins.calls("gh")[-1]["given"]


def test_up_deploys_all_stacks_in_order_without_an_input(runner: Runner) -> None:
    done = runner.step("deploy", "deploy", "Up", STACKS="", SECRETS_PROVIDER="awskms:///alias/k")
    assert done.returncode == 0, done.stderr
    ups = [call.split()[2] for call in runner.stand_ins.arguments("pulumi") if call.startswith("up ")]
    assert (ups[0], ups[-1], len(ups)) == ("central", "consumer-treasury", 7)
    assert "| `central` | deployed |" in runner.read("summary")


def test_up_deploys_the_stacks_that_somebody_names(runner: Runner) -> None:
    done = runner.step("deploy", "deploy", "Up", STACKS="domain-ar central", SECRETS_PROVIDER="awskms:///alias/k")
    assert done.returncode == 0, done.stderr
    ups = [call.split()[2] for call in runner.stand_ins.arguments("pulumi") if call.startswith("up ")]
    assert ups == ["central", "domain-ar"]


def test_names_that_somebody_types_are_no_shell(runner: Runner) -> None:
    done = runner.step("deploy", "deploy", "Up", STACKS="$(touch pwned) central;ls", SECRETS_PROVIDER="x")
    assert done.returncode == 2
    assert not (runner.checkout.root / "pwned").exists()
    assert runner.stand_ins.calls("pulumi") == []


def test_up_fails_with_the_first_stack_that_fails(runner: Runner) -> None:
    runner.stand_ins.add("pulumi", [{"when": ["up", "producer-erp"], "code": 255}])
    done = runner.step("deploy", "deploy", "Up", STACKS="", SECRETS_PROVIDER="awskms:///alias/k")
    assert done.returncode == 1
    assert not any("domain" in call for call in runner.stand_ins.arguments("pulumi"))
    assert "| `domain-ap` | not attempted |" in runner.read("summary")


def test_drift_fails_and_its_report_becomes_an_issue(runner: Runner) -> None:
    drifted = event("update", "aws:cloudwatch/logGroup:LogGroup", "edited") + "\n"
    runner.stand_ins.add("pulumi", [{"when": ["central"], "code": 7, "out": drifted}])
    assert runner.step("drift", "compare", "Compare").returncode == 1
    shutil.copytree(runner.checkout.root / "report", runner.checkout.root / "artifacts")
    done = runner.step("drift", "issue", "Issue")
    assert done.returncode == 0, done.stderr
    assert "LogGroup edited" in runner.stand_ins.calls("gh")[-1]["given"]


# ------------------------------------------------------------------------------------------------ composite action
def setup_step(name: str) -> str:
    return str(next(step for step in loaded(SETUP)["runs"]["steps"] if step["name"] == name)["run"])


def test_setup_makes_the_environment_and_puts_it_on_path(runner: Runner) -> None:
    runner.stand_ins.add("make", [{"files": {".tools/uv/bin/uv": '#!/bin/sh\necho "$@" > uv-was-called\n'}}])
    done = runner.bash(setup_step("Environment").replace(".tools/uv/bin/uv sync", "sh .tools/uv/bin/uv sync"))
    assert done.returncode == 0, done.stderr
    assert (runner.checkout.root / "uv-was-called").read_text().strip() == "sync --quiet --locked --no-dev"
    root = runner.checkout.root
    assert runner.read("path") == f"{root}/.venv/bin\n{root}/.tools/uv/bin\n"
    assert ".tools/uv/bin/uv" in (ROOT / "Makefile").read_text().replace("$(UV)", ".tools/uv/bin/uv")


@pytest.mark.parametrize("genuine", [True, False])
def test_pulumis_release_is_held_to_its_checksum(runner: Runner, genuine: bool, tmp_path: Path) -> None:
    (tmp_path / "pulumi").mkdir()
    (tmp_path / "pulumi" / "pulumi").write_text("#!/bin/sh\n")
    archive = tmp_path / "pulumi-v3.259.0-linux-x64.tar.gz"
    subprocess.run(["tar", "-czf", str(archive), "-C", str(tmp_path), "pulumi"], check=True)
    sums = subprocess.run(["sha256sum", archive.name], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    if not genuine:
        sums = "0" * 64 + sums[64:]
    (tmp_path / "pulumi-3.259.0-checksums.txt").write_text(sums + "1" * 64 + "  pulumi-v3.259.0-darwin-x64.tar.gz\n")
    (runner.stand_ins.folder / "gh").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncp {tmp_path}/pulumi-* .\n')
    done = runner.bash(setup_step("Pulumi's CLI"), VERSION="3.259.0")
    assert "release download v3.259.0 --repo pulumi/pulumi" in (tmp_path / "asked").read_text()
    assert (done.returncode == 0) == genuine
    assert runner.read("path") == (f"{runner.temp}/pulumi-cli/pulumi\n" if genuine else "")
