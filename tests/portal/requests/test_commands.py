from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lakemesh.declarations.models import Sensitivity
from lakemesh.portal.requests import commands
from lakemesh.portal.requests.commands import Events, ForbiddenError, RefusedError
from lakemesh.portal.requests.fold import BrokenLogError, apply, fold
from lakemesh.portal.requests.model import SYSTEM, Ask, Event, Kind, Person, Request, Status
from tests.portal.requests.people import MARA, NADIA, NONE, NOW, ONE, RUTH, STEWARD, TOMAS, TWO, ask

LATER = NOW + dt.timedelta(hours=1)
INTERNAL = (Sensitivity.INTERNAL,)


def requested(approval: Any = ONE, **changes: Any) -> Request:
    return fold(commands.submit("REQ-1", ask(**changes), MARA, approval, NOW, None))


def after(request: Request, *steps: Callable[[Request], Events]) -> Request:
    for step in steps:
        for event in step(request):
            request = apply(request, event)
    return request


def approved() -> Request:
    return after(requested(), lambda one: commands.approve(one, NADIA, ONE, LATER))


def verified(**changes: Any) -> Request:
    steps = [
        (Kind.PROPOSED, {"proposal": "0ddba11"}), (Kind.MERGED, {}), (Kind.DEPLOYED, {}), (Kind.VERIFIED, {}),
    ]  # fmt: skip
    request = after(requested(**changes), lambda one: commands.approve(one, NADIA, ONE, LATER))
    for kind, data in steps:
        request = after(request, lambda one, kind=kind, data=data: commands.advance(one, kind, LATER, data))  # type: ignore[misc]
    return request


def refused(step: Callable[[], Events]) -> RefusedError:
    with pytest.raises(RefusedError) as error:
        step()
    return error.value


# ------------------------------------------------------------------------------------------------------- submitting
def test_a_request_waits_for_its_approvers() -> None:
    request = requested()
    assert (request.status, request.requester, request.needed) == (Status.REQUESTED, MARA.email, 1)
    assert request.ask == ask()


def test_nobody_asks_for_another_consumer() -> None:
    error = refused(lambda: commands.submit("REQ-1", ask(), RUTH, ONE, NOW, None))
    assert isinstance(error, ForbiddenError)
    assert error.field == "to"


@pytest.mark.parametrize(
    "purpose",
    ["", "  \n ", "x" * 2001, "a\x00b", "a\x1b[31mb", "a\u202eb"],
    ids=["empty", "blank", "too long", "NUL", "terminal escape", "right-to-left override"],
)
def test_a_purpose_that_says_nothing_or_hides_something_is_refused_beside_its_field(purpose: str) -> None:
    error = refused(lambda: commands.submit("REQ-1", ask(purpose=purpose), MARA, ONE, NOW, None))
    assert error.field == "purpose"


def test_what_cannot_find_enough_approvers_is_refused_at_once() -> None:
    error = refused(lambda: commands.submit("REQ-1", ask(), MARA, replace(TWO, approvers=("a@b.example",)), NOW, None))
    assert "needs 2 approvers other than you, and the domain has 1" in str(error)


def test_approval_by_rule_is_an_event_of_its_own() -> None:
    events = commands.submit("REQ-1", ask(), MARA, NONE, NOW, None)
    assert [(event.kind, event.actor) for event in events] == [(Kind.SUBMITTED, MARA.email), (Kind.APPROVED, SYSTEM)]
    assert fold(events).status is Status.APPROVED


# --------------------------------------------------------------------------------------------------------- deciding
def test_one_yes_is_enough_where_one_is_needed() -> None:
    request = approved()
    assert (request.status, request.approvals, request.approved_at) == (Status.APPROVED, (NADIA.email,), LATER)


def test_two_people_have_to_say_yes_where_two_are_needed() -> None:
    request = after(requested(TWO), lambda one: commands.approve(one, NADIA, TWO, LATER))
    assert request.status is Status.REQUESTED
    assert "waits for another approver" in str(refused(lambda: commands.approve(request, NADIA, TWO, LATER)))
    request = after(request, lambda one: commands.approve(one, TOMAS, TWO, LATER))
    assert request.status is Status.APPROVED


