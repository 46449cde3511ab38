"""The sync works at last: somebody made it administrator."""

from __future__ import annotations

from typing import Any

from tests.policies.baseline import (
    SYNC,
    central,
)

RULE = "service-roles-never-administer"
RESOURCE = "settings"


def mesh(document: dict[str, Any]) -> None:
    """Whose administrators nobody wrote down, so that their number and kind are all that is wrong."""
    document["central"].pop("deployRole")


def program() -> None:
    central({"settings": {"admins": [SYNC]}})
