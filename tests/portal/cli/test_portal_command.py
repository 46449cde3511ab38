"""`lakemesh portal` on this machine, and the application that a server is given."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from lakemesh.cli.main import app
from lakemesh.demo.process import free_port
from lakemesh.portal.web.main import application

SETTINGS = {
    "URL": "https://data.example.com", "SECRET": "s" * 40, "ISSUER": "https://id.example.com", "CLIENT_ID": "portal",
    "CLIENT_SECRET": "from the store",
}  # fmt: skip


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here asks AWS, and the SDK wants to know who would."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")


def test_the_portal_answers_on_loopback_and_asks_who_is_there(mesh: Path) -> None:
    port = free_port()
    command = [str(Path(sys.executable).with_name("lakemesh")), "portal", "--mesh", str(mesh), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            page = answer(f"http://127.0.0.1:{port}/sign-in", process)
            assert (page.status_code, "email" in page.text) == (200, True)
            assert httpx.get(f"http://127.0.0.1:{port}/api/v1/products", timeout=30).status_code == 401
        finally:
            process.terminate()
            said = process.communicate()[0]
    assert f"The portal of {mesh} is at http://127.0.0.1:{port}" in said


def answer(url: str, process: subprocess.Popen[str]) -> httpx.Response:
    for _ in range(300):
        assert process.poll() is None, "the portal has ended"
        try:
            return httpx.get(url, follow_redirects=True, timeout=30)
        except httpx.ConnectError:
            time.sleep(0.1)
    raise AssertionError("no answer")


def test_no_mesh_and_a_broken_mesh_are_refused(mesh: Path) -> None:
    none = CliRunner().invoke(app, ["portal", "--mesh", str(mesh / "none")])
    assert (none.exit_code, "There is no directory" in none.stderr) == (2, True)
    (mesh / "tags.yaml").write_text("- nothing\n", encoding="utf-8")
    broken = CliRunner().invoke(app, ["portal", "--mesh", str(mesh)])
    assert (broken.exit_code, "tags.yaml" in broken.stderr) == (1, True)


def test_a_server_is_given_the_application_that_its_environment_describes(
    mesh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**SETTINGS, "MESH": str(mesh)}.items():
        monkeypatch.setenv(f"LAKEMESH_PORTAL_{name}", value)
    paths = {getattr(route, "path", "") for route in application().routes}
    assert not [path for path in paths if path.startswith("/development")], "its sign-in believes everybody"


@pytest.mark.parametrize("missing", sorted(SETTINGS))
def test_what_is_not_set_is_named_and_nothing_starts(
    missing: str, mesh: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {**SETTINGS, "MESH": str(mesh)}.items():
        monkeypatch.setenv(f"LAKEMESH_PORTAL_{name}", value)
    monkeypatch.delenv(f"LAKEMESH_PORTAL_{missing}")
    with pytest.raises(SystemExit) as ended:
        application()
    assert (ended.value.code, f"LAKEMESH_PORTAL_{missing} is not set" in capsys.readouterr().err) == (2, True)
