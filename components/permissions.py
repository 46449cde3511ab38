"""Lake Formation permissions: one resource for each principal and resource, never more, and never ALL."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi_aws.lakeformation import (
    PermissionsDatabaseArgsDict,
    PermissionsDataCellsFilterArgsDict,
    PermissionsDataLocationArgsDict,
    PermissionsLfTagArgsDict,
    PermissionsLfTagPolicyArgsDict,
    PermissionsTableArgsDict,
)


class On(TypedDict, total=False):
    """What a permission is on, in the provider's own words; exactly one member."""

    catalog_resource: bool
    data_cells_filter: PermissionsDataCellsFilterArgsDict
    data_location: PermissionsDataLocationArgsDict
    database: PermissionsDatabaseArgsDict
    lf_tag: PermissionsLfTagArgsDict
    lf_tag_policy: PermissionsLfTagPolicyArgsDict
    table: PermissionsTableArgsDict


def grant(
    name: str,
    *,
    principal: pulumi.Input[str],
    permissions: Sequence[str],
    grantable: Sequence[str] = (),
    on: On,
    opts: pulumi.ResourceOptions,
) -> aws.lakeformation.Permissions:
    """One Lake Formation grant.

    Every field of the resource forces its replacement, and the provider's delete revokes what the new one has just
    granted on the same principal and resource: so the old one goes first, always. For that moment access is gone, not
    too wide. The permissions are sorted and listed one by one: ALL never comes back as it was granted, and would be
    replaced for ever (terraform-provider-aws#49453).
    """
    listed = sorted(set(permissions))
    if {"ALL", "SUPER", "SUPER_USER"} & set(listed):
        raise ValueError(f"{name}: ALL is never granted; list the permissions that are meant")
    if len(on) != 1:
        raise ValueError(f"{name}: a permission is on exactly one resource, not on {sorted(on) or 'nothing'}")
    return aws.lakeformation.Permissions(
        name,
        principal=principal,
        permissions=listed,
        permissions_with_grant_options=sorted(set(grantable)) or None,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
        **on,
    )


class DatabaseTarget(TypedDict):
    """A database, or a resource link to one, by name."""

    catalog: str
    """Account id of the catalog that it is in."""
    name: str
    """Name of the database."""


class TableTarget(TypedDict):
    """A table by name."""

    catalog: str
    """Account id of the catalog that it is in."""
    database: str
    """Name of its database."""
    name: str
    """Name of the table."""


class TagPolicyTarget(TypedDict):
    """Everything that an LF-Tag expression matches."""

    catalog: str
    """Account id of the catalog whose LF-Tags the expression names."""
    kind: str
    """DATABASE or TABLE."""
    expression: Mapping[str, Sequence[str]]
    """Values by key: a resource matches if it carries, for every key, one of the values."""


class DataFilterTarget(TypedDict):
    """A data cells filter by name."""

    catalog: str
    """Account id of the catalog that its table is in."""
    database: str
    """Name of the table's database."""
    table: str
    """Name of the table."""
    name: str
    """Name of the filter."""


class EntryArgs(TypedDict):
    """One grant. Exactly one of `database`, `table`, `data_filter` and `tag_policy` says on what."""

    name: str
    """Logical name, made from principal and resource and not from what is granted: so that a changed grant is a
    change."""
    principal: str
    """ARN of an IAM role, or a 12-digit account id."""
    permissions: Sequence[str]
    """Permissions, e.g. SELECT or DESCRIBE."""
    grantable: NotRequired[Sequence[str]]
    """Those of them that the principal may pass on."""
    database: NotRequired[DatabaseTarget]
    """A database by name."""
    table: NotRequired[TableTarget]
    """A table by name."""
    data_filter: NotRequired[DataFilterTarget]
    """A data cells filter."""
    tag_policy: NotRequired[TagPolicyTarget]
    """An LF-Tag expression."""


class GrantsArgs(TypedDict):
    """Arguments of Grants."""

    entries: Sequence[EntryArgs]
    """The grants, one for each principal and resource."""


class Grants(pulumi.ComponentResource):
    """Grants on named databases and tables, and on LF-Tag expressions.

    Whoever makes it gives `depends_on`: what is granted must be there before, and grants must be revoked before a
    database is deleted, or the RAM share of the database is orphaned. Does not decide anything: what is granted to
    whom is worked out before (`lakemesh.access.expand`).
    """

    count: pulumi.Output[int]
    """Number of grants."""

    def __init__(self, name: str, args: GrantsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:Grants", name, {}, opts)
        seen: dict[tuple[str, str], str] = {}
        for entry in args["entries"]:
            on = target(entry)
            key = (entry["principal"], repr(on))
            if key in seen:
                raise ValueError(
                    f"grants {seen[key]} and {entry['name']} have the same principal and resource: replacing or "
                    "deleting one would revoke what the other grants. Merge them into one entry."
                )
            seen[key] = entry["name"]
            grant(
                entry["name"],
                principal=entry["principal"],
                permissions=entry["permissions"],
                grantable=entry.get("grantable", ()),
                on=on,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.count = pulumi.Output.from_input(len(seen))
        self.register_outputs({"count": self.count})


def target(entry: EntryArgs) -> On:
    """The resource of an entry, in the provider's words. The catalog is always named: half of the grants are on
    another account's."""
    on: On = {}
    if (database := entry.get("database")) is not None:
        on["database"] = {"catalog_id": database["catalog"], "name": database["name"]}
    if (table := entry.get("table")) is not None:
        on["table"] = {"catalog_id": table["catalog"], "database_name": table["database"], "name": table["name"]}
    if (shown := entry.get("data_filter")) is not None:
        on["data_cells_filter"] = {
            "table_catalog_id": shown["catalog"],
            "database_name": shown["database"],
            "table_name": shown["table"],
            "name": shown["name"],
        }
    if (policy := entry.get("tag_policy")) is not None:
        on["lf_tag_policy"] = {
            "catalog_id": policy["catalog"],
            "resource_type": policy["kind"],
            "expressions": [
                {"key": key, "values": sorted(values)} for key, values in sorted(policy["expression"].items())
            ],
        }
    return on
