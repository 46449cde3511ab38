"""What sends a producer's catalog events to the mesh."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.event_intake import GLUE_CHANGES
from components.policy_documents import allow, canonical_json, document

PATTERN_CHARACTERS = 2048
"""EventBridge quotas, "Event pattern size"."""


class EventForwardingArgs(TypedDict):
    """Arguments of EventForwarding."""

    account: str
    """Account id of the producer."""
    bus_arn: str
    """Event bus of the governance account."""
    rule: str
    """Name of the rule."""
    role: str
    """Name of the role that the rule sends as."""
    databases: Sequence[str]
    """Databases whose events are sent."""
    permissions_boundary: NotRequired[str]
    """ARN of the managed policy that limits the role."""


class EventForwarding(pulumi.ComponentResource):
    """A rule on the default bus, where Glue sends its events, and the role that it forwards them as.

    Only events of the shared databases leave the account: names of others are nobody's business. Events are best effort
    (Glue developer guide, "Automating AWS Glue with EventBridge"); what they miss, the refresh finds.
    """

    rule_arn: pulumi.Output[str]
    """ARN of the rule."""

    def __init__(self, name: str, args: EventForwardingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:EventForwarding", name, {}, opts)
        role = aws.iam.Role(
            f"{name}-role",
            name=args["role"],
            description="Sends events of shared databases to the data mesh.",
            assume_role_policy=trust(args["account"]),
            permissions_boundary=args.get("permissions_boundary"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        policy = aws.iam.RolePolicy(
            f"{name}-policy",
            name=args["role"],
            role=role.name,
            policy=document([allow("Send", ["events:PutEvents"], [args["bus_arn"]])]),
            opts=pulumi.ResourceOptions(parent=self),
        )
        rule = aws.cloudwatch.EventRule(
            f"{name}-rule",
            name=args["rule"],
            description="Changes of shared databases, to the data mesh.",
            event_pattern=pattern(args["databases"]),
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.cloudwatch.EventTarget(
            f"{name}-target",
            rule=rule.name,
            target_id="mesh-bus",
            arn=args["bus_arn"],
            role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.rule_arn = rule.arn
        self.register_outputs({"ruleArn": self.rule_arn})


def pattern(databases: Sequence[str]) -> str:
    """Glue's changes of some databases; of every database where the names do not fit a pattern, and then the function
    lets go of the others."""
    named = {"source": ["aws.glue"], "detail-type": list(GLUE_CHANGES), "detail": {"databaseName": sorted(databases)}}
    text = canonical_json(named)
    if databases and len(text) <= PATTERN_CHARACTERS:
        return text
    return canonical_json({"source": ["aws.glue"], "detail-type": list(GLUE_CHANGES)})


def trust(account: str) -> str:
    """EventBridge, for rules of this account."""
    return document(
        [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": ["sts:AssumeRole"],
                "Condition": {"StringEquals": {"aws:SourceAccount": account}},
            }
        ]
    )
