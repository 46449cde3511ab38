"""Waiting for AWS: what was changed shows after a while there, and at once on the local AWS.

A check says what must become true and uses these everywhere, so that its code is the same in both places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from time import monotonic, sleep
from typing import Any, TypeVar

from botocore.exceptions import ClientError

T = TypeVar("T")

PATIENCE = 180.0
"""Seconds to wait on AWS: IAM and Lake Formation propagate within a minute or two as a rule."""
IMPATIENCE = 1.0
"""The same on the local AWS, where all shows at once: time enough for its threads."""
LONGEST_PAUSE = 15.0
_PASSING = re.compile(
    r"ConcurrentModification|Throttl|TooManyRequests|Rate exceeded|[Ii]nvalid principal|Invalid role|cannot be assumed|"
    r"not found in .*propagat|MalformedPolicyDocument|NoSuchEntity|OperationAborted"
)
"""Errors of a call that is right and comes too early: IAM does not know a new role everywhere yet, or a resource is
being changed by the call before."""

_timeout = IMPATIENCE


def be_patient(seconds: float) -> None:
    """How long `eventually` waits where it is not told otherwise."""
    global _timeout  # noqa: PLW0603 - one pytest run talks to one place
    _timeout = seconds


def eventually(check: Callable[[], T], timeout: float | None = None) -> T:
    """What `check` returns once it raises no AssertionError or ClientError any more, tried with growing pauses.

    Raises AssertionError with the last failure when the time is over. An error of the local AWS that it does not model
    something passes at once: waiting does not help.
    """
    end, pause = monotonic() + (_timeout if timeout is None else timeout), 0.05
    while True:
        try:
            return check()
        except (AssertionError, ClientError) as error:
            if code_of(error) == "NotImplementedByLocalAws":
                raise
            if monotonic() + pause > end:
                raise AssertionError(f"it did not become so: {error}") from error
        sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def patiently(call: Callable[..., T], /, timeout: float | None = None, **params: Any) -> T:
    """The answer of a call that prepares a check, made again while it only comes too early.

    Errors stay ClientError: a preparation that fails refutes nothing.
    """
    end, pause = monotonic() + (_timeout if timeout is None else timeout), 0.05
    while True:
        try:
            return call(**params)
        except ClientError as error:
            if not _PASSING.search(str(error)) or monotonic() + pause > end:
                raise
        sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def code_of(error: BaseException) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def allowed(call: Callable[..., T], /, **params: Any) -> T:
    """The answer of a call which, by the assumption, succeeds. Raises AssertionError where it does not."""
    try:
        return call(**params)
    except ClientError as error:
        raise AssertionError(f"it should be allowed: {error}") from error


def refused(code: str | tuple[str, ...], call: Callable[..., Any], /, match: str = "", **params: Any) -> str:
    """The message of the error which, by the assumption, a call ends in. Raises AssertionError where it does not."""
    wanted = (code,) if isinstance(code, str) else code
    ended = _ended(call, params)
    assert isinstance(ended, ClientError), f"it should be refused with {' or '.join(wanted)}; it gave {_short(ended)}"
    message = str(ended.response["Error"]["Message"])
    assert code_of(ended) in wanted, f"refused with {code_of(ended)} instead of {' or '.join(wanted)}: {message}"
    assert re.search(match, message), f'the message does not contain "{match}": {message}'
    return message


def _ended(call: Callable[..., Any], params: Mapping[str, Any]) -> Any:
    try:
        return call(**params)
    except ClientError as error:
        return error


def attempt(call: Callable[..., Any], /, **params: Any) -> str:
    """How a call ends, for questions whose answer is not known: "accepted", or the error's code."""
    try:
        call(**params)
    except ClientError as error:
        return code_of(error)
    return "accepted"


def failures_of(call: Callable[..., Any], /, **params: Any) -> list[str]:
    """Codes of all that failed of a call with Failures, whether it answers with them or is refused as a whole."""
    try:
        answer = call(**params)
    except ClientError as error:
        return [code_of(error)]
    return [str(failure["Error"]["ErrorCode"]) for failure in answer.get("Failures", ())]


def _short(answer: Any) -> str:
    if isinstance(answer, Mapping):
        # Sessions of a sandbox account do not belong into a terminal.
        answer = {key: value for key, value in answer.items() if key not in {"ResponseMetadata", "Credentials"}}
    return repr(answer)[:300]
