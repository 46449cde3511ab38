"""An administrator who is in no list."""

from __future__ import annotations

from typing import Any

from tests.policies.baseline import (
    CENTRAL,
    central,
)

RULE = "administrators-are-listed"
RESOURCE = "settings"


def mesh(document: dict[str, Any]) -> None:
    document["central"]["deployRole"] = "lakemesh-deploy"


def program() -> None:
    central({"settings": {"admins": [f"arn:aws:iam::{CENTRAL}:user/eve"]}})
