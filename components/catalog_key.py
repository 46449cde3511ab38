"""Encryption of an account's Data Catalog under a key that other accounts may read with."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.policy_documents import Statement, account_root, document, via_service


class CatalogKeyArgs(TypedDict):
    """Arguments of CatalogKey."""

    account: str
    """Account id of the catalog."""
    region: str
    """Region of the catalog."""
    partition: str
    """AWS partition."""
    organization: str
    """Id of the AWS organization."""
    alias: str
    """Alias of the key, with `alias/` before it."""
    reader_accounts: Sequence[str]
    """Accounts that read shared databases of the catalog."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete the key."""


class CatalogKey(pulumi.ComponentResource):
    """The customer managed key of the Data Catalog, and the catalog's encryption under it.

    A catalog under the AWS managed key cannot be shared, because nobody can let another account use that key.
    Consumers may decrypt through Glue, inside the organization, and nothing else. Connection passwords are returned
    encrypted too. A deleted key makes the catalog unreadable: it is protected, and deletion would take 30 days.
    """

    key_arn: pulumi.Output[str]
    """ARN of the key."""

    def __init__(self, name: str, args: CatalogKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:CatalogKey", name, {}, opts)
        key = aws.kms.Key(
            f"{name}-key",
            description="Encrypts the metadata of the central Glue Data Catalog.",
            policy=key_policy(args),
            enable_key_rotation=True,
            deletion_window_in_days=30,
            opts=pulumi.ResourceOptions(parent=self, protect=args.get("protect", True)),
        )
        aws.kms.Alias(
            f"{name}-alias",
            name=args["alias"],
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.glue.DataCatalogEncryptionSettings(
            f"{name}-encryption",
            data_catalog_encryption_settings={
                "connection_password_encryption": {
                    "aws_kms_key_id": key.arn,
                    "return_connection_password_encrypted": True,
                },
                "encryption_at_rest": {"catalog_encryption_mode": "SSE-KMS", "sse_aws_kms_key_id": key.arn},
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.key_arn = key.arn
        self.register_outputs({"keyArn": self.key_arn})


def key_policy(args: CatalogKeyArgs) -> str:
    """The owner's IAM policies decide inside the account; consumers may decrypt, through Glue and inside the
    organization."""
    statements: list[Statement] = [
        {
            "Sid": "OwnersIamPoliciesDecide",
            "Effect": "Allow",
            "Principal": {"AWS": account_root(args["partition"], args["account"])},
            "Action": "kms:*",
            "Resource": "*",
        }
    ]
    if args["reader_accounts"]:
        readers = [account_root(args["partition"], account) for account in sorted(set(args["reader_accounts"]))]
        statements.append(
            {
                "Sid": "ConsumersReadSharedMetadata",
                "Effect": "Allow",
                "Principal": {"AWS": readers},
                "Action": ["kms:Decrypt", "kms:DescribeKey"],
                "Resource": "*",
                "Condition": {
                    "StringEquals": {
                        "aws:PrincipalOrgID": args["organization"],
                        "kms:ViaService": via_service("glue", args["region"], args["partition"]),
                    }
                },
            }
        )
    return document(statements)
