"""What happens to requests without a person: tickets, provisioning, verification, reminders, expiry.

A clerk looks at every request and does the next thing that is due; it can be run again and again, by several processes,
and stopped anywhere. What does not answer is tried again later, and the request says so.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from lakemesh.access.approvals import FOLDER, Statement, content_digest, signed
from lakemesh.portal.provision import grants_file
from lakemesh.portal.provision.entry import entry
from lakemesh.portal.provision.repository import Change, RefusedByRepositoryError, Repository, UnreachableError
from lakemesh.portal.requests import commands
from lakemesh.portal.requests.commands import Events, RefusedError
from lakemesh.portal.requests.desk import Desk
from lakemesh.portal.requests.model import ENDED, Kind, Request, Status
from lakemesh.portal.requests.rules import approval
from lakemesh.portal.service import Portal
from lakemesh.portal.tickets.ticket import TicketError, Tickets, description, news, title

logger = logging.getLogger("lakemesh.portal")
TICKET: Final = "ticket"
PROVISION: Final = "provision"
VERIFY: Final = "verify"


class LiveError(Exception):
    """What is deployed cannot be read; it is asked again later."""


class Live(Protocol):
    """What is really deployed, asked of the accounts."""

    def granted(self, request: Request) -> bool:
        """Whether the permissions of the request's grant are there. Raises LiveError."""

    def readable(self, request: Request) -> tuple[str, ...]:
        """`table.column` of everything of the product that the principal can read now. Raises LiveError."""

    def expected(self, request: Request) -> tuple[str, ...]:
        """`table.column` that the request's grant opens, by the declarations."""


@dataclass(frozen=True)
class Signer:
    """The portal's key; `approvals.signers` of mesh.yaml lists its public half."""

    name: str
    private_key: bytes


