"""Two resources write the settings; the one that is applied last removes the other's administrators."""

from __future__ import annotations

from tests.policies.baseline import (
    CENTRAL_ACCOUNT,
    central,
)

RULE = "one-data-lake-settings-an-account"
RESOURCE = "settings"
REFERENCE = "https://github.com/ministryofjustice/modernisation-platform-environments/pull/19074"


def program() -> None:
    central(more={"more-settings": CENTRAL_ACCOUNT["settings"]})
