"""Athena workgroups of a consumer, one for each principal, and the bucket that their results go to."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.policy_documents import BUCKET_POLICY_BYTES, PolicyTooLargeError, Statement, document


class Workgroup(TypedDict):
    """The workgroup of one principal."""

    principal: str
    """Short name of the principal."""
    name: str
    """Name of the workgroup."""
    role_arn: str
    """Role of the principal."""
    prefix: str
    """Where its results lie in the bucket, with a slash at its end."""


class WorkgroupsArgs(TypedDict):
    """Arguments of Workgroups."""

    account: str
    """Account id of the consumer."""
    partition: str
    """AWS partition."""
    bucket: str
    """Name of the results bucket."""
    workgroups: Sequence[Workgroup]
    """The workgroups."""
    retention_days: int
    """Days that query results are kept."""


class Workgroups(pulumi.ComponentResource):
    """One workgroup and one result prefix a principal, because users of one workgroup can read each other's results.

    The bucket policy lets a prefix's objects be read and written by that principal's role alone; administrators of
    the account can still delete them. Results are copies: they expire, and the bucket goes with the stack. Does not
    say who may use a workgroup: that is the role's own IAM policy (docs/components.md shows one).
    """

    bucket: pulumi.Output[str]
    """Name of the results bucket."""
    names: pulumi.Output[Sequence[str]]
    """Names of the workgroups, sorted."""

    def __init__(self, name: str, args: WorkgroupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:Workgroups", name, {}, opts)
        bucket = self._bucket(name, args)
        workgroups = [
            aws.athena.Workgroup(
                f"{name}-{each['principal']}",
                name=each["name"],
                description=f"Queries of {each['principal']}.",
                force_destroy=True,  # queries saved in it are no reason to keep it
                configuration={
                    # Else a query may name a result location of its own, outside the prefix.
                    "enforce_workgroup_configuration": True,
                    "publish_cloudwatch_metrics_enabled": True,
                    "result_configuration": {
                        "output_location": pulumi.Output.concat("s3://", bucket.bucket, "/", each["prefix"]),
                        "encryption_configuration": {"encryption_option": "SSE_S3"},
                        "expected_bucket_owner": args["account"],
                    },
                },
                opts=pulumi.ResourceOptions(parent=self),
            )
            for each in sorted(args["workgroups"], key=lambda each: each["principal"])
        ]
        self.bucket = bucket.bucket
        self.names = pulumi.Output.all(*(each.name for each in workgroups)).apply(sorted)
        self.register_outputs({"bucket": self.bucket, "names": self.names})

    def _bucket(self, name: str, args: WorkgroupsArgs) -> aws.s3.Bucket:
        own = pulumi.ResourceOptions(parent=self)
        bucket = aws.s3.Bucket(f"{name}-results", bucket=args["bucket"], force_destroy=True, opts=own)
        private = aws.s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=own,
        )
        aws.s3.BucketOwnershipControls(
            f"{name}-ownership", bucket=bucket.id, rule={"object_ownership": "BucketOwnerEnforced"}, opts=own
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.id,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=own,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-expiry",
            bucket=bucket.id,
            rules=[
                {
                    "id": "results-expire",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"days": int(args["retention_days"])},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
                }
            ],
            opts=own,
        )
        aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.id,
            policy=results_policy(args),
            # S3 refuses the two at once ("A conflicting conditional operation is currently in progress").
            opts=pulumi.ResourceOptions(parent=self, depends_on=[private]),
        )
        return bucket


def results_policy(args: WorkgroupsArgs) -> str:
    """Each role its own prefix, over TLS. Raises PolicyTooLargeError."""
    arn = f"arn:{args['partition']}:s3:::{args['bucket']}"
    statements: list[Statement] = [
        {
            "Sid": "OnlyOverTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    for number, each in enumerate(sorted(args["workgroups"], key=lambda each: each["principal"]), start=1):
        statements += _own_prefix(arn, each, number)
    text = document(statements)
    if len(text.encode()) > BUCKET_POLICY_BYTES:
        raise PolicyTooLargeError(
            f"the policy of bucket {args['bucket']} would have {len(text.encode())} bytes, for "
            f"{len(args['workgroups'])} principals, and S3 allows {BUCKET_POLICY_BYTES}. Split the consumer's "
            "principals over two consumers."
        )
    return text


def _own_prefix(arn: str, each: Workgroup, number: int) -> list[Statement]:
    objects = ["s3:GetObject", "s3:PutObject"]
    return [
        {
            "Sid": f"OwnResults{number}",
            "Effect": "Allow",
            "Principal": {"AWS": each["role_arn"]},
            "Action": [*objects, "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            "Resource": [f"{arn}/{each['prefix']}*"],
        },
        {
            "Sid": f"FindResults{number}",
            "Effect": "Allow",
            "Principal": {"AWS": each["role_arn"]},
            "Action": ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            "Resource": [arn],
        },
        {
            "Sid": f"NobodyElse{number}",
            "Effect": "Deny",
            "Principal": "*",
            "Action": objects,
            "Resource": [f"{arn}/{each['prefix']}*"],
            "Condition": {"ArnNotEquals": {"aws:PrincipalArn": each["role_arn"]}},
        },
    ]
