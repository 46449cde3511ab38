"""The account itself administers its lake: everybody with IAM rights in it."""

from __future__ import annotations

from tests.policies.baseline import (
    CENTRAL,
    central,
)

RULE = "administrators-are-listed"
RESOURCE = "settings"


def program() -> None:
    central({"settings": {"admins": [f"arn:aws:iam::{CENTRAL}:root"]}})
