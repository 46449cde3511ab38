"""`lakemesh local` and the control face."""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from lakemesh.cli import local
from tests.local_aws.test_iam import HOME, may, role, trust

runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory; whatever was started in it is stopped."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    run("stop")


@pytest.fixture
def here(folder: Path, aws: Any) -> Path:
    """A directory whose state file names the tests' own local AWS, so that none has to be started."""
    import os

    (folder / ".lakemesh").mkdir()
    (folder / ".lakemesh/local-aws.json").write_text(json.dumps({"port": aws.port, "pid": os.getpid()}))
    yield folder
    (folder / ".lakemesh/local-aws.json").unlink(missing_ok=True)  # or `stop` would end the tests


def run(*arguments: str) -> Result:
    return runner.invoke(local.app, list(arguments))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(url, data=body, method=method, headers=headers)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_it_starts_detached_answers_boto3_and_stops(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "of-somebody-real")
    port = free_port()
    started = run("start", "--port", str(port), "--detach")
    assert started.exit_code == 0, started.output
    monkeypatch.delenv("AWS_PROFILE")
    assert json.loads(run("status", "--format", "json").output)["endpoint"] == f"http://127.0.0.1:{port}"
    values = json.loads(run("env", "--account", HOME, "--format", "json").output)
    client = boto3.client(
        "sts",
        endpoint_url=values["AWS_ENDPOINT_URL"],
        region_name=values["AWS_REGION"],
        aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
    )
    assert client.get_caller_identity()["Account"] == HOME
    again = run("start", "--port", str(free_port()))
    assert again.exit_code == 1
    assert f"runs already: http://127.0.0.1:{port}" in again.output
    assert run("stop").output == "Stopped.\n"
    assert not (folder / ".lakemesh/local-aws.json").exists()
    assert run("status").exit_code == 1


def test_commands_say_how_to_start_it_where_it_does_not_run(folder: Path) -> None:
    for arguments in (("env", "--account", HOME), ("reset",)):
        answer = run(*arguments)
        assert answer.exit_code == 1
        assert "lakemesh local start --detach" in answer.output
    assert run("status").output == "Not running.\n"
    assert run("stop").output == "The local AWS is not running here.\n"
    assert json.loads(run("status", "--format", "json").output) == {"running": False}


def test_a_port_that_something_else_has_is_named(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = run("start", "--port", str(port), "--detach")
    assert answer.exit_code == 1
    assert f"Port {port} is taken by something else" in answer.output
    assert local.running() is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"port": "x", "pid": 1}', '{"port": 1, "pid": 1}', '{"port": null, "pid": []}']
)
def test_a_stale_or_broken_state_file_is_as_none(folder: Path, text: str) -> None:
    state = folder / ".lakemesh/local-aws.json"
    state.parent.mkdir()
    state.write_text(text)
    assert run("status").exit_code == 1
    assert not state.exists()


def test_a_process_that_only_has_the_pid_or_the_port_of_an_old_one_is_left_alone(folder: Path) -> None:
    import os

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"status": "ok"}')

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        (folder / ".lakemesh").mkdir()
        state = json.dumps({"port": other.server_address[1], "pid": os.getpid()})
        (folder / ".lakemesh/local-aws.json").write_text(state)
        assert run("stop").output == "The local AWS is not running here.\n"
        other.shutdown()


def test_a_server_that_cannot_start_is_reported_with_what_it_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = folder / "local_aws"
    broken.mkdir()
    (broken / "__init__.py").touch()
    (broken / "server.py").write_text("raise SystemExit('no module named moto')")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    answer = run("start", "--port", str(free_port()), "--detach")
    assert answer.exit_code == 1
    assert "ended with status 1" in answer.output
    assert "no module named moto" in answer.output
    assert local.running() is None


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--account", "1"),
        ("--account", "12345678901x"),
        ("--account", "١٢٣٤٥٦٧٨٩٠١٢"),
        ("--account", HOME, "--role", "x"),
        ("--role", "x"),
    ],
)
def test_env_needs_to_know_as_whom(here: Path, arguments: tuple[str, ...]) -> None:
    assert run("env", *arguments).exit_code == 2


