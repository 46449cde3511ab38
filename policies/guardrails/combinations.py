"""Grants that must not stand beside each other, and how they are replaced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pulumi_policy import Severity

from guardrails import tokens
from guardrails.grant import Grant, grant
from guardrails.lf_tags import tables_tagged
from guardrails.mesh import UNREVIEWED, Given
from guardrails.resource import Resource, Stack, mapping, text
from guardrails.rule import Concern

COMBINATIONS: Final = Concern("combinations", "Grants beside each other")


@COMBINATIONS.stack(
    "column-filtered-select-never-beside-describe",
    Severity.HIGH,
    fix="Remove DESCRIBE: SELECT already shows the columns it is on.",
)
def column_filtered_select_never_beside_describe(stack: Stack, _given: Given) -> Iterator[tuple[Resource, str]]:
    """Whoever holds SELECT on some columns of a table holds no DESCRIBE on the table.

    The two exclude each other ("lf-permissions-reference"): Lake Formation refuses whichever is granted second, and
    which one that is depends on the order of the deployment.

    Good::

        permissions=["SELECT"], table_with_columns={..., "column_names": ["country"]}

    Bad::

        permissions=["SELECT", "DESCRIBE"], table_with_columns={..., "column_names": ["country"]}
    """
    grants = stack.read(tokens.PERMISSIONS, grant)
    describing = defaultdict(list)
    for resource, made in grants:
        if made.kind in {"table", "tableWithColumns"} and "DESCRIBE" in made.held:
            describing[made.principal, made.database].append((made.table, resource))
    for resource, made in grants:
        if not made.filtered or "SELECT" not in made.held:
            continue
        for table, other in describing[made.principal, made.database]:
            if table in {made.table, "*"}:
                said = "itself" if other.urn == resource.urn else str(other)
                yield (
                    resource,
                    (
                        f"{resource} grants SELECT on some columns of {made.database}.{made.table} and {said} "
                        "grants DESCRIBE on the table to the same principal; Lake Formation refuses the two together."
                    ),
                )
                break


@COMBINATIONS.stack(
    "tag-select-never-beside-a-data-filter",
    Severity.HIGH,
    fix="Give up one of the two: narrow the expression until it does not reach the table, or remove the data filter.",
    tags=("personal-data",),
)
def tag_select_never_beside_a_data_filter(stack: Stack, given: Given) -> Iterator[tuple[Resource, str]]:
    """A principal that reads a table through a data filter does not read it by LF-Tag expression as well.

    Permissions are a union: the expression shows the rows that the filter was to hide. What the principal's whole
    account was granted counts, too.

    Good::

        aws.lakeformation.Permissions("rows", principal=role.arn, permissions=["SELECT"], data_cells_filter={...})

    Bad::

        aws.lakeformation.Permissions("rows", principal=role.arn, permissions=["SELECT"], data_cells_filter={...})
        aws.lakeformation.Permissions("tags", principal=role.arn, permissions=["SELECT"], lf_tag_policy={...})
    """
    grants = [made for _, made in stack.read(tokens.PERMISSIONS, grant) if "SELECT" in made.held]
    tables = {
        (text(each.get("database")), text(each.get("table"))): each for _, each in tables_tagged(stack)
    }  # fmt: skip
    for filtering in grants:
        if filtering.kind != "dataCellsFilter":
            continue
        reached = _tags(filtering, given, tables)
        for other in grants:
            same = other.principal in {filtering.principal, filtering.principal_account}
            if other.kind != "lfTagPolicy" or not same or not _may_match(other, reached):
                continue
            yield (
                filtering.resource,
                (
                    f"{filtering} shows {filtering.database}.{filtering.table} through a data filter, and "
                    f"{other} shows it by tag expression to the same principal or its account; permissions are "
                    "a union, so the filter hides nothing."
                ),
            )


def _tags(made: Grant, given: Given, tables: Mapping[tuple[str, str], Mapping[str, Any]]) -> list[Mapping[str, str]]:
    """LF-Tags of each column of a filter's table; none where they are not known."""
    key = made.database, made.table
    if key in given.manifest.tables:
        return list(given.manifest.contract_tags(given.manifest.tables[key]))
    own = mapping(tables.get(key, {}).get("tags"))
    columns = mapping(tables.get(key, {}).get("columns"))
    return [{**own, "sensitivity": UNREVIEWED, **mapping(tags)} for tags in columns.values()]


def _may_match(made: Grant, columns: list[Mapping[str, str]]) -> bool:
    """Whether an expression matches a column of a table; where nothing is known of the table it may."""
    if not columns:
        return True
    return any(
        all(tags.get(key) in values or "*" in values for key, values in made.expression.items() if key in tags)
        for tags in columns
    )


@COMBINATIONS.stack(
    "one-grant-per-principal-and-resource",
    Severity.CRITICAL,
    fix="Merge the two into one resource with the permissions of both.",
)
def one_grant_per_principal_and_resource(stack: Stack, _given: Given) -> Iterator[tuple[Resource, str]]:
    """No two resources grant to the same principal on the same thing.

    Lake Formation keeps one grant for the two: changing or deleting either resource revokes what the other says is
    there (terraform-provider-aws#39082).

    Good::

        aws.lakeformation.Permissions("sales", permissions=["CREATE_TABLE", "DESCRIBE"], principal=p, database=d)

    Bad::

        aws.lakeformation.Permissions("a", permissions=["CREATE_TABLE"], principal=p, database=d)
        aws.lakeformation.Permissions("b", permissions=["DESCRIBE"], principal=p, database=d)
    """
    first: dict[tuple[object, ...], Resource] = {}
    for resource, made in stack.read(tokens.PERMISSIONS, grant):
        before = first.setdefault(made.key, resource)
        if before is not resource:
            yield (
                resource,
                (
                    f"{resource} grants to {made.principal} on the same resource as {before}; replacing or "
                    "deleting one revokes what the other grants, so merge them."
                ),
            )


@COMBINATIONS.resource(
    "permissions-are-deleted-before-replaced",
    Severity.HIGH,
    tokens.PERMISSIONS,
    tokens.RESOURCE_LF_TAG,
    tokens.RESOURCE_LF_TAGS,
    tokens.BUS_POLICY,
    fix="Add opts=pulumi.ResourceOptions(delete_before_replace=True).",
)
def permissions_are_deleted_before_replaced(resource: Resource, _given: Given) -> Iterator[str]:
    """Grants, tag assignments and event bus policies are deleted before they are replaced.

    Pulumi creates the replacement first. Deleting the old resource then revokes what the new one has just granted, as
    both are the same to AWS (pulumi-aws#2135 for event buses).

    Good::

        aws.lakeformation.Permissions("reader", ..., opts=pulumi.ResourceOptions(delete_before_replace=True))

    Bad::

        aws.lakeformation.Permissions("reader", ...)
    """
    if not resource.delete_before_replace:
        yield (
            f"{resource} is replaced by creating the new one first, and deleting the old one then takes away "
            "what the new one set; give it delete_before_replace=True."
        )
