"""Keeps a run of the checks to what it made itself.

Every call that may change something has to name something of this run: its random prefix, or an identifier that the
run was given for something it made. Everything else is refused before it leaves the machine.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

_READS = re.compile(r"(?:Get|List|Describe|BatchGet|Head|Search|Lookup|Query|Assume|Decrypt|StopQueryExecution)\w*")
"""Operations that change nothing, by their names. AssumeRole makes credentials and nothing else."""
SETTINGS = "PutDataLakeSettings"


class UnsafeCallError(Exception):
    """A check tried to change something that this run did not make, or settings that it was not allowed to change."""


def new_prefix() -> str:
    """A prefix that nothing else has: letters and digits, so that it is good for every service's names."""
    return f"lmc{secrets.token_hex(4)}"


class Guard:
    """Watches the clients of one run. `prefix` begins the name of everything that the run makes."""

    def __init__(self, *, may_change_settings: bool, prefix: str) -> None:
        self.prefix = prefix
        self.may_change_settings = may_change_settings
        self._made: set[str] = {self.prefix}

    def made(self, identifier: str) -> str:
        """Note the identifier that AWS gave to something that this run made: a key's, an invitation's to our share."""
        self._made.add(identifier)
        return identifier

    def watch(self, client: Any) -> None:
        """Ask `check` before each call of a boto3 client."""
        client.meta.events.register_first("provide-client-params.*.*", self._before)

    def _before(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        self.check(model.service_model.service_name, model.name, params)

    def check(self, service: str, operation: str, params: Mapping[str, Any]) -> None:
        """Raise UnsafeCallError where a call could change something that is not this run's."""
        if _READS.fullmatch(operation):
            return
        if operation == SETTINGS:
            if self.may_change_settings:
                return
            raise UnsafeCallError(
                "The data lake settings of an account decide over everything in it. They are changed, and put back as "
                "they were, with --may-change-settings only."
            )
        if not any(mine in text for text in _strings(params) for mine in self._made):
            raise UnsafeCallError(
                f"{service}.{operation} names nothing that this run made (its prefix is {self.prefix}): "
                f"{json.dumps(params, default=str)[:300]}"
            )


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)
