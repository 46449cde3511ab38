"""A request, the events that made it what it is, and the people who act on it. Pure values."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum, unique
from typing import Any, Final

from lakemesh.declarations.models import Access, Sensitivity

SYSTEM: Final = "lakemesh"
"""Actor of what nobody did by hand: automatic approval, deployment, expiry, reminders."""


@unique
class Status(StrEnum):
    """Where a request stands. The order is that of a request that goes well, then how one can end."""

    REQUESTED = "requested"
    """Waits for its approvers."""
    ASKED_BACK = "asked-back"
    """Waits for an answer of its requester."""
    APPROVED = "approved"
    """Decided; the grant is not written yet."""
    PROPOSED = "proposed"
    """The grant stands in a pull request or a commit that is not deployed yet."""
    MERGED = "merged"
    """The grant stands on the branch that is deployed."""
    DEPLOYED = "deployed"
    """`up` has run with the grant."""
    VERIFIED = "verified"
    """The evaluator on live state says that the principal can read what was asked."""
    FAILED = "failed"
    """Writing, deploying or verifying failed; `reason` says why, and it can be tried again."""
    REVOKING = "revoking"
    """To be taken away; the grant is still there."""
    REVOKED = "revoked"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


OPEN: Final = frozenset({Status.REQUESTED, Status.ASKED_BACK})
"""Not decided yet."""
UNDER_WAY: Final = frozenset({Status.APPROVED, Status.PROPOSED, Status.MERGED, Status.DEPLOYED, Status.FAILED})
"""Decided, and not yet known to work."""
ENDED: Final = frozenset({Status.REVOKED, Status.REJECTED, Status.WITHDRAWN, Status.EXPIRED})
"""Nothing happens to it any more."""


@unique
class Kind(StrEnum):
    """What can happen to a request."""

    SUBMITTED = "submitted"
    ASKED_BACK = "asked-back"
    ANSWERED = "answered"
    NARROWED = "narrowed"
    APPROVED = "approved"
    """One approver's yes; the last one that is needed makes the request approved."""
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    REMINDED = "reminded"
    PROPOSED = "proposed"
    MERGED = "merged"
    DEPLOYED = "deployed"
    VERIFIED = "verified"
    FAILED = "failed"
    RETRIED = "retried"
    REVOKE_ASKED = "revoke-asked"
    REVOKED = "revoked"
    EXPIRED = "expired"
    TICKET_OPENED = "ticket-opened"
    TICKET_TOLD = "ticket-told"
    """The ticket says everything up to the event `until`."""
    REMOVAL_PROPOSED = "removal-proposed"
    """Revoked access: the grant is taken out in a pull request or commit."""
    TROUBLED = "troubled"
    """Something outside did not answer; it is tried again at `retryAt`."""


@dataclass(frozen=True)
class Person:
    """Who is signed in."""

    email: str
    name: str = ""
    consumers: frozenset[str] = frozenset()
    """Consumers that the person may ask for."""
    steward: bool = False
    """May see every request and revoke; approves nothing that is not the steward's to approve."""


