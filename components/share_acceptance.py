"""Acceptance of what the governance account shares with a consumer."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.catalog_access import Place, database_arns
from components.handler_function import HandlerFunction, HandlerSettings
from components.permissions import grant
from components.policy_documents import Statement, allow, canonical_json


class ShareAcceptanceArgs(TypedDict):
    """Arguments of ShareAcceptance."""

    account: str
    """Account id of the consumer."""
    region: str
    """Region of the mesh."""
    partition: str
    """AWS partition."""
    mesh: str
    """Name of the mesh."""
    owner: str
    """Account id whose shares are accepted, and nobody else's."""
    databases: Sequence[str]
    """Databases that are shared."""
    digest: str
    """Digest of what is granted to the account; a change looks for invitations again."""
    function: str
    """Name of the function that accepts."""
    role: str
    """Name of its role."""
    settings: HandlerSettings
    """What every handler function of a stack has in common."""


class ShareAcceptance(pulumi.ComponentResource):
    """Accepts every pending invitation of the owner whose share Lake Formation made, until none is left.

    A function and no `aws.ram.ResourceShareAccepter`: Lake Formation makes the shares, so their ARNs and their number
    are unknown when a plan is made, and inside an organization with RAM sharing there are none and the resource would
    fail. The function also makes sure that the database `default` exists, which Athena needs.
    """

    result: pulumi.Output[str]
    """What the last run accepted, as JSON."""

    def __init__(self, name: str, args: ShareAcceptanceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:ShareAcceptance", name, {}, opts)
        function = HandlerFunction(
            f"{name}-accept",
            {
                "account": args["account"],
                "region": args["region"],
                "partition": args["partition"],
                "function": args["function"],
                "role": args["role"],
                "handler": "sync_handlers.accept_shares.handler",
                "description": f"Accepts what the mesh {args['mesh']} shares with this account.",
                "mesh": args["mesh"],
                "settings": args["settings"],
                "statements": accept_statements(args),
                "timeout": 300,
                "memory": 256,
            },
            pulumi.ResourceOptions(parent=self),
        )
        create_default = grant(
            f"{name}-create-default",
            principal=function.role_arn,
            permissions=["CREATE_DATABASE"],
            on={"catalog_resource": True},
            opts=pulumi.ResourceOptions(parent=self),
        )
        accepted = aws.lambda_.Invocation(
            f"{name}-accepted",
            function_name=function.function_name,
            input=canonical_json(
                {
                    "action": "accept",
                    "databases": sorted(args["databases"]),
                    "digest": args["digest"],
                    "owner": args["owner"],
                }
            ),
            lifecycle_scope="CRUD",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[create_default]),
        )
        self.result = accepted.result
        self.register_outputs({"result": self.result})


def accept_statements(args: ShareAcceptanceArgs) -> list[Statement]:
    """Invitations of one owner, and the database `default`."""
    place: Place = {"account": args["account"], "region": args["region"], "partition": args["partition"]}
    invitations = f"arn:{args['partition']}:ram:{args['region']}:{args['owner']}:resource-share-invitation/*"
    return [
        # Listing knows no resources (service authorization reference, "AWS Resource Access Manager").
        allow("FindShares", ["ram:GetResourceShareInvitations", "ram:GetResourceShares"], ["*"]),
        allow(
            "AcceptOwnersShares",
            ["ram:AcceptResourceShareInvitation"],
            [invitations],
            {"StringEquals": {"ram:ShareOwnerAccountId": args["owner"]}},
        ),
        allow(
            "DefaultDatabase",
            ["glue:CreateDatabase", "glue:GetDatabase"],
            database_arns(place, ["default"])[:2],
        ),
    ]
