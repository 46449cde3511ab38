"""Resource links of a consumer account to shared databases."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
import pulumi_aws as aws


class ResourceLinksArgs(TypedDict):
    """Arguments of ResourceLinks."""

    owner: str
    """Account id that shares the databases."""
    databases: Sequence[str]
    """Databases to link to."""


class ResourceLinks(pulumi.ComponentResource):
    """One link for each shared database, named as its target: then a query, or a view, means the same in every account.

    Does not grant anything: DESCRIBE on a link is a local grant and lives with the other grants.
    """

    names: pulumi.Output[Sequence[str]]
    """Names of the links, sorted."""

    def __init__(self, name: str, args: ResourceLinksArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:ResourceLinks", name, {}, opts)
        links = [
            aws.glue.CatalogDatabase(
                f"{name}-{database}",
                name=database,
                target_database={"catalog_id": args["owner"], "database_name": database},
                # Changing a link's description needs ALTER on the target, which is another account's.
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["description"]),
            )
            for database in sorted(set(args["databases"]))
        ]
        self.names = pulumi.Output.all(*(link.name for link in links))
        self.register_outputs({"names": self.names})
