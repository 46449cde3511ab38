"""Lambda: event source mappings of queues, and leave for services to invoke a function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local_aws.provider.resource import At, ResourceType, camel, frozen, one, pascal, register, unless
from local_aws.provider.values import Properties

GONE = ("ResourceNotFoundException",)
_SOURCES = (("sourceArn", "SourceArn"), ("sourceAccount", "SourceAccount"))


@register
class EventSourceMapping(ResourceType):
    kind = "aws:lambda/eventSourceMapping:EventSourceMapping"
    supported = frozenset({
        "batchSize", "enabled", "eventSourceArn", "functionName", "functionResponseTypes",
        "maximumBatchingWindowInSeconds", "scalingConfig", "tags",
    })  # fmt: skip
    defaults = frozen(enabled=True)
    immutable = frozenset({"eventSourceArn"})
    sets = frozenset({"functionResponseTypes"})
    volatile = frozenset({"lastModified"})

    def _settings(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        names = {
            "batchSize": "BatchSize", "functionResponseTypes": "FunctionResponseTypes",
            "maximumBatchingWindowInSeconds": "MaximumBatchingWindowInSeconds",
        }  # fmt: skip
        settings = {name: inputs[key] for key, name in names.items() if inputs.get(key) is not None}
        if scaling := one(inputs.get("scalingConfig")):
            settings["ScalingConfig"] = pascal(scaling)
        return {**settings, "FunctionName": inputs["functionName"], "Enabled": bool(inputs["enabled"])}

    def create(self, at: At) -> str:
        made = at.client("lambda").create_event_source_mapping(
            EventSourceArn=at.inputs["eventSourceArn"], Tags=at.tags, **self._settings(at.inputs)
        )
        return str(made["UUID"])

    def read(self, at: At) -> Properties | None:
        found = unless(GONE, lambda: at.client("lambda").get_event_source_mapping(UUID=at.id))
        if found is None:
            return None
        scaling = camel(found.get("ScalingConfig") or {})
        return {
            "arn": found["EventSourceMappingArn"],
            "batchSize": found["BatchSize"],
            "enabled": found["State"] == "Enabled",
            "eventSourceArn": found["EventSourceArn"],
            "functionArn": found["FunctionArn"],
            "functionName": at.inputs.get("functionName") or at.state.get("functionName") or found["FunctionArn"],
            "functionResponseTypes": found["FunctionResponseTypes"],
            "lastModified": found["LastModified"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "maximumBatchingWindowInSeconds": found["MaximumBatchingWindowInSeconds"],
            "scalingConfig": scaling or None,
            "state": found["State"],
            "uuid": found["UUID"],
        }

    def update(self, at: At) -> None:
        client = at.client("lambda")
        client.update_event_source_mapping(UUID=at.id, **self._settings(at.inputs))
        at.retag(
            lambda keys: client.untag_resource(Resource=at.state["arn"], TagKeys=keys),
            lambda tags: client.tag_resource(Resource=at.state["arn"], Tags=tags),
        )

    def delete(self, at: At) -> None:
        unless(GONE, lambda: at.client("lambda").delete_event_source_mapping(UUID=at.id))


@register
class Permission(ResourceType):
    """One statement of a function's own policy; nothing of it can be changed in place."""

    kind = "aws:lambda/permission:Permission"
    supported = frozenset({"action", "function", "principal", "sourceAccount", "sourceArn", "statementId"})
    immutable = supported
    named = "statementId"

    def create(self, at: At) -> str:
        given = at.inputs
        more = {name: given[key] for key, name in _SOURCES if given.get(key)}
        at.client("lambda").add_permission(
            FunctionName=given["function"],
            StatementId=given["statementId"],
            Action=given["action"],
            Principal=given["principal"],
            **more,
        )
        return str(given["statementId"])

    def read(self, at: At) -> Properties | None:
        known = {**at.inputs, **at.state}
        if "function" not in known:
            # An import names function and statement.
            function, statement = at.id.split("/")
            known = {"function": function, "statementId": statement}
        answer = unless(GONE, lambda: at.client("lambda").get_policy(FunctionName=known["function"]))
        statements = json.loads(answer["Policy"])["Statement"] if answer else ()
        found = next((one for one in statements if one["Sid"] == known["statementId"]), None)
        if found is None:
            return None
        principal, condition = found["Principal"], found.get("Condition") or {}
        return {
            "action": found["Action"],
            "function": known["function"],
            "principal": principal.get("Service") or principal.get("AWS"),
            "sourceAccount": condition.get("StringEquals", {}).get("AWS:SourceAccount"),
            "sourceArn": condition.get("ArnLike", {}).get("AWS:SourceArn"),
            "statementId": known["statementId"],
        }

    def delete(self, at: At) -> None:
        unless(
            GONE,
            lambda: at.client("lambda").remove_permission(
                FunctionName=at.state["function"], StatementId=at.state["statementId"]
            ),
        )
