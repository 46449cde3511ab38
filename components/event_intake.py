"""What puts messages on the sync's queue: the producers' events, and the schedules of refresh and watch."""

from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.policy_documents import Statement, canonical_json, document

GLUE_CHANGES = ("Glue Data Catalog Database State Change", "Glue Data Catalog Table State Change")
"""Detail types (Glue developer guide, "Automating AWS Glue with EventBridge")."""
WATCH = "rate(15 minutes)"
REFRESH_WINDOW_SECONDS = 900
"""How far the tables of a refresh are spread: the longest delay of a message (SQS API, SendMessage)."""


class EventIntakeArgs(TypedDict):
    """Arguments of EventIntake."""

    organization: str
    """Id of the organization whose accounts may send events."""
    bus: str
    """Name of the event bus."""
    rule: str
    """Name of the rule that takes Glue's events from it."""
    refresh_rule: str
    """Name of the rule that starts the full refresh."""
    refresh: str
    """When the full refresh starts: `rate(…)` or `cron(…)`."""
    watch_rule: str
    """Name of the rule that has the sync publish how the domains stand."""
    queue_arn: pulumi.Input[str]
    """ARN of the queue."""
    queue_url: pulumi.Input[str]
    """URL of the queue."""
    dead_letter_arn: pulumi.Input[str]
    """ARN of its dead-letter queue, for events that a rule cannot deliver."""
    dead_letter_url: pulumi.Input[str]
    """URL of its dead-letter queue."""


class EventIntake(pulumi.ComponentResource):
    """The bus that producers' rules forward to, the rule that takes Glue's events from it, and two schedules.

    Who may send is the organization, in one condition: a bus policy ends at 10 KB, where a statement an account would
    not fit. Whether an event's account is a producer of the mesh is asked by the function, against the manifest: an
    event is a hint from somebody who may be mistaken or lying.
    """

    bus_arn: pulumi.Output[str]
    """ARN of the event bus."""

    def __init__(self, name: str, args: EventIntakeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:EventIntake", name, {}, opts)
        within = pulumi.ResourceOptions(parent=self)
        bus = aws.cloudwatch.EventBus(f"{name}-bus", name=args["bus"], opts=within)
        aws.cloudwatch.EventBusPolicy(
            f"{name}-bus-policy",
            event_bus_name=bus.name,
            policy=bus.arn.apply(lambda arn: bus_policy(arn, args["organization"])),
            # Deleting the old one after the new one is made would leave the bus without a policy (pulumi-aws#2135).
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        rule = aws.cloudwatch.EventRule(
            f"{name}-rule",
            name=args["rule"],
            description="Changes of the producers' catalogs, to the sync's queue.",
            event_bus_name=bus.name,
            event_pattern=canonical_json({"source": ["aws.glue"], "detail-type": list(GLUE_CHANGES)}),
            opts=within,
        )
        refresh = aws.cloudwatch.EventRule(
            f"{name}-refresh",
            name=args["refresh_rule"],
            description="Every table is compared, whatever events were lost.",
            schedule_expression=args["refresh"],
            opts=within,
        )
        watch = aws.cloudwatch.EventRule(
            f"{name}-watch",
            name=args["watch_rule"],
            description="How fresh and how complete each domain is, as metrics.",
            schedule_expression=WATCH,
            opts=within,
        )
        policies = [
            aws.sqs.QueuePolicy(
                f"{name}-queue-policy",
                queue_url=args["queue_url"],
                policy=pulumi.Output.all(args["queue_arn"], rule.arn, refresh.arn, watch.arn).apply(
                    lambda arns: document([may_send(arns[0], arns[1:])])
                ),
                opts=within,
            ),
            aws.sqs.QueuePolicy(
                f"{name}-dead-letter-policy",
                queue_url=args["dead_letter_url"],
                policy=pulumi.Output.all(args["dead_letter_arn"], rule.arn, refresh.arn, watch.arn).apply(
                    lambda arns: document([may_send(arns[0], arns[1:])])
                ),
                opts=within,
            ),
        ]
        # Without the queue's policy the first events would be refused, and a refused event is not sent again.
        ready = pulumi.ResourceOptions(parent=self, depends_on=policies)
        aws.cloudwatch.EventTarget(
            f"{name}-target",
            rule=rule.name,
            event_bus_name=bus.name,
            target_id="sync-queue",
            arn=args["queue_arn"],
            dead_letter_config={"arn": args["dead_letter_arn"]},
            opts=ready,
        )
        aws.cloudwatch.EventTarget(
            f"{name}-refresh-target",
            rule=refresh.name,
            target_id="sync-queue",
            arn=args["queue_arn"],
            input=canonical_json({"action": "refresh", "window": REFRESH_WINDOW_SECONDS}),
            dead_letter_config={"arn": args["dead_letter_arn"]},
            opts=ready,
        )
        aws.cloudwatch.EventTarget(
            f"{name}-watch-target",
            rule=watch.name,
            target_id="sync-queue",
            arn=args["queue_arn"],
            input=canonical_json({"action": "watch"}),
            dead_letter_config={"arn": args["dead_letter_arn"]},
            opts=ready,
        )
        self.bus_arn = bus.arn
        self.register_outputs({"busArn": self.bus_arn})


def bus_policy(bus_arn: str, organization: str) -> str:
    """Accounts of the organization may send (EventBridge user guide, "Permissions for event buses"); each sends through
    a role of its own, as a grant to an organization demands."""
    return document(
        [
            {
                "Sid": "OrganizationSendsEvents",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "events:PutEvents",
                "Resource": bus_arn,
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": organization}},
            }
        ]
    )


def may_send(queue_arn: str, rules: list[str]) -> Statement:
    """EventBridge may send for these rules and no others (EventBridge user guide, "Amazon SQS permissions")."""
    return {
        "Sid": "RulesSendMessages",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": sorted(rules)}},
    }
