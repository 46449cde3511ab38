"""IAM at the front door: which action on which resource a call needs, and whether policies allow it.

Each service has a rule that names what its calls need; a service without one needs `<service>:<Operation>` on `*`, so
nothing passes unasked. Sources: the "Actions, resources, and condition keys" page of each service in the service
authorization reference. What only the service can judge (role trust, queries by their id) its handler judges.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from botocore.session import get_session

from local_aws.services.calls import Call


@dataclass(frozen=True)
class Need:
    """One permission a call needs: `policies` are the statements of the resource's own policy, `owner` its account."""

    action: str
    resource: str
    owner: str | None = None
    policies: Iterable[Mapping[str, Any]] | None = None
    policy_required: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)


Rule = Callable[[Call], Iterable[Need]]
R = TypeVar("R", bound=Rule)

_rules: dict[str, Rule] = {}


def rule(service: str) -> Callable[[R], R]:
    """Register what the calls of a service need."""

    def register(needs: R) -> R:
        _rules[service] = needs
        return needs

    return register


def authorize(call: Call) -> None:
    """Raise `AwsError` AccessDenied(Exception) where a policy denies the call, or none allows it."""
    from local_aws.services import iam

    needs = list(_rules.get(call.service, _anything)(call))
    tagging = _TAGGED_WHEN_MADE.get((call.service, call.operation))
    if tagging and (call.params.get("Tags") or call.params.get("tags")):
        needs.append(replace(needs[-1], action=tagging))
    for need in needs:
        if not iam.permitted(
            call.identity, need.action, need.resource,
            owner=need.owner, policies=need.policies, policy_required=need.policy_required,
            extra={"aws:RequestedRegion": call.region, **need.extra},
        ):  # fmt: skip
            code = _REFUSALS.get(call.service, "AccessDeniedException")
            raise iam.denied(call.identity, need.action, need.resource, code)


_REFUSALS = {
    **dict.fromkeys(("cloudwatch", "iam", "s3", "sts"), "AccessDenied"),
    "sns": "AuthorizationError",
}
"""Error codes of refusals ("Common errors" of each API reference)."""

_TAGGED_WHEN_MADE = {
    ("athena", "CreateWorkGroup"): "athena:TagResource", ("glue", "CreateDatabase"): "glue:TagResource",
    ("iam", "CreatePolicy"): "iam:TagPolicy", ("iam", "CreateRole"): "iam:TagRole",
    ("kms", "CreateKey"): "kms:TagResource", ("lambda", "CreateFunction"): "lambda:TagResource",
    ("logs", "CreateLogGroup"): "logs:TagResource",
}  # fmt: skip
"""Making something with tags needs leave to tag it as well (each service, "Tagging resources during creation")."""


@functools.cache
def partition(region: str) -> str:
    """The partition of a region: "aws", "aws-cn" …"""
    return str(get_session().get_partition_for_region(region))


def arn(call: Call, service: str, resource: str, account: str | None = None) -> str:
    """An ARN in the call's region and partition."""
    return f"arn:{partition(call.region)}:{service}:{call.region}:{account or call.account}:{resource}"


def _anything(call: Call) -> Iterator[Need]:
    yield Need(f"{call.service}:{call.operation}", "*")


# ------------------------------------------------------------------------------------------------------- the rules


@rule("sts")
def _sts(_call: Call) -> Iterator[Need]:
    """AssumeRole asks the role's trust as well as the caller's policies: its handler does both."""
    yield from ()


@rule("lakeformation")
def _lakeformation(call: Call) -> Iterator[Need]:
    """Lake Formation's actions have no resource types; registering a location passes its role."""
    yield Need(f"lakeformation:{call.operation}", "*")
    if role := call.params.get("RoleArn"):
        yield Need("iam:PassRole", role, extra={"iam:PassedToService": "lakeformation.amazonaws.com"})


