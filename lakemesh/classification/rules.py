"""What a company's own rules say of a column. How they are written and checked: `rules_file`.

Free of pydantic, so that functions in the cloud can judge columns (docs/adr/0014).
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lakemesh.classification.column import Column
from lakemesh.classification.taxonomy import PUBLISHED
from lakemesh.classification.values import text_of
from lakemesh.declarations.sensitivity import Sensitivity

MAX_SAMPLED: Final = 20
"""Values that patterns and lists are tried on, per column."""
_MAX_NAME: Final = 200
EVERY: Final = ("*",)


@dataclass(frozen=True)
class OwnKind:
    """A kind that only this company has."""

    description: str
    sensitivity: Sensitivity
    sensitive: bool = True


@dataclass(frozen=True)
class NameRule:
    """Columns by name: `*` stands for anything, case does not matter."""

    names: Sequence[str]
    kind: str
    tables: Sequence[str] = EVERY


@dataclass(frozen=True)
class PatternRule:
    """Columns by their values: a regular expression that whole values match."""

    pattern: str
    kind: str
    prevalence: float = 0.8


@dataclass(frozen=True)
class ValueRule:
    """Columns by a closed list of values; case does not matter."""

    values: Sequence[str]
    kind: str
    prevalence: float = 0.8


@dataclass(frozen=True)
class Suppression:
    """Columns that are not sensitive, whatever they look like, and why."""

    names: Sequence[str]
    reason: str
    tables: Sequence[str] = EVERY


@dataclass(frozen=True)
class RuleSet:
    """All rules of a company."""

    kinds: Mapping[str, OwnKind] = field(default_factory=dict)
    names: Sequence[NameRule] = ()
    patterns: Sequence[PatternRule] = ()
    values: Sequence[ValueRule] = ()
    suppressions: Sequence[Suppression] = ()
    sensitivity: Mapping[str, Sensitivity] = field(default_factory=dict)


@dataclass(frozen=True)
class Ruling:
    """What a company rule says of one column; `kind` is None for a suppression."""

    kind: str | None
    confidence: float
    evidence: str


@dataclass(frozen=True)
class Rules:
    """Compiled rules."""

    file: RuleSet = field(default_factory=RuleSet)
    patterns: tuple[re.Pattern[str], ...] = ()

    def ruling(self, table: str, column: Column) -> Ruling | None:
        """The first rule that speaks of a column: suppressions, then names, then values."""
        for suppression in self.file.suppressions:
            if _matches(suppression.names, column.name) and _matches(suppression.tables, table):
                return Ruling(None, 0.99, f"suppressed by a company rule: {suppression.reason}")
        for rule in self.file.names:
            if _matches(rule.names, column.name) and _matches(rule.tables, table):
                return Ruling(rule.kind, 0.99, "a company rule names it")
        return self._by_values(column)

    def _by_values(self, column: Column) -> Ruling | None:
        if not column.samples or not (self.patterns or self.file.values):
            return None
        texts = [text for text in map(text_of, column.samples[:MAX_SAMPLED]) if text]
        if not texts:
            return None
        for pattern, rule in zip(self.patterns, self.file.patterns, strict=True):
            share = sum(pattern.fullmatch(text) is not None for text in texts) / len(texts)
            if share >= rule.prevalence:
                return Ruling(rule.kind, 0.95, f"{share:.0%} of the values match a company pattern")
        for listed in self.file.values:
            known = {value.casefold() for value in listed.values}
            share = sum(text.casefold() in known for text in texts) / len(texts)
            if share >= listed.prevalence:
                return Ruling(listed.kind, 0.95, f"{share:.0%} of the values are in a company list")
        return None

    def sensitivity_of(self, kind: str) -> Sensitivity:
        """The proposed sensitivity of a kind that is sensitive."""
        if kind in self.file.sensitivity:
            return self.file.sensitivity[kind]
        own = self.file.kinds.get(kind)
        return own.sensitivity if own else PUBLISHED[kind].sensitivity

    def sensitive(self, kind: str) -> bool:
        """Whether a kind that a rule gave is sensitive: a person said so, hence always, unless it never is."""
        own = self.file.kinds.get(kind)
        return own.sensitive if own else PUBLISHED[kind].rule != "never"


NO_RULES: Final = Rules()


def _matches(globs: Sequence[str], name: str) -> bool:
    folded = name[:_MAX_NAME].casefold()
    return any(fnmatch.fnmatchcase(folded, glob.casefold()) for glob in globs)
