"""DynamoDB: tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.provider.resource import At, ResourceType, frozen, one, register, tag_list, unless
from local_aws.provider.schema import Problem
from local_aws.provider.values import Properties, has_unknown

GONE = ("ResourceNotFoundException",)


@register
class Table(ResourceType):
    """Its id is the table's name."""

    kind = "aws:dynamodb/table:Table"
    supported = frozenset({
        "attributes", "billingMode", "deletionProtectionEnabled", "hashKey", "name", "pointInTimeRecovery", "rangeKey",
        "serverSideEncryption", "tags", "ttl",
    })  # fmt: skip
    defaults = frozen(deletionProtectionEnabled=False)
    immutable = frozenset({"hashKey", "name", "rangeKey"})
    completed = frozenset({"pointInTimeRecovery", "ttl"})
    sets = frozenset({"attributes"})
    named = "name"
    longest_name = 255

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        """The real provider's own rule: attributes are those of keys and indexes, each once."""
        if inputs.get("billingMode") != "PAY_PER_REQUEST":
            yield "billingMode", "the local provider models PAY_PER_REQUEST alone"
        if has_unknown(inputs):
            return
        keys = {str(inputs[key]) for key in ("hashKey", "rangeKey") if inputs.get(key)}
        declared = {str(each.get("name")) for each in inputs.get("attributes") or ()}
        if not inputs.get("hashKey"):
            yield "hashKey", 'Missing required argument "hashKey": it is needed without a restore'
        if keys - declared:
            yield (
                "attributes",
                f"all indexes must match a defined attribute. Unmatched indexes: {sorted(keys - declared)}",
            )
        if declared - keys:
            yield (
                "attributes",
                f"all attributes must be indexed. Unused attributes: {sorted(declared - keys)}",
            )

    def _encryption(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        block = one(inputs.get("serverSideEncryption"))
        if not block.get("enabled"):
            return {"Enabled": False}
        key = {"KMSMasterKeyId": block["kmsKeyArn"]} if block.get("kmsKeyArn") else {}
        return {"Enabled": True, "SSEType": "KMS", **key}

    def create(self, at: At) -> str:
        given = at.inputs
        keys = [("hashKey", "HASH"), ("rangeKey", "RANGE")]
        encryption = self._encryption(given)
        at.client("dynamodb").create_table(
            TableName=given["name"], BillingMode=given["billingMode"],
            KeySchema=[{"AttributeName": given[key], "KeyType": kind} for key, kind in keys if given.get(key)],
            AttributeDefinitions=[
                {"AttributeName": each["name"], "AttributeType": each["type"]} for each in given["attributes"]
            ],
            DeletionProtectionEnabled=bool(given["deletionProtectionEnabled"]),
            **({"SSESpecification": encryption} if encryption["Enabled"] else {}),
            **({"Tags": tag_list(at.tags)} if at.tags else {}),
        )  # fmt: skip
        return str(given["name"])

    def configure(self, at: At) -> None:
        self._recovery(at, {})
        self._expiry(at, {})

    def _recovery(self, at: At, state: Mapping[str, Any]) -> None:
        old, new = (bool(one(each.get("pointInTimeRecovery")).get("enabled")) for each in (state, at.inputs))
        if old != new:
            at.client("dynamodb").update_continuous_backups(
                TableName=at.id, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": new}
            )

    def _expiry(self, at: At, state: Mapping[str, Any]) -> None:
        old, new = (one(each.get("ttl")) for each in (state, at.inputs))
        if bool(old.get("enabled")) == bool(new.get("enabled")):
            return
        attribute = new.get("attributeName") or old.get("attributeName")
        at.client("dynamodb").update_time_to_live(
            TableName=at.id,
            TimeToLiveSpecification={"AttributeName": attribute, "Enabled": bool(new.get("enabled"))},
        )

    def read(self, at: At) -> Properties | None:
        client = at.client("dynamodb")
        found = unless(GONE, lambda: client.describe_table(TableName=at.id)["Table"])
        if found is None:
            return None
        keys = {each["KeyType"]: each["AttributeName"] for each in found["KeySchema"]}
        backups = client.describe_continuous_backups(TableName=at.id)["ContinuousBackupsDescription"]
        recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        expiry = client.describe_time_to_live(TableName=at.id)["TimeToLiveDescription"]
        encryption = found.get("SSEDescription") or {}
        known = {**at.inputs, **at.state}
        blocks: Properties = {
            "pointInTimeRecovery": {"enabled": recovery},
            "serverSideEncryption": {"enabled": True, "kmsKeyArn": encryption["KMSMasterKeyArn"]}
            if encryption.get("Status") == "ENABLED"
            else {"enabled": False},
            "ttl": {"attributeName": expiry.get("AttributeName", ""), "enabled": True}
            if expiry["TimeToLiveStatus"] == "ENABLED"
            else {"enabled": False},
        }
        # A block that says "off" equals one that was never given.
        shown = {key: block for key, block in blocks.items() if block["enabled"] or known.get(key)}
        listed = {key: [shown[key]] if isinstance(known.get(key), list) else shown[key] for key in shown}
        return {
            "arn": found["TableArn"], "name": found["TableName"],
            "hashKey": keys["HASH"], "rangeKey": keys.get("RANGE"),
            "attributes": [
                {"name": each["AttributeName"], "type": each["AttributeType"]} for each in found["AttributeDefinitions"]
            ],
            "billingMode": found["BillingModeSummary"]["BillingMode"],
            "deletionProtectionEnabled": bool(found.get("DeletionProtectionEnabled")),
            **listed,
        }  # fmt: skip

    def update(self, at: At) -> None:
        client = at.client("dynamodb")
        changed: Properties = {}
        protected = bool(at.inputs["deletionProtectionEnabled"])
        if protected != bool(at.state.get("deletionProtectionEnabled")):
            changed["DeletionProtectionEnabled"] = protected
        if self._encryption(at.inputs) != self._encryption(at.state):
            changed["SSESpecification"] = self._encryption(at.inputs)
        if changed:
            client.update_table(TableName=at.id, **changed)
        self._recovery(at, at.state)
        self._expiry(at, at.state)
        at.retag(
            lambda keys: client.untag_resource(ResourceArn=at.state["arn"], TagKeys=keys),
            lambda tags: client.tag_resource(ResourceArn=at.state["arn"], Tags=tag_list(tags)),
        )

    def delete(self, at: At) -> None:
        unless(GONE, lambda: at.client("dynamodb").delete_table(TableName=at.id))
