"""A mesh directory as declarations, with every mistake in it at once.

The only module here that reads files. What has a mistake is left out and the rest is still checked against everything
else that is named, so that people mend a mesh in one round.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Final

from lakemesh.declarations import checks
from lakemesh.declarations.draft import Draft, Known
from lakemesh.declarations.errors import Problem
from lakemesh.declarations.files import File, Files, find
from lakemesh.declarations.models import Consumer, Declarations, Exceptions, Grants, Mesh, TagKey, Tags
from lakemesh.declarations.odcs import read_contract
from lakemesh.declarations.odcs_pieces import Contract
from lakemesh.declarations.places import Place, Places
from lakemesh.declarations.recommendations import Recommendations, in_file
from lakemesh.declarations.validation import Read, validate
from lakemesh.declarations.yamlfile import Document, Path, Value, read

__all__ = ["Loaded", "Memory", "Place", "Places", "load", "without_collector"]

Content = tuple[str, bytes]
"""A file, as people see it, and what is in it."""
_NOWHERE: Final = "000000000000"
# Read in place of top-level keys of mesh.yaml that have a mistake, so that the others are still checked.
_STAND_INS: Final[dict[str, Value]] = {
    "name": "lakemesh",
    "organization": {"id": "o-0000000000"},
    "region": "us-east-1",
    "central": {"account": _NOWHERE},
    "sync": {},
    "alerting": {},
    "approvals": {},
    "people": {},
    "portal": {},
    "policies": {},
    "quotas": {},
}


@dataclass(frozen=True)
class Loaded:
    """What a directory holds. `declarations` is None where a problem prevented building them; some problems do not."""

    declarations: Declarations | None
    problems: tuple[Problem, ...]
    places: Places
    recommendations: Mapping[str, Recommendations] = field(default_factory=dict)
    """By domain; they declare nothing until they are applied to the contracts."""


@dataclass
class Memory:
    """What was read of a mesh, for who reads it again and again: files that are as they were are not parsed anew."""

    documents: dict[Content, Document] = field(default_factory=dict)
    contracts: dict[Content, tuple[Read[Mesh], Contract]] = field(default_factory=dict)
    mesh: tuple[Document, Read[Mesh]] | None = None


def load(directory: FilePath, today: dt.date | None = None, memory: Memory | None = None) -> Loaded:
    """Read and check a mesh directory. Never raises for what the directory holds.

    `today`: also refuse approvals dated in the future, and take expired grants for gone.
    `memory`: of an earlier reading of the same mesh; changed to hold this one.
    """
    with without_collector():
        return _load(directory, today, memory or Memory())


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """Run without the cycle collector.

    A large mesh is a million objects that live until the end and hold no cycles; looking through them again and again
    takes three times as long as reading them.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _load(directory: FilePath, today: dt.date | None, memory: Memory) -> Loaded:
    files = find(directory)
    problems: list[Problem] = list(files.problems)
    earlier, memory.documents = memory.documents, {}
    contents = {file.shown: _content(file, problems) for file in files.all()}
    documents = {file.shown: _read(file, contents[file.shown], problems, earlier, memory) for file in files.all()}
    places = Places(root=files.root, documents=documents)
    draft, found = _draft(files, places, contents, memory)
    problems += found
    blocking = bool(problems)
    references = list(checks.references(draft))
    blocking = blocking or bool(references)
    problems += references
    problems += checks.rules(draft, today)
    declarations = None if blocking else draft.declarations()
    advice = {domain: read.value for domain, read in draft.recommendations.items() if read.value is not None}
    return Loaded(declarations, tuple(sorted(set(problems))), draft.places, advice)


def _content(file: File, problems: list[Problem]) -> bytes | None:
    try:
        return file.path.read_bytes()
    except OSError as error:
        text = f"The file cannot be read: {error.strerror}."
        problems.append(Problem(file.shown, 1, 1, "", text, "unreadable-file"))
        return None


def _read(
    file: File, content: bytes | None, problems: list[Problem], earlier: Mapping[Content, Document], memory: Memory
) -> Document:
    if content is None:
        return Document(unread=True)
    key = (file.shown, content)
    document = memory.documents[key] = earlier.get(key) or read(content, own=file.kind != "product")
    problems += [Problem(file.shown, f.line, f.column, f.path, f.message, f.rule) for f in document.findings]
    return document


