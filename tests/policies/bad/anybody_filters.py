"""External filtering without a list of who may."""

from __future__ import annotations

from tests.policies.baseline import (
    central,
)

RULE = "external-filtering-only-for-listed-accounts"
RESOURCE = "settings"


def program() -> None:
    central({"settings": {"external_data_filtering_allow_lists": None}})
