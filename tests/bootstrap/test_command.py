"""`lakemesh bootstrap`: what it writes, compares and verifies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import typer
from click.testing import Result
from typer.testing import CliRunner

from lakemesh.bootstrap.documents import allow, document
from lakemesh.cli.bootstrap import bootstrap
from lakemesh.declarations.models import Declarations
from lakemesh.demo.clients import Clients
from lakemesh.deploy.prepare import prepare

app = typer.Typer()
app.command()(bootstrap)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_first_screen_says_what_was_written_and_what_comes_next(mesh: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("--mesh", mesh, "--out", out)
    assert result.exit_code == 0, result.output
    assert "central.yaml: account 111122223333, written" in result.output
    assert f"Next: read {out}/README.md" in result.output
    assert "Nobody may deploy yet" not in result.output
    assert (out / "service-control-policies" / "central.json").is_file()


def test_a_mesh_that_nobody_may_deploy_is_told_so(mesh: Path, tmp_path: Path) -> None:
    declared = (mesh / "mesh.yaml").read_text(encoding="utf-8")
    (mesh / "mesh.yaml").write_text(declared.partition("\ndeployment:")[0] + "\n", encoding="utf-8")
    result = run("--mesh", mesh, "--out", tmp_path / "out")
    assert "Nobody may deploy yet but the deploying role itself: name a GitHub repository or people" in result.output


def test_running_it_again_writes_nothing(mesh: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("--mesh", mesh, "--out", out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    assert "0 files written" in run("--mesh", mesh, "--out", out).output
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()} == before


def test_check_tells_which_files_differ_and_writes_nothing(mesh: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("--mesh", mesh, "--out", out, "--check").exit_code == 1
    assert not out.exists()
    run("--mesh", mesh, "--out", out)
    assert run("--mesh", mesh, "--out", out, "--check").exit_code == 0
    (out / "central.yaml").write_text("edited")
    (out / "producer-erp.yaml").unlink()
    (out / "consumer-gone.yaml").write_text("of an account that left")
    result = run("--mesh", mesh, "--out", out, "--check")
    assert result.exit_code == 1
    assert "central.yaml: differs" in result.output
    assert "producer-erp.yaml: missing" in result.output
    assert "consumer-gone.yaml: of no account of the mesh" in result.output
    assert (out / "central.yaml").read_text() == "edited"


def test_json_for_scripts_has_the_same_findings(mesh: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    written = json.loads(run("--mesh", mesh, "--out", out, "--format", "json").output)
    assert written["ok"]
    assert {file["state"] for file in written["files"]} == {"written"}
    (out / "central.yaml").write_text("edited")
    checked = run("--mesh", mesh, "--out", out, "--check", "--format", "json")
    said = json.loads(checked.output)
    assert checked.exit_code == 1
    assert not said["ok"]
    assert [file["path"] for file in said["files"] if file["state"] == "differs"] == ["central.yaml"]


@pytest.mark.parametrize("account", ["222233334444", "producer-erp"])
def test_one_account_by_id_or_by_part(account: str, mesh: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("--mesh", mesh, "--out", out, "--account", account).exit_code == 0
    assert [path.name for path in out.rglob("*")] == ["producer-erp.yaml"]


def test_misuse_is_told_from_findings(mesh: Path, tmp_path: Path) -> None:
    unknown = run("--mesh", mesh, "--out", tmp_path, "--account", "producer-erb")
    assert unknown.exit_code == 2
    assert 'Did you mean "producer-erp"?' in unknown.output
    assert run("--mesh", tmp_path / "nowhere").exit_code == 2
    assert run("--mesh", mesh, "--check", "--verify").exit_code == 2
    (mesh / "mesh.yaml").write_text("name: [")
    invalid = run("--mesh", mesh, "--out", tmp_path / "out")
    assert invalid.exit_code == 1
    assert "mesh.yaml:1" in invalid.output
    assert not (tmp_path / "out").exists()


@pytest.fixture
def signed_in(
    monkeypatch: pytest.MonkeyPatch, reset: Callable[[], str], sample: Declarations
) -> Callable[[str], Clients]:
    """`signed_in(account)`: the SDK's own credentials are those of an account that was prepared."""
    endpoint = reset()
    prepare(sample, endpoint)

    def sign_in(account: str) -> Clients:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", account)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        return Clients(endpoint, sample.mesh.region)

    return sign_in


