"""`expected.yaml`: who must be able to read what, as people wrote it down.

It is the demo's measure, so it is checked as strictly as a mesh is: every principal, table and column has a verdict,
and whatever it names exists. A typing error in it must not pass for a column that nobody can read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum, unique
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from lakemesh.declarations.errors import InvalidMeshError, Problem, did_you_mean
from lakemesh.declarations.models import Declaration, Declarations, Sensitivity
from lakemesh.declarations.places import Places
from lakemesh.declarations.validation import validate
from lakemesh.declarations.yamlfile import read

FILE = "expected.yaml"
At = tuple[str | int, ...]


@unique
class Verdict(StrEnum):
    """What one principal can do with one column."""

    READ = "read"
    """Athena returns the column."""
    DISCOVER = "discover"
    """Glue shows the column; Athena refuses it."""
    DENIED = "denied"
    """Glue does not show the column, and Athena refuses it."""


Rows = dict[str, tuple[str, ...]]
"""Which rows come back, where not all do: by column the values of which a row has one."""


class _Columns(Declaration):
    """Verdicts of one table: `every` for a bare word, else columns by verdict."""

    every: Verdict | None = None
    read: tuple[str, ...] = ()
    discover: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    rows: Rows = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _bare_word(cls, value: Any) -> Any:
        return {"every": value} if isinstance(value, str) else value

    def pairs(self, columns: tuple[str, ...]) -> Iterator[tuple[str, Verdict]]:
        if self.every is not None:
            yield from ((column, self.every) for column in columns)
        for verdict in Verdict:
            yield from ((column, verdict) for column in getattr(self, verdict.value))


_Principals = dict[str, dict[str, _Columns]]


class _Edit(Declaration):
    withdraw: tuple[str, ...] = ()
    widen: dict[str, tuple[Sensitivity, ...]] = Field(default_factory=dict)
    principals: _Principals = Field(default_factory=dict)


class _File(Declaration):
    tables: dict[str, tuple[str, ...]]
    principals: _Principals
    edit: _Edit | None = None


Verdicts = Mapping[str, Mapping[str, Mapping[str, Verdict]]]
"""By "consumer/principal", "twin.table" and column."""


@dataclass(frozen=True)
class Edit:
    """What the demo edits between its two proofs."""

    withdraw: tuple[str, ...] = ()
    """Ids of grants that are taken out, with their assignments."""
    widen: Mapping[str, tuple[Sensitivity, ...]] = field(default_factory=dict)
    """Sensitivities that are added to grants, by id."""
    verdicts: Verdicts = field(default_factory=dict)
    """What must be different then."""


@dataclass(frozen=True)
class Expected:
    """The whole file, with a verdict for every principal, table and column."""

    tables: Mapping[str, tuple[str, ...]]
    """Columns in order, by "twin.table"."""
    verdicts: Verdicts
    edit: Edit | None = None
    rows: Mapping[tuple[str, str], Rows] = field(default_factory=dict)
    """By "consumer/principal" and "twin.table", where only some rows come back."""

    def after_edit(self) -> Expected:
        """What must hold after the edit: what it names is different, all else is as before."""
        changed = self.edit.verdicts if self.edit else {}
        verdicts = {who: {**tables, **changed.get(who, {})} for who, tables in self.verdicts.items()}
        return replace(self, verdicts=verdicts, edit=None)


def load(directory: Path, declarations: Declarations) -> Expected:
    """Read `expected.yaml` of a mesh directory. Raises InvalidMeshError with everything that is wrong in it."""
    name = f"{directory.name}/{FILE}"
    path = directory / FILE
    if not path.is_file():
        text = (
            f"{path} is missing: the demo compares what principals can read with what this file says.\n"
            "Write it by hand, with `tables` and `principals`; the sample mesh has one to start from."
        )
        raise InvalidMeshError([Problem(name, 1, 1, "", text, "expected-missing")])
    document = read(path.read_bytes())
    places = Places(directory.name, {name: document})
    problems = [Problem(name, f.line, f.column, f.path, f.message, f.rule) for f in document.findings]
    parsed = validate(_File, document, name, places, salvage=lambda _path: None)
    problems += parsed.problems
    if parsed.value is None or problems:
        raise InvalidMeshError(problems)
    checker = _Checker(parsed.value, declarations, places, name)
    expected = checker.expected()
    if checker.problems:
        raise InvalidMeshError(checker.problems)
    return expected


class _Checker:
    """Turns the file into verdicts and collects what is wrong with it."""

    def __init__(self, parsed: _File, declarations: Declarations, places: Places, name: str) -> None:
        self._file = parsed
        self._declarations = declarations
        self._places = places
        self._name = name
        self.problems: list[Problem] = []

    def expected(self) -> Expected:
        self._tables()
        verdicts = self._principals(self._file.principals, ("principals",))
        self._complete(verdicts)
        edit = self._edit(self._file.edit) if self._file.edit else None
        return Expected(self._file.tables, verdicts, edit, self._rows())

    def _rows(self) -> dict[tuple[str, str], Rows]:
        found = {
            (who, table): said.rows
            for who, tables in self._file.principals.items()
            for table, said in tables.items()
            if said.rows
        }
        for (who, table), rows in found.items():
            known = self._file.tables.get(table, ())
            for column in sorted(rows.keys() - set(known)):
                text = f'{table} has no column "{column}".{did_you_mean(column, known)}'
                self._add("unknown-column", text, "principals", who, table, "rows", column)
        return found

    def _add(self, rule: str, message: str, *path: str | int) -> None:
        self.problems.append(self._places.problem(rule, message, self._name, *path))

    def _tables(self) -> None:
        mesh = self._declarations.mesh
        twins = {source.twin_name for domain in mesh.domains.values() for source in domain.sources}
        for key, columns in self._file.tables.items():
            twin = key.partition(".")[0]
            if twin not in twins:
                self._add(
                    "unknown-table", f'no domain has a source "{twin}".{did_you_mean(twin, twins)}', "tables", key
                )
            for column in sorted({column for column in columns if columns.count(column) > 1}):
                self._add("duplicate-column", f'the column "{column}" stands here twice.', "tables", key)
        for product in self._declarations.products.values():
            for table in product.tables:
                key = f"{table.twin}.{table.name}"
                if key not in self._file.tables:
                    text = f'"{key}" of product "{product.name}" is missing: every table of the mesh is listed here.'
                    self._add("missing-table", text, "tables")

    def _known_principals(self) -> set[str]:
        return {f"{name}/{who}" for name, c in self._declarations.consumers.items() for who in c.principals}

    def _principals(self, principals: _Principals, at: At) -> dict[str, dict[str, dict[str, Verdict]]]:
        known = self._known_principals()
        found: dict[str, dict[str, dict[str, Verdict]]] = {}
        for who, tables in principals.items():
            if who not in known:
                self._add(
                    "unknown-principal", f'no consumer has a principal "{who}".{did_you_mean(who, known)}', *at, who
                )
                continue
            found[who] = {}
            for table, verdicts in tables.items():
                if table not in self._file.tables:
                    hint = did_you_mean(table, self._file.tables)
                    self._add("unknown-table", f'"{table}" is not in `tables`.{hint}', *at, who, table)
                else:
                    found[who][table] = self._columns(table, verdicts, (*at, who, table))
        return found

    def _columns(self, table: str, verdicts: _Columns, at: At) -> dict[str, Verdict]:
        columns = self._file.tables[table]
        found: dict[str, Verdict] = {}
        for column, verdict in verdicts.pairs(columns):
            if column not in columns:
                hint = did_you_mean(column, columns)
                self._add("unknown-column", f'{table} has no column "{column}".{hint}', *at, verdict.value)
            elif column in found:
                text = f'the column "{column}" has two verdicts, {found[column]} and {verdict}.'
                self._add("duplicate-column", text, *at, verdict.value)
            found[column] = verdict
        missing = [column for column in columns if column not in found]
        if missing:
            self._add("missing-column", f"without a verdict: {', '.join(missing)}.", *at)
        return {column: found.get(column, Verdict.DENIED) for column in columns}

    def _complete(self, verdicts: Verdicts) -> None:
        for who in sorted(self._known_principals() - verdicts.keys()):
            self._add("missing-principal", f'"{who}" is missing: every principal has its verdicts here.', "principals")
        for who, tables in verdicts.items():
            for table in sorted(self._file.tables.keys() - tables.keys()):
                self._add("missing-table", f'"{table}" is missing: write a verdict for it.', "principals", who)

    def _edit(self, edit: _Edit) -> Edit:
        grants = {grant.id for entries in self._declarations.grants.values() for grant in entries}
        for index, grant in enumerate(edit.withdraw):
            self._known_grant(grant, grants, ("edit", "withdraw", index))
        for grant in edit.widen:
            self._known_grant(grant, grants, ("edit", "widen", grant))
        return Edit(edit.withdraw, edit.widen, self._principals(edit.principals, ("edit", "principals")))

    def _known_grant(self, grant: str, known: set[str], at: At) -> None:
        if grant not in known:
            self._add("unknown-grant", f'no grant has the id "{grant}".{did_you_mean(grant, known)}', *at)
