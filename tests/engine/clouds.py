"""What a local AWS holds, as text that two of them can be compared by: names kept, generated ids and times left out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from lakemesh.declarations.models import Declarations
from lakemesh.demo.clients import Clients

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.+\d:]*")
# A name that the provider generated, with its random end; and ids of IAM.
_GENERATED = re.compile(r"-[0-9a-f]{7}(?=[\"/:])|\bA[KIRN][A-Z0-9]{14,}\b")
_TIMES = {
    "CreateTime", "UpdateTime", "CreateDate", "CreationTime", "LastModified", "LastUpdated", "creationTime", "CreationDate",
    "lastUpdatedTime", "LastAccessTime", "RevisionId", "UserId", "RoleLastUsed", "storedBytes", "LastUpdatedBy", "ETag",
    "RoleId", "PolicyId", "KeyId", "associationTime", "CreatedBy", "CreationTimestamp", "VersionId", "CreatedDate", "UpdatedDate",
}  # fmt: skip


def dump(declarations: Declarations, clients: Clients) -> dict[str, list[str]]:
    """Every account of a mesh: lines by account and service, sorted."""
    mesh = declarations.mesh
    accounts = {mesh.central.account}
    accounts |= {entry.account for group in (mesh.producers, mesh.consumers) for entry in group.values()}
    return {
        f"{account} {name}": sorted(
            _line(one, clients.endpoint) for one in read(lambda service, of=account: clients.root(service, of))
        )
        for account in sorted(accounts)
        for name, read in _READERS.items()
    }


def _line(value: Any, endpoint: str) -> str:
    text = json.dumps(_timeless(value), sort_keys=True, default=str).replace(endpoint, "<endpoint>")
    return _GENERATED.sub("-<generated>", _UUID.sub("<id>", _TIME.sub("<time>", text)))


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(member) for key, member in value.items() if key not in _TIMES | {"ResponseMetadata"}}
    if isinstance(value, list):
        return sorted(
            (_timeless(member) for member in value), key=lambda one: json.dumps(one, sort_keys=True, default=str)
        )
    if isinstance(value, str) and value.startswith("{"):
        try:
            return _timeless(json.loads(value))
        except ValueError:
            return value
    return value


Client = Callable[[str], Any]


def _or_none(call: Callable[[], Any]) -> Any:
    """What is there, or the code with which AWS says that nothing is."""
    try:
        return call()
    except ClientError as error:
        return error.response["Error"]["Code"]


def _lake_formation(client: Client) -> Iterator[Any]:
    lake = client("lakeformation")
    yield lake.get_data_lake_settings()["DataLakeSettings"]
    for page in _pages(lake.list_lf_tags, "LFTags"):
        yield page
    for page in _pages(lake.list_permissions, "PrincipalResourcePermissions"):
        yield page
    for page in _pages(lake.list_resources, "ResourceInfoList"):
        yield page


def _pages(call: Callable[..., Any], member: str) -> Iterator[Any]:
    token: dict[str, str] = {}
    while True:
        answer = call(**token)
        yield from answer[member]
        if not answer.get("NextToken"):
            return
        token = {"NextToken": answer["NextToken"]}


def _glue(client: Client) -> Iterator[Any]:
    glue, lake = client("glue"), client("lakeformation")
    yield _or_none(lambda: json.loads(glue.get_resource_policy()["PolicyInJson"]))
    yield _or_none(glue.get_data_catalog_encryption_settings)
    for database in _pages(glue.get_databases, "DatabaseList"):
        yield database
        if database.get("TargetDatabase"):
            continue
        for table in _pages(lambda of=database["Name"], **kw: glue.get_tables(DatabaseName=of, **kw), "TableList"):
            yield table
            where = {"Table": {"DatabaseName": database["Name"], "Name": table["Name"]}}
            yield [database["Name"], table["Name"], _or_none(lambda at=where: lake.get_resource_lf_tags(Resource=at))]


def _iam(client: Client) -> Iterator[Any]:
    iam = client("iam")
    for page in iam.get_paginator("list_roles").paginate():
        for listed in page["Roles"]:
            name = listed["RoleName"]
            yield iam.get_role(RoleName=name)["Role"]
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                yield iam.get_role_policy(RoleName=name, PolicyName=policy)
            for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
                policy = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]
                version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
                yield [name, policy["Arn"], version["PolicyVersion"]["Document"]]


def _s3(client: Client) -> Iterator[Any]:
    s3 = client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        for get in (
            "get_bucket_policy", "get_bucket_encryption", "get_bucket_lifecycle_configuration", "get_bucket_tagging",
            "get_bucket_ownership_controls", "get_public_access_block",
        ):  # fmt: skip
            yield [name, get, _or_none(lambda call=get, of=name: getattr(s3, call)(Bucket=of))]


def _kms(client: Client) -> Iterator[Any]:
    kms = client("kms")
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            known = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
            yield [known["Description"], known["KeyState"], policy, kms.get_key_rotation_status(KeyId=key["KeyId"])]
    yield [alias["AliasName"] for alias in kms.list_aliases()["Aliases"]]


def _lambda(client: Client) -> Iterator[Any]:
    functions = client("lambda")
    for page in functions.get_paginator("list_functions").paginate():
        yield from page["Functions"]


def _others(client: Client) -> Iterator[Any]:
    yield from client("logs").describe_log_groups()["logGroups"]
    athena = client("athena")
    for group in athena.list_work_groups()["WorkGroups"]:
        yield athena.get_work_group(WorkGroup=group["Name"])["WorkGroup"]
    ram = client("ram")
    for owner in ("SELF", "OTHER-ACCOUNTS"):
        for share in ram.get_resource_shares(resourceOwner=owner)["resourceShares"]:
            yield [owner, share["owningAccountId"], share["status"]]


_READERS: dict[str, Callable[[Client], Iterator[Any]]] = {
    "lakeformation": _lake_formation,
    "glue": _glue,
    "iam": _iam,
    "s3": _s3,
    "kms": _kms,
    "lambda": _lambda,
    "others": _others,
}
