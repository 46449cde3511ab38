"""What a consumer's account needs to query what it was granted, and to keep its principals apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from guardrails import tokens
from guardrails.grant import Grant, grant
from guardrails.locations import result_location
from guardrails.mesh import Given
from guardrails.resource import Resource, Stack, mapping, text
from guardrails.rule import Concern
from guardrails.sharing import problem, tables_asked

CONSUMERS: Final = Concern("consumers", "Consumers")


def _links(stack: Stack) -> list[tuple[Resource, tuple[str, str, str]]]:
    """Resource links: (name, account linked to, database linked to)."""
    read = stack.read(
        tokens.DATABASE,
        lambda each: (
            text(each.get("name")) or each.name,
            text(mapping(each.get("targetDatabase")).get("catalogId")),
            text(mapping(each.get("targetDatabase")).get("databaseName")),
        ),
    )
    return [(resource, link) for resource, link in read if link[2]]


def _local(stack: Stack) -> list[Grant]:
    """Grants of the stack to principals of its own account."""
    read = stack.read(tokens.PERMISSIONS, grant)
    return [
        made
        for resource, made in read
        if not made.to_account and resource.account and made.principal_account == resource.account
    ]


def _shared(made: Grant) -> bool:
    """Whether a grant is on another account's catalog."""
    return made.catalog is not None and made.catalog != made.resource.account


@CONSUMERS.stack(
    "every-shared-database-has-a-link",
    Severity.MEDIUM,
    fix="Add a CatalogDatabase with target_database for the shared database.",
)
def every_shared_database_has_a_link(stack: Stack, given: Given) -> Iterator[tuple[Resource, str]]:
    """A consumer has a resource link for each shared database that its principals are granted.

    Athena and Redshift see a database of another account through a link only.

    Good::

        aws.glue.CatalogDatabase("sales", name="sales",
            target_database={"catalog_id": "111122223333", "database_name": "sales"})

    Bad::

        aws.lakeformation.Permissions("sales", principal=analyst, permissions=["DESCRIBE"],
            database={"catalog_id": "111122223333", "name": "sales"})  # and no link to it
    """
    links = {(owner, database) for _, (_, owner, database) in _links(stack)}
    local = _local(stack)
    if stack.unknown is not None:
        return
    reported: set[tuple[str | None, ...]] = set()
    for made in local:
        if not _shared(made):
            continue
        for database in _databases(made, given):
            if (made.catalog, database) not in links | reported:
                reported.add((made.catalog, database))
                yield (
                    made.resource,
                    (
                        f'{made} is on database "{database}" of account {made.catalog}, and the stack has no '
                        "resource link to it; "
                        "queries could not name it."
                    ),
                )


def _databases(made: Grant, given: Given) -> list[str]:
    """Databases that a grant on another account's catalog is about, as far as it or the manifest says."""
    if made.database:
        return [made.database]
    if made.kind != "lfTagPolicy" or made.catalog != given.manifest.central:
        return []
    consumer = given.manifest.consumers.get(made.principal_account or "", "")
    products = made.expression.get("product", frozenset())
    return sorted(
        {
            twin
            for asked in given.manifest.grants
            if text(asked.get("to")).split("/")[0] == consumer
            and text(asked.get("product")) in products
            and not problem(asked, given)
            for twin, _ in tables_asked(asked, given)
        }
    )


