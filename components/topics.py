"""Topics that tell people: operators, the owners of a domain, a consumer."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.catalog_access import Place
from components.policy_documents import document


class TopicArgs(TypedDict):
    """Arguments of Topic."""

    account: str
    """Account id of the governance account."""
    region: str
    """Region of the topic."""
    partition: str
    """AWS partition."""
    topic: str
    """Name of the topic."""
    key_arn: pulumi.Input[str]
    """ARN of the key that encrypts it, or `alias/…` of one: CloudWatch must be allowed to use it."""
    emails: Sequence[str]
    """Who hears of it; each confirms by a mail that SNS sends."""


class Topic(pulumi.ComponentResource):
    """An encrypted topic, who may publish to it, and who hears of it.

    This account's alarms may publish, and whom an IAM policy of this account lets (the sync role); nobody does over
    plain HTTP. A subscription by mail waits until its owner confirms it.
    """

    topic_arn: pulumi.Output[str]
    """ARN of the topic."""

    def __init__(self, name: str, args: TopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:Topic", name, {}, opts)
        place: Place = {"account": args["account"], "region": args["region"], "partition": args["partition"]}
        topic = aws.sns.Topic(
            f"{name}-topic",
            name=args["topic"],
            kms_master_key_id=args["key_arn"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.sns.TopicPolicy(
            f"{name}-policy",
            arn=topic.arn,
            policy=topic.arn.apply(lambda arn: topic_policy(place, arn)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        for email in sorted(set(args["emails"])):
            aws.sns.TopicSubscription(
                f"{name}-{email}",
                topic=topic.arn,
                protocol="email",
                endpoint=email,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.topic_arn = topic.arn
        self.register_outputs({"topicArn": self.topic_arn})


def topic_policy(place: Place, arn: str) -> str:
    """Alarms of this account may publish (SNS developer guide, "Example cases for Amazon SNS access control",
    CloudWatch alarms); plain HTTP is denied to everybody."""
    alarms = f"arn:{place['partition']}:cloudwatch:{place['region']}:{place['account']}:alarm:*"
    return document(
        [
            {
                "Sid": "AlarmsPublish",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": arn,
                "Condition": {
                    "ArnLike": {"aws:SourceArn": alarms},
                    "StringEquals": {"aws:SourceAccount": place["account"]},
                },
            },
            {
                "Sid": "NeverOverPlainHttp",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sns:Publish",
                "Resource": arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ]
    )
