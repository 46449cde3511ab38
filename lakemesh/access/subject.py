"""Whom and what a question about access means: names as people type them, resolved against the declarations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lakemesh.access.declared import administrators
from lakemesh.access.evaluate import account_of
from lakemesh.access.holders import Access
from lakemesh.access.overview import Key
from lakemesh.declarations.errors import did_you_mean
from lakemesh.declarations.naming import Naming

_ARN_PARTS: Final = 6


class UnknownError(Exception):
    """A name that the mesh does not have; says what was meant, perhaps."""


@dataclass(frozen=True)
class Subject:
    """Who asks. `consumer` and `alias` are empty where the declarations do not name the role."""

    role: str
    account: str
    consumer: str = ""
    alias: str = ""
    administrator: bool = False
    """Of the data lake of its account: sees what the account was shared, and may grant itself the rest."""

    @property
    def name(self) -> str:
        return f"{self.consumer}/{self.alias}" if self.alias else self.role


def subject(access: Access, text: str) -> Subject:
    """A principal from `consumer/alias` or the ARN of a role. Raises UnknownError."""
    if text.startswith("arn:"):
        return _by_arn(access, text)
    consumers = access.declarations.mesh.consumers
    consumer, _, alias = text.partition("/")
    if consumer not in consumers:
        raise UnknownError(
            f'There is no consumer "{consumer}".{did_you_mean(consumer, consumers)}\n'
            "Name a principal as consumer/alias, or by the ARN of its role."
        )
    declared = access.declarations.consumers.get(consumer)
    principals = declared.principals if declared else {}
    if not alias:
        raise UnknownError(
            f'"{consumer}" is a whole consumer: name one of its principals as {consumer}/alias.'
            f"{did_you_mean('', principals)}"
        )
    if alias not in principals:
        raise UnknownError(f'Consumer "{consumer}" has no principal "{alias}".{did_you_mean(alias, principals)}')
    return _of(access, principals[alias].role, consumer, alias)


def _by_arn(access: Access, arn: str) -> Subject:
    if len(arn.split(":")) < _ARN_PARTS:
        raise UnknownError(f'"{arn}" is no ARN of a role: arn:aws:iam::<account>:role/<name>.')
    mesh = access.declarations.mesh
    for name, declared in access.declarations.consumers.items():
        for alias, principal in declared.principals.items():
            if principal.role == arn:
                return _of(access, arn, name, alias)
    consumer = next((name for name, entry in mesh.consumers.items() if entry.account == account_of(arn)), "")
    if consumer or account_of(arn) == mesh.central.account:
        return _of(access, arn, consumer, "")
    accounts = [entry.account for entry in mesh.consumers.values()]
    if account_of(arn) in {producer.account for producer in mesh.producers.values()}:
        raise UnknownError(
            f"{account_of(arn)} is a producer's account: it reads its own tables by its own rules, "
            "and nothing of the mesh."
        )
    raise UnknownError(
        f"{arn} is of account {account_of(arn)}, which is no consumer's.{did_you_mean(account_of(arn), accounts)}\n"
        "Only principals of consumers' accounts are granted anything: add the account under `consumers` in mesh.yaml."
    )


def _of(access: Access, role: str, consumer: str, alias: str) -> Subject:
    account = account_of(role)
    declarations = access.declarations
    central = {Naming(declarations.mesh).deploy_role_arn("central"), *declarations.mesh.central.administrators}
    known = administrators(declarations, consumer) if consumer else central
    return Subject(role, account, consumer, alias, administrator=role in known)


def targets(access: Access, text: str, column: str | None = None) -> tuple[tuple[Key, tuple[str, ...]], ...]:
    """Tables and columns that are asked about: of a product, of `database.table`, or of a table by its name alone.

    Raises UnknownError.
    """
    keys = _tables(access, text)
    found = []
    for key in keys:
        columns = tuple(each.name for each in access.tables[key][1].columns)
        wanted = (
            columns if column is None else tuple(name for name in columns if name == column.lower() or name == column)
        )
        if wanted:
            found.append((key, wanted))
    if not found:
        every = {each.name for key in keys for each in access.tables[key][1].columns}
        raise UnknownError(
            f'{" and ".join(".".join(key) for key in keys)} has no column "{column}" in its contract.'
            f"{did_you_mean(str(column), every)}\nA column that no contract lists is unreviewed: nobody reads it."
        )
    return tuple(found)


def _tables(access: Access, text: str) -> list[Key]:
    product = access.declarations.products.get(text)
    if product is not None:
        return [(table.twin, table.name) for table in product.tables]
    exact = tuple(text.split(".", 1))
    if len(exact) == 2 and (exact[0], exact[1]) in access.tables:
        return [(exact[0], exact[1])]
    named = [key for key in access.tables if key[1] == text]
    if len(named) > 1:
        raise UnknownError(
            f'"{text}" is the name of several tables: {", ".join(sorted(".".join(key) for key in named))}.'
        )
    if named:
        return named
    known = {
        *access.declarations.products,
        *(".".join(key) for key in access.tables),
        *(key[1] for key in access.tables),
    }
    raise UnknownError(
        f'There is no product or table "{text}" in any contract.{did_you_mean(text, known)}\n'
        "A table that no contract lists is readable by nobody."
    )
