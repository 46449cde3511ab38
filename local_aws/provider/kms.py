"""KMS: keys and aliases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local_aws.provider.connection import Connection
from local_aws.provider.iam import document_problems
from local_aws.provider.resource import At, ResourceType, frozen, register, tag_list, unless
from local_aws.provider.schema import Problem
from local_aws.provider.values import Properties, Unknown

GONE = ("NotFoundException",)


@register
class Key(ResourceType):
    kind = "aws:kms/key:Key"
    supported = frozenset({
        "deletionWindowInDays", "description", "enableKeyRotation", "isEnabled", "keyUsage", "policy", "tags",
    })  # fmt: skip
    completed = frozenset({"enableKeyRotation", "isEnabled"})
    defaults = frozen(enableKeyRotation=False, isEnabled=True, keyUsage="ENCRYPT_DECRYPT")
    immutable = frozenset({"keyUsage"})
    documents = frozenset({"policy"})

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        return document_problems(inputs, "policy")

    def create(self, at: At) -> str:
        wanted: dict[str, Any] = {
            "KeyUsage": at.inputs["keyUsage"],
            "Tags": tag_list(at.tags, "TagKey", "TagValue"),
        }
        if at.inputs.get("description"):
            wanted["Description"] = at.inputs["description"]
        if at.inputs.get("policy"):
            wanted["Policy"] = at.inputs["policy"]
        return str(at.client("kms").create_key(**wanted)["KeyMetadata"]["KeyId"])

    def configure(self, at: At) -> None:
        self._switches(at.aws, at.id, {"enableKeyRotation": False, "isEnabled": True}, at.inputs)

    def _switches(self, aws: Connection, identifier: str, state: Properties, inputs: Properties) -> None:
        kms = aws.client("kms")
        if inputs["isEnabled"] != state.get("isEnabled"):
            (kms.enable_key if inputs["isEnabled"] else kms.disable_key)(KeyId=identifier)
        if inputs["enableKeyRotation"] != state.get("enableKeyRotation"):
            switch = kms.enable_key_rotation if inputs["enableKeyRotation"] else kms.disable_key_rotation
            switch(KeyId=identifier)

    def read(self, at: At) -> Properties | None:
        kms = at.client("kms")
        found = unless(GONE, lambda: kms.describe_key(KeyId=at.id)["KeyMetadata"])
        if found is None or found["KeyState"] == "PendingDeletion":
            return None
        return {
            "arn": found["Arn"],
            "keyId": found["KeyId"],
            "isEnabled": found["Enabled"],
            "enableKeyRotation": kms.get_key_rotation_status(KeyId=at.id)["KeyRotationEnabled"],
            "description": found.get("Description", ""),
            "policy": kms.get_key_policy(KeyId=at.id, PolicyName="default")["Policy"],
        }

    def update(self, at: At) -> None:
        kms = at.client("kms")
        self._switches(at.aws, at.id, at.state, at.inputs)
        if at.inputs.get("description", "") != at.state.get("description", ""):
            kms.update_key_description(KeyId=at.id, Description=at.inputs.get("description", ""))
        if at.inputs.get("policy") and not self.same("policy", at.state.get("policy"), at.inputs["policy"]):
            kms.put_key_policy(KeyId=at.id, PolicyName="default", Policy=at.inputs["policy"])
        at.retag(
            lambda keys: kms.untag_resource(KeyId=at.id, TagKeys=keys),
            lambda tags: kms.tag_resource(KeyId=at.id, Tags=tag_list(tags, "TagKey", "TagValue")),
        )

    def delete(self, at: At) -> None:
        days = at.state.get("deletionWindowInDays") or 30
        # KMSInvalidStateException: the deletion is already scheduled.
        unless(
            (*GONE, "KMSInvalidStateException"),
            lambda: at.client("kms").schedule_key_deletion(KeyId=at.id, PendingWindowInDays=days),
        )


@register
class Alias(ResourceType):
    kind = "aws:kms/alias:Alias"
    supported = frozenset({"name", "targetKeyId"})
    immutable = frozenset({"name"})
    named = "name"
    longest_name = 250

    def generated(self, name: str) -> str:
        return f"alias/{name}"

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        name = inputs["name"]
        if not isinstance(name, Unknown) and not name.startswith("alias/"):
            yield "name", f"invalid value for name (\"{name}\"): must begin with 'alias/'"

    def create(self, at: At) -> str:
        at.client("kms").create_alias(AliasName=at.inputs["name"], TargetKeyId=at.inputs["targetKeyId"])
        return str(at.inputs["name"])

    def read(self, at: At) -> Properties | None:
        pages = at.client("kms").get_paginator("list_aliases").paginate()
        found = next((a for page in pages for a in page["Aliases"] if a["AliasName"] == at.id), None)
        if found is None or "TargetKeyId" not in found:
            return None
        key = at.aws.arn("kms", f"key/{found['TargetKeyId'].rpartition('/')[2]}")
        return {"arn": at.aws.arn("kms", at.id), "name": at.id, "targetKeyArn": key}

    def update(self, at: At) -> None:
        at.client("kms").update_alias(AliasName=at.id, TargetKeyId=at.inputs["targetKeyId"])

    def delete(self, at: At) -> None:
        unless(GONE, lambda: at.client("kms").delete_alias(AliasName=at.id))
