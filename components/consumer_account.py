"""A consumer's account: settings, accepted shares, links, local grants and workgroups."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from components.handler_function import HandlerSettings
from components.permissions import EntryArgs, Grants
from components.resource_links import ResourceLinks
from components.settings import Settings
from components.share_acceptance import ShareAcceptance
from components.workgroups import Workgroup, Workgroups


class ConsumerAccountArgs(TypedDict):
    """Arguments of ConsumerAccount."""

    account: str
    """Account id of the consumer."""
    region: str
    """Region of the mesh."""
    partition: str
    """AWS partition: aws, aws-cn, aws-us-gov."""
    mesh: str
    """Name of the mesh."""
    central_account: str
    """Account id of the governance account."""
    administrators: Sequence[str]
    """ARNs of every data lake administrator, the deploying role among them."""
    cross_account_version: str
    """Cross-account version of Lake Formation, as in the governance account."""
    databases: Sequence[str]
    """Shared databases that this account links to."""
    entries: Sequence[EntryArgs]
    """Grants to the account's principals."""
    shares_digest: str
    """Digest of what is granted to the account; a change looks for invitations again."""
    shares_function: str
    """Name of the function that accepts shares."""
    shares_role: str
    """Name of its role."""
    results_bucket: str
    """Name of the bucket for query results."""
    result_retention_days: int
    """Days that query results are kept."""
    workgroups: Sequence[Workgroup]
    """Athena workgroups, one for each principal."""
    handlers: HandlerSettings
    """What the functions have in common."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete the data lake settings; true unless said otherwise."""


class ConsumerAccount(pulumi.ComponentResource):
    """What a consumer needs to query what the mesh granted it, and to share it among its own principals.

    The account's data lake settings are owned here, whole; it trusts the governance account as resource owner, so
    that the audit log there names the principal behind a read and not only its account. Makes no role: principals are
    the consumer's own, and so are their IAM policies.
    """

    links: pulumi.Output[Sequence[str]]
    """Resource links, sorted."""
    workgroup_names: pulumi.Output[Sequence[str]]
    """Athena workgroups, sorted."""
    results_bucket: pulumi.Output[str]
    """Bucket for query results."""

    def __init__(self, name: str, args: ConsumerAccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:ConsumerAccount", name, {}, opts)
        settings = Settings(
            f"{name}-settings",
            {
                "administrators": args["administrators"],
                "cross_account_version": args["cross_account_version"],
                "trusted_resource_owners": [args["central_account"]],
                "protect": args.get("protect", True),
            },
            pulumi.ResourceOptions(parent=self),
        )
        shares = ShareAcceptance(
            f"{name}-shares",
            {
                "account": args["account"],
                "region": args["region"],
                "partition": args["partition"],
                "mesh": args["mesh"],
                "owner": args["central_account"],
                "databases": args["databases"],
                "digest": args["shares_digest"],
                "function": args["shares_function"],
                "role": args["shares_role"],
                "settings": args["handlers"],
            },
            # Settings first: `default` and the links must not be open to IAM_ALLOWED_PRINCIPALS.
            pulumi.ResourceOptions(parent=self, depends_on=[settings]),
        )
        links = ResourceLinks(
            f"{name}-links",
            {"owner": args["central_account"], "databases": args["databases"]},
            pulumi.ResourceOptions(parent=self, depends_on=[settings, shares]),
        )
        Grants(
            f"{name}-grants",
            {"entries": args["entries"]},
            # What the account got can be handed on only once it is accepted.
            pulumi.ResourceOptions(parent=self, depends_on=[settings, shares, links]),
        )
        workgroups = Workgroups(
            f"{name}-workgroups",
            {
                "account": args["account"],
                "partition": args["partition"],
                "bucket": args["results_bucket"],
                "workgroups": args["workgroups"],
                "retention_days": args["result_retention_days"],
            },
            pulumi.ResourceOptions(parent=self),
        )
        self.links = links.names
        self.workgroup_names = workgroups.names
        self.results_bucket = workgroups.bucket
        self.register_outputs(
            {
                "links": self.links,
                "workgroupNames": self.workgroup_names,
                "resultsBucket": self.results_bucket,
            }
        )
