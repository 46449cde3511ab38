"""The recogniser: which columns hold personal or otherwise protected data, how sure, and why.

Pure: no Pulumi, no AWS, no network, no model to download. It recommends; people decide.

    from lakemesh.classification import Column, classify_table

    classify_table("crm.customer", [Column("email", "string"), Column("created_at", "timestamp")])
"""

from __future__ import annotations

from lakemesh.classification.column import VERSION, Column, Verdict
from lakemesh.classification.recogniser import classify_table
from lakemesh.classification.rules import NO_RULES, Rules
from lakemesh.classification.taxonomy import MEANINGS, Category, Kind
from lakemesh.declarations.sensitivity import Sensitivity

__all__ = [
    "MEANINGS",
    "NO_RULES",
    "VERSION",
    "Category",
    "Column",
    "Kind",
    "Rules",
    "Sensitivity",
    "Verdict",
    "classify_table",
]
