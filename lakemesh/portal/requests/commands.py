"""What may happen to a request, decided from what it is. Pure: each function returns the events to add, or refuses.

Nothing is stored here. A writer adds the events to the log on the condition that nobody else added one meanwhile, and
on a conflict reads, folds and decides again: two approvers at once, or an approval against a withdrawal, have one
outcome.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from lakemesh.portal.requests.model import ENDED, OPEN, SYSTEM, UNDER_WAY, Ask, Event, Kind, Person, Request, Status
from lakemesh.portal.requests.rules import Approval

MOST_WORDS: Final = 2000
"""Characters of a purpose, a question, an answer or a reason."""
FIRST_WAIT: Final = dt.timedelta(minutes=1)
LONGEST_WAIT: Final = dt.timedelta(hours=6)
Events = tuple[Event, ...]


class RefusedError(Exception):
    """This may not happen to this request; `field` is what to mend, empty where it is the request itself."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class ForbiddenError(RefusedError):
    """This person may not do it."""


def submit(
    identifier: str, ask: Ask, person: Person, approval: Approval, now: dt.datetime, extends: Request | None
) -> Events:
    """A new request. Raises RefusedError, and ForbiddenError for a consumer that is not the person's.

    The access that `ask` wants is validated before, as its YAML would be (`lakemesh.portal.requests.validate`).
    """
    if ask.consumer not in person.consumers:
        raise ForbiddenError(f'You may not ask for consumer "{ask.consumer}": it is not one of yours.', "to")
    words(ask.purpose, "purpose", "Say what the data is for: approvers decide by it.")
    if extends is not None:
        _prolongs(ask, extends)
    if len(approval.approvers) < approval.needed:
        raise RefusedError(
            f"This needs {approval.needed} approvers other than you, and the domain has {len(approval.approvers)}. "
            "Ask its owner to add one to `approvers` in mesh.yaml.",
            "product",
        )
    data: dict[str, Any] = {"ask": ask.body(), "needed": approval.needed}
    if extends is not None:
        data["extends"] = extends.extends or extends.id
    made = Event(identifier, 1, Kind.SUBMITTED, person.email, now, None, Status.REQUESTED, data)
    if approval.needed:
        return (made,)
    by_rule = {"rule": "approvals.automatic of mesh.yaml"}
    return made, Event(identifier, 2, Kind.APPROVED, SYSTEM, now, Status.REQUESTED, Status.APPROVED, by_rule)


def _prolongs(ask: Ask, extends: Request) -> None:
    if extends.status is not Status.VERIFIED:
        raise RefusedError(f"Request {extends.id} is {extends.status}: only access that works can be extended.")
    if (ask.product, ask.to) != (extends.ask.product, extends.ask.to):
        raise RefusedError("An extension is for the same product and principal; ask anew for others.", "to")
    if extends.ask.expires is None:
        raise RefusedError(f"The access of request {extends.id} does not expire.", "expires")
    if ask.expires is not None and ask.expires <= extends.ask.expires:
        raise RefusedError(f"It lasts until {extends.ask.expires} already; choose a later day.", "expires")


# ------------------------------------------------------------------------------------------------------ approvers
def approve(request: Request, person: Person, approval: Approval, now: dt.datetime) -> Events:
    """One approver's yes; with the last one that is needed the request is approved."""
    _decides(request, person, approval)
    if person.email.casefold() in (one.casefold() for one in request.approvals):
        raise RefusedError("You have approved this already; it waits for another approver.")
    enough = len(request.approvals) + 1 >= request.needed
    return (_next(request, Kind.APPROVED, person.email, now, Status.APPROVED if enough else Status.REQUESTED),)


def narrow(request: Request, person: Person, approval: Approval, ask: Ask, needed: int, now: dt.datetime) -> Events:
    """Give less than was asked, before approving it. What was approved before was something else, and counts no more.

    `needed`: approvers that the narrower ask needs.
    """
    _decides(request, person, approval)
    _narrower(request.ask, ask)
    data = {"ask": ask.body(), "was": request.ask.body(), "needed": max(needed, 1)}
    return (_next(request, Kind.NARROWED, person.email, now, Status.REQUESTED, data),)


def reject(request: Request, person: Person, approval: Approval, reason: str, now: dt.datetime) -> Events:
    """No, and why."""
    _decides(request, person, approval)
    text = words(reason, "reason", "Say why, so that the requester knows what to do.")
    return (_next(request, Kind.REJECTED, person.email, now, Status.REJECTED, {"reason": text}),)


def ask_back(request: Request, person: Person, approval: Approval, question: str, now: dt.datetime) -> Events:
    """A question to the requester; the request waits for the answer."""
    _decides(request, person, approval)
    text = words(question, "question", "Ask something.")
    return (_next(request, Kind.ASKED_BACK, person.email, now, Status.ASKED_BACK, {"question": text}),)


