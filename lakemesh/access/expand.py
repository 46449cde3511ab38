"""What grants become in Lake Formation: declarations in, plain entries out.

Pure: the same declarations and day give the same entries, whatever the order of files. docs/grants.md publishes the
table.

* Account path (`to: <consumer>`): central grants to the consumer's account with grant option, and the consumer's stack
  hands the *identical* expression on to its own principals. Identical, because an account that holds no LF-Tag
  permission may pass on exactly the expression it was given and no other (Lake Formation developer guide,
  "cross-account-cascading-permissions").
* Direct path (`to: <consumer>/<principal>`): central grants straight to the role, without grant option. Grants that
  name columns or rows go this way alone, as data cells filters: an LF-Tag expression knows no rows.

Both need DESCRIBE on the twin database by name: the implicit DESCRIBE on a table's database does not cross accounts
("granting-catalog-permissions"). And Athena needs DESCRIBE on the database `default` of the account it runs in (Athena
user guide, "lf-athena-limitations").
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lakemesh.access.filters import FilterEntry, filters_of
from lakemesh.access.rowfilter import RowFilterError
from lakemesh.access.state import (
    DatabaseResource,
    DataFilterResource,
    Expression,
    Resource,
    TableResource,
    TagPolicyResource,
    expression,
    resource_key,
)
from lakemesh.declarations.models import UNREVIEWED, Access, Declarations, Grant, Product, Sensitivity, Table

DEFAULT_DATABASE = "default"


class UnsafeGrantError(Exception):
    """A grant that must never be expanded; `lakemesh validate` refuses it with its place, this is the last line."""


@dataclass(frozen=True)
class Entry:
    """One Permissions resource: a principal, a resource, what it may do there, and which grants ask for it."""

    name: str
    """From the natural key (principal, resource) alone, so that renaming a grant changes nothing."""
    principal: str
    resource: Resource
    permissions: tuple[str, ...]
    grantable: tuple[str, ...]
    grants: tuple[str, ...]


@dataclass(frozen=True)
class Expansion:
    """Entries by the stack that makes them."""

    by_domain: Mapping[str, tuple[Entry, ...]]
    by_consumer: Mapping[str, tuple[Entry, ...]]
    links: Mapping[str, tuple[str, ...]]
    filters_by_domain: Mapping[str, tuple[FilterEntry, ...]] = field(default_factory=dict)

    def central(self, domain: str) -> tuple[Entry, ...]:
        """Entries in the central account, made by the domain's stack."""
        return self.by_domain.get(domain, ())

    def filters(self, domain: str) -> tuple[FilterEntry, ...]:
        """Data cells filters in the central account that the domain's entries are on."""
        return self.filters_by_domain.get(domain, ())

    def consumer(self, consumer: str) -> tuple[Entry, ...]:
        """Entries in the consumer's account."""
        return self.by_consumer.get(consumer, ())

    def databases(self, consumer: str) -> tuple[str, ...]:
        """Twins that the consumer needs resource links to."""
        return self.links.get(consumer, ())


def expand(declarations: Declarations, today: dt.date) -> Expansion:
    """Expand every grant in force on `today`. Raises UnsafeGrantError for a grant that validation refuses."""
    central: dict[str, _Ledger] = {domain: _Ledger() for domain in declarations.mesh.domains}
    local: dict[str, _Ledger] = {consumer: _Ledger() for consumer in declarations.mesh.consumers}
    filters: dict[str, set[FilterEntry]] = {}
    products = products_by_domain(declarations)
    for domain, grant in grants_in_force(declarations, today):
        reached = _Reached(domain, grant, tables_of(declarations, domain, grant, products))
        if grant.filtered:
            filters.setdefault(domain, set()).update(reached.filters(declarations))
        _central_entries(declarations, reached, central[domain])
        _consumer_entries(declarations, reached, local[grant.consumer])
    return Expansion(
        by_domain={domain: ledger.entries() for domain, ledger in central.items()},
        by_consumer={consumer: ledger.entries() for consumer, ledger in local.items()},
        links={consumer: _linked(declarations, ledger) for consumer, ledger in local.items()},
        filters_by_domain={domain: tuple(sorted(each)) for domain, each in filters.items()},
    )


