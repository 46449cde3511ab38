"""What the sync, and whatever else handles events, needs to be operated: queues, functions, buses, alarms."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from pulumi_policy import Severity

from guardrails import tokens
from guardrails.documents import statements
from guardrails.mesh import Given
from guardrails.resource import ACCOUNT, Resource, Stack, mapping, mappings, number, text, texts
from guardrails.rule import Concern

OPERATIONS: Final = Concern("operations", "Operations")
RUNBOOK: Final = r"https?://|runbook"


def _last(arn_or_url: str) -> str:
    """Name at the end of an ARN or of a queue's URL."""
    return re.split(r"[:/]", arn_or_url)[-1]


@OPERATIONS.stack(
    "queues-have-a-dead-letter-queue",
    Severity.HIGH,
    fix="Add a second queue and a redrive_policy with its ARN and a maxReceiveCount.",
)
def queues_have_a_dead_letter_queue(stack: Stack, _given: Given) -> Iterator[tuple[Resource, str]]:
    """Every queue hands messages that fail again and again to a dead letter queue.

    Without one a message that cannot be handled is tried until it expires, and nobody ever sees it.

    Good::

        aws.sqs.Queue("events", redrive_policy=dead.arn.apply(
            lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})))

    Bad::

        aws.sqs.Queue("events")
    """
    targets, redriven = _dead_letters(stack)
    queues = stack.read(tokens.QUEUE, _name)
    if stack.unknown is not None:
        return
    for resource, name in queues:
        dead = name in targets or resource.given("redriveAllowPolicy")
        if not dead and not resource.given("redrivePolicy") and name not in redriven:
            yield (
                resource,
                f"{resource} has no dead letter queue; a message that fails would be tried until it expires.",
            )


def _name(resource: Resource) -> str:
    return text(resource.get("name")) or resource.name


def _dead_letters(stack: Stack) -> tuple[set[str], set[str]]:
    """Names of queues that are dead letter queues, and of queues to which another resource gives one."""
    targets, redriven = set(), set()
    for _, policy in stack.read([tokens.QUEUE, tokens.QUEUE_REDRIVE], lambda each: each.get("redrivePolicy")):
        targets.add(_last(text(_parsed(policy).get("deadLetterTargetArn"))))
    for _, url in stack.read(tokens.QUEUE_REDRIVE, lambda each: text(each.get("queueUrl"))):
        redriven.add(_last(url))
    return targets - {""}, redriven


def _parsed(policy: Any) -> dict[str, Any]:
    try:
        return mapping(json.loads(policy) if isinstance(policy, str) else policy)
    except ValueError:
        return {}


@OPERATIONS.stack(
    "dead-letter-queues-have-an-alarm",
    Severity.HIGH,
    fix="Add a MetricAlarm on ApproximateNumberOfMessagesVisible with the dimension QueueName.",
)
def dead_letter_queues_have_an_alarm(stack: Stack, _given: Given) -> Iterator[tuple[Resource, str]]:
    """Every dead letter queue has an alarm that names it.

    What lies in it is work that was not done.

    Good::

        aws.cloudwatch.MetricAlarm("dead", namespace="AWS/SQS", metric_name="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": dead.name}, ...)

    Bad::

        dead = aws.sqs.Queue("dead")  # and no alarm on it
    """
    targets, _ = _dead_letters(stack)
    watched, queues = _watched(stack), stack.read(tokens.QUEUE, _name)
    if stack.unknown is not None:
        return
    for resource, name in queues:
        if name in targets and name not in watched:
            yield resource, f"{resource} is a dead letter queue, and no alarm of the stack watches it."


def _watched(stack: Stack) -> set[str]:
    """Everything that alarms name in their dimensions."""
    return {
        value
        for _, found in stack.read(
            tokens.ALARM,
            lambda each: [
                *mapping(each.get("dimensions")).values(),
                *(
                    value
                    for query in mappings(each.get("metricQueries"))
                    for value in mapping(mapping(query.get("metric")).get("dimensions")).values()
                ),
            ],
        )
        for value in found
        if isinstance(value, str)
    }


