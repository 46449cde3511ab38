"""The queue of the sync: everything that asks for a table to be compared passes through it."""

from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.catalog_access import Place
from components.policy_documents import account_root, canonical_json, document

VISIBILITY_SECONDS = 5400
"""Six times the function's timeout, as Lambda wants it (developer guide, "Using Lambda with Amazon SQS"). A message
that fails does not wait so long: the function sets when it comes back. Only one whose invocation ended without an
answer does."""
MAX_RECEIVES = 5
"""The same page: at least five, so that throttling does not look like failure."""
RETENTION_SECONDS = 14 * 24 * 3600
"""The longest that SQS keeps (SQS quotas): time for a person to look."""


class SyncQueueArgs(TypedDict):
    """Arguments of SyncQueue."""

    account: str
    """Account id of the governance account."""
    region: str
    """Region of the queue."""
    partition: str
    """AWS partition."""
    queue: str
    """Name of the queue."""
    dead_letter_queue: str
    """Name of the queue that messages end in which fail again and again."""
    key_alias: str
    """Alias of the key, with `alias/` before it."""


class SyncQueue(pulumi.ComponentResource):
    """A queue, its dead-letter queue, and the key that encrypts both.

    Does not say who may send (`EventIntake`) nor who receives: that is the sync role's own policy. Messages are names
    of databases, tables and partitions; partition values can be business data, so a key of ours encrypts them.
    """

    queue_arn: pulumi.Output[str]
    """ARN of the queue."""
    queue_url: pulumi.Output[str]
    """URL of the queue."""
    dead_letter_arn: pulumi.Output[str]
    """ARN of the dead-letter queue."""
    dead_letter_url: pulumi.Output[str]
    """URL of the dead-letter queue."""
    key_arn: pulumi.Output[str]
    """ARN of the key."""

    def __init__(self, name: str, args: SyncQueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:SyncQueue", name, {}, opts)
        place: Place = {"account": args["account"], "region": args["region"], "partition": args["partition"]}
        key = aws.kms.Key(
            f"{name}-key",
            description="Encrypts the messages and the state of the metadata sync.",
            policy=key_policy(place),
            enable_key_rotation=True,
            deletion_window_in_days=30,
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.kms.Alias(
            f"{name}-alias",
            name=args["key_alias"],
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        dead = aws.sqs.Queue(
            f"{name}-dead-letters",
            name=args["dead_letter_queue"],
            kms_master_key_id=key.arn,
            message_retention_seconds=RETENTION_SECONDS,
            opts=pulumi.ResourceOptions(parent=self),
        )
        queue = aws.sqs.Queue(
            f"{name}-queue",
            name=args["queue"],
            kms_master_key_id=key.arn,
            message_retention_seconds=RETENTION_SECONDS,
            visibility_timeout_seconds=VISIBILITY_SECONDS,
            redrive_policy=dead.arn.apply(
                lambda arn: canonical_json({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES})
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.queue_arn, self.queue_url = queue.arn, queue.url
        self.dead_letter_arn, self.dead_letter_url = dead.arn, dead.url
        self.key_arn = key.arn
        self.register_outputs(
            {
                "queueArn": self.queue_arn,
                "queueUrl": self.queue_url,
                "deadLetterArn": self.dead_letter_arn,
                "deadLetterUrl": self.dead_letter_url,
                "keyArn": self.key_arn,
            }
        )


def key_policy(place: Place) -> str:
    """The account's IAM policies decide; EventBridge may send, for rules of this account (EventBridge user guide,
    "Amazon SQS permissions", encrypted queues)."""
    return document(
        [
            {
                "Sid": "OwnersIamPoliciesDecide",
                "Effect": "Allow",
                "Principal": {"AWS": account_root(place["partition"], place["account"])},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Sid": "RulesSendMessages",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:SourceAccount": place["account"]}},
            },
            {
                # Topics are encrypted with it too (SNS developer guide, "Enable compatibility between event sources
                # from AWS services and encrypted topics").
                "Sid": "AlarmsTell",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:SourceAccount": place["account"]}},
            },
        ]
    )