@dataclass(frozen=True)
class _Reached:
    """A grant and the tables that it reaches."""

    domain: str
    grant: Grant
    tables: tuple[Table, ...]

    @property
    def twins(self) -> list[str]:
        return sorted({table.twin for table in self.tables})

    def filters(self, declarations: Declarations) -> tuple[FilterEntry, ...]:
        """Of a grant that names columns or rows. Raises UnsafeGrantError."""
        grant = self.grant
        safe = grant.product is not None and grant.principal is not None and grant.access is Access.READ
        _readable(grant)
        try:
            found = tuple(filters_of(declarations, grant, self.tables)) if safe else ()
        except RowFilterError as error:
            raise UnsafeGrantError(f'Grant "{grant.id}": {error}') from error
        if not safe:
            raise UnsafeGrantError(
                f'Grant "{grant.id}" names columns or rows; that is for reading one product, by one '
                f"principal.\n{_PLACE}"
            )
        return found


def grants_in_force(declarations: Declarations, today: dt.date) -> Iterator[tuple[str, Grant]]:
    """Every grant that has not expired, with its domain: `expires` is the first day without it."""
    for domain, grants in declarations.grants.items():
        for grant in grants:
            if grant.expires is None or grant.expires > today:
                yield domain, grant


def products_by_domain(declarations: Declarations) -> Mapping[str, list[Product]]:
    """Every domain's products, to be asked for time and again."""
    found: dict[str, list[Product]] = {}
    for product in declarations.products.values():
        found.setdefault(product.domain, []).append(product)
    return found


def tables_of(
    declarations: Declarations, domain: str, grant: Grant, products: Mapping[str, list[Product]] | None = None
) -> tuple[Table, ...]:
    """Tables a grant reaches as the contracts stand; a grant by tags also reaches those that carry them tomorrow.

    `products`: `products_by_domain`, for who asks about many grants.
    """
    if grant.product is not None:
        return declarations.products[grant.product].tables
    wanted = grant.tags or {}
    return tuple(
        table
        for product in (products_by_domain(declarations) if products is None else products).get(domain, ())
        for table in product.tables
        if any(
            _matches(wanted, {**product.tags, **table.tags, **column_tags, "product": product.name, "domain": domain})
            for column_tags in ({}, *(column.tags for column in table.columns if column.tags))
        )
    )


def _matches(wanted: Mapping[str, tuple[str, ...]], tags: Mapping[str, str]) -> bool:
    return all(tags.get(key) in values for key, values in wanted.items() if key != "sensitivity")


def read_expression(domain: str, grant: Grant) -> Expression:
    """The LF-Tag expression of a `read` grant, the same on every side. It always names `sensitivity`.

    Keys that an expression does not name do not restrict it ("lf-tag-considerations"): without `sensitivity` a grant
    on a product would reach every column of it, reviewed or not.
    """
    values = _readable(grant)
    tags: dict[str, tuple[str, ...]] = (
        {"product": (grant.product,)} if grant.product is not None else {**(grant.tags or {}), "domain": (domain,)}
    )
    return expression({**tags, "sensitivity": tuple(str(value) for value in values)})


_PLACE = "Run `lakemesh validate` for the place and the mend."


def _readable(grant: Grant) -> set[str]:
    """Sensitivities that a grant names. Raises UnsafeGrantError where there is none, or one that nobody reviewed."""
    values = set(map(str, grant.sensitivity))
    if not values or UNREVIEWED in values or not values <= set(map(str, Sensitivity)):
        raise UnsafeGrantError(
            f'Grant "{grant.id}" does not say which reviewed sensitivities it may read: {sorted(values)}. {_PLACE}'
        )
    return values


def _objects(declarations: Declarations, reached: _Reached) -> Iterator[tuple[Resource, str]]:
    """What a grant is about, beside databases: (resource, permission)."""
    grant = reached.grant
    if grant.filtered:
        for each in reached.filters(declarations):
            yield each.resource, "SELECT"
        return
    catalog = declarations.mesh.central.account
    if grant.access is Access.READ:
        # SELECT alone: with a partial SELECT one cannot hold DESCRIBE on the table ("lf-permissions-reference").
        yield TagPolicyResource(catalog, "TABLE", read_expression(reached.domain, grant)), "SELECT"
        return
    for table in reached.tables:
        # By name: an expression would have to name a sensitivity, and the table itself is `unreviewed`.
        yield TableResource(catalog, table.twin, table.name), "DESCRIBE"


