"""Weights of the logistic model in `decision.py`; fitted by `python benchmarks/classification.py --fit`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WEIGHTS: Final[Mapping[str, float]] = {
    "a trait": 0.537,
    "an id beside persons": 0.934,
    "an identifier": -0.442,
    "bias": -2.683,
    "free text": -0.432,
    "kind not sensitive here": 0.65,
    "nobody knows the name": 1.876,
    "persons beside it": 0.808,
    "persons beside something else": -0.832,
    "score of a sensitive kind": 0.912,
    "sensitive kind": 3.307,
    "values are against it": 0.211,
    "values contradict a name": -0.515,
    "values show it": 1.374,
    "values unseen": 2.697,
    "values unseen, kind not sensitive": -0.57,
}
