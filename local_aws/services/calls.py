"""One AWS API call as a value, the errors it may end in, and the registry of operations this extension answers itself.

An operation is *modelled* when a handler is registered here (`operation`) or when moto's own answer is good enough
(`allow`). Everything else is refused by name: see `local_aws.services.front`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from local_aws.services.identity import Identity

LOCK = threading.RLock()
"""Held while a handler of an `exclusive` operation runs: compare-and-set and cascades see one consistent state."""


class AwsError(Exception):
    """An error answer. `code` is the service's own error code, `status` the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def not_implemented(service: str, operation: str) -> AwsError:
    """The refusal that names what is not modelled."""
    return AwsError(
        "NotImplementedByLocalAws",
        f"NotImplementedByLocalAws: {service}.{operation}. The local AWS refuses what it does not model; "
        "docs/local-aws.md lists what it models.",
        501,
    )


@dataclass
class Call:
    """One request after parsing: `params` as the SDK sent them, `identity` who sent them."""

    service: str
    operation: str
    region: str
    identity: Identity
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The caller's account."""
        return self.identity.account

    @property
    def catalog(self) -> str:
        """`CatalogId` of the call, by default the caller's account (Glue API, `CatalogId`)."""
        return self.params.get("CatalogId") or self.identity.account


Handler = Callable[[Call], Mapping[str, Any] | None]
H = TypeVar("H", bound=Handler)
Listener = Callable[[Call, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Operation:
    handler: Handler
    exclusive: bool


_operations: dict[tuple[str, str], Operation] = {}
_allowed: set[tuple[str, str]] = set()
_listeners: list[Listener] = []
_resets: list[Callable[[], None]] = []
_before_resets: list[Callable[[], None]] = []


def operation(service: str, *names: str, exclusive: bool = False) -> Callable[[H], H]:
    """Register a handler for operations of a service (botocore's service name): `@operation("glue", "GetTable")`.

    The handler gets the `Call` and returns the members of the output shape; it raises `AwsError`.
    """

    def register(handler: H) -> H:
        for name in names:
            _operations[service, name] = Operation(handler, exclusive)
        return handler

    return register


def allow(service: str, *names: str) -> None:
    """Let moto answer these operations: someone looked and its answer is AWS's, as far as the program uses it."""
    _allowed.update((service, name) for name in names)


def find(service: str, name: str) -> Operation | None:
    """The handler of an operation; None: moto answers. Raises `AwsError` for what is not modelled."""
    found = _operations.get((service, name))
    if found is None and (service, name) not in _allowed:
        raise not_implemented(service, name)
    return found


def modelled() -> set[tuple[str, str]]:
    """Every (service, operation) that is answered, for the documentation and its test."""
    return set(_operations) | _allowed


def after_call(listener: Listener) -> Listener:
    """Call `listener(call, result)` after each successful call of a registered operation, for example to emit events.

    `result` is what the handler returned; `call.params` may have been normalised (lower-cased names) by the handler.
    """
    _listeners.append(listener)
    return listener


def notify(call: Call, result: Mapping[str, Any]) -> None:
    for listener in _listeners:
        listener(call, result)


def on_reset(clear: Callable[[], None]) -> Callable[[], None]:
    """Register what forgets a service's state when the local AWS is reset."""
    _resets.append(clear)
    return clear


def before_reset(quiet: Callable[[], None]) -> Callable[[], None]:
    """Register what has to come to an end before a reset; it runs without the lock, which it may wait for."""
    _before_resets.append(quiet)
    return quiet


def reset() -> None:
    """Forget the state of every service, moto's and ours."""
    from moto.core.base_backend import BackendDict

    for quiet in _before_resets:
        quiet()
    with LOCK:
        BackendDict.reset()
        for clear in _resets:
            clear()


def page(
    items: list[Any],
    call: Call,
    limit: int,
    *,
    size: str = "MaxResults",
    token: str = "NextToken",  # noqa: S107 - a parameter's name
) -> tuple[list[Any], str | None]:
    """One page of `items` and the token of the next: what the call asked for, never more than `limit`."""
    text = call.params.get(token)
    try:
        start = int(text) if text else 0
    except ValueError as error:
        raise AwsError("InvalidInputException", f"Invalid {token}.") from error
    count = min(int(call.params.get(size) or limit), limit)
    following = start + count
    return items[start:following], str(following) if following < len(items) else None