def test_verify_finds_what_is_missing_and_what_was_changed(mesh: Path, signed_in: Callable[[str], Clients]) -> None:
    iam = signed_in("555566667777").root("iam", "555566667777")
    # On the local AWS the person who administers central stands in for the pipeline, which is one finding.
    assert "who may assume it: trusts others than the mesh says" in run("--mesh", mesh, "--verify").output
    arn = "arn:aws:iam::555566667777:policy/lakemesh-deploy-1"
    iam.detach_role_policy(RoleName="lakemesh-deploy", PolicyArn=arn)
    iam.delete_role_permissions_boundary(RoleName="lakemesh-deploy")
    iam.create_policy_version(
        PolicyArn="arn:aws:iam::555566667777:policy/lakemesh-boundary",
        PolicyDocument=json.dumps(document([allow("Everything", ["s3:*"], ["*"])])),
        SetAsDefault=True,
    )
    result = run("--mesh", mesh, "--verify")
    assert result.exit_code == 1
    assert f"its policies: lacks {arn}" in result.output
    assert "its boundary: is not set" in result.output
    assert "policy lakemesh-boundary: says something else" in result.output
    assert "consumer-treasury is not complete." in result.output


def test_verify_says_when_an_account_is_complete(
    mesh: Path, sample: Declarations, signed_in: Callable[[str], Clients]
) -> None:
    from lakemesh.bootstrap.templates import templates
    from lakemesh.deploy.bootstrapped import apply

    clients = signed_in("333344445555")
    apply(
        next(one for one in templates(sample) if one.place.name == "procurement"), clients.root("iam", "333344445555")
    )
    result = run("--mesh", mesh, "--verify", "--account", "producer-procurement", "--format", "json")
    said = json.loads(result.output)
    assert result.exit_code == 0, result.output
    assert said["ok"]
    assert said["part"] == "producer-procurement"


@pytest.mark.parametrize(
    ("organization", "told"),
    [
        ("o-z9y8x7w6v5", "the account is in o-z9y8x7w6v5: move it, or correct organization.id in mesh.yaml"),
        (None, "the account is in no organization: invite it, or correct mesh.yaml"),
    ],
)
def test_an_account_outside_the_organization_of_the_mesh_is_told(
    organization: str | None, told: str, mesh: Path, sample: Declarations, signed_in: Callable[[str], Clients]
) -> None:
    endpoint = signed_in("333344445555").endpoint
    members = ["333344445555"] if organization else ["111122223333"]
    body = {"id": organization or sample.mesh.organization.id, "management": members[0], "members": members}
    answer = requests.put(f"{endpoint}/_local/organization", json={**body, "ramSharing": False}, timeout=10)
    assert answer.ok, answer.text
    result = run("--mesh", mesh, "--verify")
    assert result.exit_code == 1
    assert told in result.output


def test_credentials_of_another_account_are_refused_before_anything_is_asked(
    mesh: Path, signed_in: Callable[[str], Clients]
) -> None:
    signed_in("999988887777")
    result = run("--mesh", mesh, "--verify")
    assert result.exit_code == 1
    assert "credentials of account 999988887777" in result.output
    assert "333344445555  producer-procurement" in result.output
    signed_in("333344445555")
    assert "which is not central" in run("--mesh", mesh, "--verify", "--account", "central").output


def test_a_role_that_may_not_look_is_told_what_it_needs(
    mesh: Path, sample: Declarations, signed_in: Callable[[str], Clients], monkeypatch: pytest.MonkeyPatch
) -> None:
    role = next(iter(sample.consumers["treasury"].principals.values())).role
    session = (
        signed_in("555566667777").root("sts", "555566667777").assume_role(RoleArn=role, RoleSessionName="somebody")
    )
    for name, key in (
        ("ACCESS_KEY_ID", "AccessKeyId"),
        ("SECRET_ACCESS_KEY", "SecretAccessKey"),
        ("SESSION_TOKEN", "SessionToken"),
    ):
        monkeypatch.setenv(f"AWS_{name}", session["Credentials"][key])
    result = run("--mesh", mesh, "--verify")
    assert result.exit_code == 1
    assert "Needed: iam:GetRole" in result.output
