"""The sync works at last: somebody made it administrator."""

from __future__ import annotations

from tests.policies.baseline import (
    SYNC,
    central,
)

RULE = "service-roles-never-administer"
RESOURCE = "settings"


def program() -> None:
    central({"settings": {"admins": [SYNC]}})
