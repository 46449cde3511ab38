"""What the deploying role may do with event buses, rules and queues (see `permissions`)."""

from __future__ import annotations

from collections.abc import Iterable

from lakemesh.bootstrap.documents import Statement, allow
from lakemesh.bootstrap.places import MESH_TAG, Kind, Place


def rules(place: Place) -> Iterable[Statement]:
    """aws.cloudwatch.EventRule and aws.cloudwatch.EventTarget."""
    naming = place.naming
    if place.kind is Kind.CENTRAL:
        names = [
            f"rule/{naming.event_bus}/{naming.event_rule}",
            f"rule/{naming.refresh_rule}",
            f"rule/{naming.watch_rule}",
        ]
    else:
        names = [f"rule/{naming.forwarding_rule(place.name)}"]
    if place.reviews_after_sync:
        names += [f"rule/{naming.review_rule}", f"rule/{naming.review_schedule}"]
    if place.scans:
        names.append(f"rule/{naming.scan_rule(place.name)}")
    yield allow(
        "EventRules",
        [
            "events:DeleteRule",
            "events:DescribeRule",
            "events:ListTagsForResource",
            "events:ListTargetsByRule",
            "events:PutRule",
            "events:PutTargets",
            "events:RemoveTargets",
            "events:TagResource",
            "events:UntagResource",
        ],
        [place.arn("events", name) for name in names],
    )


def forwarding(place: Place) -> Iterable[Statement]:
    """A target in another account: its rule sends as a role (EventBridge user guide, "Sending and receiving events
    between AWS accounts")."""
    yield allow(
        "ForwardingRoleToEventBridgeAlone",
        ["iam:PassRole"],
        [place.iam(f"role/{place.naming.forwarding_role(place.name)}")],
        {"StringEquals": {"iam:PassedToService": "events.amazonaws.com"}},
    )


def bus(place: Place) -> Iterable[Statement]:
    """aws.cloudwatch.EventBus and aws.cloudwatch.EventBusPolicy."""
    yield allow(
        "EventBus",
        [
            "events:CreateEventBus",
            "events:DeleteEventBus",
            "events:DescribeEventBus",
            "events:ListTagsForResource",
            "events:TagResource",
            "events:UntagResource",
        ],
        [place.arn("events", f"event-bus/{place.naming.event_bus}")],
    )
    # A bus's policy is changed by calls that know no resource (service authorization reference, "Amazon EventBridge").
    yield allow("EventBusPolicy", ["events:PutPermission", "events:RemovePermission"], ["*"])


def queues(place: Place) -> Iterable[Statement]:
    """aws.sqs.Queue and aws.sqs.QueuePolicy: no message is sent or read."""
    yield allow(
        "Queues",
        [
            "sqs:CreateQueue",
            "sqs:DeleteQueue",
            "sqs:GetQueueAttributes",
            "sqs:ListQueueTags",
            "sqs:SetQueueAttributes",
            "sqs:TagQueue",
            "sqs:UntagQueue",
        ],
        [place.arn("sqs", name) for name in (place.naming.sync_queue, place.naming.dead_letter_queue)],
    )


def state(place: Place) -> Iterable[Statement]:
    """aws.dynamodb.Table: no item is read or written."""
    yield allow(
        "Tables",
        [
            "dynamodb:CreateTable",
            "dynamodb:DeleteTable",
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:DescribeTable",
            "dynamodb:DescribeTimeToLive",
            "dynamodb:ListTagsOfResource",
            "dynamodb:TagResource",
            "dynamodb:UntagResource",
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateTable",
            "dynamodb:UpdateTimeToLive",
        ],
        [place.arn("dynamodb", f"table/{name}") for name in (place.naming.sync_state, place.naming.access_log)],
    )
    yield allow(
        # Whoever gives a table its key lends it (DynamoDB developer guide, "encryption at rest: usage notes").
        "GiveTablesTheirKey",
        ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
        [place.arn("kms", "key/*")],
        {
            "StringEquals": {f"aws:ResourceTag/{MESH_TAG}": place.mesh.name},
            "StringLike": {"kms:ViaService": "dynamodb.*"},
        },
    )


def mappings(place: Place) -> Iterable[Statement]:
    """aws.lambda.EventSourceMapping: its id is Lambda's, so the function says which."""
    mapping = place.arn("lambda", "event-source-mapping:*")
    function = {"ArnEquals": {"lambda:FunctionArn": place.arn("lambda", f"function:{place.naming.sync_function}")}}
    # Creating one knows no resource (service authorization reference, "AWS Lambda").
    yield allow("MapTheQueueToTheSync", ["lambda:CreateEventSourceMapping"], ["*"], function)
    yield allow(
        "MappingsOfTheSync",
        ["lambda:DeleteEventSourceMapping", "lambda:UpdateEventSourceMapping"],
        [mapping],
        function,
    )
    yield allow(
        "ReadAndTagMappings",
        ["lambda:GetEventSourceMapping", "lambda:ListTags", "lambda:TagResource", "lambda:UntagResource"],
        [mapping],
    )
