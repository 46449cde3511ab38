"""CloudWatch: alarms on metrics, alarms on alarms, dashboards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from local_aws.provider.resource import At, ResourceType, frozen, register, tag_list, unless
from local_aws.provider.schema import Problem
from local_aws.provider.values import Properties, Unknown, has_unknown

GONE = ("ResourceNotFound", "ResourceNotFoundException")
_ACTIONS = {
    "alarmActions": "AlarmActions",
    "okActions": "OKActions",
    "insufficientDataActions": "InsufficientDataActions",
}


class _Alarm(ResourceType):
    """What alarms of both kinds share; their id is their name."""

    kind_of_alarm: str

    def _retag(self, at: At) -> None:
        cloudwatch, arn = at.client("cloudwatch"), at.state["arn"]
        at.retag(
            lambda keys: cloudwatch.untag_resource(ResourceARN=arn, TagKeys=keys),
            lambda tags: cloudwatch.tag_resource(ResourceARN=arn, Tags=tag_list(tags)),
        )

    def _common(self, at: At) -> dict[str, Any]:
        inputs = at.inputs
        lists = {name: sorted(inputs.get(key) or []) for key, name in _ACTIONS.items()}
        described = {"AlarmDescription": inputs["alarmDescription"]} if inputs.get("alarmDescription") else {}
        tags = {"Tags": tag_list(at.tags)} if not at.state and at.tags else {}
        return {"ActionsEnabled": bool(inputs["actionsEnabled"]), **lists, **described, **tags}

    def _find(self, at: At) -> dict[str, Any] | None:
        answer = at.client("cloudwatch").describe_alarms(AlarmNames=[at.id], AlarmTypes=[self.kind_of_alarm])
        found = answer[f"{self.kind_of_alarm}s"]
        return dict(found[0]) if found else None

    def _told(self, found: dict[str, Any]) -> Properties:
        lists = {key: sorted(found[name]) for key, name in _ACTIONS.items()}
        description = found.get("AlarmDescription")
        return {
            "arn": found["AlarmArn"],
            "actionsEnabled": found["ActionsEnabled"],
            "alarmDescription": description,
            **lists,
        }

    def delete(self, at: At) -> None:
        at.client("cloudwatch").delete_alarms(AlarmNames=[at.id])


@register
class MetricAlarm(_Alarm):
    kind = "aws:cloudwatch/metricAlarm:MetricAlarm"
    kind_of_alarm = "MetricAlarm"
    _numbers = frozen(
        datapointsToAlarm="DatapointsToAlarm", evaluationPeriods="EvaluationPeriods", period="Period",
        threshold="Threshold",
    )  # fmt: skip
    _texts = frozen(
        comparisonOperator="ComparisonOperator", metricName="MetricName", namespace="Namespace", statistic="Statistic",
        treatMissingData="TreatMissingData", unit="Unit",
    )  # fmt: skip
    supported = frozenset({
        *_ACTIONS, *_numbers, *_texts, "actionsEnabled", "alarmDescription", "dimensions", "name", "tags",
    })  # fmt: skip
    defaults = frozen(actionsEnabled=True, treatMissingData="missing")
    immutable = frozenset({"name"})
    sets = frozenset(_ACTIONS)
    named = "name"
    longest_name = 255

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        """The real provider asks for a threshold here; what else belongs to one metric, CloudWatch does."""
        for key in ("metricName", "namespace", "statistic", "period", "threshold"):
            if inputs.get(key) is None:
                yield key, f'"{key}" is needed: the local provider models alarms on one metric'

    def _put(self, at: At) -> None:
        inputs = at.inputs
        numbers: dict[str, Any] = {
            name: int(inputs[key]) if key != "threshold" else float(inputs[key])
            for key, name in self._numbers.items()
            if inputs.get(key) is not None
        }
        texts = {name: str(inputs[key]) for key, name in self._texts.items() if inputs.get(key)}
        dimensions = [
            {"Name": name, "Value": value} for name, value in sorted((inputs.get("dimensions") or {}).items())
        ]
        at.client("cloudwatch").put_metric_alarm(
            AlarmName=inputs["name"], Dimensions=dimensions, **numbers, **texts, **self._common(at)
        )

    def create(self, at: At) -> str:
        self._put(at)
        return str(at.inputs["name"])

    def read(self, at: At) -> Properties | None:
        found = self._find(at)
        if found is None:
            return None
        given = {key: found.get(name) for key, name in {**self._numbers, **self._texts}.items()}
        dimensions = {each["Name"]: each["Value"] for each in found.get("Dimensions") or ()}
        return {**self._told(found), **given, "name": at.id, "dimensions": dimensions or None}

    def update(self, at: At) -> None:
        self._put(at)
        self._retag(at)


@register
class CompositeAlarm(_Alarm):
    kind = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
    kind_of_alarm = "CompositeAlarm"
    supported = frozenset({*_ACTIONS, "actionsEnabled", "alarmDescription", "alarmName", "alarmRule", "tags"})
    defaults = frozen(actionsEnabled=True)
    immutable = frozenset({"actionsEnabled", "alarmName"})
    sets = frozenset(_ACTIONS)

    def _put(self, at: At) -> None:
        at.client("cloudwatch").put_composite_alarm(
            AlarmName=at.inputs["alarmName"], AlarmRule=at.inputs["alarmRule"].strip(), **self._common(at)
        )

    def create(self, at: At) -> str:
        self._put(at)
        return str(at.inputs["alarmName"])

    def same(self, key: str, old: Any, new: Any) -> bool:
        """A rule's spaces at both ends are none of it, as the real provider has it."""
        if key == "alarmRule" and isinstance(old, str) and isinstance(new, str):
            return old.strip() == new.strip()
        return super().same(key, old, new)

    def read(self, at: At) -> Properties | None:
        found = self._find(at)
        return None if found is None else {**self._told(found), "alarmName": at.id, "alarmRule": found["AlarmRule"]}

    def update(self, at: At) -> None:
        self._put(at)
        self._retag(at)


@register
class Dashboard(ResourceType):
    """Its id is its name."""

    kind = "aws:cloudwatch/dashboard:Dashboard"
    supported = frozenset({"dashboardBody", "dashboardName"})
    immutable = frozenset({"dashboardName"})
    documents = frozenset({"dashboardBody"})

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        body = inputs["dashboardBody"]
        if isinstance(body, Unknown) or has_unknown(body):
            return
        try:
            json.loads(body)
        except ValueError as error:
            yield "dashboardBody", f'"dashboard_body" contains an invalid JSON: {error}'

    def _put(self, at: At) -> None:
        at.client("cloudwatch").put_dashboard(
            DashboardName=at.inputs["dashboardName"], DashboardBody=at.inputs["dashboardBody"]
        )

    def create(self, at: At) -> str:
        self._put(at)
        return str(at.inputs["dashboardName"])

    def read(self, at: At) -> Properties | None:
        found = unless(GONE, lambda: at.client("cloudwatch").get_dashboard(DashboardName=at.id))
        if found is None:
            return None
        return {
            "dashboardArn": found["DashboardArn"], "dashboardBody": found["DashboardBody"], "dashboardName": at.id,
        }  # fmt: skip

    def update(self, at: At) -> None:
        self._put(at)

    def delete(self, at: At) -> None:
        unless(GONE, lambda: at.client("cloudwatch").delete_dashboards(DashboardNames=[at.id]))
