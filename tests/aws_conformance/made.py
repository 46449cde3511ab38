"""Names of this run, and what has to be undone at the end of a check."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.aws_conformance.waiting import code_of, patiently

_GONE = {
    "EntityNotFoundException", "NoSuchEntity", "NoSuchBucket", "NotFoundException", "ResourceNotFoundException",
    "NoSuchKey", "UnknownResourceException", "NoSuchBucketPolicy", "NotImplementedByLocalAws",
}  # fmt: skip
"""What is not there any more needs no undoing, nor what the local AWS could not make in the first place."""


class LeftoversError(ExceptionGroup):
    """Things of this run that could not be removed: each error's note names the call."""


class Undo:
    """A stack of calls that undo what was done; `run` makes them all, last first, whatever fails in between."""

    def __init__(self) -> None:
        self._calls: list[tuple[str, Callable[..., Any], dict[str, Any]]] = []

    def later(self, call: Callable[..., Any], /, **params: Any) -> None:
        """Register it *before* what it undoes is done: a call that times out may have had its effect."""
        self._calls.append((getattr(call, "__name__", str(call)), call, params))

    def run(self) -> None:
        """Undo everything. Raises LeftoversError with what could not be undone."""
        failed: list[Exception] = []
        while self._calls:
            name, call, params = self._calls.pop()
            try:
                patiently(_unless_gone, timeout=10.0, call=call, params=params)
            except Exception as error:  # noqa: BLE001 - whatever it is, the rest still has to be undone
                error.add_note(f"left behind: {name} {params}")
                failed.append(error)
        if failed:
            raise LeftoversError("some of what this run made could not be removed; remove it by hand", failed)


def _unless_gone(call: Callable[..., Any], params: dict[str, Any]) -> None:
    try:
        call(**params)
    except ClientError as error:
        if code_of(error) not in _GONE and "No permissions revoked" not in str(error):
            raise


class Names:
    """Names with the run's prefix: `names("sales")` is "lmc1a2b3c4d_sales_1"."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._numbers = itertools.count(1)

    def __call__(self, what: str, separator: str = "_") -> str:
        return separator.join((self.prefix, what, str(next(self._numbers))))
