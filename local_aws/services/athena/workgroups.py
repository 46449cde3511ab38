"""Athena's workgroups.

Sources: Athena API reference (each operation); Athena user guide, "Override client-side settings", "Delete a
workgroup".
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from local_aws.services.calls import AwsError, Call, not_implemented, on_reset, operation, page

PRIMARY = "primary"
_DEFAULTS = {
    "EnforceWorkGroupConfiguration": True,
    "PublishCloudWatchMetricsEnabled": True,
    "RequesterPaysEnabled": False,
    "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
}
_UNSUPPORTED = {
    "ExecutionRole",
    "CustomerContentEncryptionConfiguration",
    "IdentityCenterConfiguration",
    "AdditionalConfiguration",
}


@dataclass
class WorkGroup:
    name: str
    configuration: dict[str, Any]
    description: str = ""
    state: str = "ENABLED"
    tags: dict[str, str] = field(default_factory=dict)
    created: float = field(default_factory=time.time)


_workgroups: dict[tuple[str, str], dict[str, WorkGroup]] = {}


def workgroups(account: str, region: str) -> dict[str, WorkGroup]:
    """An account's workgroups in a region; each account has "primary" from the start, without a result location."""
    primary = WorkGroup(PRIMARY, {**_DEFAULTS, "EnforceWorkGroupConfiguration": False, "ResultConfiguration": {}})
    return _workgroups.setdefault((account, region), {PRIMARY: primary})


def invalid(message: str) -> AwsError:
    return AwsError("InvalidRequestException", message)


def find(call: Call, name: str) -> WorkGroup:
    found = workgroups(call.account, call.region).get(name)
    if found is None:
        raise invalid("WorkGroup is not found.")
    return found


def _check(call: Call, configuration: dict[str, Any]) -> None:
    if refused := sorted(_UNSUPPORTED & configuration.keys()):
        raise not_implemented("athena", f"{call.operation} with {refused[0]}")
    location = configuration.get("ResultConfiguration", {}).get("OutputLocation")
    if location is not None and not location.startswith("s3://"):
        raise invalid("outputLocation is not a valid S3 path.")


@operation("athena", "CreateWorkGroup", exclusive=True)
def create_work_group(call: Call) -> None:
    given = call.params
    mine = workgroups(call.account, call.region)
    if given["Name"] in mine:
        raise invalid("WorkGroup is already created.")
    configuration = given.get("Configuration", {})
    _check(call, configuration)
    tags = {tag["Key"]: tag.get("Value", "") for tag in given.get("Tags", [])}
    merged = {**_DEFAULTS, "ResultConfiguration": {}, **configuration, "EngineVersion": _DEFAULTS["EngineVersion"]}
    mine[given["Name"]] = WorkGroup(given["Name"], merged, given.get("Description", ""), tags=tags)


@operation("athena", "GetWorkGroup")
def get_work_group(call: Call) -> dict[str, Any]:
    found = find(call, call.params["WorkGroup"])
    return {
        "WorkGroup": {
            "Name": found.name,
            "State": found.state,
            "Description": found.description,
            "CreationTime": found.created,
            "Configuration": found.configuration,
        }
    }


@operation("athena", "ListWorkGroups")
def list_work_groups(call: Call) -> dict[str, Any]:
    known = [
        {"Name": found.name, "State": found.state, "Description": found.description, "CreationTime": found.created}
        for _, found in sorted(workgroups(call.account, call.region).items())
    ]
    items, token = page(known, call, 50)
    return {"WorkGroups": items, "NextToken": token}


@operation("athena", "UpdateWorkGroup", exclusive=True)
def update_work_group(call: Call) -> None:
    """Change what the update names: `Remove…` members clear, others replace."""
    found, given = find(call, call.params["WorkGroup"]), call.params
    updates = dict(given.get("ConfigurationUpdates", {}))
    changes = updates.pop("ResultConfigurationUpdates", {})
    results = dict(found.configuration.get("ResultConfiguration", {}))
    for member, value in changes.items():
        if member.startswith("Remove") and value:
            results.pop(member.removeprefix("Remove"), None)
        elif not member.startswith("Remove"):
            results[member] = value
    if updates.pop("RemoveBytesScannedCutoffPerQuery", False):
        found.configuration.pop("BytesScannedCutoffPerQuery", None)
    updates.pop("EngineVersion", None)
    _check(call, {**updates, "ResultConfiguration": results})
    found.configuration = {**found.configuration, **updates, "ResultConfiguration": results}
    found.description = given.get("Description", found.description)
    found.state = given.get("State", found.state)


@operation("athena", "DeleteWorkGroup", exclusive=True)
def delete_work_group(call: Call) -> None:
    from local_aws.services.athena import executions

    name = call.params["WorkGroup"]
    if name == PRIMARY:
        raise invalid("The primary workgroup cannot be deleted.")
    find(call, name)
    if not executions.forget(call, name, recursive=bool(call.params.get("RecursiveDeleteOption"))):
        raise invalid(f"WorkGroup {name} is not empty.")
    del workgroups(call.account, call.region)[name]


def _tagged(call: Call) -> WorkGroup:
    prefix = f"arn:aws:athena:{call.region}:{call.account}:workgroup/"
    arn = call.params["ResourceARN"]
    if not arn.startswith(prefix):
        raise not_implemented("athena", f"{call.operation} of {arn}")
    return find(call, arn.removeprefix(prefix))


@operation("athena", "ListTagsForResource")
def list_tags_for_resource(call: Call) -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(_tagged(call).tags.items())]}


@operation("athena", "TagResource", exclusive=True)
def tag_resource(call: Call) -> None:
    _tagged(call).tags.update({tag["Key"]: tag.get("Value", "") for tag in call.params["Tags"]})


@operation("athena", "UntagResource", exclusive=True)
def untag_resource(call: Call) -> None:
    tags = _tagged(call).tags
    for key in call.params["TagKeys"]:
        tags.pop(key, None)


@on_reset
def clear() -> None:
    _workgroups.clear()
