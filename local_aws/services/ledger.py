"""The ledger of the in-process engine: which resources a stack of a project has, kept where those resources live.

A ledger is any JSON object, by (project, stack); the engine decides what is in it. It goes with a reset, as everything does.
"""

from __future__ import annotations

import threading
from typing import Any

from local_aws.services.calls import on_reset

_lock = threading.Lock()
_ledgers: dict[tuple[str, str], Any] = {}


def get(project: str, stack: str) -> Any | None:
    with _lock:
        return _ledgers.get((project, stack))


def put(project: str, stack: str, ledger: Any) -> None:
    with _lock:
        _ledgers[project, stack] = ledger


def delete(project: str, stack: str) -> bool:
    """Forget a ledger; False: there was none."""
    with _lock:
        return _ledgers.pop((project, stack), None) is not None


def stacks() -> list[tuple[str, str]]:
    with _lock:
        return sorted(_ledgers)


@on_reset
def clear() -> None:
    with _lock:
        _ledgers.clear()
