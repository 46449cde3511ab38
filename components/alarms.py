"""Alarms of the sync: one entry of a list for each, and a page of docs/runbooks/ of the same name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

WATCH_SECONDS = 900
"""The period of the sync's watch, which publishes how things stand."""
MOST_CHILDREN = 100
"""CloudWatch API, PutCompositeAlarm: alarms that one rule names."""


@dataclass(frozen=True)
class Alarm:
    """What to watch, and what it means for a person. `name` is that of the runbook too."""

    name: str
    says: str
    """One sentence: what is wrong."""
    metric: str
    threshold: float
    """In alarm above it."""
    period: int
    """Seconds."""
    periods: int = 1
    """Periods above the threshold in a row."""
    statistic: str = "Maximum"
    namespace: str = ""
    """Empty: that of the mesh, which its functions write to."""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    missing: str = "notBreaching"
    """What a period without a value counts as. `notBreaching`: counters that nothing adds to are not written, and idle
    queues and functions report nothing: their silence is good. `breaching`: how old the oldest success is, which the
    watch writes every quarter of an hour; silence means that nothing runs. `ignore`: what else the watch writes stays
    as it was last told, because a watch that is silent has mended nothing, and one alarm for that is enough."""


class Where(TypedDict):
    """Names that alarms of the governance account watch."""

    mesh: str
    """Name of the mesh: the namespace of its metrics, and the first word of its alarms."""
    sync_function: str
    """Function that copies metadata."""
    tag_function: str
    """Function that tags."""
    sync_queue: str
    """Queue of the sync."""
    dead_letter_queue: str
    """Queue of messages that failed again and again."""


def written_by(function: str, **dimensions: str) -> dict[str, str]:
    """Dimensions of a metric that a handler writes: Powertools adds `service`, the function that wrote it."""
    return {**dimensions, "service": function}


def central_alarms(where: Where) -> list[Alarm]:
    """Alarms about the sync as a whole."""
    queue, dead = {"QueueName": where["sync_queue"]}, {"QueueName": where["dead_letter_queue"]}
    sync, tag = {"FunctionName": where["sync_function"]}, {"FunctionName": where["tag_function"]}
    return [
        Alarm(
            "sync-dead-letters",
            "Messages of the sync failed again and again and wait for a person.",
            "ApproximateNumberOfMessagesVisible",
            0,
            300,
            namespace="AWS/SQS",
            dimensions=dead,
        ),
        # The refresh spreads its messages over a quarter of an hour.
        Alarm(
            "sync-queue-age",
            "The sync does not keep up: a message has waited for more than an hour.",
            "ApproximateAgeOfOldestMessage",
            3600,
            300,
            3,
            namespace="AWS/SQS",
            dimensions=queue,
        ),
        # In a quiet mesh the watch's message is the only one, and a message whose invocation died is hidden for more
        # than an hour: a function that is broken for good ends one invocation a quarter of an hour with an error.
        Alarm(
            "sync-errors",
            "Invocations of the sync end with an error.",
            "Errors",
            0,
            WATCH_SECONDS,
            2,
            "Sum",
            "AWS/Lambda",
            sync,
        ),
        Alarm(
            "sync-throttles",
            "Lambda turns invocations of the sync away.",
            "Throttles",
            0,
            WATCH_SECONDS,
            2,
            "Sum",
            "AWS/Lambda",
            sync,
        ),
        # It is called for what changed alone, which may be once a day: its first error counts.
        Alarm(
            "tag-errors",
            "Invocations of the tag function end with an error: columns stay unreadable.",
            "Errors",
            0,
            WATCH_SECONDS,
            statistic="Sum",
            namespace="AWS/Lambda",
            dimensions=tag,
        ),
        Alarm(
            "poison-messages",
            "Somebody sends the sync messages that it cannot read.",
            "MessagesFailed",
            0,
            300,
            statistic="Sum",
            dimensions=written_by(where["sync_function"], reason="poison"),
        ),
        Alarm(
            "forged-events",
            "Events arrived that do not come from where they say.",
            "EventsDropped",
            0,
            300,
            statistic="Sum",
            dimensions=written_by(where["sync_function"], reason="forged"),
        ),
        Alarm(
            "foreign-events",
            "Accounts that are no producers send events.",
            "EventsDropped",
            0,
            3600,
            3,
            "Sum",
            dimensions=written_by(where["sync_function"], reason="foreign_account"),
        ),
    ]


