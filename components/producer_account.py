"""A producer's account: the reader role, and the statements that let the mesh read its data."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi

from components.column_review import ColumnScan, ScanSettings
from components.event_forwarding import EventForwarding, EventForwardingArgs
from components.handler_function import HandlerSettings
from components.policy_statements import (
    KeyUse,
    PolicyStatements,
    SharedBucket,
    bucket_documents,
    key_documents,
)
from components.reader_role import ReaderRole, ReaderRoleArgs


class ProducerAccountArgs(TypedDict):
    """Arguments of ProducerAccount."""

    account: str
    """Account id of the producer."""
    region: str
    """Region of the mesh."""
    partition: str
    """AWS partition: aws, aws-cn, aws-us-gov."""
    organization: str
    """Id of the AWS organization."""
    mesh: str
    """Name of the mesh."""
    central_account: str
    """Account id of the governance account."""
    sync_role_arn: str
    """Central's sync role: the one role that may assume the reader role."""
    reader_role: str
    """Name of the reader role."""
    external_id: str
    """What the sync role presents when it assumes it."""
    databases: Sequence[str]
    """Databases of this account that are shared."""
    governed: bool
    """Whether Lake Formation decides on reads of this account's catalog."""
    catalog_key: NotRequired[str]
    """ARN of the customer managed key of this account's catalog."""
    buckets: Sequence[SharedBucket]
    """Buckets that hold shared data, and who reads what in them."""
    merge: bool
    """Whether a function merges the statements into existing policies; otherwise they are an output, for the owner to
    add."""
    sid_prefix: str
    """Beginning of every Sid of the mesh: letters and digits."""
    statements_function: str
    """Name of the function that merges."""
    statements_role: str
    """Name of its role."""
    event_bus_arn: str
    """Event bus of the governance account."""
    event_rule: str
    """Name of the rule that sends events of shared databases there."""
    event_role: str
    """Name of the role that it sends them as."""
    scan: NotRequired[ScanSettings]
    """The look at samples of unreviewed columns; none where it is left out."""
    handlers: HandlerSettings
    """What the functions have in common."""


class ProducerAccount(pulumi.ComponentResource):
    """What a producer adds to its account to be part of the mesh.

    It replaces nothing: no bucket policy, key policy, catalog policy or data lake settings of the producer is owned
    here. Data stays where it is, readable by central's registration roles only.
    """

    reader_role_arn: pulumi.Output[str]
    """Role through which the mesh reads this account's catalog."""
    policy_statements: pulumi.Output[Mapping[str, Any]]
    """The statements that buckets and keys of this account need: `buckets` and `keys`."""

    def __init__(self, name: str, args: ProducerAccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:ProducerAccount", name, {}, opts)
        of_reader: ReaderRoleArgs = {
            "account": args["account"],
            "region": args["region"],
            "partition": args["partition"],
            "role": args["reader_role"],
            "sync_role_arn": args["sync_role_arn"],
            "external_id": args["external_id"],
            "organization": args["organization"],
            "databases": args["databases"],
            "governed": args["governed"],
        }
        if catalog_key := args.get("catalog_key"):
            of_reader["catalog_key"] = catalog_key
        of_events: EventForwardingArgs = {
            "account": args["account"],
            "bus_arn": args["event_bus_arn"],
            "rule": args["event_rule"],
            "role": args["event_role"],
            "databases": args["databases"],
        }
        if boundary := args["handlers"].get("permissions_boundary"):
            of_reader["permissions_boundary"] = boundary
            of_events["permissions_boundary"] = boundary
        reader = ReaderRole(f"{name}-reader", of_reader, pulumi.ResourceOptions(parent=self))
        EventForwarding(f"{name}-events", of_events, pulumi.ResourceOptions(parent=self))
        buckets = bucket_documents(args["buckets"], args["central_account"], args["partition"], args["sid_prefix"])
        keys = key_documents(key_uses(args), args["region"], args["partition"], args["sid_prefix"])
        if args["merge"] and (buckets or keys):
            PolicyStatements(
                f"{name}-policies",
                {
                    "account": args["account"],
                    "region": args["region"],
                    "partition": args["partition"],
                    "mesh": args["mesh"],
                    "function": args["statements_function"],
                    "role": args["statements_role"],
                    "sid_prefix": args["sid_prefix"],
                    "buckets": buckets,
                    "keys": keys,
                    "settings": args["handlers"],
                },
                # The catalog key's statement names the reader role in a condition; it is of use only once the role is
                # there.
                pulumi.ResourceOptions(parent=self, depends_on=[reader]),
            )
        if scan := args.get("scan"):
            ColumnScan(
                f"{name}-scan",
                {
                    "account": args["account"],
                    "region": args["region"],
                    "partition": args["partition"],
                    "mesh": args["mesh"],
                    "central_account": args["central_account"],
                    "databases": args["databases"],
                    "governed": args["governed"],
                    "scan": scan,
                    "handlers": args["handlers"],
                },
                pulumi.ResourceOptions(parent=self),
            )
        self.reader_role_arn = reader.arn
        self.policy_statements = pulumi.Output.from_input({"buckets": buckets, "keys": keys})
        self.register_outputs({"readerRoleArn": self.reader_role_arn, "policyStatements": self.policy_statements})


def key_uses(args: ProducerAccountArgs) -> list[KeyUse]:
    """Who decrypts under which key of the producer: registration roles its buckets', the reader role its catalog's."""
    readers: dict[str, set[str]] = {}
    for bucket in args["buckets"]:
        if key := bucket.get("kms_key"):
            readers.setdefault(key, set()).update(reader["role_arn"] for reader in bucket["readers"])
    uses: list[KeyUse] = [
        {"key": key, "account": args["central_account"], "service": "s3", "role_arns": sorted(roles)}
        for key, roles in sorted(readers.items())
        if roles
    ]
    if catalog_key := args.get("catalog_key"):
        reader_arn = f"arn:{args['partition']}:iam::{args['account']}:role/{args['reader_role']}"
        uses.append({"key": catalog_key, "account": args["account"], "service": "glue", "role_arns": [reader_arn]})
    return uses
