"""What a chapter works with: the deployed mesh, a scratch copy of its files, clients, and a screen to speak to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from lakemesh.access.check import load_mesh
from lakemesh.declarations.models import Declarations
from lakemesh.demo.clients import Clients
from lakemesh.demo.expected import Expected
from lakemesh.demo.outcome import Change, ChapterOutcome, Check, DemoError, Outcome, Step
from lakemesh.demo.proof import Proof, prove
from lakemesh.demo.tables import SourceTable
from lakemesh.deploy.parts import parts
from lakemesh.deploy.run import StackResult, deploy

T = TypeVar("T")
DEPLOY = "Deploy"


class Screen(Protocol):
    """Who shows the demonstration."""

    def opened(self, directory: Path, declarations: Declarations) -> None:
        """The mesh is read and valid, and nothing is started yet."""

    def begin(self, title: str) -> None:
        """A step begins."""

    def end(self, step: Step) -> None:
        """It has ended well."""

    def proved(self, title: str, proof: Proof) -> None:
        """A proof is done, whether or not everything is as expected."""

    def edited(self, edits: Sequence[str]) -> None:
        """The scratch copy is edited."""

    def changed(self, changes: Sequence[Change]) -> None:
        """The second proof differs from the first in this."""

    def chapter(self, title: str) -> None:
        """A chapter begins."""

    def said(self, text: str) -> None:
        """A chapter explains, or shows what a command printed; may be several lines."""

    def checked(self, check: Check) -> None:
        """A claim was held against what was found."""


@dataclass
class Stage:
    """One deployed mesh on one local AWS.

    A chapter reads and edits `mesh`, a scratch copy that starts as the person's directory and is what is deployed; the
    directory itself is never touched. Chapters run in their order and may be chosen one by one, so each finds what the
    base leaves (every stack deployed as declared) or what chapters before it edited, and relies on neither.
    """

    mesh: Path
    """The scratch copy of the mesh directory."""
    declarations: Declarations
    """Of `mesh`, as it is deployed."""
    expected: Expected
    """What the person's expected.yaml says of the mesh before any edit."""
    sources: Mapping[str, Sequence[SourceTable]]
    """What was seeded, by twin."""
    clients: Clients
    endpoint: str
    screen: Screen
    outcome: Outcome
    log: ChapterOutcome = field(default_factory=lambda: ChapterOutcome(""))
    """What the running chapter says and checks."""

    def step(self, title: str, work: Callable[[], T], detail: Callable[[T], str] = lambda _: "") -> T:
        """Do something that takes a while, with its title on the screen meanwhile. Raises DemoError."""
        self.screen.begin(title)
        began = time.monotonic()
        try:
            result = work()
        except (ClientError, BotoCoreError, OSError) as error:
            raise DemoError(f"{title}: {error}") from error
        step = Step(title, time.monotonic() - began, detail(result))
        self.outcome.steps.append(step)
        self.screen.end(step)
        return result

    def say(self, text: str) -> None:
        """Explain, or show what a command printed."""
        self.log.said.append(text)
        self.screen.said(text)

    def check(self, claim: str, holds: bool, found: str = "") -> bool:
        """Hold a claim ("the analyst reads no bank account") against what was found; a false one fails the demo."""
        check = Check(claim, holds, found)
        self.log.checks.append(check)
        self.screen.checked(check)
        return holds

    def deploy(self, stacks: Sequence[str] | None = None) -> None:
        """Read `mesh` anew and deploy stacks of it (None: all), as `lakemesh up --local` does. Raises DemoError."""
        self.declarations = load_mesh(self.mesh)
        for part in parts(self.declarations):
            if stacks is None or part.stack in stacks:
                self.step(f"{DEPLOY} {part.stack}", lambda stack=part.stack: self._deployed(stack), counts)  # type: ignore[misc]

    def prove(self, title: str, expected: Expected) -> Proof:
        """Try every principal on every column and keep the proof under `title`."""
        proof = self.step(
            f"Prove who can read what, {title}",
            lambda: prove(self.declarations, expected, self.clients, self.sources),
            lambda proof: f"{proof.queries} queries by {len(expected.verdicts)} principals, {proof.columns} verdicts",
        )
        self.outcome.proofs[title] = proof
        self.screen.proved(title, proof)
        return proof

    def _deployed(self, stack: str) -> StackResult:
        (result,) = deploy(self.mesh, [stack], self.endpoint)
        if not result.ok:
            raise DemoError("\n".join([f"Stack {stack} was not deployed:", *result.errors]))
        return result


def counts(result: StackResult) -> str:
    """`12 created, 3 unchanged`: what a deployment did to a stack's resources."""
    numbers = {
        name: getattr(result.counts, name) for name in ("created", "updated", "replaced", "deleted", "unchanged")
    }
    return ", ".join(f"{number} {name}" for name, number in numbers.items() if number)