@rule("ram")
def _ram(call: Call) -> Iterator[Need]:
    """By share or invitation, which belong to the account that shares."""
    given = str(call.params.get("resourceShareArn") or call.params.get("resourceShareInvitationArn") or "*")
    owner = given.split(":")[4] if given.count(":") > 4 else call.account
    yield Need(f"ram:{call.operation}", given, extra={"ram:ShareOwnerAccountId": owner})


@rule("iam")
def _iam(call: Call) -> Iterator[Need]:
    from moto.iam.models import iam_backends

    params, base = call.params, f"arn:{partition(call.region)}:iam::{call.account}"
    name = params.get("RoleName")
    role = next((role for role in iam_backends[call.account]["aws"].get_roles() if role.name == name), None)
    boundary = params.get("PermissionsBoundary") or (role.permissions_boundary_arn if role else None)
    extra = {"iam:PermissionsBoundary": boundary} if boundary else {}
    if name and "PolicyArn" in params:
        extra["iam:PolicyARN"] = params["PolicyArn"]
    resource = params.get("PolicyArn", "*")
    if name:
        resource = f"{base}:role{role.path if role else params.get('Path', '/')}{name}"
    elif call.operation == "CreatePolicy":
        resource = f"{base}:policy{params.get('Path', '/')}{params['PolicyName']}"
    yield Need(f"iam:{call.operation}", resource, extra=extra)


@rule("athena")
def _athena(call: Call) -> Iterator[Need]:
    """By workgroup. A call that names only a query execution is judged by its handler, which knows the workgroup."""
    if call.params.keys() & {"QueryExecutionId", "QueryExecutionIds"}:
        return
    name = call.params.get("WorkGroup") or (call.params.get("Name") if call.operation.endswith("WorkGroup") else None)
    if name is None and call.operation == "StartQueryExecution":
        name = "primary"
    resource = arn(call, "athena", f"workgroup/{name}") if name else call.params.get("ResourceARN", "*")
    yield Need(f"athena:{call.operation}", resource)


@rule("logs")
def _logs(call: Call) -> Iterator[Need]:
    """CloudWatch Logs names a log group's resource with its (possibly empty) stream, as in its own refusals."""
    params = call.params
    group = params.get("logGroupName") or params.get("logGroupIdentifier") or ""
    if given := params.get("resourceArn"):
        yield Need(f"logs:{call.operation}", given)
        return
    base = group if group.startswith("arn:") else arn(call, "logs", f"log-group:{group}")
    yield Need(f"logs:{call.operation}", f"{base}:log-stream:{params.get('logStreamName', '')}")


@rule("lambda")
def _lambda(call: Call) -> Iterator[Need]:
    """By function, with the function's own policy; creating one passes its role."""
    from local_aws.services import lambda_  # type: ignore[attr-defined,unused-ignore]

    params = call.params
    action = "lambda:InvokeFunction" if call.operation == "Invoke" else f"lambda:{call.operation}"
    if role := params.get("Role"):
        yield Need("iam:PassRole", role, extra={"iam:PassedToService": "lambda.amazonaws.com"})
    name = params.get("FunctionName") or params.get("Resource")
    if "EventSourceMapping" in call.operation or ":event-source-mapping:" in str(name):
        # By mapping, where it has an id already; the function it invokes is a condition.
        mapping = f"event-source-mapping:{params['UUID']}" if "UUID" in params else None
        extra = {"lambda:FunctionArn": found} if (found := lambda_.mappings.function_of(call)) else {}
        resource = str(name) if params.get("Resource") else arn(call, "lambda", mapping) if mapping else "*"
        yield Need(action, resource, extra=extra)
        if call.operation == "CreateEventSourceMapping" and params.get("Tags"):
            yield Need("lambda:TagResource", arn(call, "lambda", "event-source-mapping:new"))
        return
    if name is None:
        yield Need(action, "*")
        return
    parts = str(name).split(":")
    account = parts[4] if len(parts) > 6 else parts[0] if len(parts) > 2 else call.account
    function = arn(call, "lambda", f"function:{parts[6] if len(parts) > 6 else parts[-1]}", account)
    yield Need(action, function, account, lambda_.policy_statements(function))


