"""The sync's only way to its state table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from sync_handlers.state import Update, merged

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_TO, _FROM = TypeSerializer(), TypeDeserializer()
Item = dict[str, Any]


class Store(Protocol):
    """Items by `twin` and `item`."""

    def get(self, twin: str, item: str) -> Item | None: ...
    def items(self, twin: str, prefix: str) -> Iterator[Item]: ...
    def put(self, item: Mapping[str, Any]) -> None: ...
    def delete(self, twin: str, item: str) -> None: ...
    def update(self, twin: str, item: str, change: Update) -> Item | None:
        """Returns the item as it was before."""
        ...


@dataclass(frozen=True)
class StateTable:
    """The DynamoDB table of stack central. Reads are consistent: the guard counts what was written just now."""

    client: DynamoDBClient
    table: str

    def get(self, twin: str, item: str) -> Item | None:
        answer = self.client.get_item(TableName=self.table, Key=_key(twin, item), ConsistentRead=True)
        return _plain(answer["Item"]) if "Item" in answer else None

    def items(self, twin: str, prefix: str) -> Iterator[Item]:
        more: Any = {}
        while True:
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression="#twin = :twin AND begins_with(#item, :prefix)",
                ExpressionAttributeNames={"#twin": "twin", "#item": "item"},
                ExpressionAttributeValues={":twin": {"S": twin}, ":prefix": {"S": prefix}},
                ConsistentRead=True,
                **more,
            )
            yield from map(_plain, answer["Items"])
            if not answer.get("LastEvaluatedKey"):
                return
            more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def put(self, item: Mapping[str, Any]) -> None:
        self.client.put_item(TableName=self.table, Item={key: _TO.serialize(_exact(item[key])) for key in item})

    def delete(self, twin: str, item: str) -> None:
        self.client.delete_item(TableName=self.table, Key=_key(twin, item))

    def update(self, twin: str, item: str, change: Update) -> Item | None:
        """One call: nothing is read before it. What is held is a map, which must be there before its members can be
        set (DynamoDB developer guide, "Update expressions"), so a first hold writes the map whole."""
        try:
            return self._update(twin, item, change)
        except self.client.exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ValidationException":
                raise
        return self._update(twin, item, _whole(change))

    def _update(self, twin: str, item: str, change: Update) -> Item | None:
        names: dict[str, str] = {}
        values: dict[str, Any] = {}

        def path(name: str) -> str:
            for part in name.split("."):
                names[f"#{part}"] = part
            return ".".join(f"#{part}" for part in name.split("."))

        def value(of: Any) -> str:
            values[f":{len(values)}"] = _TO.serialize(_exact(of))
            return f":{len(values) - 1}"

        sets = [f"{path(name)} = {value(of)}" for name, of in change.set.items()]
        sets += [f"{path(name)} = if_not_exists({path(name)}, {value(of)})" for name, of in change.first.items()]
        removes = [path(name) for name in change.remove]
        expression = f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else "")
        answer = self.client.update_item(
            TableName=self.table,
            Key=_key(twin, item),
            UpdateExpression=expression,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_OLD",
        )
        return _plain(answer["Attributes"]) if answer.get("Attributes") else None


def _whole(change: Update) -> Update:
    """The same, with maps written whole instead of member by member."""
    dotted = {name.partition(".")[0] for name in (*change.set, *change.first) if "." in name}
    fresh = merged(None, Update(change.set, change.first))
    sets = {name: of for name, of in change.set.items() if "." not in name} | {name: fresh[name] for name in dotted}
    return Update(sets, {name: of for name, of in change.first.items() if "." not in name}, change.remove)


def _key(twin: str, item: str) -> Any:
    return {"twin": {"S": twin}, "item": {"S": item}}


def _exact(value: Any) -> Any:
    """DynamoDB knows no binary fractions."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, Mapping):
        return {key: _exact(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(member) for member in value]
    return value


def _plain(item: Mapping[str, Any]) -> Item:
    return {key: _number(_FROM.deserialize(member)) for key, member in item.items()}


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: _number(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_number(member) for member in value]
    return value
