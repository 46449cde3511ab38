"""S3 prefixes of one producer, registered with Lake Formation for one domain."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.permissions import grant
from components.policy_documents import Statement, allow, document, service_trust, via_service


class Prefix(TypedDict):
    """A place in S3."""

    bucket: str
    """Name of the bucket."""
    prefix: str
    """Key prefix with a slash at its end; "" is the whole bucket."""


class RegisteredLocationsArgs(TypedDict):
    """Arguments of RegisteredLocations."""

    region: str
    """Region of the mesh."""
    partition: str
    """AWS partition."""
    role: str
    """Name of the registration role."""
    prefixes: Sequence[Prefix]
    """What is registered."""
    kms_keys: Sequence[str]
    """ARNs of the customer managed keys of the buckets."""
    sync_role_arn: str
    """Role that creates tables at these locations."""
    permissions_boundary: NotRequired[str]
    """ARN of the managed policy that limits the registration role."""


class RegisteredLocations(pulumi.ComponentResource):
    """One registration role, the prefixes that Lake Formation reads through it, and the sync role's right to point
    tables at them.

    A role of ours in the governance account and never the service-linked role: that one cannot register another
    account's bucket, obeys no SCP and has an inline policy that fills up with prefixes. The role reads and never
    writes, so that no grant, however wide, can change a producer's data. Lake Formation alone assumes it. Passing it
    to Lake Formation needs iam:PassRole in this account, which is what keeps others from registering with it; its
    trust policy has no condition, as the service's documentation gives none.
    """

    role_arn: pulumi.Output[str]
    """ARN of the registration role; the producer's bucket and key policies name it."""

    def __init__(self, name: str, args: RegisteredLocationsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:RegisteredLocations", name, {}, opts)
        role = aws.iam.Role(
            f"{name}-role",
            name=args["role"],
            description="Lake Formation reads registered prefixes of one producer through this role.",
            # SetContext lets Lake Formation name the human behind a read (developer guide, "registration-role").
            assume_role_policy=service_trust("lakeformation.amazonaws.com", ["sts:AssumeRole", "sts:SetContext"]),
            permissions_boundary=args.get("permissions_boundary"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        policy = aws.iam.RolePolicy(
            f"{name}-policy",
            name=args["role"],
            role=role.name,
            policy=document(read_statements(args)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        for prefix in sorted(args["prefixes"], key=lambda each: (each["bucket"], each["prefix"])):
            label = f"{prefix['bucket']}/{prefix['prefix']}".rstrip("/")
            location = aws.lakeformation.Resource(
                f"{name}-{label}",
                arn=location_arn(args["partition"], prefix),
                role_arn=role.arn,
                # Registration tries the role at once, so its policy has to be there. A location is registered once:
                # under another role it has to go before it can come, or the new registration is taken away with the
                # old one.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[policy], delete_before_replace=True),
            )
            grant(
                f"{name}-{label}-sync-role",
                principal=args["sync_role_arn"],
                permissions=["DATA_LOCATION_ACCESS"],
                on={"data_location": {"arn": location.arn}},
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.role_arn = role.arn
        self.register_outputs({"roleArn": self.role_arn})


def location_arn(partition: str, prefix: Prefix) -> str:
    """ARN of a location as Lake Formation keeps it: without the slash at its end."""
    return f"arn:{partition}:s3:::{prefix['bucket']}/{prefix['prefix']}".rstrip("/")


def read_statements(args: RegisteredLocationsArgs) -> list[Statement]:
    """Listing and reading of the prefixes, decrypting under their keys, and no write."""
    prefixes: dict[str, list[str]] = {}
    for each in args["prefixes"]:
        prefixes.setdefault(each["bucket"], []).append(each["prefix"])
    statements = [
        allow(
            "Read",
            ["s3:GetObject"],
            [
                f"arn:{args['partition']}:s3:::{bucket}/{prefix}*"
                for bucket, those in prefixes.items()
                for prefix in set(those)
            ],
        )
    ]
    for number, (bucket, those) in enumerate(sorted(prefixes.items()), start=1):
        listed = [pattern for prefix in sorted(set(those)) for pattern in (prefix, f"{prefix}*")]
        condition = None if "" in those else {"StringLike": {"s3:prefix": listed}}
        statements.append(
            allow(f"List{number}", ["s3:ListBucket"], [f"arn:{args['partition']}:s3:::{bucket}"], condition)
        )
    if args["kms_keys"]:
        through_s3 = {"StringEquals": {"kms:ViaService": via_service("s3", args["region"], args["partition"])}}
        statements.append(
            allow("Decrypt", ["kms:Decrypt", "kms:DescribeKey"], sorted(set(args["kms_keys"])), through_s3)
        )
    return statements
