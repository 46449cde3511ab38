"""A table partitioned by e-mail address."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    BARE,
    domain,
)

RULE = "sensitive-columns-carry-sensitivity"
RESOURCE = "by-mail"


def program() -> None:
    domain(
        more={
            "by-mail": (
                aws.glue.CatalogTable,
                {
                    "name": "by_mail",
                    "database_name": "ar_curated",
                    "partition_keys": [{"name": "email", "type": "string"}],
                },
                BARE,
            )
        }
    )