def test_one_person_in_two_spellings_is_one_person() -> None:
    request = after(requested(TWO), lambda one: commands.approve(one, TOMAS, TWO, LATER))
    twin = Person("tomas@SALES.example")
    assert isinstance(refused(lambda: commands.approve(request, twin, TWO, LATER)), RefusedError)


DECISIONS: list[tuple[str, Callable[[Request, Person], Events]]] = [
    ("approve", lambda request, who: commands.approve(request, who, ONE, LATER)),
    ("ask back", lambda request, who: commands.ask_back(request, who, ONE, "Why?", LATER)),
    ("narrow", lambda request, who: commands.narrow(request, who, ONE, ask(sensitivity=INTERNAL), 1, LATER)),
    ("reject", lambda request, who: commands.reject(request, who, ONE, "No.", LATER)),
]


@pytest.mark.parametrize(("name", "decide"), DECISIONS, ids=[name for name, _ in DECISIONS])
def test_nobody_but_an_approver_decides(name: str, decide: Callable[[Request, Person], Events]) -> None:
    for person in (RUTH, STEWARD, MARA):
        with pytest.raises(ForbiddenError):
            decide(requested(), person)


@pytest.mark.parametrize(("name", "decide"), DECISIONS, ids=[name for name, _ in DECISIONS])
def test_an_approver_decides_nothing_about_a_request_of_their_own(
    name: str, decide: Callable[[Request, Person], Events]
) -> None:
    nadia = replace(NADIA, consumers=frozenset({"shop"}))
    own = fold(commands.submit("REQ-1", ask(), nadia, ONE, NOW, None))
    with pytest.raises(ForbiddenError, match="of their own"):
        decide(own, replace(nadia, email=nadia.email.upper()))


@pytest.mark.parametrize(("name", "decide"), DECISIONS, ids=[name for name, _ in DECISIONS])
def test_what_is_decided_stays_decided(name: str, decide: Callable[[Request, Person], Events]) -> None:
    withdrawn = after(requested(), lambda one: commands.withdraw(one, MARA, LATER))
    for request in (approved(), withdrawn):
        assert "decided already" in str(refused(lambda request=request: decide(request, TOMAS)))  # type: ignore[misc]


def test_a_question_is_answered_by_who_asked_and_by_nobody_else() -> None:
    asked = after(requested(), lambda one: commands.ask_back(one, NADIA, ONE, "For how long?", LATER))
    assert (asked.status, asked.question) == (Status.ASKED_BACK, "For how long?")
    assert isinstance(refused(lambda: commands.answer(asked, NADIA, "A year.", LATER)), ForbiddenError)
    assert "waits for an answer" in str(refused(lambda: commands.approve(asked, NADIA, ONE, LATER)))
    answered = after(asked, lambda one: commands.answer(one, MARA, "Until June.", LATER))
    assert (answered.status, answered.question) == (Status.REQUESTED, "")


def test_a_narrower_ask_needs_every_yes_anew() -> None:
    request = after(
        requested(TWO),
        lambda one: commands.approve(one, NADIA, TWO, LATER),
        lambda one: commands.narrow(one, TOMAS, TWO, ask(sensitivity=INTERNAL), 1, LATER),
    )
    assert (request.ask.sensitivity, request.asked, request.approvals, request.needed) == (INTERNAL, ask(), (), 1)
    assert after(request, lambda one: commands.approve(one, TOMAS, TWO, LATER)).status is Status.APPROVED


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"columns": {"orders": ["id", "name"]}}, ""),
        ({"expires": dt.date(2026, 7, 1)}, "expires"),
        ({"expires": None}, "expires"),
        ({"product": "returns"}, "to"),
        ({"purpose": "Something else."}, "purpose"),
        ({"sensitivity": (Sensitivity.RESTRICTED,)}, "sensitivity"),
        ({"to": "shop"}, "to"),
        ({}, ""),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_narrowing_never_widens(change: dict[str, Any], field: str) -> None:
    request = requested()
    if "columns" in change:  # fewer columns are narrower, whatever was asked
        assert after(request, lambda one: commands.narrow(one, NADIA, ONE, ask(**change), 1, LATER)).ask == ask(
            **change
        )
        return
    assert refused(lambda: commands.narrow(request, NADIA, ONE, ask(**change), 1, LATER)).field == field


