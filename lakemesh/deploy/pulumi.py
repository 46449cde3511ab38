"""Deploying by Pulumi's own engine: its CLI, driven through the Automation API, with this process running the program.

The program is inline, so no language host is needed, and its project files are a scratch copy, so that nothing of the
Automation API's book-keeping ends up in an adopter's stack files.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import os
import runpy
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import pulumi
import yaml
from pulumi import automation as auto
from pulumi.automation.errors import (
    CommandError,
    ConcurrentUpdateError,
    InvalidVersionError,
    StackNotFoundError,
)

from lakemesh.access.check import load_mesh
from lakemesh.declarations.levels import Profile
from lakemesh.declarations.models import Declarations
from lakemesh.deploy import pulumi_errors
from lakemesh.deploy.pack import find_pack, pack_configuration, write_configuration
from lakemesh.deploy.pulumi_events import Listener
from lakemesh.deploy.results import DeployError, Observer, StackResult, summed

TOOLS = Path(".tools", "bin", "pulumi")
"""Where `make tools` puts the CLI, from the project's root."""
_CLOSING_SECONDS = 5.0
_KEPT = ("secretsprovider", "encryptedkey", "encryptionsalt")
"""What `pulumi stack init` writes into a stack's file: without it nobody else can decrypt the stack's secrets."""


@dataclass(frozen=True)
class Settings:
    """How Pulumi keeps state. None: as `pulumi login` and the environment say."""

    command: Path
    backend: str | None = None
    secrets_provider: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the CLI and its plugins, over this process's own."""
    preview_environment: Mapping[str, str] = field(default_factory=dict)
    """The same, of previews."""
    flags: str = "--engine pulumi"
    """Options that make the same command use this engine again."""
    keeps_stack_files: bool = True
    """Whether a new stack's encryption settings go to its file in the project. Not for a state that is thrown away."""


def find_cli(root: Path) -> Path | None:
    """Pulumi's CLI: the one on PATH, or that of `make tools`."""
    found = shutil.which("pulumi")
    if found:
        return Path(found)
    made = root / TOOLS
    return made if os.access(made, os.X_OK) else None


class _Command(auto.PulumiCommand):
    """A CLI wherever it lies; the SDK's own looks for it in a `bin` folder."""

    def __init__(self, path: Path) -> None:
        # The SDK asks the CLI its version through the name that it is called by.
        if path.parent.name == "bin":
            super().__init__(root=str(path.parent.parent))
        else:
            with _first_on_path(path.parent):
                super().__init__()
        self.command = str(path)


@contextmanager
def _first_on_path(directory: Path) -> Iterator[None]:
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(directory), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


class _Stack(auto.Stack):
    """A stack whose updates are told by their events: the SDK would ask the CLI three more times after each."""

    def outputs(self) -> auto.OutputMap:
        return {}

    def info(self, show_secrets: bool = True) -> auto.UpdateSummary | None:  # noqa: ARG002
        return auto.UpdateSummary("update", dt.datetime.now(dt.UTC), "", {}, {}, "succeeded")


