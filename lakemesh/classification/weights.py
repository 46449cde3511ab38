"""Weights of the logistic model in `decision.py`; fitted by `python benchmarks/classification.py --fit`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WEIGHTS: Final[Mapping[str, float]] = {
    "a trait": 0.472,
    "an id beside persons": 0.854,
    "an identifier": -0.74,
    "bias": -2.602,
    "free text": 0.225,
    "kind not sensitive here": 1.12,
    "persons beside it": 1.032,
    "persons beside something else": -1.034,
    "score of a sensitive kind": 0.93,
    "sensitive kind": 3.126,
    "values are against it": 0.211,
    "values contradict a name": -0.514,
    "values show it": 1.316,
    "values unseen": 2.467,
    "values unseen, kind not sensitive": -0.681,
}
