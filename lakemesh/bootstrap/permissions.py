"""What the deploying role of each account may do: the calls of every resource that its stacks make, and no more.

The calls are those of the real provider (pulumi-aws over the Terraform AWS provider): create, read back, update,
delete, tags; each function below names the resources that it serves. tests/bootstrap compares them with what a
deployment asks for. People review the result, so a Sid says what its statement is for.

Resources are the mesh's own names wherever the service knows resources (service authorization reference, "Actions,
resources, and condition keys", of each service). Lake Formation knows none: there the data lake settings, which make
this role an administrator, and the service control policies (`guardrails`) are the fence.
"""

from __future__ import annotations

from collections.abc import Iterable

from lakemesh.bootstrap.documents import Statement, allow
from lakemesh.bootstrap.event_permissions import bus, forwarding, mappings, queues, rules, state
from lakemesh.bootstrap.function_permissions import functions, managed_policies, pass_to_lake_formation, roles
from lakemesh.bootstrap.monitoring_permissions import alarms, dashboards, topics
from lakemesh.bootstrap.places import MESH_TAG, Kind, Place
from lakemesh.declarations.models import Governance


def deploy_statements(place: Place) -> list[Statement]:
    """Everything that the deploying role of an account is allowed."""
    match place.kind:
        case Kind.CENTRAL:
            return [
                *roles(place),
                *managed_policies(place),
                *pass_to_lake_formation(place),
                *functions(place),
                *bus(place),
                *rules(place),
                *queues(place),
                *mappings(place),
                *state(place),
                *topics(place),
                *alarms(place),
                *dashboards(place),
                *(_bucket(place, place.naming.reviews_bucket, "Reviews") if place.keeps_findings else ()),
                *_catalog_key(place),
                *_databases(place, ["*"]),
                *_catalog_encryption(place),
                *_settings(),
                *_tags(),
                *_locations(),
                *_grants(),
                *_filters(),
                *_shares(place),
                *_look_at_central(place),
                *_state(place),
                *_deploy_roles(place),
            ]
        case Kind.PRODUCER:
            governed = place.mesh.producers[place.name].governance is Governance.LAKE_FORMATION
            return [
                *roles(place),
                *functions(place),
                *rules(place),
                *forwarding(place),
                *(_grants() if governed else ()),
            ]
        case Kind.CONSUMER:
            return [
                *roles(place),
                *functions(place),
                *_links(place),
                *_settings(),
                *_grants(),
                *_look_at_consumer(place),
                *_bucket(place, place.naming.results_bucket(place.name), "Results"),
                *_workgroups(place),
            ]


def state_objects(place: Place) -> str:
    """Where Pulumi keeps state in the bucket ("DIY backends"): the one data that a deployment reads."""
    return place.s3(f"{place.naming.state_bucket}/.pulumi/*")


def _catalog_key(place: Place) -> Iterable[Statement]:
    """aws.kms.Key and aws.kms.Alias: only keys that carry the mesh's tag, which every resource of a stack gets."""
    keys = place.arn("kms", "key/*")
    own = {"StringEquals": {f"aws:ResourceTag/{MESH_TAG}": place.mesh.name}}
    yield allow(
        "MakeKeysWithTheMeshsTag",
        ["kms:CreateKey", "kms:TagResource"],
        # CreateKey knows no resource; the key has no ARN yet.
        ["*"],
        {"StringEquals": {f"aws:RequestTag/{MESH_TAG}": place.mesh.name}},
    )
    yield allow(
        "KeysOfTheMesh",
        [
            "kms:CreateAlias",
            "kms:DeleteAlias",
            "kms:DescribeKey",
            "kms:DisableKeyRotation",
            "kms:EnableKeyRotation",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:ListResourceTags",
            "kms:PutKeyPolicy",
            "kms:ScheduleKeyDeletion",
            "kms:UntagResource",
            "kms:UpdateAlias",
            "kms:UpdateKeyDescription",
        ],
        [keys],
        own,
    )
    yield allow(
        "AliasesOfTheKeys",
        ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"],
        [place.arn("kms", alias) for alias in (place.naming.catalog_key_alias, place.naming.sync_key_alias)],
    )
    # The provider finds an alias by listing them; listing knows no resource.
    yield allow("FindAliases", ["kms:ListAliases"], ["*"])
    through_glue = {"kms:ViaService": f"glue.{place.mesh.region}.{_domain(place)}"}
    yield allow(
        # Making and reading databases of an encrypted catalog (Glue developer guide, "Encrypting your Data Catalog").
        "UseTheKeyThroughTheCatalog",
        ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
        [keys],
        {"StringEquals": {**own["StringEquals"], **through_glue}},
    )


