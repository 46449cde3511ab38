"""DynamoDB: moto's tables, with IAM asked by table and index, their keys asked, and expiry by the clock.

Sources: service authorization reference, "Amazon DynamoDB" (actions of batches and transactions); DynamoDB developer
guide, "DynamoDB encryption at rest: usage notes" and "Managing encrypted tables" (what a customer managed key must
allow), "Using time to live" (expired items stay readable until they are deleted, within a few days), "Using deletion
protection"; API reference, CreateTable.
On-demand tables alone: capacity, streams, replicas, table classes and resource policies are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table

from local_aws.services import authorize, clock, front, kms
from local_aws.services.authorize import Need
from local_aws.services.calls import LOCK, AwsError, Call, allow, not_implemented, operation

allow(
    "dynamodb",
    "DescribeTable", "DeleteTable", "ListTables", "TagResource", "UntagResource", "ListTagsOfResource",
    "UpdateContinuousBackups", "DescribeContinuousBackups", "DescribeTimeToLive", "UpdateTimeToLive",
    "GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan",
    "BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems",
)  # fmt: skip

_MADE_WITH = frozenset({
    "TableName", "KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "LocalSecondaryIndexes",
    "SSESpecification", "Tags", "DeletionProtectionEnabled",
})  # fmt: skip
_CHANGED_WITH = frozenset({"TableName", "BillingMode", "SSESpecification", "DeletionProtectionEnabled"})
_ITEMS = frozenset({"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"})
_TRANSACTED = {"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem",
               "ConditionCheck": "ConditionCheckItem"}  # fmt: skip
# What DynamoDB does with a customer managed key in the name of whoever gives it to a table, and of whoever uses items.
_GIVES_KEY = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
_USES_KEY = ("kms:Decrypt",)
EXPIRY_LAG = 48 * 3600
"""Seconds after which an expired item is deleted: AWS promises "within a few days", so readers have to filter."""
Uses = Iterator[tuple[str, str, str | None]]
"""(action, table's name or ARN, index) of a call."""


def find(call: Call, name: str) -> Table | None:
    """A table of the caller's account, by name or ARN."""
    found: Table | None = dynamodb_backends[call.account][call.region].tables.get(name.rpartition("/")[2])
    return found


def key_of(table: Table) -> str | None:
    """ARN of the customer managed key that a table is encrypted with."""
    specification = table.sse_specification or {}
    return specification.get("KMSMasterKeyId") if specification.get("Enabled") else None


def _uses(call: Call) -> Uses:
    """The tables whose items a call reads or writes."""
    params = call.params
    if call.operation in _ITEMS:
        yield call.operation, params["TableName"], params.get("IndexName")
    elif call.operation in {"BatchGetItem", "BatchWriteItem"}:
        for name in params["RequestItems"]:
            yield call.operation, name, None
    else:
        for item in params["TransactItems"]:
            for kind, given in item.items():
                yield _TRANSACTED[kind], given["TableName"], None


@authorize.rule("dynamodb")
def needs(call: Call) -> Iterator[Need]:
    """By table or index; using items of an encrypted table, or giving it its key, takes that key."""
    params = call.params
    if "RequestItems" in params or "TransactItems" in params or call.operation in _ITEMS:
        for action, name, index in _uses(call):
            table = find(call, name)
            if table is not None:
                expire(table)
            arn = _arn(call, name)
            yield Need(f"dynamodb:{action}", f"{arn}/index/{index}" if index else arn)
            if table is not None and (key := key_of(table)):
                yield from _key_needs(call, key, _USES_KEY)
        return
    given_name = params.get("ResourceArn") or params.get("TableName")
    yield Need(f"dynamodb:{call.operation}", _arn(call, given_name) if given_name else "*")
    if call.operation == "CreateTable" and params.get("Tags"):
        yield Need("dynamodb:TagResource", _arn(call, params["TableName"]))
    given = (params.get("SSESpecification") or {}).get("KMSMasterKeyId")
    if given:
        yield from _key_needs(call, _key(call, given), _GIVES_KEY)


def _arn(call: Call, name: str) -> str:
    return name if name.startswith("arn:") else authorize.arn(call, "dynamodb", f"table/{name}")


def _key_needs(call: Call, key: str, actions: tuple[str, ...]) -> Iterator[Need]:
    found = kms.find(key)
    extra = {
        "kms:calleraccount": call.account, "kms:viaservice": f"dynamodb.{call.region}.amazonaws.com",
        "kms:grantisforawsresource": "true", **(kms.tags(found) if found else {}),
    }  # fmt: skip
    for action in actions:
        yield Need(
            action, key, key.split(":")[4], kms.policy_statements(key), policy_required=True, extra=extra
        )  # fmt: skip


def _key(call: Call, given: str) -> str:
    """ARN of a key that is named by its id, alias or ARN. Raises AwsError where there is none that works."""
    kind = "" if re.match(r"(alias|key)/", given) else "key/"
    found = kms.find(given if given.startswith("arn:") else authorize.arn(call, "kms", kind + given))
    if found is None or found.key_state != "Enabled":
        text = f"One or more parameter values were invalid: the KMS key {given} does not exist or is not enabled"
        raise AwsError("ValidationException", text)
    return str(found.arn)


def _encryption(call: Call) -> dict[str, Any] | None:
    """The SSESpecification of a call with its key's ARN. Raises AwsError."""
    given: Mapping[str, Any] | None = call.params.get("SSESpecification")
    if given is None:
        return None
    if not given.get("Enabled"):
        if given.get("KMSMasterKeyId"):
            raise AwsError("ValidationException", "One or more parameter values were invalid: a key without Enabled")
        return {"Enabled": False}
    if not given.get("KMSMasterKeyId"):
        raise not_implemented("dynamodb", "a table under the AWS managed key aws/dynamodb")
    return {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": _key(call, given["KMSMasterKeyId"])}


def _only(call: Call, known: frozenset[str]) -> None:
    if unknown := sorted(call.params.keys() - known):
        raise not_implemented("dynamodb", f"{call.operation} with {', '.join(unknown)}")
    if call.params.get("BillingMode", "PAY_PER_REQUEST") != "PAY_PER_REQUEST":
        raise not_implemented("dynamodb", f"{call.operation} with a BillingMode other than PAY_PER_REQUEST")


@operation("dynamodb", "CreateTable", exclusive=True)
def create_table(call: Call) -> dict[str, Any]:
    _only(call, _MADE_WITH)
    if "BillingMode" not in call.params:
        raise not_implemented("dynamodb", "CreateTable without a BillingMode: provisioned capacity")
    encryption = _encryption(call)
    answer = front.ask_moto(call)
    table = find(call, call.params["TableName"])
    if table is not None:
        table.sse_specification = encryption
        answer["TableDescription"] = table.describe()["TableDescription"]
    return answer


@operation("dynamodb", "UpdateTable", exclusive=True)
def update_table(call: Call) -> dict[str, Any]:
    """Changes the key too, which moto leaves as it was."""
    _only(call, _CHANGED_WITH)
    encryption = _encryption(call)
    answer = front.ask_moto(call)
    table = find(call, call.params["TableName"])
    if table is not None and encryption is not None:
        table.sse_specification = encryption
        answer["TableDescription"] = table.describe()["TableDescription"]
    return answer


def expire(table: Table) -> None:
    """Delete what expired long enough ago; an item without a number in the attribute never expires."""
    attribute = table.ttl.get("AttributeName")
    if table.ttl.get("TimeToLiveStatus") != "ENABLED" or not attribute:
        return
    with LOCK:
        for item in table.all_items():
            value = item.attrs.get(attribute)
            if value is not None and value.type == "N" and float(value.value) + EXPIRY_LAG < clock.now():
                table.delete_item(item.hash_key, item.range_key)
