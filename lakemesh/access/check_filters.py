"""Checks of grants that name columns or rows: everything that Lake Formation would refuse, or that would show too much.

Each rule names its page of the Lake Formation developer guide.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lakemesh.access.expand import grants_in_force, recipients, tables_of
from lakemesh.access.filters import of_table, row_filter_of, rows_of, shown_columns
from lakemesh.access.rowfilter import RowFilterError
from lakemesh.declarations.errors import Problem, did_you_mean
from lakemesh.declarations.models import EVERY_TABLE, Access, Declarations, Grant, Product, Table
from lakemesh.declarations.places import Places


@dataclass(frozen=True)
class _At:
    """A grant that names columns or rows, and where it stands."""

    places: Places
    domain: str
    index: int
    grant: Grant

    def problem(self, rule: str, text: str, *inside: str | int) -> Problem:
        return self.places.problem(rule, text, self.places.grant_file(self.domain), "grants", self.index, *inside)

    @property
    def named(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Keys of the grant that name tables, and what they say of each."""
        for key, value in (("columns", self.grant.columns), ("exclude", self.grant.exclude), ("rows", self.grant.rows)):
            if value is not None:
                yield key, value


def filters_are_sound(declarations: Declarations, places: Places, _: dt.date) -> Iterator[Problem]:
    """What a single grant says of columns and rows, against the contract."""
    for domain, grants in declarations.grants.items():
        for index, grant in enumerate(grants):
            if not grant.filtered:
                continue
            at = _At(places, domain, index, grant)
            broken = list(_form(at))
            yield from broken
            product = declarations.products.get(grant.product or "")
            if product is not None and not broken:
                yield from _content(at, product)


def _form(at: _At) -> Iterator[Problem]:
    grant, key = at.grant, next(at.named)[0]
    if grant.product is None:
        text = (
            "Columns and rows are those of one product's tables, and this grant is by `tags`.\n"
            "Name the product, and write one grant for each."
        )
        yield at.problem("filter-form", text, key)
    if grant.access is Access.DISCOVER:
        text = "discover shows the names of all columns and no rows.\nLeave this out, or write access: read."
        yield at.problem("filter-form", text, key)
    if grant.principal is None:
        text = (
            "Columns and rows cannot be granted to a whole consumer: with a filter nothing can be passed "
            "on.\nName the principal, "
            f"such as to: {grant.consumer}/<principal>."
        )
        yield at.problem("filter-to-account", text, "to")
    if any(not named for _, named in at.named):
        yield at.problem(
            "filter-form", "No table is named here, so this says nothing.\nName one, or leave it out.", key
        )


def _content(at: _At, product: Product) -> Iterator[Problem]:
    known = {name: table for table in product.tables for name in (table.name, table.key)}
    unknown = False
    for key, named in at.named:
        for name in named:
            if name not in known and (key, name) != ("rows", EVERY_TABLE):
                unknown = True
                hint = did_you_mean(name, [table.name for table in product.tables])
                text = f'Product "{product.name}" has no table "{name}".{hint}'
                yield at.problem("unknown-reference", text, key, name)
    for table in product.tables:
        if table.kind == "view":
            text = (
                f'"{table.name}" is a view, and Lake Formation has no filters on views; the product would be '
                "granted without it.\n"
                "Grant a product that has no view, or read without columns and rows."
            )
            yield at.problem("filter-on-view", text, "product")
            continue
        found = [*_columns(at, product, table), *_rows(at, table)]
        yield from found
        if not found and not unknown and not shown_columns(at.grant, table) and _speaks_of(at.grant, table):
            text = (
                f'Nothing of "{table.name}" is left to read at these sensitivities.\n'
                "Name columns of it, or take it out."
            )
            yield at.problem("filter-nothing", text)


def _speaks_of(grant: Grant, table: Table) -> bool:
    return any(of_table(named, table) is not None for named in (grant.columns, grant.exclude)) or (
        rows_of(grant, table) is not None
    )


