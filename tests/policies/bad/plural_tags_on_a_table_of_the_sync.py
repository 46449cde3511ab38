"""ResourceLfTags on a table that the mesh's handler tags."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    LATER,
    domain,
)

RULE = "plural-resource-lf-tags-tag-alone"
RESOURCE = "all-tags"
REFERENCE = "https://github.com/hashicorp/terraform-provider-aws/issues/32173"


def program() -> None:
    domain(
        more={
            "all-tags": (
                aws.lakeformation.ResourceLfTags,
                {
                    "table": {"database_name": "ar_curated", "name": "invoice"},
                    "lf_tags": [{"key": "layer", "value": "curated"}],
                },
                LATER,
            )
        }
    )
