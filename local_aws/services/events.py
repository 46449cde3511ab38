"""EventBridge: moto's buses, rules and targets; delivery is ours, after the call that caused it has been answered.

Sources (EventBridge user guide): "Sending and receiving events between AWS accounts" (bus policies, the role of a
target bus, one hop), "Amazon EventBridge event bus targets", "Using resource-based policies" (SQS), "How EventBridge
retries delivering events" (a target that refuses is not tried again), "Using dead-letter queues".
Targets are queues, functions and event buses; a target's `Input` replaces the event. Anything else is refused by name.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.events.models import EventBus, Rule, events_backends

from local_aws.services import authorize, background, clock, front, iam, identity, policy, schedules, sqs
from local_aws.services.authorize import Need
from local_aws.services.calls import AwsError, Call, allow, not_implemented, operation

log = logging.getLogger(__name__)
SERVICE = "events.amazonaws.com"
Event = dict[str, Any]
MOST_ENTRIES = 10

allow(
    "events",
    "CreateEventBus", "DeleteEventBus", "DescribeEventBus", "ListEventBuses", "PutPermission", "RemovePermission",
    "DescribeRule", "DeleteRule", "ListRules", "ListTargetsByRule", "RemoveTargets", "EnableRule", "DisableRule",
    "TagResource", "UntagResource", "ListTagsForResource",
)  # fmt: skip


@dataclass(frozen=True)
class Bus:
    """A bus by its ARN's parts."""

    account: str
    region: str
    name: str = "default"

    @classmethod
    def of(cls, arn: str) -> Bus:
        parts = arn.split(":")
        return cls(parts[4], parts[3], parts[5].removeprefix("event-bus/"))

    @property
    def found(self) -> EventBus | None:
        return events_backends[self.account][self.region].event_buses.get(self.name)

    @property
    def rules(self) -> list[Rule]:
        bus = self.found
        return [rule for rule in list(bus.rules.values()) if rule.state == "ENABLED"] if bus else []

    @property
    def listens(self) -> bool:
        return any(rule.targets and not rule.scheduled_expression for rule in self.rules)


# ------------------------------------------------------------------------------------------------------ delivery
def new_event(source: str, kind: str, account: str, region: str, detail: Any, resources: list[str]) -> Event:
    at = dt.datetime.fromtimestamp(clock.now(), dt.UTC)
    return {
        "version": "0", "id": str(uuid.uuid4()), "detail-type": kind, "source": source, "account": account,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "region": region, "resources": resources, "detail": detail,
    }  # fmt: skip


def publish(event: Event, bus: Bus, delay: float = 0.0) -> None:
    """Put an event on a bus; its rules are asked in the background."""
    background.submit(lambda: _match(event, bus, crossed=False), delay)


def _match(event: Event, bus: Bus, *, crossed: bool) -> None:
    for rule in bus.rules:
        if not rule.scheduled_expression and rule.event_pattern.matches_event(event):
            for target in list(rule.targets):
                _deliver(event, rule, target, crossed=crossed)


def _deliver(event: Event, rule: Rule, target: Mapping[str, Any], *, crossed: bool) -> None:
    arn = target["Arn"]
    if ":event-bus/" in arn:
        reason = _forward(event, rule, target, crossed=crossed)
    elif ":function:" in arn:
        from local_aws.services.lambda_ import asynchronous

        reason = asynchronous.deliver(arn, target.get("Input") or json.dumps(event), SERVICE, rule.arn)
    else:
        reason = sqs.deliver(arn, target.get("Input") or json.dumps(event), SERVICE, rule.arn)
    if reason is None:
        return
    log.warning("rule %s did not deliver to %s: %s", rule.arn, arn, reason)
    dead = (target.get("DeadLetterConfig") or {}).get("Arn")
    if dead and (refused := sqs.deliver(dead, json.dumps(event), SERVICE, rule.arn)):
        log.warning("rule %s lost an event: its dead-letter queue %s: %s", rule.arn, dead, refused)


def _forward(event: Event, rule: Rule, target: Mapping[str, Any], *, crossed: bool) -> str | None:
    """To another bus, which keeps the event's account and resources; the reason where it does not arrive."""
    there = Bus.of(target["Arn"])
    if there.found is None:
        return "there is no such event bus"
    across = there.account != rule.account_id
    if across and crossed:
        return "an event crosses accounts once"
    role = target.get("RoleArn")
    if not role or not _may_become(role, rule):
        return "the target has no role that EventBridge may assume"
    sender = identity.role(role, "events")
    statements = policy.parse(there.found.policy)
    if not iam.permitted(sender, "events:PutEvents", target["Arn"], owner=there.account, policies=statements):
        return "the role or the policy of the event bus does not allow events:PutEvents"
    _match(event, there, crossed=across or crossed)
    return None


