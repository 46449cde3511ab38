"""LF-Tags of the tables of one data product and of their columns."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import pulumi
import pulumi_aws as aws

from components.policy_documents import canonical_json


class TaggedTable(TypedDict):
    """What one table and its columns are to carry."""

    database: str
    """Database of the central catalog."""
    table: str
    """Name of the table."""
    tags: Mapping[str, str]
    """LF-Tags of the table itself."""
    columns: Mapping[str, Mapping[str, str]]
    """LF-Tags by column; a column that nobody has reviewed has none."""
    partition_keys: Sequence[str]
    """Columns that are partition keys, in their order: Lake Formation cannot restrict these."""
    digest: str
    """Digest of what the manifest says of this table; a change tags it again."""


class TableTagsArgs(TypedDict):
    """Arguments of TableTags."""

    function: str
    """Function that tags."""
    product: str
    """The data product."""
    tables: Sequence[TaggedTable]
    """Its tables."""


class TableTags(pulumi.ComponentResource):
    """Puts the LF-Tags of a data product on its tables, through the `tag` handler.

    No ResourceLfTag: tables belong to the sync, which makes them anew behind Pulumi's back, and every field of that
    resource forces a replacement. The handler compares what is wanted with what is there whenever it runs. What is
    wanted it reads from the manifest in its bundle; the digests here say which manifest this deployment means. One
    invocation a product and not one a table: a domain of 200 tables would not fit into a stack of 500 resources.

    Does not make tables: whoever makes TableTags says what must have synced them (`depends_on`). Registers what it
    tags as outputs, because policies of a whole stack see outputs only.
    """

    product: pulumi.Output[str]
    """The data product."""
    tables: pulumi.Output[Sequence[Mapping[str, Any]]]
    """Each of its tables: database, table, tags, columns with their tags, partitionKeys, digest."""
    result: pulumi.Output[str]
    """What the last run of the handler did, as JSON."""

    def __init__(self, name: str, args: TableTagsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:TableTags", name, {}, opts)
        tables = sorted(args["tables"], key=lambda each: (each["database"], each["table"]))
        tagged = aws.lambda_.Invocation(
            f"{name}-tags",
            function_name=args["function"],
            input=canonical_json(
                {
                    "action": "tag",
                    "product": args["product"],
                    "tables": {f"{each['database']}.{each['table']}": each["digest"] for each in tables},
                }
            ),
            lifecycle_scope="CRUD",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.product = pulumi.Output.from_input(args["product"])
        described = [_described(each) for each in tables]
        # Not from_input: it makes an output of every value inside, which costs seconds for thousands of columns.
        self.tables = self.product.apply(lambda _: described)
        self.result = tagged.result
        self.register_outputs({"product": self.product, "tables": described, "result": self.result})


def _described(table: TaggedTable) -> Mapping[str, Any]:
    """A table as stack policies and other languages see it."""
    return {
        "database": table["database"],
        "table": table["table"],
        "tags": table["tags"],
        "columns": table["columns"],
        "partitionKeys": table["partition_keys"],
        "digest": table["digest"],
    }