def _handlers(stack: Stack) -> dict[str, str]:
    """Queue by name of the function that handles it."""
    read = stack.read(
        tokens.EVENT_SOURCE,
        lambda each: (text(each.get("functionName")), text(each.get("eventSourceArn")), each.get("scalingConfig")),
    )
    return {_last(function): _last(source) for _, (function, source, _) in read if ":sqs:" in source}


@OPERATIONS.stack(
    "queue-handlers-have-reserved-concurrency",
    Severity.MEDIUM,
    fix="Set reserved_concurrent_executions, or scaling_config.maximum_concurrency of the event source mapping.",
)
def queue_handlers_have_reserved_concurrency(stack: Stack, _given: Given) -> Iterator[tuple[Resource, str]]:
    """A function that handles a queue has a concurrency of its own.

    A burst of events otherwise takes the whole account's concurrency, and the calls to Glue run into throttling.

    Good::

        aws.lambda_.Function("sync", reserved_concurrent_executions=5, ...)

    Bad::

        aws.lambda_.Function("sync", ...)  # with an EventSourceMapping from a queue
    """
    handlers = _handlers(stack)
    limited = {
        _last(function)
        for _, (function, scaling) in stack.read(
            tokens.EVENT_SOURCE, lambda each: (text(each.get("functionName")), mapping(each.get("scalingConfig")))
        )
        if scaling.get("maximumConcurrency")
    }
    functions = stack.read(
        tokens.FUNCTION, lambda each: (_name(each), number(each.get("reservedConcurrentExecutions")))
    )
    if stack.unknown is not None:
        return
    for resource, (name, reserved) in functions:
        if name in handlers and name not in limited and (reserved is None or reserved < 1):
            yield (
                resource,
                f"{resource} handles queue {handlers[name]} with no concurrency of its own; reserve some for it.",
            )


@OPERATIONS.stack(
    "queue-handlers-have-an-alarm",
    Severity.HIGH,
    fix="Add a MetricAlarm with the dimension FunctionName or QueueName.",
)
def queue_handlers_have_an_alarm(stack: Stack, _given: Given) -> Iterator[tuple[Resource, str]]:
    """A function that handles a queue has an alarm that names it or its queue.

    A handler that stopped working is silent: the catalog just goes on looking as it did.

    Good::

        aws.cloudwatch.MetricAlarm("errors", namespace="AWS/Lambda", metric_name="Errors",
            dimensions={"FunctionName": sync.name}, ...)

    Bad::

        aws.lambda_.EventSourceMapping("events", event_source_arn=queue.arn, function_name=sync.name)  # and no alarm
    """
    handlers, watched = _handlers(stack), _watched(stack)
    functions = stack.read(tokens.FUNCTION, _name)
    if stack.unknown is not None:
        return
    for resource, name in functions:
        if name in handlers and not {name, handlers[name]} & watched:
            yield (
                resource,
                f"{resource} handles queue {handlers[name]}, and no alarm of the stack watches either of them.",
            )


@OPERATIONS.stack(
    "logs-have-a-retention",
    Severity.LOW,
    fix="Set retention_in_days; for a function make the log group /aws/lambda/<function> in the stack.",
)
def logs_have_a_retention(stack: Stack, _given: Given) -> Iterator[tuple[Resource, str]]:
    """Every log group says how long it keeps what it is given, and every function has a log group.

    A group without retention keeps everything for ever, and a function without a group of its own makes such a one.

    Good::

        aws.cloudwatch.LogGroup("sync", name="/aws/lambda/mesh-sync", retention_in_days=365)

    Bad::

        aws.cloudwatch.LogGroup("sync", name="/aws/lambda/mesh-sync")
    """
    names = set()
    for resource, (name, days) in stack.read(tokens.LOG_GROUP, lambda e: (_name(e), number(e.get("retentionInDays")))):
        names.add(name)
        if not days:
            yield resource, f"{resource} keeps its logs for ever; set retention_in_days."
    functions = stack.read(tokens.FUNCTION, lambda e: (_name(e), mapping(e.get("loggingConfig")).get("logGroup")))
    if stack.unknown is not None:
        return
    for resource, (name, group) in functions:
        if not group and f"/aws/lambda/{name}" not in names:
            yield (
                resource,
                f"{resource} has no log group in the stack, so Lambda makes one that keeps its logs for ever.",
            )


