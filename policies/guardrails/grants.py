"""What Lake Formation grants give: which permissions, on which expressions, to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import Severity

from guardrails import tokens
from guardrails.grant import EVERYTHING, Grant, grant
from guardrails.lf_tags import looks_sensitive, tables_tagged
from guardrails.mesh import UNREVIEWED, Given
from guardrails.resource import Resource, Stack, mapping, mappings, text
from guardrails.rule import STRINGS, Concern

GRANTS: Final = Concern("grants", "Grants")
HIDDEN: Final = frozenset({"confidential", "restricted"})


@GRANTS.resource(
    "grants-never-give-all",
    Severity.CRITICAL,
    tokens.PERMISSIONS,
    fix="List the permissions that are meant, sorted.",
    tags=("least-privilege",),
)
def grants_never_give_all(resource: Resource, _given: Given) -> Iterator[str]:
    """A grant lists its permissions and never says ALL or Super.

    ALL is every permission there is and will be. It also never comes back as it was granted, so the provider replaces
    the grant for ever, and access is gone for a moment each time (terraform-provider-aws#49453).

    Good::

        aws.lakeformation.Permissions("reader", principal=role.arn, permissions=["SELECT"], lf_tag_policy=...)

    Bad::

        aws.lakeformation.Permissions("reader", principal=role.arn, permissions=["ALL"], lf_tag_policy=...)
    """
    if everything := sorted(EVERYTHING & Grant(resource).held):
        yield f"{resource} grants {everything[0]}; list the permissions that are meant, for example SELECT."


@GRANTS.resource(
    "grants-never-go-to-everybody",
    Severity.CRITICAL,
    tokens.PERMISSIONS,
    fix="Name the role or the account that is meant.",
    tags=("least-privilege",),
)
def grants_never_go_to_everybody(resource: Resource, _given: Given) -> Iterator[str]:
    """A grant names one principal, never IAM_ALLOWED_PRINCIPALS and never all principals of an account.

    IAM_ALLOWED_PRINCIPALS switches Lake Formation off for the resource: IAM alone decides then, and tags mean nothing.

    Good::

        aws.lakeformation.Permissions("reader", principal="arn:aws:iam::111122223333:role/Reader", ...)

    Bad::

        aws.lakeformation.Permissions("reader", principal="IAM_ALLOWED_PRINCIPALS", ...)
    """
    principal = Grant(resource).principal
    if principal == "IAM_ALLOWED_PRINCIPALS":
        yield (
            f"{resource} grants to IAM_ALLOWED_PRINCIPALS, which switches Lake Formation off for the "
            "resource; name a role."
        )
    elif principal.endswith(":IAMPrincipals"):
        yield f"{resource} grants to every principal of account {principal.split(':')[0]}; name a role."


@GRANTS.resource(
    "tag-grants-name-sensitivity",
    Severity.CRITICAL,
    tokens.PERMISSIONS,
    fix="Add the key `sensitivity` to the expression, with the values that may be read.",
    tags=("personal-data",),
)
def tag_grants_name_sensitivity(resource: Resource, _given: Given) -> Iterator[str]:
    """A grant by LF-Tag expression names sensitivity, unless it lets databases be described and nothing else.

    A key that an expression does not name does not restrict it: a grant on `product=invoice` reaches the bank account
    number and every column that nobody has reviewed ("lf-tag-considerations").

    Good::

        lf_tag_policy={"resource_type": "TABLE", "expressions": [
            {"key": "product", "values": ["invoice"]}, {"key": "sensitivity", "values": ["public", "internal"]}]}

    Bad::

        lf_tag_policy={"resource_type": "TABLE", "expressions": [{"key": "product", "values": ["invoice"]}]}
    """
    made = Grant(resource)
    if made.kind != "lfTagPolicy":
        return
    describes = not made.on_tables and made.held <= {"DESCRIBE"}
    if "sensitivity" not in made.expression and not describes:
        yield (
            f"{resource} grants {', '.join(sorted(made.held))} by a tag expression that does not name "
            "sensitivity; name the values it may read, for example sensitivity in (public, internal)."
        )


@GRANTS.resource(
    "tag-grants-never-reach-unreviewed",
    Severity.CRITICAL,
    tokens.PERMISSIONS,
    fix="Take `unreviewed` or the wildcard out of the expression, and review the columns that are needed.",
    tags=("personal-data",),
)
def tag_grants_never_reach_unreviewed(resource: Resource, _given: Given) -> Iterator[str]:
    """No grant reaches columns that nobody has reviewed.

    `unreviewed` is what a new column inherits. Granting it, or every value of sensitivity, makes each new column
    readable on the day it appears.

    Good::

        {"key": "sensitivity", "values": ["public", "internal"]}

    Bad::

        {"key": "sensitivity", "values": ["public", "unreviewed"]}
    """
    made = Grant(resource)
    if made.kind != "lfTagPolicy":
        return
    if wide := sorted(made.expression.get("sensitivity", frozenset()) & {UNREVIEWED, "*"}):
        said = "every value of sensitivity" if wide[0] == "*" else "columns that nobody has reviewed"
        yield f'{resource} grants on {said} (sensitivity "{wide[0]}"); name the values that may be read.'


@GRANTS.stack(
    "named-select-never-reaches-sensitive-columns",
    Severity.CRITICAL,
    fix="Grant by an LF-Tag expression that names sensitivity, or list the columns that are not sensitive.",
    tags=("personal-data",),
)
def named_select_never_reaches_sensitive_columns(stack: Stack, given: Given) -> Iterator[tuple[Resource, str]]:
    """SELECT by the name of a table never reaches a sensitive column.

    Permissions are a union: a grant by name goes past every LF-Tag of the table's columns. The mesh's own service
    roles, which are denied data by IAM, are left alone.

    Good::

        aws.lakeformation.Permissions("reader", permissions=["SELECT"], principal=role.arn,
            table_with_columns={"database_name": "sales", "name": "customer", "column_names": ["country"]})

    Bad::

        aws.lakeformation.Permissions("reader", permissions=["SELECT"], principal=role.arn,
            table={"database_name": "sales", "name": "customer"})  # which has a column iban
    """
    sensitive = _sensitive_columns(stack, given)
    for resource, made in stack.read(tokens.PERMISSIONS, grant):
        if made.kind not in {"table", "tableWithColumns"} or "SELECT" not in made.held | _all(made):
            continue
        if given.service_role(made.principal):
            continue
        for (database, table), columns in sorted(sensitive.items()):
            reached = sorted(column for column in columns if made.reaches(column))
            if database == made.database and made.table in {table, "*"} and reached:
                yield (
                    resource,
                    (
                        f"{resource} grants SELECT on {database}.{table} by name, which reaches its sensitive columns "
                        f"{', '.join(reached)} whatever their LF-Tags say; grant by a tag expression instead."
                    ),
                )


def _all(made: Grant) -> set[str]:
    return {"SELECT"} if made.held & EVERYTHING else set()


def _sensitive_columns(stack: Stack, given: Given) -> Mapping[tuple[str, str], set[str]]:
    """Columns by table that hold personal data, are confidential or more, or look sensitive."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for key, table in given.manifest.tables.items():
        for column in mappings(table.get("columns")):
            if column.get("personalData") or text(column.get("sensitivity")) in HIDDEN:
                found[key].add(text(column.get("name")))
    for _, table in tables_tagged(stack):
        key = text(table.get("database")), text(table.get("table"))
        for name, tags in mapping(table.get("columns")).items():
            if text(mapping(tags).get("sensitivity")) in HIDDEN or looks_sensitive(name):
                found[key].add(name)
    for resource, columns in stack.read(tokens.TABLE, _columns):
        key = text(resource.get("databaseName")), text(resource.get("name")) or resource.name
        found[key] |= {column for column in columns if looks_sensitive(column)}
    return {key: columns for key, columns in found.items() if columns}


def _columns(resource: Resource) -> list[str]:
    _ = resource.get("databaseName"), resource.get("name")
    described = mappings(mapping(resource.get("storageDescriptor")).get("columns"))
    return [text(each.get("name")) for each in described + mappings(resource.get("partitionKeys"))]


@GRANTS.resource(
    "grant-option-never-goes-to-a-role",
    Severity.HIGH,
    tokens.PERMISSIONS,
    fix="Leave permissions_with_grant_options out; grant what each role needs from the declarations.",
    tags=("least-privilege",),
    options={"principals": {**STRINGS, "description": "ARNs of roles that may pass on what they have."}},
)
def grant_option_never_goes_to_a_role(resource: Resource, given: Given) -> Iterator[str]:
    """No role, user or group can pass on what it was granted.

    With the grant option access spreads where no declaration shows it and no approver is asked. An account needs it on
    the account path; the mesh's tag role needs it because Lake Formation asks for it of whoever tags.

    Good::

        aws.lakeformation.Permissions("reader", principal=role.arn, permissions=["SELECT"], ...)

    Bad::

        aws.lakeformation.Permissions("reader", principal=role.arn, permissions=["SELECT"],
            permissions_with_grant_options=["SELECT"], ...)
    """
    made = Grant(resource)
    if not made.grantable or made.to_account or given.service_role(made.principal, "tag"):
        return
    if made.principal not in given.option("principals"):
        yield (
            f"{resource} lets {made.principal} pass on {', '.join(sorted(made.grantable))}; a role gets no "
            "grant option, so that every grant is one that somebody approved."
        )


@GRANTS.resource(
    "column-filtered-select-has-no-grant-option",
    Severity.HIGH,
    tokens.PERMISSIONS,
    fix="Grant the columns straight to the role that reads them, or grant by LF-Tag expression.",
)
def column_filtered_select_has_no_grant_option(resource: Resource, _given: Given) -> Iterator[str]:
    """SELECT on some columns of a table comes without the grant option.

    Lake Formation does not allow it ("lf-permissions-reference"): a subset of columns cannot be shared with an account
    for it to pass on, and the deployment fails half way.

    Good::

        table_with_columns={"database_name": "sales", "name": "customer", "column_names": ["country"]}

    Bad::

        table_with_columns={..., "column_names": ["country"]}, permissions_with_grant_options=["SELECT"]
    """
    made = Grant(resource)
    if made.filtered and "SELECT" in made.grantable:
        yield (
            f"{resource} grants SELECT on some columns of {made.database}.{made.table} with the grant option, "
            "which Lake Formation refuses; grant to the role itself or by a tag expression."
        )
