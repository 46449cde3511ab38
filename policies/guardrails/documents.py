"""IAM documents as rules read them."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from guardrails.resource import mapping, mappings, plain, text, texts

# Conditions that tie a statement to one organization, account, source or principal (IAM user guide, "Global condition
# context keys").
BINDING: Final = frozenset({
    "aws:principalorgid", "aws:principalorgpaths", "aws:principalarn", "aws:principalaccount", "aws:sourcearn",
    "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "kms:calleraccount", "aws:sourcevpce",
})  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """One statement, with lists where IAM lets one write a lone string, and names of conditions in lower case."""

    allows: bool
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...]
    anybody_but: bool
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]

    def covers(self, action: str) -> bool:
        """Whether its actions take in `action`, or every action of a service for `service:*`."""
        wanted = action.lower()
        if self.not_actions:
            return not any(fnmatch.fnmatchcase(wanted, each.lower()) for each in self.not_actions)
        return any(fnmatch.fnmatchcase(wanted, each.lower()) for each in self.actions)

    @property
    def everywhere(self) -> bool:
        return "*" in self.resources

    @property
    def anybody(self) -> bool:
        """Whether it is for every principal there is."""
        return self.anybody_but or any(value == "*" for kind, value in self.principals if kind in {"*", "AWS"})

    def values(self, key: str, *, negated: bool = False) -> tuple[str, ...]:
        """What a condition compares `key` with. `negated`: comparisons such as ArnNotEquals instead of ArnEquals."""
        found: list[str] = []
        for operator, name, values in self.conditions:
            turned = "not" in operator
            # `...IfExists` lets through whoever does not present the key at all.
            loose = not turned and (operator == "null" or operator.endswith("ifexists"))
            if name == key.lower() and turned == negated and not loose:
                found += values
        return tuple(found)

    @property
    def bound(self) -> bool:
        """Whether a condition ties it to an organization, account, source or principal, none of them a mere
        wildcard."""
        return any(values and "*" not in values for values in (self.values(key) for key in BINDING))


def statements(document: Any) -> list[Statement]:
    """The statements of a document, given as JSON text or as a map. What is no document has none."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return []
    return [_statement(each) for each in mappings(mapping(plain(document)).get("Statement"))]


def _statement(each: Mapping[str, Any]) -> Statement:
    return Statement(
        allows=text(each.get("Effect")) == "Allow",
        actions=tuple(texts(each.get("Action"))),
        not_actions=tuple(texts(each.get("NotAction"))),
        resources=tuple(texts(each.get("Resource"))),
        principals=tuple(_principals(each.get("Principal"))),
        anybody_but="NotPrincipal" in each,
        conditions=tuple(_conditions(each.get("Condition"))),
    )


def _principals(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield value, value
    for kind, values in mapping(value).items():
        for each in texts(values):
            yield kind, each


def _conditions(value: Any) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for operator, keys in mapping(value).items():
        for key, values in mapping(keys).items():
            listed = [str(each).lower() if isinstance(each, bool) else str(each) for each in _list(values)]
            yield operator.lower(), key.lower(), tuple(listed)


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
