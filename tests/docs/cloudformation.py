"""`aws cloudformation deploy` for the tutorial: makes what a template of `lakemesh bootstrap` says, from its file.

The local AWS has no CloudFormation. What is made here is read from the template and from nowhere else: a member that
this does not know is an error. Deploying again updates roles and policies, as CloudFormation does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml


class TemplateError(Exception):
    """Something in a template that is not known here."""


def deploy(session: Any, parameters: dict[str, Any]) -> str:
    """Make every resource, each after those that it refers to; what the CLI prints."""
    name = parameters["stack-name"]
    body = yaml.safe_load(Path(parameters["template-file"]).read_text(encoding="utf-8"))
    given = {key: value["Default"] for key, value in body.get("Parameters", {}).items()}
    given |= parameters["parameter-overrides"]
    _Stack(session, body, given).make()
    return (
        "\nWaiting for changeset to be created..\nWaiting for stack create/update to complete\n"
        f"Successfully created/updated stack - {name}"
    )


class _Stack:
    def __init__(self, session: Any, body: dict[str, Any], parameters: dict[str, str]) -> None:
        self._iam = session.client("iam")
        self._kms = session.client("kms")
        self._s3 = session.client("s3")
        self._region = session.region_name
        self._account = session.client("sts").get_caller_identity()["Account"]
        self._resources: dict[str, Any] = body["Resources"]
        self._conditions = {
            name: self._equals(condition, parameters) for name, condition in body.get("Conditions", {}).items()
        }
        self._ids: dict[str, str] = {}
        self._arns: dict[str, str] = {}

    @staticmethod
    def _equals(condition: dict[str, Any], parameters: dict[str, str]) -> bool:
        left, right = condition["Fn::Equals"]
        return bool(parameters[left["Ref"]] == right)

    def make(self) -> None:
        makers: dict[str, Callable[[str, dict[str, Any]], None]] = {
            "AWS::IAM::ManagedPolicy": self._policy,
            "AWS::IAM::Role": self._role,
            "AWS::KMS::Key": self._key,
            "AWS::KMS::Alias": self._alias,
            "AWS::S3::Bucket": self._bucket,
            "AWS::S3::BucketPolicy": self._bucket_policy,
        }
        for name, resource in self._resources.items():
            if not self._conditions.get(resource.get("Condition", ""), True):
                continue
            if resource["Type"] not in makers:
                raise TemplateError(f"{name}: {resource['Type']} is not made here")
            makers[resource["Type"]](name, self._resolved(resource["Properties"]))

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._resolved(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"Ref"}:
            return self._ids[value["Ref"]]
        if value.keys() == {"Fn::GetAtt"} and value["Fn::GetAtt"][1] == "Arn":
            return self._arns[value["Fn::GetAtt"][0]]
        if value.keys() == {"Fn::If"}:
            condition, then, otherwise = value["Fn::If"]
            return self._resolved(then if self._conditions[condition] else otherwise)
        return {key: self._resolved(inner) for key, inner in value.items()}

    # ---------------------------------------------------------------------------------------------------- resources
    def _policy(self, name: str, properties: dict[str, Any]) -> None:
        document = json.dumps(properties["PolicyDocument"])
        arn = f"arn:aws:iam::{self._account}:policy/{properties['ManagedPolicyName']}"
        try:
            versions = self._iam.list_policy_versions(PolicyArn=arn)["Versions"]
        except self._iam.exceptions.NoSuchEntityException:
            self._iam.create_policy(PolicyName=properties["ManagedPolicyName"], PolicyDocument=document)
        else:
            for old in versions:
                if not old["IsDefaultVersion"]:
                    self._iam.delete_policy_version(PolicyArn=arn, VersionId=old["VersionId"])
            self._iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
        self._ids[name] = self._arns[name] = arn

    def _role(self, name: str, properties: dict[str, Any]) -> None:
        role = properties["RoleName"]
        trust = json.dumps(properties["AssumeRolePolicyDocument"])
        try:
            arn = self._iam.get_role(RoleName=role)["Role"]["Arn"]
            self._iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust)
        except self._iam.exceptions.NoSuchEntityException:
            arn = self._iam.create_role(
                RoleName=role, Path=properties["Path"], AssumeRolePolicyDocument=trust,
                PermissionsBoundary=properties["PermissionsBoundary"],
                MaxSessionDuration=properties["MaxSessionDuration"],
            )["Role"]["Arn"]  # fmt: skip
        attached = self._iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        for policy in {each["PolicyArn"] for each in attached} - set(properties["ManagedPolicyArns"]):
            self._iam.detach_role_policy(RoleName=role, PolicyArn=policy)
        for policy in properties["ManagedPolicyArns"]:
            self._iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        self._ids[name], self._arns[name] = role, arn

    def _key(self, name: str, properties: dict[str, Any]) -> None:
        alias = next(
            each["Properties"]["AliasName"]
            for each in self._resources.values()
            if each["Type"] == "AWS::KMS::Alias" and each["Properties"]["TargetKeyId"] == {"Ref": name}
        )
        known = {each["AliasName"]: each.get("TargetKeyId") for each in self._kms.list_aliases()["Aliases"]}
        found = known.get(alias)
        if found is None:
            made = self._kms.create_key(
                Policy=json.dumps(properties["KeyPolicy"]), Description=properties["Description"]
            )
            found = made["KeyMetadata"]["KeyId"]
        self._ids[name] = found
        self._arns[name] = f"arn:aws:kms:{self._region}:{self._account}:key/{found}"

    def _alias(self, name: str, properties: dict[str, Any]) -> None:
        self._ids[name] = properties["AliasName"]
        if properties["AliasName"] not in {each["AliasName"] for each in self._kms.list_aliases()["Aliases"]}:
            self._kms.create_alias(AliasName=properties["AliasName"], TargetKeyId=properties["TargetKeyId"])

    def _bucket(self, name: str, properties: dict[str, Any]) -> None:
        bucket = properties["BucketName"]
        self._ids[name], self._arns[name] = bucket, f"arn:aws:s3:::{bucket}"
        if bucket in {each["Name"] for each in self._s3.list_buckets()["Buckets"]}:
            return
        self._s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": self._region})
        self._s3.put_bucket_encryption(
            Bucket=bucket,
            ServerSideEncryptionConfiguration={
                "Rules": [
                    {
                        "BucketKeyEnabled": rule["BucketKeyEnabled"],
                        "ApplyServerSideEncryptionByDefault": {
                            "SSEAlgorithm": rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"],
                            "KMSMasterKeyID": rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"],
                        },
                    }
                    for rule in properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
                ]
            },
        )

    def _bucket_policy(self, name: str, properties: dict[str, Any]) -> None:
        self._ids[name] = properties["Bucket"]
        self._s3.put_bucket_policy(Bucket=properties["Bucket"], Policy=json.dumps(properties["PolicyDocument"]))
