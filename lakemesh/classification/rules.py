"""A company's own rules, as YAML: extra kinds, names, patterns, value lists, suppressions, sensitivities.

Read and checked as other declarations are: every mistake at once, each with its place and mend.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lakemesh.classification.column import Column
from lakemesh.classification.safe_regex import UnsafePatternError, compile_safe
from lakemesh.classification.taxonomy import PUBLISHED
from lakemesh.classification.values import text_of
from lakemesh.declarations.errors import InvalidMeshError, Problem, did_you_mean
from lakemesh.declarations.models import Sensitivity
from lakemesh.declarations.places import Places
from lakemesh.declarations.validation import validate
from lakemesh.declarations.yamlfile import read

MAX_SAMPLED: Final = 20
"""Values that patterns and lists are tried on, per column."""
_MAX_NAME: Final = 200

KindName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=50)]
Glob = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Share = Annotated[float, Field(gt=0, le=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class OwnKind(_Model):
    """A kind that only this company has."""

    description: Words
    sensitivity: Sensitivity
    sensitive: bool = True


class NameRule(_Model):
    """Columns by name: `*` stands for anything, case does not matter."""

    names: list[Glob] = Field(min_length=1, max_length=500)
    tables: list[Glob] = Field(default_factory=lambda: ["*"], min_length=1, max_length=500)
    kind: KindName


class PatternRule(_Model):
    """Columns by their values: a regular expression that whole values match."""

    pattern: Words
    kind: KindName
    prevalence: Share = 0.8


class ValueRule(_Model):
    """Columns by a closed list of values; case does not matter."""

    values: list[Annotated[str, StringConstraints(max_length=200)]] = Field(min_length=1, max_length=10_000)
    kind: KindName
    prevalence: Share = 0.8


class Suppression(_Model):
    """Columns that are not sensitive, whatever they look like, and why."""

    names: list[Glob] = Field(min_length=1, max_length=500)
    tables: list[Glob] = Field(default_factory=lambda: ["*"], min_length=1, max_length=500)
    reason: Words


class RulesFile(_Model):
    """The whole file."""

    kinds: dict[KindName, OwnKind] = Field(default_factory=dict)
    names: list[NameRule] = Field(default_factory=list)
    patterns: list[PatternRule] = Field(default_factory=list, max_length=200)
    values: list[ValueRule] = Field(default_factory=list, max_length=200)
    suppressions: list[Suppression] = Field(default_factory=list)
    sensitivity: dict[KindName, Sensitivity] = Field(default_factory=dict)


@dataclass(frozen=True)
class Ruling:
    """What a company rule says of one column; `kind` is None for a suppression."""

    kind: str | None
    confidence: float
    evidence: str


@dataclass(frozen=True)
class Rules:
    """Compiled rules."""

    file: RulesFile = field(default_factory=RulesFile)
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


def load_rules(path: FilePath) -> Rules:
    """Rules from a file. Raises InvalidMeshError with every problem, OSError where it cannot be read."""
    return rules_of(path.read_bytes(), path.name)


def rules_of(data: bytes, shown: str) -> Rules:
    """Rules from the bytes of a file that people know as `shown`. Raises InvalidMeshError."""
    document = read(data)
    places = Places(documents={shown: document})
    problems = [
        Problem(shown, found.line, found.column, found.path, found.message, found.rule) for found in document.findings
    ]
    if document.value is None and not problems:
        return NO_RULES
    if problems:
        raise InvalidMeshError(problems)
    found = validate(RulesFile, document, shown, places, salvage=lambda _path: None)
    if found.value is None or found.problems:
        raise InvalidMeshError(found.problems)
    return _compiled(found.value, shown, places)


def _compiled(rules: RulesFile, shown: str, places: Places) -> Rules:
    problems = list(_unknown_kinds(rules, shown, places))
    compiled: list[re.Pattern[str]] = []
    for index, rule in enumerate(rules.patterns):
        try:
            compiled.append(compile_safe(rule.pattern))
        except UnsafePatternError as error:
            problems.append(
                places.problem("unsafe-pattern", f"This pattern {error}.", shown, "patterns", index, "pattern")
            )
    for name in sorted(set(rules.kinds) & set(PUBLISHED)):
        text = f'"{name}" is a kind of the taxonomy already.\nChange how sensitive it is under sensitivity.'
        problems.append(places.problem("duplicate-kind", text, shown, "kinds", name))
    if problems:
        raise InvalidMeshError(problems)
    return Rules(rules, tuple(compiled))


def _unknown_kinds(rules: RulesFile, shown: str, places: Places) -> Sequence[Problem]:
    known = {**PUBLISHED, **rules.kinds}
    used: list[tuple[str, tuple[str | int, ...]]] = []
    sections: Mapping[str, Sequence[NameRule | PatternRule | ValueRule]] = {
        "names": rules.names,
        "patterns": rules.patterns,
        "values": rules.values,
    }
    for section, items in sections.items():
        used.extend((item.kind, (section, index, "kind")) for index, item in enumerate(items))
    used.extend((kind, ("sensitivity", kind)) for kind in rules.sensitivity)
    return [
        places.problem("unknown-kind", f'There is no kind "{kind}".{did_you_mean(kind, known)}', shown, *path)
        for kind, path in used
        if kind not in known
    ]
