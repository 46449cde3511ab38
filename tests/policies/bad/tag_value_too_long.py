"""A value of 60 characters."""

from __future__ import annotations

from typing import Any

import pulumi_aws as aws

from tests.policies.baseline import (
    KEPT,
    central,
)

RULE = "lf-tags-keep-their-quotas"
RESOURCE = "process"
LONG = "order-to-cash-including-returns-and-everything-else-there-is"


def mesh(document: dict[str, Any]) -> None:
    document["ontology"]["process"].append(LONG)


def program() -> None:
    central(more={"process": (aws.lakeformation.LfTag, {"key": "process", "values": [LONG]}, KEPT)})
