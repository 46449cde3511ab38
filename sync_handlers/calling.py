"""What an AWS error answer means to a handler: one reading of the codes for every service."""

from __future__ import annotations

from typing import NoReturn

from botocore.exceptions import ClientError

from sync_handlers import clients


class MissingError(Exception):
    """The service says that the object does not exist."""


class DeniedError(Exception):
    """The service refuses; the object may or may not exist."""


class ConflictError(Exception):
    """The object is no longer what was compared: read again, plan again."""


CONFLICTS = frozenset({"ConcurrentModificationException", "AlreadyExistsException"})


def fail(error: ClientError, conflicts: frozenset[str] = CONFLICTS) -> NoReturn:
    """Raises MissingError, DeniedError or, for a code of `conflicts`, ConflictError; `error` itself where it is none of
    them."""
    code, text = clients.code(error), clients.text(error)
    if code == "EntityNotFoundException":
        raise MissingError(text) from error
    if clients.denied(error):
        raise DeniedError(text) from error
    if code in conflicts:
        raise ConflictError(text) from error
    raise error
