"""An account outside the mesh gets data unfiltered."""

from __future__ import annotations

from tests.policies.baseline import (
    central,
)

RULE = "external-filtering-only-for-listed-accounts"
RESOURCE = "settings"


def program() -> None:
    central({"settings": {"external_data_filtering_allow_lists": ["999988887777"]}})
