"""Weights of the logistic model in `decision.py`; fitted by `python benchmarks/classification.py --fit`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WEIGHTS: Final[Mapping[str, float]] = {
    "a trait": 0.47,
    "an id beside persons": 0.853,
    "an identifier": -0.739,
    "bias": -2.601,
    "free text": 0.226,
    "kind not sensitive here": 1.12,
    "persons beside it": 1.031,
    "persons beside something else": -1.033,
    "score of a sensitive kind": 0.938,
    "sensitive kind": 3.125,
    "values are against it": 0.211,
    "values contradict a name": -0.525,
    "values show it": 1.312,
    "values unseen": 2.467,
    "values unseen, kind not sensitive": -0.681,
}
