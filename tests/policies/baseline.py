"""Compliant programs, small and made of one resource of each kind that rules are about, and how to change one thing in them.

A bad program is a good one with one mistake: `domain({"reader": {"permissions": ["ALL"]}})`. `None` as a value leaves the
argument out; `None` as a resource leaves the resource out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from components.table_tags import TableTags

CENTRAL, PRODUCER, CONSUMER = "111122223333", "222233334444", "444455556666"
ORGANIZATION = "o-a1b2c3d4e5"
SYNC = f"arn:aws:iam::{CENTRAL}:role/lakemesh-sync"
ANALYST, CONTROLLER = (f"arn:aws:iam::{CONSUMER}:role/{name}" for name in ("FinanceAnalyst", "GroupController"))
LATER = pulumi.ResourceOptions(delete_before_replace=True)
KEPT = pulumi.ResourceOptions(protect=True)
BARE = pulumi.ResourceOptions()

Made = dict[str, Any]
Declared = tuple[type[Any], dict[str, Any], pulumi.ResourceOptions]
Changes = Mapping[str, dict[str, Any] | None]


def build(account: str, declared: Mapping[str, Declared], changes: Changes, more: Mapping[str, Declared]) -> None:
    """Make the declared resources, changed, in one account. Callables are called with what was made before."""
    provider = aws.Provider("aws", region="eu-central-1", allowed_account_ids=[account])
    made: Made = {}
    for name, (kind, args, opts) in {**declared, **more}.items():
        change = changes.get(name, {})
        if change is None:
            continue
        kept = {key: value for key, value in {**args, **change}.items() if value is not None and key != "opts"}
        given = {key: value(made) if callable(value) else value for key, value in kept.items()}
        own = pulumi.ResourceOptions.merge(change.get("opts", opts), pulumi.ResourceOptions(provider=provider))
        if kind is TableTags:
            own = pulumi.ResourceOptions(providers=[provider])
            made[name] = TableTags(name, given, own)  # type: ignore[arg-type]
        else:
            made[name] = kind(name, **given, opts=own)


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def arn(of: str) -> Callable[[Made], Any]:
    return lambda made: made[of].arn


def expression(**tags: list[str]) -> dict[str, Any]:
    return {
        "catalog_id": CENTRAL,
        "resource_type": "TABLE",
        "expressions": [{"key": key, "values": values} for key, values in tags.items()],
    }


def service(name: str, *actions: str) -> str:
    return document({"Effect": "Allow", "Principal": {"Service": name}, "Action": list(actions) or ["sts:AssumeRole"]})


# ------------------------------------------------------------------------------------------------- governance: domain
TABLES = [
    {
        "database": "ar_curated",
        "table": "cash_application",
        "tags": {"product": "cash_application"},
        "columns": {
            "application_id": {"sensitivity": "internal"},
            "payer_name": {"sensitivity": "confidential"},
            "payer_iban": {"sensitivity": "restricted"},
            "posting_date": {"sensitivity": "internal"},
            "clearing_note": {},
        },
        "partition_keys": ["posting_date"],
        "digest": "ac6dab2d6f918c46",
    }
]


def tables(**columns: dict[str, str]) -> dict[str, Any]:
    """The tagged tables with other tags on some columns."""
    return {"tables": [{**TABLES[0], "columns": {**TABLES[0]["columns"], **columns}}]}


BUCKET_POLICY = (
    {
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::acme-erp-lake/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    },
    {
        "Effect": "Deny", "Principal": "*", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::acme-erp-lake/*"],
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": [
            f"arn:aws:iam::{CENTRAL}:role/register-erp", f"arn:aws:iam::{PRODUCER}:role/Owner"]}},
    },
)  # fmt: skip

DOMAIN: dict[str, Declared] = {
    "role": (
        aws.iam.Role,
        {
            "name": "register-erp",
            "assume_role_policy": service("lakeformation.amazonaws.com", "sts:AssumeRole", "sts:SetContext"),
        },
        BARE,
    ),
    "role-policy": (
        aws.iam.RolePolicy,
        {
            "role": "register-erp",
            "policy": document({
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:ListBucket"],
                "Resource": ["arn:aws:s3:::acme-erp-lake", "arn:aws:s3:::acme-erp-lake/*"],
            }),
        },
        BARE,
    ),
    "location": (
        aws.lakeformation.Resource,
        {"arn": "arn:aws:s3:::acme-erp-lake/curated/ar", "role_arn": arn("role")},
        BARE,
    ),
    "lake": (aws.s3.Bucket, {"bucket": "acme-erp-lake"}, BARE),
    "lake-private": (
        aws.s3.BucketPublicAccessBlock,
        {
            "bucket": lambda made: made["lake"].id,
            "block_public_acls": True,
            "block_public_policy": True,
            "ignore_public_acls": True,
            "restrict_public_buckets": True,
        },
        BARE,
    ),
    "lake-policy": (
        aws.s3.BucketPolicy,
        {"bucket": lambda made: made["lake"].id, "policy": document(*BUCKET_POLICY)},
        BARE,
    ),
    "lake-encryption": (
        aws.s3.BucketServerSideEncryptionConfiguration,
        {
            "bucket": lambda made: made["lake"].id,
            "rules": [{"apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms"}}],
        },
        BARE,
    ),
    "twin": (aws.glue.CatalogDatabase, {"name": "ar_curated"}, BARE),
    "twin-domain": (
        aws.lakeformation.ResourceLfTag,
        {"database": lambda made: {"name": made["twin"].name}, "lf_tag": {"key": "domain", "value": "ar"}},
        LATER,
    ),
    "twin-sensitivity": (
        aws.lakeformation.ResourceLfTag,
        {"database": lambda made: {"name": made["twin"].name}, "lf_tag": {"key": "sensitivity", "value": "unreviewed"}},
        LATER,
    ),
    "table": (
        aws.glue.CatalogTable,
        {
            "name": "reference_rates",
            "database_name": lambda made: made["twin"].name,
            "storage_descriptor": {"columns": [{"name": "rate", "type": "double"}, {"name": "contact_email", "type": "string"}]},
            "partition_keys": [{"name": "day", "type": "date"}],
        },
        BARE,
    ),
    "columns": (
        aws.lakeformation.ResourceLfTag,
        {
            "table_with_columns": {"database_name": "ar_curated", "name": "reference_rates", "column_names": ["day", "rate"]},
            "lf_tag": {"key": "sensitivity", "value": "internal"},
        },
        LATER,
    ),
    "email-column": (
        aws.lakeformation.ResourceLfTag,
        {
            "table_with_columns": {"database_name": "ar_curated", "name": "reference_rates", "column_names": ["contact_email"]},
            "lf_tag": {"key": "sensitivity", "value": "confidential"},
        },
        LATER,
    ),
    "tags": (TableTags, {"function": "lakemesh-tag", "product": "cash_application", "tables": TABLES}, BARE),
    "sync-location": (
        aws.lakeformation.Permissions,
        {"principal": SYNC, "permissions": ["DATA_LOCATION_ACCESS"], "data_location": lambda m: {"arn": m["location"].arn}},
        LATER,
    ),
    "sync-database": (
        aws.lakeformation.Permissions,
        {"principal": SYNC, "permissions": ["CREATE_TABLE", "DESCRIBE"], "database": lambda m: {"name": m["twin"].name}},
        LATER,
    ),
    "tag-tables": (
        aws.lakeformation.Permissions,
        {
            "principal": f"arn:aws:iam::{CENTRAL}:role/lakemesh-tag",
            "permissions": ["ALTER", "DESCRIBE", "SELECT"],
            "permissions_with_grant_options": ["ALTER", "DESCRIBE", "SELECT"],
            "table": {"database_name": "ar_curated", "wildcard": True},
        },
        LATER,
    ),
    "tag-lf-tag": (
        aws.lakeformation.Permissions,
        {
            "principal": f"arn:aws:iam::{CENTRAL}:role/lakemesh-tag",
            "permissions": ["ASSOCIATE", "DESCRIBE"],
            "lf_tag": {"key": "sensitivity", "values": ["*"]},
        },
        LATER,
    ),
    "account": (
        aws.lakeformation.Permissions,
        {
            "principal": CONSUMER,
            "permissions": ["SELECT"],
            "permissions_with_grant_options": ["SELECT"],
            "lf_tag_policy": expression(product=["cash_application"], sensitivity=["internal", "public"]),
        },
        LATER,
    ),
    "account-database": (
        aws.lakeformation.Permissions,
        {
            "principal": CONSUMER,
            "permissions": ["DESCRIBE"],
            "permissions_with_grant_options": ["DESCRIBE"],
            "database": {"catalog_id": CENTRAL, "name": "ar_curated"},
        },
        LATER,
    ),
    "direct": (
        aws.lakeformation.Permissions,
        {
            "principal": CONTROLLER,
            "permissions": ["SELECT"],
            "lf_tag_policy": expression(product=["ar_invoice"], sensitivity=["confidential", "internal", "public"]),
        },
        LATER,
    ),
    "some-columns": (
        aws.lakeformation.Permissions,
        {
            "principal": f"arn:aws:iam::{CENTRAL}:role/RatesReader",
            "permissions": ["SELECT"],
            "table_with_columns": {"database_name": "ar_curated", "name": "reference_rates", "column_names": ["rate"]},
        },
        LATER,
    ),
    "databases-by-domain": (
        aws.lakeformation.Permissions,
        {
            "principal": f"arn:aws:iam::{CENTRAL}:role/Catalogue",
            "permissions": ["DESCRIBE"],
            "lf_tag_policy": {**expression(domain=["ar"]), "resource_type": "DATABASE"},
        },
        LATER,
    ),
    "rows": (
        aws.lakeformation.Permissions,
        {
            "principal": f"arn:aws:iam::{CENTRAL}:role/Auditor",
            "permissions": ["SELECT"],
            "data_cells_filter": {
                "database_name": "ar_curated", "table_name": "cash_application", "table_catalog_id": CENTRAL, "name": "eu",
            },
        },
        LATER,
    ),
}  # fmt: skip


def domain(changes: Changes | None = None, more: Mapping[str, Declared] | None = None) -> None:
    """What a domain makes in the governance account."""
    build(CENTRAL, DOMAIN, changes or {}, more or {})


# ------------------------------------------------------------------------------------------------ governance: central
NEVER = {
    "Effect": "Deny",
    "Resource": "*",
    "Action": [
        "lakeformation:GetDataAccess",
        "lakeformation:GrantPermissions",
        "lakeformation:RevokePermissions",
        "lakeformation:PutDataLakeSettings",
        "athena:*",
        "s3:*",
    ],
}
GLUE = {"Effect": "Allow", "Action": ["glue:GetTable", "glue:CreateTable"], "Resource": ["*"]}
SETS_TAGS = {
    "Effect": "Allow",
    "Action": ["lakeformation:AddLFTagsToResource", "lakeformation:GetResourceLFTags"],
    "Resource": "*",
}

CENTRAL_ACCOUNT: dict[str, Declared] = {
    "settings": (
        aws.lakeformation.DataLakeSettings,
        {
            "admins": [f"arn:aws:iam::{CENTRAL}:role/DataGovernance", f"arn:aws:iam::{CENTRAL}:role/lakemesh-deploy"],
            "parameters": {"CROSS_ACCOUNT_VERSION": "4", "SET_CONTEXT": "TRUE"},
            "allow_external_data_filtering": True,
            "external_data_filtering_allow_lists": [CONSUMER],
        },
        KEPT,
    ),
    "sensitivity": (
        aws.lakeformation.LfTag,
        {"key": "sensitivity", "values": ["confidential", "internal", "public", "restricted", "unreviewed"]},
        KEPT,
    ),
    "sync": (aws.iam.Role, {"name": "lakemesh-sync", "assume_role_policy": service("lambda.amazonaws.com")}, KEPT),
    "sync-policy": (aws.iam.RolePolicy, {"role": "lakemesh-sync", "policy": document(GLUE, NEVER)}, BARE),
    "tag": (aws.iam.Role, {"name": "lakemesh-tag", "assume_role_policy": service("lambda.amazonaws.com")}, KEPT),
    "tag-policy": (aws.iam.Policy, {"name": "lakemesh-tag-1", "policy": document(SETS_TAGS)}, BARE),
    "tag-attachment": (
        aws.iam.RolePolicyAttachment,
        {"role": "lakemesh-tag", "policy_arn": arn("tag-policy")},
        BARE,
    ),
    "key": (
        aws.kms.Key,
        {
            "policy": document({
                "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{CENTRAL}:root"}, "Action": "kms:*", "Resource": "*",
            }),
        },
        KEPT,
    ),
    "catalog": (
        aws.glue.DataCatalogEncryptionSettings,
        {
            "data_catalog_encryption_settings": lambda made: {
                "connection_password_encryption": {"return_connection_password_encrypted": True},
                "encryption_at_rest": {"catalog_encryption_mode": "SSE-KMS", "sse_aws_kms_key_id": made["key"].arn},
            }
        },
        BARE,
    ),
    "share": (aws.ram.ResourceShare, {"name": "reports", "allow_external_principals": False}, BARE),
    "share-consumer": (aws.ram.PrincipalAssociation, {"principal": CONSUMER, "resource_share_arn": arn("share")}, BARE),
    "share-organization": (
        aws.ram.PrincipalAssociation,
        {
            "principal": f"arn:aws:organizations::{CENTRAL}:organization/{ORGANIZATION}",
            "resource_share_arn": arn("share"),
        },
        BARE,
    ),
}  # fmt: skip


def central(changes: Changes | None = None, more: Mapping[str, Declared] | None = None) -> None:
    """What the governance account has once."""
    build(CENTRAL, CENTRAL_ACCOUNT, changes or {}, more or {})


# ---------------------------------------------------------------------------------------------------------- producer
def trust(principal: Any = SYNC, **condition: Any) -> str:
    wanted = {"sts:ExternalId": f"lakemesh:{CENTRAL}:erp", "aws:PrincipalOrgID": ORGANIZATION, **condition}
    equals = {key: value for key, value in wanted.items() if value is not None}
    return document({
        "Effect": "Allow", "Principal": {"AWS": principal}, "Action": ["sts:AssumeRole"], "Condition": {"StringEquals": equals},
    })  # fmt: skip


PRODUCER_ACCOUNT: dict[str, Declared] = {
    "reader": (aws.iam.Role, {"name": "lakemesh-reader-erp", "assume_role_policy": trust()}, BARE),
    "partner": (
        aws.iam.Role,
        {
            "name": "partner",
            "assume_role_policy": trust(f"arn:aws:iam::{CENTRAL}:root", **{"aws:PrincipalOrgID": None}),
            "inline_policies": [
                {"name": "read", "policy": document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})}
            ],
        },
        BARE,
    ),
    "invoke": (
        aws.lambda_.Permission,
        {"action": "lambda:InvokeFunction", "function": "hook", "principal": "*", "principal_org_id": ORGANIZATION},
        BARE,
    ),
    "catalog-policy": (
        aws.glue.ResourcePolicy,
        {
            "policy": document({
                "Effect": "Allow", "Principal": "*", "Action": "glue:GetTable", "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
            })
        },
        BARE,
    ),
}  # fmt: skip


def producer(changes: Changes | None = None, more: Mapping[str, Declared] | None = None) -> None:
    """What a producer adds to its account."""
    build(PRODUCER, PRODUCER_ACCOUNT, changes or {}, more or {})


# ---------------------------------------------------------------------------------------------------------- consumer
def describe(principal: str, catalog: str, database: str) -> Declared:
    return (
        aws.lakeformation.Permissions,
        {"principal": principal, "permissions": ["DESCRIBE"], "database": {"catalog_id": catalog, "name": database}},
        LATER,
    )


def workgroup(who: str) -> Declared:
    return (
        aws.athena.Workgroup,
        {
            "name": who,
            "configuration": {
                "enforce_workgroup_configuration": True,
                "result_configuration": {
                    "output_location": f"s3://results/{who}/",
                    "encryption_configuration": {"encryption_option": "SSE_S3"},
                },
            },
        },
        BARE,
    )


def link(database: str) -> Declared:
    target = {"catalog_id": CENTRAL, "database_name": database}
    return aws.glue.CatalogDatabase, {"name": database, "target_database": target}, BARE


CONSUMER_ACCOUNT: dict[str, Declared] = {
    "settings": (
        aws.lakeformation.DataLakeSettings,
        {
            "admins": [f"arn:aws:iam::{CONSUMER}:role/FinanceDataAdmin"],
            "parameters": {"CROSS_ACCOUNT_VERSION": "4"},
            "trusted_resource_owners": [CENTRAL],
        },
        KEPT,
    ),
    "link": link("ar_curated"),
    "link-raw": link("ar_raw"),
    "reads": (
        aws.lakeformation.Permissions,
        {
            "principal": ANALYST,
            "permissions": ["SELECT"],
            "lf_tag_policy": expression(product=["cash_application"], sensitivity=["internal", "public"]),
        },
        LATER,
    ),
    "twin": describe(ANALYST, CENTRAL, "ar_curated"),
    "twin-raw": describe(ANALYST, CENTRAL, "ar_raw"),
    "on-link": describe(ANALYST, CONSUMER, "ar_curated"),
    "on-link-raw": describe(ANALYST, CONSUMER, "ar_raw"),
    "default": describe(ANALYST, CONSUMER, "default"),
    "workgroup": workgroup("analyst"),
}


def consumer(changes: Changes | None = None, more: Mapping[str, Declared] | None = None) -> None:
    """What a consumer's account needs."""
    build(CONSUMER, CONSUMER_ACCOUNT, changes or {}, more or {})