class Pulumi:
    """The engine behind `--engine pulumi`. A context manager: its scratch directory goes with it."""

    name = "pulumi"

    def __init__(self, settings: Settings, mesh: Path, program: Path) -> None:
        self._settings, self._mesh, self._root = settings, mesh.resolve(), program
        self._scratch = tempfile.TemporaryDirectory(prefix="lakemesh-pulumi-")
        self._work = Path(self._scratch.name)
        self._declarations: Declarations | None = None
        self.approvals: Mapping[str, str] | None = None
        """What the policy pack is told of each grant's approval, by id."""
        self._loops: list[asyncio.AbstractEventLoop] = []
        try:
            self._command = _Command(settings.command)
        except (InvalidVersionError, OSError) as error:
            raise DeployError(f"{settings.command} is no Pulumi CLI that works here: {error}") from error
        self._project = str(yaml.safe_load((program / "Pulumi.yaml").read_text(encoding="utf-8"))["name"])
        for file in program.glob("Pulumi*.yaml"):
            shutil.copy(file, self._work)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.cleanup()

    @property
    def flags(self) -> str:
        return self._settings.flags

    # ------------------------------------------------------------------------------------------------- what there is
    def deployed(self) -> list[str]:
        """Stacks that have resources. Raises DeployError where the backend cannot be asked."""
        return [one.name for one in self._stacks() if one.resource_count]

    def complete(self, stack: str) -> bool:
        """Whether the stack's last update ended well."""
        history = json.loads(self._run(["stack", "history", "--stack", stack, "--json", "--page-size", "1"]))
        return bool(history) and history[0]["result"] == "succeeded"

    def _stacks(self) -> list[auto.StackSummary]:
        try:
            return self._workspace().list_stacks()
        except CommandError as error:
            raise DeployError(pulumi_errors.explained(error)) from error

    def _run(self, arguments: list[str]) -> str:
        try:
            return self._command.run(arguments, str(self._work), self._environment()).stdout
        except CommandError as error:
            raise DeployError(pulumi_errors.explained(error)) from error

    def state(self, stack: str) -> list[Mapping[str, Any]]:
        """What the state has of a stack, as `pulumi stack export` writes it, secrets masked. Raises DeployError."""
        exported = json.loads(self._run(["stack", "export", "--stack", stack]))
        return list((exported.get("deployment") or {}).get("resources") or ())

    # --------------------------------------------------------------------------------------------------------- runs
    def up(self, stack: str, observer: Observer | None, *, preview: bool) -> StackResult:
        """Bring a stack to what its program says; `preview`: only say what that would do."""
        listener = Listener(observer)
        if preview:
            return self.preview(stack, listener)
        self._configure(stack)
        packs = self._packs(stack, None)
        return self._attempt(
            stack, listener, lambda: self._selected(stack).up(on_event=listener, color="never", **packs)
        )

    def preview(self, stack: str, listener: Listener, profile: Profile | None = None) -> StackResult:
        """What `up` would do. `profile`: of the policy pack, in place of the mesh's own."""
        self._configure(stack)
        packs = self._packs(stack, profile)
        return self._attempt(
            stack, listener, lambda: self._previewed(stack).preview(on_event=listener, color="never", **packs)
        )

    def down(self, stack: str, observer: Observer | None, *, exclude_protected: bool) -> StackResult:
        """Delete what a stack has, without running its program."""
        listener = Listener(observer)

        def work() -> None:
            selected = _Stack.select(stack, self._workspace())
            protected = True if exclude_protected else None
            selected.destroy(on_event=listener, color="never", exclude_protected=protected)

        return self._attempt(stack, listener, work)

    def _attempt(self, stack: str, listener: Listener, work: Callable[[], object]) -> StackResult:
        """Do `work`; what fails is in the result, in the engine's words and in ours."""
        try:
            # A program that loses its engine, because another resource failed, is no news: the failure was told.
            logging.getLogger("grpc._server").setLevel(logging.CRITICAL)
            _uninterrupted(work)
        except ConcurrentUpdateError as error:
            return StackResult(stack, errors=(pulumi_errors.locked(stack, error),))
        except CommandError as error:
            if not listener.errors:
                listener.errors.append(pulumi_errors.explained(error))
        except KeyboardInterrupt:
            listener.errors.append("Interrupted. What was done is remembered; the next run goes on from there.")
        finally:
            listener.close()
            while self._loops:
                _close(self._loops.pop())
        return summed(stack, listener.steps, listener.errors, listener.outputs)

    def _packs(self, stack: str, profile: Profile | None) -> dict[str, Any]:
        """The project's own policy pack, and what it is told of the mesh. Raises InvalidMeshError."""
        pack = find_pack(self._root)
        if pack is None:
            return {}
        self._declarations = self._declarations or load_mesh(self._mesh)
        configuration = pack_configuration(
            pack, self._declarations, profile=profile, stack=stack, approvals=self.approvals
        )
        told = write_configuration(self._work / f"policies.{stack}.json", configuration)
        return {"policy_packs": [str(pack)], "policy_pack_configs": [str(told)]}

    # ------------------------------------------------------------------------------------------------------- stacks
    def _selected(self, stack: str) -> auto.Stack:
        """The stack, made if it is not there."""
        workspace = self._workspace()
        try:
            return _Stack.select(stack, workspace)
        except StackNotFoundError:
            made = _Stack.create(stack, workspace)
        if self._settings.keeps_stack_files:
            self._keep_encryption(stack)
        return made

    def _previewed(self, stack: str) -> auto.Stack:
        """The stack; one that is not there yet is previewed on a state of its own that goes with the scratch copy."""
        try:
            return _Stack.select(stack, self._workspace(preview=True))
        except StackNotFoundError:
            state = Path(tempfile.mkdtemp(prefix="state-", dir=self._work))
            aside = {"PULUMI_BACKEND_URL": state.as_uri()}
            if not self._encryption(self._work / f"Pulumi.{stack}.yaml"):
                aside["PULUMI_CONFIG_PASSPHRASE"] = "preview"  # noqa: S105 - of a state that is thrown away
            workspace = self._workspace(preview=True, aside=aside)
            workspace.secrets_provider = None
            return _Stack.create(stack, workspace)

    def _workspace(self, *, preview: bool = False, aside: Mapping[str, str] | None = None) -> auto.LocalWorkspace:
        return auto.LocalWorkspace(
            work_dir=str(self._work),
            program=self._program,
            env_vars={**self._environment(preview=preview), **(aside or {})},
            secrets_provider=self._settings.secrets_provider,
            pulumi_command=self._command,
        )

    def _environment(self, *, preview: bool = False) -> dict[str, str]:
        settings = self._settings
        given = {**settings.environment, **(settings.preview_environment if preview else {})}
        given["PULUMI_SKIP_UPDATE_CHECK"] = "true"
        if settings.backend:
            given["PULUMI_BACKEND_URL"] = settings.backend
        return given

    def _configure(self, stack: str) -> None:
        """The stack's file anew in the scratch copy, with the mesh that this run is about."""
        given, copied = self._root / f"Pulumi.{stack}.yaml", self._work / f"Pulumi.{stack}.yaml"
        content = _read(given)
        content["config"] = {**(content.get("config") or {}), f"{self._project}:mesh": str(self._mesh)}
        copied.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    @staticmethod
    def _encryption(file: Path) -> dict[str, Any]:
        """What a stack's file says of its encryption."""
        content = _read(file)
        return {key: content[key] for key in _KEPT if key in content}

    def _keep_encryption(self, stack: str) -> None:
        """Write what a new stack's secrets are encrypted with into its file, before everything else in it."""
        file = self._root / f"Pulumi.{stack}.yaml"
        made, there = self._encryption(self._work / file.name), self._encryption(file)
        added = {key: value for key, value in made.items() if key not in there}
        if added:
            text = file.read_text(encoding="utf-8") if file.is_file() else ""
            file.write_text(yaml.safe_dump(added) + text, encoding="utf-8")

    def _program(self) -> None:
        """The project's program, as `pulumi up` would run it."""
        self._loops.append(asyncio.get_running_loop())
        root = str(self._root)
        added = root not in sys.path
        if added:
            sys.path.insert(0, root)
        try:
            runpy.run_path(str(self._root / "__main__.py"), run_name="__main__")
        except pulumi.RunError:
            raise
        except Exception as error:
            # The one exception that Pulumi prints without a traceback of its own inside.
            raise pulumi.RunError(_trimmed(error, self._root)) from error
        finally:
            if added:
                sys.path.remove(root)


