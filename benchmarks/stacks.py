"""Figures of a generated mesh: what validation and each stack's program take, and how many resources each stack has.

    python benchmarks/stacks.py [--mesh DIRECTORY] [--format text|json]

Without `--mesh` the mesh of `benchmarks/generate.py` is made in a temporary directory. The program runs under a
recording monitor that deploys nothing: its own time, not the engine's or AWS's. Each stack runs in a process of its
own, as under Pulumi, so the peak memory is its own too.
"""

from __future__ import annotations

import argparse
import json
import resource
import runpy
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 (the script finds the project by itself)
from benchmarks.generate import generate
from lakemesh.access.check import load_mesh
from lakemesh.deploy.parts import parts
from tests.program.engine import Engine

LIMIT_RESOURCES = 500


@dataclass(frozen=True)
class Figure:
    """One line of the table. `resources` counts what a stack's state would hold, its root included."""

    name: str
    seconds: float
    peak_megabytes: int
    resources: int = 0


def measure_validate(mesh: Path) -> Figure:
    """`lakemesh validate`, as a person runs it: interpreter, imports and all."""
    started = time.perf_counter()
    command = [sys.executable, "-c", "from lakemesh.cli.main import main; main()", "validate", "--mesh", str(mesh)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return Figure("validate", round(time.perf_counter() - started, 2), _children_megabytes())


def measure_stack(mesh: Path, stack: str) -> Figure:
    """One stack's program in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--mesh", str(mesh), "--measure", stack], check=True, capture_output=True, text=True
    )
    return Figure(**json.loads(done.stdout))


def run_stack(mesh: Path, stack: str) -> Figure:
    """Run the program of one stack here and now, and say what it took."""
    engine = Engine()
    started = time.perf_counter()
    engine.run(
        lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"),
        stack=stack,
        preview=True,
        config={"mesh": str(mesh)},
    )
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Figure(stack, round(seconds, 2), peak, len(engine.resources) + 1)


def stacks_of(mesh: Path) -> list[str]:
    """Names of every stack of a mesh, in the order of deployment."""
    return [part.stack for part in parts(load_mesh(mesh))]


def table(figures: list[Figure]) -> str:
    """The figures for people."""
    lines = [f"{'':<28}{'seconds':>9}{'peak MB':>9}{'resources':>11}"]
    lines += [
        f"{each.name:<28}{each.seconds:>9.2f}{each.peak_megabytes:>9}{each.resources or '':>11}" for each in figures
    ]
    stacks = [each for each in figures if each.resources]
    largest, slowest = max(stacks, key=lambda f: f.resources), max(stacks, key=lambda f: f.seconds)
    lines.append(
        f"\n{len(stacks)} stacks. Largest: {largest.name}, {largest.resources} resources (limit {LIMIT_RESOURCES}). "
        f"Slowest: {slowest.name}, {slowest.seconds:.2f} s."
    )
    return "\n".join(lines)


def _children_megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def main() -> None:
    """Entry point. Exit code 1 if a stack exceeds the limit of resources."""
    parser = argparse.ArgumentParser(description="Measure the program on a generated mesh.")
    parser.add_argument("--mesh", type=Path, help="directory of declarations; a generated one if left out")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(asdict(run_stack(args.mesh, args.measure))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        mesh = args.mesh or Path(scratch) / "mesh"
        if not args.mesh:
            generate(mesh)
        figures = [measure_validate(mesh), *(measure_stack(mesh, stack) for stack in stacks_of(mesh))]
    print(json.dumps([asdict(each) for each in figures], indent=2) if args.format == "json" else table(figures))
    sys.exit(any(each.resources > LIMIT_RESOURCES for each in figures))


if __name__ == "__main__":
    main()
