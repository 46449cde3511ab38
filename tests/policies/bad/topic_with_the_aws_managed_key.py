"""CloudWatch cannot publish to a topic under the AWS managed key."""

from __future__ import annotations

from tests.policies.baseline import (
    operations,
)

RULE = "catalog-topics-and-queues-use-customer-keys"
RESOURCE = "topic"
REFERENCE = "https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns"


def program() -> None:
    operations({"topic": {"kms_master_key_id": "alias/aws/sns"}})
