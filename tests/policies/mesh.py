"""The manifest that the tests' programs belong to: the sample's."""

from __future__ import annotations

import copy
import datetime as dt
from functools import cache
from typing import Any

from lakemesh.access.check import load_mesh
from lakemesh.declarations.manifest import manifest
from tests.policies.record import ROOT

TODAY = dt.date(2026, 6, 1)


@cache
def _compiled() -> dict[str, Any]:
    return manifest(load_mesh(ROOT / "mesh", TODAY))


def compiled() -> dict[str, Any]:
    """A manifest to change at will."""
    return copy.deepcopy(_compiled())


def configuration(document: dict[str, Any] | None = None, **more: Any) -> dict[str, dict[str, Any]]:
    """Configuration of the pack, as in a file given to --policy-pack-config."""
    found = {"manifest": compiled() if document is None else document, "today": TODAY.isoformat(), **more}
    return {"mesh-is-described": found}
