"""Registered locations, the roles that read them, and the buckets they lie in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from guardrails import tokens
from guardrails.documents import Statement, statements
from guardrails.mesh import Given
from guardrails.resource import Resource, Stack, mapping, text, texts, true
from guardrails.roles import policies_of_roles
from guardrails.rule import Concern

LOCATIONS: Final = Concern("locations", "Registered locations and their buckets")
WRITES: Final = ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutBucketPolicy", "s3:PutObjectAcl")
PUBLIC_ACCESS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def bucket_of(arn_or_url: str) -> str:
    """Bucket of an S3 ARN or of an `s3://` location."""
    return arn_or_url.removeprefix("s3://").split(":::")[-1].split("/")[0]


@LOCATIONS.resource(
    "locations-use-a-registration-role",
    Severity.HIGH,
    tokens.LOCATION,
    fix="Register with a role of your own that reads the prefix: role_arn=role.arn.",
)
def locations_use_a_registration_role(resource: Resource, _given: Given) -> Iterator[str]:
    """A location is registered with a role made for it, never with Lake Formation's service-linked role.

    The service-linked role cannot register another account's bucket, obeys no service control policy, and its inline
    policy fills up with prefixes (cloud-custodian#7668).

    Good::

        aws.lakeformation.Resource("lake", arn=location, role_arn=role.arn)

    Bad::

        aws.lakeformation.Resource("lake", arn=location, use_service_linked_role=True)
    """
    if true(resource.get("useServiceLinkedRole")) or not resource.given("roleArn"):
        yield f"{resource} registers its location with the service-linked role; name a registration role in role_arn."
    elif "/aws-service-role/" in text(resource.get("roleArn")):
        yield (
            f"{resource} registers its location with the service-linked role {resource.get('roleArn')}; use "
            "one of your own."
        )


@LOCATIONS.resource(
    "locations-belong-to-a-producer",
    Severity.CRITICAL,
    tokens.LOCATION,
    fix="Declare the prefix at its source in mesh.yaml, or register the declared prefix.",
    needs_manifest=True,
)
def locations_belong_to_a_producer(resource: Resource, given: Given) -> Iterator[str]:
    """A registered location lies under a prefix that mesh.yaml declares for a source.

    A location that is wider than declared lets tables point at data that nobody offered to the mesh.

    Good::

        aws.lakeformation.Resource("ar", arn="arn:aws:s3:::erp-lake/curated/ar", role_arn=role.arn)

    Bad::

        aws.lakeformation.Resource("ar", arn="arn:aws:s3:::erp-lake", role_arn=role.arn)
    """
    location = text(resource.get("arn")).split(":::")[-1].rstrip("/") + "/"
    declared = [
        prefix.removeprefix("s3://").rstrip("/") + "/"
        for source in given.manifest.sources.values()
        for prefix in texts(source.get("prefixes"))
    ]
    if not any(location.startswith(prefix) for prefix in declared):
        yield f"{resource} registers s3://{location}, which is under no prefix that the mesh declares for a source."


@LOCATIONS.resource(
    "hybrid-access-is-an-exception",
    Severity.HIGH,
    tokens.LOCATION,
    tokens.OPT_IN,
    fix="Switch hybrid access off, or add an exception with an owner and an expiry.",
)
def hybrid_access_is_an_exception(resource: Resource, _given: Given) -> Iterator[str]:
    """Locations are not registered in hybrid access mode, and nobody is opted in, without an exception.

    In hybrid mode IAM policies go on giving access to the data beside Lake Formation, and who is opted in decides which
    of the two holds (terraform-provider-aws#36827).

    Good::

        aws.lakeformation.Resource("lake", arn=location, role_arn=role.arn)

    Bad::

        aws.lakeformation.Resource("lake", arn=location, role_arn=role.arn, hybrid_access_enabled=True)
    """
    if resource.type == tokens.OPT_IN:
        yield f"{resource} opts a principal in to Lake Formation permissions, which matters in hybrid access mode only."
    elif true(resource.get("hybridAccessEnabled")):
        yield (
            f"{resource} registers its location in hybrid access mode, in which IAM policies give access past "
            "Lake Formation."
        )


@LOCATIONS.resource(
    "locations-give-no-privileged-access",
    Severity.HIGH,
    tokens.LOCATION,
    fix="Leave with_privileged_access out.",
)
def locations_give_no_privileged_access(resource: Resource, _given: Given) -> Iterator[str]:
    """Whoever registers a location gets no privileged access to it.

    With it the registering principal holds every Lake Formation permission on the location, and the deploying role with
    them.

    Good::

        aws.lakeformation.Resource("lake", arn=location, role_arn=role.arn)

    Bad::

        aws.lakeformation.Resource("lake", arn=location, role_arn=role.arn, with_privileged_access=True)
    """
    if true(resource.get("withPrivilegedAccess")):
        yield (
            f"{resource} gives whoever registers it every permission on its location; leave with_privileged_access out."
        )


@LOCATIONS.stack(
    "registration-roles-serve-one-producer",
    Severity.HIGH,
    fix="Make one registration role for each producer.",
    tags=("least-privilege",),
    needs_manifest=True,
)
def registration_roles_serve_one_producer(stack: Stack, given: Given) -> Iterator[tuple[Resource, str]]:
    """A registration role reads the buckets of one producer only.

    Then a mistake in its policy, or a table that points where it should not, stays with one producer.

    Good::

        erp = aws.lakeformation.Resource("erp", arn=erp_bucket, role_arn=erp_role.arn)
        hr = aws.lakeformation.Resource("hr", arn=hr_bucket, role_arn=hr_role.arn)

    Bad::

        erp = aws.lakeformation.Resource("erp", arn=erp_bucket, role_arn=role.arn)
        hr = aws.lakeformation.Resource("hr", arn=hr_bucket, role_arn=role.arn)
    """
    owner = {
        bucket_of(prefix): text(source.get("producer"))
        for source in given.manifest.sources.values()
        for prefix in texts(source.get("prefixes"))
    }
    served: dict[str, dict[str, Resource]] = defaultdict(dict)
    read = stack.read(
        tokens.LOCATION, lambda each: (text(each.get("roleArn")), owner.get(bucket_of(text(each.get("arn")))))
    )
    for resource, (role, producer) in read:
        if role and producer:
            served[role].setdefault(producer, resource)
    for role, producers in served.items():
        if len(producers) > 1:
            last = list(producers.values())[-1]
            yield (
                last,
                f"{last} registers with {role}, which serves {' and '.join(producers)}; use a role for each producer.",
            )


@LOCATIONS.stack(
    "registration-roles-only-read",
    Severity.HIGH,
    fix="Leave the role s3:GetObject and s3:ListBucket, and kms:Decrypt where the bucket has a key.",
    tags=("least-privilege",),
)
def registration_roles_only_read(stack: Stack, _given: Given) -> Iterator[tuple[Resource, str]]:
    """A role that Lake Formation assumes can read data and cannot write it.

    Lake Formation hands the role's rights to whoever holds a grant: with write access a grant that is too wide changes
    the producer's data.

    Good::

        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::erp-lake/curated/*"]}

    Bad::

        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["arn:aws:s3:::erp-lake/*"]}
    """
    for role, by, said in policies_of_roles(stack, trusting="lakeformation.amazonaws.com"):
        writing = [action for action in WRITES if any(each.allows and each.covers(action) for each in said)]
        if writing:
            yield (
                by,
                (
                    f"{by} lets registration role {role} {writing[0]}; Lake Formation hands out what the role "
                    "may do, so it reads and nothing else."
                ),
            )


# ------------------------------------------------------------------------------------------------------- buckets
def lake_buckets(stack: Stack, given: Given) -> dict[str, Resource]:
    """Buckets of the stack that hold data of the lake: registered here, declared for a source, or for query results."""
    named = {bucket_of(location) for _, location in stack.read(tokens.LOCATION, lambda each: text(each.get("arn")))}
    named |= {
        bucket_of(prefix) for source in given.manifest.sources.values() for prefix in texts(source.get("prefixes"))
    }
    named |= {bucket_of(result) for _, result in stack.read(tokens.WORKGROUP, result_location)}
    buckets = stack.read(tokens.BUCKET, lambda each: text(each.get("bucket")) or each.name)
    return {name: resource for resource, name in buckets if name in named}


def result_location(workgroup: Resource) -> str:
    """Where a workgroup puts results."""
    configuration = mapping(workgroup.get("configuration"))
    return text(mapping(configuration.get("resultConfiguration")).get("outputLocation"))


@LOCATIONS.stack(
    "lake-buckets-block-public-access",
    Severity.CRITICAL,
    fix="Add a BucketPublicAccessBlock with all four settings true.",
)
def lake_buckets_block_public_access(stack: Stack, given: Given) -> Iterator[tuple[Resource, str]]:
    """Every bucket of the lake has a public access block with all four settings on.

    Lake Formation does not stop direct access to S3: what the bucket lets through never asks it.

    Good::

        aws.s3.BucketPublicAccessBlock("private", bucket=lake.id, block_public_acls=True, block_public_policy=True,
            ignore_public_acls=True, restrict_public_buckets=True)

    Bad::

        aws.s3.BucketPublicAccessBlock("private", bucket=lake.id, block_public_acls=True)
    """
    buckets = lake_buckets(stack, given)
    found: dict[str, list[str]] = {}
    for _, (name, off) in stack.read(
        tokens.PUBLIC_ACCESS_BLOCK,
        lambda each: (text(each.get("bucket")), [key for key in PUBLIC_ACCESS if not true(each.get(key))]),
    ):
        found[name] = off
    if stack.unknown is not None:
        return
    for name, resource in buckets.items():
        if name not in found:
            yield (
                resource,
                f"{resource} has no public access block; add a BucketPublicAccessBlock with all four settings true.",
            )
        elif found[name]:
            yield resource, f"{resource} does not block public access: {', '.join(found[name])} is off."


def _policies(stack: Stack) -> dict[str, list[Statement]]:
    read = stack.read(tokens.BUCKET_POLICY, lambda each: (text(each.get("bucket")), statements(each.get("policy"))))
    return {name: said for _, (name, said) in read}


@LOCATIONS.stack(
    "lake-buckets-deny-plain-http",
    Severity.HIGH,
    fix='Add a statement that denies s3:* to everybody while aws:SecureTransport is "false".',
)
def lake_buckets_deny_plain_http(stack: Stack, given: Given) -> Iterator[tuple[Resource, str]]:
    """The policy of every bucket of the lake denies requests without TLS.

    S3 answers plain HTTP, and credentials and data cross the network in the clear.

    Good::

        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}

    Bad::

        {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "s3:GetObject"}  # and nothing else
    """
    buckets, policies = lake_buckets(stack, given), _policies(stack)
    if stack.unknown is not None:
        return
    for name, resource in buckets.items():
        if not any(
            not each.allows
            and each.anybody
            and each.covers("s3:GetObject")
            and "false" in each.values("aws:SecureTransport")
            for each in policies.get(name, [])
        ):
            yield (
                resource,
                f"{resource} answers requests without TLS; deny them in its bucket policy (aws:SecureTransport).",
            )


@LOCATIONS.stack(
    "lake-buckets-admit-named-roles-only",
    Severity.HIGH,
    fix="Add a statement that denies s3:GetObject to everybody whose aws:PrincipalArn is not the registration "
    "role or the owner's.",
    tags=("least-privilege",),
)
def lake_buckets_admit_named_roles_only(stack: Stack, given: Given) -> Iterator[tuple[Resource, str]]:
    """The policy of every bucket of the lake denies its objects to all but the roles that it names.

    Whoever has s3:GetObject in IAM reads the files themselves, past every grant and LF-Tag; only a denial in the
    bucket's own policy stops that.

    Good::

        {"Effect": "Deny", "Principal": "*", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::lake/*"],
         "Condition": {"ArnNotEquals": {"aws:PrincipalArn": [registration_role, owner_role]}}}

    Bad::

        {"Effect": "Allow", "Principal": {"AWS": registration_role}, "Action": ["s3:GetObject"], ...}  # others by IAM
    """
    buckets, policies = lake_buckets(stack, given), _policies(stack)
    if stack.unknown is not None:
        return
    for name, resource in buckets.items():
        if not any(
            not each.allows
            and each.anybody
            and each.covers("s3:GetObject")
            and each.values("aws:PrincipalArn", negated=True)
            and "*" not in each.values("aws:PrincipalArn", negated=True)
            for each in policies.get(name, [])
        ):
            yield (
                resource,
                (
                    f"{resource} can be read by everybody whom IAM lets; deny s3:GetObject in its policy to all "
                    "but the registration role and its owner (ArnNotEquals aws:PrincipalArn)."
                ),
            )
