"""Tables: who may use them and their key, conditions that hold, expiry by the clock that tests move on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.services import clock, dynamodb
from tests.local_aws.conftest import ACCOUNT, REGION, Clients

TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/state"
TRUST = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
})  # fmt: skip


def item(name: str, **more: Any) -> dict[str, Any]:
    return {"twin": {"S": "db"}, "item": {"S": name}, **more}


def code(call: Callable[..., Any], **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def made(client: Clients, **more: Any) -> Any:
    client("dynamodb").create_table(
        TableName="state", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "twin", "KeyType": "HASH"}, {"AttributeName": "item", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("twin", "item")], **more,
    )  # fmt: skip
    return client("dynamodb")


def worker(client: Clients, *statements: dict[str, Any]) -> Any:
    arn = client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    allowed = [{"Effect": "Allow", **each} for each in statements]
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    client("iam").put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=document)
    return client.role(arn, "dynamodb")


def test_a_table_answers_who_its_policies_let_use_it(client: Clients) -> None:
    made(client)
    db = worker(client, {"Action": ["dynamodb:PutItem", "dynamodb:BatchWriteItem"], "Resource": TABLE})
    db.put_item(TableName="state", Item=item("a"))
    db.batch_write_item(RequestItems={"state": [{"PutRequest": {"Item": item("b")}}]})
    assert code(db.get_item, TableName="state", Key=item("a")) == "AccessDeniedException"
    assert code(db.batch_get_item, RequestItems={"state": {"Keys": [item("a")]}}) == "AccessDeniedException"
    assert code(db.scan, TableName="state") == "AccessDeniedException"


def test_another_table_is_not_covered(client: Clients) -> None:
    made(client)
    db = worker(client, {"Action": "dynamodb:*", "Resource": f"{TABLE}s"})
    assert code(db.put_item, TableName="state", Item=item("a")) == "AccessDeniedException"


def test_a_transaction_needs_the_action_of_each_of_its_items(client: Clients) -> None:
    made(client)
    db = worker(client, {"Action": "dynamodb:PutItem", "Resource": TABLE})
    put = {"Put": {"TableName": "state", "Item": item("a")}}
    check = {"ConditionCheck": {
        "TableName": "state", "Key": item("b"), "ConditionExpression": "attribute_not_exists(twin)",
    }}  # fmt: skip
    db.transact_write_items(TransactItems=[put])
    assert code(db.transact_write_items, TransactItems=[put, check]) == "AccessDeniedException"


def test_a_transaction_whose_condition_fails_writes_nothing(client: Clients) -> None:
    db = made(client)
    db.put_item(TableName="state", Item=item("b"))
    put = {"Put": {"TableName": "state", "Item": item("a")}}
    check = {"ConditionCheck": {
        "TableName": "state", "Key": item("b"), "ConditionExpression": "attribute_not_exists(twin)",
    }}  # fmt: skip
    assert code(db.transact_write_items, TransactItems=[put, check]) == "TransactionCanceledException"
    assert "Item" not in db.get_item(TableName="state", Key=item("a"))


def test_the_tables_key_is_needed_from_whoever_uses_its_items(client: Clients) -> None:
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    made(client, SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key})
    everything = {"Action": "dynamodb:*", "Resource": TABLE}
    db = worker(client, everything)
    assert code(db.put_item, TableName="state", Item=item("a")) == "AccessDeniedException"
    through = {"StringEquals": {"kms:ViaService": f"dynamodb.{REGION}.amazonaws.com"}}
    document = [
        {"Effect": "Allow", **everything},
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key, "Condition": through},
    ]
    client("iam").put_role_policy(
        RoleName="worker", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": document})
    )
    db.put_item(TableName="state", Item=item("a"))


def test_a_key_that_does_not_exist_encrypts_no_table(client: Clients) -> None:
    nowhere = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"
    with pytest.raises(ClientError, match="does not exist"):
        made(client, SSESpecification={"Enabled": True, "KMSMasterKeyId": nowhere})


def test_a_write_whose_condition_fails_changes_nothing(client: Clients) -> None:
    db = made(client)
    db.put_item(TableName="state", Item=item("a", n={"N": "1"}))
    only_new = {"ConditionExpression": "attribute_not_exists(#t)", "ExpressionAttributeNames": {"#t": "twin"}}
    refused = code(db.put_item, TableName="state", Item=item("a", n={"N": "2"}), **only_new)
    assert refused == "ConditionalCheckFailedException"
    assert db.get_item(TableName="state", Key=item("a"))["Item"]["n"] == {"N": "1"}


def test_items_of_a_twin_are_paged_in_order_of_their_sort_key(client: Clients) -> None:
    db = made(client)
    for name in ("b", "a", "c"):
        db.put_item(TableName="state", Item=item(f"table#{name}"))
    db.put_item(TableName="state", Item=item("guard#tables"))
    pages = db.get_paginator("query").paginate(
        TableName="state", KeyConditionExpression="twin = :t AND begins_with(#i, :p)",
        ExpressionAttributeNames={"#i": "item"}, ExpressionAttributeValues={":t": {"S": "db"}, ":p": {"S": "table#"}},
        PaginationConfig={"PageSize": 2},
    )  # fmt: skip
    found = [[each["item"]["S"] for each in page["Items"]] for page in pages]
    assert [name for page in found for name in page] == ["table#a", "table#b", "table#c"]
    assert len(found) > 1


def test_an_expired_item_stays_readable_until_it_is_deleted_days_later(client: Clients) -> None:
    db = made(client)
    db.update_time_to_live(TableName="state", TimeToLiveSpecification={"AttributeName": "expires", "Enabled": True})
    db.put_item(TableName="state", Item=item("a", expires={"N": str(int(clock.now()) + 60)}))
    db.put_item(TableName="state", Item=item("b", expires={"S": "never a number"}))
    clock.advance(3600)
    assert db.scan(TableName="state")["Count"] == 2, "whoever reads has to look at the time"
    clock.advance(dynamodb.EXPIRY_LAG)
    assert [each["item"]["S"] for each in db.scan(TableName="state")["Items"]] == ["b"]


def test_a_protected_table_is_not_deleted(client: Clients) -> None:
    db = made(client, DeletionProtectionEnabled=True)
    assert code(db.delete_table, TableName="state") == "ValidationException"
    db.update_table(TableName="state", DeletionProtectionEnabled=False)
    db.delete_table(TableName="state")


def test_what_is_not_modelled_is_refused_by_name(client: Clients) -> None:
    with pytest.raises(ClientError, match="StreamSpecification"):
        made(client, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