@dataclass(frozen=True)
class Ask:
    """What is wanted: the part of a grant (docs/grants.md) that a requester chooses."""

    product: str
    to: str
    """`consumer` or `consumer/principal`, as in a grant."""
    access: Access = Access.READ
    sensitivity: tuple[Sensitivity, ...] = ()
    columns: Mapping[str, list[str]] | None = None
    """By table of the product, or None for all that `sensitivity` covers."""
    rows: str | None = None
    """A condition that rows of every table must meet (docs/grants.md)."""
    expires: dt.date | None = None
    """The first day without it."""
    purpose: str = ""

    @property
    def consumer(self) -> str:
        return self.to.partition("/")[0]

    def body(self) -> dict[str, Any]:
        """As JSON, without what is not set."""
        values: dict[str, Any] = {
            "product": self.product,
            "to": self.to,
            "access": str(self.access),
            "sensitivity": [str(value) for value in self.sensitivity] or None,
            "columns": self.columns,
            "rows": self.rows,
            "expires": self.expires.isoformat() if self.expires else None,
            "purpose": self.purpose,
        }
        return {key: value for key, value in values.items() if value is not None}

    @staticmethod
    def of(body: Mapping[str, Any]) -> Ask:
        """The inverse of `body`. Raises KeyError or ValueError for what `body` did not write."""
        return Ask(
            product=body["product"],
            to=body["to"],
            access=Access(body["access"]),
            sensitivity=tuple(Sensitivity(value) for value in body.get("sensitivity", ())),
            columns=body.get("columns"),
            rows=body.get("rows"),
            expires=dt.date.fromisoformat(body["expires"]) if "expires" in body else None,
            purpose=body.get("purpose", ""),
        )

    def digest(self) -> str:
        """Of everything but the purpose: two asks with one digest want the same access."""
        content = self.body()
        del content["purpose"]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Event:
    """One thing that happened. Events are only ever added; the state of a request is a fold over them."""

    request: str
    sequence: int
    """From 1, without gaps."""
    kind: Kind
    actor: str
    """E-mail address, or `SYSTEM`."""
    at: dt.datetime
    """UTC, in whole seconds."""
    before: Status | None
    after: Status
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the kind needs; JSON values."""

    def body(self) -> dict[str, Any]:
        """As JSON, for the log and its export."""
        return {
            "request": self.request,
            "sequence": self.sequence,
            "kind": str(self.kind),
            "actor": self.actor,
            "at": self.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "before": str(self.before) if self.before else None,
            "after": str(self.after),
            "data": dict(self.data),
        }

    @staticmethod
    def of(body: Mapping[str, Any]) -> Event:
        """The inverse of `body`. Raises KeyError or ValueError for what `body` did not write."""
        return Event(
            request=body["request"],
            sequence=int(body["sequence"]),
            kind=Kind(body["kind"]),
            actor=body["actor"],
            at=dt.datetime.strptime(body["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC),
            before=Status(body["before"]) if body.get("before") else None,
            after=Status(body["after"]),
            data=body.get("data") or {},
        )


@dataclass(frozen=True)
class Trouble:
    """Something outside that did not answer, and when it is asked again."""

    reason: str
    attempts: int
    retry_at: dt.datetime


@dataclass(frozen=True)
class Request:
    """A request as its events leave it."""

    id: str
    ask: Ask
    """As it stands: narrowed, where an approver narrowed it."""
    asked: Ask
    """As it was submitted."""
    requester: str
    status: Status
    sequence: int
    """Of the last event: what a writer has to continue from."""
    submitted_at: dt.datetime
    changed_at: dt.datetime
    approvals: tuple[str, ...] = ()
    """Who said yes to the ask as it stands, in order."""
    approved_at: dt.datetime | None = None
    needed: int = 1
    """How many have to say yes; 0: nobody (approved by rule)."""
    extends: str | None = None
    """Id of the request whose grant this one prolongs."""
    question: str = ""
    reason: str = ""
    """Of a rejection, a failure or a revocation."""
    ticket: str = ""
    """What the ticket system calls it; empty until there is one."""
    told: int = 0
    """The last event that the ticket tells of."""
    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    """By what does not answer: `ticket`, `provision`."""
    reminded_at: dt.datetime | None = None
    proposal: str = ""
    """Commit or pull request that holds the grant, or takes it out."""
    written: Mapping[str, Any] = field(default_factory=dict)
    """The grant as it was written: what is there when nobody edited it."""

    def with_(self, **changes: Any) -> Request:
        """A copy with other values."""
        return replace(self, **changes)

    @property
    def grant_id(self) -> str:
        """Id of the grant in mesh/grants/: an extension keeps that of what it extends."""
        return f"portal-{(self.extends or self.id).lower()}"
