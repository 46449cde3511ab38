"""A message that cannot be handled is tried until it expires."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    BARE,
    arn,
    operations,
)

RULE = "queues-have-a-dead-letter-queue"
RESOURCE = "loose"


def program() -> None:
    operations(more={"loose": (aws.sqs.Queue, {"name": "loose", "kms_master_key_id": arn("key")}, BARE)})
