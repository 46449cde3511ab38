"""Statements that the mesh needs in bucket and key policies which a producer owns."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.handler_function import HandlerFunction, HandlerSettings
from components.policy_documents import Statement, account_root, allow, canonical_json, via_service


class BucketReader(TypedDict):
    """A role of the governance account that reads a bucket."""

    role_arn: str
    """ARN of the registration role."""
    prefixes: Sequence[str]
    """Key prefixes that it reads, with a slash at their end; "" is the whole bucket."""


class SharedBucket(TypedDict):
    """A bucket of the producer that holds shared data."""

    bucket: str
    """Name of the bucket."""
    kms_key: NotRequired[str]
    """ARN of the customer managed key that encrypts it."""
    readers: Sequence[BucketReader]
    """Who reads what in it."""


class PolicyStatementsArgs(TypedDict):
    """Arguments of PolicyStatements."""

    account: str
    """Account id of the producer."""
    region: str
    """Region of the mesh."""
    partition: str
    """AWS partition."""
    mesh: str
    """Name of the mesh."""
    function: str
    """Name of the function that merges."""
    role: str
    """Name of its role."""
    sid_prefix: str
    """How the mesh finds its own statements again: every Sid begins with it."""
    buckets: Sequence[Mapping[str, Any]]
    """Statements by bucket, as `bucket_documents` gives them."""
    keys: Sequence[Mapping[str, Any]]
    """Statements by key, as `key_documents` gives them."""
    settings: HandlerSettings
    """What every handler function of a stack has in common."""


class PolicyStatements(pulumi.ComponentResource):
    """Merges statements into policies that exist already, and takes out the same statements and no other.

    Bucket and key policies are singletons: a resource for one would overwrite what the owner has, and delete it in
    the end. The function's role may read and write the policies of exactly these buckets and keys.
    """

    result: pulumi.Output[str]
    """What the last merge changed, as JSON."""

    def __init__(self, name: str, args: PolicyStatementsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:PolicyStatements", name, {}, opts)
        function = HandlerFunction(
            f"{name}-merge",
            {
                "account": args["account"],
                "region": args["region"],
                "partition": args["partition"],
                "function": args["function"],
                "role": args["role"],
                "handler": "sync_handlers.policy_statements.handler",
                "description": f"Keeps the statements of the mesh {args['mesh']} in policies of buckets and keys.",
                "mesh": args["mesh"],
                "settings": args["settings"],
                "statements": merge_statements(args),
                "timeout": 120,
                "memory": 256,
            },
            pulumi.ResourceOptions(parent=self),
        )
        merged = aws.lambda_.Invocation(
            f"{name}-merged",
            function_name=function.function_name,
            input=canonical_json(
                {
                    "action": "statements",
                    "sidPrefix": args["sid_prefix"],
                    "buckets": args["buckets"],
                    "keys": args["keys"],
                }
            ),
            # Also when it is deleted: the function then takes the statements out again.
            lifecycle_scope="CRUD",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.result = merged.result
        self.register_outputs({"result": self.result})


def merge_statements(args: PolicyStatementsArgs) -> list[Statement]:
    """What the merging role may do: these policies, and none else."""
    buckets = [f"arn:{args['partition']}:s3:::{each['bucket']}" for each in args["buckets"]]
    keys = [each["key"] for each in args["keys"]]
    statements = []
    if buckets:
        statements.append(
            allow("BucketPolicies", ["s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"], buckets)
        )
    if keys:
        statements.append(allow("KeyPolicies", ["kms:GetKeyPolicy", "kms:PutKeyPolicy"], keys))
    return statements


def bucket_documents(
    buckets: Sequence[SharedBucket], central_account: str, partition: str, sid_prefix: str
) -> list[dict[str, Any]]:
    """Statements by bucket that let each registration role list and read its prefixes.

    They name the governance account and restrict it by `aws:PrincipalArn`: S3 refuses a policy that names a role
    which does not exist yet, and the registration roles come after the producer's stack.
    """
    made = []
    for bucket in sorted(buckets, key=lambda each: each["bucket"]):
        arn = f"arn:{partition}:s3:::{bucket['bucket']}"
        statements = []
        for number, reader in enumerate(sorted(bucket["readers"], key=lambda each: each["role_arn"]), start=1):
            prefixes = sorted(reader["prefixes"])
            only = {"ArnEquals": {"aws:PrincipalArn": reader["role_arn"]}}
            listed = [pattern for prefix in prefixes for pattern in (prefix, f"{prefix}*")]
            statements += [
                {
                    "Sid": f"{sid_prefix}List{number}",
                    "Effect": "Allow",
                    "Principal": {"AWS": account_root(partition, central_account)},
                    "Action": ["s3:ListBucket"],
                    "Resource": [arn],
                    "Condition": only if "" in prefixes else {**only, "StringLike": {"s3:prefix": listed}},
                },
                {
                    "Sid": f"{sid_prefix}Read{number}",
                    "Effect": "Allow",
                    "Principal": {"AWS": account_root(partition, central_account)},
                    "Action": ["s3:GetObject"],
                    "Resource": [f"{arn}/{prefix}*" for prefix in prefixes],
                    "Condition": only,
                },
            ]
        made.append({"bucket": bucket["bucket"], "statements": statements})
    return made


class KeyUse(TypedDict):
    """Roles of one account that decrypt under a key, through one service."""

    key: str
    """ARN of the key."""
    account: str
    """Account of the roles."""
    service: str
    """Service through which they decrypt: s3 or glue."""
    role_arns: Sequence[str]
    """The roles."""


def key_documents(uses: Sequence[KeyUse], region: str, partition: str, sid_prefix: str) -> list[dict[str, Any]]:
    """Statements by key that let roles decrypt through one service. One key may serve buckets and catalog alike."""
    statements: dict[str, list[dict[str, Any]]] = {}
    for use in sorted(uses, key=lambda each: (each["key"], each["service"])):
        of_key = statements.setdefault(use["key"], [])
        of_key.append(
            {
                "Sid": f"{sid_prefix}Decrypt{use['service'].capitalize()}",
                "Effect": "Allow",
                "Principal": {"AWS": account_root(partition, use["account"])},
                "Action": ["kms:Decrypt", "kms:DescribeKey"],
                "Resource": "*",
                "Condition": {
                    "ArnEquals": {"aws:PrincipalArn": sorted(set(use["role_arns"]))},
                    "StringEquals": {"kms:ViaService": via_service(use["service"], region, partition)},
                },
            }
        )
    return [{"key": key, "statements": each} for key, each in statements.items()]
