"""LF-Tags as rules read them, whatever sets them, and what names of columns give away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from guardrails import tokens
from guardrails.resource import Resource, Stack, mapping, mappings, text, texts

SENSITIVE_NAMES: Final = (
    r"iban|bic|swift(_code)?|bank_?acc(oun)?t(_?(no|nr|num|number))?|account_holder|card_?(no|num|number)|pan|cvv2?|"
    r"ssn|social_security(_no|_number)?|tax_?(id|number)|vat_(id|number)|passport(_no|_number)?|national_id|"
    r"e?_?mail(_address)?|phone(_no|_number)?|mobile(_no|_number)?|first_?name|last_?name|surname|full_?name|"
    r"birth_?date|date_of_birth|dob|salary|street(_address)?|home_address|driving_licen[cs]e(_no|_number)?|password"
)


@dataclass(frozen=True)
class Target:
    """What an LF-Tag is on: a database, a table ("" for the database itself), a column ("" for the table itself)."""

    database: str
    table: str = ""
    column: str = ""

    def __str__(self) -> str:
        return ".".join(each for each in (self.database, self.table, self.column) if each)


@dataclass(frozen=True)
class Tag:
    """An LF-Tag on something, and the resource that puts it there."""

    by: Resource
    on: Target
    key: str
    value: str


def tags_of(stack: Stack) -> list[Tag]:
    """Every LF-Tag that a stack assigns."""
    found: list[Tag] = []
    for resource, (targets, pairs) in stack.read([tokens.RESOURCE_LF_TAG, tokens.RESOURCE_LF_TAGS], _native):
        found += [Tag(resource, target, key, value) for target in targets for key, value in pairs]
    for resource, table in tables_tagged(stack):
        target = Target(text(table.get("database")), text(table.get("table")))
        found += [Tag(resource, target, key, text(value)) for key, value in mapping(table.get("tags")).items()]
        for column, pairs_ in mapping(table.get("columns")).items():
            on = Target(target.database, target.table, column)
            found += [Tag(resource, on, key, text(value)) for key, value in mapping(pairs_).items()]
    return found


def tables_tagged(stack: Stack) -> list[tuple[Resource, Mapping[str, Any]]]:
    """Tables that TableTags components register as outputs."""
    read = stack.read(tokens.TABLE_TAGS, lambda each: mappings(each.get("tables")))
    return [(resource, table) for resource, tables in read for table in tables]


def _native(resource: Resource) -> tuple[list[Target], list[tuple[str, str]]]:
    blocks = mappings(resource.get("lfTag")) + mappings(resource.get("lfTags"))
    pairs = [(text(each.get("key")).lower(), text(each.get("value")).lower()) for each in blocks]
    if database := mapping(resource.get("database")):
        return [Target(text(database.get("name")))], pairs
    if table := mapping(resource.get("table")):
        return [Target(text(table.get("databaseName")), text(table.get("name")) or "*")], pairs
    columns = mapping(resource.get("tableWithColumns"))
    of = text(columns.get("databaseName")), text(columns.get("name"))
    return [Target(*of, column) for column in texts(columns.get("columnNames"))], pairs


def looks_sensitive(column: str, names: str = SENSITIVE_NAMES) -> bool:
    """Whether a column's name, or the end of it, is that of a sensitive column: `iban`, `customer_iban`."""
    return re.fullmatch(rf"(?:.*_)?(?:{names})", column.lower()) is not None
