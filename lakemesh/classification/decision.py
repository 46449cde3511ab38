"""Sensitive or not, and how sure: a small logistic model whose inputs have names; weights in `weights.py`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from lakemesh.classification.context import Context
from lakemesh.classification.scoring import Scored
from lakemesh.classification.taxonomy import MEANINGS, Kind, Rule
from lakemesh.classification.vocabulary import CONCEPTS
from lakemesh.classification.weights import WEIGHTS

_IDS: Final = frozenset({Kind.CUSTOMER_ID, Kind.EMPLOYEE_ID, Kind.PERSON_ID})
_TRAITS: Final = frozenset({Kind.GENDER, Kind.AGE, Kind.ETHNICITY, Kind.MARITAL_STATUS, Kind.HEALTH, Kind.SALARY})
_SPECIAL: Final = frozenset({"religion", "political", "orientation", "caste"})
"""Special categories of the GDPR (article 9), whoever the persons are."""
_MOSTLY: Final = 0.6
_SURE: Final = 0.995
"""No verdict is surer than this: there is no column that nobody could be wrong about."""


def in_context(scored: Scored, context: Context) -> bool:
    """Whether the table makes a kind sensitive that is not always so."""
    persons = context.persons_beside(scored)
    match scored.best.kind:
        case Kind.BANK_ROUTING:
            return context.accounts > 0
        case Kind.POSTAL_ADDRESS:
            return context.subject not in {"site", "thing"}
        case Kind.POSTAL_CODE | Kind.GEOLOCATION:
            return persons or (context.addresses > 0 and not context.organizations)
        case Kind.DEMOGRAPHIC:
            special = bool(_SPECIAL & set(scored.reading.concepts)) and persons
            unseen = scored.values is None and persons  # where nobody looked, with caution
            return context.relation or special or unseen
        case Kind.FREE_TEXT:
            return _text_may_hold_persons(scored, context)
        case _:
            return persons


def _text_may_hold_persons(scored: Scored, context: Context) -> bool:
    values = scored.values
    if values is None or values.filled == 0:
        described = "description" in scored.reading.concepts
        return not described or context.persons_beside(scored)
    named = any(reason != "values" for reason in scored.best.reasons)
    return values.share("holds-email", "email", "phone") > 0 or (
        named and values.share("text") >= _MOSTLY and context.persons_beside(scored)
    )


def features(scored: Scored, context: Context) -> dict[str, float]:
    """The model's inputs, each between -1 and 2."""
    kind = scored.best.kind
    rule = MEANINGS[kind].rule
    counts = rule is Rule.ALWAYS or (rule is Rule.IN_CONTEXT and in_context(scored, context))
    seen = scored.values is not None
    backing = scored.best.support
    strength = min(scored.best.score, 1.8)
    return {
        "bias": 1.0,
        "sensitive kind": float(counts),
        "kind not sensitive here": float(rule is Rule.IN_CONTEXT and not counts),
        "score of a sensitive kind": (strength - 0.8) * counts,
        "values show it": backing.shown * counts,
        "values are against it": backing.against * counts,
        "persons beside it": float(context.persons_beside(scored)) * counts,
        "an identifier": float(kind in _IDS),
        "a trait": float(kind in _TRAITS),
        "free text": float(kind is Kind.FREE_TEXT) * counts,
        "values unseen": float(not seen) * counts,
        "values unseen, kind not sensitive": float(not seen) * (1 - counts),
        "nobody knows the name": float(not seen and _unknown(scored)) * (1 - counts),
        "values contradict a name": float(bool(scored.rejected)) * (1 - counts),
        "persons beside something else": float(context.persons_beside(scored)) * (1 - counts),
        "an id beside persons": float(kind is Kind.GENERIC_ID and context.persons_beside(scored)),
    }


def _unknown(scored: Scored) -> bool:
    """Whether nothing in name and comment is a word of the vocabulary or of a dictionary."""
    return not scored.best.reasons and not any(concept in CONCEPTS for concept in scored.reading.concepts)


def probability(inputs: Mapping[str, float], weights: Mapping[str, float] = WEIGHTS) -> float:
    """That a column with these features is sensitive."""
    total = sum(weights.get(name, 0.0) * value for name, value in inputs.items())
    chance = 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
    return min(_SURE, max(1 - _SURE, chance))
