"""The journal: every call that changed something, in order.

Kept so that a test can evaluate access after each entry (did anyone lose or gain access *in between*?) and so that a
person can see what a deployment did. Reads are not in it.
"""

from __future__ import annotations

import re
import threading
import time
from typing import Any

from local_aws.services.calls import Call, on_reset

_READ = re.compile(
    r"^(Get|List|Describe|Head|BatchGet|Search|Filter|Lookup|Query|Scan|Select|Receive|Validate|AssumeRole)"
)
_SECRET = re.compile(r"secret|password|token", re.IGNORECASE)
LONGEST_TEXT = 2_000
OF_A_BATCH = 2
"""Structures kept of a list of partitions: two tell what a batch was, and none of them bears on access."""

_lock = threading.Lock()
_entries: list[dict[str, Any]] = []


def is_mutating(operation: str) -> bool:
    return _READ.match(operation) is None


def _short(value: Any, most: int | None = None) -> Any:
    """`value` as JSON can hold it: no bodies, no code, no secrets, of a list `most` structures."""
    if isinstance(value, dict):
        return {str(key): "***" if _SECRET.search(str(key)) else _short(item, most) for key, item in value.items()}
    if isinstance(value, list | tuple):
        if most is not None and len(value) > most and isinstance(value[0], dict):
            return [*(_short(item, most) for item in value[:most]), f"<{len(value) - most} more>"]
        return [_short(item, most) for item in value]
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else f"<{len(value)} characters>"
    if value is None or isinstance(value, int | float | bool):
        return value
    return str(value)


def record(call: Call, error: str | None = None) -> None:
    """Append a call, with the code of the error it ended in (None: it succeeded)."""
    if not is_mutating(call.operation):
        return
    entry = {
        "time": time.time(),
        "principal": call.identity.arn,
        "account": call.account,
        "region": call.region,
        "service": call.service,
        "operation": call.operation,
        "parameters": _short(call.params, OF_A_BATCH if "Partition" in call.operation else None),
        "error": error,
    }
    with _lock:
        entry["sequence"] = len(_entries)
        _entries.append(entry)


def entries(after: int = 0) -> list[dict[str, Any]]:
    """Entries from sequence number `after` on."""
    with _lock:
        return list(_entries[after:])


@on_reset
def clear() -> None:
    with _lock:
        _entries.clear()
