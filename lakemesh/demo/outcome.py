"""What happened in a demonstration, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lakemesh.demo.expected import Verdict
from lakemesh.demo.proof import Proof


@dataclass(frozen=True)
class Step:
    """One thing that was done. `title` says what, `detail` how much."""

    title: str
    seconds: float
    detail: str


@dataclass(frozen=True)
class Change:
    """What one principal gained and lost of one table by the edit."""

    principal: str
    table: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """One claim of a chapter, held against what was found."""

    claim: str
    holds: bool
    found: str = ""


@dataclass
class ChapterOutcome:
    """What one chapter said and held true."""

    title: str
    said: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)


class DemoError(Exception):
    """A step failed; the text says which and why."""


@dataclass
class Outcome:
    """Everything that happened."""

    mesh: str
    region: str
    principal: str
    """Role of one of the principals, to be tried by hand."""
    steps: list[Step] = field(default_factory=list)
    proofs: dict[str, Proof] = field(default_factory=dict)
    edits: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    chapters: dict[str, ChapterOutcome] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Something was proved, every proof is as expected, and every claim of every chapter holds."""
        proved = bool(self.proofs) and all(proof.ok for proof in self.proofs.values())
        return proved and all(check.holds for one in self.chapters.values() for check in one.checks)


def differences(before: Proof, after: Proof) -> tuple[Change, ...]:
    """What principals can read after an edit and could not before, and the other way round."""
    was = {(one.principal, one.table): _readable(one.actual) for one in before.tables}
    found = []
    for one in after.tables:
        old, new = was.get((one.principal, one.table), ()), _readable(one.actual)
        if old != new:
            gained = tuple(column for column in new if column not in old)
            lost = tuple(column for column in old if column not in new)
            found.append(Change(one.principal, one.table, gained, lost))
    return tuple(found)


def _readable(verdicts: Mapping[str, Verdict]) -> tuple[str, ...]:
    return tuple(column for column, verdict in verdicts.items() if verdict is Verdict.READ)
