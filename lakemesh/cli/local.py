"""`lakemesh local`: the local AWS, as a process of one's own on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from enum import StrEnum, unique
from pathlib import Path
from typing import Annotated, Any

import typer

HOST = "127.0.0.1"
DEFAULT_PORT = 4600
START_SECONDS = 30.0
STOP_SECONDS = 10.0
STATE = Path(".lakemesh") / "local-aws.json"
LOG = Path(".lakemesh") / "local-aws.log"
_STEP = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

app = typer.Typer(
    help="""Run a local AWS: the accounts of a mesh in one process on this machine, without an AWS account.

    [bold]lakemesh local start --detach[/bold], then [bold]eval "$(lakemesh local env --account 111122223333)"[/bold]:
    boto3, the AWS CLI and `lakemesh up --local` use it. docs/local-aws.md says what it models.
    """,
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@unique
class Format(StrEnum):
    """How a command writes its answer."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="How to write the answer.")]


def _fail(message: str, code: int = 1) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(code)


def _ask(port: int, path: str, method: str = "GET", body: Any = None, timeout: float = 5) -> dict[str, Any] | None:
    """An answer of the control face; None: nothing of ours answers there."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"http://{HOST}:{port}/_local/{path}", data, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is never reached through a proxy
    try:
        with opener.open(request, timeout=timeout) as answer:
            found = json.loads(answer.read())
    except (OSError, urllib.error.URLError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def running() -> tuple[int, int] | None:
    """(port, pid) of the local AWS that this directory's state file names; None: none, and a stale file is removed."""
    try:
        state = json.loads(STATE.read_text())
        port, pid = int(state["port"]), int(state["pid"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        STATE.unlink(missing_ok=True)
        return None
    # The pid alone proves nothing: after a crash another process may have got it. The server says who it is.
    health = _ask(port, "health")
    if health is None or health.get("pid") != pid:
        STATE.unlink(missing_ok=True)
        return None
    return port, pid


def endpoint() -> str | None:
    """URL of the running local AWS; None: it does not run."""
    found = running()
    return f"http://{HOST}:{found[0]}" if found else None


def _require() -> tuple[int, int]:
    found = running()
    if found is None:
        raise _fail("The local AWS is not running here. Start it: lakemesh local start --detach")
    return found


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def environment() -> dict[str, str]:
    """The server's environment: nothing of a real account's, nor of settings that would lead its clients elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}


@app.command()
def start(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on loopback.")] = DEFAULT_PORT,
    detach: Annotated[bool, typer.Option("--detach", help="Return once it answers; it keeps running.")] = False,
) -> None:
    """Start the local AWS. Without --detach it runs until Ctrl-C."""
    if found := running():
        raise _fail(f"The local AWS runs already: http://{HOST}:{found[0]} (pid {found[1]}).")
    if not _free(port):
        raise _fail(f"Port {port} is taken by something else. Choose another: lakemesh local start --port {port + 1}")
    STATE.parent.mkdir(exist_ok=True)
    with LOG.open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [sys.executable, "-m", "local_aws.server", "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=log if detach else None,
            stderr=log if detach else None,
            env=environment(),
            start_new_session=detach,
        )
    try:
        _wait(process, port, LOG if detach else None)
        STATE.write_text(json.dumps({"port": port, "pid": process.pid}) + "\n")
        typer.echo(f"Local AWS on http://{HOST}:{port} (pid {process.pid}).")
        if detach:
            typer.echo('Use it: eval "$(lakemesh local env --account <12 digits>)"; end it: lakemesh local stop')
            return
        process.wait()
    except KeyboardInterrupt:
        typer.echo("Stopping.")
    except BaseException:
        _end(process.pid)
        raise
    if not detach:
        _end(process.pid)
        STATE.unlink(missing_ok=True)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path | None) -> None:
    """Until the server answers. Raises typer.Exit with what it said where it does not."""
    deadline = time.monotonic() + START_SECONDS
    while (health := _ask(port, "health")) is None or health.get("pid") != process.pid:
        ended = process.poll() is not None
        if ended or time.monotonic() > deadline:
            said = "\n".join(log.read_text(errors="replace").splitlines()[-5:]) if log else "see above"
            what = (
                f"ended with status {process.returncode}" if ended else f"does not answer after {START_SECONDS:.0f} s"
            )
            raise _fail(f"The local AWS {what}:\n{said}")
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # where it is our own child it would stay a zombie
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _end(pid: int) -> None:
    """End a process: first politely, so that it ends its workers too."""
    deadline = time.monotonic() + STOP_SECONDS
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        while _alive(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        if _alive(pid):
            os.kill(pid, signal.SIGKILL)


@app.command()
def stop() -> None:
    """Stop the local AWS; all its state is gone with it."""
    found = running()
    if found is None:
        typer.echo("The local AWS is not running here.")
        return
    _end(found[1])
    STATE.unlink(missing_ok=True)
    typer.echo("Stopped.")


@app.command()
def status(form: FormatOption = Format.TEXT) -> None:
    """Say whether the local AWS runs. Exit code 1: it does not."""
    found = running()
    if form is Format.JSON:
        told = {"running": False} if found is None else {"running": True, "port": found[0], "pid": found[1]}
        typer.echo(json.dumps(told | ({"endpoint": endpoint()} if found else {})))
    elif found is None:
        typer.echo("Not running.")
    else:
        typer.echo(f"Running on http://{HOST}:{found[0]} (pid {found[1]}).")
    if found is None:
        raise typer.Exit(1)


@app.command()
def env(
    account: Annotated[str | None, typer.Option(help="Act as this account's administrator (12 digits).")] = None,
    role: Annotated[str | None, typer.Option(help="Act as this role (ARN): its own permissions and no more.")] = None,
    region: Annotated[str, typer.Option(help="Region to use.")] = "us-east-1",
    form: FormatOption = Format.TEXT,
) -> None:
    """Print what a shell exports to use the local AWS: eval "$(lakemesh local env --account 111122223333)"."""
    if (account is None) == (role is None):
        raise _fail("Say as whom: --account <12 digits> or --role <role ARN>.", 2)
    if account is not None and not (len(account) == 12 and account.isdecimal() and account.isascii()):
        raise _fail(f'"{account}" is not an account id: it has 12 digits.', 2)
    port, _ = _require()
    values = {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": account or "",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "",
    }
    if role is not None:
        values |= _session(role, region, f"http://{HOST}:{port}")
    if form is Format.JSON:
        typer.echo(json.dumps(values))
        return
    # A profile or an earlier session token would win over these.
    typer.echo("unset AWS_PROFILE AWS_SESSION_TOKEN")
    for name, value in values.items():
        if value:
            typer.echo(f"export {name}={shlex.quote(value)}")


def _session(role: str, region: str, url: str) -> dict[str, str]:
    """Credentials of a role, assumed by its own account's administrator: its trust policy has to allow that."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    parts = role.split(":")
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise _fail(f'"{role}" is not the ARN of a role (arn:aws:iam::<account>:role/<name>).', 2)
    client = boto3.client(
        "sts",
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=parts[4],
        aws_secret_access_key="local",  # noqa: S106 - signatures are not verified
    )
    try:
        made = client.assume_role(RoleArn=role, RoleSessionName="lakemesh-local-env")["Credentials"]
    except (BotoCoreError, ClientError) as error:
        raise _fail(
            f"{error}\nThe role has to exist and to trust its own account (arn:aws:iam::{parts[4]}:root)."
        ) from error
    return {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }


@app.command()
def reset() -> None:
    """Forget everything in the local AWS; it keeps running, empty."""
    port, _ = _require()
    if _ask(port, "reset", "POST", timeout=30) is None:
        raise _fail("The local AWS did not answer.")
    typer.echo("The local AWS is empty.")


@app.command()
def advance(
    step: Annotated[str, typer.Argument(help="How far: 90s, 15m, 6h, 1d.")],
    wait: Annotated[int, typer.Option(help="Seconds to wait for what falls due.")] = 120,
) -> None:
    """Move the clock of schedules and queues on, and wait for what falls due."""
    found = _STEP.fullmatch(step)
    if found is None:
        raise _fail(f'"{step}" is no step: write a number and s, m, h or d, for example 6h.', 2)
    port, _ = _require()
    seconds = int(found[1]) * _UNITS[found[2]]
    if _ask(port, "advance", "POST", {"seconds": seconds}) is None:
        raise _fail("The local AWS did not answer.")
    idle = _ask(port, f"idle?timeout={wait}", timeout=wait + 10)
    if not (idle or {}).get("idle"):
        raise _fail(f"Something is still at work after {wait} seconds; wait longer with --wait.")
    typer.echo(f"The clock is {step} further, and nothing is left to do.")
