"""ALL never comes back as it was granted: the provider replaces the grant for ever."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "grants-never-give-all"
RESOURCE = "direct"
REFERENCE = "https://github.com/hashicorp/terraform-provider-aws/issues/49453"


def program() -> None:
    domain({"direct": {"permissions": ["ALL"]}})