def test_env_of_a_role_is_a_session_of_it(here: Path, client: Any) -> None:
    arn = role(client, HOME, "analyst", trust({"AWS": HOME}), may("s3:*"))
    values = json.loads(run("env", "--role", arn, "--region", "eu-west-1", "--format", "json").output)
    session = boto3.session.Session(values["AWS_ACCESS_KEY_ID"], "x", values["AWS_SESSION_TOKEN"], "eu-west-1")
    who = session.client("sts", endpoint_url=values["AWS_ENDPOINT_URL"]).get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::{HOME}:assumed-role/analyst/lakemesh-local-env"
    text = run("env", "--role", arn).output
    assert text.startswith("unset AWS_PROFILE AWS_SESSION_TOKEN\nexport AWS_ENDPOINT_URL=http://127.0.0.1:")
    missing = run("env", "--role", f"arn:aws:iam::{HOME}:role/nobody")
    assert missing.exit_code == 1
    assert "has to exist and to trust its own account" in missing.output


def test_advance_moves_the_clock_on_and_waits(here: Path) -> None:
    from local_aws.services import clock

    before = clock.now()
    answer = run("advance", "6h")
    assert answer.exit_code == 0, answer.output
    assert 6 * 3600 <= clock.now() - before < 6 * 3600 + 60


@pytest.mark.parametrize("step", ["6", "6 hours", "-1h", "h", "1w"])
def test_advance_says_what_a_step_is(here: Path, step: str) -> None:
    answer = run("advance", "--", step)
    assert answer.exit_code == 2
    assert "for example 6h" in answer.output


def test_reset_forgets_everything(here: Path, client: Any) -> None:
    role(client, HOME, "analyst", trust({"AWS": HOME}))
    assert run("reset").output == "The local AWS is empty.\n"
    assert client("iam", HOME).list_roles()["Roles"] == []


def test_the_control_face_answers_json_whatever_is_asked(aws: Any) -> None:
    base = f"{aws.endpoint}/_local"
    assert ask(f"{base}/health")[1]["status"] == "ok"
    assert ask(f"{base}/health", "POST")[0] == 405
    assert ask(f"{base}/nothing")[0] == 501
    assert ask(f"{base}/journal?after=0") == (200, {"entries": []})
    assert ask(f"{base}/journal?after=x")[0] == 400
    for body in (b"", b"{", b"[]", b"{}", b'{"id": "o-1", "management": "1", "members": []}'):
        assert ask(f"{base}/organization", "PUT", body)[0] == 400
    assert ask(f"{base}/organization?account={HOME}")[0] == 404


def test_an_organization_is_stated_and_told(aws: Any, client: Any) -> None:
    given = {"id": "o-0123456789", "management": HOME, "members": ["320000000001"], "ramSharing": True}
    status, told = ask(f"{aws.endpoint}/_local/organization", "PUT", json.dumps(given).encode())
    assert (status, told["members"]) == (200, [HOME, "320000000001"])
    assert ask(f"{aws.endpoint}/_local/organization?account=320000000001")[1]["ramSharing"] is True
    assert client("organizations", "320000000001").describe_organization()["Organization"]["Id"] == "o-0123456789"


@pytest.mark.parametrize("header", [{"Origin": "https://example.com"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_page_in_a_browser_cannot_reset_the_local_aws(aws: Any, client: Any, header: dict[str, str]) -> None:
    role(client, HOME, "analyst", trust({"AWS": HOME}))
    assert ask(f"{aws.endpoint}/_local/reset", "POST", b"", **header)[0] == 403
    assert len(client("iam", HOME).list_roles()["Roles"]) == 1