def domain_alarms(domain: str, refresh_seconds: int, sync_function: str) -> list[Alarm]:
    """Alarms about one domain's tables."""
    here = written_by(sync_function, domain=domain)
    return [
        Alarm(
            "sync-late",
            "A table was not compared with its source for two refreshes, or nothing tells.",
            "OldestSuccessSeconds",
            2 * refresh_seconds,
            WATCH_SECONDS,
            3,
            dimensions=here,
            missing="breaching",
        ),
        # A message is tried five times within four minutes and is a dead letter then, so a table that fails for good
        # counts five in one period or in two: what a second try heals is no alarm.
        Alarm(
            "changes-failed",
            "Changes at the source cannot be brought to the central catalog.",
            "ChangesFailed",
            2,
            WATCH_SECONDS,
            statistic="Sum",
            dimensions=here,
        ),
        # Told with each change that arrives, and the next may be a day away: one that was late is enough.
        Alarm(
            "catalog-lag",
            "Changes take more than an hour to arrive in the central catalog.",
            "CatalogLagSeconds",
            3600,
            WATCH_SECONDS,
            dimensions=here,
        ),
        # The watch counts a guard that still holds, a little earlier or later each time: one period holds one at least.
        Alarm(
            "mass-delete-guard",
            "So much would be deleted at once that nothing is, until a person says so.",
            "GuardTrips",
            0,
            2 * WATCH_SECONDS,
            statistic="Sum",
            dimensions=here,
        ),
        Alarm(
            "tables-held",
            "A breaking schema change is held at the last good schema.",
            "TablesHeld",
            0,
            WATCH_SECONDS,
            2,
            dimensions=here,
            missing="ignore",
        ),
        Alarm(
            "products-stale",
            "A product's data is older than its contract promises.",
            "ProductsStale",
            0,
            WATCH_SECONDS,
            2,
            dimensions=here,
            missing="ignore",
        ),
        Alarm(
            "sources-absent",
            "Tables are no longer seen at their source.",
            "SourcesAbsent",
            0,
            WATCH_SECONDS,
            2,
            dimensions=here,
            missing="ignore",
        ),
        Alarm(
            "state-failures",
            "What the sync remembers cannot be read or written: deletions wait.",
            "StateFailures",
            0,
            WATCH_SECONDS,
            2,
            "Sum",
            dimensions=here,
        ),
    ]


def review_alarms(domain: str, most_days: int, review_function: str) -> list[Alarm]:
    """The alarm about columns that wait for somebody to review them."""
    says = f"A column has waited for more than {most_days} days to be reviewed: nobody can read it."
    here = written_by(review_function, domain=domain)
    return [Alarm("columns-pending", says, "OldestPendingSeconds", most_days * 86400, 86400, dimensions=here)]


class AlarmsArgs(TypedDict):
    """Arguments of Alarms."""

    mesh: str
    """Name of the mesh."""
    scope: NotRequired[str]
    """What stands in the names of the alarms after the mesh's: a domain; nothing for the mesh as a whole."""
    runbooks: str
    """Address of the folder of the runbooks, with a slash at the end."""
    alarm_topic_arn: pulumi.Input[str]
    """Topic that hears of each alarm."""
    page_topic_arn: pulumi.Input[str]
    """Topic that hears once when any of them is in alarm."""


