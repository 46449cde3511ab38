"""LF-Tags: what carries them, and which.

Whether they are set by `ResourceLfTag`, `ResourceLfTags` or lakemesh's `TableTags` is the same to every rule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import Severity

from guardrails import tokens
from guardrails.grant import Grant
from guardrails.lf_tags import SENSITIVE_NAMES, Tag, Target, looks_sensitive, tables_tagged, tags_of
from guardrails.mesh import UNREVIEWED, Given
from guardrails.resource import Resource, Stack, mapping, mappings, text, texts
from guardrails.rule import STRINGS, Concern

TAGGING: Final = Concern("tagging", "LF-Tags")
TAGS_A_RESOURCE: Final = 50
"""Lake Formation developer guide, "lf-tag-considerations"."""
TAG_CHARACTERS: Final = 50
"""The same page: characters of a key, and of a value."""
HIDING: Final = frozenset({"confidential", "restricted", UNREVIEWED})


# --------------------------------------------------------------------------------------------------------- rules
@TAGGING.stack(
    "sensitive-columns-carry-sensitivity",
    Severity.CRITICAL,
    fix="Review the column: give it a `classification` in its contract, or a ResourceLfTag `sensitivity` of its own.",
    tags=("personal-data",),
    options={
        "names": {"type": "string", "description": "Regular expression that names of sensitive columns match whole."},
    },
)
def sensitive_columns_carry_sensitivity(stack: Stack, given: Given) -> Iterator[tuple[Resource, str]]:
    """Every column that is sensitive by its contract or by its name carries the LF-Tag sensitivity.

    A column without a tag of its own inherits its table's, so in most meshes a new bank account number is readable by
    whoever could read the table before. A sensitivity of the whole table counts only if it hides the table.

    Good::

        aws.lakeformation.ResourceLfTag("iban-is-restricted", lf_tag={"key": "sensitivity", "value": "restricted"},
            table_with_columns={"database_name": "sales", "name": "customer", "column_names": ["iban"]})

    Bad::

        aws.glue.CatalogTable("customer", name="customer", database_name="sales",
            storage_descriptor={"columns": [{"name": "iban", "type": "string"}]})  # and no tag on it
    """
    tagged = {tag.on for tag in tags_of(stack) if tag.key == "sensitivity"}
    hidden = {tag.on for tag in tags_of(stack) if tag.key == "sensitivity" and tag.value in HIDING}
    if stack.unknown is not None:
        return
    names = text(given.options.get("names")) or SENSITIVE_NAMES
    for resource, table in _columns(stack):
        contract = {
            text(each.get("name")): text(each.get("personalData"))
            for each in mappings(given.manifest.tables.get((table.database, table.table), {}).get("columns"))
        }
        if table in hidden or Target(table.database, "*") in hidden:
            continue
        for column in _names(resource, table):
            kind = contract.get(column, "")
            sensitive = bool(kind) or looks_sensitive(column, names)
            if sensitive and Target(table.database, table.table, column) not in tagged:
                why = f"holds {kind} by its contract" if kind else "has the name of a sensitive column"
                yield (
                    resource,
                    (
                        f'{resource} leaves column "{column}" of {table} without the LF-Tag sensitivity, and it '
                        f"{why}; review "
                        "it and give it a sensitivity of its own."
                    ),
                )


def _columns(stack: Stack) -> Iterator[tuple[Resource, Target]]:
    for resource, table in tables_tagged(stack):
        yield resource, Target(text(table.get("database")), text(table.get("table")))
    for resource, target in stack.read(tokens.TABLE, _table_target):
        if target is not None:
            yield resource, target


def _table_target(resource: Resource) -> Target | None:
    """A Glue table; None for a resource link, which has no columns of its own."""
    _ = resource.get("storageDescriptor"), resource.get("partitionKeys")
    if resource.given("targetTable"):
        return None
    return Target(text(resource.get("databaseName")), text(resource.get("name")) or resource.name)


def _names(resource: Resource, table: Target) -> list[str]:
    if resource.type == tokens.TABLE_TAGS:
        for each in mappings(resource.get("tables")):
            if (text(each.get("database")), text(each.get("table"))) == (table.database, table.table):
                return list(mapping(each.get("columns")))
        return []
    columns = mappings(mapping(resource.get("storageDescriptor")).get("columns")) + mappings(
        resource.get("partitionKeys")
    )
    return [text(each.get("name")) for each in columns]


@TAGGING.stack(
    "databases-carry-domain-and-sensitivity",
    Severity.HIGH,
    fix="Add a ResourceLfTag for each missing key to the stack that makes the database, `sensitivity` with the value "
    "`unreviewed`.",
    options={
        "keys": {**STRINGS, "description": "LF-Tag keys that databases carry; domain and sensitivity if left out."}
    },
)
def databases_carry_domain_and_sensitivity(stack: Stack, given: Given) -> Iterator[tuple[Resource, str]]:
    """Every database carries the LF-Tags domain and sensitivity.

    Tables inherit the tags of their database, and so does every column that appears later: `unreviewed` on the database
    is what keeps it from being readable. Resource links carry no tags and are left alone.

    Good::

        sales = aws.glue.CatalogDatabase("sales", name="sales")
        for key, value in (("domain", "sales"), ("sensitivity", "unreviewed")):
            aws.lakeformation.ResourceLfTag(key, database={"name": sales.name},
                lf_tag={"key": key, "value": value})

    Bad::

        aws.glue.CatalogDatabase("sales", name="sales")
    """
    carried: dict[str, set[str]] = defaultdict(set)
    for tag in tags_of(stack):
        if not tag.on.table:
            carried[tag.on.database].add(tag.key)
    databases = stack.read(tokens.DATABASE, lambda each: text(each.get("name")) or each.name)
    if stack.unknown is not None:
        return
    for resource, name in databases:
        missing = sorted(set(given.option("keys", ("domain", "sensitivity"))) - carried[name])
        if missing and not resource.given("targetDatabase"):
            yield (
                resource,
                (
                    f"{resource} carries no LF-Tag {' and no '.join(missing)}; its tables, and every column "
                    "that appears in them, inherit what the database carries."
                ),
            )


@TAGGING.stack(
    "lf-tags-come-from-the-ontology",
    Severity.HIGH,
    fix="Use a key and value of mesh/tags.yaml, or add it there and deploy stack central first.",
    needs_manifest=True,
)
def lf_tags_come_from_the_ontology(stack: Stack, given: Given) -> Iterator[tuple[Resource, str]]:
    """Every LF-Tag that is defined, assigned or granted on is in the mesh's ontology, key and value.

    A value that is spelled differently matches no grant; a key that only one stack knows gives access that nobody sees
    in the declarations.

    Good::

        aws.lakeformation.ResourceLfTag("domain", database={"name": "sales"},
            lf_tag={"key": "domain", "value": "sales"})

    Bad::

        aws.lakeformation.ResourceLfTag("domain", database={"name": "sales"},
            lf_tag={"key": "Domaine", "value": "sales"})
    """
    for resource, key, value in _mentioned(stack):
        values = given.manifest.ontology.get(key)
        if values is None:
            yield resource, f'{resource} names the LF-Tag "{key}", which is not in the ontology of the mesh.'
        elif value not in values and value != "*":
            yield (
                resource,
                f'{resource} names the value "{value}" of the LF-Tag "{key}", which the ontology does not have.',
            )


def _mentioned(stack: Stack) -> Iterator[tuple[Resource, str, str]]:
    once = {(tag.by.urn, tag.key, tag.value): tag for tag in tags_of(stack)}
    for tag in once.values():
        yield tag.by, tag.key, tag.value
    defined = stack.read(tokens.LF_TAG, lambda each: (text(each.get("key")).lower(), texts(each.get("values"))))
    for resource, (key, values) in defined:
        for value in values:
            yield resource, key, value.lower()
    for resource, on in stack.read(tokens.PERMISSIONS, _granted_on):
        for key, granted in on.items():
            for value in sorted(granted):
                yield resource, key, value


def _granted_on(resource: Resource) -> Mapping[str, frozenset[str]]:
    grant = Grant(resource)
    if grant.kind == "lfTag":
        values = frozenset(each.lower() for each in texts(grant.on.get("values")))
        return {text(grant.on.get("key")).lower(): values}
    return grant.expression if grant.kind == "lfTagPolicy" else {}


@TAGGING.stack(
    "lf-tags-keep-their-quotas",
    Severity.MEDIUM,
    fix="Take tags away that no grant names, or shorten the key or value.",
)
def lf_tags_keep_their_quotas(stack: Stack, _given: Given) -> Iterator[tuple[Resource, str]]:
    """A resource carries at most 50 LF-Tags, and keys and values have at most 50 characters.

    Lake Formation refuses more in the middle of a deployment, when half of the tags are set.

    Good::

        aws.lakeformation.LfTag("process", key="process",
            values=["order-to-cash"])

    Bad::

        aws.lakeformation.LfTag("process", key="process",
            values=["order-to-cash-including-returns-and-everything-else"])
    """
    keys: dict[Target, dict[str, Resource]] = defaultdict(dict)
    for tag in tags_of(stack):
        keys[tag.on][tag.key] = tag.by
    for target, by in keys.items():
        if len(by) > TAGS_A_RESOURCE:
            last = by[max(by)]
            yield last, f"{last} brings {target} to {len(by)} LF-Tags, and Lake Formation allows {TAGS_A_RESOURCE}."
    for resource, (key, values) in stack.read(tokens.LF_TAG, lambda e: (text(e.get("key")), texts(e.get("values")))):
        for each in (key, *values):
            if len(each) > TAG_CHARACTERS:
                yield (
                    resource,
                    (
                        f'{resource} has "{each}" with {len(each)} characters; keys and values of LF-Tags have at most '
                        f"{TAG_CHARACTERS}."
                    ),
                )


@TAGGING.stack(
    "one-value-a-key",
    Severity.HIGH,
    fix="Decide for one value and remove the resource that sets the other.",
)
def one_value_a_key(stack: Stack, _given: Given) -> Iterator[tuple[Resource, str]]:
    """Nothing carries two values of one LF-Tag key.

    Lake Formation keeps one value a key: the resource that is applied last wins, and who may read what changes with the
    order of a deployment.

    Good::

        aws.lakeformation.ResourceLfTag("a", database={"name": "sales"},
            lf_tag={"key": "sensitivity", "value": "internal"})

    Bad::

        aws.lakeformation.ResourceLfTag("a", database={"name": "sales"},
            lf_tag={"key": "sensitivity", "value": "internal"})
        aws.lakeformation.ResourceLfTag("b", database={"name": "sales"},
            lf_tag={"key": "sensitivity", "value": "public"})
    """
    first: dict[tuple[Target, str], Tag] = {}
    for tag in tags_of(stack):
        before = first.setdefault((tag.on, tag.key), tag)
        if before.value != tag.value:
            yield (
                tag.by,
                (
                    f'{tag.by} gives {tag.on} the value "{tag.value}" of the LF-Tag "{tag.key}", and '
                    f'{before.by} gives it "{before.value}"; it can have one.'
                ),
            )


@TAGGING.stack(
    "partition-keys-are-reviewed",
    Severity.HIGH,
    fix="Give every partition key of the table a sensitivity, or take the tags off its other columns until "
    "they have one.",
    tags=("personal-data",),
)
def partition_keys_are_reviewed(stack: Stack, _given: Given) -> Iterator[tuple[Resource, str]]:
    """No column of a table is tagged with a sensitivity before all its partition keys are.

    Lake Formation cannot restrict partition keys: whoever may read one column of the table reads them, too
    ("data-filtering-notes").

    Good::

        {"columns": {"amount": {"sensitivity": "internal"}, "month": {"sensitivity": "internal"}},
         "partitionKeys": ["month"]}

    Bad::

        {"columns": {"amount": {"sensitivity": "internal"}, "customer_email": {}}, "partitionKeys": ["customer_email"]}
    """
    readable: dict[tuple[str, str], set[str]] = defaultdict(set)
    for tag in tags_of(stack):
        if tag.key == "sensitivity" and tag.value != UNREVIEWED:
            readable[tag.on.database, tag.on.table].add(tag.on.column)
    keys = [
        (resource, Target(text(table.get("database")), text(table.get("table"))), texts(table.get("partitionKeys")))
        for resource, table in tables_tagged(stack)
    ]
    for resource, (target, listed) in stack.read(tokens.TABLE, lambda each: (_table_target(each), _keys(each))):
        if target is not None:
            keys.append((resource, target, listed))
    if stack.unknown is not None:
        return
    for resource, target, listed in keys:
        reviewed = readable[target.database, target.table]
        missing = [key for key in listed if key not in reviewed]
        if missing and reviewed - {""} and "" not in reviewed:
            yield (
                resource,
                (
                    f"{resource} makes columns of {target} readable while its partition key "
                    f"{', '.join(missing)} is not reviewed; partition keys cannot be restricted, so review them first."
                ),
            )


def _keys(resource: Resource) -> list[str]:
    return [text(each.get("name")) for each in mappings(resource.get("partitionKeys"))]


@TAGGING.stack(
    "plural-resource-lf-tags-tag-alone",
    Severity.HIGH,
    fix="Use one ResourceLfTag for each tag instead.",
)
def plural_resource_lf_tags_tag_alone(stack: Stack, given: Given) -> Iterator[tuple[Resource, str]]:
    """ResourceLfTags is not used on anything that something else tags as well.

    It removes every tag that it did not set itself, and on a change takes all of its own away before it sets them again
    (terraform-provider-aws#36539).

    Good::

        aws.lakeformation.ResourceLfTag("domain", database={"name": "sales"},
            lf_tag={"key": "domain", "value": "sales"})

    Bad::

        aws.lakeformation.ResourceLfTags("all", database={"name": "sales"},
            lf_tags=[{"key": "domain", "value": "sales"}])
        aws.lakeformation.ResourceLfTag("more", database={"name": "sales"},
            lf_tag={"key": "layer", "value": "raw"})
    """
    by: dict[Target, dict[str, Resource]] = defaultdict(dict)
    for tag in tags_of(stack):
        by[tag.on][tag.by.urn] = tag.by
    reported = set()
    for target, resources in by.items():
        for resource in resources.values():
            if resource.type != tokens.RESOURCE_LF_TAGS or resource.urn in reported:
                continue
            others = [str(each) for each in resources.values() if each.urn != resource.urn]
            if not others and target.table and target.database in given.manifest.sources:
                others = ["the tag handler of the mesh"]
            if others:
                reported.add(resource.urn)
                yield (
                    resource,
                    (
                        f"{resource} removes every LF-Tag of {target} that it does not list, and {others[0]} "
                        "sets some there, too; use one ResourceLfTag for each tag."
                    ),
                )
