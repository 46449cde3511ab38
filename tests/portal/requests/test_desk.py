from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lakemesh.declarations.models import Sensitivity
from lakemesh.portal.requests import commands
from lakemesh.portal.requests.commands import Events, RefusedError
from lakemesh.portal.requests.desk import Desk, UnknownRequestError, new_token, request_id
from lakemesh.portal.requests.fold import fold
from lakemesh.portal.requests.log import ConflictError
from lakemesh.portal.requests.model import ENDED, OPEN, Event, Kind, Person, Request, Status
from tests.portal.requests.people import MARA, NADIA, NOW, ONE, RUTH, STEWARD, TOMAS, TWO, MemoryLog, ask

Decide = Callable[[Request, dt.datetime], Events]


def desk() -> Desk:
    return Desk(MemoryLog(), lambda: NOW)


def submit(desk: Desk) -> Request:
    return desk.open("the form", lambda identifier, now: commands.submit(identifier, ask(), MARA, ONE, now, None))


def test_a_form_sent_twice_is_one_request() -> None:
    one = desk()
    assert submit(one) == submit(one)
    assert len(list(one.log.every())) == 1


def test_two_forms_are_two_requests() -> None:
    assert request_id(new_token()) != request_id(new_token())


def test_a_request_that_is_not_there_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownRequestError, match="no request REQ-NOWHERE"):
        desk().act("REQ-NOWHERE", lambda request, now: commands.withdraw(request, MARA, now))


def test_who_comes_second_decides_on_what_the_first_left() -> None:
    """The withdrawal lands between the approver's reading and writing."""
    one = desk()
    request = submit(one)
    calls = []

    def approve(seen: Request, now: dt.datetime) -> Events:
        calls.append(seen.status)
        if len(calls) == 1:
            one.act(request.id, lambda other, then: commands.withdraw(other, MARA, then))
        return commands.approve(seen, NADIA, ONE, now)

    with pytest.raises(RefusedError, match="decided already"):
        one.act(request.id, approve)
    assert calls == [Status.REQUESTED, Status.WITHDRAWN]
    assert one.get(request.id).status is Status.WITHDRAWN


def test_a_request_that_others_change_all_the_time_is_given_up_with_a_word() -> None:
    class Busy(MemoryLog):
        def append(self, events: object) -> None:
            raise ConflictError("x")

    log = Busy()
    quiet = Desk(MemoryLog(), lambda: NOW)
    request = submit(quiet)
    log.kept[request.id] = quiet.log.events(request.id)
    with pytest.raises(RefusedError, match="at this moment"):
        Desk(log, lambda: NOW).act(request.id, lambda seen, now: commands.withdraw(seen, MARA, now))


PEOPLE = st.sampled_from([MARA, NADIA, RUTH, STEWARD, TOMAS])
INTERNAL = (Sensitivity.INTERNAL,)


class Requests(RuleBasedStateMachine):
    """Anybody does anything at any time, with stale pages and repeated clicks."""

    @initialize()
    def begin(self) -> None:
        self.desk = desk()
        self.request = self.desk.open("t", lambda name, now: commands.submit(name, ask(), MARA, TWO, now, None))
        self.stale: list[Request] = [self.request]

    def _try(self, decide: Decide, stale: bool) -> None:
        """By the desk, or as a page that was loaded some time ago would: both have to keep the log whole."""
        try:
            if stale:
                self.desk.log.append(decide(self.stale[len(self.stale) // 2], NOW))
            else:
                self.desk.act(self.request.id, decide)
        except (RefusedError, ConflictError):
            pass
        self.stale.append(self.desk.get(self.request.id))

    @rule(who=PEOPLE, stale=st.booleans())
    def approve(self, who: Person, stale: bool) -> None:
        self._try(lambda request, now: commands.approve(request, who, TWO, now), stale)

    @rule(who=PEOPLE, stale=st.booleans())
    def reject(self, who: Person, stale: bool) -> None:
        self._try(lambda request, now: commands.reject(request, who, TWO, "No.", now), stale)

    @rule(who=PEOPLE, stale=st.booleans())
    def narrow(self, who: Person, stale: bool) -> None:
        self._try(lambda request, now: commands.narrow(request, who, TWO, ask(sensitivity=INTERNAL), 1, now), stale)

    @rule(who=PEOPLE, stale=st.booleans())
    def withdraw(self, who: Person, stale: bool) -> None:
        self._try(lambda request, now: commands.withdraw(request, who, now), stale)

    @rule(who=PEOPLE, stale=st.booleans())
    def ask_back(self, who: Person, stale: bool) -> None:
        self._try(lambda request, now: commands.ask_back(request, who, TWO, "Why?", now), stale)

    @rule(who=PEOPLE, stale=st.booleans())
    def answer(self, who: Person, stale: bool) -> None:
        self._try(lambda request, now: commands.answer(request, who, "So.", now), stale)

    @rule(who=PEOPLE, stale=st.booleans())
    def revoke(self, who: Person, stale: bool) -> None:
        self._try(lambda request, now: commands.revoke(request, who, TWO, "Over.", now), stale)

    @precondition(lambda self: self.desk.get(self.request.id).status not in OPEN | ENDED)
    @rule(kind=st.sampled_from([Kind.DEPLOYED, Kind.EXPIRED, Kind.MERGED, Kind.PROPOSED, Kind.REVOKED, Kind.VERIFIED]))
    def advance(self, kind: Kind) -> None:
        self._try(lambda request, now: commands.advance(request, kind, now, {"proposal": "1"}), False)

    @invariant()
    def the_log_is_whole_and_the_past_is_as_it_was(self) -> None:
        events = self.desk.log.events(self.request.id)
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert fold(events) == self.desk.get(self.request.id)

    @invariant()
    def it_is_decided_once_and_what_has_ended_stays_ended(self) -> None:
        events = self.desk.log.events(self.request.id)
        decided = [
            e for e in events if e.after in {Status.APPROVED, Status.REJECTED, Status.WITHDRAWN} and e.before in OPEN
        ]
        assert len(decided) <= 1
        ended = [position for position, event in enumerate(events) if event.after in ENDED]
        assert not ended or ended[0] == len(events) - 1

    @invariant()
    def nothing_is_approved_but_by_enough_approvers_of_what_it_is_now(self) -> None:
        events = self.desk.log.events(self.request.id)
        if not any(event.after is Status.APPROVED for event in events):
            return
        last_change = max(e.sequence for e in events if e.kind in {Kind.NARROWED, Kind.SUBMITTED})
        said_yes = _approvers(events, last_change)
        assert len(said_yes) >= fold(events).needed
        assert said_yes <= {NADIA.email, TOMAS.email}


def _approvers(events: list[Event], since: int) -> set[str]:
    return {event.actor for event in events if event.kind is Kind.APPROVED and event.sequence > since}


Requests.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestRequests = Requests.TestCase