def _databases(place: Place, names: Iterable[str]) -> Iterable[Statement]:
    """aws.glue.CatalogDatabase. The governance account holds no catalog but the mesh's, so its databases are all."""
    catalog = place.arn("glue", "catalog")
    yield allow(
        "Databases",
        [
            "glue:CreateDatabase",
            "glue:DeleteDatabase",
            "glue:GetDatabase",
            "glue:GetTags",
            "glue:TagResource",
            "glue:UntagResource",
            "glue:UpdateDatabase",
        ],
        [catalog, *(place.arn("glue", f"database/{name}") for name in names)],
    )
    yield allow(
        # Deleting one needs leave on everything inside too (Glue developer guide, "Specifying AWS Glue resource
        # ARNs"); the statement above says which one it may be.
        "WhatDeletedDatabasesHold",
        ["glue:DeleteDatabase"],
        [place.arn("glue", resource) for resource in ("table/*/*", "userDefinedFunction/*/*")],
    )


def _catalog_encryption(place: Place) -> Iterable[Statement]:
    """aws.glue.DataCatalogEncryptionSettings."""
    yield allow(
        "CatalogEncryption",
        ["glue:GetDataCatalogEncryptionSettings", "glue:PutDataCatalogEncryptionSettings"],
        [place.arn("glue", "catalog")],
    )


def _links(place: Place) -> Iterable[Statement]:
    """aws.glue.CatalogDatabase as resource links: named as the databases that the mesh shares, and no other of the
    consumer's own."""
    if not place.twins:
        return
    yield from _databases(place, place.twins)
    yield allow(
        # A link is read with what it leads to (Lake Formation developer guide, "resource-links-glue-apis").
        "SharedDatabases",
        ["glue:GetDatabase"],
        [
            place.arn("glue", "catalog", place.central),
            *(place.arn("glue", f"database/{name}", place.central) for name in place.twins),
        ],
    )


def _settings() -> Iterable[Statement]:
    """aws.lakeformation.DataLakeSettings."""
    yield allow("DataLakeSettings", ["lakeformation:GetDataLakeSettings", "lakeformation:PutDataLakeSettings"], ["*"])


def _tags() -> Iterable[Statement]:
    """aws.lakeformation.LfTag and aws.lakeformation.ResourceLfTag."""
    yield allow(
        "LFTags",
        [
            "lakeformation:AddLFTagsToResource",
            "lakeformation:CreateLFTag",
            "lakeformation:DeleteLFTag",
            "lakeformation:GetLFTag",
            "lakeformation:GetResourceLFTags",
            "lakeformation:RemoveLFTagsFromResource",
            "lakeformation:UpdateLFTag",
        ],
        ["*"],
    )


def _locations() -> Iterable[Statement]:
    """aws.lakeformation.Resource."""
    yield allow(
        "Locations",
        ["lakeformation:DeregisterResource", "lakeformation:DescribeResource", "lakeformation:RegisterResource"],
        ["*"],
    )


def _grants() -> Iterable[Statement]:
    """aws.lakeformation.Permissions. Being allowed to call these grants nothing: the data lake settings decide whether
    this role is an administrator."""
    yield allow(
        "Grants",
        ["lakeformation:GrantPermissions", "lakeformation:ListPermissions", "lakeformation:RevokePermissions"],
        ["*"],
    )


def _filters() -> Iterable[Statement]:
    """aws.lakeformation.DataCellsFilter. Its name is made from what it shows, so it is never updated."""
    yield allow(
        "DataFilters",
        [
            "lakeformation:CreateDataCellsFilter",
            "lakeformation:DeleteDataCellsFilter",
            "lakeformation:GetDataCellsFilter",
        ],
        ["*"],
    )


def _shares(place: Place) -> Iterable[Statement]:
    """What Lake Formation does in the grantor's name when it grants to another account (Lake Formation developer guide,
    "cross-account-prereqs"; AWS managed policy AWSLakeFormationCrossAccountManager)."""
    shares = place.arn("ram", "resource-share/*")
    permissions = f"arn:{place.naming.partition}:ram::aws:permission/AWSRAMLFEnabled*"
    yield allow(
        "LakeFormationMakesShares",
        ["ram:CreateResourceShare"],
        ["*"],
        {"StringLikeIfExists": {"ram:RequestedResourceType": ["glue:Catalog", "glue:Database", "glue:Table"]}},
    )
    yield allow(
        "LakeFormationKeepsItsShares",
        [
            "ram:AssociateResourceShare",
            "ram:DeleteResourceShare",
            "ram:DisassociateResourceShare",
            "ram:UpdateResourceShare",
        ],
        [shares],
        {"StringLike": {"ram:ResourceShareName": "LakeFormation*"}},
    )
    yield allow(
        "LakeFormationsPermissionsOnShares",
        ["ram:AssociateResourceSharePermission"],
        [shares, permissions],
        {"StringLike": {"ram:PermissionArn": permissions}},
    )
    yield allow(
        "FindShares",
        ["ram:GetResourceShareAssociations", "ram:GetResourceShares", "ram:ListResources"],
        # Listing knows no resources.
        ["*"],
    )
    yield allow(
        # Only what Lake Formation writes itself: sharing past it stays forbidden.
        "LakeFormationWritesTheCatalogsPolicy",
        ["glue:DeleteResourcePolicy", "glue:PutResourcePolicy"],
        [place.arn("glue", resource) for resource in ("catalog", "database/*", "table/*/*")],
        {"Bool": {"aws:ViaAWSService": "true"}},
    )


