"""How an account may differ from the declarations, as values: what is expected, what was found, what is excepted."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Final

from lakemesh.access.observed import AccountState


@unique
class Kind(StrEnum):
    """What differs; the metric's dimension, and the second half of an exception's rule (`drift-grant`)."""

    GRANT = "grant"
    FILTER = "filter"
    TAG = "tag"
    SETTING = "setting"
    SHARE = "share"
    LINK = "link"


@unique
class Change(StrEnum):
    """How it differs, seen from the declarations."""

    MISSING = "missing"
    UNMANAGED = "unmanaged"
    DIFFERENT = "different"


@unique
class Role(StrEnum):
    """What an account is to the mesh, which decides how much of it is the mesh's to judge."""

    CENTRAL = "central"
    """All of it."""
    CONSUMER = "consumer"
    """Settings, links to central, and grants on what is shared; its own databases are its own."""
    PRODUCER = "producer"
    """That the mesh's own grants are there; everything else is the producer's."""


RULES: Final = tuple(f"drift-{kind}" for kind in Kind)
"""Rules that an exception in exceptions.yaml may name, beside the policy pack's."""


@dataclass(frozen=True)
class Expected:
    """What the declarations want of one account."""

    role: Role
    name: str
    """`central`, or the consumer's or producer's name."""
    owner: str
    """The governance account."""
    account: AccountState
    stack: str
    """Stack that owns what no domain does."""
    stacks: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Stack by (principal, resource_key) of a grant."""
    twins: Mapping[str, str] = field(default_factory=dict)
    """In the governance account: stack by twin."""
    table_owners: frozenset[str] = frozenset()
    """Roles that create the twins' tables, and hold everything on them for that reason."""
    expired: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """Ids of the expired grants behind what is not wanted any more, by (principal, resource_key)."""

    @property
    def id(self) -> str:
        return self.account.catalog.account


@dataclass(frozen=True, order=True)
class Drift:
    """One difference. `name` has no spaces: it is what an exception's `resource` matches."""

    account: str
    kind: Kind
    change: Change
    name: str
    says: str
    mend: str
    stack: str
    exception: str = ""
    """Why and until when it does not count; empty: it counts."""
    lapsed: str = ""
    """The exception that would have matched, had it not expired."""


@dataclass(frozen=True)
class Waiver:
    """An exception of exceptions.yaml about drift."""

    rule: str
    resource: str
    stack: str
    reason: str
    expires: dt.date


def named(text: str) -> str:
    """A name without spaces, for an exception to match."""
    return re.sub(r"\s+", "_", text)


def mend(change: Change, stack: str, undo: str) -> str:
    """What to do about it. `undo`: how to take away what nobody declared."""
    if change is Change.UNMANAGED:
        return f"{undo}, declare it, or write an exception"
    return f"pulumi up --refresh --stack {stack}"


def differences(wanted: Iterable[str], found: Iterable[str]) -> Iterator[tuple[Change, str]]:
    """Members of either side alone."""
    left, right = set(wanted), set(found)
    yield from ((Change.MISSING, each) for each in sorted(left - right))
    yield from ((Change.UNMANAGED, each) for each in sorted(right - left))