def _draft(
    files: Files, places: Places, contents: Mapping[str, bytes | None], memory: Memory
) -> tuple[Draft, list[Problem]]:
    problems: list[Problem] = []
    read_mesh = _mesh(places, memory)
    problems += read_mesh.problems
    mesh = read_mesh.value
    tags = _tags(places, problems)
    contracts = _contracts(files, places, read_mesh, contents, memory)
    problems += [problem for contract in contracts.values() for problem in contract.problems]
    products = {file.name: file.shown for file in files.products}
    parts = {key: path for contract in contracts.values() for key, path in contract.parts.items()}
    grants = {file.name: _grants(file.shown, places, problems) for file in files.grants}
    exceptions = _exceptions(places, problems)
    consumers = {file.name: _consumer(file.shown, places, problems) for file in files.consumers}
    where = {
        (domain, grant.id): ("grants", read.index(("grants",), position))
        for domain, read in grants.items()
        for position, grant in reversed(list(enumerate(read.value.grants if read.value else ())))
    }
    full = Places(places.root, places.documents, products, parts, where)
    draft = Draft(
        mesh=mesh,
        tags=tags,
        products={name: contract.product for name, contract in contracts.items() if contract.product is not None},
        grants=grants,
        consumers=consumers,
        places=full,
        known=Known.of(full, files),
        replaced=read_mesh.replaced,
        exceptions=exceptions,
        recommendations={file.name: _recommendations(file.shown, places, problems) for file in files.recommendations},
        tagged=tuple(
            (products[name], path, tags) for name, contract in contracts.items() for path, tags in contract.tagged
        ),
    )
    return draft, problems


def _mesh(places: Places, memory: Memory) -> Read[Mesh]:
    document = places.documents.get(places.mesh_file)
    if document is None or document.failed:
        return Read(None)
    if memory.mesh is None or memory.mesh[0] is not document:
        found = validate(Mesh, document, places.mesh_file, places, salvage=_in_mesh, stand_ins=_STAND_INS)
        memory.mesh = (document, found)
    return memory.mesh[1]


def _in_mesh(path: Path) -> Path | None:
    """A producer, domain or consumer with a mistake is left out as a whole."""
    if path and path[0] in {"producers", "domains", "consumers"}:
        return path[:2]
    return None


def _tags(places: Places, problems: list[Problem]) -> dict[str, TagKey]:
    document = places.documents.get(places.tags_file)
    if document is None or document.root is None or document.failed:
        return {}
    found = validate(Tags, document, places.tags_file, places, salvage=lambda path: path[:2] or None)
    problems += found.problems
    return found.value.tags if found.value else {}


def _exceptions(places: Places, problems: list[Problem]) -> Read[Exceptions]:
    document = places.documents.get(places.exceptions_file)
    if document is None or document.root is None or document.failed:
        return Read(Exceptions())
    found = validate(Exceptions, document, places.exceptions_file, places, salvage=lambda path: path[:2] or None)
    problems += found.problems
    return found


def _grants(file: str, places: Places, problems: list[Problem]) -> Read[Grants]:
    document = places.documents[file]
    if document.root is None or document.failed:
        return Read(Grants())
    found = validate(Grants, document, file, places, salvage=lambda path: path[:2] or None)
    problems += found.problems
    return found


def _recommendations(file: str, places: Places, problems: list[Problem]) -> Read[Recommendations]:
    document = places.documents[file]
    if document.root is None or document.failed:
        return Read(Recommendations())
    found = validate(Recommendations, document, file, places, salvage=in_file)
    problems += found.problems
    return found


def _consumer(file: str, places: Places, problems: list[Problem]) -> Read[Consumer]:
    document = places.documents[file]
    if document.failed:
        return Read(None)
    found = validate(Consumer, document, file, places, salvage=_in_consumer)
    problems += found.problems
    return found


def _in_consumer(path: Path) -> Path | None:
    if path and path[0] in {"principals", "assignments", "administrators"}:
        return path[:2]
    return None


def _contracts(
    files: Files, places: Places, mesh: Read[Mesh], contents: Mapping[str, bytes | None], memory: Memory
) -> dict[str, Contract]:
    earlier, memory.contracts = memory.contracts, {}
    contracts: dict[str, Contract] = {}
    for file in files.products:
        document, content = places.documents[file.shown], contents[file.shown]
        if document.failed or content is None:
            continue
        key = (file.shown, content)
        found = earlier.get(key)
        if found is None or found[0] is not mesh:  # what it refers to may be another now
            whole = not mesh.problems
            contract = read_contract(document, file.shown, places, file.folder, file.name, mesh.value, whole=whole)
            found = (mesh, contract)
        memory.contracts[key] = found
        contracts[file.name] = found[1]
    return contracts
