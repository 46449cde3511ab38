"""Figures of access on a generated mesh: expanding grants, comparing two revisions, explaining one column.

    python benchmarks/access.py [--scale 1 10] [--format text|json]

Each scale multiplies the shape of `benchmarks/generate.py` in every direction: domains, tables, products, consumers and
grants. Loading is measured apart, since every command pays it; what follows starts from declarations in memory. Each
scale runs in a process of its own, so that its peak memory is its own too.

`diff` compares with a revision in which a grant of the biggest consumer is wider, a column of every product is
reclassified and a principal is assigned one grant less: everything is asked for every holder on both sides.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 (the script finds the project by itself)
from benchmarks.generate import Shape, generate
from lakemesh.access.check import read_mesh
from lakemesh.access.diff import compare
from lakemesh.access.expand import expand
from lakemesh.access.explain import ColumnAnswer, explain
from lakemesh.access.holders import Access
from lakemesh.access.overview import Key
from lakemesh.access.subject import subject
from lakemesh.declarations.loader import without_collector
from lakemesh.declarations.models import Declarations, Product, Sensitivity, Table
from lakemesh.declarations.places import Places

T = TypeVar("T")
DAY = dt.date(2026, 11, 1)
BOUNDS = {"expand": 1.0, "diff": 2.0, "explain": 0.2}
"""Seconds at scale 1 that the project promises, after loading."""


@dataclass(frozen=True)
class Figures:
    """Seconds, and how big the mesh was."""

    scale: int
    tables: int
    products: int
    consumers: int
    grants: int
    holders: int
    changes: int
    load: float
    expand: float
    diff: float
    explain_first: float
    """With the expansion and the state still to be made."""
    explain: float
    """Each further answer: the slowest of a hundred."""
    peak_megabytes: int


def scaled(scale: int) -> Shape:
    """The promised shape, so many times over."""
    base = Shape()
    names = ("domains", "tables", "products", "consumers", "grants")
    return replace(base, **{name: getattr(base, name) * scale for name in names})


def measure(scale: int) -> Figures:
    """Every figure of one scale, here and now; without the cycle collector, as the commands run."""
    with without_collector():
        return _measure(scale)


def _measure(scale: int) -> Figures:
    with tempfile.TemporaryDirectory() as scratch:
        mesh = Path(scratch) / "mesh"
        generate(mesh, scaled(scale))
        if scale > 1:  # ten times the promised size is beyond what AWS takes without asking
            with (mesh / "mesh.yaml").open("a") as file:
                file.write(f"quotas: {{expressionsPerPrincipal: {50 * scale}, valuesPerTag: {1000 * scale}}}\n")
        (declarations, places), load = _timed(lambda: read_mesh(mesh, DAY))
    _, expanding = _timed(lambda: expand(declarations, DAY))
    other = changed(declarations)
    after = Access(declarations, DAY)
    difference, comparing = _timed(lambda: compare(Access(other, DAY), after))
    fresh = Access(declarations, DAY)
    questions = [
        (holder.name, key, table.columns[-1].name)
        for holder in fresh.principals[:10]
        for key, (_, table) in list(fresh.tables.items())[:: max(1, len(fresh.tables) // 10)]
    ]
    answers = [_timed(partial(_ask, fresh, places, *question))[1] for question in questions[:100]]
    return Figures(
        scale,
        len(fresh.tables),
        len(declarations.products),
        len(declarations.mesh.consumers),
        sum(map(len, declarations.grants.values())),
        len(fresh.holders),
        len(difference.differences),
        load,
        expanding,
        comparing,
        answers[0],
        max(answers[1:]),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


def _ask(access: Access, places: Places, who: str, key: Key, column: str) -> ColumnAnswer:
    return explain(access, places, subject(access, who), key, column)


def changed(declarations: Declarations) -> Declarations:
    """The same mesh with a change of every kind that `diff` looks for."""
    products = {name: _reclassified(product) for name, product in declarations.products.items()}
    domain = next(iter(declarations.grants))
    first, *rest = declarations.grants[domain]
    grants = {**declarations.grants, domain: (first.model_copy(update={"sensitivity": (Sensitivity.PUBLIC,)}), *rest)}
    name, consumer = next(iter(declarations.consumers.items()))
    fewer = consumer.model_copy(update={"assignments": consumer.assignments[1:]})
    consumers = {**declarations.consumers, name: fewer}
    return declarations.model_copy(update={"products": products, "grants": grants, "consumers": consumers})


def _reclassified(product: Product) -> Product:
    """With the first column of every table restricted."""

    def one(table: Table) -> Table:
        first = table.columns[0].model_copy(update={"sensitivity": Sensitivity.RESTRICTED})
        return table.model_copy(update={"columns": (first, *table.columns[1:])})

    return product.model_copy(update={"tables": tuple(map(one, product.tables))})


def _timed(call: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    made = call()
    return made, round(time.perf_counter() - started, 4)


def table(figures: list[Figures]) -> str:
    """The figures for people, with how they grow."""
    lines = [f"{'':<16}" + "".join(f"{f'{each.scale}x':>12}" for each in figures) + f"{'growth':>12}"]
    counts = ("tables", "products", "consumers", "grants", "holders", "changes", "peak_megabytes")
    lines += [f"{name:<16}" + "".join(f"{getattr(each, name):>12}" for each in figures) for name in counts]
    for name in ("load", "expand", "diff", "explain_first", "explain"):
        values = [getattr(each, name) for each in figures]
        growth = f"{values[-1] / max(values[0], 1e-4):>11.1f}x" if len(values) > 1 else ""
        lines.append(f"{name + ' s':<16}" + "".join(f"{value:>12.3f}" for value in values) + growth)
    return "\n".join(lines)


def beyond(figures: list[Figures]) -> list[str]:
    """Promises that do not hold at scale 1."""
    return [
        f"{name}: {getattr(each, name)} s, promised {bound} s"
        for each in figures
        if each.scale == 1
        for name, bound in BOUNDS.items()
        if getattr(each, name) > bound
    ]


def main() -> None:
    """Entry point. Exit code 1 if a promise does not hold."""
    parser = argparse.ArgumentParser(description="Measure access on a generated mesh.")
    parser.add_argument("--scale", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(asdict(measure(args.measure))))
        return
    figures = []
    for scale in args.scale:
        command = [sys.executable, __file__, "--measure", str(scale)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        figures.append(Figures(**json.loads(done.stdout)))
    print(json.dumps([asdict(each) for each in figures], indent=2) if args.format == "json" else table(figures))
    broken = beyond(figures)
    for each in broken:
        print(each, file=sys.stderr)
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