def _central_entries(declarations: Declarations, reached: _Reached, ledger: _Ledger) -> None:
    grant = reached.grant
    account = declarations.mesh.consumers[grant.consumer].account
    direct = grant.principal is not None
    for principal in recipients(declarations, grant) if direct else (account,):
        for resource, permission in _objects(declarations, reached):
            ledger.add(grant, principal, resource, permission, grantable=not direct)
    for twin in reached.twins:
        # To the account on both paths: its own stack passes it on to the principal, beside DESCRIBE on the link.
        ledger.add(grant, account, _twin(declarations, twin), "DESCRIBE", grantable=True)


def _consumer_entries(declarations: Declarations, reached: _Reached, ledger: _Ledger) -> None:
    grant = reached.grant
    account = declarations.mesh.consumers[grant.consumer].account
    for principal in recipients(declarations, grant):
        if grant.principal is None:
            for resource, permission in _objects(declarations, reached):
                ledger.add(grant, principal, resource, permission)
        for twin in reached.twins:
            ledger.add(grant, principal, _twin(declarations, twin), "DESCRIBE")
            ledger.add(grant, principal, DatabaseResource(account, twin), "DESCRIBE")
        ledger.add(grant, principal, DatabaseResource(account, DEFAULT_DATABASE), "DESCRIBE")


def _twin(declarations: Declarations, twin: str) -> DatabaseResource:
    return DatabaseResource(declarations.mesh.central.account, twin)


def recipients(declarations: Declarations, grant: Grant) -> tuple[str, ...]:
    """ARNs of the roles that use a grant: the one it names, or those that the consumer assigned."""
    consumer = declarations.consumers.get(grant.consumer)
    if consumer is None:
        return ()
    if grant.principal is not None:
        return (consumer.principals[grant.principal].role,)
    aliases = {alias for given in consumer.assignments if given.grant == grant.id for alias in given.principals}
    return tuple(sorted(consumer.principals[alias].role for alias in aliases))


def _linked(declarations: Declarations, ledger: _Ledger) -> tuple[str, ...]:
    central = declarations.mesh.central.account
    return tuple(
        sorted({
            entry.resource.database
            for entry in ledger.entries()
            if isinstance(entry.resource, DatabaseResource) and entry.resource.catalog == central
        })
    )  # fmt: skip


@dataclass
class _Ledger:
    """Entries of one stack while they are gathered: one a natural key, whatever number of grants ask for it."""

    permissions: dict[tuple[str, Resource], set[str]] = field(default_factory=dict)
    grantable: dict[tuple[str, Resource], set[str]] = field(default_factory=dict)
    grants: dict[tuple[str, Resource], set[str]] = field(default_factory=dict)

    def add(
        self, grant: Grant, principal: str, resource: Resource, permission: str, *, grantable: bool = False
    ) -> None:
        key = principal, resource
        self.permissions.setdefault(key, set()).add(permission)
        self.grants.setdefault(key, set()).add(grant.id)
        options = self.grantable.setdefault(key, set())
        if grantable:
            options.add(permission)

    def entries(self) -> tuple[Entry, ...]:
        keys = sorted(self.permissions, key=lambda key: (key[0], resource_key(key[1])))
        return tuple(
            Entry(
                name=entry_name(*key),
                principal=key[0],
                resource=key[1],
                permissions=tuple(sorted(self.permissions[key])),
                grantable=tuple(sorted(self.grantable[key])),
                grants=tuple(sorted(self.grants[key])),
            )
            for key in keys
        )


def entry_name(principal: str, resource: Resource) -> str:
    """Logical name of an entry: readable first, then a hash of the natural key, which makes it unique and stable."""
    who = principal.rsplit("/", 1)[-1]
    match resource:
        case TagPolicyResource(expression=tags):
            named = [value for key, values in tags if key != "sensitivity" for value in sorted(values)]
            what = f"read-{named[0] if len(named) == 1 else 'tags'}"
        case DataFilterResource(table=table):
            what = f"filtered-{table}"
        case TableResource(database=database, table=table):
            what = f"table-{database}-{table}"
        case DatabaseResource(database=database):
            what = f"database-{database}"
        case _:
            what = type(resource).__name__.removesuffix("Resource").lower()
    digest = hashlib.sha256(f"{principal} {resource_key(resource)}".encode()).hexdigest()[:8]
    return re.sub(r"[^A-Za-z0-9_-]+", "-", f"{what}-{who}")[:60] + f"-{digest}"
