"""Permission boundaries: the most that the deploying role, and the roles it makes, can ever be allowed.

A boundary allows nothing by itself (IAM user guide, "Permissions boundaries for IAM entities"). That of the deploying
role keeps it from data and from its own permissions, whatever policy somebody attaches to it. That of the roles it
makes keeps a changed component, or a stolen deploying role, from making a role that can do more than the mesh's can.
"""

from __future__ import annotations

from typing import Final

from lakemesh.bootstrap.documents import Document, Statement, allow, deny, document
from lakemesh.bootstrap.permissions import state_objects
from lakemesh.bootstrap.places import Kind, Place, pattern

_SERVICES: Final = {
    Kind.CENTRAL: (
        "cloudwatch",
        "dynamodb",
        "events",
        "glue",
        "iam",
        "kms",
        "lakeformation",
        "lambda",
        "logs",
        "ram",
        "s3",
        "sns",
        "sqs",
    ),
    Kind.PRODUCER: ("events", "iam", "lakeformation", "lambda", "logs"),
    Kind.CONSUMER: ("athena", "glue", "iam", "lakeformation", "lambda", "logs", "ram", "s3"),
}
_READS_DATA: Final = (
    "athena:GetQueryResults*",
    "athena:StartQueryExecution",
    "lakeformation:GetDataAccess",
    "lakeformation:GetTableObjects",
    "lakeformation:GetTemporary*",
)
_PEOPLE: Final = ("AccessKey", "Group", "LoginProfile", "MFADevice", "OpenIDConnectProvider", "SAMLProvider", "User")


def deploy_boundary(place: Place) -> Document:
    """Boundary of the deploying role."""
    services = [f"{service}:*" for service in _SERVICES[place.kind]]
    mesh_roles = [place.iam(f"role/{name}") for name in place.roles]
    statements = [
        allow("Deploys", [*services, *(["sts:AssumeRole"] if place.kind is Kind.CENTRAL else ())], ["*"]),
        deny("NeverReadsData", _READS_DATA),
        _never_reads_objects(place),
        deny(
            "NeverMakesRolesWithoutTheBoundary",
            ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"],
            condition={"StringNotEquals": {"iam:PermissionsBoundary": place.boundary_arn}},
        ),
        deny("NeverTakesABoundaryAway", ["iam:DeleteRolePermissionsBoundary"]),
        deny("NeverMakesPeople", [f"iam:*{what}*" for what in _PEOPLE]),
        deny("NeverChangesItself", ["iam:*Policy*"], [place.iam(f"policy/{name}") for name in _own_policies(place)]),
        {
            # Every other role of the account, and itself, stays out of its reach.
            "Sid": "NeverChangesRolesOfOthers",
            "Effect": "Deny",
            "Action": sorted(
                f"iam:{verb}"
                for verb in ("*RolePolicy", "*RoleDescription", "DeleteRole", "PassRole", "UpdateAssumeRolePolicy")
            ),
            "NotResource": sorted(mesh_roles),
        },
    ]
    return document(statements)


def _own_policies(place: Place) -> list[str]:
    naming = place.naming
    return [naming.boundary, naming.deploy_boundary, naming.deploy_policy(1)[:-1] + "*"]


def _never_reads_objects(place: Place) -> Statement:
    """Pulumi's state is the one thing in S3 that a deployment reads."""
    objects = ["s3:GetObject*"]
    if place.kind is Kind.CENTRAL:
        return {"Sid": "NeverReadsObjects", "Effect": "Deny", "Action": objects, "NotResource": [state_objects(place)]}
    return deny("NeverReadsObjects", objects)


def role_boundary(place: Place) -> Document:
    """Boundary of the roles that the account's stacks make: together, what the handlers and Lake Formation need."""
    match place.kind:
        case Kind.CENTRAL:
            return document([_logs(place), *_central(place)])
        case Kind.PRODUCER:
            return document([_logs(place), *_producer(place)])
        case Kind.CONSUMER:
            return document([_logs(place), *_consumer(place)])


_READ_CATALOG: Final = (
    "glue:BatchGetPartition",
    "glue:GetDatabase",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
)
_WRITE_TABLES: Final = (
    "glue:BatchCreatePartition",
    "glue:BatchDeletePartition",
    "glue:BatchUpdatePartition",
    "glue:CreateTable",
    "glue:UpdateTable",
)


def _logs(place: Place) -> Statement:
    return allow(
        "WriteLogs",
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        [place.arn("logs", f"log-group:/aws/lambda/{name}:*") for name in place.functions],
    )


