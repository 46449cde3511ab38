"""The ledger of the in-process engine: which resources a stack of a project has, kept where those resources live.

A ledger has `resources` (JSON objects by a key of the engine's choice), `outputs` and `complete` (whether the last run
that changed something ended well). It is written entry by entry, by the holder of the stack's lock. It goes with a
reset, as everything does. `answer` is its HTTP face, below `/_local/ledger`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local_aws.services.calls import on_reset

Answer = tuple[int, Any]


@dataclass
class Ledger:
    resources: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    complete: bool = False


@dataclass(frozen=True)
class Holder:
    """Who holds a stack's lock: a process of this machine, and the token that releases it."""

    pid: int
    token: str
    since: float

    @property
    def alive(self) -> bool:
        """Whether that process still runs; the lock of one that was killed is free."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


_lock = threading.Lock()
_ledgers: dict[tuple[str, str], Ledger] = {}
_holders: dict[tuple[str, str], Holder] = {}


@on_reset
def clear() -> None:
    with _lock:
        _ledgers.clear()
        _holders.clear()


def answer(method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
    """Answer a request: HTTP status and JSON-able body. `path` is what follows `/_local/ledger`.

    * `GET ""`: every stack; `GET /<project>/<stack>`: its ledger
    * `PUT, DELETE /<project>/<stack>/lock` with `token` (and `pid`): take and release the lock
    * `PATCH /<project>/<stack>` with `token`, `set`, `drop`, `outputs`, `complete`: change it; `DELETE`: forget it
    """
    parts = tuple(part for part in path.split("/") if part)
    body = body or {}
    with _lock:
        if method == "GET" and not parts:
            stacks = [{"project": p, "stack": s, "complete": ledger.complete} for (p, s), ledger in _ledgers.items()]
            return 200, {"stacks": stacks}
        if len(parts) == 3 and parts[2] == "lock" and method in {"PUT", "DELETE"}:
            return (_take if method == "PUT" else _release)((parts[0], parts[1]), body)
        if len(parts) == 2 and method in {"GET", "PATCH", "DELETE"}:
            return _of_stack(method, (parts[0], parts[1]), body)
    return 404, {"error": f"The ledger has nothing at {method} {path or '/'}."}


def _take(stack: tuple[str, str], body: Mapping[str, Any]) -> Answer:
    holder = _holders.get(stack)
    if holder is not None and holder.alive:
        return 409, {"error": "locked", "pid": holder.pid, "since": holder.since}
    _holders[stack] = Holder(int(body["pid"]), str(body["token"]), time.time())
    return 200, {}


def _release(stack: tuple[str, str], body: Mapping[str, Any]) -> Answer:
    if stack in _holders and _holders[stack].token == body.get("token"):
        del _holders[stack]
    return 200, {}


def _of_stack(method: str, stack: tuple[str, str], body: Mapping[str, Any]) -> Answer:
    ledger = _ledgers.get(stack)
    if method == "GET":
        if ledger is None:
            return 404, {"error": "no such stack"}
        return 200, {"resources": ledger.resources, "outputs": ledger.outputs, "complete": ledger.complete}
    if stack not in _holders or _holders[stack].token != body.get("token"):
        return 409, {"error": "The lock of this stack is not held by who asks."}
    if method == "DELETE":
        _ledgers.pop(stack, None)
        return 200, {}
    ledger = _ledgers.setdefault(stack, Ledger())
    for key in body.get("drop", ()):
        ledger.resources.pop(key, None)
    ledger.resources.update(body.get("set", {}))
    ledger.outputs = body.get("outputs", ledger.outputs)
    ledger.complete = body.get("complete", ledger.complete)
    return 200, {}
