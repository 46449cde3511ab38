"""A copy of the sample mesh with columns that nobody reviewed, and the command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from ruamel.yaml import YAML
from typer.testing import CliRunner

from lakemesh.cli.classify import app

INVOICE = "products/ar/ar_invoice.odcs.yaml"
TABLE = "ar_curated.invoice"
Classify = Callable[..., Result]


@pytest.fixture
def classify(mesh: Path) -> Classify:
    """`classify("recommend", …)` on the mesh of the test."""
    return lambda command, *given, **kw: CliRunner().invoke(app, [command, "--mesh", str(mesh), *given], **kw)


@pytest.fixture
def unreviewed(mesh: Path) -> Path:
    """The sample, where nobody has looked at the invoice's confidential columns yet."""
    replace(mesh, INVOICE, "classification: confidential", "classification: unreviewed", count=-1)
    return mesh


def replace(mesh: Path, file: str, old: str, new: str, count: int = 1) -> None:
    text = (mesh / file).read_text()
    assert old in text, f"{file} does not hold {old!r}"
    (mesh / file).write_text(text.replace(old, new, count))


def entries(mesh: Path, domain: str = "ar") -> dict:
    """Entries by column, of the columns of the invoice."""
    return YAML(typ="safe").load(mesh / "recommendations" / f"{domain}.yaml")["products"]["ar_invoice"][TABLE]


def decide(mesh: Path, column: str, decision: str, reason: str = "") -> None:
    """Write a decision as people do: into the line that waits for it."""
    path = mesh / "recommendations" / "ar.yaml"
    head, found, rest = path.read_text().partition(f"      {column}:\n")
    assert found
    said = f"        decision: {decision}\n" + (f"        reason: {reason}\n" if reason else "")
    path.write_text(head + found + rest.replace("        decision:\n", said, 1))
