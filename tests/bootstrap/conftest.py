"""A whole life of the sample, deployed with bootstrap's roles, and every permission that it asked for."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from lakemesh.access.wanted import expected
from lakemesh.bootstrap.templates import Template
from lakemesh.demo import process
from lakemesh.deploy.prepare import deploy_roles
from lakemesh.deploy.run import StackResult, deploy, destroy
from lakemesh.live.mesh import read
from local_aws.provider import connection
from local_aws.services.policy import Request
from tests.e2e.conftest import SAMPLE, World

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Asked:
    """One permission that a call needed."""

    principal: str
    account: str
    request: Request
    allowed: bool

    def __str__(self) -> str:
        return f"{self.principal}: {self.request.action} on {self.request.resource}"


@dataclass(frozen=True)
class Life:
    """What came of deploying, changing and destroying the sample."""

    templates: tuple[Template, ...]
    results: dict[str, list[StackResult]]
    asked: tuple[Asked, ...]

    def of(self, principal: str) -> list[Asked]:
        return [each for each in self.asked if each.principal == principal]


def ask(endpoint: str, method: str = "GET") -> list[dict[str, Any]]:
    request = urllib.request.Request(f"{endpoint}/_local/asked", method=method)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return list(json.load(answer)["asked"])


def asked_of(entry: dict[str, Any]) -> Asked:
    context = {key: tuple(value) if isinstance(value, list) else value for key, value in entry["context"].items()}
    request = Request(entry["action"], entry["resource"], context)
    return Asked(entry["principal"], entry["account"], request, entry["allowed"])


def changed_mesh(folder: Path) -> Path:
    """The sample with another LF-Tag and another value of one, and so other bundles of code."""
    mesh = Path(shutil.copytree(SAMPLE, folder / "mesh"))
    tags = mesh / "tags.yaml"
    text = tags.read_text(encoding="utf-8").replace("values: [raw, curated]", "values: [raw, curated, retired]")
    more = '  retention:\n    description: Years that it is kept.\n    values: ["7", "10"]\n'
    tags.write_text(text + more, encoding="utf-8")
    return mesh


def changed_program(folder: Path, **settings: str) -> Path:
    """The program with other defaults in Pulumi.yaml."""
    folder.mkdir()
    for path in (ROOT / "__main__.py", *ROOT.glob("Pulumi*.yaml")):
        shutil.copy(path, folder / path.name)
    project = folder / "Pulumi.yaml"
    lines = project.read_text(encoding="utf-8").splitlines()
    for key, value in settings.items():
        start = lines.index(f"  {key}:")
        place = next(n for n in range(start, len(lines)) if lines[n].startswith("    default:"))
        lines[place] = f"    default: {value}"
    project.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Deploy, change and destroy the sample, by a pipeline that holds a session of central's deploying role."""
    folder = tmp_path_factory.mktemp("life")
    program = changed_program(folder / "program", protect="false", logRetentionDays="30", reservedConcurrency="2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "MODULE", "tests.bootstrap.recording")
        with process.LocalAwsProcess() as aws:
            world = World(aws.endpoint, SAMPLE).prepare()
            made = deploy_roles(world.declarations)
            session = world.root("sts", made[0].place.account).assume_role(
                RoleArn=made[0].place.deploy_role_arn, RoleSessionName="pipeline"
            )["Credentials"]
            pipeline = connection.Credentials(
                session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]
            )
            patch.setattr(connection, "Credentials", lambda *_: pipeline)
            ask(aws.endpoint, "DELETE")
            results = {"up": deploy(SAMPLE, (), aws.endpoint)}
            look(world, session)
            leave_a_result(world)
            mesh = changed_mesh(folder)
            results["update"] = deploy(mesh, (), aws.endpoint, program=program)
            results["destroy"] = destroy(mesh, (), aws.endpoint, program=program)
            asked = tuple(map(asked_of, ask(aws.endpoint)))
    return Life(made, results, asked)


def look(world: World, session: Any) -> None:
    """What `lakemesh drift` reads of every account, by that same session."""
    declarations = world.declarations
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", world.endpoint)
        base = boto3.Session(
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
            region_name=declarations.mesh.region,
        )
        read(declarations, expected(declarations, dt.datetime.now(dt.UTC).date()), base)


def leave_a_result(world: World) -> None:
    """An object in each results bucket, which has to be emptied before it goes."""
    from lakemesh.bootstrap.places import Kind

    for place in (template.place for template in deploy_roles(world.declarations)):
        if place.kind is Kind.CONSUMER:
            s3: Any = boto3.client(
                "s3", endpoint_url=world.endpoint, region_name=place.mesh.region,
                aws_access_key_id=place.account, aws_secret_access_key="local",
            )  # fmt: skip
            s3.put_object(Bucket=place.naming.results_bucket(place.name), Key="left.csv", Body=b"1\n")
