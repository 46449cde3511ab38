"""Functions that judge columns: in the governance account from metadata, in a producer's from samples too."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.catalog_access import DECIDE_ACCESS, Place, catalog_arn, database_arns
from components.event_forwarding import pattern
from components.handler_function import HandlerFunction, HandlerSettings
from components.permissions import On, grant
from components.policy_documents import Statement, allow, canonical_json, deny, document, pack, via_service

REVIEW_TIMEOUT = 900
SCAN_TIMEOUT = 900
SCAN_MEMORY = 2048
"""Megabytes: Parquet pages of a wide table are unpacked in memory, and Arrow alone takes 200."""


class ScanningRole(TypedDict):
    """A role of a producer's account that keeps what it found in the bucket of reviews."""

    producer: str
    """Name of the producer: its prefix in the bucket."""
    role_arn: str
    """ARN of the role."""


class ReviewSettings(TypedDict):
    """What is the review's own."""

    bucket: str
    """Name of the bucket that findings are kept in."""
    scanning_roles: Sequence[ScanningRole]
    """Roles of the producers that have their samples looked at."""
    after_sync: bool
    """Whether the function exists; without it the bucket keeps what scans find."""
    function: str
    """Name of the function."""
    role: str
    """Name of its role."""
    rule: str
    """Name of the rule that tells it of tables that the sync wrote."""
    schedule_rule: str
    """Name of the rule that has it look at everything."""
    schedule: str
    """When: `rate(…)` or `cron(…)`."""
    files: Mapping[str, str]
    """The function's modules, file on this machine by name in the archive."""
    data: Mapping[str, str]
    """Further text files of the archive."""


class ColumnReviewArgs(TypedDict):
    """Arguments of ColumnReview."""

    account: str
    """Account id of the governance account."""
    region: str
    """Region of the mesh."""
    partition: str
    """AWS partition."""
    organization: str
    """Id of the AWS organization, which producers' roles must belong to."""
    mesh: str
    """Name of the mesh."""
    twins: Sequence[str]
    """Databases of the central catalog."""
    catalog_key_arn: pulumi.Input[str]
    """Key that encrypts the central catalog."""
    manifest: str
    """The compiled declarations, as JSON."""
    review: ReviewSettings
    """What is the review's own."""
    handlers: HandlerSettings
    """What the functions have in common."""


class ColumnReview(pulumi.ComponentResource):
    """The bucket of findings, and the function that judges what the sync wrote.

    The function reads names, types and comments of the central catalog, and nothing else of it: what it recommends is
    decided by people and set by the tag function. The bucket's owner is this account; each producer's scan writes
    under its own prefix.
    """

    bucket: pulumi.Output[str]
    """Name of the bucket."""

    def __init__(self, name: str, args: ColumnReviewArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:ColumnReview", name, {}, opts)
        self.bucket = self._bucket(name, args).bucket
        if args["review"]["after_sync"]:
            self._function(name, args)
        self.register_outputs({"bucket": self.bucket})

    def _function(self, name: str, args: ColumnReviewArgs) -> None:
        place: Place = {"account": args["account"], "region": args["region"], "partition": args["partition"]}
        key = pulumi.Output.from_input(args["catalog_key_arn"])
        function = HandlerFunction(
            f"{name}-function",
            {
                **place,
                "function": args["review"]["function"],
                "role": args["review"]["role"],
                "handler": "lakemesh.handlers.review.handler",
                "description": f"Recommends how columns of the mesh {args['mesh']} are to be classified.",
                "mesh": args["mesh"],
                "settings": args["handlers"],
                "statements": key.apply(lambda arn: review_statements(place, args["review"]["bucket"], arn)),
                "managed_policies": pack(twin_statements(place, args["twins"]), common=[catalog_arn(place)]),
                "manifest": args["manifest"],
                "files": args["review"]["files"],
                "data": args["review"]["data"],
                "layers": (),
                "environment": {"REVIEWS_BUCKET": self.bucket},
                "timeout": REVIEW_TIMEOUT,
                "memory": 512,
                "protect_role": False,
            },
            pulumi.ResourceOptions(parent=self),
        )
        own = pulumi.ResourceOptions(parent=self)
        events = aws.cloudwatch.EventRule(
            f"{name}-events",
            name=args["review"]["rule"],
            description="Tables that the sync wrote, to the review of columns.",
            event_pattern=pattern(args["twins"]),
            opts=own,
        )
        every = aws.cloudwatch.EventRule(
            f"{name}-schedule",
            name=args["review"]["schedule_rule"],
            description="Every column is looked at, whatever events were lost.",
            schedule_expression=args["review"]["schedule"],
            opts=own,
        )
        invoked_by(f"{name}-events", function, events, None, own)
        invoked_by(f"{name}-schedule", function, every, canonical_json({"action": "review"}), own)

    def _bucket(self, name: str, args: ColumnReviewArgs) -> aws.s3.Bucket:
        own = pulumi.ResourceOptions(parent=self)
        # Findings are made again from what is there: nothing is lost with the bucket.
        bucket = aws.s3.Bucket(f"{name}-bucket", bucket=args["review"]["bucket"], force_destroy=True, opts=own)
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
        aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.id,
            policy=reviews_policy(args),
            # S3 refuses the two at once ("A conflicting conditional operation is currently in progress").
            opts=pulumi.ResourceOptions(parent=self, depends_on=[private]),
        )
        return bucket