@dataclass
class Clerk:
    """One portal's housekeeping."""

    portal: Portal
    tickets: Tickets
    repository: Repository
    live: Live | None
    url: str
    """Of the portal, for links in tickets."""
    signer: Signer | None = None

    @property
    def desk(self) -> Desk:
        return self.portal.desk

    def work(self) -> int:
        """Do what is due for every request; how many things were done."""
        return sum(self.look(request.id) for request in list(self.portal.book.every().values()) if _due(request))

    def look(self, identifier: str) -> int:
        """Do what is due for one request, until nothing is; how many things were done."""
        done = 0
        while round_ := self._round(identifier):
            done += round_
        return done

    def _round(self, identifier: str) -> int:
        done = 0
        for step in (
            self._expire,
            self._ticket,
            self._remind,
            self._provision,
            self._follow,
            self._verify,
            self._take_out,
        ):
            done += step(self.desk.get(identifier))
        return done

    # ---------------------------------------------------------------------------------------------------- by clock
    def _expire(self, request: Request) -> int:
        if not commands.expired(request, self.desk.now()):
            return 0
        return self._act(request, lambda one, now: commands.advance(one, Kind.EXPIRED, now))

    def _remind(self, request: Request) -> int:
        after = dt.timedelta(days=self.portal.mesh().declarations.mesh.approvals.reminder_days)
        return self._act(request, lambda one, now: commands.remind(one, now, after))

    # ----------------------------------------------------------------------------------------------------- tickets
    def _ticket(self, request: Request) -> int:
        if not commands.due(request, TICKET, self.desk.now()):
            return 0
        events = self.desk.log.events(request.id)
        lines = news(event for event in events if event.sequence > request.told)
        try:
            if not request.ticket:
                return self._open(request)
            if not lines:
                return 0
            self.tickets.tell(request, lines, request.status in ENDED)
        except TicketError as error:
            return self._trouble(request, TICKET, str(error))
        return self._act(request, lambda one, now: commands.told(one, request.sequence, now))

    def _open(self, request: Request) -> int:
        declarations = self.portal.mesh().declarations
        approvers: tuple[str, ...] = ()
        if request.ask.product in declarations.products:
            approvers = approval(declarations, request.ask, request.requester).approvers
        lines = description(request, approvers, f"{self.url}/requests/{request.id}")
        name = self.tickets.open(request, title(request), lines)
        return self._act(request, lambda one, now: commands.ticket(one, name, 1, now))

    # ------------------------------------------------------------------------------------------------ provisioning
    def _provision(self, request: Request) -> int:
        if request.status is not Status.APPROVED or not commands.due(request, PROVISION, self.desk.now()):
            return 0
        written = entry(request)
        before = self._extended(request)

        def edit(text: str) -> str:
            return grants_file.exchanged(text, before, written) if before else grants_file.added(text, written)

        files: dict[str, Callable[[str], str]] = {f"grants/{self._domain(request)}.yaml": edit}
        if self.signer is not None:
            statement = self._statement(request, written, self.signer)
            files[f"{FOLDER}/{request.grant_id}.json"] = lambda _: statement
        return self._propose(
            request, _change(request, "Grant", files), lambda one, name, now: _proposed(one, name, written, now)
        )

    def _extended(self, request: Request) -> Mapping[str, Any]:
        """The grant that the request prolongs, as the portal wrote it last; empty for a new one."""
        if request.extends is None:
            return {}
        same = [
            one
            for one in self.portal.book.every().values()
            if one.id != request.id and one.grant_id == request.grant_id and one.written
        ]
        latest = max(same, key=lambda one: one.changed_at, default=None)
        return _read_back(latest.written) if latest is not None else {}

    def _statement(self, request: Request, written: Mapping[str, Any], signer: Signer) -> str:
        digest = content_digest(self._domain(request), grants_file.plain(written))
        decided = request.approved_at or request.changed_at
        made = Statement(request.grant_id, digest, request.id, request.approvals, decided)
        return json.dumps(signed(made, signer.name, signer.private_key), indent=2, sort_keys=True) + "\n"

    def _take_out(self, request: Request) -> int:
        """Revoked: the entry goes, and with what is deployed the access."""
        if request.status is not Status.REVOKING or not commands.due(request, PROVISION, self.desk.now()):
            return 0
        if not request.written:  # nothing was ever written
            return self._act(request, lambda one, now: commands.advance(one, Kind.REVOKED, now))
        if not self._removal(request):
            was = _read_back(request.written)
            files: dict[str, Callable[[str], str]] = {
                f"grants/{self._domain(request)}.yaml": lambda text: grants_file.removed(text, was),
                f"{FOLDER}/{request.grant_id}.json": lambda _: "",
            }
            change = _change(request, "Revoke", files)
            return self._propose(request, change, commands.removal)
        try:
            if not self.repository.merged(request.proposal) or (self.live is not None and self.live.granted(request)):
                return 0
        except (UnreachableError, LiveError, RefusedByRepositoryError) as error:
            return self._trouble(request, PROVISION, str(error))
        return self._act(request, lambda one, now: commands.advance(one, Kind.REVOKED, now))

    def _removal(self, request: Request) -> bool:
        """Whether the removal stands in a proposal already."""
        return any(event.kind is Kind.REMOVAL_PROPOSED for event in self.desk.log.events(request.id))

    def _propose(self, request: Request, change: Change, events: Callable[[Request, str, dt.datetime], Events]) -> int:
        try:
            name = self.repository.propose(change)
        except UnreachableError as error:
            return self._trouble(request, PROVISION, str(error))
        except (RefusedByRepositoryError, grants_file.EditConflictError) as error:
            if request.status is Status.REVOKING:
                return self._trouble(request, PROVISION, str(error))
            return self._fail(request, str(error))
        return self._act(request, lambda one, now: events(one, name, now))

    def _follow(self, request: Request) -> int:
        """Merged, then deployed."""
        if not commands.due(request, PROVISION, self.desk.now()):
            return 0
        try:
            if request.status is Status.PROPOSED and self.repository.merged(request.proposal):
                return self._act(request, lambda one, now: commands.advance(one, Kind.MERGED, now))
            if request.status is Status.MERGED and self.live is not None and self.live.granted(request):
                return self._act(request, lambda one, now: commands.advance(one, Kind.DEPLOYED, now))
        except RefusedByRepositoryError as error:
            return self._fail(request, str(error))
        except (UnreachableError, LiveError) as error:
            return self._trouble(request, PROVISION, str(error))
        return 0

    def _verify(self, request: Request) -> int:
        """The evaluator on what is deployed says that the principal can read what was asked."""
        if request.status is not Status.DEPLOYED or self.live is None:
            return 0
        if not commands.due(request, VERIFY, self.desk.now()):
            return 0
        try:
            missing = sorted(set(self.live.expected(request)) - set(self.live.readable(request)))
        except LiveError as error:
            return self._trouble(request, VERIFY, str(error))
        if missing:
            some = ", ".join(missing[:5])
            return self._trouble(request, VERIFY, f"{request.ask.to} cannot read {some} yet; is its consumer deployed?")
        return self._act(request, lambda one, now: commands.advance(one, Kind.VERIFIED, now))

    # ------------------------------------------------------------------------------------------------------ shared
    def _domain(self, request: Request) -> str:
        products = self.portal.mesh().declarations.products
        if request.ask.product not in products:
            raise RefusedError(f'There is no product "{request.ask.product}" any more.')
        return products[request.ask.product].domain

    def _fail(self, request: Request, reason: str) -> int:
        logger.warning("request %s failed", request.id)
        return self._act(request, lambda one, now: commands.fail(one, reason, now))

    def _trouble(self, request: Request, what: str, reason: str) -> int:
        logger.warning("request %s: %s does not answer", request.id, what)
        return self._act(request, lambda one, now: commands.trouble(one, what, reason, now))

    def _act(self, request: Request, decide: Callable[[Request, dt.datetime], Events]) -> int:
        """Add events where they still follow; what another process did meanwhile is its own business."""
        try:
            after = self.desk.act(request.id, decide)
        except RefusedError:
            return 0
        self.portal.book.note(after)
        return int(after.sequence > request.sequence)


def _due(request: Request) -> bool:
    """Whether anything may be due: ended requests are silent once their ticket knows."""
    return request.status not in ENDED or request.told < request.sequence - 1 or not request.ticket


def _proposed(request: Request, name: str, written: Mapping[str, Any], now: dt.datetime) -> Events:
    data = {"proposal": name, "entry": _as_json(written)}
    return commands.advance(request, Kind.PROPOSED, now, data)


def _change(request: Request, verb: str, files: Mapping[str, Callable[[str], str]]) -> Change:
    """The same name for the same change, whoever proposes it again."""
    return Change(
        branch=f"lakemesh/{verb.lower()}-{request.id.lower()}",
        title=f"feat(grants): {verb.lower()} {request.ask.product} to {request.ask.to} ({request.id})",
        body=f"{verb} of request {request.id}, asked by {request.requester}, decided by "
        f"{', '.join(request.approvals) or 'rule'}. Ticket: {request.ticket or 'none'}.",
        files=files,
    )


_DATES: Final = ("approvedAt", "expires")


def _as_json(written: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, dt.date) else value for key, value in written.items()}


def _read_back(written: Mapping[str, Any]) -> dict[str, Any]:
    return {key: dt.date.fromisoformat(value) if key in _DATES else value for key, value in written.items()}
