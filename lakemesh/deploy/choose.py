"""Which engine deploys, and how it keeps its state."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lakemesh.declarations.models import Declarations
from lakemesh.deploy.choice import IN_PROCESS_IS_LOCAL, Choice
from lakemesh.deploy.results import DeployError
from lakemesh.deploy.run import Engine, find_program

if TYPE_CHECKING:
    from lakemesh.deploy.pulumi import Settings

ANALYZER = "pulumi-analyzer-policy-python"
_PASSPHRASE = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


def engine(
    choice: Choice,
    declarations: Declarations,
    mesh: Path,
    opened: ExitStack,
    *,
    endpoint: str | None = None,
    backend: str | None = None,
    secrets_provider: str | None = None,
    home: Path = Path(".lakemesh"),
) -> Engine:
    """The engine for a mesh directory. `endpoint`: of a local AWS; None: real accounts.

    `opened` closes what the engine opens, `home` keeps the state of a local AWS. Raises DeployError that says what is
    missing and how to get it.
    """
    if endpoint is None:
        return _for_accounts(choice, mesh, opened, backend, secrets_provider)
    from lakemesh.deploy.inprocess import InProcess  # noqa: PLC0415

    program = find_program(mesh)
    state = home / "pulumi" / world(endpoint)
    in_process = InProcess(endpoint, declarations.mesh.central.account, mesh.resolve(), program)
    cli, there = _cli(program), in_process.deployed()
    wants_pulumi = choice is Choice.PULUMI or (choice is Choice.AUTO and (backend or (cli and not there)))
    _refuse_mixture(there, state, by_pulumi=bool(wants_pulumi))
    if not wants_pulumi:
        return in_process
    from lakemesh.deploy.pulumi import Pulumi  # noqa: PLC0415

    given = _local(_demanded(cli), endpoint, declarations.mesh.central.account, state, backend)
    return opened.enter_context(Pulumi(replace(given, secrets_provider=secrets_provider), mesh, program))


def world(endpoint: str) -> str:
    """The name of what a local AWS holds now: another one after each start and reset. Raises DeployError."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is reached through no proxy
    try:
        with opener.open(f"{endpoint}/_local/health", timeout=10) as answer:
            return str(json.load(answer)["world"])
    except (OSError, ValueError, KeyError) as error:
        raise DeployError(
            f"No local AWS answers at {endpoint} ({error}). Start one with `lakemesh local start`."
        ) from error


def _cli(program: Path) -> Path | None:
    from lakemesh.deploy.pulumi import find_cli  # noqa: PLC0415

    return find_cli(program)


def _demanded(cli: Path | None) -> Path:
    if cli is None:
        raise DeployError(
            "There is no pulumi on PATH. Install Pulumi (https://www.pulumi.com/docs/install/), or, where Go is "
            "installed, run: make tools"
        )
    return cli


# ------------------------------------------------------------------------------------------------------ real accounts
def _for_accounts(
    choice: Choice, mesh: Path, opened: ExitStack, backend: str | None, secrets_provider: str | None
) -> Engine:
    if choice is Choice.INPROCESS:
        raise DeployError(IN_PROCESS_IS_LOCAL)
    from lakemesh.deploy.pulumi import Pulumi, Settings, with_tools  # noqa: PLC0415

    program = find_program(mesh)
    cli = _demanded(_cli(program))
    flags = f"--backend {backend}" if backend else ""
    settings = Settings(cli, backend=backend, secrets_provider=secrets_provider, flags=flags)
    if not shutil.which(ANALYZER) and not (cli.resolve().parent / ANALYZER).exists():
        # A CLI built from source comes without hosts of policy packs.
        from local_aws.engine.install import analyzer  # noqa: PLC0415

        settings = with_tools(settings, analyzer(program / ".tools" / "policy").parent.resolve())
    return opened.enter_context(Pulumi(settings, mesh, program))


# ---------------------------------------------------------------------------------------------------- the local AWS
def _refuse_mixture(in_process: Sequence[str], state: Path, *, by_pulumi: bool) -> None:
    """What one engine made, the other does not know of, and would make again."""
    stacks = in_process if by_pulumi else sorted(file.stem for file in state.glob(".pulumi/stacks/*/*.json"))
    if stacks:
        made = Choice.INPROCESS if by_pulumi else Choice.PULUMI
        raise DeployError(
            f"On this local AWS {', '.join(stacks)} were deployed by the engine {made}, and the other engine knows "
            f"nothing of that. Go on with --engine {made}, or begin anew: lakemesh local reset"
        )


def _local(cli: Path, endpoint: str, account: str, state: Path, backend: str | None) -> Settings:
    from lakemesh.deploy.pulumi import Settings, with_tools  # noqa: PLC0415
    from local_aws.engine.install import install  # noqa: PLC0415

    state.mkdir(parents=True, exist_ok=True)
    environment = {
        "LAKEMESH_LOCAL_ENDPOINT": endpoint,
        "LAKEMESH_LOCAL_ACCOUNT": account,
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "false",
        # Nothing is written to a person's own ~/.pulumi.
        "PULUMI_HOME": os.environ.get("PULUMI_HOME") or str((state.parent / "home").resolve()),
    }
    if backend is None or not any(name in os.environ for name in _PASSPHRASE):
        environment["PULUMI_CONFIG_PASSPHRASE"] = _passphrase(state.parent)
    settings = Settings(
        cli,
        # PULUMI_BACKEND_URL may be where the real accounts' state is, whose stacks have the same names: never that.
        backend=backend or state.resolve().as_uri(),
        environment=environment,
        # A preview works before the accounts are prepared: nobody is asked who the credentials are.
        preview_environment={"LAKEMESH_LOCAL_PROVIDER": "late"},
        flags="--local --engine pulumi" + (f" --backend {backend}" if backend else ""),
        keeps_stack_files=False,
    )
    return with_tools(settings, install(state.parent / "plugins"))


def _passphrase(directory: Path) -> str:
    """A random passphrase, kept in a file that its owner alone can read: secrets stay so on a local AWS too."""
    file = directory / "passphrase"
    if not file.is_file():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(secrets.token_urlsafe(32))
    return file.read_text(encoding="utf-8")
