"""Checks of contracts against the mesh, the ontology and each other."""

from __future__ import annotations

from collections.abc import Iterator

from lakemesh.declarations.checks_mesh import BUILT_IN_TAGS
from lakemesh.declarations.draft import Draft
from lakemesh.declarations.errors import Problem, did_you_mean
from lakemesh.declarations.models import Product, Table


# ------------------------------------------------------------------------------------------------------ references
def folders_are_domains(draft: Draft) -> Iterator[Problem]:
    reported: set[str] = set()
    for product, folders in sorted(draft.known.products.items()):
        domain = min(folders)
        if domain in draft.known.domains or domain in reported:
            continue
        reported.add(domain)
        text = f"The folder products/{domain}/ is of no domain in {draft.places.mesh_file}."
        hint = did_you_mean(domain, draft.known.domains)
        yield draft.places.problem("unknown-reference", text + hint, draft.places.product_file(product))


def tables_have_one_product(draft: Draft) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for product, table in _tables(draft):
        other = first.setdefault(table.key, product.name)
        if other != product.name:
            text = (
                f'Table "{table.key}" belongs to product "{other}" already ({draft.places.product_file(other)}).\n'
                "A table has one product, because it has one value of the LF-Tag `product`: remove it from one of "
                "the two."
            )
            yield draft.places.in_table("duplicate-table", text, product.name, table.key)


def lf_tags_are_declared(draft: Draft) -> Iterator[Problem]:
    for file, path, tags in draft.tagged:
        for key, value in tags.items():
            if key in BUILT_IN_TAGS:
                text = f'The LF-Tag "{key}" is built in and set by the mesh; leave it out.{_INSTEAD.get(key, "")}'
                yield draft.places.problem("built-in-tag", text, file, *path, key)
            elif key not in draft.known.tags:
                text = f'There is no LF-Tag "{key}" in {draft.places.tags_file}.{did_you_mean(key, draft.known.tags)}'
                yield draft.places.problem("unknown-reference", text, file, *path, key)
            elif key in draft.tags and value not in draft.tags[key].values:
                hint = did_you_mean(value, draft.tags[key].values)
                text = f'"{value}" is not a value of the LF-Tag "{key}" in {draft.places.tags_file}.{hint}'
                yield draft.places.problem("unknown-reference", text, file, *path, key)


_INSTEAD = {
    "sensitivity": "\nA column's sensitivity is its `classification`.",
    "domain": "\nThe domain is the folder of the contract.",
    "product": "\nThe product is the name of the contract.",
}


# ----------------------------------------------------------------------------------------------------------- rules
def partition_keys_are_in_order(draft: Draft) -> Iterator[Problem]:
    for product, table in _tables(draft):
        keys = table.partition_keys
        if not keys:
            continue
        if table.kind == "view":
            text = f'View "{table.name}" has a partition key; Glue keeps none for views.\nRemove `partitioned`.'
            yield draft.places.in_column(
                "partition-position", text, product.name, table.key, keys[0].name, "partitioned"
            )
        positions = [key.partition_key for key in keys]
        if positions != list(range(1, len(keys) + 1)):
            said = ", ".join(f"{key.name} {key.partition_key}" for key in keys)
            text = (
                f'The partition keys of "{table.name}" must be numbered from 1 without gaps, not: {said}.\n'
                "Correct `partitionKeyPosition`; the order is that of the table in Glue."
            )
            yield draft.places.in_column("partition-position", text, product.name, table.key, keys[-1].name)


def partition_keys_are_reviewed_first(draft: Draft) -> Iterator[Problem]:
    """Partition keys cannot be restricted (developer guide, "data-filtering-notes"): review them before the rest."""
    for product, table in _tables(draft):
        if not any(column.sensitivity is not None for column in table.columns):
            continue  # nothing of the table is readable, so its keys are not either
        for key in table.partition_keys:
            if key.sensitivity is None:
                text = (
                    f'Partition key "{key.name}" of "{table.name}" is not reviewed, so no column of the table can be '
                    "readable: whoever reads one column reads the partition keys too.\nGive it a classification."
                )
                yield draft.places.in_column("unreviewed-partition-key", text, product.name, table.key, key.name)


def views_are_tagged_as_a_whole(draft: Draft) -> Iterator[Problem]:
    for product, table in _tables(draft):
        if table.kind != "view":
            continue
        for column in table.columns:
            if column.tags:
                text = (
                    f'Column "{column.name}" of view "{table.name}" has LF-Tags of its own; Lake Formation keeps '
                    "none for "
                    "the columns of a view.\nSet them on the view."
                )
                where = "customProperties"
                yield draft.places.in_column("view-column-tags", text, product.name, table.key, column.name, where)


def tags_of_a_resource_fit(draft: Draft) -> Iterator[Problem]:
    if draft.mesh is None:
        return
    limit = draft.mesh.quotas.tags_per_resource
    for product, table in _tables(draft):
        own = max((len(table.tags | column.tags) for column in table.columns), default=len(table.tags))
        count = own + len(BUILT_IN_TAGS)
        if count > limit:
            text = (
                f'"{table.key}" or one of its columns has {count} LF-Tags with the built-in ones; Lake Formation '
                "takes at "
                f"most {limit} a resource.\nRemove tags that no grant names."
            )
            yield draft.places.in_table("quota-tags-per-resource", text, product.name, table.key)


def _tables(draft: Draft) -> Iterator[tuple[Product, Table]]:
    for product in draft.products.values():
        for table in product.tables:
            yield product, table
