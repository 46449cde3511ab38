"""Which files a mesh directory holds: every one has its place, and what has none is refused, not ignored.

A misnamed file that is silently skipped is a grant, or a whole product, that people believe is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lakemesh.declarations.errors import Problem, did_you_mean

CONTRACT: Final = ".odcs.yaml"
NOT_DECLARATIONS: Final = frozenset({"expected.yaml"})
"""Files at the top of a mesh directory that declare nothing: the sample's hand-written verdicts."""
_FOLDERS: Final = ("products", "grants", "consumers")
_TOP: Final = ("mesh.yaml", "tags.yaml")
_YAML: Final = (".yaml", ".yml")


@dataclass(frozen=True)
class File:
    kind: str
    name: str
    """The product, domain or consumer it speaks of; empty for mesh.yaml and tags.yaml."""
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
    problems: list[Problem] = field(default_factory=list)
    folders: dict[str, frozenset[str]] = field(default_factory=dict)
    """Domains (folders) in which there is a contract of each product: one, unless two have one name."""

    def all(self) -> Iterator[File]:
        yield from self.top
        yield from self.products
        yield from self.grants
        yield from self.consumers

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
    except OSError as error:
        files.add("unreadable-file", f"The directory cannot be read: {error.strerror}.", root)
    return files


def _visible(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if not path.name.startswith("."))


def _top(directory: Path, files: Files) -> None:
    for path in _visible(directory):
        if path.is_dir():
            if path.name not in _FOLDERS:
                text = f'The folder "{path.name}" is not read.{did_you_mean(path.name, _FOLDERS)}'
                files.add("unknown-file", text, f"{files.root}/{path.name}")
        elif path.name in _TOP and path.is_file():
            files.top.append(File(path.stem, "", path, f"{files.root}/{path.name}"))
        elif path.suffix in _YAML and path.name not in NOT_DECLARATIONS:
            text = f'The file "{path.name}" is not read.{did_you_mean(path.name, _TOP)}'
            files.add("unknown-file", text, f"{files.root}/{path.name}")
    if not any(file.kind == "mesh" for file in files.top):
        files.add(
            "no-mesh", "mesh.yaml is missing: it lists the accounts, domains and consumers.", f"{files.root}/mesh.yaml"
        )


def _contracts(directory: Path, files: Files) -> None:
    first: dict[str, str] = {}
    for folder in _visible(directory):
        shown = f"{files.root}/products/{folder.name}"
        if not folder.is_dir():
            _stray(
                folder,
                shown,
                "Contracts lie in a folder of their domain: products/<domain>/<product>.odcs.yaml.",
                files,
            )
            continue
        for path in _visible(folder):
            name = path.name.removesuffix(CONTRACT)
            file = f"{shown}/{path.name}"
            if name == path.name or not path.is_file():
                _stray(path, file, f"The names of contracts end in {CONTRACT}.", files)
            elif name in first:
                files.folders[name] |= {folder.name}
                text = f'There are two products "{name}"; the other is {first[name]}.\nRename one of them.'
                files.add("duplicate-product", text, file)
            else:
                first[name] = file
                files.folders[name] = frozenset({folder.name})
                files.products.append(File("product", name, path, file, folder.name))


def _named(directory: Path, kind: str, found: list[File], files: Files) -> None:
    for path in _visible(directory):
        shown = f"{files.root}/{directory.name}/{path.name}"
        if path.suffix == ".yaml" and path.is_file():
            found.append(File(kind, path.stem, path, shown))
        else:
            _stray(path, shown, f"The files here are {directory.name}/<{_SPEAKS_OF[kind]}>.yaml.", files)


_SPEAKS_OF: Final = {"grant": "domain", "consumer": "consumer"}


def _stray(path: Path, shown: str, mend: str, files: Files) -> None:
    """A README is nobody's declaration; a YAML file or a folder that is skipped would be missed by somebody."""
    if path.is_dir() or path.suffix in _YAML:
        files.add("unknown-file", f'"{path.name}" is not read.\n{mend}', shown)
