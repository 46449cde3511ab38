"""CloudFormation templates of the accounts, as values.

No template reads another: names and ARNs are computed, so all of them can be deployed in any order before the mesh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from lakemesh.bootstrap.boundaries import deploy_boundary, role_boundary
from lakemesh.bootstrap.documents import (
    MANAGED_POLICIES_OF_A_ROLE,
    MANAGED_POLICY_CHARACTERS,
    BootstrapError,
    Document,
    compact,
    pack,
)
from lakemesh.bootstrap.permissions import deploy_statements
from lakemesh.bootstrap.places import Kind, Place, places
from lakemesh.bootstrap.trust import AUDIENCE, GITHUB_TOKENS, trust
from lakemesh.declarations.models import Declarations

TEMPLATE_BYTES: Final = 51_200
"""CloudFormation quotas: bytes of a template that is passed with the request itself."""
SESSION_SECONDS: Final = 4 * 3600
"""How long a pipeline's session in the governance account may last: a whole mesh is deployed in one."""
GITHUB_PARAMETER: Final = "GitHubTokens"
_RETAIN: Final = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


@dataclass(frozen=True)
class Template:
    """What one account needs."""

    place: Place
    stack: str
    """Name of the CloudFormation stack."""
    policies: tuple[Document, ...]
    """What the deploying role is allowed, each a managed policy."""
    deploy_boundary: Document
    role_boundary: Document
    trust: Document

    @property
    def body(self) -> dict[str, Any]:
        """The template, as CloudFormation takes it."""
        mesh = self.place.mesh
        github = self.place.kind is Kind.CENTRAL and mesh.deployment.github is not None
        body: dict[str, Any] = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": f"Account {self.place.account}, {self.place.part} of the data mesh {mesh.name}: "
            "what deploys it, and its limits.",
        }
        if github:
            body["Parameters"] = {
                GITHUB_PARAMETER: {
                    "Type": "String",
                    "Default": "create",
                    "AllowedValues": ["create", "exists"],
                    "Description": "An account has one identity provider for GitHub's tokens. exists - it is there.",
                }
            }
            body["Conditions"] = {"MakeGitHubTokens": {"Fn::Equals": [{"Ref": GITHUB_PARAMETER}, "create"]}}
        body["Resources"] = {**(_github() if github else {}), **self._identities(github), **self._state()}
        body["Outputs"] = self._outputs()
        return body

    def _identities(self, github: bool) -> dict[str, Any]:
        naming = self.place.naming
        made = {
            "RoleBoundary": _policy(
                naming.boundary, "The most that a role made by the mesh can be allowed.", self.role_boundary
            ),
            "DeployBoundary": _policy(
                naming.deploy_boundary, "The most that the deploying role can be allowed.", self.deploy_boundary
            ),
        }
        for number, document in enumerate(self.policies, start=1):
            made[f"DeployPolicy{number}"] = _policy(
                naming.deploy_policy(number), f"Part {number} of what the deploying role may do.", document
            )
        made["DeployRole"] = {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": self.place.deploy_role,
                "Path": self.place.deploy_path,
                "Description": f"Deploys {self.place.part} of the data mesh {self.place.mesh.name}.",
                "AssumeRolePolicyDocument": _after_github(self.trust) if github else self.trust,
                "PermissionsBoundary": {"Ref": "DeployBoundary"},
                "ManagedPolicyArns": [{"Ref": f"DeployPolicy{number}"} for number in range(1, len(self.policies) + 1)],
                "MaxSessionDuration": SESSION_SECONDS if self.place.kind is Kind.CENTRAL else 3600,
            },
        }
        return made

    def _state(self) -> dict[str, Any]:
        """Where Pulumi keeps state, and the key of the secrets in it: both outlive the CloudFormation stack."""
        if self.place.kind is not Kind.CENTRAL:
            return {}
        naming = self.place.naming
        return {
            "StateKey": {
                "Type": "AWS::KMS::Key",
                **_RETAIN,
                "Properties": {
                    "Description": "Encrypts the state of Pulumi's stacks and the secrets in it.",
                    "EnableKeyRotation": True,
                    "PendingWindowInDays": 30,
                    "KeyPolicy": state_key_policy(self.place),
                },
            },
            "StateKeyAlias": {
                "Type": "AWS::KMS::Alias",
                "Properties": {"AliasName": naming.state_key_alias, "TargetKeyId": {"Ref": "StateKey"}},
            },
            "StateBucket": {
                "Type": "AWS::S3::Bucket",
                **_RETAIN,
                "Properties": {
                    "BucketName": naming.state_bucket,
                    "VersioningConfiguration": {"Status": "Enabled"},
                    "BucketEncryption": {
                        "ServerSideEncryptionConfiguration": [
                            {
                                "BucketKeyEnabled": True,
                                "ServerSideEncryptionByDefault": {
                                    "SSEAlgorithm": "aws:kms",
                                    "KMSMasterKeyID": {"Fn::GetAtt": ["StateKey", "Arn"]},
                                },
                            }
                        ]
                    },
                    "PublicAccessBlockConfiguration": {
                        "BlockPublicAcls": True,
                        "BlockPublicPolicy": True,
                        "IgnorePublicAcls": True,
                        "RestrictPublicBuckets": True,
                    },
                    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                    "LifecycleConfiguration": {
                        "Rules": [
                            {
                                "Id": "old-versions-expire",
                                "Status": "Enabled",
                                "NoncurrentVersionExpiration": {"NoncurrentDays": 365},
                                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                            }
                        ]
                    },
                },
            },
            "StateBucketPolicy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Ref": "StateBucket"}, "PolicyDocument": state_bucket_policy(self.place)},
            },
        }

    def _outputs(self) -> dict[str, Any]:
        naming = self.place.naming
        made: dict[str, Any] = {
            "DeployRoleArn": {"Description": "Deploys this account.", "Value": {"Fn::GetAtt": ["DeployRole", "Arn"]}}
        }
        if self.place.kind is Kind.CENTRAL:
            made["Backend"] = {
                "Description": "Of Pulumi - pulumi login <this>.",
                "Value": backend(self.place),
            }
            made["SecretsProvider"] = {
                "Description": "Of Pulumi - pulumi stack init --secrets-provider <this>.",
                "Value": naming.secrets_provider,
            }
        return made


