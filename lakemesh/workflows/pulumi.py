"""Pulumi's CLI as a process, over several stacks.

A workflow calls the CLI that a person would type, so that its log reads like theirs and nothing but the CLI decides.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lakemesh.declarations.models import Declarations
from lakemesh.deploy.pack import POLICIES, find_pack, pack_configuration, write_configuration
from lakemesh.workflows.events import Preview, read

# Pulumi's CLI names its exit codes a contract for automation (pkg/cmd/pulumi/cmd/exit_codes.go).
STACK_NOT_FOUND: Final = 6
CHANGES_NOT_EXPECTED: Final = 7


class PulumiMissingError(Exception):
    """There is no `pulumi` to call."""


@dataclass(frozen=True)
class Deployed:
    """What came of one stack. Not attempted: an earlier one failed."""

    stack: str
    code: int = 0
    attempted: bool = True

    @property
    def ok(self) -> bool:
        return self.attempted and self.code == 0


@dataclass(frozen=True)
class Pulumi:
    """The CLI in a project's directory."""

    root: Path
    secrets_provider: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    say: Callable[[str], None] = print
    declarations: Declarations | None = None
    """What the policy pack is told of; without them its rules that compare with the mesh do not apply."""

    # -------------------------------------------------------------------------------------------------- preview
    def preview(self, stack: str, *, refresh: bool = False) -> Preview:
        """What `up` would do. `refresh`: after a look at what AWS has, with every change being one too many.

        A stack that does not exist yet is previewed as new.
        """
        with self._policies(stack) as policies:
            done = self._capture([*_preview_arguments(stack, refresh=refresh), *policies], {})
            if done.returncode == STACK_NOT_FOUND:
                return self._preview_new(stack, policies)
        return _preview(stack, done)

    def _preview_new(self, stack: str, policies: Sequence[str]) -> Preview:
        """In a backend of its own that is thrown away: a preview does not make the stack where others see it."""
        settings = self.root / f"Pulumi.{stack}.yaml"
        kept = settings.read_bytes() if settings.is_file() else None
        with tempfile.TemporaryDirectory(prefix="lakemesh-") as scratch:
            alone = {"PULUMI_BACKEND_URL": f"file://{scratch}", "PULUMI_CONFIG_PASSPHRASE": secrets.token_hex()}
            try:
                made = self._capture(["stack", "init", stack, "--non-interactive"], alone)
                if made.returncode != 0:
                    return Preview(stack, errors=(_complaint(made),), new=True)
                done = self._capture([*_preview_arguments(stack, refresh=False), *policies], alone)
                return _preview(stack, done, new=True)
            finally:
                # `stack init` notes the throwaway backend's salt in the stack's settings.
                if kept is None:
                    settings.unlink(missing_ok=True)
                else:
                    settings.write_bytes(kept)

    # ------------------------------------------------------------------------------------------------------- up
    def up(self, stacks: Sequence[str]) -> list[Deployed]:
        """Deploy stacks in the order given, up to the first that fails; the rest is reported as not attempted."""
        results: list[Deployed] = []
        for stack in stacks:
            if results and not results[-1].ok:
                results.append(Deployed(stack, attempted=False))
                continue
            self.say(f"── {stack}")
            provider = ["--secrets-provider", self.secrets_provider] if self.secrets_provider else []
            # Makes the stack where there is none, and only then looks at the secrets provider.
            code = self._stream(["stack", "select", stack, "--create", "--non-interactive", *provider])
            if code == 0:
                with self._policies(stack) as policies:
                    code = self._stream(
                        ["up", "--stack", stack, "--yes", "--non-interactive", "--skip-preview", *policies]
                    )
            results.append(Deployed(stack, code))
        return results

    # ---------------------------------------------------------------------------------------------------- calls
    @contextmanager
    def _policies(self, stack: str) -> Iterator[Sequence[str]]:
        """The policy pack, where the project has one, and what it is told of the mesh. Raises DeployError."""
        pack = find_pack(self.root)
        if pack is None:
            yield ()
            return
        told = pack_configuration(pack, self.declarations, stack=stack) if self.declarations else {}
        with tempfile.TemporaryDirectory(prefix="lakemesh-") as scratch:
            file = write_configuration(Path(scratch, "policies.json"), told)
            yield ("--policy-pack", str(POLICIES), "--policy-pack-config", str(file))

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        fixed = {
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # Engine events instead of a digest: the digest leaves out what policies say.
            "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true",
            # A checkout without the stack's encrypted key goes on with the one that its state names.
            "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        }
        return {**self.environment, **fixed, **more}

    def _capture(self, arguments: Sequence[str], more: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603 - no shell
                [self._executable(), *arguments],
                cwd=self.root,
                env=self._environment(more),
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError as error:
            raise PulumiMissingError(f"pulumi cannot be run: {error}") from error

    def _stream(self, arguments: Sequence[str]) -> int:
        """Run it with its output where ours goes."""
        try:
            return subprocess.run(  # noqa: S603 - no shell
                [self._executable(), *arguments], cwd=self.root, env=self._environment({}), check=False
            ).returncode
        except OSError as error:
            raise PulumiMissingError(f"pulumi cannot be run: {error}") from error

    def _executable(self) -> str:
        for directory in self.environment.get("PATH", os.defpath).split(os.pathsep):
            if directory and os.access(found := Path(directory, "pulumi"), os.X_OK) and found.is_file():
                return str(found)
        raise PulumiMissingError(
            "There is no pulumi on PATH. Install Pulumi's CLI: https://www.pulumi.com/docs/iac/download-install/"
        )


def _preview_arguments(stack: str, *, refresh: bool) -> list[str]:
    refreshed = ["--refresh", "--expect-no-changes"] if refresh else []
    return ["preview", "--stack", stack, "--non-interactive", "--json", *refreshed]


def _preview(stack: str, done: subprocess.CompletedProcess[str], *, new: bool = False) -> Preview:
    found = read(stack, done.stdout.splitlines(), new=new)
    if done.returncode == CHANGES_NOT_EXPECTED and found.steps:
        return found
    if done.returncode != 0 and found.ok:
        return Preview(stack, found.steps, found.unchanged, found.violations, (_complaint(done),), new)
    return found


def _complaint(done: subprocess.CompletedProcess[str]) -> str:
    """What the CLI said before it gave up."""
    said = done.stderr.strip() or done.stdout.strip() or "It said nothing."
    return f"pulumi ended with status {done.returncode}: {said[-2000:]}"
