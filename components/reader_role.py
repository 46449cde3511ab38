"""The role in a producer's account through which the mesh reads that account's catalog."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.catalog_access import Place, reader_statements
from components.permissions import grant
from components.policy_documents import document


class ReaderRoleArgs(TypedDict):
    """Arguments of ReaderRole."""

    account: str
    """Account id of the producer."""
    region: str
    """Region of the catalog."""
    partition: str
    """AWS partition."""
    role: str
    """Name of the role."""
    sync_role_arn: str
    """The one role that may assume it."""
    external_id: str
    """What that role must present."""
    organization: str
    """Id of the organization that it must belong to."""
    databases: Sequence[str]
    """Databases that it reads."""
    governed: bool
    """Whether Lake Formation decides on reads of the producer's catalog."""
    catalog_key: NotRequired[str]
    """ARN of the customer managed key of the producer's catalog."""
    permissions_boundary: NotRequired[str]
    """ARN of the managed policy that limits the role."""


class ReaderRole(pulumi.ComponentResource):
    """Reads metadata of the shared databases, and never a row; assumed by central's sync role and by nobody else.

    Where Lake Formation governs the catalog it gets DESCRIBE on each database and on all its tables. With less, Lake
    Formation would not refuse: it hides tables and columns, and the sync would copy a truncated schema. The deploying
    role has to be a data lake administrator of such an account; its settings are the producer's and stay so.
    """

    arn: pulumi.Output[str]
    """ARN of the role."""

    def __init__(self, name: str, args: ReaderRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:ReaderRole", name, {}, opts)
        place: Place = {"account": args["account"], "region": args["region"], "partition": args["partition"]}
        role = aws.iam.Role(
            f"{name}-role",
            name=args["role"],
            description="Read by the data mesh: metadata of shared databases, no data.",
            # IAM refuses a trust policy that names a role which does not exist: stack central is deployed first.
            assume_role_policy=trust(args),
            permissions_boundary=args.get("permissions_boundary"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.iam.RolePolicy(
            f"{name}-policy",
            name=args["role"],
            role=role.name,
            policy=document(
                reader_statements(place, args["databases"], args.get("catalog_key"), governed=args["governed"])
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        for database in sorted(args["databases"]) if args["governed"] else ():
            grant(
                f"{name}-{database}",
                principal=role.arn,
                permissions=["DESCRIBE"],
                on={"database": {"name": database}},
                opts=pulumi.ResourceOptions(parent=self),
            )
            grant(
                f"{name}-{database}-tables",
                principal=role.arn,
                permissions=["DESCRIBE"],
                on={"table": {"database_name": database, "wildcard": True}},
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.arn = role.arn
        self.register_outputs({"arn": self.arn})


def trust(args: ReaderRoleArgs) -> str:
    """Exactly one role, with the external id, from inside the organization (IAM user guide, "The confused deputy
    problem")."""
    return document(
        [
            {
                "Effect": "Allow",
                "Principal": {"AWS": args["sync_role_arn"]},
                "Action": ["sts:AssumeRole"],
                "Condition": {
                    "StringEquals": {
                        "aws:PrincipalOrgID": args["organization"],
                        "sts:ExternalId": args["external_id"],
                    }
                },
            }
        ]
    )