# -------------------------------------------------------------------------------------------------------- operations
def alarm(**dimensions: str) -> Declared:
    return (
        aws.cloudwatch.MetricAlarm,
        {
            "name": "-".join(dimensions.values()),
            "comparison_operator": "GreaterThanThreshold",
            "evaluation_periods": 1,
            "metric_name": "Errors",
            "dimensions": dimensions,
            "alarm_actions": lambda made: [made["topic"].arn],
            "alarm_description": "Work is not done. Runbook: docs/runbooks/sync-errors.md",
        },
        BARE,
    )


def from_the_organization(organization: str | None = ORGANIZATION) -> str:
    condition = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": organization}}} if organization else {}
    return document({"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*", **condition})


SYNC_OPERATIONS: dict[str, Declared] = {
    "key": CENTRAL_ACCOUNT["key"],
    "topic": (aws.sns.Topic, {"name": "alarms", "kms_master_key_id": arn("key")}, BARE),
    "dead": (aws.sqs.Queue, {"name": "dead", "kms_master_key_id": arn("key")}, BARE),
    "events": (
        aws.sqs.Queue,
        {
            "name": "events",
            "kms_master_key_id": arn("key"),
            "redrive_policy": lambda made: made["dead"].arn.apply(
                lambda dead: json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 5})
            ),
        },
        BARE,
    ),
    "function": (
        aws.lambda_.Function,
        {"name": "handler", "role": f"arn:aws:iam::{CENTRAL}:role/lakemesh-sync", "reserved_concurrent_executions": 5},
        BARE,
    ),
    "logs": (aws.cloudwatch.LogGroup, {"name": "/aws/lambda/handler", "retention_in_days": 365}, BARE),
    "mapping": (
        aws.lambda_.EventSourceMapping,
        {"event_source_arn": arn("events"), "function_name": lambda made: made["function"].name},
        BARE,
    ),
    "alarm": alarm(FunctionName="handler"),
    "dead-alarm": alarm(QueueName="dead"),
    "any-alarm": (
        aws.cloudwatch.CompositeAlarm,
        {
            "alarm_name": "any",
            "alarm_rule": "ALARM(handler)",
            "alarm_actions": lambda made: [made["topic"].arn],
            "alarm_description": "https://wiki.acme.example/sync",
        },
        BARE,
    ),
    "bus": (
        aws.cloudwatch.EventBusPolicy,
        {"event_bus_name": "mesh", "policy": from_the_organization()},
        LATER,
    ),
    "bus-account": (
        aws.cloudwatch.EventPermission,
        {"principal": PRODUCER, "statement_id": "producer", "event_bus_name": "mesh"},
        BARE,
    ),
    "stream": (aws.kinesis.Stream, {"name": "clicks", "encryption_type": "KMS", "kms_key_id": "alias/clicks"}, BARE),
    "volume": (aws.ebs.Volume, {"availability_zone": "eu-central-1a", "size": 8, "encrypted": True}, BARE),
}


def operations(changes: Changes | None = None, more: Mapping[str, Declared] | None = None) -> None:
    """What handles events."""
    build(CENTRAL, SYNC_OPERATIONS, changes or {}, more or {})


PROGRAMS: dict[str, Callable[..., None]] = {
    "domain": domain,
    "central": central,
    "producer": producer,
    "consumer": consumer,
    "operations": operations,
}