def _decides(request: Request, person: Person, approval: Approval) -> None:
    if person.email.casefold() == request.requester.casefold():
        raise ForbiddenError("Nobody decides about a request of their own.")
    if person.email.casefold() not in (one.casefold() for one in approval.approvers):
        raise ForbiddenError("Only the approvers of the product's domain decide about this request.")
    if request.status not in OPEN:
        raise RefusedError(f"Request {request.id} is {request.status}: it is decided already.")
    if request.status is Status.ASKED_BACK:
        raise RefusedError(f"Request {request.id} waits for an answer of {request.requester}.")


def _narrower(was: Ask, ask: Ask) -> None:
    """Never more than was asked. Whether filters are stricter is not computed: a filter may be added, not exchanged."""
    if (ask.product, ask.to) != (was.product, was.to):
        raise RefusedError("Narrowing keeps product and principal.", "to")
    if ask.purpose != was.purpose:
        raise RefusedError("The purpose is the requester's own words.", "purpose")
    if ask.access is not was.access:
        raise RefusedError("Narrowing keeps what kind of access it is.", "access")
    if not set(ask.sensitivity) <= set(was.sensitivity):
        raise RefusedError("That names a sensitivity which was not asked for.", "sensitivity")
    if was.columns is not None and not _columns_within(ask.columns, was.columns):
        raise RefusedError("That names a column which was not asked for.", "columns")
    if was.rows is not None and ask.rows != was.rows:
        raise RefusedError("The request has a row filter of its own, which stays.", "rows")
    if was.expires is not None and (ask.expires is None or ask.expires > was.expires):
        raise RefusedError(f"It was asked for until {was.expires}; choose that day or an earlier one.", "expires")
    if ask.digest() == was.digest():
        raise RefusedError("That is what was asked; approve it, or take something away.")


def _columns_within(columns: Mapping[str, list[str]] | None, asked: Mapping[str, list[str]]) -> bool:
    """Every table that was asked for in part is named with no more of its columns."""
    given = columns or {}
    return all(table in given and set(given[table]) <= set(names) for table, names in asked.items())


# ------------------------------------------------------------------------------------------------------ requesters
def answer(request: Request, person: Person, text: str, now: dt.datetime) -> Events:
    """The requester's answer; the request waits for its approvers again."""
    _own(request, person)
    if request.status is not Status.ASKED_BACK:
        raise RefusedError(f"Request {request.id} is {request.status}: nobody asked back.")
    given = words(text, "answer", "Answer something.")
    return (_next(request, Kind.ANSWERED, person.email, now, Status.REQUESTED, {"answer": given}),)


def withdraw(request: Request, person: Person, now: dt.datetime) -> Events:
    """The requester wants it no more, and nobody has decided yet."""
    _own(request, person)
    if request.status not in OPEN:
        raise RefusedError(f"Request {request.id} is {request.status}; ask for the access to be revoked instead.")
    return (_next(request, Kind.WITHDRAWN, person.email, now, Status.WITHDRAWN),)


def _own(request: Request, person: Person) -> None:
    if person.email.casefold() != request.requester.casefold():
        raise ForbiddenError("Only who asked may do that.")


def revoke(request: Request, person: Person, approval: Approval, reason: str, now: dt.datetime) -> Events:
    """Take the access away: by who has it, by an approver of the product, or by a steward."""
    email = person.email.casefold()
    allowed = {request.requester.casefold(), *(one.casefold() for one in approval.approvers)}
    if email not in allowed and not person.steward:
        raise ForbiddenError("Only who asked, an approver of the product or a steward may revoke it.")
    if request.status not in UNDER_WAY | {Status.VERIFIED}:
        raise RefusedError(f"Request {request.id} is {request.status}: there is no access to revoke.")
    text = words(reason, "reason", "Say why: it stands in the audit log.")
    return (_next(request, Kind.REVOKE_ASKED, person.email, now, Status.REVOKING, {"reason": text}),)


# ---------------------------------------------------------------------------------------------------------- system
_STEPS: Final[Mapping[Kind, tuple[frozenset[Status], Status]]] = {
    Kind.PROPOSED: (frozenset({Status.APPROVED}), Status.PROPOSED),
    Kind.MERGED: (frozenset({Status.PROPOSED}), Status.MERGED),
    Kind.DEPLOYED: (frozenset({Status.MERGED}), Status.DEPLOYED),
    Kind.VERIFIED: (frozenset({Status.DEPLOYED}), Status.VERIFIED),
    Kind.REVOKED: (frozenset({Status.REVOKING}), Status.REVOKED),
    Kind.EXPIRED: (UNDER_WAY | {Status.VERIFIED}, Status.EXPIRED),
}


