"""The whole demonstration: local AWS, producers, deployment, proof, edit, deployment, proof.

Says what happens to a `Screen` and shows nothing itself.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from lakemesh.access.check import load_mesh
from lakemesh.declarations.models import Declarations
from lakemesh.demo import data
from lakemesh.demo.clients import Clients
from lakemesh.demo.edit import edited_copy
from lakemesh.demo.expected import Expected, Verdict
from lakemesh.demo.expected import load as load_expected
from lakemesh.demo.process import LocalAwsProcess
from lakemesh.demo.proof import Proof, prove
from lakemesh.demo.seed import seed
from lakemesh.deploy.parts import parts
from lakemesh.deploy.prepare import prepare
from lakemesh.deploy.run import StackResult, deploy

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """One thing that was done. `title` says what, `detail` how much."""

    title: str
    seconds: float
    detail: str


@dataclass(frozen=True)
class Change:
    """What one principal gained and lost of one table by the edit."""

    principal: str
    table: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]


class DemoError(Exception):
    """A step failed; the text says which and why."""


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


@dataclass
class Outcome:
    """Everything that happened."""

    mesh: str
    region: str
    principal: str
    """Role of one of the principals, to be tried by hand."""
    steps: list[Step] = field(default_factory=list)
    proofs: dict[str, Proof] = field(default_factory=dict)
    edits: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def ok(self) -> bool:
        return bool(self.proofs) and all(proof.ok for proof in self.proofs.values())


DEPLOY = "Deploy"
AS_DECLARED = "as declared"
AFTER_EDIT = "after the edit"


def run(directory: Path, aws: LocalAwsProcess, screen: Screen) -> Outcome:
    """Demonstrate one mesh directory on `aws`, which is started here and left running.

    Raises InvalidMeshError for what is wrong in the directory, DemoError for a step that fails.
    """
    return _Demo(directory, aws, screen).run()


class _Demo:
    def __init__(self, directory: Path, aws: LocalAwsProcess, screen: Screen) -> None:
        self.directory = directory
        self.aws = aws
        self.screen = screen
        self.declarations = load_mesh(directory)
        self.expected = load_expected(directory, self.declarations)
        self.sources = data.tables(self.declarations)
        roles = (one.role for consumer in self.declarations.consumers.values() for one in consumer.principals.values())
        mesh = self.declarations.mesh
        self.outcome = Outcome(mesh.name, mesh.region, next(roles, "<role ARN>"))

    def run(self) -> Outcome:
        self.screen.opened(self.directory, self.declarations)
        self._step("Start a local AWS", self.aws.start, lambda aws: f"{aws.endpoint}, {self._accounts()} accounts")
        self.clients = Clients(self.aws.endpoint, self.declarations.mesh.region)
        self._step(
            "Make what accounts have before any mesh",
            lambda: prepare(self.declarations, self.aws.endpoint),
            lambda _: "the organization, its accounts' roles",
        )
        self._step(
            "Make the producers as one finds them",
            lambda: seed(self.declarations, self.clients, self.sources),
            lambda made: f"{made.tables} tables, {made.partitions} partitions",
        )
        self._deploy(self.directory, self.declarations)
        before = self._prove(AS_DECLARED, self.declarations, self.expected)
        if self.expected.edit is not None and before.ok:
            self._edit(before)
        return self.outcome

    def _edit(self, before: Proof) -> None:
        edit = self.expected.edit
        if edit is None:
            return
        with tempfile.TemporaryDirectory(prefix="lakemesh-demo-") as scratch:
            copy, self.outcome.edits = edited_copy(self.directory, Path(scratch), edit)
            self.screen.edited(self.outcome.edits)
            declarations = load_mesh(copy)
            self._deploy(copy, declarations)
            after = self._prove(AFTER_EDIT, declarations, self.expected.after_edit())
        self.outcome.changes = differences(before, after)
        self.screen.changed(self.outcome.changes)

    # ---------------------------------------------------------------------------------------------------- steps
    def _step(self, title: str, work: Callable[[], T], detail: Callable[[T], str]) -> T:
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

    def _deploy(self, directory: Path, declarations: Declarations) -> None:
        for part in parts(declarations):
            self._step(
                f"{DEPLOY} {part.stack}",
                lambda stack=part.stack: _deployed(directory, stack, self.aws.endpoint),  # type: ignore[misc]
                counts,
            )

    def _prove(self, title: str, declarations: Declarations, expected: Expected) -> Proof:
        proof = self._step(
            f"Prove who can read what, {title}",
            lambda: prove(declarations, expected, self.clients, self.sources),
            lambda proof: f"{proof.queries} queries by {len(expected.verdicts)} principals, {proof.columns} verdicts",
        )
        self.outcome.proofs[title] = proof
        self.screen.proved(title, proof)
        return proof

    def _accounts(self) -> int:
        mesh = self.declarations.mesh
        return 1 + len(mesh.producers) + len(mesh.consumers)


def _deployed(directory: Path, stack: str, endpoint: str) -> StackResult:
    (result,) = deploy(directory, [stack], endpoint)
    if not result.ok:
        raise DemoError("\n".join([f"Stack {stack} was not deployed:", *result.errors]))
    return result


def counts(result: StackResult) -> str:
    """`12 created, 3 unchanged`: what a deployment did to a stack's resources."""
    numbers = {
        name: getattr(result.counts, name) for name in ("created", "updated", "replaced", "deleted", "unchanged")
    }
    return ", ".join(f"{number} {name}" for name, number in numbers.items() if number)


def differences(before: Proof, after: Proof) -> tuple[Change, ...]:
    """What principals can read after the edit and could not before, and the other way round."""
    was = {(one.principal, one.table): _readable(one.actual) for one in before.tables}
    found = []
    for one in after.tables:
        old, new = was.get((one.principal, one.table), ()), _readable(one.actual)
        if old != new:
            gained = tuple(column for column in new if column not in old)
            lost = tuple(column for column in old if column not in new)
            found.append(Change(one.principal, one.table, gained, lost))
    return tuple(found)


def _readable(verdicts: Mapping[str, Verdict]) -> tuple[str, ...]:
    return tuple(column for column, verdict in verdicts.items() if verdict is Verdict.READ)
