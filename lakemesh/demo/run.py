"""The whole demonstration: local AWS, producers, deployment, proof, and then its chapters.

Says what happens to a `Screen` and shows nothing itself.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lakemesh.access.check import load_mesh
from lakemesh.demo import data
from lakemesh.demo.chapters import CHAPTERS
from lakemesh.demo.chapters.edit import AS_DECLARED
from lakemesh.demo.clients import Clients
from lakemesh.demo.expected import load as load_expected
from lakemesh.demo.outcome import ChapterOutcome, Outcome
from lakemesh.demo.process import LocalAwsProcess
from lakemesh.demo.seed import seed
from lakemesh.demo.stage import Screen, Stage
from lakemesh.deploy.prepare import prepare


def run(directory: Path, aws: LocalAwsProcess, screen: Screen, chapters: Sequence[str] = tuple(CHAPTERS)) -> Outcome:
    """Demonstrate one mesh directory on `aws`, which is started here and left running.

    `chapters`: names of `CHAPTERS`, in whatever order they are given; they run in their own.
    Raises InvalidMeshError for what is wrong in the directory, DemoError for a step that fails.
    """
    declarations = load_mesh(directory)
    expected = load_expected(directory, declarations)
    mesh = declarations.mesh
    roles = (one.role for consumer in declarations.consumers.values() for one in consumer.principals.values())
    screen.opened(directory, declarations)
    with tempfile.TemporaryDirectory(prefix="lakemesh-demo-") as scratch:
        # The copy has the directory's own name, so that messages about it name files as people know them.
        copy = Path(shutil.copytree(directory, Path(scratch) / directory.name))
        stage = Stage(
            mesh=copy,
            declarations=declarations,
            expected=expected,
            sources=data.tables(declarations),
            clients=Clients("", mesh.region),
            endpoint="",
            screen=screen,
            outcome=Outcome(mesh.name, mesh.region, next(roles, "<role ARN>")),
        )
        _base(stage, aws)
        if stage.outcome.ok:
            for name in CHAPTERS:
                if name in chapters:
                    _play(stage, name)
        return stage.outcome


def _base(stage: Stage, aws: LocalAwsProcess) -> None:
    """Every stack deployed as declared, and proved: what each chapter starts from."""
    mesh = stage.declarations.mesh
    accounts = 1 + len(mesh.producers) + len(mesh.consumers)
    stage.step("Start a local AWS", aws.start, lambda aws: f"{aws.endpoint}, {accounts} accounts")
    stage.endpoint, stage.clients = aws.endpoint, Clients(aws.endpoint, mesh.region)
    stage.step(
        "Make what accounts have before any mesh",
        lambda: prepare(stage.declarations, aws.endpoint),
        lambda _: "the organization, its accounts' roles",
    )
    stage.step(
        "Make the producers as one finds them",
        lambda: seed(stage.declarations, stage.clients, stage.sources),
        lambda made: f"{made.tables} tables, {made.partitions} partitions",
    )
    stage.deploy()
    stage.prove(AS_DECLARED, stage.expected)


def _play(stage: Stage, name: str) -> None:
    chapter = CHAPTERS[name]
    stage.log = stage.outcome.chapters[name] = ChapterOutcome(chapter.TITLE)
    stage.screen.chapter(chapter.TITLE)
    chapter.run(stage)