_S3_ACTIONS = {
    "HeadObject": "GetObject", "CopyObject": "PutObject", "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject", "CompleteMultipartUpload": "PutObject", "DeleteObjects": "DeleteObject",
    "HeadBucket": "ListBucket", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions", "ListBuckets": "ListAllMyBuckets",
    "GetBucketEncryption": "GetEncryptionConfiguration", "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration", "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock", "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketCors": "GetBucketCORS", "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration", "DeleteBucketTagging": "PutBucketTagging",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
}  # fmt: skip
"""S3 operations whose permission has another name ("Required permissions for Amazon S3 API operations")."""


@rule("s3")
def _s3(call: Call) -> Iterator[Need]:
    """By bucket or object, with the bucket's own policy."""
    from local_aws.services import s3

    params, bucket = call.params, call.params.get("Bucket")
    action = "s3:" + _S3_ACTIONS.get(call.operation, call.operation)
    if bucket is None:
        yield Need(action, "*")
        return
    base = f"arn:{partition(call.region)}:s3:::"
    extra = {f"s3:{name.lower()}": params[name] for name in ("Prefix", "Delimiter") if name in params}
    objects = params.get("Delete", {}).get("Objects") or [params]
    for one in objects:
        key = one.get("Key")
        if call.operation in {"DeleteObject", "DeleteObjects"} and one.get("VersionId"):
            action = "s3:DeleteObjectVersion"
        resource = f"{base}{bucket}" + (f"/{key}" if key else "")
        yield Need(action, resource, s3.owner(bucket), s3.policy_statements(bucket), extra=extra)
    if params.get("Key") and (
        needed := s3.key_needed(call.operation, bucket, params["Key"], params.get("SSEKMSKeyId"))
    ):
        yield _through_s3(call, *needed)
    if source := params.get("CopySource"):
        path = source if isinstance(source, str) else f"{source['Bucket']}/{source['Key']}"
        origin = path.lstrip("/").split("/")[0]
        resource = base + path.lstrip("/").split("?")[0]
        yield Need("s3:GetObject", resource, s3.owner(origin), s3.policy_statements(origin))


def _through_s3(call: Call, action: str, key_arn: str) -> Need:
    """A key that S3 uses for the caller ("Using server-side encryption with AWS KMS keys")."""
    from local_aws.services import kms

    parts = key_arn.split(":")
    extra = {"kms:calleraccount": call.account, "kms:viaservice": f"s3.{parts[3]}.amazonaws.com"}
    return Need(action, key_arn, parts[4], kms.policy_statements(key_arn), policy_required=True, extra=extra)


@rule("kms")
def _kms(call: Call) -> Iterator[Need]:
    """By key: its policy has to allow, whoever asks ("Key policies in AWS KMS")."""
    from local_aws.services import kms

    given = call.params.get("KeyId") or call.params.get("TargetKeyId")
    if given is None and call.operation == "Decrypt":
        given = kms.key_of(call.params["CiphertextBlob"])
    if name := call.params.get("AliasName"):
        yield Need(f"kms:{call.operation}", arn(call, "kms", str(name)))
    tags = {f"aws:RequestTag/{tag['TagKey']}": tag["TagValue"] for tag in call.params.get("Tags") or ()}
    given = given or name  # an alias is changed with leave on its key too ("Controlling access to aliases")
    if given is None:
        yield Need(f"kms:{call.operation}", "*", extra=tags)
        return
    kind = "" if given.startswith("alias/") else "key/"
    key = kms.find(given if given.startswith("arn:") else arn(call, "kms", kind + given))
    if key is not None:  # no such key: the service says so
        extra = {"kms:calleraccount": call.account, **tags, **kms.tags(key)}
        yield Need(
            f"kms:{call.operation}",
            key.arn,
            key.account_id,
            kms.policy_statements(key.arn),
            policy_required=True,
            extra=extra,
        )
