"""What the sync remembers of each table, and what waits for a person's word."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws


class SyncStateArgs(TypedDict):
    """Arguments of SyncState."""

    table: str
    """Name of the table."""
    key_arn: pulumi.Input[str]
    """ARN of the key that encrypts it."""
    protect: NotRequired[bool]
    """Whether DynamoDB and Pulumi refuse to delete the table; true unless said otherwise."""


class SyncState(pulumi.ComponentResource):
    """The state table of the sync: one item for each table of a twin, and few for each twin.

    On demand, for it is idle between refreshes; with continuous backups, though a lost table fills again within one
    refresh: what it holds that nothing else does are the approvals of deletions and since when a schema is held. Does
    not say who may use it: that is the sync role's own policy.
    """

    table_name: pulumi.Output[str]
    """Name of the table."""
    table_arn: pulumi.Output[str]
    """ARN of the table."""

    def __init__(self, name: str, args: SyncStateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:SyncState", name, {}, opts)
        protect = args.get("protect", True)
        table = aws.dynamodb.Table(
            f"{name}-table",
            name=args["table"],
            billing_mode="PAY_PER_REQUEST",
            hash_key="twin",
            range_key="item",
            attributes=[{"name": "twin", "type": "S"}, {"name": "item", "type": "S"}],
            # Items of deleted tables, and approvals, are counted until then and of no use afterwards.
            ttl={"attribute_name": "expires", "enabled": True},
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True, "kms_key_arn": args["key_arn"]},
            deletion_protection_enabled=protect,
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
        self.table_name, self.table_arn = table.name, table.arn
        self.register_outputs({"tableName": self.table_name, "tableArn": self.table_arn})
