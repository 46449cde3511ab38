"""What a query refers to, by DuckDB's own parser: tables, columns, and whether it is a plain SELECT.

What is let through is an allow-list of node types: a statement or table function that reads files, attaches databases,
writes or shows settings is none of them, and the connection that runs the rest is locked besides.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import duckdb

from local_aws.services.calls import AwsError, not_implemented

CATALOG = "awsdatacatalog"
"""Name of the one data catalog Athena has before somebody registers others."""

_NODES = frozenset({
    "SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE", "BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY",
    "EXPRESSION_LIST", "TABLE_FUNCTION", "ORDER_MODIFIER", "LIMIT_MODIFIER", "DISTINCT_MODIFIER", "ORDER_DEFAULT",
    "ASCENDING", "DESCENDING", "ORDER_ASC", "ORDER_DESC",
})  # fmt: skip
_TABLE_FUNCTIONS = frozenset({"unnest"})
_OTHER_FUNCTIONS = frozenset({"range", "generate_series", "repeat"})
"""Functions that Athena lacks, or means otherwise, and that take memory which DuckDB's limit does not count."""
_SELECT = re.compile(r"^(\s|\(|--[^\n]*\n|/\*.*?\*/)*(select|with|values|table)\b", re.IGNORECASE | re.DOTALL)
_KEYWORD = re.compile(r"^(?:\s|--[^\n]*\n|/\*.*?\*/)*(\w+)", re.DOTALL)


class QueryError(Exception):
    """A query that fails: the text is the execution's StateChangeReason."""


@dataclass(frozen=True)
class Reference:
    """A table as a query names it, lower-cased; `where` is its place as Athena writes it: "line 1:15"."""

    database: str | None
    table: str
    where: str


@dataclass
class Statement:
    text: str
    references: list[Reference] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    """Each name in a column reference, lower-cased, and its first place."""


_lock = threading.Lock()


@functools.cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"enable_external_access": "false", "threads": "1"})


def _place(text: str, offset: int) -> str:
    before = text.encode()[: max(offset, 0)].decode(errors="replace")
    return f"line {before.count(chr(10)) + 1}:{len(before) - (before.rfind(chr(10)) + 1) + 1}"


def parse(text: str) -> Statement:
    """Read one SELECT. Raises AwsError: InvalidRequestException for what is no SQL, not implemented for others."""
    with _lock:
        found = _parser().execute("SELECT json_serialize_sql(?)", [text]).fetchone()
    parsed: dict[str, Any] = json.loads(found[0] if found else "{}")
    if parsed["error"]:
        if _SELECT.match(text) and parsed.get("error_type") == "parser":
            where = _place(text, int(parsed.get("position") or 0))
            raise AwsError("InvalidRequestException", f"{where}: {parsed.get('error_message', 'syntax error')}")
        keyword = _KEYWORD.match(text)
        raise not_implemented(
            "athena", f"StartQueryExecution of {keyword[1].upper() if keyword else 'such a'} statements"
        )
    statements = parsed["statements"]
    if len(statements) != 1:
        raise AwsError("InvalidRequestException", f"Only one sql statement is allowed. Got: {text}")
    statement = Statement(text)
    _walk(statements[0]["node"], frozenset(), statement)
    return statement


def _children(node: dict[str, Any]) -> Iterator[Any]:
    return (value for key, value in node.items() if key != "cte_map" and isinstance(value, dict | list))


def _walk(node: Any, names: frozenset[str], statement: Statement) -> None:
    """Collect references below `node`; `names` are the common table expressions in sight."""
    if isinstance(node, list):
        for member in node:
            _walk(member, names, statement)
        return
    if not isinstance(node, dict):
        return
    kind = node.get("type")
    if "class" in node:
        _expression(node, statement)
    elif isinstance(kind, str):
        if kind not in _NODES:
            raise not_implemented("athena", f"StartQueryExecution with {kind.removesuffix('_NODE')}")
        if kind == "RECURSIVE_CTE_NODE":
            names |= {str(node.get("cte_name", "")).lower()}
        if kind == "TABLE_FUNCTION":
            _table_function(node, statement)
        if kind == "BASE_TABLE":
            _table(node, names, statement)
    for entry in (node.get("cte_map") or {}).get("map", []):
        # Each sees those before it, and itself only where it is recursive (its node says so).
        _walk(entry["value"], names, statement)
        names |= {str(entry["key"]).lower()}
    for child in _children(node):
        _walk(child, names, statement)


def _expression(node: dict[str, Any], statement: Statement) -> None:
    where = _place(statement.text, int(node.get("query_location", 0)) if node.get("query_location", 0) < 2**63 else 0)
    if node["class"] == "COLUMN_REF":
        for name in node["column_names"]:
            statement.columns.setdefault(str(name).lower(), where)
    elif node["class"] == "FUNCTION" and (name := str(node.get("function_name", "")).lower()) in _OTHER_FUNCTIONS:
        raise QueryError(f"FUNCTION_NOT_FOUND: {where}: Function '{name}' not registered")


def _table_function(node: dict[str, Any], statement: Statement) -> None:
    function = node.get("function") or {}
    name = str(function.get("function_name", "")).lower()
    if name not in _TABLE_FUNCTIONS:
        where = _place(statement.text, int(function.get("query_location", 0)))
        raise QueryError(f"FUNCTION_NOT_FOUND: {where}: Table function '{name}' not registered")


def _table(node: dict[str, Any], names: frozenset[str], statement: Statement) -> None:
    path = [str(part).lower() for part in (node.get("qualified_name") or {}).get("path", [])]
    where = _place(statement.text, int(node["query_location"]))
    if not path or len(path) > 3 or node.get("at_clause"):
        raise QueryError(f"SYNTAX_ERROR: {where}: Table names have the form catalog.schema.table")
    if len(path) == 1 and path[0] in names:
        return
    if len(path) == 3 and path[0] != CATALOG:
        raise QueryError(f"CATALOG_NOT_FOUND: {where}: Catalog '{path[0]}' does not exist")
    reference = Reference(path[-2] if len(path) > 1 else None, path[-1], where)
    statement.references.append(reference)
