"""A repository with a mesh in it, stand-ins for the programs that workflows call, and the commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from lakemesh.cli.affected import affected
from lakemesh.cli.ci import app as ci
from lakemesh.cli.import_ import import_
from lakemesh.cli.validate import validate
from tests.conftest import ROOT

REPOSITORY = "acme/mesh"
ENVIRONMENTS = ("lakemesh", "lakemesh-preview", "lakemesh-drift")


@pytest.fixture
def commands() -> typer.Typer:
    """The commands of this room, and those that workflows call beside them."""
    app = typer.Typer()
    app.command()(affected)
    app.command()(validate)
    app.command("import")(import_)
    app.add_typer(ci, name="ci")
    return app


@dataclass
class Checkout:
    """A git repository with Pulumi's files and a mesh, one commit in it."""

    root: Path

    @property
    def mesh(self) -> Path:
        return self.root / "mesh"

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", "-C", str(self.root), *identity, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD")

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def edit(self, file: str, change: Callable[[Any], None]) -> None:
        """Change a YAML file as data; its comments go."""
        path = self.root / file
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "checkout")
    made.root.mkdir()
    shutil.copytree(ROOT / "mesh", made.mesh)
    for file in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(file, made.root)
    (made.root / "__main__.py").write_text("")

    def deploy_from_here(document: Any) -> None:
        document["deployment"] = {"github": {"repository": REPOSITORY, "environments": list(ENVIRONMENTS)}}

    made.edit("mesh/mesh.yaml", deploy_from_here)
    made.git("init", "--quiet", "--initial-branch", "main")
    made.commit()
    return made


@dataclass
class StandIns:
    """Programs on PATH that note how they were called, and answer as told."""

    folder: Path
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, program: str, answers: Sequence[Mapping[str, Any]] = ()) -> None:
        """`answers`: the first whose `when` words are all in the call is given: `{"when", "code", "out", "err"}`."""
        self.answers[program] = [dict(answer) for answer in answers]
        (self.folder / f"{program}.json").write_text(json.dumps(self.answers[program]))
        script = self.folder / program
        script.write_text(
            textwrap.dedent(
                f"""\
                #!{sys.executable}
                import json, os, sys
                here = {str(self.folder)!r}
                given = "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
                seen = {{name: os.environ[name] for name in os.environ if name.startswith(("PULUMI_", "AWS_"))}}
                with open(os.path.join(here, "{program}.calls"), "a") as calls:
                    calls.write(json.dumps({{"arguments": sys.argv[1:], "given": given, "environment": seen}}) + "\\n")
                for answer in json.load(open(os.path.join(here, "{program}.json"))):
                    if all(word in sys.argv[1:] for word in answer.get("when", [])):
                        for name, text in answer.get("files", {{}}).items():
                            os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
                            open(name, "w").write(text)
                        sys.stdout.write(answer.get("out", ""))
                        sys.stderr.write(answer.get("err", ""))
                        sys.exit(answer.get("code", 0))
                """
            )
        )
        script.chmod(0o755)

    def calls(self, program: str) -> list[dict[str, Any]]:
        path = self.folder / f"{program}.calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def arguments(self, program: str) -> list[str]:
        return [" ".join(call["arguments"]) for call in self.calls(program)]


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    folder = tmp_path / "stand-ins"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return StandIns(folder)


def event(op: str, type_: str, name: str, *, kind: str = "resourcePreEvent", **more: Any) -> str:
    """One engine event about a resource, as `pulumi preview --json` prints it."""
    urn = f"urn:pulumi:s::lakemesh::lakemesh:index:Grants${type_}::{name}"
    return json.dumps({"sequence": 1, kind: {"metadata": {"op": op, "urn": urn, "type": type_, **more}}})
