"""Apply many items by a batch call that may take some and refuse others.

Glue's batch calls answer 200 with per-item `Errors`, so each answer is read. What failed is tried again by itself, a
batch that is too large is halved, and what still fails is reported at the end, by name. No boto3 here: the call is a
parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sync_handlers.budget import Budget

T = TypeVar("T")
ATTEMPTS = 4


class TooLargeError(Exception):
    """The request's body is over the service's limit."""


class ItemError(Exception):
    """The whole call failed for a reason that may lie in one of its items."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Failure(Generic[T]):
    item: T
    code: str
    message: str


TRANSIENT = frozenset(
    {
        "ConcurrentModificationException",
        "InternalServiceException",
        "InternalServerException",
        "OperationTimeoutException",
        "ResourceNotReadyException",
        "ServiceUnavailable",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


@dataclass
class Batches(Generic[T]):
    """`call` sends at most `size` items and returns the failures among them; it may raise TooLargeError or ItemError.

    `settled` names error codes that mean the wanted state holds already, such as a deletion of what is gone.
    """

    call: Callable[[Sequence[T]], Sequence[Failure[T]]]
    size: int
    budget: Budget
    settled: frozenset[str] = frozenset()
    done: int = 0
    failures: list[Failure[T]] = field(default_factory=list)

    def apply(self, items: Iterable[T]) -> None:
        for chunk in chunks(items, self.size):
            self._send(chunk)

    def _send(self, chunk: Sequence[T], attempt: int = 1) -> None:
        self.budget.spend()
        try:
            failed = list(self.call(chunk))
        except TooLargeError:
            self._halve(chunk)
            return
        except ItemError as error:
            failed = [Failure(item, error.code, error.message) for item in chunk]
            if error.code in TRANSIENT:
                self._again(chunk, failed, attempt)
                return
            if len(chunk) == 1:
                self._settle(failed[0])
                return
            # One bad item fails some calls as a whole: each is tried by itself, so that it alone is left.
        self.done += len(chunk) - len(failed)
        for failure in failed:
            self._alone(failure)

    def _halve(self, chunk: Sequence[T]) -> None:
        if len(chunk) == 1:
            self.failures.append(Failure(chunk[0], "RequestTooLarge", "larger than one request may be"))
            return
        half = len(chunk) // 2
        self._send(chunk[:half])
        self._send(chunk[half:])

    def _again(self, chunk: Sequence[T], failed: list[Failure[T]], attempt: int) -> None:
        """A whole call that failed for a moment: the same call again. Item by item it would be a hundred calls, just
        when the service asks for fewer."""
        if attempt >= ATTEMPTS:
            self.failures += failed
            return
        self.budget.back_off(attempt)
        self._send(chunk, attempt + 1)

    def _alone(self, failure: Failure[T]) -> None:
        for attempt in range(1, ATTEMPTS):
            if failure.code in self.settled:
                break
            if attempt > 1:
                if failure.code not in TRANSIENT:
                    break
                self.budget.back_off(attempt)
            else:
                self.budget.spend()
            again = self._once(failure.item)
            if again is None:
                self.done += 1
                return
            failure = again
        self._settle(failure)

    def _once(self, item: T) -> Failure[T] | None:
        try:
            failed = self.call([item])
        except TooLargeError:
            return Failure(item, "RequestTooLarge", "larger than one request may be")
        except ItemError as error:
            return Failure(item, error.code, error.message)
        return failed[0] if failed else None

    def _settle(self, failure: Failure[T]) -> None:
        if failure.code in self.settled:
            self.done += 1
        else:
            self.failures.append(failure)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` items, holding one at a time."""
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) >= size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
