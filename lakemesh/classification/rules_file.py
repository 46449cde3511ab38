"""A company's own rules, as YAML: extra kinds, names, patterns, value lists, suppressions, sensitivities.

Read and checked as other declarations are: every mistake at once, each with its place and mend.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lakemesh.classification import rules
from lakemesh.classification.rules import NO_RULES, Rules
from lakemesh.classification.safe_regex import UnsafePatternError, compile_safe
from lakemesh.classification.taxonomy import PUBLISHED
from lakemesh.declarations.errors import InvalidMeshError, Problem, did_you_mean
from lakemesh.declarations.places import Places
from lakemesh.declarations.sensitivity import Sensitivity
from lakemesh.declarations.validation import validate
from lakemesh.declarations.yamlfile import read

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


def _compiled(given: RulesFile, shown: str, places: Places) -> Rules:
    problems = list(_unknown_kinds(given, shown, places))
    compiled: list[re.Pattern[str]] = []
    for index, rule in enumerate(given.patterns):
        try:
            compiled.append(compile_safe(rule.pattern))
        except UnsafePatternError as error:
            problems.append(
                places.problem("unsafe-pattern", f"This pattern {error}.", shown, "patterns", index, "pattern")
            )
    for name in sorted(set(given.kinds) & set(PUBLISHED)):
        text = f'"{name}" is a kind of the taxonomy already.\nChange how sensitive it is under sensitivity.'
        problems.append(places.problem("duplicate-kind", text, shown, "kinds", name))
    if problems:
        raise InvalidMeshError(problems)
    return Rules(_plain(given), tuple(compiled))


def _plain(given: RulesFile) -> rules.RuleSet:
    return rules.RuleSet(
        kinds={name: rules.OwnKind(**dict(one)) for name, one in given.kinds.items()},
        names=[rules.NameRule(**dict(one)) for one in given.names],
        patterns=[rules.PatternRule(**dict(one)) for one in given.patterns],
        values=[rules.ValueRule(**dict(one)) for one in given.values],
        suppressions=[rules.Suppression(**dict(one)) for one in given.suppressions],
        sensitivity=dict(given.sensitivity),
    )


def _unknown_kinds(given: RulesFile, shown: str, places: Places) -> Sequence[Problem]:
    known = {**PUBLISHED, **given.kinds}
    used: list[tuple[str, tuple[str | int, ...]]] = []
    sections: Mapping[str, Sequence[NameRule | PatternRule | ValueRule]] = {
        "names": given.names,
        "patterns": given.patterns,
        "values": given.values,
    }
    for section, items in sections.items():
        used.extend((item.kind, (section, index, "kind")) for index, item in enumerate(items))
    used.extend((kind, ("sensitivity", kind)) for kind in given.sensitivity)
    return [
        places.problem("unknown-kind", f'There is no kind "{kind}".{did_you_mean(kind, known)}', shown, *path)
        for kind, path in used
        if kind not in known
    ]
