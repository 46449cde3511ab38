"""SELECT on chosen columns, one of them an e-mail address."""

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
                    "column_names": ["contact_email", "rate"],
                }
            }
        }
    )
