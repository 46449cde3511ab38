"""CODEOWNERS from the owners in mesh.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lakemesh.cli.codeowners import codeowners
from lakemesh.declarations.models import Declarations
from lakemesh.scaffold.codeowners import BEGIN, END, CodeownersError, block, merged, platform_of

PLATFORM = "@acme/data-platform"
app = typer.Typer()
app.command()(codeowners)


def owner(text: str, path: str) -> str:
    """Who owns a path, as GitHub decides: the last line that fits."""
    found = ""
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        pattern, _, who = line.partition(" ")
        if pattern in {"*", f"/{path}"} or (pattern.endswith("/") and f"/{path}".startswith(pattern)):
            found = who.strip()
    return found


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("mesh/mesh.yaml", PLATFORM),
        ("mesh/tags.yaml", PLATFORM),
        ("__main__.py", PLATFORM),
        (".github/CODEOWNERS", PLATFORM),
        ("mesh/products/ar/ar_invoice.odcs.yaml", "@acme/accounts-receivable"),
        ("mesh/grants/ar.yaml", "@acme/accounts-receivable"),
        ("mesh/grants/ap.yaml", "@acme/accounts-payable"),
        ("mesh/recommendations/ap.yaml", "@acme/accounts-payable"),
        ("mesh/consumers/treasury.yaml", "@acme/treasury"),
        ("mesh/products/unknown/x.odcs.yaml", PLATFORM),
    ],
)
def test_each_file_is_approved_by_who_answers_for_it(sample: Declarations, path: str, expected: str) -> None:
    assert owner(block(sample.mesh, "mesh", PLATFORM), path) == expected


def test_what_people_wrote_around_the_block_stays(sample: Declarations) -> None:
    mine = "# ours\n/docs/ @acme/writers\n"
    once = merged(mine, block(sample.mesh, "mesh", PLATFORM))
    assert once.endswith(mine)
    again = merged(once, block(sample.mesh, "mesh", "@acme/others"))
    assert again == once.replace(PLATFORM, "@acme/others")
    assert platform_of(again) == "@acme/others"


def test_a_block_without_its_end_is_not_guessed(sample: Declarations) -> None:
    with pytest.raises(CodeownersError, match="put it back"):
        merged(f"{BEGIN}\n* {PLATFORM}\n", block(sample.mesh, "mesh", PLATFORM))


def test_an_owner_that_github_would_skip_is_an_error(sample: Declarations) -> None:
    domain = sample.mesh.domains["ar"].model_copy(update={"owner": "the AR team"})
    mesh = sample.mesh.model_copy(update={"domains": {"ar": domain}})
    with pytest.raises(CodeownersError, match=r"domains\.ar\.owner"):
        block(mesh, "mesh", PLATFORM)


def test_an_existing_file_is_found_where_github_finds_it(mesh: Path) -> None:
    (mesh.parent / "CODEOWNERS").write_text("/docs/ @acme/writers\n")
    given = ["--mesh", str(mesh), "--platform", PLATFORM]
    assert CliRunner().invoke(app, given).exit_code == 0
    assert END in (mesh.parent / "CODEOWNERS").read_text()
    assert not (mesh.parent / ".github").exists()
    assert "is current" in CliRunner().invoke(app, given[:2]).output


def test_the_platform_team_is_asked_for_once(mesh: Path) -> None:
    result = CliRunner().invoke(app, ["--mesh", str(mesh)])
    assert result.exit_code == 1
    assert "--platform" in result.stderr
