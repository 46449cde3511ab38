"""Fifty-one more LF-Tags on a database."""

from __future__ import annotations

from typing import Any

import pulumi_aws as aws

from tests.policies.baseline import (
    LATER,
    domain,
)

RULE = "lf-tags-keep-their-quotas"
RESOURCE = "twin-sensitivity"


def mesh(document: dict[str, Any]) -> None:
    document["ontology"].update({f"key-{number}": ["yes"] for number in range(51)})


def program() -> None:
    domain(
        more={
            f"key-{number}": (
                aws.lakeformation.ResourceLfTag,
                {"database": {"name": "ar_curated"}, "lf_tag": {"key": f"key-{number}", "value": "yes"}},
                LATER,
            )
            for number in range(51)
        }
    )