def _catalog(place: Place) -> list[str]:
    return [place.arn("glue", resource) for resource in ("catalog", "database/*", "table/*/*")]


def _central(place: Place) -> list[Statement]:
    partition = place.naming.partition
    reviews = place.naming.reviews_bucket
    return [
        allow("CopyMetadata", [*_READ_CATALOG, *_WRITE_TABLES, "glue:DeleteTable"], _catalog(place)),
        allow(
            "TagTables",
            [
                "lakeformation:AddLFTagsToResource",
                "lakeformation:GetResourceLFTags",
                "lakeformation:RemoveLFTagsFromResource",
            ],
            ["*"],
        ),
        allow("AssumeReaderRoles", ["sts:AssumeRole"], [place.iam(f"role/{pattern(place.mesh.name, 'reader')}", "*")]),
        allow(
            # The producers' data, for Lake Formation. The governance account's own buckets hold state, and no data.
            "ReadProducersData",
            ["s3:GetObject", "s3:ListBucket"],
            [f"arn:{partition}:s3:::*"],
            {"StringNotEquals": {"aws:ResourceAccount": place.account}},
        ),
        allow(
            "UseKeysThroughTheirServices",
            ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
            [place.arn("kms", "key/*", "*")],
            {"StringLike": {"kms:ViaService": ["dynamodb.*", "glue.*", "s3.*", "sns.*", "sqs.*"]}},
        ),
        allow(
            "FollowTheQueue",
            [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            [place.arn("sqs", place.naming.sync_queue)],
        ),
        allow(
            "RememberTheSync",
            ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"],
            [place.arn("dynamodb", f"table/{place.naming.sync_state}")],
        ),
        allow("TellPeople", ["sns:Publish"], [f"{place.naming.topic_prefix}*"]),
        allow(
            "AskForTags",
            ["lambda:InvokeFunction"],
            [place.arn("lambda", f"function:{place.naming.tag_function}")],
        ),
        *(
            [
                allow("KeepFindings", ["s3:GetObject", "s3:PutObject"], [place.s3(f"{reviews}/metadata/*")]),
                allow("FindFindings", ["s3:ListBucket"], [place.s3(reviews)]),
            ]
            if place.reviews_after_sync
            else []
        ),
    ]


def _producer(place: Place) -> list[Statement]:
    return [
        allow("ReadMetadata", _READ_CATALOG, _catalog(place)),
        allow("AskWhatTheReaderSees", ["lakeformation:ListPermissions"], ["*"]),
        allow(
            "UseKeysThroughTheCatalog",
            ["kms:Decrypt"],
            [place.arn("kms", "key/*")],
            {"StringLike": {"kms:ViaService": "glue.*"}},
        ),
        allow(
            "MergeBucketPolicies",
            ["s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"],
            [f"arn:{place.naming.partition}:s3:::*"],
            {"StringEquals": {"aws:ResourceAccount": place.account}},
        ),
        allow("MergeKeyPolicies", ["kms:GetKeyPolicy", "kms:PutKeyPolicy"], [place.arn("kms", "key/*")]),
        allow("ForwardEvents", ["events:PutEvents"], [place.naming.event_bus_arn()]),
        *(_scanning(place) if place.scans else []),
    ]


def _scanning(place: Place) -> list[Statement]:
    """What the look at samples needs: this account's own objects, and a place in central for what it finds."""
    reviews = place.naming.reviews_bucket
    return [
        allow(
            "LookAtSamples",
            ["s3:GetObject", "s3:ListBucket"],
            [place.s3("*")],
            {"StringEquals": {"aws:ResourceAccount": place.account}},
        ),
        allow(
            "UseKeysThroughStorage",
            ["kms:Decrypt"],
            [place.arn("kms", "key/*")],
            {"StringLike": {"kms:ViaService": "s3.*"}},
        ),
        allow("KeepFindings", ["s3:GetObject", "s3:PutObject"], [place.s3(f"{reviews}/scans/{place.name}/*")]),
        allow("FindFindings", ["s3:ListBucket"], [place.s3(reviews)]),
    ]


def _consumer(place: Place) -> list[Statement]:
    return [
        allow("FindShares", ["ram:GetResourceShareInvitations", "ram:GetResourceShares"], ["*"]),
        allow(
            "AcceptCentralsShares",
            ["ram:AcceptResourceShareInvitation"],
            [place.arn("ram", "resource-share-invitation/*", place.central)],
        ),
        allow(
            "MakeTheDefaultDatabase",
            ["glue:CreateDatabase", "glue:GetDatabase"],
            [place.arn("glue", "catalog"), place.arn("glue", "database/default")],
        ),
    ]
