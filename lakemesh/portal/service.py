"""What people do in the portal, whatever way they come: pages, JSON and the terminal call these and nothing below.

Each method takes the person who acts and raises ForbiddenError or RefusedError with words for that person. What does
not exist for the person is said not to exist.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from lakemesh.declarations.models import Declarations, Product
from lakemesh.portal.catalogue.browse import Catalogue, Filters, Results
from lakemesh.portal.catalogue.health import HealthOf
from lakemesh.portal.catalogue.page import ProductPage, product_page
from lakemesh.portal.catalogue.visible import Viewer
from lakemesh.portal.requests import commands
from lakemesh.portal.requests.book import Book
from lakemesh.portal.requests.commands import Events, ForbiddenError, RefusedError
from lakemesh.portal.requests.desk import Desk, UnknownRequestError, request_id
from lakemesh.portal.requests.fold import fold
from lakemesh.portal.requests.model import OPEN, UNDER_WAY, Ask, Event, Person, Request, Status
from lakemesh.portal.requests.rules import Approval, approval
from lakemesh.portal.requests.validate import Preview, assumed, preview
from lakemesh.portal.workspace import MeshNow, Workspace

MOST_OPEN: Final = 50
"""Requests of one person that wait at a time."""
_LIVE: Final = OPEN | UNDER_WAY | {Status.VERIFIED, Status.REVOKING}


class UnknownProductError(RefusedError):
    """There is no such product, or none for this person."""


@dataclass(frozen=True)
class Seen:
    """A request as one person sees it."""

    request: Request
    events: tuple[Event, ...]
    approvers: tuple[str, ...]
    may_decide: bool
    may_answer: bool
    may_withdraw: bool
    may_revoke: bool
    may_retry: bool
    may_extend: bool


class Portal:
    """One mesh, one log."""

    def __init__(self, workspace: Workspace, desk: Desk, health: HealthOf | None = None) -> None:
        self.workspace = workspace
        self.desk = desk
        self.book = Book(desk.log)
        self._health = health
        self._catalogue: Catalogue | None = None

    # ------------------------------------------------------------------------------------------------- discovery
    def mesh(self) -> MeshNow:
        """The mesh as it is now."""
        return self.workspace.mesh()

    def catalogue(self) -> Catalogue:
        """Products of the mesh as it is now; its indexes are made once for each reading."""
        declarations = self.mesh().declarations
        made = self._catalogue
        if made is None or made.declarations is not declarations:
            made = self._catalogue = Catalogue(declarations, self._health)
        return made

    def find(self, person: Person, text: str, filters: Filters) -> Results:
        """Products for words, as far as they exist for the person."""
        return self.catalogue().find(person, text, filters)

    def product(self, person: Person, name: str) -> Product:
        """Raises UnknownProductError."""
        product = self.viewer(person).product(name)
        if product is None:
            raise UnknownProductError(f'There is no product "{name}".', "product")
        return product

    def page(self, person: Person, name: str, principal: str | None) -> ProductPage:
        """The product's page as one of the person's principals finds it. Raises UnknownProductError, ForbiddenError."""
        product = self.product(person, name)
        viewer = self.viewer(person)
        if principal is not None and principal not in viewer.principals:
            raise ForbiddenError(f'"{principal}" is no principal of a consumer of yours.', "as")
        now = self.mesh()
        return product_page(now.access, now.places, product, principal)

    def viewer(self, person: Person) -> Viewer:
        """What exists for a person, and whom the person may speak for."""
        return Viewer(self.mesh().declarations, person)

    # ---------------------------------------------------------------------------------------------- for requesters
    def draft(self, person: Person, ask: Ask, extends: str | None = None) -> tuple[Preview, Approval]:
        """What a request would lead to, and who would decide. Stores nothing.

        Raises RefusedError (InvalidAskError for what the mesh would refuse), ForbiddenError, UnknownProductError.
        """
        made, approvals = self._made("REQ-0000000000", person, ask, extends, self.desk.now())
        request = assumed(fold(made), approvals.approvers)
        return preview(self.workspace, request), approvals

    def submit(self, person: Person, ask: Ask, token: str, extends: str | None = None) -> Request:
        """Make a request; `token` is that of its form, and one form makes one request. Raises as `draft` does."""
        found, _ = self.draft(person, ask, extends)
        if found.nothing_new and extends is None:
            raise RefusedError("Nothing would change: this access is there already.", "sensitivity")
        self._room(person, ask, token)
        request = self.desk.open(token, lambda name, now: self._made(name, person, ask, extends, now)[0])
        if request.requester.casefold() != person.email.casefold():
            raise RefusedError("This form was sent by somebody else; begin a new one.")
        self.book.note(request)
        return request

    def duplicate(self, ask: Ask) -> Request | None:
        """A request for the same access that waits, is under way or works."""
        digest = ask.digest()
        live = (one for one in self.book.every().values() if one.status in _LIVE)
        return next((one for one in live if one.ask.digest() == digest), None)

    def _room(self, person: Person, ask: Ask, token: str) -> None:
        email, mine = person.email.casefold(), request_id(token)
        waiting = [
            one for one in self.book.every().values() if one.status in OPEN and one.requester.casefold() == email
        ]
        if len(waiting) >= MOST_OPEN and mine not in {one.id for one in waiting}:
            raise RefusedError(f"{len(waiting)} requests of yours wait already; at most {MOST_OPEN} do at a time.")
        other = self.duplicate(ask)
        if other is not None and other.id != mine:
            raise RefusedError(f"Request {other.id} asks for the same and is {other.status}.", "product")

    def _made(
        self, name: str, person: Person, ask: Ask, extends: str | None, now: dt.datetime
    ) -> tuple[Events, Approval]:
        self.product(person, ask.product)
        declarations = self.mesh().declarations
        ask = _with_an_end(declarations, ask, now.date())
        approvals = approval(declarations, ask, person.email)
        before = self.desk.get(extends) if extends else None
        if before is not None:
            self._visible(person, before)
        return commands.submit(name, ask, person, approvals, now, before), approvals

    def answer(self, person: Person, name: str, text: str) -> Request:
        """Answer what an approver asked back."""
        return self._act(person, name, lambda request, now, _: commands.answer(request, person, text, now))

    def withdraw(self, person: Person, name: str) -> Request:
        """Take a request back that nobody has decided."""
        return self._act(person, name, lambda request, now, _: commands.withdraw(request, person, now))

    # ----------------------------------------------------------------------------------------------- for approvers
    def approve(self, person: Person, name: str, seen: int | None = None) -> Request:
        """Say yes. `seen`: the event up to which the person has seen the request; nothing newer is approved unseen."""

        def decide(request: Request, now: dt.datetime, approvals: Approval) -> Events:
            _unseen(request, seen)
            return commands.approve(request, person, approvals, now)

        return self._act(person, name, decide)

    def narrow(self, person: Person, name: str, ask: Ask, seen: int | None = None) -> Request:
        """Give less than was asked. Raises InvalidAskError for what the mesh would refuse."""
        declarations = self.mesh().declarations

        def decide(request: Request, now: dt.datetime, approvals: Approval) -> Events:
            _unseen(request, seen)
            needed = approval(declarations, ask, request.requester).needed
            events = commands.narrow(request, person, approvals, ask, needed, now)
            preview(self.workspace, assumed(replace(request, ask=ask), approvals.approvers))
            return events

        return self._act(person, name, decide)

    def reject(self, person: Person, name: str, reason: str) -> Request:
        """Say no, and why."""
        return self._act(
            person, name, lambda request, now, approvals: commands.reject(request, person, approvals, reason, now)
        )

    def ask_back(self, person: Person, name: str, question: str) -> Request:
        """Ask the requester something."""
        return self._act(
            person, name, lambda request, now, approvals: commands.ask_back(request, person, approvals, question, now)
        )

    def revoke(self, person: Person, name: str, reason: str) -> Request:
        """Take access away again."""
        return self._act(
            person, name, lambda request, now, approvals: commands.revoke(request, person, approvals, reason, now)
        )

    def retry(self, person: Person, name: str) -> Request:
        """Provision again what failed."""
        return self._act(person, name, lambda request, now, _: commands.retry(request, person, now))

    # ------------------------------------------------------------------------------------------------------ looking
    def requests(self, person: Person) -> list[Request]:
        """Requests that the person may see, the newest first."""
        domains, email = self.viewer(person).domains, person.email.casefold()
        products = self.mesh().declarations.products
        found = [
            one
            for one in self.book.every().values()
            if person.steward
            or one.requester.casefold() == email
            or (one.ask.product in products and products[one.ask.product].domain in domains)
        ]
        return sorted(found, key=lambda one: (one.submitted_at, one.id), reverse=True)

    def waiting(self, person: Person) -> list[Request]:
        """Requests that the person can decide now, the oldest first."""
        return [one for one in reversed(self.requests(person)) if self._may_decide(person, one)]

    def request(self, person: Person, name: str) -> Seen:
        """One request. Raises UnknownRequestError, for one that is none of the person's affair as for none at all."""
        events = tuple(self.desk.log.events(name))
        if not events:
            raise UnknownRequestError(f"There is no request {name}.")
        request = fold(events)
        self._visible(person, request)
        self.book.note(request)
        mine = request.requester.casefold() == person.email.casefold()
        decides = self._may_decide(person, request)
        live = request.status in UNDER_WAY | {Status.VERIFIED}
        approvers = self._approval(request).approvers
        approver = person.email.casefold() in (one.casefold() for one in approvers)
        return Seen(
            request=request,
            events=events,
            approvers=approvers,
            may_decide=decides,
            may_answer=mine and request.status is Status.ASKED_BACK,
            may_withdraw=mine and request.status in OPEN,
            may_revoke=live and (mine or approver or person.steward),
            may_retry=request.status is Status.FAILED and (mine or approver or person.steward),
            may_extend=mine and request.status is Status.VERIFIED and request.ask.expires is not None,
        )

    def export(self, person: Person) -> Iterator[Event]:
        """The whole log. Raises ForbiddenError for whoever is no steward."""
        if not person.steward:
            raise ForbiddenError("Only stewards export the log.")
        return self.desk.log.every()

    # ------------------------------------------------------------------------------------------------------- shared
    def _act(self, person: Person, name: str, decide: Callable[[Request, dt.datetime, Approval], Events]) -> Request:
        def checked(request: Request, now: dt.datetime) -> Events:
            self._visible(person, request)
            return decide(request, now, self._approval(request))

        request = self.desk.act(name, checked)
        self.book.note(request)
        return request

    def _visible(self, person: Person, request: Request) -> None:
        mine = request.requester.casefold() == person.email.casefold()
        product = self.mesh().declarations.products.get(request.ask.product)
        decides = product is not None and product.domain in self.viewer(person).domains
        if not (mine or decides or person.steward):
            raise UnknownRequestError(f"There is no request {request.id}.")

    def _approval(self, request: Request) -> Approval:
        """Who decides now: whoever approves for the domain today, not when it was asked."""
        declarations = self.mesh().declarations
        if request.ask.product not in declarations.products:
            return Approval(request.needed, ())
        return replace(approval(declarations, request.ask, request.requester), needed=request.needed)

    def _may_decide(self, person: Person, request: Request) -> bool:
        if request.status is not Status.REQUESTED:
            return False
        email = person.email.casefold()
        decided = email in (one.casefold() for one in request.approvals)
        return not decided and email in (one.casefold() for one in self._approval(request).approvers)


def _unseen(request: Request, seen: int | None) -> None:
    if seen is not None and request.sequence != seen:
        raise RefusedError("The request has changed since you looked at it: look again before you decide.")


def _with_an_end(declarations: Declarations, ask: Ask, today: dt.date) -> Ask:
    """No access for ever: what names no day ends on the last one that the mesh allows; a later one is refused."""
    last = today + dt.timedelta(days=declarations.mesh.approvals.longest_days)
    if ask.expires is None:
        return replace(ask, expires=last)
    if ask.expires > last:
        raise RefusedError(f"The longest is {declarations.mesh.approvals.longest_days} days: until {last}.", "expires")
    if ask.expires <= today:
        raise RefusedError("That day is past; `expires` is the first day without access.", "expires")
    return ask
