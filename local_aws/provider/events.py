"""EventBridge: buses, their policies, rules and targets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.provider.iam import document_problems
from local_aws.provider.resource import (
    At,
    ResourceType,
    camel,
    declared,
    frozen,
    one,
    pascal,
    register,
    tag_list,
    unless,
)
from local_aws.provider.schema import Problem
from local_aws.provider.values import Properties, Unknown

GONE = ("ResourceNotFoundException",)
DEFAULT = "default"
SEPARATOR = "/"


class _Tagged(ResourceType):
    def _retag(self, at: At) -> None:
        events, arn = at.client("events"), at.state["arn"]
        at.retag(
            lambda keys: events.untag_resource(ResourceARN=arn, TagKeys=keys),
            lambda tags: events.tag_resource(ResourceARN=arn, Tags=tag_list(tags)),
        )


@register
class EventBus(_Tagged):
    kind = "aws:cloudwatch/eventBus:EventBus"
    supported = frozenset({"description", "name", "tags"})
    immutable = frozenset({"description", "name"})
    named = "name"
    longest_name = 256

    def create(self, at: At) -> str:
        wanted = {"Description": at.inputs["description"]} if at.inputs.get("description") else {}
        at.client("events").create_event_bus(Name=at.inputs["name"], Tags=tag_list(at.tags), **wanted)
        return str(at.inputs["name"])

    def read(self, at: At) -> Properties | None:
        found = unless(GONE, lambda: at.client("events").describe_event_bus(Name=at.id))
        if found is None:
            return None
        return {"arn": found["Arn"], "name": found["Name"], "description": found.get("Description")}

    def update(self, at: At) -> None:
        self._retag(at)

    def delete(self, at: At) -> None:
        unless(GONE, lambda: at.client("events").delete_event_bus(Name=at.id))


@register
class EventBusPolicy(ResourceType):
    """The whole policy of a bus."""

    kind = "aws:cloudwatch/eventBusPolicy:EventBusPolicy"
    supported = frozenset({"eventBusName", "policy"})
    defaults = frozen(eventBusName=DEFAULT)
    immutable = frozenset({"eventBusName"})
    documents = frozenset({"policy"})

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        return document_problems(inputs, "policy")

    def create(self, at: At) -> str:
        self._put(at)
        return str(at.inputs["eventBusName"])

    def _put(self, at: At) -> None:
        at.client("events").put_permission(EventBusName=at.inputs["eventBusName"], Policy=at.inputs["policy"])

    def read(self, at: At) -> Properties | None:
        found = unless(GONE, lambda: at.client("events").describe_event_bus(Name=at.id))
        if not (found or {}).get("Policy"):
            return None
        return {"eventBusName": at.id, "policy": (found or {})["Policy"]}

    def update(self, at: At) -> None:
        self._put(at)

    def delete(self, at: At) -> None:
        unless(GONE, lambda: at.client("events").remove_permission(EventBusName=at.id, RemoveAllPermissions=True))


@register
class EventRule(_Tagged):
    """On the default bus its id is the rule's name, on another `<bus>/<rule>`."""

    kind = "aws:cloudwatch/eventRule:EventRule"
    supported = frozenset({
        "description", "eventBusName", "eventPattern", "forceDestroy", "name", "roleArn", "scheduleExpression", "state",
        "tags",
    })  # fmt: skip
    defaults = frozen(eventBusName=DEFAULT, forceDestroy=False, state="ENABLED")
    immutable = frozenset({"eventBusName", "name"})
    documents = frozenset({"eventPattern"})
    named = "name"
    longest_name = 64

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        if not inputs.get("eventPattern") and not inputs.get("scheduleExpression"):
            yield "eventPattern", "one of `event_pattern,schedule_expression` must be specified"
        name = inputs.get("name")
        if isinstance(name, str) and not re.fullmatch(r"[0-9A-Za-z_.-]{1,64}", name):
            yield "name", f'"name" ({name}): 1 to 64 letters, digits, and . - _'
        pattern = inputs.get("eventPattern")
        if pattern is not None and not isinstance(pattern, Unknown):
            try:
                json.loads(pattern)
            except ValueError as error:
                yield "eventPattern", f'"event_pattern" contains an invalid JSON: {error}'

    def _put(self, at: At) -> None:
        wanted = {"description": "Description", "eventPattern": "EventPattern", "roleArn": "RoleArn",
                  "scheduleExpression": "ScheduleExpression"}  # fmt: skip
        given = {name: at.inputs[key] for key, name in wanted.items() if at.inputs.get(key)}
        tags = {"Tags": tag_list(at.tags)} if not at.state and at.tags else {}
        at.client("events").put_rule(
            Name=at.inputs["name"], EventBusName=at.inputs["eventBusName"], State=at.inputs["state"], **given, **tags
        )

    def create(self, at: At) -> str:
        self._put(at)
        bus, name = at.inputs["eventBusName"], at.inputs["name"]
        return str(name) if bus == DEFAULT else f"{bus}{SEPARATOR}{name}"

    def read(self, at: At) -> Properties | None:
        bus, _, name = at.id.rpartition(SEPARATOR)
        found = unless(GONE, lambda: at.client("events").describe_rule(Name=name, EventBusName=bus or DEFAULT))
        if found is None:
            return None
        return {
            "arn": found["Arn"],
            "name": found["Name"],
            "description": found.get("Description"),
            "eventBusName": bus or DEFAULT,
            "eventPattern": found.get("EventPattern"),
            "roleArn": found.get("RoleArn"),
            "scheduleExpression": found.get("ScheduleExpression"),
            "state": found["State"],
        }

    def update(self, at: At) -> None:
        self._put(at)
        self._retag(at)

    def delete(self, at: At) -> None:
        bus, _, name = at.id.rpartition(SEPARATOR)
        unless(GONE, lambda: at.client("events").delete_rule(Name=name, EventBusName=bus or DEFAULT))


