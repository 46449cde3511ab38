"""Policies as AWS answers them, as values. Pure."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping
from typing import Any


def document(given: Any) -> Mapping[str, Any]:
    """A policy as IAM answers it: an object, or JSON that may be URL-encoded. Empty where it is neither."""
    if isinstance(given, Mapping):
        return given
    try:
        found = json.loads(urllib.parse.unquote(str(given)) if str(given).startswith("%") else str(given))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def statements(given: Any) -> tuple[Mapping[str, Any], ...]:
    """Statements of a policy; the grammar allows one without brackets ("policies-grammar")."""
    value = document(given).get("Statement") or ()
    return (value,) if isinstance(value, Mapping) else tuple(one for one in value if isinstance(one, Mapping))
