"""What the roles that work on catalogs may do in IAM, as plain statements.

IAM is the outer fence; which database, table and column they reach is Lake Formation's to decide. The sync role owns
every table it creates, with every permission on it (Lake Formation developer guide, "lf-permissions-reference",
CREATE_TABLE), so explicit denies keep it from reading a row, granting anything or becoming an administrator.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypedDict

from components.policy_documents import Statement, allow, deny, via_service

READ_TABLE: Final = ("glue:GetTable",)
READ_CATALOG: Final = (
    *READ_TABLE,
    "glue:BatchGetPartition",
    "glue:GetDatabase",
    "glue:GetPartitions",
    "glue:GetTables",
)
WRITE_CATALOG: Final = (
    "glue:BatchCreatePartition",
    "glue:BatchDeletePartition",
    "glue:BatchUpdatePartition",
    "glue:CreateTable",
    "glue:UpdateTable",
)
DELETE_TABLE: Final = ("glue:DeleteTable",)
DELETE_FROM_CATALOG: Final = ("glue:BatchDeleteTable", "glue:DeleteDatabase")
READ_DATA: Final = (
    "athena:*",
    "lakeformation:GetDataAccess",
    "lakeformation:GetTableObjects",
    "lakeformation:GetTemporaryDataLocationCredentials",
    "lakeformation:GetTemporaryGluePartitionCredentials",
    "lakeformation:GetTemporaryGlueTableCredentials",
    "s3:*",
)
DECIDE_ACCESS: Final = (
    "glue:DeleteResourcePolicy",
    "glue:PutResourcePolicy",
    "lakeformation:BatchGrantPermissions",
    "lakeformation:BatchRevokePermissions",
    "lakeformation:CreateDataCellsFilter",
    "lakeformation:CreateLakeFormationOptIn",
    "lakeformation:DeleteDataCellsFilter",
    "lakeformation:DeleteLakeFormationOptIn",
    "lakeformation:DeregisterResource",
    "lakeformation:GrantPermissions",
    "lakeformation:PutDataLakeSettings",
    "lakeformation:RegisterResource",
    "lakeformation:RevokePermissions",
    "lakeformation:UpdateDataCellsFilter",
    "lakeformation:UpdateResource",
)
DEFINE_TAGS: Final = ("lakeformation:CreateLFTag", "lakeformation:DeleteLFTag", "lakeformation:UpdateLFTag")
SET_TAGS: Final = ("lakeformation:AddLFTagsToResource", "lakeformation:RemoveLFTagsFromResource")


class Place(TypedDict):
    """An account and region, as ARNs name them."""

    account: str
    region: str
    partition: str


def catalog_arn(place: Place) -> str:
    """ARN of the account's Data Catalog."""
    return f"arn:{place['partition']}:glue:{place['region']}:{place['account']}:catalog"


def database_arns(place: Place, databases: Iterable[str]) -> list[str]:
    """ARNs of the catalog, of some databases and of all tables in them.

    Glue asks for every ancestor of what is read or written (developer guide, "glue-specifying-resource-arns").
    """
    prefix = f"arn:{place['partition']}:glue:{place['region']}:{place['account']}"
    return [catalog_arn(place)] + [
        f"{prefix}:{rest}" for name in sorted(databases) for rest in (f"database/{name}", f"table/{name}/*")
    ]


