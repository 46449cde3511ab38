"""Hive types: how Glue writes them, as Arrow types, and values of text and JSON turned into them.

Sources: Athena user guide, "Data types in Amazon Athena", "OpenCSVSerDe", "LazySimpleSerDe", "JSON SerDe libraries".
"""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa

from local_aws.services.athena.sql import QueryError

_SIMPLE = {
    "tinyint": pa.int8(), "smallint": pa.int16(), "int": pa.int32(), "integer": pa.int32(), "bigint": pa.int64(),
    "float": pa.float32(), "real": pa.float32(), "double": pa.float64(), "boolean": pa.bool_(), "string": pa.string(),
    "date": pa.date32(), "timestamp": pa.timestamp("us"), "binary": pa.binary(),
}  # fmt: skip
_TOKEN = re.compile(r"\s*([\w$]+(?:\(\s*\d+\s*(?:,\s*\d+\s*)?\))?|[<>:,])")


def arrow_type(text: str) -> pa.DataType:
    """The Arrow type of a Glue column's type, for example `array<struct<sku:string,amount:decimal(10,2)>>`."""
    tokens = _TOKEN.findall(text.lower())
    if "".join(tokens) != re.sub(r"\s", "", text.lower()):
        raise QueryError(f"HIVE_UNSUPPORTED_FORMAT: Unable to parse type '{text}'")
    found, rest = _type(tokens, text)
    if rest:
        raise QueryError(f"HIVE_UNSUPPORTED_FORMAT: Unable to parse type '{text}'")
    return found


def _type(tokens: list[str], whole: str) -> tuple[pa.DataType, list[str]]:
    if not tokens:
        raise QueryError(f"HIVE_UNSUPPORTED_FORMAT: Unable to parse type '{whole}'")
    name, rest = tokens[0], tokens[1:]
    base, _, arguments = name.partition("(")
    if base == "decimal":
        precision, _, scale = (arguments.rstrip(")") or "10,0").partition(",")
        return pa.decimal128(int(precision), int(scale or 0)), rest
    if base in {"varchar", "char"}:
        return pa.string(), rest
    if name in _SIMPLE:
        return _SIMPLE[name], rest
    if name not in {"array", "map", "struct"} or rest[:1] != ["<"]:
        raise QueryError(f"HIVE_UNSUPPORTED_FORMAT: Unsupported type '{whole}'")
    members: list[tuple[str, pa.DataType]] = []
    while rest and rest[0] != ">":
        rest = rest[1:]  # "<" or ","
        field = ""
        if name == "struct":
            if rest[1:2] != [":"]:
                raise QueryError(f"HIVE_UNSUPPORTED_FORMAT: Unable to parse type '{whole}'")
            field, rest = rest[0], rest[2:]
        member, rest = _type(rest, whole)
        members.append((field, member))
    if len(members) != {"array": 1, "map": 2}.get(name, len(members)) or not rest or not members:
        raise QueryError(f"HIVE_UNSUPPORTED_FORMAT: Unable to parse type '{whole}'")
    if name == "struct":
        return pa.struct(members), rest[1:]
    return (pa.list_(members[0][1]) if name == "array" else pa.map_(members[0][1], members[1][1])), rest[1:]


def convert(value: Any, kind: pa.DataType) -> Any:
    """A value of text or JSON as what Arrow builds `kind` of. Raises ValueError where it is not of that kind."""
    if value is None:
        return None
    if pa.types.is_nested(kind):
        return _nested(value, kind)
    text = value if isinstance(value, str) else json.dumps(value)
    if pa.types.is_string(kind):
        return text
    try:
        return _scalar(text.strip(), value, kind)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise ValueError(f"'{text}' is no {kind}") from error


def _scalar(text: str, value: Any, kind: pa.DataType) -> Any:
    if pa.types.is_boolean(kind):
        return {"true": True, "false": False}[text.lower()] if text.lower() in {"true", "false"} else _fail(text)
    if pa.types.is_integer(kind):
        return int(text)
    if pa.types.is_floating(kind):
        return float(text)
    if pa.types.is_decimal(kind):
        return Decimal(text).quantize(Decimal(1).scaleb(-kind.scale))
    if pa.types.is_date(kind):
        return dt.date.fromisoformat(text)
    if pa.types.is_timestamp(kind):
        moment = dt.datetime.fromisoformat(text)
        return moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)
    return value.encode() if isinstance(value, str) else _fail(text)


def _nested(value: Any, kind: pa.DataType) -> Any:
    if pa.types.is_struct(kind):
        members = {key.lower(): member for key, member in value.items()} if isinstance(value, dict) else _fail(value)
        return {field.name: convert(members.get(field.name), field.type) for field in kind}
    if pa.types.is_map(kind):
        pairs = value.items() if isinstance(value, dict) else _fail(value)
        return [(convert(key, kind.key_type), convert(member, kind.item_type)) for key, member in pairs]
    return [convert(member, kind.value_type) for member in (value if isinstance(value, list) else _fail(value))]


def _fail(value: Any) -> Any:
    raise ValueError(f"{value!r} has another shape")
