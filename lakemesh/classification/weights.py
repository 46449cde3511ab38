"""Weights of the logistic model in `decision.py`; fitted by `python benchmarks/classification.py --fit`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WEIGHTS: Final[Mapping[str, float]] = {
    "a trait": 0.507,
    "an id beside persons": 0.927,
    "an identifier": -0.498,
    "bias": -2.844,
    "free text": 0.237,
    "kind not sensitive here": 1.581,
    "nobody knows the name": 1.74,
    "persons beside it": 1.007,
    "persons beside something else": -0.706,
    "score of a sensitive kind": 0.845,
    "sensitive kind": 3.331,
    "values are against it": 0.217,
    "values contradict a name": -0.543,
    "values show it": 1.381,
    "values unseen": 2.718,
    "values unseen, kind not sensitive": -0.261,
}
