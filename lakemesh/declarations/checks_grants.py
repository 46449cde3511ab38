"""Checks of grants: what they name, who decided them, and what no grant may do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from lakemesh.declarations.checks_mesh import BUILT_IN_TAGS
from lakemesh.declarations.draft import Draft
from lakemesh.declarations.errors import Problem, did_you_mean
from lakemesh.declarations.models import (
    BY_RULE,
    UNREVIEWED,
    Access,
    Column,
    Grant,
    Mesh,
    Product,
    Sensitivity,
    Status,
    Table,
)
from lakemesh.declarations.yamlfile import Path


# ------------------------------------------------------------------------------------------------------ references
def files_are_of_domains(draft: Draft) -> Iterator[Problem]:
    for name in draft.known.domains.unknown_of(draft.known.grant_files):
        text = f'Domain "{name}" is not in {draft.places.mesh_file}.{did_you_mean(name, draft.known.domains)}'
        yield draft.places.problem("unknown-reference", text, draft.places.grant_file(name))


def ids_are_unique(draft: Draft) -> Iterator[Problem]:
    """Consumers assign grants by id, whatever the domain."""
    first: dict[str, tuple[str, Path]] = {}
    for domain, path, grant in draft.all_grants():
        other_domain, other_path = first.setdefault(grant.id, (domain, path))
        if (other_domain, other_path) != (domain, path):
            place = draft.places.of(draft.places.grant_file(other_domain), *other_path)
            text = f'The id "{grant.id}" is taken ({place.file}:{place.line}).\nAn id is unique in the whole mesh.'
            yield _at(draft, domain, path, "duplicate-grant", text, "id")


def what_is_granted_exists(draft: Draft) -> Iterator[Problem]:
    for domain, path, grant in draft.all_grants():
        if (grant.product is None) == (grant.tags is None):
            said = "both `product` and `tags`" if grant.product is not None else "neither `product` nor `tags`"
            text = f"The grant names {said}.\nName the one product, or the LF-Tags of the tables: a grant is about one."
            yield _at(draft, domain, path, "grant-object", text)
        if grant.product is not None:
            yield from _product(draft, domain, path, grant.product)
        for key, values in (grant.tags or {}).items():
            yield from _tag(draft, domain, path, key, values)


def _product(draft: Draft, domain: str, path: Path, product: str) -> Iterator[Problem]:
    folders = draft.known.products.get(product)
    if folders is None:
        hint = did_you_mean(product, draft.known.products_of(domain))
        text = f'There is no product "{product}" in domain "{domain}".{hint}'
        yield _at(draft, domain, path, "unknown-reference", text, "product")
    elif domain not in folders:
        owner = min(folders)
        text = (
            f'Product "{product}" is of domain "{owner}", and a domain grants its own products only.\n'
            f"Move the grant to {draft.places.grant_file(owner)}."
        )
        yield _at(draft, domain, path, "grant-domain", text, "product")


def _tag(draft: Draft, domain: str, path: Path, key: str, values: tuple[str, ...]) -> Iterator[Problem]:
    if key == "domain":
        text = "Leave `domain` out: a grant is always within the domain of its file.\nThe whole domain is `tags: {}`."
        yield _at(draft, domain, path, "built-in-tag", text, "tags", key)
        return
    if key == "sensitivity":
        text = "Name the sensitivities under `sensitivity` of the grant, not among its tags."
        yield _at(draft, domain, path, "built-in-tag", text, "tags", key)
        return
    if not values:
        text = f'"{key}" has no value, so the grant would reach nothing.\nName values, or leave the key out.'
        yield _at(draft, domain, path, "grant-object", text, "tags", key)
    if key == "product":
        for index, value in enumerate(values):
            if domain not in draft.known.products.get(value, ()):
                hint = did_you_mean(value, draft.known.products_of(domain))
                text = f'There is no product "{value}" in domain "{domain}".{hint}'
                yield _at(draft, domain, path, "unknown-reference", text, "tags", key, index)
        return
    if key not in draft.known.tags:
        known = [*draft.known.tags, "product"]
        text = f'There is no LF-Tag "{key}" in {draft.places.tags_file}.{did_you_mean(key, known)}'
        yield _at(draft, domain, path, "unknown-reference", text, "tags", key)
        return
    tag = draft.tags.get(key)
    for index, value in enumerate(values if tag else ()):
        if tag is not None and value not in tag.values:
            text = f'"{value}" is not a value of the LF-Tag "{key}".{did_you_mean(value, tag.values)}'
            yield _at(draft, domain, path, "unknown-reference", text, "tags", key, index)


def recipients_exist(draft: Draft) -> Iterator[Problem]:
    for domain, path, grant in draft.all_grants():
        if grant.consumer not in draft.known.consumers:
            hint = did_you_mean(grant.consumer, draft.known.consumers)
            text = f'Consumer "{grant.consumer}" is not in {draft.places.mesh_file}.{hint}'
            yield _at(draft, domain, path, "unknown-reference", text, "to")
        elif grant.principal is not None and grant.consumer in draft.known.principals:
            known = draft.known.principals[grant.consumer]
            if grant.principal not in known:
                text = (
                    f'Consumer "{grant.consumer}" has no principal "{grant.principal}" in '
                    f"{draft.places.consumer_file(grant.consumer)}.{did_you_mean(grant.principal, known)}"
                )
                yield _at(draft, domain, path, "unknown-reference", text, "to")


# ----------------------------------------------------------------------------------------------------------- rules
def sensitivity_is_named(draft: Draft) -> Iterator[Problem]:
    for domain, path, grant in draft.all_grants():
        if UNREVIEWED in grant.sensitivity:
            yield _at(draft, domain, path, "grant-unreviewed", _unreviewed(draft, grant), "sensitivity")
        if grant.access is Access.READ and not grant.sensitivity:
            text = (
                "A grant to read must name the sensitivities it may read: a key that an expression leaves out does not "
                "restrict it.\nFor example: sensitivity: [public, internal]"
            )
            yield _at(draft, domain, path, "grant-sensitivity", text)
        if grant.access is Access.DISCOVER and grant.sensitivity:
            text = "discover shows names and no data, so it has no sensitivity.\nLeave it out, or write access: read."
            yield _at(draft, domain, path, "grant-sensitivity", text, "sensitivity")
        if len(set(grant.sensitivity)) < len(grant.sensitivity):
            yield _at(draft, domain, path, "duplicate-value", "A sensitivity stands here twice.", "sensitivity")


def _unreviewed(draft: Draft, grant: Grant) -> str:
    text = '"unreviewed" cannot be granted.\n'
    product = draft.products.get(grant.product or "")
    if product is None:
        return text + "Columns nobody has reviewed are readable by nobody; review them in their contracts."
    pending = sum(column.sensitivity is None for table in product.tables for column in table.columns)
    file = draft.places.product_file(product.name)
    return text + f"Columns nobody has reviewed are readable by nobody; review them in {file} ({pending} pending)."


def confidential_goes_to_principals(draft: Draft) -> Iterator[Problem]:
    """docs/adr/0001: what an account was granted, its administrators can read and pass on."""
    for domain, path, grant in draft.all_grants():
        if grant.principal is not None:
            continue
        for value in grant.sensitivity:
            if isinstance(value, Sensitivity) and value.rank >= Sensitivity.CONFIDENTIAL.rank:
                text = (
                    f'"{value}" cannot be granted to a whole consumer: the administrators of its account could read '
                    "it and pass "
                    f'it on.\nName the principal, such as to: {grant.consumer}/<principal>, or leave "{value}" out.'
                )
                yield _at(draft, domain, path, "confidential-to-account", text, "sensitivity")
                break


def grants_are_approved_by_others(draft: Draft) -> Iterator[Problem]:
    for domain, path, grant in draft.all_grants():
        entry = draft.mesh.domains.get(domain) if draft.mesh else None
        if draft.mesh is not None and grant.approvers == (BY_RULE,):
            yield from _approved_by_rule(draft, draft.mesh, domain, path, grant)
            continue
        for approver in grant.approvers:
            if entry is not None and approver not in entry.approvers:
                text = f'"{approver}" is not an approver of domain "{domain}".{did_you_mean(approver, entry.approvers)}'
                yield _at(draft, domain, path, "grant-approver", text, "approvedBy")
            if approver.casefold() == grant.requested_by.casefold():
                text = f'"{approver}" asked for this grant and cannot approve it.\nAnother approver must decide.'
                yield _at(draft, domain, path, "grant-own-approval", text, "approvedBy")
        if len({approver.casefold() for approver in grant.approvers}) < len(grant.approvers):
            text = "One approver stands here twice, and counts once.\nName each once."
            yield _at(draft, domain, path, "grant-approver", text, "approvedBy")


def _approved_by_rule(draft: Draft, mesh: Mesh, domain: str, path: Path, grant: Grant) -> Iterator[Problem]:
    """Only what `approvals.automatic` covers needs no person."""
    levels = [level for level in grant.sensitivity if level not in mesh.approvals.automatic]
    if not grant.sensitivity or levels:
        what = f'"{levels[0]}"' if levels else "this access"
        text = f"{draft.places.mesh_file} approves {what} by no rule.\nName the approver who decided."
        yield _at(draft, domain, path, "grant-approver", text, "approvedBy")


def dates_make_sense(draft: Draft, today: dt.date | None) -> Iterator[Problem]:
    for domain, path, grant in draft.all_grants():
        if today is not None and grant.approved_at > today:
            text = f"{grant.approved_at} lies in the future: nobody has approved this yet."
            yield _at(draft, domain, path, "grant-dates", text, "approvedAt")
        if grant.expires is not None and grant.expires <= grant.approved_at:
            text = (
                f"The grant expires on {grant.expires}, and was approved on {grant.approved_at}: it was never in "
                "force.\n"
                "`expires` is the first day without it."
            )
            yield _at(draft, domain, path, "grant-dates", text, "expires")


def life_cycle_allows_it(draft: Draft) -> Iterator[Problem]:
    """No new grants on deprecated products, none on retired ones."""
    for domain, path, grant in draft.all_grants():
        for product in _reached(draft, domain, grant):
            reason = _ended(draft, product, grant)
            if reason:
                where = "product" if grant.product is not None else "tags"
                yield _at(draft, domain, path, "grant-life-cycle", reason, where)


def _ended(draft: Draft, product: Product, grant: Grant) -> str:
    file = draft.places.product_file(product.name)
    mend = "Remove the grant." if grant.product else "Take the tags from the product's contract, or name other values."
    if product.status is Status.RETIRED:
        return f'Product "{product.name}" is retired ({file}): nobody is granted it any more.\n{mend}'
    if product.status is not Status.DEPRECATED:
        return ""
    if product.deprecated_since is None:
        return (
            f'Product "{product.name}" is deprecated ({file}), which does not say since when.\nGrants of before '
            "stay: add the "
            "custom property deprecatedSince with the day to the contract."
        )
    if grant.approved_at <= product.deprecated_since:
        return ""
    return (
        f'Product "{product.name}" is deprecated since {product.deprecated_since} ({file}), and this grant was '
        "approved on "
        f"{grant.approved_at}: deprecated products get no new grants.\n{mend}"
    )


def partition_keys_do_not_outrank_grants(draft: Draft, today: dt.date | None) -> Iterator[Problem]:
    """docs/adr/0006: whoever reads a column of a table reads its partition keys."""
    lowest: dict[tuple[str, str], tuple[int, str, Path, Grant]] = {}
    for domain, path, grant in draft.all_grants():
        ranks = [value.rank for value in grant.sensitivity if isinstance(value, Sensitivity)]
        expired = today is not None and grant.expires is not None and grant.expires <= today
        if grant.access is not Access.READ or not ranks or expired:
            continue
        for product in _reached(draft, domain, grant):
            for table in product.tables:
                if table.partition_keys and reaches(grant, product, table):
                    found = (max(ranks), domain, path, grant)
                    key = (product.name, table.key)
                    lowest[key] = min(lowest.get(key, found), found, key=lambda entry: entry[0])
    for (name, table_key), (ceiling, domain, path, grant) in lowest.items():
        table = next(table for table in draft.products[name].tables if table.key == table_key)
        for column in table.partition_keys:
            if column.sensitivity is not None and column.sensitivity.rank > ceiling:
                yield _too_sensitive(draft, name, table, column, draft.places.grant_file(domain), path, grant)


def _too_sensitive(
    draft: Draft, product: str, table: Table, column: Column, file: str, path: Path, grant: Grant
) -> Problem:
    place = draft.places.of(file, *path)
    named = ", ".join(str(value) for value in grant.sensitivity)
    text = (
        f'Partition key "{column.name}" is {column.sensitivity}, but grant "{grant.id}" ({place.file}:{place.line}) on '
        f'"{table.name}" names [{named}] only.\nPartition keys cannot be withheld: whoever reads one column reads '
        "them too. "
        f"Name {column.sensitivity} in the grant, remove the grant, or partition the table by something less sensitive."
    )
    return draft.places.in_column("sensitive-partition-key", text, product, table.key, column.name, "classification")


def reaches(grant: Grant, product: Product, table: Table) -> bool:
    """Whether a grant of the product's domain is about a table, as the contracts stand."""
    if grant.product is not None:
        return grant.product == product.name
    levels = [table.tags, *(table.tags | column.tags for column in table.columns if column.tags)]
    wanted = {key: values for key, values in (grant.tags or {}).items() if key not in BUILT_IN_TAGS}
    if product.name not in (grant.tags or {}).get("product", (product.name,)):
        return False
    return any(all(tags.get(key) in values for key, values in wanted.items()) for tags in levels)


def _reached(draft: Draft, domain: str, grant: Grant) -> Iterator[Product]:
    """Products of the domain that a grant is about."""
    if grant.product is not None:
        product = draft.products.get(grant.product)
        if product is not None and product.domain == domain:
            yield product
        return
    for product in draft.products.values():
        if product.domain == domain and any(reaches(grant, product, table) for table in product.tables):
            yield product


def _at(draft: Draft, domain: str, path: Path, rule: str, message: str, *inside: str | int) -> Problem:
    return draft.places.problem(rule, message, draft.places.grant_file(domain), *path, *inside)
