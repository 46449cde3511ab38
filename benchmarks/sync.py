"""Figures of the metadata sync beside what people write instead, in one run against local AWSes.

    python benchmarks/sync.py [--small] [--wrangler PYTHON] [--format text|json]

`--wrangler` names an interpreter that has awswrangler (`benchmarks/sync_wrangler.py` says how to make one). The exit
status is 1 where a figure misses what it must reach. Seconds are this machine's and this local AWS's, which answers
in milliseconds where Glue takes a hundred: counts of calls carry over to AWS, times only as ratios.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 (the script finds the project by itself)
from benchmarks.sync_catalog import CENTRAL, DATABASE, PRODUCER, REGION, add, churn, client, day, fill, name, table
from benchmarks.sync_counting import Ledger
from benchmarks.sync_events import seconds_to_the_twin
from benchmarks.sync_ways import Handler, differences, one_by_one, replace_all
from lakemesh.demo.process import LocalAwsProcess

CHURN = 0.01
MOST_OVER_MINIMUM = 1.05
MOST_MEGABYTES, MOST_BUNDLE, MOST_IMPORT, MOST_EVENT = 256, 10_000_000, 0.4, 2.0
MOST_STRETCH = 1.5
"""How much longer a partition may take in the largest table than in the middle one: linear, but for noise."""
PROVIDED = frozenset({"boto3", "botocore", "aws_lambda_powertools"})


@dataclass
class Figures:
    """What was measured, and what missed its mark."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def add(self, what: str, *, holds: bool = True, **values: Any) -> None:
        self.lines.append({"what": what, **values})
        if not holds:
            self.missed.append(what)


@contextlib.contextmanager
def quiet() -> Any:
    """The handler's own log and metrics go nowhere, as they go to CloudWatch there."""
    logging.disable(logging.CRITICAL)
    with contextlib.redirect_stdout(io.StringIO()):
        yield
    logging.disable(logging.NOTSET)


def timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    with quiet():
        work()
    return time.perf_counter() - started


