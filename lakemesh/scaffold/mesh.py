"""An empty mesh that validates, with an example of each kind of file: in comments, or beside it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from lakemesh.declarations.errors import Problem
from lakemesh.declarations.loader import load

EXAMPLE: Final = ".example"
"""End of the name of a file that the mesh does not read: without it, the file counts."""
_FILES: Final[Mapping[str, str]] = {
    "mesh.yaml": "mesh.yaml.tmpl",
    "tags.yaml": "tags.yaml.tmpl",
    f"products/sales/orders.odcs.yaml{EXAMPLE}": "orders.odcs.yaml.tmpl",
    f"grants/sales.yaml{EXAMPLE}": "grants.yaml.tmpl",
    f"consumers/reporting.yaml{EXAMPLE}": "consumer.yaml.tmpl",
}
"""Templates by the file that they become."""
_REPLACE: Final = "  # a placeholder: replace it"


class ScaffoldError(Exception):
    """Nothing was made; the text says why."""


@dataclass(frozen=True)
class Settings:
    """What only its owner knows of a mesh. Empty: a placeholder that validates and says that it is one."""

    name: str = ""
    organization: str = ""
    region: str = ""
    account: str = ""

    def missing(self) -> list[str]:
        """What is still to be filled in, as mesh.yaml calls it."""
        named = {
            "organization.id": self.organization,
            "region": self.region,
            "central.account": self.account,
        }
        return [key for key, value in named.items() if not value]


def contents(settings: Settings) -> dict[str, str]:
    """Every file of an empty mesh, by its path in the directory."""
    values = {
        "name": settings.name or "lakemesh",
        "organization": settings.organization or "o-0000000000",
        "organization_note": "" if settings.organization else _REPLACE,
        "region": settings.region or "us-east-1",
        "region_note": "" if settings.region else _REPLACE,
        "account": settings.account or "000000000000",
        "account_note": "" if settings.account else _REPLACE,
    }
    folder = files("lakemesh.scaffold") / "templates"
    return {
        name: Template((folder / template).read_text(encoding="utf-8")).substitute(values)
        for name, template in _FILES.items()
    }


def scaffold(directory: Path, settings: Settings) -> list[str]:
    """Make an empty mesh in a directory that is empty or not there; the files, sorted.

    Raises ScaffoldError where there is something already, or for settings that no mesh can have.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ScaffoldError(
            f"{directory} is not empty, and nothing in it is overwritten. Name another directory, or empty this one."
        )
    made = contents(settings)
    problems = _problems(made)
    if problems:
        said = "\n".join(str(problem) for problem in problems)
        raise ScaffoldError(f"With these settings the mesh would not be valid:\n{said}")
    _write(directory, made)
    return sorted(made)


def _problems(made: Mapping[str, str]) -> tuple[Problem, ...]:
    with tempfile.TemporaryDirectory(prefix="lakemesh-init-") as scratch:
        trial = Path(scratch) / "mesh"
        _write(trial, made)
        return load(trial).problems


def _write(directory: Path, made: Mapping[str, str]) -> None:
    for name, text in made.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