def _read(file: Path) -> dict[str, Any]:
    """A YAML file's content; of one that is not there: nothing."""
    return (yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else None) or {}


def _trimmed(error: Exception, root: Path) -> str:
    """The error with the lines of its traceback that lie in the program's own files."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame for frame in frames if Path(frame.filename).is_relative_to(root) and "site-packages" not in frame.filename
    ]
    text = "".join(traceback.format_exception_only(error)).rstrip()
    return "".join(["The program failed:\n", *traceback.format_list(own), text])


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Close the event loop of a program, which the SDK leaves open when the engine ended before the program did."""
    deadline = time.monotonic() + _CLOSING_SECONDS
    while loop.is_running() and time.monotonic() < deadline:
        time.sleep(0.01)
    if loop.is_running() or loop.is_closed():
        return
    loop.set_exception_handler(lambda *_: None)
    for task in asyncio.all_tasks(loop):
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            loop.run_until_complete(task)
    loop.close()


def _uninterrupted(work: Callable[[], object]) -> None:
    """Do `work`. Ctrl-C reaches the CLI by itself, which then finishes what runs: we wait until it has.

    Left alone it would lose its program and its output, and might leave the stack locked.
    """
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            failed.append(error)

    thread = threading.Thread(target=run, name="pulumi")
    thread.start()
    interrupted = False
    while thread.is_alive():
        try:
            thread.join()
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    if failed:
        raise failed[0]


def with_tools(settings: Settings, tools: Path) -> Settings:
    """The same settings with a directory of plugins before all others on PATH."""
    path = os.pathsep.join([str(tools), settings.environment.get("PATH") or os.environ.get("PATH", os.defpath)])
    return replace(settings, environment={**settings.environment, "PATH": path})
