"""Which files a mesh directory holds: every one has its place, and what has none is refused, not ignored.

A misnamed file that is silently skipped is a grant, or a whole product, that people believe is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lakemesh.declarations.errors import Problem, did_you_mean

CONTRACT: Final = ".odcs.yaml"
NOT_DECLARATIONS: Final = frozenset({"expected.yaml"})
"""Files at the top of a mesh directory that declare nothing: the sample's hand-written verdicts."""
_FOLDERS: Final = ("products", "grants", "consumers", "recommendations")
_NOTES: Final = ("onboarding", "approvals")
"""Folders that declare nothing: pages that `lakemesh onboard` writes, and signatures of approvals."""
_TOP: Final = ("mesh.yaml", "tags.yaml", "exceptions.yaml")
_YAML: Final = (".yaml", ".yml")


@dataclass(frozen=True)
class File:
    kind: str
    name: str
    """The product, domain or consumer it speaks of; empty for what lies at the top."""
    path: Path
    shown: str
    """As people see it: from the directory that the mesh directory lies in."""
    folder: str = ""
    """Domain of a contract."""


@dataclass
class Files:
    root: str
    top: list[File] = field(default_factory=list)
    products: list[File] = field(default_factory=list)
    grants: list[File] = field(default_factory=list)
    consumers: list[File] = field(default_factory=list)
    recommendations: list[File] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    folders: dict[str, frozenset[str]] = field(default_factory=dict)
    """Domains (folders) in which there is a contract of each product: one, unless two have one name."""

    def all(self) -> Iterator[File]:
        yield from self.top
        yield from self.products
        yield from self.grants
        yield from self.consumers
        yield from self.recommendations

    def add(self, rule: str, message: str, shown: str) -> None:
        self.problems.append(Problem(shown, 1, 1, "", message, rule))


def find(directory: Path) -> Files:
    """Every declaration in a directory, sorted by name, with a problem for each file that has no place in it."""
    root = directory.name or directory.resolve().name or "mesh"
    if root == "..":
        root = directory.resolve().name
    files = Files(root)
    if not directory.is_dir():
        said = "is not a directory" if directory.exists() else "does not exist"
        files.add("no-mesh", f'"{directory}" {said}.\nName the directory that holds mesh.yaml with --mesh.', root)
        return files
    try:
        _top(directory, files)
        _contracts(directory / "products", files)
        _named(directory / "grants", "grant", files.grants, files)
        _named(directory / "consumers", "consumer", files.consumers, files)
        _named(directory / "recommendations", "recommendation", files.recommendations, files)
    except OSError as error:
        files.add("unreadable-file", f"The directory cannot be read: {error.strerror}.", root)
    return files


def _name(path: Path) -> str:
    """Name of a file for people; names need not be UTF-8."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def _visible(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if not path.name.startswith("."))


def _top(directory: Path, files: Files) -> None:
    for path in _visible(directory):
        if path.is_dir():
            if path.name not in (*_FOLDERS, *_NOTES):
                text = f'The folder "{_name(path)}" is not read.{did_you_mean(path.name, _FOLDERS)}'
                files.add("unknown-file", text, f"{files.root}/{_name(path)}")
        elif path.name in _TOP and path.is_file():
            files.top.append(File(path.stem, "", path, f"{files.root}/{_name(path)}"))
        elif path.suffix in _YAML and path.name not in NOT_DECLARATIONS:
            text = f'The file "{_name(path)}" is not read.{did_you_mean(path.name, _TOP)}'
            files.add("unknown-file", text, f"{files.root}/{_name(path)}")
    if not any(file.kind == "mesh" for file in files.top):
        files.add(
            "no-mesh", "mesh.yaml is missing: it lists the accounts, domains and consumers.", f"{files.root}/mesh.yaml"
        )


def _contracts(directory: Path, files: Files) -> None:
    first: dict[str, str] = {}
    for folder in _visible(directory):
        shown = f"{files.root}/products/{_name(folder)}"
        if not folder.is_dir():
            _stray(
                folder,
                shown,
                "Contracts lie in a folder of their domain: products/<domain>/<product>.odcs.yaml.",
                files,
            )
            continue
        for path in _visible(folder):
            name = _name(path).removesuffix(CONTRACT)
            file = f"{shown}/{_name(path)}"
            if name == _name(path) or not path.is_file():
                _stray(path, file, f"The names of contracts end in {CONTRACT}.", files)
            elif name in first:
                files.folders[name] |= {_name(folder)}
                text = f'There are two products "{name}"; the other is {first[name]}.\nRename one of them.'
                files.add("duplicate-product", text, file)
            else:
                first[name] = file
                files.folders[name] = frozenset({_name(folder)})
                files.products.append(File("product", name, path, file, _name(folder)))


def _named(directory: Path, kind: str, found: list[File], files: Files) -> None:
    for path in _visible(directory):
        shown = f"{files.root}/{directory.name}/{_name(path)}"
        if path.suffix == ".yaml" and path.is_file():
            found.append(File(kind, _name(path).removesuffix(".yaml"), path, shown))
        else:
            _stray(path, shown, f"The files here are {directory.name}/<{_SPEAKS_OF[kind]}>.yaml.", files)


_SPEAKS_OF: Final = {"grant": "domain", "consumer": "consumer", "recommendation": "domain"}


def _stray(path: Path, shown: str, mend: str, files: Files) -> None:
    """A README is nobody's declaration; a YAML file or a folder that is skipped would be missed by somebody."""
    if path.is_dir() or path.suffix in _YAML:
        files.add("unknown-file", f'"{_name(path)}" is not read.\n{mend}', shown)
