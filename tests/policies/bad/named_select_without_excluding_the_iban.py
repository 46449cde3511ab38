"""SELECT on all columns but one, and that was the wrong one."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "named-select-never-reaches-sensitive-columns"
RESOURCE = "some-columns"


def program() -> None:
    domain(
        {
            "some-columns": {
                "table_with_columns": {
                    "database_name": "ar_curated",
                    "name": "reference_rates",
                    "wildcard": True,
                    "excluded_column_names": ["rate"],
                }
            }
        }
    )
