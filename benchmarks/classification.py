"""Figures of the recogniser: F1 on tables and kinds it was not fitted on, calibration, throughput; and the fit itself.

    python benchmarks/classification.py [--tables FILE] [--columns FILE] [--erp FILE …] [--fit] [--format text|json]

`--tables`: JSON lines `table, column, samples, kind, sensitive` (GitTables, as in trl-lab/sensitive-data-detection);
`--columns`: CSV `column_name, records, kind` of the same repository. Neither is part of this one: without them their
figures are left out. `--erp` defaults to the hand-labelled columns under tests. `--fit` prints new weights for
lakemesh/classification/weights.py instead of measuring. Everything random is seeded; one core, no network.
"""

from __future__ import annotations

import argparse
import ast
import csv
import itertools
import json
import math
import random
import resource
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 (the script finds the project by itself)
from lakemesh.classification import Column, Kind, classify_table
from lakemesh.classification.decision import features, probability
from lakemesh.classification.recogniser import look_at

SEED = 8
FOLDS = 5
RIDGE = 1.0
ROUNDS = 25
ERP = ("erp_columns.csv", "erp_columns_unseen.csv", "erp_columns_final.csv")
CORE_COLUMNS, CORE_SAMPLES = 10_000, 20

COARSE: Mapping[str, str] = {
    Kind.PERSON_NAME: "PERSON_NAME",
    Kind.POSTAL_ADDRESS: "STREET_ADDRESS",
    Kind.POSTAL_CODE: "ZIPCODE",
    Kind.EMAIL: "EMAIL_ADDRESS",
    Kind.PHONE: "PHONE_NUMBER",
    Kind.DATE_OF_BIRTH: "DATE_OF_BIRTH",
    Kind.GEOLOCATION: "GEO_COORDINATES",
    Kind.ETHNICITY: "ETHNIC_GROUP",
    Kind.GENDER: "GENDER",
    Kind.AGE: "AGE",
    Kind.URL: "URL",
    Kind.ORGANIZATION_NAME: "ORGANIZATION_NAME",
    Kind.MARITAL_STATUS: "MARITAL_STATUS",
    Kind.OCCUPATION: "OCCUPATION",
    Kind.LANGUAGE: "SPOKEN_LANGUAGE",
    Kind.DEVICE_ID: "IMEI_HARDWARE_ID",
    **dict.fromkeys(
        (
            Kind.GENERIC_ID,
            Kind.CUSTOMER_ID,
            Kind.EMPLOYEE_ID,
            Kind.PERSON_ID,
            Kind.ACCOUNT_ID,
            Kind.GOVERNMENT_ID,
            Kind.TAX_ID,
        ),
        "GENERIC_ID",
    ),
}
"""Our kinds as the development data calls them; every other kind is its None."""


@dataclass(frozen=True)
class Row:
    """One labelled column after it was looked at in its table."""

    group: str
    """What it is left out together with: its table, or its system."""
    inputs: Mapping[str, float]
    empty: bool
    sensitive: bool


@dataclass(frozen=True)
class Scores:
    """Binary figures; `low` and `high` are the 5th and 95th percentile over resampled groups."""

    precision: float
    recall: float
    f1: float
    low: float
    high: float


def table_rows(path: Path) -> list[Row]:
    """The whole tables, a group a table."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    rows: list[Row] = []
    for table, group in itertools.groupby(lines, key=lambda line: line["table"]):
        members = list(group)
        columns = [Column(str(line["column"]), samples=line["samples"]) for line in members]
        rows.extend(_rows(table, table, columns, [bool(line["sensitive"]) for line in members]))
    return rows


def erp_rows(path: Path) -> list[Row]:
    """The hand-labelled ERP columns, a group a system; names, types and comments only."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    rows: list[Row] = []
    for (system, table), group in itertools.groupby(lines, key=lambda line: (line["system"], line["table"])):
        members = list(group)
        columns = [Column(line["column"], line["type"], line["comment"] or None) for line in members]
        rows.extend(_rows(system, table, columns, [line["sensitive"] == "1" for line in members]))
    return rows


def _rows(group: str, table: str, columns: Sequence[Column], labels: Sequence[bool]) -> Iterable[Row]:
    scored, context = look_at(table, columns)
    for one, label in zip(scored, labels, strict=True):
        yield Row(group, features(one, context), one.empty, label)


# ----------------------------------------------------------------------------------------------------- the fit
def fit(rows: Sequence[Row]) -> dict[str, float]:
    """Ridge-penalised logistic regression by Newton's method; columns without values are decided without it."""
    used = [row for row in rows if not row.empty]
    names = sorted(used[0].inputs)
    inputs = [[row.inputs[name] for name in names] for row in used]
    labels = [float(row.sensitive) for row in used]
    weights = [0.0] * len(names)
    for _ in range(ROUNDS):
        step = _newton_step(inputs, labels, weights)
        weights = [weight + change for weight, change in zip(weights, step, strict=True)]
        if max(map(abs, step)) < 1e-6:
            break
    return {name: round(weight, 3) for name, weight in zip(names, weights, strict=True)}