def invoked_by(
    name: str,
    function: HandlerFunction,
    rule: aws.cloudwatch.EventRule,
    text: str | None,
    opts: pulumi.ResourceOptions,
) -> None:
    """A rule invokes a function, with the event or with `text` (EventBridge user guide, "Using resource-based
    policies", Lambda)."""
    let = aws.lambda_.Permission(
        f"{name}-permission",
        statement_id=rule.name,
        function=function.function_name,
        action="lambda:InvokeFunction",
        principal="events.amazonaws.com",
        source_arn=rule.arn,
        opts=opts,
    )
    aws.cloudwatch.EventTarget(
        f"{name}-target",
        rule=rule.name,
        target_id="function",
        arn=function.function_arn,
        input=text,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[let])),
    )


def twin_statements(place: Place, twins: Sequence[str]) -> list[Statement]:
    """What grows with the mesh: the twins whose tables the review describes."""
    return [allow("Twins", ["glue:GetTable", "glue:GetTables"], database_arns(place, twins))] if twins else []


def review_statements(place: Place, bucket: str, key_arn: str) -> list[Statement]:
    """The review's role, beyond the databases it reads: it keeps findings, and nothing else."""
    arn = f"arn:{place['partition']}:s3:::{bucket}"
    through = {"StringEquals": {"kms:ViaService": via_service("glue", place["region"], place["partition"])}}
    return [
        allow("CatalogKey", ["kms:Decrypt"], [key_arn], through),
        allow("Findings", ["s3:GetObject", "s3:PutObject"], [f"{arn}/metadata/*"]),
        # Without it S3 answers a missing object with "access denied" (S3 API, GetObject).
        allow("FindFindings", ["s3:ListBucket"], [arn]),
        deny("NeverDecidesAccess", DECIDE_ACCESS),
    ]


def reviews_policy(args: ColumnReviewArgs) -> str:
    """TLS only, and each producer's scan its own prefix."""
    arn = f"arn:{args['partition']}:s3:::{args['review']['bucket']}"
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
    for number, each in enumerate(sorted(args["review"]["scanning_roles"], key=lambda each: each["producer"]), start=1):
        account = each["role_arn"].split(":")[4]
        # The account and not the role: the producer's stack, which makes the role, is deployed after this one.
        common: Statement = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{args['partition']}:iam::{account}:root"},
            "Condition": {
                "ArnEquals": {"aws:PrincipalArn": each["role_arn"]},
                "StringEquals": {"aws:PrincipalOrgID": args["organization"]},
            },
        }
        prefix = f"scans/{each['producer']}/"
        objects = ["s3:GetObject", "s3:PutObject"]
        statements += [
            {**common, "Sid": f"OwnFindings{number}", "Action": objects, "Resource": [f"{arn}/{prefix}*"]},
            {**common, "Sid": f"FindFindings{number}", "Action": ["s3:ListBucket"], "Resource": [arn]},
        ]
    return document(statements)


class ScanSettings(TypedDict):
    """What is the scan's own."""

    producer: str
    """Name of the producer."""
    function: str
    """Name of the function."""
    role: str
    """Name of its role."""
    rule: str
    """Name of the rule that starts it."""
    schedule: str
    """When: `rate(…)` or `cron(…)`."""
    prefixes: Mapping[str, Sequence[str]]
    """Where the tables' data lies: prefixes by bucket."""
    keys: Sequence[str]
    """ARNs of keys that encrypt that data or the catalog."""
    reviews_bucket: str
    """Bucket of the governance account that findings go to."""
    files: Mapping[str, str]
    """The function's modules, file on this machine by name in the archive."""
    data: Mapping[str, str]
    """Further text files of the archive: which tables to look at."""
    layers: Sequence[str]
    """ARN of the layer that brings pyarrow."""