@CONSUMERS.stack(
    "grantees-may-describe-link-twin-and-default",
    Severity.MEDIUM,
    fix="Grant DESCRIBE on the shared database, on the link to it and on `default` to every principal that reads it.",
)
def grantees_may_describe_link_twin_and_default(stack: Stack, given: Given) -> Iterator[tuple[Resource, str]]:
    """Whoever reads a shared database may describe it, the link to it, and the database default.

    A grant on a link says nothing of its target and the other way round, and Athena asks for DESCRIBE on `default`
    ("lf-athena-limitations"): with one of the three missing a query fails for a reason that it does not name.

    Good::

        for catalog, database in ((central, "sales"), (own, "sales"), (own, "default")):
            aws.lakeformation.Permissions(..., permissions=["DESCRIBE"],
                database={"catalog_id": catalog, "name": database})

    Bad::

        aws.lakeformation.Permissions(..., permissions=["SELECT"], lf_tag_policy={"catalog_id": central, ...})
    """
    links = {(owner, database): name for _, (name, owner, database) in _links(stack)}
    local = _local(stack)
    if stack.unknown is not None:
        return
    described = {
        (made.principal, made.catalog, made.database)
        for made in local
        if made.kind == "database" and "DESCRIBE" in made.held
    }
    reported: set[tuple[str | None, ...]] = set()
    for made in local:
        if not _shared(made):
            continue
        own = made.resource.account
        wanted = {(own, "default"): 'the database "default"'}
        for database in _databases(made, given):
            wanted[made.catalog, database] = f'the shared database "{database}"'
            if link := links.get((made.catalog or "", database)):
                wanted[own, link] = f'the link "{link}"'
        for (catalog, database), said in wanted.items():
            key = made.principal, catalog, database
            if key not in described | reported:
                reported.add(key)
                yield made.resource, f"{made} lets {made.principal} read shared data, and it may not describe {said}."


@CONSUMERS.resource(
    "workgroups-are-enforced-and-encrypted",
    Severity.HIGH,
    tokens.WORKGROUP,
    fix="Set enforce_workgroup_configuration=True and an encryption_configuration of the result_configuration.",
)
def workgroups_are_enforced_and_encrypted(resource: Resource, _given: Given) -> Iterator[str]:
    """Every Athena workgroup enforces its own settings and encrypts query results.

    Results are copies of the data. A query that may name a location of its own puts them where others read.

    Good::

        configuration={"enforce_workgroup_configuration": True, "result_configuration": {
            "output_location": "s3://results/analyst/",
            "encryption_configuration": {"encryption_option": "SSE_KMS", ...}}}

    Bad::

        configuration={"enforce_workgroup_configuration": False}
    """
    configuration = mapping(resource.get("configuration"))
    enforced = configuration.get("enforceWorkgroupConfiguration")
    if enforced is False or text(enforced).lower() == "false":
        yield f"{resource} lets each query choose where its results go; set enforce_workgroup_configuration=True."
    managed = mapping(configuration.get("managedQueryResultsConfiguration")).get("enabled")
    encryption = mapping(mapping(configuration.get("resultConfiguration")).get("encryptionConfiguration"))
    if not managed and not text(encryption.get("encryptionOption")):
        yield f"{resource} does not encrypt query results; set an encryption_configuration of its result_configuration."


@CONSUMERS.stack(
    "a-workgroup-for-each-principal",
    Severity.HIGH,
    fix="Make one workgroup, with a result location of its own, for each principal that is granted data.",
)
def a_workgroup_for_each_principal(stack: Stack, _given: Given) -> Iterator[tuple[Resource, str]]:
    """Each principal has a workgroup and a result location of its own.

    Users of one workgroup can read each other's results ("lf-athena-limitations"), and with them what only the other
    was granted.

    Good::

        aws.athena.Workgroup("analyst", configuration=...)  # results in s3://results/analyst/
        aws.athena.Workgroup("controller", configuration=...)  # results in s3://results/controller/

    Bad::

        aws.athena.Workgroup("everybody", configuration=...)  # and grants to two roles
    """
    workgroups = stack.read(tokens.WORKGROUP, result_location)
    local = _local(stack)
    first: dict[str, Resource] = {}
    for resource, location in workgroups:
        before = first.setdefault(location.rstrip("/") or resource.urn, resource)
        if before is not resource:
            yield resource, f"{resource} puts results where {before} does, {location}; give it a location of its own."
    if stack.unknown is not None:
        return
    readers = sorted({made.principal for made in local if _shared(made) and "SELECT" in made.held})
    if len(readers) > len(workgroups) and workgroups:
        last = workgroups[-1][0]
        yield (
            last,
            (
                f"{last} is one of {len(workgroups)} workgroups for {len(readers)} principals that read shared data "
                f"({', '.join(readers)}); make one for each."
            ),
        )