@register
class EventTarget(ResourceType):
    """One target of a rule; its id is made of bus, rule and target, as the real provider's is."""

    kind = "aws:cloudwatch/eventTarget:EventTarget"
    supported = frozenset({
        "arn", "deadLetterConfig", "eventBusName", "forceDestroy", "input", "retryPolicy", "roleArn", "rule",
        "targetId",
    })  # fmt: skip
    defaults = frozen(eventBusName=DEFAULT, forceDestroy=False)
    immutable = frozenset({"eventBusName", "rule", "targetId"})
    documents = frozenset({"input"})
    named = "targetId"

    def _target(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        target = {"Id": inputs["targetId"], "Arn": inputs["arn"]}
        target |= {name: inputs[key] for key, name in (("input", "Input"), ("roleArn", "RoleArn")) if inputs.get(key)}
        blocks = (("deadLetterConfig", "DeadLetterConfig"), ("retryPolicy", "RetryPolicy"))
        return target | {name: pascal(one(inputs[key])) for key, name in blocks if inputs.get(key)}

    def _put(self, at: At) -> None:
        at.client("events").put_targets(
            Rule=at.inputs["rule"], EventBusName=at.inputs["eventBusName"], Targets=[self._target(at.inputs)]
        )

    def create(self, at: At) -> str:
        self._put(at)
        bus = "" if at.inputs["eventBusName"] == DEFAULT else f"{at.inputs['eventBusName']}-"
        return f"{bus}{at.inputs['rule']}-{at.inputs['targetId']}"

    def read(self, at: At) -> Properties | None:
        known = {**at.inputs, **at.state}
        if "rule" not in known:
            # An import names bus, rule and target.
            bus, rule, target = at.id.split(SEPARATOR)
            known = {"eventBusName": bus, "rule": rule, "targetId": target}
        listed = unless(
            GONE,
            lambda: at.client("events").list_targets_by_rule(
                Rule=known["rule"], EventBusName=known.get("eventBusName", DEFAULT)
            )["Targets"],
        )
        found = next((target for target in listed or () if target["Id"] == known["targetId"]), None)
        if found is None:
            return None
        blocks = {
            key: declared(known[key], camel(found.get(name) or {}))
            for key, name in (("deadLetterConfig", "DeadLetterConfig"), ("retryPolicy", "RetryPolicy"))
            if known.get(key)
        }
        return {
            "arn": found["Arn"],
            "eventBusName": known.get("eventBusName", DEFAULT),
            "input": found.get("Input"),
            "roleArn": found.get("RoleArn"),
            "rule": known["rule"],
            "targetId": found["Id"],
            **blocks,
        }

    def update(self, at: At) -> None:
        self._put(at)

    def delete(self, at: At) -> None:
        unless(
            GONE,
            lambda: at.client("events").remove_targets(
                Rule=at.state["rule"], EventBusName=at.state["eventBusName"], Ids=[at.state["targetId"]]
            ),
        )
