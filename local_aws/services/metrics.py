"""CloudWatch's metrics: what programs and Lambda's log lines say, and what queues and functions say of themselves.

Sources (CloudWatch user guide): "Specification: Embedded metric format", "CloudWatch concepts" (a metric is its
namespace, name and dimensions; each combination is one of its own), "Statistics definitions"; Lambda developer guide,
"Types of metrics for Lambda functions"; SQS developer guide, "Available CloudWatch metrics for Amazon SQS".
Time is that of the clock that can be moved on. A queue's numbers are worked out when somebody looks, for every moment
since: from the messages that lie in it now, and from what was seen when somebody looked before.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.services import calls, clock
from local_aws.services.calls import LOCK

QUEUES, FUNCTIONS = "AWS/SQS", "AWS/Lambda"
KEPT = 15 * 86400
"""Seconds that data points are kept for (one-minute points, "Metrics retention")."""
MOST_VALUES = 100
"""Values of one metric in a line, and dimensions sets, of the embedded metric format."""
_VISIBLE, _HIDDEN = "ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"
_OLDEST = "ApproximateAgeOfOldestMessage"
_OF_QUEUES = (_VISIBLE, _HIDDEN, _OLDEST)
Dimensions = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Metric:
    """One metric: the same name with other dimensions is another one."""

    account: str
    region: str
    namespace: str
    name: str
    dimensions: Dimensions = frozenset()


@dataclass(frozen=True)
class Point:
    """Values of one moment, as their statistics."""

    at: float
    count: float
    total: float
    low: float
    high: float

    @classmethod
    def of(cls, at: float, value: float, count: float = 1) -> Point:
        return cls(at, count, value * count, value, value)


_points: dict[Metric, list[Point]] = defaultdict(list)


@calls.on_reset
def clear() -> None:
    _points.clear()


def put(metric: Metric, points: Iterable[Point]) -> None:
    with LOCK:
        kept = _points[metric]
        kept.extend(points)
        if kept and kept[0].at < clock.now() - KEPT:
            kept[:] = [point for point in kept if point.at >= clock.now() - KEPT]


def known(account: str, region: str) -> list[Metric]:
    """Every metric that has data, those of queues included."""
    with LOCK:
        said = [each for each in _points if (each.account, each.region) == (account, region)]
        of_queues = [
            Metric(account, region, QUEUES, name, frozenset({("QueueName", queue)}))
            for queue in _queues(account, region)
            for name in _OF_QUEUES
        ]
    return list(dict.fromkeys([*said, *of_queues]))


def statistic(name: str, points: list[Point]) -> float:
    """One statistic of some points, of which there is at least one. Raises AwsError for one that is not modelled."""
    count, total = sum(point.count for point in points), sum(point.total for point in points)
    match name:
        case "SampleCount":
            return count
        case "Sum":
            return total
        case "Average":
            return total / count
        case "Minimum":
            return min(point.low for point in points)
        case "Maximum":
            return max(point.high for point in points)
    raise calls.not_implemented("cloudwatch", f"the statistic {name}")


def value(metric: Metric, name: str, start: float, end: float) -> float | None:
    """A statistic of what lies after `start` and not after `end`; None: there is nothing."""
    with LOCK:
        points = [point for point in _points.get(metric, ()) if start < point.at <= end]
        if metric.namespace == QUEUES and (seen := _of_queue(metric, min(end, clock.now()))) is not None:
            points.append(seen)
    return statistic(name, points) if points else None


# ------------------------------------------------------------------------------------------------- log lines
def extract(account: str, region: str, lines: Iterable[str]) -> None:
    """Take the metrics out of lines in the embedded metric format; other lines, and broken ones, hold none."""
    for line in lines:
        if '"_aws"' not in line or not line.startswith("{"):
            continue
        try:
            for metric, points in _embedded(account, region, json.loads(line)):
                put(metric, points)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue  # CloudWatch counts such a line as an error of its own, and takes nothing from it


def _embedded(account: str, region: str, root: Mapping[str, Any]) -> Iterator[tuple[Metric, list[Point]]]:
    meta = root["_aws"]
    # The line has the machine's time; metrics have that of the clock, which may have been moved on.
    at = meta["Timestamp"] / 1000 + clock.now() - time.time()
    for directive in meta["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, str(root[name])) for name in names)
            for definition in directive["Metrics"]:
                given = root[definition["Name"]]
                values = given if isinstance(given, list) else [given]
                points = [Point.of(at, float(each)) for each in values[:MOST_VALUES]]
                yield Metric(account, region, directive["Namespace"], definition["Name"], dimensions), points


# -------------------------------------------------------------------------------------- what services say themselves
def of_function(
    arn: str, *, invocations: int = 0, errors: int = 0, throttles: int = 0, duration: float | None = None
) -> None:
    """What Lambda says of a function: a throttled call is no invocation, an invocation says how many errors it had."""
    parts = arn.split(":")
    at = clock.now()
    told = {"Throttles": float(throttles)}
    if invocations:
        told |= {"Invocations": float(invocations), "Errors": float(errors)}
    if duration is not None:
        told["Duration"] = duration
    for name, said in told.items():
        metric = Metric(parts[4], parts[3], FUNCTIONS, name, frozenset({("FunctionName", parts[6])}))
        put(metric, [Point.of(at, said)])


def _queues(account: str, region: str) -> dict[str, Any]:
    from moto.sqs.models import sqs_backends

    return dict(sqs_backends[account][region].queues)


def _of_queue(metric: Metric, at: float) -> Point | None:
    """A queue's number at a moment, from the messages that are in it now; None: there is no such queue."""
    name = dict(metric.dimensions).get("QueueName", "")
    queue = _queues(metric.account, metric.region).get(name)
    if queue is None or metric.name not in _OF_QUEUES:
        return None
    # A message is sent on the clock's milliseconds; one that a later moment made visible was not before.
    there = [message for message in queue._messages if message.sent_timestamp / 1000 <= at]
    visible = [each for each in there if max(each.visible_at, each.delayed_until) / 1000 <= at]
    match metric.name:
        case str(each) if each == _VISIBLE:
            found = float(len(visible))
        case str(each) if each == _HIDDEN:
            found = float(len(there) - len(visible))
        case _:
            found = max((at - message.sent_timestamp / 1000 for message in there), default=0.0)
    return Point.of(at, found)


def observe(metric: Metric) -> None:
    """Remember a queue's number of now: messages that are gone later leave it behind."""
    if metric.namespace == QUEUES and (seen := _of_queue(metric, clock.now())) is not None:
        put(metric, [seen])