@pytest.mark.parametrize(
    ("asked", "given", "good"),
    [
        ({"t": ["a", "b"]}, None, False),
        ({"t": ["a", "b"]}, {"t": ["b"]}, True),
        ({"t": ["a", "b"]}, {"t": ["b", "c"]}, False),
        ({"t": ["a", "b"]}, {"u": ["b"]}, False),
        ({"t": ["a"]}, {"t": ["a"], "u": ["b"]}, True),
    ],
)
def test_fewer_columns_are_narrower_and_others_are_not(asked: Any, given: Any, good: bool) -> None:
    request = requested(columns=asked)
    narrow = lambda: commands.narrow(request, NADIA, ONE, ask(columns=given), 1, LATER)  # noqa: E731
    if good:
        assert narrow()[0].after is Status.REQUESTED
    else:
        assert refused(narrow).field == "columns"


def test_a_row_filter_may_be_added_and_not_exchanged() -> None:
    added = after(requested(), lambda one: commands.narrow(one, NADIA, ONE, ask(rows="country = 'DE'"), 1, LATER))
    assert added.ask.rows == "country = 'DE'"
    other = ask(rows="country = 'FR'")
    assert refused(lambda: commands.narrow(added, NADIA, ONE, other, 1, LATER)).field == "rows"


# ------------------------------------------------------------------------------------------------------ afterwards
def test_only_who_asked_withdraws_and_only_before_the_decision() -> None:
    assert isinstance(refused(lambda: commands.withdraw(requested(), NADIA, LATER)), ForbiddenError)
    assert after(requested(), lambda one: commands.withdraw(one, MARA, LATER)).status is Status.WITHDRAWN
    assert "revoked instead" in str(refused(lambda: commands.withdraw(approved(), MARA, LATER)))


@pytest.mark.parametrize("who", [MARA, NADIA, STEWARD], ids=lambda person: person.email)
def test_access_is_revoked_by_who_has_it_gave_it_or_watches_over_it(who: Person) -> None:
    request = after(verified(), lambda one: commands.revoke(one, who, ONE, "Project over.", LATER))
    assert (request.status, request.reason) == (Status.REVOKING, "Project over.")
    assert after(request, lambda one: commands.advance(one, Kind.REVOKED, LATER)).status is Status.REVOKED


def test_nobody_else_revokes() -> None:
    assert isinstance(refused(lambda: commands.revoke(verified(), RUTH, ONE, "Mine.", LATER)), ForbiddenError)


def test_provisioning_skips_no_step() -> None:
    assert "cannot follow" in str(refused(lambda: commands.advance(approved(), Kind.VERIFIED, LATER)))
    assert verified().proposal == "0ddba11"


def test_what_failed_keeps_its_reason_and_can_be_tried_again() -> None:
    failed = after(approved(), lambda one: commands.fail(one, "The branch is protected.", LATER))
    assert (failed.status, failed.reason) == (Status.FAILED, "The branch is protected.")
    assert isinstance(refused(lambda: commands.retry(failed, RUTH, LATER)), ForbiddenError)
    again = after(failed, lambda one: commands.retry(one, NADIA, LATER))
    assert (again.status, again.reason) == (Status.APPROVED, "")


def test_an_extension_is_a_request_for_the_same_grant() -> None:
    first = verified()
    longer = ask(expires=dt.date(2026, 12, 31))
    request = fold(commands.submit("REQ-2", longer, MARA, ONE, LATER, first))
    assert (request.extends, request.grant_id) == ("REQ-1", first.grant_id)
    third = fold(
        commands.submit(
            "REQ-3", ask(expires=dt.date(2027, 1, 31)), MARA, ONE, LATER, replace(request, status=Status.VERIFIED)
        )
    )
    assert third.grant_id == first.grant_id


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"expires": dt.date(2026, 6, 30)}, "until 2026-06-30 already"),
        ({"product": "returns"}, "same product and principal"),
        ({"to": "shop"}, "same product and principal"),
    ],
    ids=["no longer", "other product", "other principal"],
)
def test_an_extension_extends(change: dict[str, Any], said: str) -> None:
    first = verified()
    assert said in str(refused(lambda: commands.submit("REQ-2", ask(**change), MARA, ONE, LATER, first)))


