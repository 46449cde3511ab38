"""S3: buckets and objects are moto's; bucket policies are judged here, and services read and write through an identity.

Sources (S3 user guide): "How Amazon S3 authorizes a request", "Policies and permissions in Amazon S3", "Protecting data
using server-side encryption with AWS KMS keys" (a reader needs kms:Decrypt, a writer kms:GenerateDataKey).
"""

from __future__ import annotations

from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket, S3Backend, s3_backends

from local_aws.services import iam, kms, policy
from local_aws.services.calls import LOCK, AwsError, Call, allow, operation
from local_aws.services.identity import Identity

allow(
    "s3",
    "CreateBucket", "DeleteBucket", "HeadBucket", "ListBuckets", "GetBucketLocation",
    "PutObject", "GetObject", "HeadObject", "DeleteObject", "DeleteObjects", "CopyObject",
    "ListObjects", "ListObjectsV2", "ListObjectVersions",
    "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload",
    "GetBucketPolicy", "DeleteBucketPolicy", "PutPublicAccessBlock", "GetPublicAccessBlock", "DeletePublicAccessBlock",
    "PutBucketEncryption", "GetBucketEncryption", "DeleteBucketEncryption",
    "PutBucketLifecycleConfiguration", "GetBucketLifecycleConfiguration", "DeleteBucketLifecycle",
    "PutBucketOwnershipControls", "GetBucketOwnershipControls", "DeleteBucketOwnershipControls",
    "PutBucketTagging", "GetBucketTagging", "DeleteBucketTagging", "PutBucketVersioning", "GetBucketVersioning",
    # What the real provider asks about every bucket it reads back.
    "GetBucketAcl", "GetBucketCors", "GetBucketWebsite", "GetBucketAccelerateConfiguration", "GetBucketRequestPayment",
    "GetBucketLogging", "GetBucketReplication", "GetObjectLockConfiguration",
)  # fmt: skip


def _moto_leaves_bucket_policies_alone(_bucket: FakeBucket, _action: str, _resource: str) -> PermissionResult:
    """moto refuses whatever any Deny covers, whoever asks and on what condition; `allowed` judges instead."""
    return PermissionResult.NEUTRAL


FakeBucket.get_permission = _moto_leaves_bucket_policies_alone


def owner(bucket: str) -> str | None:
    """The account a bucket belongs to; None: there is no such bucket."""
    found = s3_backends.bucket_accounts.get(bucket)
    return found[1] if found else None


def _backend(bucket: str) -> S3Backend:
    account = owner(bucket)
    if account is None:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
    return s3_backends[account]["aws"]


def policy_statements(bucket: str) -> iam.Statements:
    """The statements of a bucket's policy; none where there is no policy, or no bucket."""
    account = owner(bucket)
    document = s3_backends[account]["aws"].get_bucket_policy(bucket) if account else None
    return tuple(policy.parse(document.decode() if isinstance(document, bytes) else document))


def allowed(identity: Identity, action: str, bucket: str, key: str = "", **extra: str) -> bool:
    """Whether `identity` may do `action` ("s3:GetObject") on a bucket or `key` in it, by both sides' policies."""
    account = owner(bucket)
    resource = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
    return account is not None and iam.permitted(
        identity, action, resource, owner=account, policies=policy_statements(bucket), extra=extra
    )


def _require(identity: Identity, action: str, bucket: str, key: str = "", **extra: str) -> None:
    if not allowed(identity, action, bucket, key, **extra):
        raise iam.denied(identity, action, f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else ""), "AccessDenied")


def key_of(bucket: str, key: str) -> str | None:
    """ARN of the KMS key that an object is encrypted with; None: with none, or there is no such object."""
    account = owner(bucket)
    stored = s3_backends[account]["aws"].get_object(bucket, key) if account else None
    return _key_arn(bucket, stored.kms_key_id) if stored is not None and stored.encryption == "aws:kms" else None


def default_key(bucket: str) -> str | None:
    """ARN of the KMS key that a bucket encrypts new objects with; None: with none."""
    account = owner(bucket)
    encryption = s3_backends[account]["aws"].get_bucket(bucket).encryption if account else None
    chosen = (encryption or {}).get("Rule", {}).get("ApplyServerSideEncryptionByDefault", {})
    return _key_arn(bucket, chosen.get("KMSMasterKeyID")) if chosen.get("SSEAlgorithm") == "aws:kms" else None


