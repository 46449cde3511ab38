"""The examples of docs/access.md say what the commands say."""

from __future__ import annotations

import re
import sys

from lakemesh.access.missing import Remedy
from tests.workflows.conftest import Checkout
from tests.workflows.test_docs import DOCS, blocks, path_with_lakemesh, shell

PROGRAM = """\
#!{python}
import typer
from lakemesh.cli.diff import diff
from lakemesh.cli.explain import explain
app = typer.Typer()
app.command()(diff)
app.command()(explain)
app()
"""


def test_every_example_runs_and_prints_what_the_page_shows(checkout: Checkout) -> None:
    folder = checkout.root / "bin"
    folder.mkdir()
    (folder / "lakemesh").write_text(PROGRAM.format(python=sys.executable))
    (folder / "lakemesh").chmod(0o755)
    scripts, shown = blocks("access.md", "sh"), blocks("access.md", "text")
    assert (len(scripts), len(shown)) == (4, 3)
    wanted = [*shown[:2], None, shown[2]]
    for script, text in zip(scripts, wanted, strict=True):
        said = shell(script, checkout.root, PATH=f"{folder}:{path_with_lakemesh()}", PYTHONPATH=str(DOCS.parent))
        if text is None:
            assert "can read ar_curated.invoice" in said
        else:
            assert said == text


def test_the_page_lists_everything_that_can_be_missing() -> None:
    table = (DOCS / "access.md").read_text().partition("| missing |")[2].partition("\n\n")[0]
    rows = [row for row in table.splitlines() if row.startswith("| ")]
    told_apart = set(Remedy) - {Remedy.ASK_AS_PRINCIPAL}  # told below the table, of administrators
    assert len(rows) == len(told_apart)


def test_the_page_says_how_many_verdicts_were_written_by_hand() -> None:
    from tests.access.test_cases import CASES

    assert re.search(r"more than a hundred\s+\[verdicts", (DOCS / "access.md").read_text())
    assert len(CASES) > 100
