"""A Glue table with an IBAN, in a stack that puts no LF-Tag on it."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    BARE,
    domain,
)

RULE = "sensitive-columns-carry-sensitivity"
RESOURCE = "customers"


def program() -> None:
    domain(
        more={
            "customers": (
                aws.glue.CatalogTable,
                {
                    "name": "customers",
                    "database_name": "ar_curated",
                    "storage_descriptor": {
                        "columns": [{"name": "id", "type": "int"}, {"name": "customer_iban", "type": "string"}]
                    },
                },
                BARE,
            )
        }
    )