@OPERATIONS.resource(
    "event-buses-admit-the-organization-only",
    Severity.CRITICAL,
    tokens.BUS_POLICY,
    tokens.BUS_PERMISSION,
    fix="Add a condition StringEquals aws:PrincipalOrgID with the id of the organization.",
    tags=("least-privilege",),
)
def event_buses_admit_the_organization_only(resource: Resource, given: Given) -> Iterator[str]:
    """An event bus takes events from the organization, or from accounts of the mesh, and from nobody else.

    Whoever may put events on the bus decides when the sync runs, and what its operators are told.

    Good::

        {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents",
         "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}

    Bad::

        {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents"}
    """
    for principals, organizations in _admitted(resource):
        ours = bool(organizations) and "*" not in organizations
        if ours and (not given.known or set(organizations) == {given.manifest.organization}):
            continue
        if ours:
            yield f"{resource} admits the organization {', '.join(organizations)}, which is not the one of the mesh."
            continue
        outside = [each for each in principals if not _known_account(each, given)]
        if outside:
            yield (
                f"{resource} lets {', '.join(outside)} put events on the bus; ask for the organization "
                "(aws:PrincipalOrgID)."
            )


def _admitted(resource: Resource) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    if resource.type == tokens.BUS_PERMISSION:
        condition = mapping(resource.get("condition"))
        organization = (
            text(condition.get("value")) if text(condition.get("key")).lower() == "aws:principalorgid" else ""
        )
        yield [text(resource.get("principal"))], (organization,) if organization else ()
        return
    for each in statements(resource.get("policy")):
        if each.allows:
            principals = [value for kind, value in each.principals if kind != "Service"]
            yield principals or (["everybody but some"] if each.anybody_but else []), each.values("aws:PrincipalOrgID")


def _known_account(principal: str, given: Given) -> bool:
    """Whether a principal is, or belongs to, an account that may put events without further condition."""
    found = re.search(r"\d{12}", principal)
    if found is None:
        return False
    return found.group() in given.manifest.accounts if given.known else bool(ACCOUNT.match(found.group()))


@OPERATIONS.resource(
    "alarms-have-an-action",
    Severity.HIGH,
    tokens.ALARM,
    tokens.COMPOSITE_ALARM,
    fix="Name a topic in alarm_actions.",
)
def alarms_have_an_action(resource: Resource, _given: Given) -> Iterator[str]:
    """Every alarm tells somebody.

    An alarm without action turns red on a page that nobody has open.

    Good::

        aws.cloudwatch.MetricAlarm("errors", alarm_actions=[topic.arn], ...)

    Bad::

        aws.cloudwatch.MetricAlarm("errors", ...)
    """
    enabled = resource.get("actionsEnabled")
    if enabled is False or text(enabled).lower() == "false":
        yield f"{resource} has its actions switched off; set actions_enabled=True."
    elif not resource.given("alarmActions") or not texts(resource.get("alarmActions")):
        yield f"{resource} tells nobody; name a topic in alarm_actions."


@OPERATIONS.resource(
    "alarms-have-a-runbook",
    Severity.LOW,
    tokens.ALARM,
    tokens.COMPOSITE_ALARM,
    fix="Say in alarm_description where the runbook is.",
    options={
        "pattern": {"type": "string", "description": "Regular expression that finds the runbook in the description."}
    },
)
def alarms_have_a_runbook(resource: Resource, given: Given) -> Iterator[str]:
    """The description of every alarm says where its runbook is.

    Whoever is woken by it has not seen it before.

    Good::

        alarm_description="The sync fails. Runbook: docs/runbooks/sync-errors.md"

    Bad::

        alarm_description="Errors > 0"
    """
    pattern = text(given.options.get("pattern")) or RUNBOOK
    if not re.search(pattern, text(resource.get("alarmDescription")), re.IGNORECASE):
        yield f"{resource} does not say where its runbook is; put a link to it into alarm_description."
