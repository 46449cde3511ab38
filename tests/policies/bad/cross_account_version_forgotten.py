"""The settings are written with administrators alone, which clears every parameter."""

from __future__ import annotations

from tests.policies.baseline import (
    central,
)

RULE = "cross-account-version-is-current"
RESOURCE = "settings"
REFERENCE = "https://github.com/data-dot-all/dataall/tree/main/backend/dataall/base/cdkproxy/assets/lakeformationdefaultsettings"


def program() -> None:
    central({"settings": {"parameters": {"SET_CONTEXT": "TRUE"}}})