def sync_statements(place: Place, catalog_key_arn: str) -> list[Statement]:
    """The sync role, beyond the databases it writes: the catalog's key, and what it never may."""
    return [
        _use_key(place, catalog_key_arn, ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey")),
        deny("NeverReadsData", READ_DATA),
        deny("NeverDecidesAccess", [*DECIDE_ACCESS, *DEFINE_TAGS, *SET_TAGS]),
        # One table at a time, and never a database: a mistake is then as slow as it is rare.
        deny("NeverDeletesMany", DELETE_FROM_CATALOG),
    ]


def queue_statements(place: Place, queue_arn: str, key_arn: str, tag_function: str) -> list[Statement]:
    """The sync role and its queue: it receives (Lambda polls as this role), sends what is left to do, and asks the tag
    function to look at tables that have changed."""
    through_sqs = {"StringEquals": {"kms:ViaService": via_service("sqs", place["region"], place["partition"])}}
    function = f"arn:{place['partition']}:lambda:{place['region']}:{place['account']}:function:{tag_function}"
    return [
        allow(
            "Queue",
            [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            [queue_arn],
        ),
        allow("QueueKey", ["kms:Decrypt", "kms:GenerateDataKey"], [key_arn], through_sqs),
        allow("TagFunction", ["lambda:InvokeFunction"], [function]),
    ]


def state_statements(place: Place, table_arn: str, key_arn: str) -> list[Statement]:
    """The sync role and its state table. DynamoDB decrypts the table's key in the name of whoever uses items (developer
    guide, "DynamoDB encryption at rest: usage notes")."""
    through = {"StringEquals": {"kms:ViaService": via_service("dynamodb", place["region"], place["partition"])}}
    return [
        allow(
            "State",
            ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"],
            [table_arn],
        ),
        allow("StateKey", ["kms:Decrypt"], [key_arn], through),
    ]


def topic_statements(place: Place, topics: str, key_arn: str) -> list[Statement]:
    """The sync role tells people. Whoever publishes to an encrypted topic uses its key (SNS developer guide, "Key
    management")."""
    through = {"StringEquals": {"kms:ViaService": via_service("sns", place["region"], place["partition"])}}
    return [
        allow("Topics", ["sns:Publish"], [f"{topics}*"]),
        allow("TopicsKey", ["kms:Decrypt", "kms:GenerateDataKey"], [key_arn], through),
    ]


def sync_scope(place: Place, twins: Sequence[str], reader_role_arns: Sequence[str]) -> list[Statement]:
    """What grows with the mesh: the twins that the sync role writes and the reader roles that it assumes."""
    scope = (
        [allow("Twins", [*READ_CATALOG, *WRITE_CATALOG, *DELETE_TABLE], database_arns(place, twins))] if twins else []
    )
    if reader_role_arns:
        scope.append(allow("Readers", ["sts:AssumeRole"], sorted(reader_role_arns)))
    return scope


def tag_statements(place: Place, catalog_key_arn: str) -> list[Statement]:
    """The tag role, beyond the databases it reads: it describes and associates LF-Tags, and nothing else."""
    return [
        allow(
            "Tags",
            # Lake Formation's actions know no resources (service authorization reference, "AWS Lake Formation").
            [*SET_TAGS, "lakeformation:GetResourceLFTags"],
            ["*"],
        ),
        _use_key(place, catalog_key_arn, ("kms:Decrypt",)),
        deny("NeverReadsData", READ_DATA),
        deny("NeverDecidesAccess", [*DECIDE_ACCESS, *DEFINE_TAGS]),
        deny("NeverWritesTheCatalog", [*WRITE_CATALOG, *DELETE_TABLE, *DELETE_FROM_CATALOG]),
    ]


def tag_scope(place: Place, twins: Sequence[str]) -> list[Statement]:
    """What grows with the mesh: the twins whose tables the tag role looks at."""
    return [allow("Twins", READ_TABLE, database_arns(place, twins))] if twins else []


def reader_statements(
    place: Place, databases: Sequence[str], catalog_key_arn: str | None, *, governed: bool = False
) -> list[Statement]:
    """The reader role in a producer's account: metadata of the databases that are shared, and never a row. Where Lake
    Formation governs, it may ask what it sees: only then does a table that it does not see count as deleted."""
    statements = [
        deny("NeverReadsData", READ_DATA),
        deny("NeverDecidesAccess", [*DECIDE_ACCESS, *DEFINE_TAGS, *SET_TAGS]),
    ]
    if databases:
        statements.append(allow("Databases", READ_CATALOG, database_arns(place, databases)))
    if databases and governed:
        # It knows no resources; who is no administrator learns what it holds itself (developer guide,
        # "viewing-permissions").
        statements.append(allow("OwnPermissions", ["lakeformation:ListPermissions"], ["*"]))
    if catalog_key_arn:
        statements.append(_use_key(place, catalog_key_arn, ("kms:Decrypt",)))
    return statements


def _use_key(place: Place, key_arn: str, actions: Sequence[str]) -> Statement:
    """Use of a catalog's key, through Glue only."""
    condition = {"StringEquals": {"kms:ViaService": via_service("glue", place["region"], place["partition"])}}
    return allow("CatalogKey", actions, [key_arn], condition)
