"""The central copy of one producer's database."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.permissions import On, grant
from components.policy_documents import canonical_json


class TwinDatabaseArgs(TypedDict):
    """Arguments of TwinDatabase."""

    twin: str
    """Name of the database in the central catalog."""
    description: str
    """What it is a copy of."""
    domain: str
    """The domain that answers for it: its value of the LF-Tag `domain`."""
    digest: str
    """Digest of what the manifest says of this source; a change runs the sync again."""
    sync_role_arn: str
    """Role that creates and updates its tables."""
    tag_role_arn: str
    """Role that puts LF-Tags on them."""
    review_role_arn: NotRequired[str]
    """Central's role that judges columns, where there is one."""
    sync_function: str
    """Function that copies metadata."""


class TwinDatabase(pulumi.ComponentResource):
    """A database of the central catalog, `unreviewed` from the start, and the first copy of its tables.

    Tables inherit `sensitivity=unreviewed` and so does every column that appears later, until somebody reviews it:
    the tags are on the database before the first table can exist. The database has no location of its own; the sync
    role gets the data locations that its tables lie in. Makes no table: those belong to the sync.
    """

    database: pulumi.Output[str]
    """Name of the database."""
    synced: pulumi.Output[str]
    """What the last sync that a deployment ran did, as JSON."""

    def __init__(self, name: str, args: TwinDatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:TwinDatabase", name, {}, opts)
        # Default permissions are the account's, and empty there: see Settings. They cannot be emptied here.
        database = aws.glue.CatalogDatabase(
            f"{name}-database",
            name=args["twin"],
            description=args["description"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        tags = [
            # One resource a tag: the plural ResourceLfTags removes tags that it did not set.
            aws.lakeformation.ResourceLfTag(
                f"{name}-{key}",
                database={"name": database.name},
                lf_tag={"key": key, "value": value},
                opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
            )
            for key, value in (("domain", args["domain"]), ("sensitivity", "unreviewed"))
        ]
        roles = self._let_roles_work(name, args, database)
        sync = aws.lambda_.Invocation(
            f"{name}-sync",
            function_name=args["sync_function"],
            input=canonical_json({"action": "reconcile", "digest": args["digest"], "twin": args["twin"]}),
            lifecycle_scope="CRUD",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*tags, *roles]),
        )
        self.database = database.name
        self.synced = sync.result
        self.register_outputs({"database": self.database, "synced": self.synced})

    def _let_roles_work(
        self, name: str, args: TwinDatabaseArgs, database: aws.glue.CatalogDatabase
    ) -> list[aws.lakeformation.Permissions]:
        own = pulumi.ResourceOptions(parent=self)
        sync, tag = args["sync_role_arn"], args["tag_role_arn"]
        all_tables: aws.lakeformation.PermissionsTableArgsDict = {"database_name": database.name, "wildcard": True}
        # What LF-dg "TBAC-assigning-tags" asks of whoever tags a table without owning it.
        every = ["ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"]
        reviews: list[aws.lakeformation.Permissions] = []
        if review := args.get("review_role_arn"):
            whole: On = {"database": {"name": database.name}}
            named: dict[str, On] = {"review-role": whole, "review-role-tables": {"table": all_tables}}
            reviews = [
                grant(f"{name}-{what}", principal=review, permissions=["DESCRIBE"], on=on, opts=own)
                for what, on in named.items()
            ]
        return [
            *reviews,
            grant(
                f"{name}-sync-role",
                principal=sync,
                permissions=["CREATE_TABLE", "DESCRIBE"],
                on={"database": {"name": database.name}},
                opts=own,
            ),
            grant(
                f"{name}-sync-role-tables",
                principal=sync,
                permissions=["ALTER", "DESCRIBE", "DROP"],
                on={"table": all_tables},
                opts=own,
            ),
            grant(
                f"{name}-tag-role",
                principal=tag,
                permissions=["DESCRIBE"],
                on={"database": {"name": database.name}},
                opts=own,
            ),
            grant(
                f"{name}-tag-role-tables",
                principal=tag,
                permissions=every,
                grantable=every,
                on={"table": all_tables},
                # SELECT on a table comes back as SELECT on its columns and would be replaced at every refresh, which
                # takes the role's rights away for a moment (terraform-provider-aws#49453). The list never changes;
                # the tag handler fails, and so proves it, if the rights are gone.
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["permissions", "permissionsWithGrantOptions"]),
            ),
        ]
