"""The programs of `bad/`, each with the mesh that it belongs to."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.policies.baseline import PROGRAMS
from tests.policies.cases import CASES
from tests.policies.mesh import compiled, configuration
from tests.policies.record import Finding, Pack, Recorded, record

BAD = sorted(path.stem for path in (Path(__file__).parent / "bad").glob("*.py"))


@dataclass(frozen=True)
class Bad:
    """A program with one mistake, and the rule that refuses it."""

    name: str
    rule: str
    resource: str
    reference: str
    resources: tuple[Recorded, ...]
    config: dict[str, dict[str, Any]]


@cache
def bad(name: str, *, preview: bool = False) -> Bad:
    """One of the corpus, recorded."""
    module = importlib.import_module(f"tests.policies.bad.{name}")
    document = compiled()
    if hasattr(module, "mesh"):
        module.mesh(document)
    more = {"approvals": module.APPROVALS} if hasattr(module, "APPROVALS") else {}
    return Bad(
        name=name,
        rule=module.RULE,
        resource=module.RESOURCE,
        reference=getattr(module, "REFERENCE", ""),
        resources=tuple(record(module.program, preview=preview)),
        config=configuration(document, **more),
    )


@cache
def good(name: str, *, preview: bool = False) -> tuple[Recorded, ...]:
    """One of the compliant programs, recorded."""
    return tuple(record(PROGRAMS[name], preview=preview))


PACK = Pack(configuration())


@dataclass(frozen=True)
class Judged:
    """A case, recorded."""

    resources: tuple[Recorded, ...]
    config: dict[str, dict[str, Any]]

    def judged(self) -> list[Finding]:
        return Pack(self.config).judge(self.resources)


@cache
def case(name: str) -> Judged:
    """One of the changed programs, recorded."""
    of = CASES[name]
    document = compiled()
    if of.mesh is not None:
        of.mesh(document)
    config: dict[str, dict[str, Any]] = configuration(document) if of.manifest else {}
    for rule, options in of.config.items():
        config.setdefault(rule, {}).update(options)
    return Judged(tuple(record(of.program)), config)
