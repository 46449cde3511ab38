"""CloudWatch's operations: metrics, alarms and dashboards. Nothing of it is moto's, whose alarms are in no state.

Sources: CloudWatch API reference, each operation's page; service authorization reference, "Amazon CloudWatch".
Metric math, anomaly detection, percentiles, metric streams, mutes and suppressors are refused by name.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from local_aws.services import alarms, authorize, calls, clock, metrics, rules
from local_aws.services.alarms import Alarm
from local_aws.services.authorize import Need
from local_aws.services.calls import AwsError, Call, not_implemented, operation
from local_aws.services.metrics import Metric, Point

_dashboards: dict[str, dict[str, tuple[str, float]]] = {}
"""By account, then by name: the body and when it was put. Dashboards are of no region."""
_OF_METRICS = frozenset({
    "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions",
    "MetricName", "Namespace", "Statistic", "Dimensions", "Period", "Unit", "EvaluationPeriods", "DatapointsToAlarm",
    "Threshold", "ComparisonOperator", "TreatMissingData", "Tags",
})  # fmt: skip
_OF_RULES = frozenset({
    "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions",
    "AlarmRule", "Tags",
})  # fmt: skip
_NEEDED = ("MetricName", "Namespace", "Statistic", "Period", "Threshold")


@calls.on_reset
def clear() -> None:
    _dashboards.clear()


@authorize.rule("cloudwatch")
def needs(call: Call) -> Iterator[Need]:
    """By alarm and dashboard; metrics know no resource, but a condition on the namespace that is written."""
    params, action = call.params, f"cloudwatch:{call.operation}"
    if call.operation == "PutMetricData":
        yield Need(action, "*", extra={"cloudwatch:namespace": params["Namespace"]})
    elif names := params.get("AlarmNames") if call.operation == "DeleteAlarms" else None:
        for name in names:
            yield Need(action, authorize.arn(call, "cloudwatch", f"alarm:{name}"))
    elif name := params.get("AlarmName"):
        yield Need(action, authorize.arn(call, "cloudwatch", f"alarm:{name}"))
        if params.get("Tags"):
            yield Need("cloudwatch:TagResource", authorize.arn(call, "cloudwatch", f"alarm:{name}"))
    elif call.operation == "DescribeAlarms":
        yield Need(action, authorize.arn(call, "cloudwatch", "alarm:*"))
    elif boards := params.get("DashboardNames") or [each for each in (params.get("DashboardName"),) if each]:
        for name in boards:
            yield Need(action, f"arn:{authorize.partition(call.region)}:cloudwatch::{call.account}:dashboard/{name}")
    else:
        yield Need(action, params.get("ResourceARN", "*"))


def _at(moment: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(moment, dt.UTC)


def _only(call: Call, known: frozenset[str]) -> None:
    if other := sorted(name for name in call.params.keys() - known if call.params[name] not in (None, [], "")):
        raise not_implemented("cloudwatch", f"{call.operation} with {', '.join(other)}")


def _invalid(text: str) -> AwsError:
    return AwsError("ValidationError", text)


# --------------------------------------------------------------------------------------------------------- metrics
@operation("cloudwatch", "PutMetricData", exclusive=True)
def put_metric_data(call: Call) -> None:
    namespace = call.params["Namespace"]
    if namespace.startswith("AWS/"):
        raise AwsError("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
    _only(call, frozenset({"Namespace", "MetricData", "StrictEntityValidation"}))
    for datum in call.params.get("MetricData") or ():
        at = datum["Timestamp"].timestamp() if "Timestamp" in datum else clock.now()
        metrics.put(_metric(call, {"Namespace": namespace, **datum}), _points(datum, at))


def _points(datum: dict[str, Any], at: float) -> list[Point]:
    if stats := datum.get("StatisticValues"):
        return [Point(at, stats["SampleCount"], stats["Sum"], stats["Minimum"], stats["Maximum"])]
    values = datum.get("Values") or [datum["Value"]]
    counts = datum.get("Counts") or [1.0] * len(values)
    return [Point.of(at, each, count) for each, count in zip(values, counts, strict=True)]


def _metric(call: Call, given: dict[str, Any]) -> Metric:
    dimensions = frozenset((each["Name"], each["Value"]) for each in given.get("Dimensions") or ())
    return Metric(call.account, call.region, given["Namespace"], given["MetricName"], dimensions)


def _series(metric: Metric, name: str, call: Call, period: int) -> Iterator[tuple[float, float]]:
    """(start of the period, value), the oldest first; periods begin at multiples of their length."""
    start, end = call.params["StartTime"].timestamp(), call.params["EndTime"].timestamp()
    begin = start // period * period
    while begin < end and begin <= clock.now():
        # A point at the beginning of a period is the period's.
        found = metrics.value(metric, name, begin - 0.0005, begin + period - 0.0005)
        if found is not None:
            yield begin, found
        begin += period


@operation("cloudwatch", "GetMetricStatistics")
def get_metric_statistics(call: Call) -> dict[str, Any]:
    metric, period = _metric(call, call.params), call.params["Period"]
    if call.params.get("ExtendedStatistics"):
        raise not_implemented("cloudwatch", "GetMetricStatistics with ExtendedStatistics")
    found: dict[float, dict[str, Any]] = {}
    for name in call.params.get("Statistics") or ():
        for start, value in _series(metric, name, call, period):
            found.setdefault(start, {"Timestamp": _at(start), "Unit": "None"})[name] = value
    return {"Label": metric.name, "Datapoints": list(found.values())}


@operation("cloudwatch", "GetMetricData")
def get_metric_data(call: Call) -> dict[str, Any]:
    """Single metrics, the newest first unless asked otherwise."""
    results = []
    for query in call.params["MetricDataQueries"]:
        if "MetricStat" not in query:
            raise not_implemented("cloudwatch", "GetMetricData of an expression")
        stat = query["MetricStat"]
        metric = _metric(call, stat["Metric"])
        points = list(_series(metric, stat["Stat"], call, stat["Period"]))
        if call.params.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            points.reverse()
        results.append({
            "Id": query["Id"], "Label": query.get("Label") or metric.name, "StatusCode": "Complete",
            "Timestamps": [_at(start) for start, _ in points], "Values": [value for _, value in points],
        })  # fmt: skip
    return {"MetricDataResults": results, "Messages": []}


@operation("cloudwatch", "ListMetrics")
def list_metrics(call: Call) -> dict[str, Any]:
    params = call.params
    _only(call, frozenset({"Namespace", "MetricName", "Dimensions", "NextToken"}))
    wanted = {(each["Name"], each.get("Value")) for each in params.get("Dimensions") or ()}
    found = [
        each
        for each in metrics.known(call.account, call.region)
        if params.get("Namespace", each.namespace) == each.namespace
        and params.get("MetricName", each.name) == each.name
        and all(pair in each.dimensions or (pair[1] is None and pair[0] in dict(each.dimensions)) for pair in wanted)
    ]
    listed = [
        {
            "Namespace": each.namespace, "MetricName": each.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in sorted(each.dimensions)],
        }
        for each in found
    ]  # fmt: skip
    page, token = calls.page(listed, call, 500)
    return {"Metrics": page, **({"NextToken": token} if token else {})}


# ---------------------------------------------------------------------------------------------------------- alarms
def _put(call: Call, rule: rules.Rule | None) -> None:
    given = {key: value for key, value in call.params.items() if key != "Tags"}
    known = alarms.of(call.account, call.region)
    before = known.get(given["AlarmName"])
    if before is not None and (before.rule is None) != (rule is None):
        raise _invalid(f"An alarm of the other kind has the name {before.name}.")
    for actions in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        for action in given.get(actions) or ():
            if action.split(":")[2:3] != ["sns"]:
                raise not_implemented("cloudwatch", f"{call.operation} with an action that is no topic: {action}")
    tags = {each["Key"]: each["Value"] for each in call.params.get("Tags") or ()}
    if before is None:
        made = Alarm(call.account, call.region, given["AlarmName"], given, rule, tags)
        made.changed = made.configured = clock.now()
        known[made.name] = made
    else:
        # Tags of an alarm that exists stay as they are (PutMetricAlarm, "Tags"), and so does its state.
        before.given, before.rule, before.configured = given, rule, clock.now()


@operation("cloudwatch", "PutMetricAlarm", exclusive=True)
def put_metric_alarm(call: Call) -> None:
    _only(call, _OF_METRICS)
    given = call.params
    if lacking := [name for name in _NEEDED if given.get(name) is None]:
        raise _invalid(f"The parameters {', '.join(lacking)} are needed for an alarm on one metric.")
    if given["ComparisonOperator"] not in alarms.COMPARISONS:
        raise not_implemented("cloudwatch", f"PutMetricAlarm with {given['ComparisonOperator']}")
    if given.get("TreatMissingData", "missing") not in {"breaching", "notBreaching", "ignore", "missing"}:
        raise _invalid(f"Option {given['TreatMissingData']} is not supported for parameter TreatMissingData.")
    if given.get("DatapointsToAlarm", 1) > given["EvaluationPeriods"]:
        raise _invalid("DatapointsToAlarm must not be greater than EvaluationPeriods.")
    if given["Period"] not in {10, 20, 30} and given["Period"] % 60:
        raise _invalid("Period must be 10, 20, 30 or a multiple of 60.")
    if given["Period"] * given["EvaluationPeriods"] > (86400 if given["Period"] < 3600 else 7 * 86400):
        raise _invalid(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period), a week from an hour on."
        )
    _put(call, None)


@operation("cloudwatch", "PutCompositeAlarm", exclusive=True)
def put_composite_alarm(call: Call) -> None:
    _only(call, _OF_RULES)
    try:
        rule = rules.parse(call.params["AlarmRule"])
    except rules.RuleError as error:
        raise _invalid(str(error)) from error
    if gone := sorted(rule.names - alarms.of(call.account, call.region).keys()):
        named = ", ".join(gone)
        raise _invalid(f"Could not save the composite alarm as alarms [{named}] in the alarm rule do not exist")
    _put(call, rule)


@operation("cloudwatch", "DeleteAlarms", exclusive=True)
def delete_alarms(call: Call) -> None:
    known = alarms.of(call.account, call.region)
    going = set(call.params["AlarmNames"])
    for other in known.values():
        if other.rule is not None and other.name not in going and (held := sorted(other.rule.names & going)):
            raise _invalid(f"Cannot delete {', '.join(held)} as there are composite alarm(s) depending on it.")
    for name in going:
        known.pop(name, None)


@operation("cloudwatch", "DescribeAlarms")
def describe_alarms(call: Call) -> dict[str, Any]:
    """With the states of now. Metric alarms alone, unless AlarmTypes asks for others (DescribeAlarms, "AlarmTypes")."""
    params = call.params
    _only(call, frozenset({"AlarmNames", "AlarmNamePrefix", "AlarmTypes", "StateValue", "MaxRecords", "NextToken"}))
    alarms.evaluate(call.account, call.region)
    kinds = params.get("AlarmTypes") or ["MetricAlarm"]
    names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix", "")
    found = [
        alarm
        for name, alarm in sorted(alarms.of(call.account, call.region).items())
        if (not names or name in names)
        and name.startswith(prefix)
        and ("MetricAlarm" if alarm.rule is None else "CompositeAlarm") in kinds
        and params.get("StateValue", alarm.state) == alarm.state
    ]
    page, token = calls.page(found, call, 100, size="MaxRecords")
    return {
        "MetricAlarms": [_told(alarm) for alarm in page if alarm.rule is None],
        "CompositeAlarms": [_told(alarm) for alarm in page if alarm.rule is not None],
        **({"NextToken": token} if token else {}),
    }


def _told(alarm: Alarm) -> dict[str, Any]:
    lists = {name: alarm.given.get(name) or [] for name in ("AlarmActions", "OKActions", "InsufficientDataActions")}
    return {
        **alarm.given, **lists, "AlarmArn": alarm.arn, "ActionsEnabled": alarm.given.get("ActionsEnabled", True),
        "StateValue": str(alarm.state), "StateReason": alarm.reason, "StateUpdatedTimestamp": _at(alarm.changed),
        "StateTransitionedTimestamp": _at(alarm.changed), "AlarmConfigurationUpdatedTimestamp": _at(alarm.configured),
    }  # fmt: skip


def _tagged(call: Call) -> dict[str, str]:
    name = call.params["ResourceARN"].partition(":alarm:")[2]
    found = alarms.of(call.account, call.region).get(name)
    if found is None:
        raise AwsError("ResourceNotFoundException", f"Unknown {call.params['ResourceARN']}", 404)
    return found.tags


@operation("cloudwatch", "TagResource", "UntagResource", exclusive=True)
def tag_resource(call: Call) -> None:
    tags = _tagged(call)
    tags.update({each["Key"]: each["Value"] for each in call.params.get("Tags") or ()})
    for key in call.params.get("TagKeys") or ():
        tags.pop(key, None)


@operation("cloudwatch", "ListTagsForResource")
def list_tags_for_resource(call: Call) -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(_tagged(call).items())]}


# ------------------------------------------------------------------------------------------------------ dashboards
@operation("cloudwatch", "PutDashboard", exclusive=True)
def put_dashboard(call: Call) -> dict[str, Any]:
    """Refuses what is no JSON object with widgets; what widgets say is not looked at."""
    body = call.params["DashboardBody"]
    try:
        loaded = json.loads(body)
        widgets = loaded["widgets"]
        wrong = None if isinstance(widgets, list) and all("type" in each for each in widgets) else "widgets have a type"
    except (ValueError, KeyError, TypeError):
        wrong = "it is a JSON object with widgets"
    if wrong:
        raise AwsError("InvalidParameterInput", f"The field DashboardBody must be a valid JSON object: {wrong}")
    _dashboards.setdefault(call.account, {})[call.params["DashboardName"]] = (body, clock.now())
    return {"DashboardValidationMessages": []}


def _dashboard_arn(call: Call, name: str) -> str:
    return f"arn:{authorize.partition(call.region)}:cloudwatch::{call.account}:dashboard/{name}"


@operation("cloudwatch", "GetDashboard")
def get_dashboard(call: Call) -> dict[str, Any]:
    name = call.params["DashboardName"]
    found = _dashboards.get(call.account, {}).get(name)
    if found is None:
        raise AwsError("ResourceNotFound", f"Dashboard {name} does not exist", 404)
    return {"DashboardArn": _dashboard_arn(call, name), "DashboardBody": found[0], "DashboardName": name}


@operation("cloudwatch", "ListDashboards")
def list_dashboards(call: Call) -> dict[str, Any]:
    prefix = call.params.get("DashboardNamePrefix", "")
    listed = [
        {"DashboardName": name, "DashboardArn": _dashboard_arn(call, name), "LastModified": _at(at), "Size": len(body)}
        for name, (body, at) in sorted(_dashboards.get(call.account, {}).items())
        if name.startswith(prefix)
    ]
    page, token = calls.page(listed, call, 1000)
    return {"DashboardEntries": page, **({"NextToken": token} if token else {})}


@operation("cloudwatch", "DeleteDashboards", exclusive=True)
def delete_dashboards(call: Call) -> None:
    """All of them or none."""
    known = _dashboards.get(call.account, {})
    if gone := sorted(set(call.params["DashboardNames"]) - known.keys()):
        raise AwsError("ResourceNotFound", f"Dashboard {', '.join(gone)} does not exist", 404)
    for name in call.params["DashboardNames"]:
        known.pop(name, None)
