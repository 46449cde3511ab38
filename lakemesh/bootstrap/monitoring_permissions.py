"""What the deploying role may do with topics, alarms and dashboards (see `permissions`)."""

from __future__ import annotations

from collections.abc import Iterable

from lakemesh.bootstrap.documents import Statement, allow
from lakemesh.bootstrap.places import Place


def topics(place: Place) -> Iterable[Statement]:
    """aws.sns.Topic, aws.sns.TopicPolicy and aws.sns.TopicSubscription: nothing is published."""
    yield allow(
        "Topics",
        [
            "sns:CreateTopic",
            "sns:DeleteTopic",
            "sns:GetTopicAttributes",
            "sns:ListTagsForResource",
            "sns:SetTopicAttributes",
            "sns:Subscribe",
            "sns:TagResource",
            "sns:UntagResource",
        ],
        [f"{place.naming.topic_prefix}*"],
    )
    # Calls on a subscription know no resource (service authorization reference, "Amazon SNS").
    yield allow("Subscriptions", ["sns:GetSubscriptionAttributes", "sns:Unsubscribe"], ["*"])


def alarms(place: Place) -> Iterable[Statement]:
    """aws.cloudwatch.MetricAlarm and aws.cloudwatch.CompositeAlarm, named after the mesh: `<mesh>-<alarm>`."""
    yield allow(
        "Alarms",
        [
            "cloudwatch:DeleteAlarms",
            "cloudwatch:ListTagsForResource",
            "cloudwatch:PutCompositeAlarm",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
        ],
        [place.arn("cloudwatch", f"alarm:{place.mesh.name}-*")],
    )
    # Describing is asked of all alarms, whichever are named (service authorization reference, "Amazon CloudWatch").
    yield allow("FindAlarms", ["cloudwatch:DescribeAlarms"], [place.arn("cloudwatch", "alarm:*")])


def dashboards(place: Place) -> Iterable[Statement]:
    """aws.cloudwatch.Dashboard: named as the mesh, or after it. Dashboards are of no region."""
    named = f"arn:{place.naming.partition}:cloudwatch::{place.account}:dashboard/{place.mesh.name}"
    yield allow(
        "Dashboards",
        ["cloudwatch:DeleteDashboards", "cloudwatch:GetDashboard", "cloudwatch:PutDashboard"],
        [named, f"{named}-*"],
    )
