"""The principal's whole account reads the table by tag."""

from __future__ import annotations

from tests.policies.baseline import (
    ANALYST,
    CENTRAL,
    domain,
)

RULE = "tag-select-never-beside-a-data-filter"
RESOURCE = "rows"


def program() -> None:
    domain(
        {
            "rows": {
                "principal": ANALYST,
                "data_cells_filter": {
                    "database_name": "ar_curated",
                    "table_name": "cash_application",
                    "table_catalog_id": CENTRAL,
                    "name": "eu",
                },
            }
        }
    )
