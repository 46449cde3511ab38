"""Engines outside AWS read whole tables."""

from __future__ import annotations

from tests.policies.baseline import (
    central,
)

RULE = "full-table-external-access-is-off"
RESOURCE = "settings"


def program() -> None:
    central({"settings": {"allow_full_table_external_data_access": True}})
