"""Decisions into contracts. Plans only: the caller tries the result on a copy and writes it, all or nothing."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from lakemesh.declarations.loader import Loaded
from lakemesh.declarations.models import Declarations
from lakemesh.declarations.recommendations import Recommendation, Recommendations, file_of
from lakemesh.review import fingerprints
from lakemesh.review.edit import Classified, EditError, classified
from lakemesh.review.recommend import Key, columns_of
from lakemesh.review.text import text_of


@dataclass
class Applied:
    """What applying a mesh's decisions comes to."""

    files: dict[str, str] = field(default_factory=dict)
    """New content of contracts and of recommendations, by name in the mesh directory."""
    done: dict[Key, str] = field(default_factory=dict)
    """Columns that are classified by it, and as what."""
    kept: dict[Key, str] = field(default_factory=dict)
    """Columns that somebody classified in the contract meanwhile: that stands."""
    refused: dict[Key, str] = field(default_factory=dict)
    """Decisions that are not carried out, and why."""


def plan(
    loaded: Loaded, declarations: Declarations, domains: list[str], today: dt.date, text: Callable[[str], str]
) -> Applied:
    """What `apply` writes. `text` reads a file of the mesh directory."""
    applied = Applied()
    for domain in domains:
        recommendations = loaded.recommendations.get(domain, Recommendations())
        _domain(loaded, declarations, domain, recommendations, today, text, applied)
    return applied


def _domain(
    loaded: Loaded,
    declarations: Declarations,
    domain: str,
    recommendations: Recommendations,
    today: dt.date,
    text: Callable[[str], str],
    applied: Applied,
) -> None:
    columns = dict(columns_of(declarations, domain))
    due: dict[str, list[tuple[Key, Classified]]] = defaultdict(list)
    for key, entry in recommendations.each():
        outcome = entry.outcome
        column = columns.get(key)
        if outcome is None or entry.applied is not None or column is None:
            continue
        if column.sensitivity is not None:
            applied.kept[key] = str(column.sensitivity)
        elif entry.metadata != fingerprints.of_metadata(column):
            applied.refused[key] = (
                "its type or comment has changed since it was decided on. Take the decision out of the file and run "
                "lakemesh classify recommend"
            )
        else:
            due[key[0]].append((key, Classified(loaded.places.parts[key], *outcome)))
    marked: set[Key] = set()
    for product, found in due.items():
        name = loaded.places.product_file(product).removeprefix(f"{loaded.places.root}/")
        try:
            applied.files[name] = classified(text(name), (one for _, one in found))
        except EditError as error:
            applied.refused |= {key: f"{name}: {error}" for key, _ in found}
            continue
        marked |= {key for key, _ in found}
        applied.done |= {key: _said(one) for key, one in found}
    if marked:
        updates: dict[Key, dict[str, object]] = {key: {"applied": today} for key in marked}
        applied.files[file_of(domain)] = text_of(domain, changed(recommendations, updates))


def _said(column: Classified) -> str:
    return f"{column.sensitivity} ({column.personal_data})" if column.personal_data else str(column.sensitivity)


def changed(recommendations: Recommendations, updates: dict[Key, dict[str, object]]) -> Recommendations:
    """The same with some entries changed."""
    products: dict[str, dict[str, dict[str, Recommendation]]] = {}
    for (product, table, column), entry in recommendations.each():
        update = updates.get((product, table, column))
        products.setdefault(product, {}).setdefault(table, {})[column] = (
            Recommendation.model_validate({**dict(entry), **update}) if update else entry
        )
    return Recommendations(products=products)