def advance(request: Request, kind: Kind, now: dt.datetime, data: Mapping[str, Any] | None = None) -> Events:
    """A step of provisioning that was seen to happen. Raises RefusedError where it cannot follow what was before."""
    before, after = _STEPS[kind]
    if request.status not in before:
        raise RefusedError(f"Request {request.id} is {request.status}: {kind} cannot follow.")
    return (_next(request, kind, SYSTEM, now, after, data or {}),)


def fail(request: Request, reason: str, now: dt.datetime) -> Events:
    """A step of provisioning did not work; the request is kept, and can be retried."""
    if request.status not in UNDER_WAY - {Status.FAILED}:
        raise RefusedError(f"Request {request.id} is {request.status}: nothing of it can fail.")
    return (_next(request, Kind.FAILED, SYSTEM, now, Status.FAILED, {"reason": reason[:MOST_WORDS]}),)


def retry(request: Request, person: Person, now: dt.datetime) -> Events:
    """Provision again what failed: a steward, or who approved it or asked for it."""
    allowed = {request.requester.casefold(), *(one.casefold() for one in request.approvals)}
    if person.email.casefold() not in allowed and not person.steward:
        raise ForbiddenError("Only who asked, who approved it or a steward may try again.")
    if request.status is not Status.FAILED:
        raise RefusedError(f"Request {request.id} is {request.status}, not failed.")
    return (_next(request, Kind.RETRIED, person.email, now, Status.APPROVED),)


def ticket(request: Request, name: str, until: int, now: dt.datetime) -> Events:
    """The ticket system has a ticket for it, which tells of everything up to event `until`."""
    if request.ticket:
        raise RefusedError(f"Request {request.id} has a ticket already: {request.ticket}.")
    return (_next(request, Kind.TICKET_OPENED, SYSTEM, now, request.status, {"ticket": name, "until": until}),)


def told(request: Request, until: int, now: dt.datetime) -> Events:
    """The ticket tells of everything up to event `until`; nothing where it does already."""
    if until <= request.told:
        return ()
    return (_next(request, Kind.TICKET_TOLD, SYSTEM, now, request.status, {"until": until}),)


def removal(request: Request, proposal: str, now: dt.datetime) -> Events:
    """The grant of revoked access is taken out in a commit or pull request."""
    if request.status is not Status.REVOKING:
        raise RefusedError(f"Request {request.id} is {request.status}: nothing of it is to be taken out.")
    data = {"proposal": proposal}
    return (_next(request, Kind.REMOVAL_PROPOSED, SYSTEM, now, Status.REVOKING, data),)


def trouble(request: Request, what: str, reason: str, now: dt.datetime) -> Events:
    """Something outside did not answer: it is tried again, each time after twice as long, and the request is kept."""
    before = request.troubles.get(what)
    attempts = before.attempts + 1 if before else 1
    wait = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
    retry_at = (now + wait).strftime("%Y-%m-%dT%H:%M:%SZ")
    data = {"what": what, "reason": reason[:MOST_WORDS], "attempts": attempts, "retryAt": retry_at}
    return (_next(request, Kind.TROUBLED, SYSTEM, now, request.status, data),)


def due(request: Request, what: str, now: dt.datetime) -> bool:
    """Whether something that did not answer may be tried again."""
    known = request.troubles.get(what)
    return known is None or now >= known.retry_at


def remind(request: Request, now: dt.datetime, after: dt.timedelta) -> Events:
    """Remind whoever it waits for; nothing where it is not time yet, or nobody is waited for."""
    last = request.reminded_at or request.changed_at
    if request.status not in OPEN or now - last < after:
        return ()
    return (_next(request, Kind.REMINDED, SYSTEM, now, request.status),)


def expired(request: Request, now: dt.datetime) -> bool:
    """Whether its access has run out: `expires` is the first day without it."""
    return request.status not in ENDED | OPEN and request.ask.expires is not None and now.date() >= request.ask.expires


# ---------------------------------------------------------------------------------------------------------- shared
def words(text: str, field: str, missing: str) -> str:
    """What a person wrote, trimmed. Raises RefusedError for nothing, too much, or control characters."""
    trimmed = text.strip()
    if not trimmed:
        raise RefusedError(missing, field)
    if len(trimmed) > MOST_WORDS:
        raise RefusedError(f"{len(trimmed)} characters; at most {MOST_WORDS}.", field)
    if any(not (one.isprintable() or one in "\n\t") for one in trimmed):
        raise RefusedError("It holds control characters.", field)
    return trimmed


def _next(
    request: Request, kind: Kind, actor: str, now: dt.datetime, after: Status, data: Mapping[str, Any] | None = None
) -> Event:
    return Event(request.id, request.sequence + 1, kind, actor, now, request.status, after, data or {})
