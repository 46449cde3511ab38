"""A small data lake in one account: clicks of a shop, read by one role of the same account.

Nothing of lakemesh is in it. `guardrails.json` tells the policy pack the little that it should know.
"""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

ACCOUNT, BUCKET, REGION = "123412341234", "shop-click-lake", "eu-north-1"


def document(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


provider = aws.Provider("shop", region=REGION, allowed_account_ids=[ACCOUNT])
opts = pulumi.ResourceOptions(provider=provider)
first_away = pulumi.ResourceOptions(provider=provider, delete_before_replace=True)
kept = pulumi.ResourceOptions(provider=provider, protect=True, retain_on_delete=True)

aws.lakeformation.DataLakeSettings(
    "settings",
    admins=[f"arn:aws:iam::{ACCOUNT}:role/LakeAdmin"],
    parameters={"CROSS_ACCOUNT_VERSION": "4"},
    opts=kept,
)

# ------------------------------------------------------------------------ the bucket, and who reads it
role = aws.iam.Role(
    "registration",
    name="click-lake-registration",
    assume_role_policy=document(
        {"Effect": "Allow", "Principal": {"Service": "lakeformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ),
    opts=opts,
)
aws.iam.RolePolicy(
    "reads-clicks",
    role=role.name,
    policy=document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}),
    opts=opts,
)
lake = aws.s3.Bucket("lake", bucket=BUCKET, opts=opts)
aws.s3.BucketPublicAccessBlock(
    "private",
    bucket=lake.bucket,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
    opts=opts,
)
aws.s3.BucketServerSideEncryptionConfiguration(
    "encrypted",
    bucket=lake.bucket,
    rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
    opts=opts,
)
named = [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("click-lake-registration", "ClickLoader")]
aws.s3.BucketPolicy(
    "named-roles-over-tls",
    bucket=lake.bucket,
    policy=document(
        {
            "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}/*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*",
            "Condition": {"ArnNotEquals": {"aws:PrincipalArn": named}},
        },
    ),
    opts=opts,
)  # fmt: skip
aws.lakeformation.Resource("clicks-location", arn=f"arn:aws:s3:::{BUCKET}/clicks", role_arn=role.arn, opts=opts)

# ------------------------------------------------------------------------------ the table and its tags
aws.lakeformation.LfTag(
    "sensitivity", key="sensitivity", values=["public", "internal", "restricted", "unreviewed"], opts=kept
)
aws.lakeformation.LfTag("domain", key="domain", values=["shop"], opts=kept)
shop = aws.glue.CatalogDatabase("shop", name="shop", opts=opts)
for key, value in (("domain", "shop"), ("sensitivity", "unreviewed")):
    aws.lakeformation.ResourceLfTag(
        f"shop-{key}", database={"name": shop.name}, lf_tag={"key": key, "value": value}, opts=first_away
    )
clicks = aws.glue.CatalogTable(
    "clicks",
    name="clicks",
    database_name=shop.name,
    storage_descriptor={
        "location": f"s3://{BUCKET}/clicks/",
        "columns": [{"name": "page", "type": "string"}, {"name": "customer_email", "type": "string"}],
    },
    partition_keys=[{"name": "day", "type": "date"}],
    opts=opts,
)
for value, columns in (("internal", ["page", "day"]), ("restricted", ["customer_email"])):
    aws.lakeformation.ResourceLfTag(
        f"clicks-{value}",
        table_with_columns={"database_name": shop.name, "name": clicks.name, "column_names": columns},
        lf_tag={"key": "sensitivity", "value": value},
        opts=first_away,
    )

# ------------------------------------------------------------------------------------------- who reads
aws.lakeformation.Permissions(
    "analysts-read",
    principal=f"arn:aws:iam::{ACCOUNT}:role/ShopAnalyst",
    permissions=["SELECT"],
    lf_tag_policy={
        "resource_type": "TABLE",
        "expressions": [
            {"key": "domain", "values": ["shop"]},
            {"key": "sensitivity", "values": ["public", "internal"]},
        ],
    },
    opts=first_away,
)