def test_only_access_that_works_can_be_extended() -> None:
    longer = ask(expires=dt.date(2026, 12, 31))
    assert "only access that works" in str(
        refused(lambda: commands.submit("REQ-2", longer, MARA, ONE, LATER, approved()))
    )


def test_approvers_are_reminded_again_and_again_until_they_decide() -> None:
    three = dt.timedelta(days=3)
    request = requested()
    assert commands.remind(request, NOW + dt.timedelta(days=2), three) == ()
    reminded = after(request, lambda one: commands.remind(one, NOW + three, three))
    assert (reminded.status, reminded.reminded_at) == (Status.REQUESTED, NOW + three)
    assert commands.remind(reminded, NOW + dt.timedelta(days=5), three) == ()
    assert commands.remind(reminded, NOW + dt.timedelta(days=6), three)
    assert commands.remind(approved(), NOW + dt.timedelta(days=60), three) == ()


def test_access_expires_on_the_first_day_without_it() -> None:
    request = verified()
    assert not commands.expired(request, dt.datetime(2026, 6, 29, 23, 59, tzinfo=dt.UTC))
    assert commands.expired(request, dt.datetime(2026, 6, 30, tzinfo=dt.UTC))
    assert not commands.expired(requested(), dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    assert not commands.expired(replace(request, ask=ask(expires=None)), dt.datetime(2027, 1, 1, tzinfo=dt.UTC))


def test_a_ticket_is_opened_once() -> None:
    request = after(requested(), lambda one: commands.ticket(one, "FIN-7", 1, LATER))
    assert (request.ticket, request.told, request.status) == ("FIN-7", 1, Status.REQUESTED)
    assert "FIN-7" in str(refused(lambda: commands.ticket(request, "FIN-8", 1, LATER)))
    assert after(request, lambda one: commands.told(one, 2, LATER)).told == 2
    assert commands.told(request, 1, LATER) == ()


def test_what_does_not_answer_is_tried_again_after_longer_and_longer_waits() -> None:
    request, now, waits = requested(), NOW, []
    for _ in range(12):
        request = after(request, lambda one, now=now: commands.trouble(one, "ticket", "HTTP 503", now))  # type: ignore[misc]
        retry_at = request.troubles["ticket"].retry_at
        waits.append(retry_at - now)
        assert not commands.due(request, "ticket", retry_at - dt.timedelta(seconds=1))
        assert commands.due(request, "ticket", retry_at)
        now = retry_at
    assert waits[:3] == [dt.timedelta(minutes=minutes) for minutes in (1, 2, 4)]
    assert waits[-1] == dt.timedelta(hours=6)
    assert request.status is Status.REQUESTED
    assert commands.due(request, "provision", now)
    assert after(request, lambda one: commands.ticket(one, "FIN-7", 13, now)).troubles == {}


def test_only_what_is_revoked_is_taken_out() -> None:
    assert "nothing of it is to be taken out" in str(refused(lambda: commands.removal(verified(), "1", LATER)))
    revoking = after(verified(), lambda one: commands.revoke(one, MARA, ONE, "Over.", LATER))
    assert after(revoking, lambda one: commands.removal(one, "beef", LATER)).proposal == "beef"


# ------------------------------------------------------------------------------------------------------------- log
def test_events_and_asks_survive_json() -> None:
    everything = ask(columns={"orders": ["id"]}, rows="id > 3")
    (event,) = commands.submit("REQ-1", everything, MARA, ONE, NOW, None)
    assert Event.of(event.body()) == event
    assert Ask.of(everything.body()) == everything


def test_two_purposes_want_the_same_access() -> None:
    assert ask(purpose="a").digest() == ask(purpose="b").digest() != ask(rows="id = 1").digest()


def test_a_log_with_a_gap_is_broken_and_says_where() -> None:
    first = commands.submit("REQ-1", ask(), MARA, ONE, NOW, None)
    (yes,) = commands.approve(fold(first), NADIA, ONE, LATER)
    with pytest.raises(BrokenLogError, match=r"event 3 of request REQ-1 .* does not follow event 1"):
        fold([*first, replace(yes, sequence=3)])
    with pytest.raises(BrokenLogError, match="begins with event 2"):
        fold([yes])
    with pytest.raises(BrokenLogError, match="no such request"):
        fold([])