def _look_at_central(place: Place) -> Iterable[Statement]:
    """What `lakemesh drift` and `explain --live` read beside what a deployment reads."""
    yield allow(
        "LookAtTheCatalog",
        ["glue:GetDatabases", "glue:GetTables"],
        [place.arn("glue", resource) for resource in ("catalog", "database/*", "table/*/*")],
    )
    yield allow("LookAtTagsAndFilters", ["lakeformation:ListDataCellsFilter", "lakeformation:ListLFTags"], ["*"])


def _look_at_consumer(place: Place) -> Iterable[Statement]:
    """The same in a consumer's account: names of databases and links, and what was shared with it."""
    yield allow(
        "LookAtTheCatalog",
        ["glue:GetDatabases"],
        [place.arn("glue", resource) for resource in ("catalog", "database/*")],
    )
    yield allow("LookAtShares", ["ram:GetResourceShareInvitations", "ram:GetResourceShares"], ["*"])


def _bucket(place: Place, name: str, what: str) -> Iterable[Statement]:
    """aws.s3.Bucket and what is set on it: one bucket. Objects can be deleted and not be read."""
    bucket = place.s3(name)
    yield allow(
        f"{what}Bucket",
        [
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:DeleteBucketPolicy",
            # What the provider reads back of every bucket.
            "s3:GetAccelerateConfiguration",
            "s3:GetBucketAcl",
            "s3:GetBucketCORS",
            "s3:GetBucketLocation",
            "s3:GetBucketLogging",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketPolicy",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketRequestPayment",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetBucketWebsite",
            "s3:GetEncryptionConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:GetReplicationConfiguration",
            "s3:ListBucket",
            "s3:ListBucketVersions",
            # Tags at creation and after it, from provider 6.23 on; PutBucketTagging before.
            "s3:ListTagsForResource",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:TagResource",
            "s3:UntagResource",
        ],
        [bucket],
    )
    # forceDestroy: what is in it can be had again, and the bucket goes with its stack.
    yield allow(f"EmptyThe{what}Bucket", ["s3:DeleteObject", "s3:DeleteObjectVersion"], [f"{bucket}/*"])


def _workgroups(place: Place) -> Iterable[Statement]:
    """aws.athena.Workgroup: one a principal, named after mesh, consumer and principal."""
    yield allow(
        "Workgroups",
        [
            "athena:CreateWorkGroup",
            "athena:DeleteWorkGroup",
            "athena:GetWorkGroup",
            "athena:ListTagsForResource",
            "athena:TagResource",
            "athena:UntagResource",
            "athena:UpdateWorkGroup",
        ],
        [place.arn("athena", f"workgroup/{place.mesh.name}-{place.name}.*")],
    )


def _state(place: Place) -> Iterable[Statement]:
    """Pulumi's own: its state in S3 and its secrets under a KMS key ("DIY backends", "Secrets")."""
    yield allow("FindState", ["s3:ListBucket"], [place.s3(place.naming.state_bucket)])
    yield allow("State", ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], [state_objects(place)])
    yield allow(
        "SecretsInState",
        ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
        [place.arn("kms", "key/*")],
        {"ForAnyValue:StringEquals": {"kms:ResourceAliases": place.naming.state_key_alias}},
    )


def _deploy_roles(place: Place) -> Iterable[Statement]:
    """Each stack's provider works through the deploying role of its account, the governance account's included."""
    naming, mesh = place.naming, place.mesh
    yield allow(
        "DeployEverywhere",
        ["sts:AssumeRole"],
        [
            naming.deploy_role_arn("central"),
            *(naming.deploy_role_arn("producer", name) for name in mesh.producers),
            *(naming.deploy_role_arn("consumer", name) for name in mesh.consumers),
        ],
    )


def _domain(place: Place) -> str:
    return "amazonaws.com.cn" if place.naming.partition == "aws-cn" else "amazonaws.com"
