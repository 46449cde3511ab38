from __future__ import annotations

from collections.abc import Sequence

import pytest

from sync_handlers.batches import ATTEMPTS, Batches, Failure, ItemError, TooLargeError, chunks
from sync_handlers.budget import Budget
from sync_handlers.errors import OutOfTimeError
from tests.sync_handlers.fakes import budget


class Service:
    """Takes at most `room` items a call and fails items by what `codes` says, one code a call."""

    def __init__(self, codes: dict[int, list[str]] | None = None, room: int = 10**9) -> None:
        self.codes = codes or {}
        self.room = room
        self.calls: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[Failure[int]]:
        self.calls.append(list(items))
        if len(items) > self.room:
            raise TooLargeError
        return [Failure(item, self.codes[item].pop(0), "no") for item in items if self.codes.get(item)]


def batches(service: Service, size: int = 4, settled: frozenset[str] = frozenset()) -> Batches[int]:
    return Batches(service, size, budget(), settled)


def test_items_travel_in_as_few_calls_as_the_limit_allows() -> None:
    service = Service()
    run = batches(service)
    run.apply(range(9))
    assert service.calls == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]
    assert (run.done, run.failures) == (9, [])


def test_nothing_to_do_is_no_call() -> None:
    service = Service()
    batches(service).apply([])
    assert service.calls == []


def test_an_item_that_failed_is_tried_again_by_itself() -> None:
    service = Service({2: ["InternalServiceException"]})
    run = batches(service)
    run.apply(range(4))
    assert service.calls == [[0, 1, 2, 3], [2]]
    assert (run.done, run.failures) == (4, [])


def test_an_item_that_keeps_failing_is_reported_and_the_others_are_done() -> None:
    service = Service({1: ["InvalidInputException"] * 9})
    run = batches(service)
    run.apply(range(4))
    assert service.calls == [[0, 1, 2, 3], [1]], "a fault of the item itself is tried once more, not for ever"
    assert run.done == 3
    assert run.failures == [Failure(1, "InvalidInputException", "no")]


def test_a_transient_failure_is_tried_a_bounded_number_of_times() -> None:
    service = Service({1: ["ThrottlingException"] * 99})
    run = batches(service)
    run.apply([1])
    assert len(service.calls) == ATTEMPTS
    assert run.failures[0].code == "ThrottlingException"


def test_a_code_that_means_the_state_is_as_wanted_is_success() -> None:
    service = Service({1: ["EntityNotFoundException"]})
    run = batches(service, settled=frozenset({"EntityNotFoundException"}))
    run.apply([0, 1])
    assert (run.done, run.failures) == (2, [])
    assert len(service.calls) == 1


def test_a_request_that_is_too_large_is_halved_until_it_fits() -> None:
    service = Service(room=1)
    run = batches(service)
    run.apply(range(4))
    assert service.calls == [[0, 1, 2, 3], [0, 1], [0], [1], [2, 3], [2], [3]]
    assert (run.done, run.failures) == (4, [])


def test_a_single_item_that_is_too_large_is_reported() -> None:
    run = batches(Service(room=0))
    run.apply([7])
    assert run.failures[0].item == 7
    assert run.failures[0].code == "RequestTooLarge"


def test_a_call_that_fails_as_a_whole_blames_only_the_item_at_fault() -> None:
    calls: list[list[int]] = []

    def call(items: Sequence[int]) -> list[Failure[int]]:
        calls.append(list(items))
        if 2 in items:
            raise ItemError("InvalidInputException", "2 is bad")
        return []

    run = Batches(call, 4, budget())
    run.apply(range(4))
    assert run.done == 3
    assert run.failures == [Failure(2, "InvalidInputException", "2 is bad")]


@pytest.mark.parametrize(("times", "done"), [(1, 4), (ATTEMPTS, 0)])
def test_a_call_that_fails_as_a_whole_for_a_moment_is_repeated_whole_and_never_item_by_item(
    times: int, done: int
) -> None:
    calls: list[list[int]] = []

    def call(items: Sequence[int]) -> list[Failure[int]]:
        calls.append(list(items))
        if len(calls) <= times:
            raise ItemError("ThrottlingException", "Rate exceeded")
        return []

    run = Batches(call, 4, budget())
    run.apply(range(4))
    assert calls == [[0, 1, 2, 3]] * min(times + 1, ATTEMPTS)
    assert run.done == done
    assert [failure.item for failure in run.failures] == ([] if done else [0, 1, 2, 3])


def test_an_item_too_large_among_others_is_found_by_halving_and_the_others_are_done() -> None:
    def call(items: Sequence[int]) -> list[Failure[int]]:
        if 5 in items:
            raise TooLargeError
        return []

    run = Batches(call, 100, budget())
    run.apply(range(100))
    assert run.done == 99
    assert run.failures == [Failure(5, "RequestTooLarge", "larger than one request may be")]


def test_no_batch_is_sent_when_time_is_short() -> None:
    service = Service()
    with pytest.raises(OutOfTimeError):
        Batches(service, 4, Budget(lambda: 1_000)).apply([1])
    assert service.calls == []


def test_chunks_of_a_stream_are_bounded() -> None:
    assert list(chunks(iter(range(5)), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks([], 2)) == []