class ColumnScanArgs(TypedDict):
    """Arguments of ColumnScan."""

    account: str
    """Account id of the producer."""
    region: str
    """Region of the mesh."""
    partition: str
    """AWS partition."""
    mesh: str
    """Name of the mesh."""
    central_account: str
    """Account id of the governance account."""
    databases: Sequence[str]
    """Databases of this account that are shared."""
    governed: bool
    """Whether Lake Formation decides on reads of this account's catalog."""
    scan: ScanSettings
    """What is the scan's own."""
    handlers: HandlerSettings
    """What the functions have in common."""


class ColumnScan(pulumi.ComponentResource):
    """The function that looks at samples in a producer's account, and its schedule.

    It reads the shared prefixes with its own role, past Lake Formation, which decides on reads by table: this account
    is the data's owner. What leaves the account are findings: verdicts, evidence in words, fingerprints of shapes.
    """

    role_arn: pulumi.Output[str]
    """ARN of the function's role."""

    def __init__(self, name: str, args: ColumnScanArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:ColumnScan", name, {}, opts)
        place: Place = {"account": args["account"], "region": args["region"], "partition": args["partition"]}
        own = pulumi.ResourceOptions(parent=self)
        function = HandlerFunction(
            f"{name}-function",
            {
                "account": args["account"],
                "region": args["region"],
                "partition": args["partition"],
                "function": args["scan"]["function"],
                "role": args["scan"]["role"],
                "handler": "lakemesh.handlers.scan.handler",
                "description": f"Looks at samples for the review of columns of the mesh {args['mesh']}; none leaves.",
                "mesh": args["mesh"],
                "settings": args["handlers"],
                "statements": scan_statements(place, args),
                "files": args["scan"]["files"],
                "data": args["scan"]["data"],
                "layers": args["scan"]["layers"],
                "environment": {
                    "PRODUCER": args["scan"]["producer"],
                    "PRODUCER_ACCOUNT": args["account"],
                    "REVIEWS_BUCKET": args["scan"]["reviews_bucket"],
                    "REVIEWS_OWNER": args["central_account"],
                },
                "timeout": SCAN_TIMEOUT,
                "memory": SCAN_MEMORY,
            },
            own,
        )
        for database in sorted(args["databases"]) if args["governed"] else ():
            whole: On = {"database": {"name": database}}
            tables: On = {"table": {"database_name": database, "wildcard": True}}
            for suffix, on in (("", whole), ("-tables", tables)):
                grant(
                    f"{name}-{database}{suffix}",
                    principal=function.role_arn,
                    permissions=["DESCRIBE"],
                    on=on,
                    opts=own,
                )
        rule = aws.cloudwatch.EventRule(
            f"{name}-schedule",
            name=args["scan"]["rule"],
            description="Starts the look at samples of unreviewed columns.",
            schedule_expression=args["scan"]["schedule"],
            opts=own,
        )
        invoked_by(f"{name}-schedule", function, rule, canonical_json({"action": "scan"}), own)
        self.role_arn = function.role_arn
        self.register_outputs({"roleArn": self.role_arn})


def scan_statements(place: Place, args: ColumnScanArgs) -> list[Statement]:
    """The scan's role: metadata of shared databases, objects of shared prefixes, its own findings in central."""
    partition, region = place["partition"], place["region"]
    buckets = {bucket: sorted(set(prefixes)) for bucket, prefixes in sorted(args["scan"]["prefixes"].items())}
    findings = f"arn:{partition}:s3:::{args['scan']['reviews_bucket']}"
    statements = [
        *(
            [allow("Databases", ["glue:GetTable"], database_arns(place, args["databases"]))]
            if args["databases"]
            else []
        ),
        allow("Findings", ["s3:GetObject", "s3:PutObject"], [f"{findings}/scans/{args['scan']['producer']}/*"]),
        allow("FindFindings", ["s3:ListBucket"], [findings]),
        deny("NeverDecidesAccess", DECIDE_ACCESS),
    ]
    if buckets:
        objects = [f"arn:{partition}:s3:::{bucket}/{prefix}*" for bucket, those in buckets.items() for prefix in those]
        statements += [
            allow("Samples", ["s3:GetObject"], objects),
            allow("FindSamples", ["s3:ListBucket"], [f"arn:{partition}:s3:::{bucket}" for bucket in buckets]),
        ]
    if args["scan"]["keys"]:
        services = [via_service(service, region, partition) for service in ("glue", "s3")]
        through = {"StringEquals": {"kms:ViaService": services}}
        statements.append(allow("Keys", ["kms:Decrypt"], sorted(set(args["scan"]["keys"])), through))
    return statements
