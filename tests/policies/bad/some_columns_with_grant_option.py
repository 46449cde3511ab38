"""A subset of columns cannot be passed on; Lake Formation refuses it half way through."""

from __future__ import annotations

from tests.policies.baseline import (
    CENTRAL,
    domain,
)

RULE = "column-filtered-select-has-no-grant-option"
RESOURCE = "some-columns"
REFERENCE = "https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html"


def program() -> None:
    domain(
        {
            "some-columns": {
                "permissions_with_grant_options": ["SELECT"],
                "principal": f"arn:aws:iam::{CENTRAL}:role/lakemesh-tag",
                "table_with_columns": {"database_name": "rates", "name": "daily", "column_names": ["rate"]},
            }
        }
    )