def _key_arn(bucket: str, key_id: str | None) -> str | None:
    """A key's ARN: one given by its id or alias alone is the bucket owner's, in the bucket's region."""
    if not key_id or key_id.startswith("arn:"):
        return key_id
    account = str(owner(bucket))
    region = s3_backends[account]["aws"].get_bucket(bucket).region_name
    return f"arn:aws:kms:{region}:{account}:{key_id if key_id.startswith('alias/') else f'key/{key_id}'}"


def key_needed(operation: str, bucket: str, key: str, given: str | None) -> tuple[str, str] | None:
    """(action, key ARN) that a call on an object needs besides S3's own; `given` is the key that the call names."""
    if operation in {"GetObject", "HeadObject"}:
        found = key_of(bucket, key)
        return ("kms:Decrypt", found) if found else None
    if operation in {"PutObject", "CopyObject", "CreateMultipartUpload"}:
        found = _key_arn(bucket, given) or default_key(bucket)
        return ("kms:GenerateDataKey", found) if found else None
    return None


def _require_key(identity: Identity, action: str, key_arn: str | None) -> None:
    if key_arn is not None and not kms.may(identity, action, key_arn, via="s3"):
        raise iam.denied(identity, action, key_arn, "AccessDenied")


def keys(identity: Identity, bucket: str, prefix: str) -> list[tuple[str, str]]:
    """(key, etag) of each object under `prefix`, sorted. Raises AwsError AccessDenied or NoSuchBucket."""
    backend = _backend(bucket)
    _require(identity, "s3:ListBucket", bucket, **{"s3:prefix": prefix})
    with LOCK:  # moto changes it under this lock
        found = backend.get_bucket(bucket).keys
        return sorted((name, found[name].etag) for name in found if name.startswith(prefix))


def read(identity: Identity, bucket: str, key: str) -> bytes:
    """An object's bytes, as `identity`. Raises AwsError AccessDenied, NoSuchBucket or NoSuchKey."""
    backend = _backend(bucket)
    check_read(identity, bucket, key)
    stored = backend.get_object(bucket, key)
    if stored is None:
        raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
    return bytes(stored.value)


def check_read(identity: Identity, bucket: str, key: str) -> None:
    """Raise AwsError AccessDenied unless `identity` may read an object, and decrypt with its KMS key."""
    _require(identity, "s3:GetObject", bucket, key)
    _require_key(identity, "kms:Decrypt", key_of(bucket, key))


def write(identity: Identity, bucket: str, key: str, data: bytes) -> None:
    """Put an object as `identity`. Raises AwsError AccessDenied or NoSuchBucket."""
    backend = _backend(bucket)
    _require(identity, "s3:PutObject", bucket, key)
    _require_key(identity, "kms:GenerateDataKey", default_key(bucket))
    backend.put_object(bucket, key, data)


@operation("s3", "PutBucketPolicy", exclusive=True)
def put_bucket_policy(call: Call) -> None:
    """Replace a bucket's policy, which may only name principals that exist and resources of this bucket."""
    bucket, document = call.params["Bucket"], call.params["Policy"]
    backend = _backend(bucket)
    own = f"arn:aws:s3:::{bucket}"
    for statement in iam.check_document(document, "MalformedPolicy", "Invalid principal in policy"):
        resources = statement.get("Resource", statement.get("NotResource", ()))
        for resource in [resources] if isinstance(resources, str) else resources:
            if resource != own and not resource.startswith(f"{own}/"):
                raise AwsError("MalformedPolicy", "Policy has invalid resource")
    backend.put_bucket_policy(bucket, document.encode())


@operation("s3", "GetBucketPolicyStatus")
def get_bucket_policy_status(call: Call) -> dict[str, Any]:
    """Whether the policy makes the bucket public: an Allow to everyone without a condition."""
    statements = policy_statements(call.params["Bucket"])
    if not statements:
        raise AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
    everyone: tuple[Any, ...] = ("*", {"AWS": "*"}, {"AWS": ["*"]})
    public = any(
        statement.get("Effect") == "Allow" and statement.get("Principal") in everyone and not statement.get("Condition")
        for statement in statements
    )
    return {"PolicyStatus": {"IsPublic": public}}
