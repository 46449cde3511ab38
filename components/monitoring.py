"""Who hears of what goes wrong: topics, alarms and the dashboard, of the governance account and of a domain."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.alarms import Alarms, Where, central_alarms, domain_alarms, review_alarms, widgets
from components.policy_documents import canonical_json
from components.topics import Topic

REVIEW_DAYS = 14
"""Days that a column may wait for its review."""


class CentralMonitoringArgs(TypedDict):
    """Arguments of CentralMonitoring."""

    account: str
    """Account id of the governance account."""
    region: str
    """Region of the mesh."""
    partition: str
    """AWS partition."""
    mesh: str
    """Name of the mesh."""
    sync_function: str
    """Function that copies metadata."""
    tag_function: str
    """Function that tags."""
    sync_queue: str
    """Queue of the sync."""
    dead_letter_queue: str
    """Its dead-letter queue."""
    key_arn: pulumi.Input[str]
    """ARN of the key that encrypts the topics."""
    domains: Sequence[str]
    """Domains on the dashboard."""
    operators: Sequence[str]
    """E-mail addresses that hear of every alarm."""
    consumers: Mapping[str, Sequence[str]]
    """E-mail addresses by consumer that hear of changes to what it reads; a consumer without any has no topic."""
    runbooks: str
    """Address of the folder of the runbooks, with a slash at the end."""


class CentralMonitoring(pulumi.ComponentResource):
    """The operators' topic, topics of consumers, alarms about the sync as a whole, and the dashboard."""

    operators_arn: pulumi.Output[str]
    """ARN of the operators' topic."""

    def __init__(self, name: str, args: CentralMonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:CentralMonitoring", name, {}, opts)
        operators = self._topic(name, args, "operators", args["operators"])
        for consumer, emails in sorted(args["consumers"].items()):
            if emails:
                self._topic(name, args, f"consumer-{consumer}", emails)
        where: Where = {
            "mesh": args["mesh"],
            "sync_function": args["sync_function"],
            "tag_function": args["tag_function"],
            "sync_queue": args["sync_queue"],
            "dead_letter_queue": args["dead_letter_queue"],
        }
        Alarms(
            f"{name}-alarms",
            {
                "mesh": args["mesh"],
                "runbooks": args["runbooks"],
                "alarm_topic_arn": operators.topic_arn,
                "page_topic_arn": operators.topic_arn,
            },
            central_alarms(where),
            pulumi.ResourceOptions(parent=self),
        )
        body = widgets(where, args["domains"], args["region"], args["account"], args["partition"])
        aws.cloudwatch.Dashboard(
            f"{name}-dashboard",
            dashboard_name=args["mesh"],
            dashboard_body=canonical_json({"widgets": body}),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.operators_arn = operators.topic_arn
        self.register_outputs({"operatorsArn": self.operators_arn})

    def _topic(self, name: str, args: CentralMonitoringArgs, topic: str, emails: Sequence[str]) -> Topic:
        return Topic(
            f"{name}-{topic}",
            {
                "account": args["account"],
                "region": args["region"],
                "partition": args["partition"],
                "topic": f"{args['mesh']}-{topic}",
                "key_arn": args["key_arn"],
                "emails": emails,
            },
            pulumi.ResourceOptions(parent=self),
        )


class DomainMonitoringArgs(TypedDict):
    """Arguments of DomainMonitoring."""

    account: str
    """Account id of the governance account."""
    region: str
    """Region of the mesh."""
    partition: str
    """AWS partition."""
    mesh: str
    """Name of the mesh."""
    domain: str
    """Name of the domain."""
    key_alias: str
    """Alias of the key that encrypts the topic, with `alias/` before it: stack central makes it."""
    operators_topic_arn: str
    """ARN of the operators' topic, which stack central makes."""
    emails: Sequence[str]
    """E-mail addresses of the domain's owners."""
    refresh_seconds: int
    """Period of the full refresh."""
    runbooks: str
    """Address of the folder of the runbooks, with a slash at the end."""
    sync_function: str
    """Central's function that copies metadata."""
    review_function: NotRequired[str]
    """Central's function that judges columns after each sync, where there is one: then a column can wait too long."""


class DomainMonitoring(pulumi.ComponentResource):
    """The owners' topic of one domain, and the alarms about its tables; operators hear once when any is in alarm."""

    owners_arn: pulumi.Output[str]
    """ARN of the owners' topic."""

    def __init__(self, name: str, args: DomainMonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:DomainMonitoring", name, {}, opts)
        owners = Topic(
            f"{name}-owners",
            {
                "account": args["account"],
                "region": args["region"],
                "partition": args["partition"],
                "topic": f"{args['mesh']}-owner-{args['domain']}",
                "key_arn": args["key_alias"],
                "emails": args["emails"],
            },
            pulumi.ResourceOptions(parent=self),
        )
        alarms = domain_alarms(args["domain"], int(args["refresh_seconds"]), args["sync_function"])
        if review := args.get("review_function"):
            alarms += review_alarms(args["domain"], REVIEW_DAYS, review)
        Alarms(
            f"{name}-alarms",
            {
                "mesh": args["mesh"],
                "scope": args["domain"],
                "runbooks": args["runbooks"],
                "alarm_topic_arn": owners.topic_arn,
                "page_topic_arn": args["operators_topic_arn"],
            },
            alarms,
            pulumi.ResourceOptions(parent=self),
        )
        self.owners_arn = owners.topic_arn
        self.register_outputs({"ownersArn": self.owners_arn})
