"""Athena: workgroups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from local_aws.provider.resource import At, ResourceType, camel, code, declared, frozen, one, pascal, register, tag_list
from local_aws.provider.schema import Problem
from local_aws.provider.values import Properties, Unknown

LEAST_CUTOFF = 10_485_760
"""`bytesScannedCutoffPerQuery` is 0 (none) or at least 10 MB (Athena API, `WorkGroupConfiguration`)."""
_SPELT = {
    "EnforceWorkgroupConfiguration": "EnforceWorkGroupConfiguration",
    "PublishCloudwatchMetricsEnabled": "PublishCloudWatchMetricsEnabled",
    "KmsKeyArn": "KmsKey",
}
_SWITCHES = ("enforceWorkgroupConfiguration", "publishCloudwatchMetricsEnabled")
_RESULTS = "resultConfiguration"


def _spelt(value: Any) -> Any:
    if isinstance(value, dict):
        return {_SPELT.get(key, key): _spelt(member) for key, member in value.items()}
    return value


def _unspelt(value: Any) -> Any:
    """camelCase keys as pulumi_aws writes them: what `_spelt` made, back."""
    back = {name[:1].lower() + name[1:]: key[:1].lower() + key[1:] for key, name in _SPELT.items()}
    if isinstance(value, dict):
        return {back.get(key, key): _unspelt(member) for key, member in value.items()}
    return value


def _configuration(inputs: Properties) -> dict[str, Any]:
    given = {**dict.fromkeys(_SWITCHES, True), **one(inputs.get("configuration"))}
    return dict(_spelt(pascal(given)))


@register
class Workgroup(ResourceType):
    kind = "aws:athena/workgroup:Workgroup"
    supported = frozenset({"configuration", "description", "forceDestroy", "name", "state", "tags"})
    defaults = frozen(forceDestroy=False, state="ENABLED")
    immutable = frozenset({"name"})
    named = "name"
    longest_name = 128

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        cutoff = one(inputs.get("configuration")).get("bytesScannedCutoffPerQuery")
        if cutoff is not None and not isinstance(cutoff, Unknown) and 0 < int(cutoff) < LEAST_CUTOFF:
            yield "configuration.bytesScannedCutoffPerQuery", f"expected 0 or at least {LEAST_CUTOFF}, got {cutoff}"

    def create(self, at: At) -> str:
        description = {"Description": at.inputs["description"]} if at.inputs.get("description") else {}
        tags = tag_list(at.tags)
        at.client("athena").create_work_group(
            Name=at.inputs["name"],
            Configuration=_configuration(at.inputs),
            **description,
            **({"Tags": tags} if tags else {}),
        )
        return str(at.inputs["name"])

    def configure(self, at: At) -> None:
        if at.inputs["state"] != "ENABLED":
            at.client("athena").update_work_group(WorkGroup=at.id, State=at.inputs["state"])

    def read(self, at: At) -> Properties | None:
        try:
            found = at.client("athena").get_work_group(WorkGroup=at.id)["WorkGroup"]
        except ClientError as error:
            if _gone(error):
                return None
            raise
        known = {**at.inputs, **at.state}.get("configuration")
        configuration = _unspelt(camel(found.get("Configuration") or {}))
        return {
            "arn": at.aws.arn("athena", f"workgroup/{at.id}"),
            "configuration": declared(known, configuration) if known else None,
            "description": found.get("Description"),
            "name": at.id,
            "state": found["State"],
        }

    def update(self, at: At) -> None:
        athena = at.client("athena")
        updates = _configuration(at.inputs)
        results = updates.pop("ResultConfiguration", None)
        if results:
            updates["ResultConfigurationUpdates"] = results
        elif one(at.state.get("configuration")).get(_RESULTS):
            updates["ResultConfigurationUpdates"] = {
                "RemoveOutputLocation": True,
                "RemoveEncryptionConfiguration": True,
            }
        athena.update_work_group(
            WorkGroup=at.id,
            ConfigurationUpdates=updates,
            Description=at.inputs.get("description", ""),
            State=at.inputs["state"],
        )
        arn = at.aws.arn("athena", f"workgroup/{at.id}")
        at.retag(
            lambda keys: athena.untag_resource(ResourceARN=arn, TagKeys=keys),
            lambda tags: athena.tag_resource(ResourceARN=arn, Tags=tag_list(tags)),
        )

    def delete(self, at: At) -> None:
        recursive = bool(at.state.get("forceDestroy"))
        try:
            at.client("athena").delete_work_group(WorkGroup=at.id, RecursiveDeleteOption=recursive)
        except ClientError as error:
            if not _gone(error):
                raise


def _gone(error: ClientError) -> bool:
    """Athena has no code of its own for a workgroup that is not there (API, GetWorkGroup: InvalidRequestException)."""
    return code(error) == "InvalidRequestException" and "is not found" in str(error)