def _newton_step(inputs: list[list[float]], labels: list[float], weights: list[float]) -> list[float]:
    size = len(weights)
    gradient = [-RIDGE * weight for weight in weights]
    curvature = [[RIDGE if row == column else 0.0 for column in range(size)] for row in range(size)]
    for line, label in zip(inputs, labels, strict=True):
        total = sum(weight * value for weight, value in zip(weights, line, strict=True))
        chance = 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
        slope = max(chance * (1 - chance), 1e-6)
        filled = [index for index, value in enumerate(line) if value]
        for index in filled:
            gradient[index] += (label - chance) * line[index]
            for other in filled:
                curvature[index][other] += slope * line[index] * line[other]
    return _solve(curvature, gradient)


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gaussian elimination with pivoting; the matrix is positive definite by its ridge."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for pivot in range(size):
        best = max(range(pivot, size), key=lambda row: abs(rows[row][pivot]))
        rows[pivot], rows[best] = rows[best], rows[pivot]
        for row in range(pivot + 1, size):
            factor = rows[row][pivot] / rows[pivot][pivot]
            for column in range(pivot, size + 1):
                rows[row][column] -= factor * rows[pivot][column]
    result = [0.0] * size
    for row in reversed(range(size)):
        rest = sum(rows[row][column] * result[column] for column in range(row + 1, size))
        result[row] = (rows[row][size] - rest) / rows[row][row]
    return result


# ------------------------------------------------------------------------------------------------- the figures
def left_out(rows: Sequence[Row], others: Sequence[Row]) -> list[tuple[Row, float]]:
    """Each row with its chance under weights fitted on everything but its group (and on `others`)."""
    results: list[tuple[Row, float]] = []
    for group in dict.fromkeys(row.group for row in rows):
        weights = fit([*(row for row in rows if row.group != group), *others])
        results.extend(
            (row, 0.03 if row.empty else probability(row.inputs, weights)) for row in rows if row.group == group
        )
    return results


def scores(judged: Sequence[tuple[Row, float]]) -> Scores:
    """Figures with their spread over resampled groups."""
    precision, recall, f1 = _scores(judged)
    groups: dict[str, list[tuple[Row, float]]] = defaultdict(list)
    for row, chance in judged:
        groups[row.group].append((row, chance))
    dice = random.Random(SEED)
    names = list(groups)
    drawn = sorted(
        _scores([item for name in dice.choices(names, k=len(names)) for item in groups[name]])[2] for _ in range(500)
    )
    return Scores(precision, recall, f1, drawn[25], drawn[474])


def _scores(judged: Sequence[tuple[Row, float]]) -> tuple[float, float, float]:
    hits = sum(row.sensitive and chance >= 0.5 for row, chance in judged)
    said = sum(chance >= 0.5 for _, chance in judged)
    wanted = sum(row.sensitive for row, _ in judged)
    precision, recall = hits / said if said else 0.0, hits / wanted if wanted else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def calibration_error(judged: Sequence[tuple[Row, float]], bins: int = 10) -> float:
    """Expected calibration error of the confidence in the verdict (sensitive or not), in `bins` of equal width."""
    filled: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for row, chance in judged:
        confidence = max(chance, 1 - chance)
        filled[min(bins - 1, int(confidence * bins))].append((confidence, (chance >= 0.5) == row.sensitive))
    gaps = (
        len(members) * abs(statistics.fmean(c for c, _ in members) - statistics.fmean(r for _, r in members))
        for members in filled.values()
    )
    return sum(gaps) / len(judged)


