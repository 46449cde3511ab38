"""CloudWatch's alarms: when they are in which state, and whom they tell.

Sources (CloudWatch user guide): "Alarm evaluation" (periods, data points to alarm), "Configuring how CloudWatch alarms
treat missing data" (both tables of it, and "Avoiding premature transitions to alarm state"), "Create a composite
alarm" (rule expressions), "Acting on alarm changes"; API reference, PutMetricAlarm, PutCompositeAlarm.
They are evaluated when somebody asks for them and when the local AWS is waited for, on the clock that can be moved on:
a state that came and went in between is not seen. Periods end at the moment of evaluation, where CloudWatch aligns
them to the clock and looks again at least once a minute.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any

from local_aws.services import calls, clock, metrics, rules, sns
from local_aws.services.calls import LOCK
from local_aws.services.metrics import Metric

log = logging.getLogger(__name__)
SERVICE = "cloudwatch.amazonaws.com"
EXTRA_PERIODS = 2
"""Periods looked at beyond those to evaluate, where some are missing: five for three in the guide's examples."""
MOST_ROUNDS = 20
"""Composite alarms of composite alarms: rounds until nothing changes."""


@unique
class State(StrEnum):
    OK = "OK"
    ALARM = "ALARM"
    UNKNOWN = "INSUFFICIENT_DATA"


@dataclass
class Alarm:
    """A metric alarm, or a composite one (`rule`); `given` is what it was put with, by the API's names."""

    account: str
    region: str
    name: str
    given: dict[str, Any]
    rule: rules.Rule | None = None
    tags: dict[str, str] = field(default_factory=dict)
    state: State = State.UNKNOWN
    reason: str = "Unchecked: Initial alarm creation"
    changed: float = 0.0
    configured: float = 0.0

    @property
    def arn(self) -> str:
        return f"arn:aws:cloudwatch:{self.region}:{self.account}:alarm:{self.name}"

    @property
    def metric(self) -> Metric:
        dimensions = frozenset((each["Name"], each["Value"]) for each in self.given.get("Dimensions") or ())
        return Metric(self.account, self.region, self.given["Namespace"], self.given["MetricName"], dimensions)


_alarms: dict[tuple[str, str], dict[str, Alarm]] = {}


@calls.on_reset
def clear() -> None:
    _alarms.clear()


def of(account: str, region: str) -> dict[str, Alarm]:
    """The alarms of an account in a region, by name."""
    return _alarms.setdefault((account, region), {})


# ------------------------------------------------------------------------------------------------------ evaluation
_COMPARES: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda got, limit: got >= limit,
    "GreaterThanThreshold": lambda got, limit: got > limit,
    "LessThanOrEqualToThreshold": lambda got, limit: got <= limit,
    "LessThanThreshold": lambda got, limit: got < limit,
}
COMPARISONS = frozenset(_COMPARES)


def evaluate_all() -> None:
    """Bring every alarm to the state of now, and tell whoever is to be told."""
    for account, region in list(_alarms):
        evaluate(account, region)


def evaluate(account: str, region: str) -> None:
    """Bring an account's alarms to the state of now: metric alarms, then composite ones until they agree."""
    with LOCK:
        every = list(of(account, region).values())
        for alarm in every:
            if alarm.rule is None:
                metrics.observe(alarm.metric)
                _move(alarm, *_judge(alarm))
        states = {alarm.name: str(alarm.state) for alarm in every}
        for _ in range(MOST_ROUNDS):
            before = dict(states)
            for alarm in every:
                if alarm.rule is not None:
                    holds = alarm.rule.holds(states)
                    _move(alarm, State.ALARM if holds else State.OK, f"the rule is {holds}".lower())
                    states[alarm.name] = str(alarm.state)
            if states == before:
                break


def _judge(alarm: Alarm) -> tuple[State, str]:
    """The state that the data points ask for, and why."""
    given = alarm.given
    wanted, period = given["EvaluationPeriods"], given["Period"]
    needed = given.get("DatapointsToAlarm") or wanted
    breaches = _COMPARES[given["ComparisonOperator"]]
    now = clock.now()
    values = [
        metrics.value(alarm.metric, given["Statistic"], now - (ago + 1) * period, now - ago * period)
        for ago in range(wanted + EXTRA_PERIODS)
    ]
    marks = [None if value is None else breaches(value, given["Threshold"]) for value in values]
    state = judge(marks, wanted, needed, given.get("TreatMissingData", "missing"), alarm.state)
    shown = ", ".join("-" if value is None else f"{value:g}" for value in values[:wanted])
    return state, f"{given['MetricName']} was {shown} (newest first) against the threshold {given['Threshold']:g}"


def judge(marks: list[bool | None], wanted: int, needed: int, missing: str, state: State) -> State:
    """The state by breaching (True), good (False) and missing (None) periods, the newest first.

    `wanted` periods are evaluated, `needed` breaching ones are an alarm; `missing` says what a missing one is.
    """
    if None not in marks[:wanted]:
        return State.ALARM if sum(map(bool, marks[:wanted])) >= needed else State.OK
    real = [mark for mark in marks if mark is not None][:wanted]
    breaching = sum(real)
    if breaching >= needed:
        return State.ALARM
    filled = wanted - len(real)
    if not filled:
        return State.OK
    match missing:
        case "breaching":
            return State.ALARM if breaching + filled >= needed else State.OK
        case "notBreaching":
            return State.OK
        case _ if not real:
            return state if missing == "ignore" else State.UNKNOWN
        case _ if not all(real):
            return State.OK
        case "ignore":
            return state
    # All that there is breaches, and it is too little: enough once the oldest is as old as the points that it takes.
    oldest = max(place for place, mark in enumerate(marks[:wanted + EXTRA_PERIODS], 1) if mark)  # fmt: skip
    return State.ALARM if oldest >= needed else state


def _move(alarm: Alarm, state: State, reason: str) -> None:
    if state is alarm.state:
        return
    before, alarm.state, alarm.reason, alarm.changed = alarm.state, state, reason, clock.now()
    if not alarm.given.get("ActionsEnabled", True):
        return
    actions = {State.ALARM: "AlarmActions", State.OK: "OKActions", State.UNKNOWN: "InsufficientDataActions"}[state]
    subject = f'{state}: "{alarm.name}" in {alarm.region}'[:100]
    for topic in alarm.given.get(actions) or ():
        refused = sns.deliver(topic, subject, json.dumps(_message(alarm, before)), SERVICE, alarm.arn)
        if refused:
            log.warning("the alarm %s did not tell %s: %s", alarm.arn, topic, refused)


def _message(alarm: Alarm, before: State) -> dict[str, Any]:
    """What a topic gets; its subscribers read it as JSON."""
    given = alarm.given
    at = dt.datetime.fromtimestamp(alarm.changed, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    names = ("MetricName", "Namespace", "Statistic", "Period", "EvaluationPeriods", "ComparisonOperator", "Threshold")
    trigger = {name: given[name] for name in names if name in given}
    what = {"AlarmRule": given["AlarmRule"]} if alarm.rule is not None else {"Trigger": trigger}
    return {
        "AlarmName": alarm.name, "AlarmDescription": given.get("AlarmDescription"), "AWSAccountId": alarm.account,
        "NewStateValue": alarm.state, "NewStateReason": alarm.reason, "StateChangeTime": at, "Region": alarm.region,
        "AlarmArn": alarm.arn, "OldStateValue": before, "OKActions": given.get("OKActions") or [],
        "AlarmActions": given.get("AlarmActions") or [], **what,
    }  # fmt: skip
