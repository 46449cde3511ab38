"""The same with ResourceLfTag."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "partition-keys-are-reviewed"
RESOURCE = "table"


def program() -> None:
    domain(
        {
            "columns": {
                "table_with_columns": {
                    "database_name": "ar_curated",
                    "name": "reference_rates",
                    "column_names": ["rate"],
                }
            }
        }
    )
