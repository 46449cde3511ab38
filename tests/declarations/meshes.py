"""The small good mesh of this folder, copied, broken and edited."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

from lakemesh.declarations.loader import Loaded, load

HERE = Path(__file__).parent
GOOD = HERE / "good"
BAD = HERE / "bad"
SAMPLE = HERE.parents[1] / "mesh"
TODAY = dt.date(2026, 11, 30)

ORDERS = "products/sales/orders.odcs.yaml"


def copy(directory: Path) -> Path:
    """A copy of the good mesh that a test may break."""
    mesh = directory / "mesh"
    shutil.copytree(GOOD, mesh)
    return mesh


def edit(mesh: Path, file: str, old: str, new: str) -> None:
    """Replace one piece of text, which must be there."""
    path = mesh / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{file} has no {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def check(mesh: Path) -> Loaded:
    return load(mesh, TODAY)


def rules(loaded: Loaded) -> list[str]:
    return [problem.rule for problem in loaded.problems]
