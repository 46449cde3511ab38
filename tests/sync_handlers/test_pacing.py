"""How fast accounts are called, and what happens when they say it was too fast."""

from __future__ import annotations

import threading

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from sync_handlers import pacing
from sync_handlers.pacing import ATTEMPTS, LEAST, MOST, NETWORK_ATTEMPTS, Bucket, Pace
from tests.sync_handlers.fakes import error

OF = pacing.of
"""As it is outside tests, which let nobody wait."""
RATE = error("ThrottlingException", "Rate exceeded")


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Api:
    """Fails as told, then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.calls = list(failures), 0

    def __call__(self) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def pace(most: float = 10.0) -> tuple[Pace, Clock]:
    clock = Clock()
    return Pace(most, clock, clock.sleep), clock


def test_no_more_calls_are_made_in_a_second_than_the_budget_has() -> None:
    at, clock = pace(10)
    for _ in range(60):
        at.run("GetTable", Api())
    assert clock.now == pytest.approx(5.0), "a second's worth at once, the others by the rate"


def test_each_api_has_a_budget_of_its_own() -> None:
    at, clock = pace(10)
    for api in ("GetTable", "GetPartitions"):
        for _ in range(10):
            at.run(api, Api())
    assert clock.slept == []


def test_a_throttle_halves_the_rate_of_its_api_alone_and_answers_raise_it_again() -> None:
    at, _ = pace(10)
    at.run("GetTable", Api())
    at.run("GetPartitions", Api(RATE, RATE))
    rates = at.rates()
    assert rates["GetTable"] == 10
    assert 2.5 <= rates["GetPartitions"] < 3
    for _ in range(100):
        at.run("GetPartitions", Api())
    assert at.rates()["GetPartitions"] == 10


def test_no_number_of_throttles_stops_an_api_for_good() -> None:
    bucket = Bucket(10)
    for _ in range(99):
        bucket.slower()
    assert bucket.rate == LEAST


def test_a_throttled_call_is_repeated_with_jitter_a_bounded_number_of_times() -> None:
    at, clock = pace(1000)
    api = Api(*[RATE] * 99)
    with pytest.raises(ClientError, match="Rate exceeded"):
        at.run("GetTable", api)
    assert api.calls == ATTEMPTS
    assert sum(clock.slept) < 30, "a handler keeps 30 seconds back"
    again, other = pace(1000)
    with pytest.raises(ClientError):
        again.run("GetTable", Api(*[RATE] * 99))
    assert clock.slept != other.slept, "two that collided do not collide again"


@pytest.mark.parametrize(
    "failure",
    [
        EndpointConnectionError(endpoint_url="https://glue"),
        ReadTimeoutError(endpoint_url="https://glue"),
        error("InternalServiceException", "", 500),
        error("ServiceUnavailable", "", 503),
    ],
    ids=["connection", "timeout", "500", "503"],
)
def test_a_passing_fault_is_met_by_the_same_call_again_and_is_no_throttle(failure: Exception) -> None:
    at, _ = pace()
    assert at.run("GetTable", Api(failure)) == "answer"
    assert at.rates()["GetTable"] == 10


def test_a_service_that_does_not_answer_is_asked_a_few_times_only() -> None:
    at, _ = pace()
    api = Api(*[ReadTimeoutError(endpoint_url="https://glue")] * 9)
    with pytest.raises(ReadTimeoutError):
        at.run("GetTable", api)
    assert api.calls == NETWORK_ATTEMPTS


@pytest.mark.parametrize("code", ["AccessDeniedException", "EntityNotFoundException", "InvalidInputException"])
def test_an_answer_that_says_no_is_taken_at_once(code: str) -> None:
    at, clock = pace()
    api = Api(*[error(code)] * 9)
    with pytest.raises(ClientError, match=code):
        at.run("GetTable", api)
    assert (api.calls, clock.slept) == (1, [])


def test_invocations_that_run_at_once_share_what_an_account_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEMESH_CONCURRENCY", "5")
    pacing.settings.cache_clear()
    monkeypatch.setattr(pacing, "_paces", {})
    try:
        account = OF("111122223333")
        assert account.most == MOST / 5
        assert OF("111122223333") is account
        assert OF("444455556666") is not account
    finally:
        pacing.settings.cache_clear()


def test_threads_share_one_budget() -> None:
    at, clock = pace(10)
    threads = [threading.Thread(target=lambda: [at.run("GetPartitions", Api()) for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.now >= 2.9
