"""ResourceLfTags on a database that others tag: it removes what it did not set."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    LATER,
    domain,
)

RULE = "plural-resource-lf-tags-tag-alone"
RESOURCE = "all-tags"
REFERENCE = "https://github.com/hashicorp/terraform-provider-aws/issues/36539"


def program() -> None:
    domain(
        more={
            "all-tags": (
                aws.lakeformation.ResourceLfTags,
                {"database": {"name": "ar_curated"}, "lf_tags": [{"key": "layer", "value": "curated"}]},
                LATER,
            )
        }
    )