class Alarms(pulumi.ComponentResource):
    """Alarms, each with its topic and its runbook, and one composite alarm over all of them.

    The composite one is what to be paged by: it speaks once, whichever and how many of the others are in alarm.
    """

    unhealthy: pulumi.Output[str]
    """Name of the composite alarm."""

    def __init__(
        self, name: str, args: AlarmsArgs, alarms: Sequence[Alarm], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("lakemesh:index:Alarms", name, {}, opts)
        if len(alarms) > MOST_CHILDREN:
            raise ValueError(f"{len(alarms)} alarms, and a composite alarm names {MOST_CHILDREN} at most")
        made = [self._alarm(name, args, alarm) for alarm in alarms]
        unhealthy = aws.cloudwatch.CompositeAlarm(
            f"{name}-unhealthy",
            alarm_name=f"{_prefix(args)}unhealthy",
            alarm_description=_description("Something of the metadata sync needs a person.", "unhealthy", args),
            alarm_rule=pulumi.Output.all(*(each.name for each in made)).apply(_any),
            alarm_actions=[args["page_topic_arn"]],
            ok_actions=[args["page_topic_arn"]],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.unhealthy = unhealthy.alarm_name
        self.register_outputs({"unhealthy": self.unhealthy})

    def _alarm(self, name: str, args: AlarmsArgs, alarm: Alarm) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            f"{name}-{alarm.name}",
            name=f"{_prefix(args)}{alarm.name}",
            alarm_description=_description(alarm.says, alarm.name, args),
            namespace=alarm.namespace or args["mesh"],
            metric_name=alarm.metric,
            dimensions=dict(alarm.dimensions),
            statistic=alarm.statistic,
            period=alarm.period,
            evaluation_periods=alarm.periods,
            datapoints_to_alarm=alarm.periods,
            comparison_operator="GreaterThanThreshold",
            threshold=alarm.threshold,
            treat_missing_data=alarm.missing,
            alarm_actions=[args["alarm_topic_arn"]],
            ok_actions=[args["alarm_topic_arn"]],
            opts=pulumi.ResourceOptions(parent=self),
        )


def _prefix(args: AlarmsArgs) -> str:
    scope = args.get("scope")
    return f"{args['mesh']}-{scope}-" if scope else f"{args['mesh']}-"


def _description(says: str, runbook: str, args: AlarmsArgs) -> str:
    return f"{says} Runbook: {args['runbooks']}{runbook}.md"


def _any(names: Sequence[str]) -> str:
    """CloudWatch user guide, "Create a composite alarm": rule expressions."""
    return " OR ".join(f'ALARM("{name}")' for name in names)


def widgets(where: Where, domains: Sequence[str], region: str, account: str, partition: str) -> list[dict[str, Any]]:
    """The dashboard's one screen: is the catalog fresh and right? (CloudWatch API, "Dashboard body structure".)"""
    mesh = where["mesh"]

    def lines(title: str, metric: str, statistic: str, x: int, y: int) -> dict[str, Any]:
        metrics = [[mesh, metric, "domain", domain, "service", where["sync_function"]] for domain in domains]
        return _graph(title, metrics, statistic, region, (x, y, 8, 6))

    alarms = [
        f"arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}"
        for name in (f"{mesh}-unhealthy", *(f"{mesh}-{domain}-unhealthy" for domain in domains))
    ]
    queues = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", where["sync_queue"]],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", where["dead_letter_queue"]],
    ]
    errors = [
        ["AWS/Lambda", metric, "FunctionName", function]
        for function in (where["sync_function"], where["tag_function"])
        for metric in ("Errors", "Throttles")
    ]
    said = f"# {mesh}: is the central catalog fresh and right?\nGreen: yes. `lakemesh sync status` says what is not."
    return [
        {"type": "text", "x": 0, "y": 0, "width": 24, "height": 2, "properties": {"markdown": said}},
        {
            "type": "alarm", "x": 0, "y": 2, "width": 24, "height": 3,
            "properties": {"title": "Health, of the mesh and by domain", "alarms": alarms},
        },
        lines("Since the last comparison of the table that waits longest (s)", "OldestSuccessSeconds", "Maximum", 0, 5),
        lines("From the source to the twin (s)", "CatalogLagSeconds", "Maximum", 8, 5),
        lines("Products older than promised", "ProductsStale", "Maximum", 16, 5),
        lines("Schemas held", "TablesHeld", "Maximum", 0, 11),
        lines("Deletions held by the guard", "GuardTrips", "Sum", 8, 11),
        lines("Changes that failed", "ChangesFailed", "Sum", 16, 11),
        lines("Tables and partitions written", "Writes", "Sum", 0, 17),
        _graph("Messages that wait, and dead ones", queues, "Maximum", region, (8, 17, 8, 6)),
        _graph("Functions", errors, "Sum", region, (16, 17, 8, 6)),
    ]  # fmt: skip


def _graph(
    title: str, metrics: Sequence[Sequence[str]], statistic: str, region: str, at: tuple[int, int, int, int]
) -> dict[str, Any]:
    x, y, width, height = at
    return {
        "type": "metric", "x": x, "y": y, "width": width, "height": height,
        "properties": {
            "title": title, "metrics": [list(metric) for metric in metrics], "stat": statistic, "period": WATCH_SECONDS,
            "region": region, "view": "timeSeries", "yAxis": {"left": {"min": 0}},
        },
    }  # fmt: skip


def runbooks() -> Iterator[str]:
    """Name of every runbook that an alarm of ours links to."""
    where: Where = {"mesh": "", "sync_function": "", "tag_function": "", "sync_queue": "", "dead_letter_queue": ""}
    for alarm in (*central_alarms(where), *domain_alarms("", 0, ""), *review_alarms("", 14, "")):
        yield alarm.name
    yield "unhealthy"
