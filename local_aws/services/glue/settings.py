"""A catalog's encryption settings and resource policy, and tags.

Sources: Glue API reference "Security configurations", "Resource policies" (PolicyExistsCondition, PolicyHashCondition),
"Tagging"; only databases can be tagged here.
"""

from __future__ import annotations

import hashlib
from typing import Any

from local_aws.services.calls import AwsError, Call, operation
from local_aws.services.glue import access, store
from local_aws.services.glue.databases import refuse
from local_aws.services.glue.store import Catalog, Database

_NEVER_PUT = {
    "EncryptionAtRest": {"CatalogEncryptionMode": "DISABLED"},
    "ConnectionPasswordEncryption": {"ReturnConnectionPasswordEncrypted": False},
}


def _own(call: Call) -> Catalog:
    """The caller's own catalog: these settings are its owner's alone."""
    access.named(call, "")
    if call.catalog != call.account:
        raise AwsError("AccessDeniedException", f"{call.identity.arn} may not {call.operation} of {call.catalog}.")
    return store.catalog(call.catalog, call.region)


@operation("glue", "GetDataCatalogEncryptionSettings")
def get_encryption(call: Call) -> dict[str, Any]:
    return {"DataCatalogEncryptionSettings": _NEVER_PUT | _own(call).encryption}


@operation("glue", "PutDataCatalogEncryptionSettings", exclusive=True)
def put_encryption(call: Call) -> None:
    _own(call).encryption = call.params["DataCatalogEncryptionSettings"]


@operation("glue", "GetResourcePolicy")
def get_policy(call: Call) -> dict[str, Any]:
    refuse(call, "ResourceArn")
    found = _own(call).policy
    if not found:
        raise AwsError("EntityNotFoundException", "Policy not found")
    return found


@operation("glue", "PutResourcePolicy", exclusive=True)
def put_policy(call: Call) -> dict[str, Any]:
    from local_aws.services import iam

    refuse(call, "ResourceArn")
    catalog, params = _own(call), call.params
    text = params["PolicyInJson"]
    iam.check_document(text, "InvalidInputException")
    condition = params.get("PolicyExistsCondition", "NONE")
    if (condition == "MUST_EXIST" and not catalog.policy) or (condition == "NOT_EXIST" and catalog.policy):
        raise AwsError("ConditionCheckFailureException", f"Policy condition {condition} is not met.")
    _check_hash(call, catalog)
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    created = catalog.policy.get("CreateTime", store.now())
    catalog.policy = {"PolicyInJson": text, "PolicyHash": digest, "CreateTime": created, "UpdateTime": store.now()}
    return {"PolicyHash": digest}


@operation("glue", "DeleteResourcePolicy", exclusive=True)
def delete_policy(call: Call) -> None:
    refuse(call, "ResourceArn")
    catalog = _own(call)
    if not catalog.policy:
        raise AwsError("EntityNotFoundException", "Policy not found")
    _check_hash(call, catalog)
    catalog.policy = {}


def _check_hash(call: Call, catalog: Catalog) -> None:
    wanted = call.params.get("PolicyHashCondition")
    if wanted is not None and wanted != catalog.policy.get("PolicyHash"):
        raise AwsError("ConditionCheckFailureException", "Policy hash condition is not met.")


def _tagged(call: Call) -> Database:
    parts = call.params["ResourceArn"].split(":", 5)
    kind, _, name = parts[-1].partition("/")
    if len(parts) != 6 or kind != "database":
        raise AwsError("InvalidInputException", f"{call.params['ResourceArn']} is not the ARN of a database.")
    found = store.catalog(parts[4], parts[3]).databases.get(name) if parts[4] == call.account else None
    if found is None:
        raise AwsError("EntityNotFoundException", f"Database {name} not found.")
    return found


@operation("glue", "GetTags")
def get_tags(call: Call) -> dict[str, Any]:
    return {"Tags": dict(_tagged(call).tags)}


@operation("glue", "TagResource", exclusive=True)
def tag_resource(call: Call) -> None:
    _tagged(call).tags.update(call.params["TagsToAdd"])


@operation("glue", "UntagResource", exclusive=True)
def untag_resource(call: Call) -> None:
    tags = _tagged(call).tags
    for key in call.params["TagsToRemove"]:
        tags.pop(key, None)