def kinds(path: Path, said: Callable[[str, list[str]], str]) -> dict[str, tuple[float, float, int]]:
    """F1 by kind: mean and standard deviation over seeded folds, and how many columns. Nothing is fitted on them."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    judged = [(line["kind"], said(line["column_name"], ast.literal_eval(line["records"]))) for line in lines]
    random.Random(SEED).shuffle(judged)
    folds = [judged[start::FOLDS] for start in range(FOLDS)]
    result: dict[str, tuple[float, float, int]] = {}
    for kind in sorted({truth for truth, _ in judged}):
        by_fold = [value for fold in folds if (value := _f1(fold, kind)) is not None]
        result[kind] = (
            statistics.fmean(by_fold),
            statistics.pstdev(by_fold),
            sum(truth == kind for truth, _ in judged),
        )
    return result


def _f1(fold: Sequence[tuple[str, str]], kind: str) -> float | None:
    hits = sum(truth == said == kind for truth, said in fold)
    both = sum(truth == kind for truth, _ in fold) + sum(said == kind for _, said in fold)
    return 2 * hits / both if both else None


def our_kind(name: str, samples: list[str]) -> str:
    """A single column's kind in the development data's words."""
    return COARSE.get(classify_table("", [Column(name, samples=samples)])[0].kind, "None")


def erp_kinds(path: Path) -> float:
    """Share of ERP columns whose kind is the labelled one."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    right = 0
    for table, group in itertools.groupby(lines, key=lambda line: (line["system"], line["table"])):
        members = list(group)
        columns = [Column(line["column"], line["type"], line["comment"] or None) for line in members]
        verdicts = classify_table(table[1], columns)
        right += sum(verdict.kind == line["kind"] for verdict, line in zip(verdicts, members, strict=True))
    return right / len(lines)


def throughput() -> tuple[float, int]:
    """Seconds for generated columns with samples of every shape, and the peak memory in megabytes."""
    dice = random.Random(SEED)
    makers: list[tuple[str, Callable[[int], object]]] = [
        ("customer_email", lambda n: f"person{n}@mail.example"),
        ("amount", lambda n: f"{n}.{n % 100:02}"),
        ("booking_date", lambda n: f"2026-{n % 12 + 1:02}-{n % 28 + 1:02}"),
        ("iban", lambda n: f"DE{n % 100:02}{n:018}"),
        ("full_name", lambda n: f"Maria {'ABCDEFG'[n % 7]}ander"),
        ("phone", lambda n: f"+49 30 {n % 10**7:07}"),
        ("note", lambda n: f"called about order {n}, will call again in the next week"),
        ("id", lambda n: n),
        ("card", lambda n: f"4{n:015}"),
        ("street", lambda n: f"{n % 200} Example Street"),
        ("tax_number", lambda n: f"{n:011}"),
        ("status", lambda n: ("active", "closed")[n % 2]),
    ]
    tables: list[list[Column]] = []
    for table in range(CORE_COLUMNS // 20):
        picked = [makers[(table + position) % len(makers)] for position in range(20)]
        tables.append(
            [
                Column(f"{name}_{table}", None, None, [make(dice.randrange(10**9)) for _ in range(CORE_SAMPLES)])
                for name, make in picked
            ]
        )
    start = time.perf_counter()
    for number, columns in enumerate(tables):
        classify_table(f"table_{number}", columns)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


# --------------------------------------------------------------------------------------------------- the script
def measure(arguments: argparse.Namespace) -> dict[str, object]:
    """Every figure for which there is data."""
    erp = [row for path in arguments.erp for row in erp_rows(path)]
    tables = table_rows(arguments.tables) if arguments.tables else []
    found: dict[str, object] = {}
    if tables:
        judged = left_out(tables, erp)
        found["tables, leave one out"] = vars(scores(judged))
        found["tables, calibration error"] = calibration_error(judged)
        by_weights = [(row, 0.03 if row.empty else probability(row.inputs)) for row in tables]
        found["tables, published weights"] = vars(scores(by_weights))
    judged = left_out(erp, tables)
    found["erp, leave one system out"] = vars(scores(judged))
    found["erp, calibration error"] = calibration_error(judged)
    for path in arguments.erp:
        by_weights = [(row, probability(row.inputs)) for row in erp_rows(path)]
        found[f"{path.name}, published weights"] = vars(scores(by_weights))
        found[f"{path.name}, share of kinds right"] = erp_kinds(path)
    if arguments.columns:
        found["kinds, cross-validated F1 (mean, sd, columns)"] = kinds(arguments.columns, our_kind)
    seconds, megabytes = throughput()
    found[f"seconds for {CORE_COLUMNS} columns x {CORE_SAMPLES} samples"] = seconds
    found["peak memory, MB"] = megabytes
    return found


def main() -> None:
    """Measure, or fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--columns", type=Path)
    parser.add_argument("--erp", type=Path, nargs="+", default=[ROOT / "tests/classification" / name for name in ERP])
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    arguments = parser.parse_args()
    if arguments.fit:
        rows = [
            *(table_rows(arguments.tables) if arguments.tables else []),
            *(row for path in arguments.erp for row in erp_rows(path)),
        ]
        print(json.dumps(fit(rows), indent=4))
        return
    found = measure(arguments)
    if arguments.format == "json":
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, figure in value.items():
                shown = ", ".join(f"{part:.3f}" for part in figure) if isinstance(figure, tuple) else f"{figure:.3f}"
                print(f"    {key:20} {shown}")
        else:
            print(f"{name}: {value:.3f}" if isinstance(value, float) else f"{name}: {value}")


if __name__ == "__main__":
    main()
