"""SELECT on some columns and DESCRIBE exclude each other."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "column-filtered-select-never-beside-describe"
RESOURCE = "some-columns"
REFERENCE = "https://github.com/hashicorp/terraform-provider-aws/issues/17299"


def program() -> None:
    domain({"some-columns": {"permissions": ["DESCRIBE", "SELECT"]}})
