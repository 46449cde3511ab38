"""Whose access a deployment takes away for a moment.

A grant is named after its principal and resource. A changed expression is another resource and is created before the
old one goes; only another list of permissions on the same key revokes first and grants then (docs/deploy.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lakemesh.deploy.results import Step

PERMISSIONS = "aws:lakeformation/permissions:Permissions"


def interruption(step: Step) -> str | None:
    """Who loses what until it is granted anew, as a sentence; None: nobody, by this step."""
    if step.type != PERMISSIONS or str(step.op) != "replace" or not step.delete_first or not step.before:
        return None
    before, after = step.before, step.after
    said = f"{before.get('principal')} loses {_listed(before.get('permissions'))} on {resource(before)}"
    anew = f"until {_listed(after.get('permissions'))} is granted there"
    if after.get("principal", before.get("principal")) != before.get("principal"):
        return f"{said}; it is granted to {after.get('principal')} instead."
    return f"{said} {anew}."


def resource(inputs: Mapping[str, Any]) -> str:
    """The resource of a grant in words."""
    if inputs.get("catalogResource"):
        return "the catalog"
    database, table = _one(inputs.get("database")), _one(inputs.get("table"))
    columns, policy = _one(inputs.get("tableWithColumns")), _one(inputs.get("lfTagPolicy"))
    if database:
        return f"database {database.get('name')}"
    if table:
        name = "every table" if table.get("wildcard") else f"table {table.get('name')}"
        return f"{name} of database {table.get('databaseName')}"
    if columns:
        those = f"columns {_listed(columns.get('columnNames'))}" if columns.get("columnNames") else "columns"
        return f"{those} of table {columns.get('databaseName')}.{columns.get('name')}"
    if policy:
        terms = [f"{term.get('key')} in ({_listed(term.get('values'))})" for term in policy.get("expressions") or []]
        kind = "databases" if policy.get("resourceType") == "DATABASE" else "tables"
        return f"{kind} with {' and '.join(sorted(terms))}"
    tag, location = _one(inputs.get("lfTag")), _one(inputs.get("dataLocation"))
    return f"LF-Tag {tag.get('key')}" if tag else f"location {location.get('arn')}"


def _one(block: Any) -> Mapping[str, Any]:
    """A block that a state may hold as an object or as a list of one."""
    if isinstance(block, list):
        return block[0] if block else {}
    return block or {}


def _listed(values: Any) -> str:
    return ", ".join(sorted(map(str, values))) if isinstance(values, list | tuple) else "what is not known yet"
