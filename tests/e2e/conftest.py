"""Worlds for end-to-end tests: a local AWS in its own process, producers seeded, a mesh deployed by the real program."""

from __future__ import annotations

import contextlib
import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lakemesh.access.check import load_mesh
from lakemesh.declarations.models import Declarations
from lakemesh.demo import data
from lakemesh.demo.clients import Clients
from lakemesh.demo.expected import Expected
from lakemesh.demo.expected import load as load_expected
from lakemesh.demo.process import LocalAwsProcess
from lakemesh.demo.proof import Proof, prove
from lakemesh.demo.seed import fill, guard
from lakemesh.deploy.prepare import prepare
from lakemesh.deploy.run import StackResult, deploy, destroy

SAMPLE = Path(__file__).parents[2] / "mesh"


@dataclass
class World:
    """One local AWS with the accounts of a mesh."""

    endpoint: str
    directory: Path
    declarations: Declarations = field(init=False)
    clients: Clients = field(init=False)
    first_deployment: list[dict[str, Any]] = field(default_factory=list)
    """The journal from the beginning to the end of the first deployment."""
    policies_before: dict[str, list[Any]] = field(default_factory=dict)
    """Statements of the producers' own policies, before any mesh."""

    def __post_init__(self) -> None:
        self.declarations = load_mesh(self.directory)
        self.clients = Clients(self.endpoint, self.declarations.mesh.region)

    def prepare(self, *, seeded: bool = True) -> World:
        """What is there before any mesh."""
        prepare(self.declarations, self.endpoint)
        if seeded:
            self.seed()
            self.policies_before = self.policies()
        return self

    def seed(self) -> None:
        guard(self.declarations, self.clients)
        self.fill()

    def fill(self) -> None:
        """Give the producers their databases and data."""
        fill(self.declarations, self.clients, data.tables(self.declarations))

    def up(self, directory: Path | None = None, *stacks: str) -> dict[str, StackResult]:
        """Deploy a mesh directory (the world's own); every stack has to succeed."""
        results = self.try_up(directory, *stacks)
        failed = [text for result in results.values() for text in result.errors]
        assert not failed, "\n".join(failed)
        return results

    def try_up(self, directory: Path | None = None, *stacks: str) -> dict[str, StackResult]:
        return {result.stack: result for result in deploy(directory or self.directory, stacks, self.endpoint)}

    def destroy(self, *stacks: str, exclude_protected: bool = False) -> list[StackResult]:
        return destroy(self.directory, stacks, self.endpoint, exclude_protected=exclude_protected)

    def expected(self) -> Expected:
        return load_expected(self.directory, self.declarations)

    def prove(self, expected: Expected | None = None) -> Proof:
        return prove(self.declarations, expected or self.expected(), self.clients, data.tables(self.declarations))

    def journal(self, after: int = 0) -> list[dict[str, Any]]:
        """Every call that changed something, from a sequence number on."""
        with urllib.request.urlopen(f"{self.endpoint}/_local/journal?after={after}", timeout=30) as answer:  # noqa: S310
            found = json.load(answer)
        return found["entries"] if isinstance(found, dict) else found

    def policies(self) -> dict[str, list[Any]]:
        """Statements of every bucket, key and catalog policy of the producers, by what they guard."""
        found: dict[str, list[Any]] = {}
        for name, producer in self.declarations.mesh.producers.items():
            s3, kms, glue = (self.root(service, producer.account) for service in ("s3", "kms", "glue"))
            keys = {producer.catalog_key, *(bucket.kms_key for bucket in producer.buckets.values())}
            for bucket in producer.buckets:
                with contextlib.suppress(s3.exceptions.from_code("NoSuchBucketPolicy")):
                    found[bucket] = _statements(s3.get_bucket_policy(Bucket=bucket)["Policy"])
            for key in sorted(key for key in keys if key):
                found[key] = _statements(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
            with contextlib.suppress(glue.exceptions.EntityNotFoundException):
                found[f"catalog of {name}"] = _statements(glue.get_resource_policy()["PolicyInJson"])
        return found

    def inventory(self) -> dict[str, Any]:
        """What belongs to the producers: their objects, the tables of their catalogs, their policies."""
        found: dict[str, Any] = dict(self.policies())
        for domain in self.declarations.mesh.domains.values():
            for source in domain.sources:
                glue = self.root("glue", self.declarations.mesh.producers[source.producer].account)
                found[f"tables of {source.database}"] = [
                    (table["Name"], table["VersionId"])
                    for table in glue.get_tables(DatabaseName=source.database)["TableList"]
                ]
        for producer in self.declarations.mesh.producers.values():
            for bucket in producer.buckets:
                listed = self.root("s3", producer.account).list_objects_v2(Bucket=bucket)["Contents"]
                found[f"objects of {bucket}"] = [(one["Key"], one["ETag"]) for one in listed]
        return found

    def root(self, service: str, account: str) -> Any:
        return self.clients.root(service, account)


def _statements(document: str) -> list[Any]:
    return list(json.loads(document)["Statement"])


@pytest.fixture(scope="session")
def deployed() -> Iterator[World]:
    """The sample, deployed once. Whoever changes it puts it back (`restored`)."""
    with LocalAwsProcess() as aws:
        world = World(aws.endpoint, SAMPLE).prepare()
        world.up()
        world.first_deployment = world.journal()
        yield world


@pytest.fixture
def restored(deployed: World) -> Iterator[World]:
    """The deployed sample, for a test that deploys something else: the sample is deployed again after it."""
    yield deployed
    deployed.up()


@pytest.fixture
def fresh(reset: Callable[[], str], mesh: Path) -> World:
    """The sample's accounts before any mesh, and a copy of the sample to be changed."""
    return World(reset(), mesh).prepare()


@pytest.fixture
def copy_of_sample(tmp_path: Path) -> Callable[[Sequence[tuple[str, str, str]]], Path]:
    """`copy_of_sample([(file, old, new), …])`: a copy of the sample with texts replaced."""

    def copy(replacements: Sequence[tuple[str, str, str]] = ()) -> Path:
        directory = Path(shutil.copytree(SAMPLE, tmp_path / "edited" / "mesh"))
        for file, old, new in replacements:
            text = (directory / file).read_text()
            assert old in text, f"{file} does not hold {old!r}"
            (directory / file).write_text(text.replace(old, new))
        return directory

    return copy