# --------------------------------------------------------------------------------------------- a catalog of tables
def whole_catalog(found: Figures, tables: int, partitions: int) -> None:
    """The handler alone: a catalog of tables, refreshed with nothing changed and with 1 % changed."""
    titles = [name(number) for number in range(tables)]
    with LocalAwsProcess() as aws:
        source, twin = client(aws.endpoint, PRODUCER), client(aws.endpoint, CENTRAL)
        fill(source, DATABASE, titles, partitions)
        twin.create_database(DatabaseInput={"Name": "twin", "CreateTableDefaultPermissions": []})
        first = Handler(aws.endpoint, "twin")
        found.add("first copy", seconds=timed(first.refresh), **first.ledger.figures())
        idle = Handler(aws.endpoint, "twin")
        seconds = timed(idle.refresh)
        found.add(
            f"refresh of {tables} tables x {partitions} partitions, nothing changed: writes (0)",
            holds=idle.ledger.writes == 0,
            seconds=seconds,
            **idle.ledger.figures(),
        )
        changed = churn(source, titles, partitions, CHURN)
        busy = Handler(aws.endpoint, "twin")
        seconds = timed(busy.refresh)
        over = busy.ledger.writes / changed["minimum"]
        wrong = differences(source, twin, "twin", titles[:: max(1, tables // 20)])
        found.add(
            f"refresh with {changed['partitions']} changed: writes over the least possible (1.05)",
            holds=over <= MOST_OVER_MINIMUM and not wrong,
            seconds=seconds,
            least=changed["minimum"],
            ratio=round(over, 3),
            wrong=wrong,
            **busy.ledger.figures(),
        )


@dataclass
class Contest:
    """The same source and the same churn for every way, each with a twin of its own that was equal before."""

    endpoint: str
    titles: list[str]
    partitions: int
    wrangler: str | None

    def __post_init__(self) -> None:
        self.source, self.twin = client(self.endpoint, PRODUCER), client(self.endpoint, CENTRAL)

    def ways(self) -> dict[str, Callable[[], dict[str, Any]]]:
        found: dict[str, Callable[[], dict[str, Any]]] = {
            "lakemesh": self._handler,
            "one call a partition": lambda: self._plain(one_by_one, "one_by_one"),
            "delete all, create all": lambda: self._plain(replace_all, "replace_all"),
        }
        if self.wrangler:
            found["awswrangler, overwrite"] = lambda: self._wrangler("overwrite")
            found["awswrangler, missing and gone"] = lambda: self._wrangler("missing")
        return found

    def databases(self) -> list[str]:
        return ["lakemesh", "one_by_one", "replace_all", *(["overwrite", "missing"] if self.wrangler else [])]

    def _handler(self) -> dict[str, Any]:
        handler = Handler(self.endpoint, "lakemesh")
        seconds = timed(handler.refresh)
        return self._result("lakemesh", seconds=seconds, **handler.ledger.figures())

    def _plain(self, way: Callable[[Any, Any, str, Sequence[str]], None], database: str) -> dict[str, Any]:
        ledger, clients = Ledger(), (client(self.endpoint, PRODUCER), client(self.endpoint, CENTRAL))
        for one in clients:
            ledger.listen(one.meta.events)
        seconds = timed(lambda: way(*clients, database, self.titles))
        return self._result(database, seconds=seconds, **ledger.figures())

    def _wrangler(self, way: str) -> dict[str, Any]:
        options = {
            "endpoint": self.endpoint, "way": way, "source": DATABASE, "database": way, "region": REGION,
            "producer": PRODUCER, "central": CENTRAL, "tables": ",".join(self.titles),
        }  # fmt: skip
        script = str(ROOT / "benchmarks" / "sync_wrangler.py")
        command = [str(self.wrangler), script, *(f"--{key}={value}" for key, value in options.items())]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return self._result(way, **answer)

    def _result(self, database: str, **values: Any) -> dict[str, Any]:
        return {**values, "wrong": differences(self.source, self.twin, database, self.titles)}


def beside_others(found: Figures, tables: int, partitions: int, wrangler: str | None) -> None:
    titles = [name(number) for number in range(tables)]
    with LocalAwsProcess() as aws:
        contest = Contest(aws.endpoint, titles, partitions, wrangler)
        fill(contest.source, DATABASE, titles, partitions)
        for database in contest.databases():
            fill(contest.twin, database, titles, partitions)
        timed(Handler(aws.endpoint, "lakemesh").refresh)  # marks the copies as its own
        for changed in (False, True):
            least = churn(contest.source, titles, partitions, CHURN)["minimum"] if changed else 0
            what = f"1 % changed (least: {least} writes)" if changed else "nothing changed"
            ours: dict[str, Any] = {}
            for way, run in contest.ways().items():
                result = run()
                ours = ours or result
                found.add(
                    f"{tables} tables x {partitions}, {what}: {way}",
                    holds=way != "lakemesh" or (result["gap"] == 0 and result["wrong"] == 0),
                    **result,
                    times_calls=round(result["calls"] / ours["calls"], 1),
                    times_seconds=round(result["seconds"] / ours["seconds"], 1),
                )


# --------------------------------------------------------------------------------------------------- a large table
def large_table(found: Figures, sizes: Sequence[int]) -> None:
    each: dict[int, float] = {}
    for size in sizes:
        with LocalAwsProcess() as aws:
            source, twin = client(aws.endpoint, PRODUCER), client(aws.endpoint, CENTRAL)
            title = f"large_{size}"
            fill(source, DATABASE, [title], 0)
            add(source, DATABASE, title, (f"{day(number // 100)}-{number % 100:02d}" for number in range(size)))
            twin.create_database(DatabaseInput={"Name": "twin", "CreateTableDefaultPermissions": []})
            twin.create_table(DatabaseName="twin", TableInput=table(title))
            script = str(ROOT / "benchmarks" / "sync_large.py")
            command = [sys.executable, script, f"--endpoint={aws.endpoint}", f"--table={title}", "--twin=twin"]
            answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        each[size] = answer["compare_cpu"] / size
        found.add(
            f"{size} partitions: megabytes of the handler's process (256)",
            holds=answer["megabytes"] < MOST_MEGABYTES and answer["unchanged"] == size,
            **{key: round(value, 1) for key, value in answer.items()},
        )
    *_, middle, largest = [each[size] for size in sizes]
    found.add(
        "processor time a partition, largest to middle table (linear: 1)",
        holds=largest / middle < MOST_STRETCH,
        ratio=round(largest / middle, 2),
    )


# ------------------------------------------------------------------------------------------------------ the bundle
def bundle(found: Figures) -> None:
    """The code that Lambda unpacks and imports; libraries are the runtime's and a layer's."""
    files = sorted((ROOT / "sync_handlers").glob("*.py"))
    packed, needs = io.BytesIO(), set[str]()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, f"sync_handlers/{file.name}")
            needs |= imports(ast.parse(file.read_text(encoding="utf-8")))
    others = needs - set(sys.stdlib_module_names) - PROVIDED - {"sync_handlers"}
    size = len(packed.getvalue())
    found.add("bundle, bytes zipped (10 MB)", holds=size < MOST_BUNDLE, bytes=size, files=len(files))
    found.add("libraries beyond boto3 and Powertools (none)", holds=not others, others=sorted(others))
    took = [_import_seconds() for _ in range(7)]
    worked, waited = [one for one, _ in took], [other for _, other in took]
    found.add(
        "cold import of the sync handler, seconds of processor time (0.4)",
        holds=statistics.median(worked) < MOST_IMPORT,
        median=round(statistics.median(worked), 3),
        least_by_the_clock=round(min(waited), 3),
    )


def _import_seconds() -> tuple[float, float]:
    """Seconds that the processor worked, and that passed: others of this machine take part in those alone."""
    program = (
        "import time; w, t = time.process_time(), time.perf_counter(); import sync_handlers.sync; "
        "print(time.process_time() - w, time.perf_counter() - t)"
    )
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT)
    worked, waited = map(float, run.stdout.split())
    return worked, waited


def imports(tree: ast.Module) -> set[str]:
    """Packages that a module imports when it runs; those under TYPE_CHECKING it does not."""
    checked = [one for one in ast.walk(tree) if isinstance(one, ast.If) and "TYPE_CHECKING" in ast.dump(one.test)]
    skipped = {id(inner) for one in checked for inner in ast.walk(one)}
    found = set()
    for one in ast.walk(tree):
        if id(one) in skipped:
            continue
        if isinstance(one, ast.Import):
            found |= {alias.name.split(".")[0] for alias in one.names}
        elif isinstance(one, ast.ImportFrom) and one.module:
            found.add(one.module.split(".")[0])
    return found


# --------------------------------------------------------------------------------------------------------- the end
def events(found: Figures, times: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        took = seconds_to_the_twin(ROOT / "mesh", Path(directory), times)
    found.add(
        "from a producer's change to the twin, seconds (2)",
        holds=statistics.median(took) < MOST_EVENT,
        median=round(statistics.median(took), 2),
        most=round(max(took), 2),
        of=len(took),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a tenth of everything")
    parser.add_argument("--wrangler", metavar="PYTHON", help="an interpreter that has awswrangler")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--only", action="append", choices=["catalog", "others", "large", "bundle", "events"])
    given = parser.parse_args()
    small, found = given.small, Figures()
    parts: dict[str, Callable[[], None]] = {
        "bundle": lambda: bundle(found),
        "events": lambda: events(found, 5),
        "others": lambda: beside_others(found, 15 if small else 85, 100, given.wrangler),
        "catalog": lambda: whole_catalog(found, 85 if small else 850, 100),
        "large": lambda: large_table(found, [1_000, 5_000, 10_000] if small else [10_000, 50_000, 100_000]),
    }
    for part, run in parts.items():
        if given.only and part not in given.only:
            continue
        done = len(found.lines)
        run()
        if given.format == "text":
            for line in found.lines[done:]:
                rest = ", ".join(f"{key} {_shown(value)}" for key, value in line.items() if key != "what")
                print(f"{line['what']}\n    {rest}", flush=True)
    if given.format == "json":
        print(json.dumps(found.lines, indent=2))
    if not given.wrangler:
        print("awswrangler was not measured: --wrangler names no interpreter that has it.", file=sys.stderr)
    if found.missed:
        print(f"Missed: {'; '.join(found.missed)}", file=sys.stderr)
    return 1 if found.missed else 0


def _shown(value: Any) -> str:
    return (
        f"{value:.3g}"
        if isinstance(value, float) and value < 100
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )


if __name__ == "__main__":
    raise SystemExit(main())
