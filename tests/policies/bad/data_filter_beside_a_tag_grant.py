"""The expression shows the rows that the filter hides."""

from __future__ import annotations

from tests.policies.baseline import (
    CENTRAL,
    CONTROLLER,
    domain,
)

RULE = "tag-select-never-beside-a-data-filter"
RESOURCE = "rows"
REFERENCE = "https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering.html"


def program() -> None:
    domain(
        {
            "rows": {
                "principal": CONTROLLER,
                "data_cells_filter": {
                    "database_name": "ar_curated",
                    "table_name": "invoice",
                    "table_catalog_id": CENTRAL,
                    "name": "eu",
                },
            }
        }
    )
