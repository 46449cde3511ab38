"""docs/tutorial.md from its first line to its last, on a local AWS.

What runs as written: `lakemesh`, the shell around it, edits of files, and `aws` by a translator to boto3 (aws_cli.py,
which also makes what `aws cloudformation deploy` makes). Blocks marked `console aws` are what the local AWS does not
have: their `aws` lines are held against the services' models and not called. Deployments are by Pulumi's own CLI if
there is one, without `--local`, with the session of the deploying role and the local AWS's provider; else by the
in-process engine (lakemesh_cli.py and pulumi_cli.py say what is made up). Outputs shown are compared, with … for what
varies.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.pages import Block, blocks, looks_like
from tests.docs.world import ONLY_PARSE, PULUMI, Machine, seed

pytestmark = pytest.mark.e2e

PAGE = ROOT / "docs" / "tutorial.md"
FILE = re.compile(r"# (mesh/\S+)\n")
"""The first line of a block that is a whole file."""


class Reader:
    """Somebody who does what the page says, block by block, in one terminal."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._terminal = machine.home / "terminal"
        """What the terminal keeps from one block to the next: variables, functions, the folder."""
        self._terminal.write_text("")
        self.said = ""
        self.did: list[str] = []
        self.differs: list[str] = []
        """Outputs that are not as shown: all of them are told at the end."""

    def do(self, block: Block) -> None:
        acts: dict[str, Callable[[Block], None]] = {
            "sh": self._run,
            "sh fails": self._run,
            "console aws": self._run,
            "console": self._known,
            "text": self._compare,
            "yaml": self._write,
            "diff": self._edit,
        }
        assert block.info in acts, f"tutorial.md:{block.line}: a block of kind {block.info!r}, which nobody checks"
        acts[block.info](block)
        self.did.append(block.info)

    def _run(self, block: Block) -> None:
        environment = self._machine.environment
        if block.info == "console aws":
            environment[ONLY_PARSE] = "yes"
        keep = f'unset {ONLY_PARSE}; {{ export -p; declare -f; echo "cd \\"$PWD\\""; }} > {self._terminal}'
        done = self._machine.run(f". {self._terminal}\n{block.text}\n{keep}\n", environment)
        self.said = done.stdout
        wanted = "fail" if block.info == "sh fails" else "work"
        assert (done.returncode != 0) == (wanted == "fail"), self._where(block, f"did not {wanted}", done)

    @staticmethod
    def _known(block: Block) -> None:
        """Of what fetches and installs, `make` targets exist; the rest is git's and the shell's."""
        targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        for line in block.text.splitlines():
            assert re.match(r"(git|cd|source) ", line) or line.removeprefix("make ") in targets, line

    @staticmethod
    def _where(block: Block, what: str, done: subprocess.CompletedProcess[str]) -> str:
        return f"tutorial.md:{block.line} {what}:\n{block.text}\n--- said\n{done.stdout}\n--- and\n{done.stderr}"

    def _compare(self, block: Block) -> None:
        if not looks_like(block.text, self.said):
            self.differs.append(f"tutorial.md:{block.line} shows\n{block.text}\n--- but it says\n{self.said}")

    def _write(self, block: Block) -> None:
        named = FILE.match(block.text)
        assert named, f"tutorial.md:{block.line}: which file is this? Its first line says: # mesh/…"
        path = self._machine.project / named[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)

    def _edit(self, block: Block) -> None:
        """Each hunk's old lines stand once in the file and become its new ones."""
        head, *hunks = re.split(r"^@@.*\n", block.text, flags=re.MULTILINE)
        named = re.search(r"^\+\+\+ (\S+)$", head, re.MULTILINE)
        assert named is not None, f"tutorial.md:{block.line}: a diff says +++ <file>"
        assert hunks, f"tutorial.md:{block.line}: a diff has @@ before each place"
        path = self._machine.project / named[1]
        text = path.read_text()
        for hunk in hunks:
            old, new = (
                "".join(f"{line[1:]}\n" for line in hunk.splitlines() if line[:1] in kept) for kept in (" -", " +")
            )
            assert text.count(old) == 1, f"tutorial.md:{block.line}: {named[1]} has this not once:\n{old}\n---\n{text}"
            text = text.replace(old, new)
        path.write_text(text)


@pytest.fixture
def machine(reset: Callable[[], str], tmp_path: Path) -> Machine:
    """The reader's machine, and the accounts as they are before the first line."""
    endpoint = reset()
    seed(endpoint)
    return Machine(tmp_path / "home", endpoint).make()


@pytest.mark.parametrize(
    "engine", ["Pulumi's CLI" if PULUMI else "the in-process engine: no pulumi; make tools builds it"]
)
def test_the_tutorial_does_what_it_says(machine: Machine, engine: str) -> None:
    """The test's id says which engine deployed."""
    reader = Reader(machine)
    for block in blocks(PAGE.read_text()):
        reader.do(block)
    assert not reader.differs, "\n\n".join(reader.differs)
    assert reader.did.count("text") >= 10, "the page shows what one should see"
