"""Makes the SDK decode each resource once, and not once for every policy.

The SDK turns a resource's properties from protocol buffers into Python anew for each of the pack's policies, and a
stack as a whole for each stack policy: with sixty policies nine tenths of the pack's time. What comes out is
read-only to rules, so the same input may as well give the same object. Only three names of the SDK's module are
replaced; where a version of it has others nothing happens, and the pack is slower and just as right.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import pulumi_policy.policy as sdk

REMEMBERED: Final = 20_000
"""Resources and providers that are kept; beyond that all are forgotten."""


def decode_once(module: ModuleType = sdk) -> bool:
    """Replace what decodes. Says whether it did."""
    names = vars(module)
    if not {"json_format", "deserialize_properties", "unknown_checking_proxy"} <= set(names):
        return False
    names["json_format"] = SimpleNamespace(MessageToDict=_by_content(names["json_format"].MessageToDict))
    for name in ("deserialize_properties", "unknown_checking_proxy"):
        names[name] = _by_identity(names[name])
    return True


def _by_content(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    known: dict[bytes, Any] = {}

    def remembered(message: Any) -> Any:
        # Deterministic: maps of equal messages may be serialized in any order, which would only cost time.
        key = message.SerializeToString(deterministic=True)
        if (found := known.get(key)) is None:
            if len(known) >= REMEMBERED:
                known.clear()
            found = known[key] = function(message)
        return found

    return remembered


def _by_identity(function: Callable[..., Any]) -> Callable[..., Any]:
    """For functions of what `_by_content` returns. Keeps the argument, so that its identity stays taken."""
    known: dict[int, tuple[Any, Any]] = {}

    def remembered(value: Any, *more: Any) -> Any:
        if more:
            return function(value, *more)
        found = known.get(id(value))
        if found is None or found[0] is not value:
            if len(known) >= REMEMBERED:
                known.clear()
            found = known[id(value)] = (value, function(value))
        return found[1]

    return remembered