def backend(central: Place) -> str:
    """Address of the state, as `pulumi login` takes it."""
    return central.naming.backend


def _policy(name: str, description: str, document: Document) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"ManagedPolicyName": name, "Description": description, "PolicyDocument": document},
    }


def _github() -> dict[str, Any]:
    return {
        "GitHubProvider": {
            "Type": "AWS::IAM::OIDCProvider",
            "Condition": "MakeGitHubTokens",
            # The account may use it for more than the mesh.
            **_RETAIN,
            "Properties": {"Url": f"https://{GITHUB_TOKENS}", "ClientIdList": [AUDIENCE]},
        }
    }


def _after_github(trust: Document) -> Document:
    """The trust policy, made after the identity provider that it names, where the template makes that."""
    statements = []
    for statement in trust["Statement"]:
        if federated := statement["Principal"].get("Federated"):
            made = {"Fn::If": ["MakeGitHubTokens", {"Ref": "GitHubProvider"}, federated]}
            statements.append({**statement, "Principal": {"Federated": made}})
        else:
            statements.append(statement)
    return {**trust, "Statement": statements}


def state_key_policy(central: Place) -> Document:
    """IAM policies of the account decide, but for the deploying role: it uses the key, and changes nothing of it.

    It may put the mesh's tag on keys that it makes, and manage keys with that tag; this keeps the state's key apart.
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AccountsIamPoliciesDecide",
                "Effect": "Allow",
                "Principal": {"AWS": central.iam("root")},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Sid": "DeployingRoleOnlyUsesIt",
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "NotAction": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"],
                "Resource": "*",
                "Condition": {"ArnEquals": {"aws:PrincipalArn": central.deploy_role_arn}},
            },
        ],
    }


def state_bucket_policy(central: Place) -> Document:
    """Over TLS alone (S3 user guide, "Security best practices"); the deploying role cannot delete old versions."""
    bucket = central.s3(central.naming.state_bucket)
    everything = [bucket, f"{bucket}/*"]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyOverTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": everything,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            {
                "Sid": "DeployingRoleKeepsHistory",
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["s3:DeleteBucket", "s3:DeleteObjectVersion", "s3:PutBucketPolicy", "s3:PutBucketVersioning"],
                "Resource": everything,
                "Condition": {"ArnEquals": {"aws:PrincipalArn": central.deploy_role_arn}},
            },
        ],
    }


def templates(declarations: Declarations, *, trusted: tuple[str, ...] = ()) -> tuple[Template, ...]:
    """The template of every account, the governance account first.

    `trusted`: ARNs that every deploying role trusts beside the pipeline, where something stands in for it.
    Raises BootstrapError.
    """
    return tuple(template(place, trusted=trusted) for place in places(declarations))


def template(place: Place, *, trusted: tuple[str, ...] = ()) -> Template:
    """The template of one account. Raises BootstrapError."""
    policies = pack(deploy_statements(place))
    if len(policies) > MANAGED_POLICIES_OF_A_ROLE:
        raise BootstrapError(
            f"{place.part}: what its deploying role needs is {len(policies)} policies, and IAM attaches "
            f"{MANAGED_POLICIES_OF_A_ROLE} to a role. The mesh has {len(place.twins)} databases; split it in two."
        )
    made = Template(
        place,
        f"{place.mesh.name.replace('_', '-')}-bootstrap-{place.part.replace('_', '-')}",
        tuple(policies),
        deploy_boundary(place),
        role_boundary(place),
        trust(place, others=trusted),
    )
    for name, document in (("deploying role", made.deploy_boundary), ("roles of the mesh", made.role_boundary)):
        if len(compact(document)) > MANAGED_POLICY_CHARACTERS:
            raise BootstrapError(
                f"{place.part}: the boundary of the {name} exceeds {MANAGED_POLICY_CHARACTERS} characters"
            )
    return made
