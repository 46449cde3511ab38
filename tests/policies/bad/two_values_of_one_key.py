"""Two resources give a column two sensitivities; the one that is applied last wins."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    LATER,
    domain,
)

RULE = "one-value-a-key"
RESOURCE = "public"


def program() -> None:
    domain(
        more={
            "public": (
                aws.lakeformation.ResourceLfTag,
                {
                    "table_with_columns": {
                        "database_name": "ar_curated",
                        "name": "reference_rates",
                        "column_names": ["rate"],
                    },
                    "lf_tag": {"key": "sensitivity", "value": "public"},
                },
                LATER,
            )
        }
    )
