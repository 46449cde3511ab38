"""A domain's recommendations as the file that people read in a pull request: the same content is the same text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from lakemesh.declarations.recommendations import Recommendation, Recommendations

HEADER: Final = """\
# Columns of domain {domain} that nobody reviewed: what is recommended, and what people decide.
#
# decision: accept
#           reject                       and a reason
#           change to internal           another sensitivity: public, internal, confidential, restricted
#           change to restricted tax-id  another sensitivity, and another kind (none: no personal data)
#
# Written by `lakemesh classify recommend`, which keeps decisions and reasons, but no other comments. Decide here or
# with `lakemesh classify review`; `lakemesh classify apply` writes decisions into the contracts. Until then nobody can
# read these columns.
"""
_PLAIN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _./%,;()+'-]*[A-Za-z0-9_./%)+])?")
_RESOLVER: Final[Any] = yaml.resolver.Resolver()


def text_of(domain: str, recommendations: Recommendations) -> str:
    """The whole file."""
    return HEADER.format(domain=domain) + "".join(f"{line}\n" for line in _lines(recommendations))


def _lines(recommendations: Recommendations) -> Iterator[str]:
    if not recommendations.products:
        yield "products: {}"
        return
    yield "products:"
    for product, tables in recommendations.products.items():
        yield f"  {scalar(product)}:"
        for table, columns in tables.items():
            yield f"    {scalar(table)}:"
            for column, entry in columns.items():
                yield f"      {scalar(column)}:"
                for line in _entry(entry):
                    yield f"        {line}"


def _entry(entry: Recommendation) -> Iterator[str]:
    yield f"sensitivity: {entry.sensitivity}"
    yield f"kind: {scalar(entry.kind)}"
    yield f"sensitive: {str(entry.sensitive).lower()}"
    yield f"confidence: {entry.confidence}"
    yield "evidence:" if entry.evidence else "evidence: []"
    yield from (f"  - {scalar(text)}" for text in entry.evidence)
    yield f"basis: {entry.basis}"
    yield f"recogniser: {entry.recogniser}"
    yield f"since: {entry.since.isoformat()}"
    yield f"metadata: {scalar(entry.metadata)}"
    if entry.samples is not None:
        yield f"samples: {scalar(entry.samples)}"
    if entry.earlier is not None:
        yield f"earlier: {scalar(entry.earlier)}"
    yield f"decision: {entry.decision}" if entry.decision else "decision:"
    if entry.reason is not None:
        yield f"reason: {scalar(entry.reason)}"
    if entry.applied is not None:
        yield f"applied: {entry.applied.isoformat()}"


def scalar(text: str) -> str:
    """Text as YAML; in quotes where YAML 1.1 or 1.2 might read something else."""
    if _PLAIN.fullmatch(text) and not text.isdigit():
        tag: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
        if tag == "tag:yaml.org,2002:str" and not re.fullmatch(r"[0-9.]+e[0-9]+", text):
            return text
    quoted = json.dumps(text, ensure_ascii=False)
    # What is not printable is escaped: YAML reads JSON's escapes, but neither a raw U+2028 nor a raw U+0085.
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in quoted)
