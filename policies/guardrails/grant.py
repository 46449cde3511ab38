"""Lake Formation permissions as rules read them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from guardrails.resource import ACCOUNT, Resource, account_of_arn, mapping, mappings, text, texts, true

KINDS: Final = (
    "lfTagPolicy", "tableWithColumns", "table", "database", "dataCellsFilter", "dataLocation", "lfTag",
    "catalogResource",
)  # fmt: skip
WRITING: Final = frozenset({
    "ALL", "ALTER", "CREATE_DATABASE", "CREATE_LF_TAG", "CREATE_LF_TAG_EXPRESSION", "CREATE_TABLE", "CREATE_CATALOG",
    "DATA_LOCATION_ACCESS", "DELETE", "DROP", "INSERT", "SUPER", "SUPER_USER",
})  # fmt: skip
EVERYTHING: Final = frozenset({"ALL", "SUPER", "SUPER_USER"})
_ORGANIZATION: Final = re.compile(r"^arn:[^:]*:organizations::[^:]*:(?:organization|ou)/(o-[a-z0-9]+)")


class Grant:
    """One Permissions resource. Each member is read when it is asked for, so that what is known can be judged even
    where something else is not."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    def __str__(self) -> str:
        return str(self.resource)

    @cached_property
    def permissions(self) -> frozenset[str]:
        return frozenset(each.upper() for each in texts(self.resource.get("permissions")))

    @cached_property
    def grantable(self) -> frozenset[str]:
        return frozenset(each.upper() for each in texts(self.resource.get("permissionsWithGrantOptions")))

    @cached_property
    def held(self) -> frozenset[str]:
        return self.permissions | self.grantable

    @cached_property
    def principal(self) -> str:
        return text(self.resource.get("principal"))

    @cached_property
    def principal_account(self) -> str | None:
        """The account that the principal is, or belongs to; None for an organization and for what is not known."""
        return None if self.organization else account_of_arn(self.principal)

    @cached_property
    def organization(self) -> str:
        """The organization that the principal is, or is a unit of; "" for any other principal."""
        found = _ORGANIZATION.match(self.principal)
        return found.group(1) if found else ""

    @cached_property
    def to_account(self) -> bool:
        """Whether the principal is a whole account, organization or unit."""
        return bool(ACCOUNT.match(self.principal) or self.organization)

    @cached_property
    def kind(self) -> str:
        """What it is on, in the provider's words."""
        return next((kind for kind in KINDS if self.resource.given(kind)), "")

    @cached_property
    def on(self) -> Mapping[str, Any]:
        """The block of the resource that it is on."""
        return mapping(self.resource.get(self.kind)) if self.kind else {}

    @cached_property
    def catalog(self) -> str | None:
        """The account whose catalog it is on: as written, or the account that the resource goes to."""
        named = (
            text(self.on.get("catalogId"))
            or text(self.on.get("tableCatalogId"))
            or text(self.resource.get("catalogId"))
        )
        return named or self.resource.account

    @cached_property
    def crosses(self) -> bool:
        """Whether its principal is another account's than the catalog. An account id is always another's: nobody grants
        to their own account."""
        if self.to_account:
            return True
        return None not in (self.principal_account, self.catalog) and self.principal_account != self.catalog

    @cached_property
    def expression(self) -> dict[str, frozenset[str]]:
        """The LF-Tag expression: a resource matches if it carries, for every key, one of the values."""
        found: dict[str, frozenset[str]] = {}
        for each in mappings(self.on.get("expressions")):
            key = text(each.get("key")).lower()
            found[key] = found.get(key, frozenset()) | {value.lower() for value in texts(each.get("values"))}
        return found

    @cached_property
    def on_tables(self) -> bool:
        """Whether its tag expression is about tables and columns, not databases."""
        return text(self.on.get("resourceType")).upper() != "DATABASE"

    @cached_property
    def database(self) -> str:
        return text(self.on.get("name")) if self.kind == "database" else text(self.on.get("databaseName"))

    @cached_property
    def table(self) -> str:
        """Name of the table; "*" for all tables of the database."""
        if self.kind == "dataCellsFilter":
            return text(self.on.get("tableName"))
        return "*" if self.kind == "table" and true(self.on.get("wildcard")) else text(self.on.get("name"))

    @cached_property
    def filtered(self) -> bool:
        """Whether it is on some of a table's columns only."""
        return self.kind == "tableWithColumns" and bool(
            texts(self.on.get("columnNames")) or texts(self.on.get("excludedColumnNames"))
        )

    def reaches(self, column: str) -> bool:
        """Whether it is on a column of its table."""
        named, excluded = texts(self.on.get("columnNames")), texts(self.on.get("excludedColumnNames"))
        return column not in excluded if not named else column in named

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What Lake Formation knows it by: the principal and the resource."""
        body = {
            key: value for key, value in self.on.items() if key != "catalogId" and value not in (None, False, "", [])
        }
        body = {key: sorted(value) if value == texts(value) else value for key, value in body.items()}
        if self.kind == "lfTagPolicy":
            body["expressions"] = sorted((key, sorted(values)) for key, values in self.expression.items())
        return self.principal, self.kind, self.catalog, json.dumps(body, sort_keys=True, default=str)


def grant(resource: Resource) -> Grant:
    """A grant with what every rule of a stack looks at read already. Raises UnknownValueError."""
    made = Grant(resource)
    _ = made.principal, made.permissions, made.grantable, made.on, made.catalog
    return made
