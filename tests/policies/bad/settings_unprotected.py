"""Destroying the stack would empty the administrators and undo the cross-account version."""

from __future__ import annotations

from tests.policies.baseline import (
    BARE,
    central,
)

RULE = "data-lake-settings-are-kept"
RESOURCE = "settings"
REFERENCE = (
    "https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/lakeformation/data_lake_settings.go"
)


def program() -> None:
    central({"settings": {"opts": BARE}})
