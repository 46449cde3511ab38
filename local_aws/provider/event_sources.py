"""Lambda: event source mappings of queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_aws.provider.resource import At, ResourceType, camel, frozen, one, pascal, register, unless
from local_aws.provider.values import Properties

GONE = ("ResourceNotFoundException",)


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
