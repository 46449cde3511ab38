"""Everybody in the governance account can read the producer's catalog."""

from __future__ import annotations

from tests.policies.baseline import (
    CENTRAL,
    producer,
    trust,
)

RULE = "reader-roles-trust-the-sync-role-alone"
RESOURCE = "reader"


def program() -> None:
    producer({"reader": {"assume_role_policy": trust(f"arn:aws:iam::{CENTRAL}:root")}})
