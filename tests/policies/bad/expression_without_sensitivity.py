"""A product's grant that does not say what of it: unreviewed columns and all."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
    expression,
)

RULE = "tag-grants-name-sensitivity"
RESOURCE = "direct"
REFERENCE = "https://docs.aws.amazon.com/lake-formation/latest/dg/lf-tag-considerations.html"


def program() -> None:
    domain({"direct": {"lf_tag_policy": expression(product=["ar_invoice"])}})