def _may_become(role_arn: str, rule: Rule) -> bool:
    role = iam.role(role_arn)
    trust = policy.parse(role.assume_role_policy_document) if role else ()
    context: dict[str, policy.Value] = {"aws:sourcearn": rule.arn, "aws:sourceaccount": rule.account_id}
    asked = policy.Request("sts:AssumeRole", role_arn, context)
    return policy.decide(trust, asked, SERVICE) is policy.Decision.ALLOW


# ------------------------------------------------------------------------------------------------------ schedules
def _schedule(rule: Rule, before: float) -> None:
    """Wait for the next time after `before`: each is met, however far the clock is moved on at once."""
    due = before + schedules.seconds_until_next(rule.scheduled_expression, before)
    background.submit(lambda: _fire(rule, due), due - clock.now())


def _fire(rule: Rule, due: float) -> None:
    current = events_backends[rule.account_id][rule.region_name].event_buses["default"].rules.get(rule.name)
    if current is not rule:
        return  # deleted, or put anew with a schedule of its own
    _schedule(rule, due)
    if rule.state == "ENABLED":
        event = new_event("aws.events", "Scheduled Event", rule.account_id, rule.region_name, {}, [rule.arn])
        for target in list(rule.targets):
            _deliver(event, rule, target, crossed=False)


# ----------------------------------------------------------------------------------------------------- operations
@operation("events", "PutRule", exclusive=True)
def put_rule(call: Call) -> dict[str, Any]:
    expression = call.params.get("ScheduleExpression")
    if expression:
        schedules.seconds_until_next(expression, clock.now())
    answer = front.ask_moto(call)
    rule = events_backends[call.account][call.region].describe_rule(
        call.params["Name"], call.params.get("EventBusName")
    )
    if expression:
        _schedule(rule, clock.now())
    return answer


@operation("events", "PutTargets", exclusive=True)
def put_targets(call: Call) -> dict[str, Any]:
    for target in call.params["Targets"]:
        kind = target["Arn"].split(":")[2] if target["Arn"].count(":") > 4 else "?"
        if kind not in {"sqs", "events", "lambda"}:
            raise not_implemented("events", f"PutTargets of a target of {kind}")
        unknown = target.keys() - {"Id", "Arn", "RoleArn", "Input", "DeadLetterConfig", "RetryPolicy"}
        if unknown:
            raise not_implemented("events", f"PutTargets with {', '.join(sorted(unknown))}")
    return front.ask_moto(call)


@operation("events", "PutEvents")
def put_events(call: Call) -> dict[str, Any]:
    """Events of applications: `aws.` is AWS's own (PutEvents, "source")."""
    entries = call.params["Entries"]
    if len(entries) > MOST_ENTRIES:
        raise AwsError("ValidationException", "1 validation error detected: too many entries")
    results: list[dict[str, str]] = []
    for entry in entries:
        if str(entry.get("Source", "")).startswith("aws."):
            code, text = "NotAuthorizedForSourceException", "Not authorized for the source."
            results.append({"ErrorCode": code, "ErrorMessage": text})
            continue
        bus = _bus(call, entry.get("EventBusName"))
        event = new_event(
            entry.get("Source", ""), entry.get("DetailType", ""), call.account, call.region,
            json.loads(entry.get("Detail") or "{}"), list(entry.get("Resources") or ()),
        )  # fmt: skip
        publish(event, bus)
        results.append({"EventId": event["id"]})
    return {"FailedEntryCount": sum("ErrorCode" in one for one in results), "Entries": results}


def _bus(call: Call, given: str | None) -> Bus:
    if given and given.startswith("arn:"):
        return Bus.of(given)
    return Bus(call.account, call.region, given or "default")


@authorize.rule("events")
def needs(call: Call) -> Iterator[Need]:
    """By bus or rule; PutEvents with the bus's policy; a target's role is passed."""
    params = call.params
    action = f"events:{call.operation}"
    if call.operation == "PutEvents":
        for given in {entry.get("EventBusName") for entry in params["Entries"]}:
            bus = _bus(call, given)
            arn = authorize.arn(call, "events", f"event-bus/{bus.name}", bus.account)
            yield Need(action, arn, bus.account, policy.parse(bus.found.policy) if bus.found else ())
        return
    if call.operation in {"PutPermission", "RemovePermission"}:
        yield Need(action, "*")
        return
    if given := params.get("ResourceARN"):
        yield Need(action, given)
        return
    name = params.get("Rule") or (params.get("Name") if "Rule" in call.operation else None)
    bus = _bus(call, params.get("EventBusName") or (None if name else params.get("Name")))
    path = f"rule/{'' if bus.name == 'default' else bus.name + '/'}{name}" if name else f"event-bus/{bus.name}"
    yield Need(action, authorize.arn(call, "events", path))
    for target in params.get("Targets") or ():
        if role := target.get("RoleArn"):
            yield Need("iam:PassRole", role, extra={"iam:PassedToService": SERVICE})
    if params.get("Tags") and call.operation in {"CreateEventBus", "PutRule"}:
        yield Need("events:TagResource", authorize.arn(call, "events", path))
