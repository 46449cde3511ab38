"""Data lake settings of one account."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws


class SettingsArgs(TypedDict):
    """Arguments of Settings."""

    administrators: Sequence[str]
    """ARNs of every data lake administrator of the account, the deploying role among them: the list is replaced
    whole."""
    cross_account_version: str
    """Cross-account version of Lake Formation, 3 to 5; 5 cannot be lowered again."""
    trusted_resource_owners: NotRequired[Sequence[str]]
    """Accounts whose audit log may name this account's principals."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete the settings."""


class Settings(pulumi.ComponentResource):
    """The data lake settings of an account and region, of which there is one: whoever writes it replaces all of it.

    One owner an account, then, and it stays when the stack goes: destroying the resource would empty the
    administrators and put the cross-account version back to 1, on which every share rests (`protect`,
    `retain_on_delete`).

    Default permissions for new databases and tables are left out, which clears them when the resource is *created*;
    an update to an empty list does nothing (pulumi-aws#4366). So the settings come before the first database, or new
    tables are open to IAM_ALLOWED_PRINCIPALS. The sync handler proves it: it refuses a twin with defaults.
    """

    administrators: pulumi.Output[Sequence[str]]
    """ARNs of the data lake administrators."""

    def __init__(self, name: str, args: SettingsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:Settings", name, {}, opts)
        settings = aws.lakeformation.DataLakeSettings(
            f"{name}-data-lake",
            admins=sorted(set(args["administrators"])),
            # All parameters, as what is not named is cleared. SET_CONTEXT is TRUE in every account; it is what
            # CloudTrail needs to name the principal behind a read.
            parameters={"CROSS_ACCOUNT_VERSION": str(args["cross_account_version"]), "SET_CONTEXT": "TRUE"},
            trusted_resource_owners=args.get("trusted_resource_owners"),
            opts=pulumi.ResourceOptions(parent=self, protect=args.get("protect", True), retain_on_delete=True),
        )
        self.administrators = settings.admins
        self.register_outputs({"administrators": self.administrators})
