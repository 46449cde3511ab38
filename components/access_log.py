"""The log of requests for access: what people asked for, who decided, and what came of it."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.catalog_access import Place
from components.policy_documents import Statement, allow, document, via_service


class AccessLogArgs(TypedDict):
    """Arguments of AccessLog."""

    account: str
    """Account id of the governance account."""
    region: str
    """Region of the table."""
    partition: str
    """AWS partition."""
    table: str
    """Name of the table."""
    policy: str
    """Name of the managed policy for whatever runs the portal."""
    key_arn: pulumi.Input[str]
    """ARN of the key that encrypts the table."""
    state_table_arn: pulumi.Input[str]
    """ARN of the sync's state table, from which the portal tells how fresh a product is."""
    protect: NotRequired[bool]
    """Whether DynamoDB and Pulumi refuse to delete the table; true unless said otherwise."""


class AccessLog(pulumi.ComponentResource):
    """A table to which events are only added, and a policy for the portal that lets it do no more.

    An event is put on the condition that its place is free, and the policy holds no update and no deletion: what was
    written stays. The portal's role is the adopter's own (it runs wherever they run applications) and gets this policy
    attached. Nothing in it grants access to data.
    """

    table_name: pulumi.Output[str]
    """Name of the table."""
    policy_arn: pulumi.Output[str]
    """ARN of the portal's policy."""

    def __init__(self, name: str, args: AccessLogArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:AccessLog", name, {}, opts)
        protect = args.get("protect", True)
        table = aws.dynamodb.Table(
            f"{name}-table",
            name=args["table"],
            billing_mode="PAY_PER_REQUEST",
            hash_key="request",
            range_key="sequence",
            attributes=[{"name": "request", "type": "S"}, {"name": "sequence", "type": "N"}],
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True, "kms_key_arn": args["key_arn"]},
            deletion_protection_enabled=protect,
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
        place: Place = {"account": args["account"], "region": args["region"], "partition": args["partition"]}
        policy = aws.iam.Policy(
            f"{name}-policy",
            name=args["policy"],
            description="What the portal may do in the governance account.",
            policy=pulumi.Output.all(table.arn, args["state_table_arn"], args["key_arn"]).apply(
                lambda arns: document(portal_statements(place, *arns))
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.table_name, self.policy_arn = table.name, policy.arn
        self.register_outputs({"tableName": self.table_name, "policyArn": self.policy_arn})


def portal_statements(place: Place, table_arn: str, state_arn: str, key_arn: str) -> list[Statement]:
    """Statements of the portal's policy.

    A transaction of puts needs PutItem and no permission of its own (DynamoDB developer guide, "IAM and transactions").
    Each action that changes or removes an item is denied, and so is what gives access to data: another policy of the
    same role cannot bring it back.
    """
    return [
        allow("AddAndReadEvents", ["dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"], [table_arn]),
        allow("ReadHowFreshProductsAre", ["dynamodb:Scan"], [state_arn]),
        allow(
            "UseTheTablesKey",
            ["kms:Decrypt"],
            [key_arn],
            {"StringEquals": {"kms:ViaService": via_service("dynamodb", place["region"], place["partition"])}},
        ),
        {
            "Sid": "NeverChangeAnEvent",
            "Effect": "Deny",
            "Action": [
                "dynamodb:BatchWriteItem",
                "dynamodb:DeleteItem",
                "dynamodb:DeleteTable",
                "dynamodb:PartiQL*",
                "dynamodb:UpdateItem",
                "dynamodb:UpdateTable",
            ],
            "Resource": table_arn,
        },
        {
            "Sid": "NeverGrant",
            "Effect": "Deny",
            "Action": [
                "lakeformation:Batch*",
                "lakeformation:GetDataAccess",
                "lakeformation:Grant*",
                "lakeformation:Put*",
                "lakeformation:Revoke*",
            ],
            "Resource": "*",
        },
    ]
