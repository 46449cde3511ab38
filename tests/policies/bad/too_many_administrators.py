"""Thirty-one administrators."""

from __future__ import annotations

from tests.policies.baseline import (
    CENTRAL,
    central,
)

RULE = "at-most-30-administrators"
RESOURCE = "settings"


def program() -> None:
    central({"settings": {"admins": [f"arn:aws:iam::{CENTRAL}:user/person-{number}" for number in range(31)]}})
