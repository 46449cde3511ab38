"""S3: buckets and what is set on them by resources of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.provider.iam import document_problems
from local_aws.provider.resource import (
    At,
    ResourceType,
    camel,
    declared,
    frozen,
    lower,
    one,
    pascal,
    register,
    tag_list,
    unless,
)
from local_aws.provider.schema import Problem
from local_aws.provider.values import Properties

GONE = ("NoSuchBucket", "404")
_FIRST_REGION = "us-east-1"  # the one region that CreateBucket's LocationConstraint may not name


@register
class Bucket(ResourceType):
    kind = "aws:s3/bucket:Bucket"
    supported = frozenset({"bucket", "forceDestroy", "tags"})
    defaults = frozen(forceDestroy=False)
    immutable = frozenset({"bucket"})
    named = "bucket"
    completed = frozenset({"tagsAll"})
    longest_name = 63

    def generated(self, name: str) -> str:
        return lower(name)

    def create(self, at: At) -> str:
        where = (
            {}
            if at.aws.region == _FIRST_REGION
            else {"CreateBucketConfiguration": {"LocationConstraint": at.aws.region}}
        )
        at.client("s3").create_bucket(Bucket=at.inputs["bucket"], **where)
        return str(at.inputs["bucket"])

    def configure(self, at: At) -> None:
        tags = at.tags
        if tags:
            at.client("s3").put_bucket_tagging(Bucket=at.id, Tagging={"TagSet": tag_list(tags)})

    def read(self, at: At) -> Properties | None:
        found = unless(GONE, lambda: at.client("s3").head_bucket(Bucket=at.id))
        if found is None:
            return None
        return {
            "arn": f"arn:{at.aws.partition}:s3:::{at.id}",
            "bucket": at.id,
            "bucketDomainName": f"{at.id}.s3.amazonaws.com",
            "bucketRegion": at.aws.region,
            "bucketRegionalDomainName": f"{at.id}.s3.{at.aws.region}.amazonaws.com",
        }

    def update(self, at: At) -> None:
        tags = at.tags
        if tags:
            at.client("s3").put_bucket_tagging(Bucket=at.id, Tagging={"TagSet": tag_list(tags)})
        elif at.state.get("tagsAll"):
            at.client("s3").delete_bucket_tagging(Bucket=at.id)

    def delete(self, at: At) -> None:
        s3 = at.client("s3")
        if at.state.get("forceDestroy"):
            unless(GONE, lambda: self._empty(s3, at.id))
        unless(GONE, lambda: s3.delete_bucket(Bucket=at.id))

    @staticmethod
    def _empty(s3: Any, bucket: str) -> None:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for kind in ("Versions", "DeleteMarkers"):
                objects = [{"Key": o["Key"], "VersionId": o["VersionId"]} for o in page.get(kind) or []]
                if objects:
                    s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})


class _OfBucket(ResourceType):
    """Something that is set on a bucket: put, got and deleted by its name. Its id is the bucket."""

    immutable = frozenset({"bucket"})
    put: str
    get: str
    remove: str
    absent: tuple[str, ...]

    def found(self, known: Properties, answer: Mapping[str, Any]) -> Properties:
        """What S3 answered, as inputs."""
        raise NotImplementedError

    def request(self, inputs: Properties) -> dict[str, Any]:
        raise NotImplementedError

    def create(self, at: At) -> str:
        getattr(at.client("s3"), self.put)(Bucket=at.inputs["bucket"], **self.request(at.inputs))
        return str(at.inputs["bucket"])

    def read(self, at: At) -> Properties | None:
        call = getattr(at.client("s3"), self.get)
        found = unless((*GONE, *self.absent), lambda: call(Bucket=at.id))
        return None if found is None else {"bucket": at.id, **self.found({**at.inputs, **at.state}, found)}

    def update(self, at: At) -> None:
        self.create(at)

    def delete(self, at: At) -> None:
        call = getattr(at.client("s3"), self.remove)
        unless((*GONE, *self.absent), lambda: call(Bucket=at.id))


@register
class BucketPublicAccessBlock(_OfBucket):
    kind = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    supported = frozenset(
        {"blockPublicAcls", "blockPublicPolicy", "bucket", "ignorePublicAcls", "restrictPublicBuckets"}
    )
    defaults = dict.fromkeys(
        ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), False
    )
    put, get, remove = "put_public_access_block", "get_public_access_block", "delete_public_access_block"
    absent = ("NoSuchPublicAccessBlockConfiguration",)

    def request(self, inputs: Properties) -> dict[str, Any]:
        return {"PublicAccessBlockConfiguration": {pascal_key(key): inputs[key] for key in self.defaults}}

    def found(self, known: Properties, answer: Mapping[str, Any]) -> Properties:  # noqa: ARG002 - all of it is known
        return dict(camel(answer["PublicAccessBlockConfiguration"]))


def pascal_key(key: str) -> str:
    return key[:1].upper() + key[1:]


@register
class BucketOwnershipControls(_OfBucket):
    kind = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    supported = frozenset({"bucket", "rule"})
    put, get, remove = (
        "put_bucket_ownership_controls",
        "get_bucket_ownership_controls",
        "delete_bucket_ownership_controls",
    )
    absent = ("OwnershipControlsNotFoundError",)

    def request(self, inputs: Properties) -> dict[str, Any]:
        return {"OwnershipControls": {"Rules": [pascal(one(inputs["rule"]))]}}

    def found(self, known: Properties, answer: Mapping[str, Any]) -> Properties:
        return {"rule": declared(known.get("rule"), camel(answer["OwnershipControls"]["Rules"][0]))}


@register
class BucketServerSideEncryptionConfiguration(_OfBucket):
    kind = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    supported = frozenset({"bucket", "rules"})
    put, get, remove = "put_bucket_encryption", "get_bucket_encryption", "delete_bucket_encryption"
    absent = ("ServerSideEncryptionConfigurationNotFoundError",)

    def request(self, inputs: Properties) -> dict[str, Any]:
        rules = []
        for rule in inputs["rules"]:
            default = one(rule.get("applyServerSideEncryptionByDefault"))
            wanted = {"SSEAlgorithm": default.get("sseAlgorithm")}
            if default.get("kmsMasterKeyId"):
                wanted["KMSMasterKeyID"] = default["kmsMasterKeyId"]
            rules.append(
                {
                    "ApplyServerSideEncryptionByDefault": wanted,
                    "BucketKeyEnabled": bool(rule.get("bucketKeyEnabled")),
                }
            )
        return {"ServerSideEncryptionConfiguration": {"Rules": rules}}

    def found(self, known: Properties, answer: Mapping[str, Any]) -> Properties:
        rules = []
        for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
            default = rule.get("ApplyServerSideEncryptionByDefault") or {}
            by = {"sseAlgorithm": default.get("SSEAlgorithm"), "kmsMasterKeyId": default.get("KMSMasterKeyID")}
            rules.append({"applyServerSideEncryptionByDefault": by, "bucketKeyEnabled": rule.get("BucketKeyEnabled")})
        return {"rules": declared(known.get("rules"), rules)}


@register
class BucketLifecycleConfiguration(_OfBucket):
    kind = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    supported = frozenset({"bucket", "rules"})
    put, get, remove = (
        "put_bucket_lifecycle_configuration",
        "get_bucket_lifecycle_configuration",
        "delete_bucket_lifecycle",
    )
    absent = ("NoSuchLifecycleConfiguration",)

    def request(self, inputs: Properties) -> dict[str, Any]:
        rules = []
        for rule in inputs["rules"]:
            filtered = {"Filter": pascal(one(rule["filter"])) or {"Prefix": ""}} if "filter" in rule else {}
            blocks = {
                pascal_key(key): pascal(one(rule[key]))
                for key in ("abortIncompleteMultipartUpload", "expiration", "noncurrentVersionExpiration")
                if rule.get(key)
            }
            rules.append({"ID": rule["id"], "Status": rule["status"], **filtered, **blocks})
        return {"LifecycleConfiguration": {"Rules": rules}}

    def found(self, known: Properties, answer: Mapping[str, Any]) -> Properties:
        rules = [{**camel(rule), "id": rule.get("ID")} for rule in answer["Rules"]]
        return {"rules": declared(known.get("rules"), rules)}


@register
class BucketPolicy(_OfBucket):
    kind = "aws:s3/bucketPolicy:BucketPolicy"
    supported = frozenset({"bucket", "policy"})
    documents = frozenset({"policy"})
    put, get, remove = "put_bucket_policy", "get_bucket_policy", "delete_bucket_policy"
    absent = ("NoSuchBucketPolicy",)

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        return document_problems(inputs, "policy")

    def request(self, inputs: Properties) -> dict[str, Any]:
        return {"Policy": inputs["policy"]}

    def found(self, known: Properties, answer: Mapping[str, Any]) -> Properties:  # noqa: ARG002 - text is all there is
        return {"policy": answer["Policy"]}
