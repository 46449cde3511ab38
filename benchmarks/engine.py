"""Figures of Pulumi's own engine over the sample: preview of each stack, the whole mesh up, and once more unchanged.

    python benchmarks/engine.py [--mesh DIRECTORY] [--format text|json] [--pack]

Needs a pulumi on PATH or in .tools/bin (`make tools`). Two local AWSes are started: one is deployed to by Pulumi, as
`lakemesh up --local --engine pulumi` does it, the other by the in-process engine, whose times the ratios are to.
`--pack` runs the project's policy pack as well.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 (the script finds the project by itself)
from lakemesh.access.check import load_mesh
from lakemesh.demo import data
from lakemesh.demo.clients import Clients
from lakemesh.demo.process import LocalAwsProcess
from lakemesh.demo.seed import fill, guard
from lakemesh.deploy.choice import Choice
from lakemesh.deploy.choose import engine
from lakemesh.deploy.parts import parts
from lakemesh.deploy.prepare import prepare
from lakemesh.deploy.results import StackResult
from lakemesh.deploy.run import Engine, deploy

PREVIEW_SECONDS = 10.0
"""What a preview of one stack may take."""
MESH_SECONDS = 180.0
"""What deploying the whole mesh may take."""


@dataclass(frozen=True)
class Figure:
    """One line of the table. `ratio`: to the in-process engine's time; `limit`: what it may take, 0 for no limit."""

    name: str
    seconds: float
    in_process: float
    limit: float = 0.0

    @property
    def ratio(self) -> float:
        return round(self.seconds / self.in_process, 1) if self.in_process else 0.0


def timed(work: Callable[[], Sequence[StackResult]]) -> float:
    """Seconds that a deployment takes. Ends the benchmark where it fails: a failure has no figure."""
    started = time.perf_counter()
    results = work()
    seconds = time.perf_counter() - started
    failed = [error for result in results for error in result.errors]
    if failed:
        raise SystemExit("\n".join(failed))
    return seconds


def measure(choice: Choice, mesh: Path, home: Path) -> dict[str, float]:
    """Seconds by what was done, on a local AWS of its own."""
    declarations = load_mesh(mesh)
    with LocalAwsProcess() as aws, ExitStack() as opened:
        prepare(declarations, aws.endpoint)
        clients = Clients(aws.endpoint, declarations.mesh.region)
        guard(declarations, clients)
        fill(declarations, clients, data.tables(declarations))
        by: Engine = engine(choice, declarations, mesh, opened, endpoint=aws.endpoint, home=home)
        every = [part.stack for part in parts(declarations)]
        found = {
            f"preview {stack}": timed(lambda one=stack: deploy(mesh, [one], by, preview=True))  # type: ignore[misc]
            for stack in every
        }
        found["up, every stack"] = timed(lambda: deploy(mesh, [], by))
        found["up again, nothing changed"] = timed(lambda: deploy(mesh, [], by))
    return found


def figures(mesh: Path) -> list[Figure]:
    with tempfile.TemporaryDirectory() as home:
        by_pulumi = measure(Choice.PULUMI, mesh, Path(home))
        in_process = measure(Choice.INPROCESS, mesh, Path(home))
    limits = {name: PREVIEW_SECONDS if name.startswith("preview") else MESH_SECONDS for name in by_pulumi}
    return [
        Figure(name, round(seconds, 1), round(in_process[name], 1), limits[name]) for name, seconds in by_pulumi.items()
    ]


def project(mesh: Path, directory: Path, *, pack: bool) -> Path:
    """A copy of the program with the mesh in it; the engine runs the policy pack that it finds beside the program."""
    for file in (*ROOT.glob("Pulumi*.yaml"), ROOT / "__main__.py"):
        shutil.copy(file, directory)
    if pack and (ROOT / "policies").is_dir():
        shutil.copytree(ROOT / "policies", directory / "policies")
    return Path(shutil.copytree(mesh, directory / "mesh"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mesh", type=Path, default=ROOT / "mesh")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--pack", action="store_true", help="run the policy pack as well")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        found = figures(project(arguments.mesh, Path(directory), pack=arguments.pack))
    if arguments.format == "json":
        print(json.dumps([{**asdict(figure), "ratio": figure.ratio} for figure in found], indent=2))
    else:
        print(f"{'':36}{'pulumi':>9}{'in-process':>12}{'ratio':>7}{'limit':>8}")
        for one in found:
            print(f"{one.name:36}{one.seconds:>7.1f} s{one.in_process:>10.1f} s{one.ratio:>6.1f}x{one.limit:>6.0f} s")
    late = [figure.name for figure in found if figure.seconds > figure.limit]
    if late:
        print(f"Over the limit: {', '.join(late)}", file=sys.stderr)
    return 1 if late else 0


if __name__ == "__main__":
    raise SystemExit(main())
