"""Thirty-one administrators."""

from __future__ import annotations

from typing import Any

from tests.policies.baseline import (
    CENTRAL,
    central,
)

RULE = "at-most-30-administrators"
RESOURCE = "settings"


def mesh(document: dict[str, Any]) -> None:
    """Whose administrators nobody wrote down, so that their number and kind are all that is wrong."""
    document["central"].pop("deployRole")


def program() -> None:
    central({"settings": {"admins": [f"arn:aws:iam::{CENTRAL}:user/person-{number}" for number in range(31)]}})