# ----------------------------------------------------------------------------------------------------------- columns
def _columns(at: _At, product: Product, table: Table) -> Iterator[Problem]:
    only, without = of_table(at.grant.columns, table), of_table(at.grant.exclude, table)
    if only is not None and without is not None:
        text = (
            f'"{table.name}" is under `columns` and under `exclude`.\n'
            "Name the columns that it shows, or those that it does not."
        )
        yield at.problem("filter-form", text, "exclude", _written(at.grant.exclude, table))
    for key, mapping, names in (("columns", at.grant.columns, only), ("exclude", at.grant.exclude, without)):
        declared = {column.name: column for column in table.columns}
        for position, name in enumerate(names or ()):
            inside = (key, _written(mapping, table), position)
            column = declared.get(name)
            if name in (names or ())[:position]:
                yield at.problem("duplicate-value", f'"{name}" stands here twice.', *inside)
            elif column is None:
                yield at.problem("unknown-reference", _no_column(table, name, list(declared)), *inside)
            elif key == "exclude" and column.partition_key is not None:
                text = (
                    f'"{name}" is a partition key, which cannot be withheld: whoever reads one column reads it too '
                    "(data-filtering-notes).\nTake it out of `exclude`, or partition the table by something else."
                )
                yield at.problem("filter-partition-key", text, *inside)
            elif key == "columns" and column.sensitivity is None:
                file = at.places.product_file(product.name)
                text = f'Nobody has reviewed "{name}", so it is readable by nobody.\nReview it in {file} first.'
                yield at.problem("filter-unreviewed", text, *inside)
            elif key == "columns" and column.sensitivity not in at.grant.sensitivity:
                levels = ", ".join(map(str, at.grant.sensitivity))
                text = (
                    f'"{name}" is {column.sensitivity}, and the grant was approved for [{levels}].\nTake the '
                    "column out, or "
                    f"name {column.sensitivity} under `sensitivity` after a new approval: approvedBy, approvedAt, "
                    "ticket."
                )
                yield at.problem("filter-beyond-approval", text, *inside)


def _no_column(table: Table, name: str, known: list[str]) -> str:
    if "." in name:
        return (
            f'"{name}" is a field of a column; Lake Formation filters cells by whole columns only '
            "(data-filtering-notes).\n"
            "Name the column."
        )
    return f'Table "{table.name}" has no column "{name}".{did_you_mean(name, known)}'


def _written(named: Mapping[str, object] | None, table: Table) -> str:
    """How a mapping spells a table."""
    return table.name if table.name in (named or {}) else table.key


# -------------------------------------------------------------------------------------------------------------- rows
def _rows(at: _At, table: Table) -> Iterator[Problem]:
    try:
        row_filter_of(at.grant, table)
    except RowFilterError as error:
        rows = at.grant.rows or {}
        if EVERY_TABLE in rows and not {table.name, table.key} & rows.keys():
            yield at.problem("row-filter", f'Of table "{table.name}": {error}', "rows")
        else:
            yield at.problem("row-filter", str(error), "rows", _written(rows, table))


# ------------------------------------------------------------------------------------------------- beside other grants
def no_tag_select_beside_a_filter(declarations: Declarations, places: Places, today: dt.date) -> Iterator[Problem]:
    """Permissions are a union, and filters do not hold against LF-Tags ("athena-lf", "lf-permissions-reference").

    A principal has what it was granted and what its account was: the consumer may assign that any day.
    """
    tagged: dict[tuple[str, str], Grant] = {}
    filtered: list[tuple[str, Grant]] = []
    for domain, grant in grants_in_force(declarations, today):
        if grant.access is not Access.READ:
            continue
        if grant.filtered:
            filtered.append((domain, grant))
            continue
        for table in tables_of(declarations, domain, grant):
            tagged.setdefault((grant.to, table.key), grant)
    for domain, grant in filtered:
        if grant.principal is None:
            continue
        keys = [
            (to, table.key) for table in tables_of(declarations, domain, grant) for to in (grant.to, grant.consumer)
        ]
        clash = next((key for key in keys if key in tagged), None)
        if clash is not None:
            to, key = clash
            who = "the same principal" if to == grant.to else "its whole account, which may assign it to this principal"
            yield places.problem(
                "tag-select-beside-filter",
                f'grant "{grant.id}" shows {grant.to} a part of {key}, and "{tagged[clash].id}" lets {who} read '
                'it by '
                "LF-Tags.\nPermissions are a union, so the filter would hide nothing.\n"
                "Remove one of the two, or give this one to a principal of another consumer.",
                places.grant_file(domain), "grants", declarations.grants[domain].index(grant),
            )  # fmt: skip


def filters_fit_the_quota(declarations: Declarations, places: Places, today: dt.date) -> Iterator[Problem]:
    """100 filters that one principal may SELECT from on one table ("row-filtering-intro")."""
    limit = declarations.mesh.quotas.filters_per_principal_and_table
    held: dict[tuple[str, str], set[tuple[tuple[str, ...], str | None]]] = defaultdict(set)
    for domain, grant in grants_in_force(declarations, today):
        if not grant.filtered or grant.product is None or grant.principal is None:
            continue
        for table in declarations.products[grant.product].tables:
            try:
                rows = row_filter_of(grant, table)
            except RowFilterError:
                continue  # was reported with its place
            for principal in recipients(declarations, grant):
                filters = held[principal, table.key]
                filters.add((shown_columns(grant, table), rows.text if rows else None))
                if len(filters) == limit + 1:
                    yield places.problem(
                        "filters-per-principal",
                        f"{grant.to} would hold {limit + 1} data filters on {table.key}; Lake Formation takes at "
                        f"most {limit} a "
                        "principal and table.\nWrite grants with one condition for several: IN takes many values.",
                        places.grant_file(domain), "grants", declarations.grants[domain].index(grant),
                    )  # fmt: skip


CHECKS = (filters_are_sound, no_tag_select_beside_a_filter, filters_fit_the_quota)
