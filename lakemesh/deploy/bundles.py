"""The files of a Lambda function that needs lakemesh: its modules, what they import of this project, pure libraries.

Nothing compiled travels in a bundle: it is made on whatever machine deploys, and runs on arm64. So a handler of
`lakemesh/handlers/` may import of others only what is listed here; pydantic is not, and a module that needs it at run
time cannot be part of one (docs/adr/0014). Imports are read from the source, nothing is imported.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

OWN: Final = ("lakemesh", "sync_handlers")
"""Packages of this project that travel module by module, as far as they are imported."""
PURE: Final = {"email_validator": ("idna",), "idna": (), "stdnum": ()}
"""Libraries that travel whole, and what each needs of the others; of email-validator without its look-ups, which alone
need DNS."""
PROVIDED: Final = frozenset({"aws_lambda_powertools", "boto3", "botocore"})
"""What the runtime and the Powertools layer bring."""
_COMPILED: Final = frozenset({".so", ".pyd", ".dylib", ".dll"})


class BundleError(Exception):
    """A handler imports what cannot travel; the text says which module imports what."""


@cache
def files_of(handler: str, provided: tuple[str, ...] = ()) -> dict[str, str]:
    """Name in the archive and file on this machine, of everything that a handler needs.

    `handler`: a module, as `lakemesh.handlers.review`. `provided`: packages that a layer of this function brings, as
    `pyarrow`. Raises BundleError.
    """
    found: dict[str, str] = {}
    libraries: set[str] = set()
    waiting = [handler]
    while waiting:
        module = waiting.pop()
        path = _source(module)
        if path is None or _archived(path) in found:
            continue
        found[_archived(path)] = str(path)
        for imported in sorted(_imports(module, path)):
            top = imported.partition(".")[0]
            if top in OWN:
                waiting += _with_parents(imported)
            elif top in PURE:
                libraries |= {top, *PURE[top]}
            elif top not in sys.stdlib_module_names and top not in PROVIDED and top not in provided:
                raise BundleError(
                    f"{handler}: {module} imports {imported}, which no bundle carries. Import it where a handler never "
                    f"comes by, or only for type checking; bundles carry {', '.join(sorted(PURE))}."
                )
    for library in sorted(libraries):
        found |= _library(library)
    return dict(sorted(found.items()))


def _with_parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:size]) for size in range(1, len(parts) + 1)]


@cache
def _root(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise BundleError(f"package {package} is not installed here, and bundles carry it")
    return Path(next(iter(spec.submodule_search_locations)))


def _source(module: str) -> Path | None:
    """The file of a module; None where the name is something in a module."""
    top, *rest = module.split(".")
    place = _root(top).joinpath(*rest)
    if place.is_dir():
        return place / "__init__.py"
    file = place.with_suffix(".py")
    return file if file.is_file() else None


def _archived(path: Path) -> str:
    root = next(parent for parent in path.parents if parent.name in OWN)
    return path.relative_to(root.parent).as_posix()


def _imports(module: str, path: Path) -> set[str]:
    """Names that a module imports at run time, wherever in it; of `from a import b` both `a` and `a.b`."""
    found: set[str] = set()
    for node in _running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise BundleError(f"{module} has a relative import; name the whole module")
            if node.module != "__future__":
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that are there for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield other
                yield from _running(other)
            continue
        yield child
        yield from _running(child)


def _library(name: str) -> dict[str, str]:
    root = _root(name)
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        if not path.is_file() or "__pycache__" in path.parts:
            continue
        if path.suffix in _COMPILED:
            raise BundleError(f"{path.name} of {name} is compiled for this machine; install its pure form")
        found[path.relative_to(root.parent).as_posix()] = str(path)
    return found
