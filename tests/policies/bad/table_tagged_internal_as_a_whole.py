"""The table is tagged, as internal: its e-mail column inherits that, and a grant on internal data reads it."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    BARE,
    LATER,
    domain,
)

RULE = "sensitive-columns-carry-sensitivity"
RESOURCE = "contacts"


def program() -> None:
    domain(
        more={
            "contacts": (
                aws.glue.CatalogTable,
                {
                    "name": "contacts",
                    "database_name": "ar_curated",
                    "storage_descriptor": {"columns": [{"name": "e_mail", "type": "string"}]},
                },
                BARE,
            ),
            "contacts-tag": (
                aws.lakeformation.ResourceLfTag,
                {
                    "table": {"database_name": "ar_curated", "name": "contacts"},
                    "lf_tag": {"key": "sensitivity", "value": "internal"},
                },
                LATER,
            ),
        }
    )
