"""IAM: roles and their policies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from local_aws.provider.connection import Connection
from local_aws.provider.resource import At, ResourceType, frozen, register, tag_list, unless
from local_aws.provider.schema import Problem
from local_aws.provider.values import Properties, Unknown

GONE = ("NoSuchEntity", "NoSuchEntityException")
VERSIONS_KEPT = 5
"""A managed policy has at most five versions (IAM user guide, "IAM and AWS STS quotas")."""


def _text(document: Any) -> str:
    """A policy document as JSON text: boto3 parses what IAM percent-encodes."""
    return document if isinstance(document, str) else json.dumps(document)


def document_problems(inputs: Properties, *keys: str) -> Iterator[Problem]:
    """Inputs that should be JSON documents and are not."""
    for key in keys:
        text = inputs.get(key)
        if text is None or isinstance(text, Unknown):
            continue
        try:
            json.loads(text)
        except ValueError as error:
            yield key, f'"{key}" contains an invalid JSON policy: {error}'


@register
class Role(ResourceType):
    kind = "aws:iam/role:Role"
    supported = frozenset({
        "assumeRolePolicy", "description", "forceDetachPolicies", "maxSessionDuration", "name", "path",
        "permissionsBoundary", "tags",
    })  # fmt: skip
    defaults = frozen(forceDetachPolicies=False, maxSessionDuration=3600, path="/")
    immutable = frozenset({"name", "path"})
    named = "name"
    documents = frozenset({"assumeRolePolicy"})

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        return document_problems(inputs, "assumeRolePolicy")

    def create(self, at: At) -> str:
        wanted: dict[str, Any] = {
            "RoleName": at.inputs["name"],
            "AssumeRolePolicyDocument": at.inputs["assumeRolePolicy"],
            "Path": at.inputs["path"],
            "MaxSessionDuration": at.inputs["maxSessionDuration"],
            "Tags": tag_list(at.tags),
        }
        if at.inputs.get("description"):
            wanted["Description"] = at.inputs["description"]
        if at.inputs.get("permissionsBoundary"):
            wanted["PermissionsBoundary"] = at.inputs["permissionsBoundary"]
        return str(at.client("iam").create_role(**wanted)["Role"]["RoleName"])

    def read(self, at: At) -> Properties | None:
        found = unless(GONE, lambda: at.client("iam").get_role(RoleName=at.id)["Role"])
        if found is None:
            return None
        return {
            "arn": found["Arn"],
            "assumeRolePolicy": _text(found["AssumeRolePolicyDocument"]),
            "createDate": found["CreateDate"].isoformat(),
            "description": found.get("Description"),
            "maxSessionDuration": found.get("MaxSessionDuration"),
            "name": found["RoleName"],
            "path": found["Path"],
            "permissionsBoundary": found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "uniqueId": found["RoleId"],
        }

    def update(self, at: At) -> None:
        iam = at.client("iam")
        iam.update_assume_role_policy(RoleName=at.id, PolicyDocument=at.inputs["assumeRolePolicy"])
        iam.update_role(
            RoleName=at.id,
            Description=at.inputs.get("description", ""),
            MaxSessionDuration=at.inputs["maxSessionDuration"],
        )
        boundary = at.inputs.get("permissionsBoundary")
        if boundary != at.state.get("permissionsBoundary"):
            if boundary:
                iam.put_role_permissions_boundary(RoleName=at.id, PermissionsBoundary=boundary)
            else:
                iam.delete_role_permissions_boundary(RoleName=at.id)
        at.retag(
            lambda keys: iam.untag_role(RoleName=at.id, TagKeys=keys),
            lambda tags: iam.tag_role(RoleName=at.id, Tags=tag_list(tags)),
        )

    def delete(self, at: At) -> None:
        iam = at.client("iam")
        if at.state.get("forceDetachPolicies"):
            attached = unless(GONE, lambda: iam.list_attached_role_policies(RoleName=at.id)["AttachedPolicies"])
            for policy in attached or []:
                iam.detach_role_policy(RoleName=at.id, PolicyArn=policy["PolicyArn"])
            for name in unless(GONE, lambda: iam.list_role_policies(RoleName=at.id)["PolicyNames"]) or []:
                iam.delete_role_policy(RoleName=at.id, PolicyName=name)
        unless(GONE, lambda: iam.delete_role(RoleName=at.id))


@register
class RolePolicy(ResourceType):
    kind = "aws:iam/rolePolicy:RolePolicy"
    supported = frozenset({"name", "policy", "role"})
    immutable = frozenset({"name", "role"})
    named = "name"
    documents = frozenset({"policy"})
    longest_name = 128

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        return document_problems(inputs, "policy")

    def create(self, at: At) -> str:
        self._put(at.aws, at.inputs)
        return f"{at.inputs['role']}:{at.inputs['name']}"

    def _put(self, aws: Connection, inputs: Properties) -> None:
        aws.client("iam").put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
        )

    def read(self, at: At) -> Properties | None:
        role, _, name = at.id.partition(":")
        found = unless(GONE, lambda: at.client("iam").get_role_policy(RoleName=role, PolicyName=name))
        return None if found is None else {"name": name, "role": role, "policy": _text(found["PolicyDocument"])}

    def update(self, at: At) -> None:
        self._put(at.aws, at.inputs)

    def delete(self, at: At) -> None:
        role, _, name = at.id.partition(":")
        unless(GONE, lambda: at.client("iam").delete_role_policy(RoleName=role, PolicyName=name))


@register
class Policy(ResourceType):
    kind = "aws:iam/policy:Policy"
    supported = frozenset({"description", "name", "path", "policy", "tags"})
    defaults = frozen(path="/")
    immutable = frozenset({"description", "name", "path"})
    named = "name"
    documents = frozenset({"policy"})
    longest_name = 128

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        return document_problems(inputs, "policy")

    def create(self, at: At) -> str:
        wanted: dict[str, Any] = {
            "PolicyName": at.inputs["name"],
            "Path": at.inputs["path"],
            "PolicyDocument": at.inputs["policy"],
            "Tags": tag_list(at.tags),
        }
        if at.inputs.get("description"):
            wanted["Description"] = at.inputs["description"]
        return str(at.client("iam").create_policy(**wanted)["Policy"]["Arn"])

    def read(self, at: At) -> Properties | None:
        iam = at.client("iam")
        found = unless(GONE, lambda: iam.get_policy(PolicyArn=at.id)["Policy"])
        if found is None:
            return None
        version = iam.get_policy_version(PolicyArn=at.id, VersionId=found["DefaultVersionId"])["PolicyVersion"]
        return {
            "arn": found["Arn"],
            "attachmentCount": found.get("AttachmentCount", 0),
            "name": found["PolicyName"],
            "policy": _text(version["Document"]),
            "policyId": found["PolicyId"],
        }  # fmt: skip

    def _old_versions(self, aws: Connection, arn: str) -> list[dict[str, Any]]:
        versions = unless(GONE, lambda: aws.client("iam").list_policy_versions(PolicyArn=arn)["Versions"]) or []
        return sorted((v for v in versions if not v["IsDefaultVersion"]), key=lambda version: version["CreateDate"])

    def update(self, at: At) -> None:
        iam = at.client("iam")
        if not self.same("policy", at.state.get("policy"), at.inputs["policy"]):
            old = self._old_versions(at.aws, at.id)
            if len(old) >= VERSIONS_KEPT - 1:
                iam.delete_policy_version(PolicyArn=at.id, VersionId=old[0]["VersionId"])
            iam.create_policy_version(PolicyArn=at.id, PolicyDocument=at.inputs["policy"], SetAsDefault=True)
        at.retag(
            lambda keys: iam.untag_policy(PolicyArn=at.id, TagKeys=keys),
            lambda tags: iam.tag_policy(PolicyArn=at.id, Tags=tag_list(tags)),
        )

    def delete(self, at: At) -> None:
        iam = at.client("iam")
        for version in self._old_versions(at.aws, at.id):
            iam.delete_policy_version(PolicyArn=at.id, VersionId=version["VersionId"])
        unless(GONE, lambda: iam.delete_policy(PolicyArn=at.id))


@register
class RolePolicyAttachment(ResourceType):
    kind = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    supported = frozenset({"policyArn", "role"})
    immutable = frozenset({"policyArn", "role"})

    def create(self, at: At) -> str:
        at.client("iam").attach_role_policy(RoleName=at.inputs["role"], PolicyArn=at.inputs["policyArn"])
        return f"{at.inputs['role']}/{at.inputs['policyArn']}"

    def read(self, at: At) -> Properties | None:
        role, _, policy = at.id.partition("/")
        found = unless(GONE, lambda: at.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"])
        arns = {attached["PolicyArn"] for attached in found or []}
        return {"policyArn": policy, "role": role} if policy in arns else None

    def delete(self, at: At) -> None:
        role, _, policy = at.id.partition("/")
        unless(GONE, lambda: at.client("iam").detach_role_policy(RoleName=role, PolicyArn=policy))
