"""A key that is spelled in another language."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    LATER,
    domain,
)

RULE = "lf-tags-come-from-the-ontology"
RESOURCE = "twin-domain"


def program() -> None:
    domain(
        {"twin-domain": {"lf_tag": {"key": "domaine", "value": "ar"}}},
        {
            "right": (
                aws.lakeformation.ResourceLfTag,
                {"database": {"name": "ar_curated"}, "lf_tag": {"key": "domain", "value": "ar"}},
                LATER,
            )
        },
    )
