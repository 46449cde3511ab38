"""Checks of mesh.yaml and tags.yaml against themselves: accounts, sources, prefixes, tags."""

from __future__ import annotations

from collections.abc import Iterator

from lakemesh.declarations.draft import Draft
from lakemesh.declarations.errors import Problem, did_you_mean
from lakemesh.declarations.models import UNREVIEWED, Mesh, Sensitivity, Source
from lakemesh.declarations.naming import partition_of
from lakemesh.declarations.yamlfile import Path

BUILT_IN_TAGS = ("domain", "product", "sensitivity")
MAX_TAG_KEYS = 1000
"""LF-Tags an account ("lf-tag-considerations")."""


def account_of(arn: str) -> str:
    """Account in an ARN."""
    return arn.split(":")[4]


# ------------------------------------------------------------------------------------------------------ references
def sources_refer_to_producers(draft: Draft) -> Iterator[Problem]:
    for domain, position, source in draft.sources():
        if source.producer not in draft.known.producers:
            text = f'Producer "{source.producer}" is not in {draft.places.mesh_file}.'
            hint = did_you_mean(source.producer, draft.known.producers)
            yield _at(draft, "unknown-reference", text + hint, "domains", domain, "sources", position, "producer")


def members_are_of_consumers(draft: Draft) -> Iterator[Problem]:
    for consumer in draft.mesh.portal.members if draft.mesh is not None else ():
        if consumer not in draft.known.consumers:
            text = f'There is no consumer "{consumer}".{did_you_mean(consumer, draft.known.consumers)}'
            yield _at(draft, "unknown-reference", text, "portal", "members", consumer)


def sources_have_names_of_their_own(draft: Draft) -> Iterator[Problem]:
    """Twins share one catalog, and links carry their names: two of one name cannot be."""
    seen: dict[str, tuple[str, int, Source]] = {}
    for domain, position, source in draft.sources():
        other = seen.setdefault(source.twin_name, (domain, position, source))
        if other == (domain, position, source):
            continue
        place = draft.places.of(draft.places.mesh_file, "domains", other[0], "sources", other[1])
        where: Path = ("domains", domain, "sources", position)
        if (other[2].producer, other[2].database) == (source.producer, source.database):
            text = (
                f'Database "{source.database}" of producer "{source.producer}" is a source already '
                f"(domain {other[0]}, {place.file}:{place.line}).\nA database belongs to one domain: remove one of "
                "the two."
            )
            yield _at(draft, "duplicate-source", text, *where)
        else:
            text = (
                f'Two sources would have the twin "{source.twin_name}" in the central catalog; the other is of domain '
                f"{other[0]} ({place.file}:{place.line}).\nGive one of them a name of its own: twin: "
                f"{source.producer.replace('-', '_')}_{source.database}"
            )
            yield _at(draft, "duplicate-twin", text, *where, "twin" if source.twin else "database")


# ----------------------------------------------------------------------------------------------------------- rules
def every_part_has_its_own_account(draft: Draft) -> Iterator[Problem]:
    mesh = _mesh(draft)
    holders: list[tuple[str, str, Path]] = [("central", mesh.central.account, ("central", "account"))]
    holders += [(f"producer {n}", p.account, ("producers", n, "account")) for n, p in mesh.producers.items()]
    holders += [(f"consumer {n}", c.account, ("consumers", n, "account")) for n, c in mesh.consumers.items()]
    first: dict[str, str] = {}
    for holder, account, path in holders:
        other = first.setdefault(account, holder)
        if other != holder:
            text = (
                f"Account {account} is the account of {other} already.\nEach part needs one of its own: Lake "
                "Formation's "
                "settings and shares are per account, and two stacks would overwrite each other's."
            )
            yield _at(draft, "duplicate-account", text, *path)


def administrators_are_of_the_account(draft: Draft) -> Iterator[Problem]:
    mesh = _mesh(draft)
    for index, arn in enumerate(mesh.central.administrators):
        path: Path = ("central", "administrators", index)
        if account_of(arn) != mesh.central.account:
            text = f"This role is of account {account_of(arn)}, not of central's {mesh.central.account}."
            yield _at(draft, "wrong-account", text, *path)
        yield from _partition(draft, arn, path)
    # The deploying role is an administrator as well ("Quotas": 30 data lake administrators).
    count = len(set(mesh.central.administrators)) + 1
    if count > mesh.quotas.administrators:
        text = (
            f"{count} data lake administrators with the deploying role; Lake Formation takes at most "
            f"{mesh.quotas.administrators}.\nGive people one role to assume instead of a line for each."
        )
        yield _at(draft, "quota-administrators", text, "central", "administrators")


def people_are_of_the_partition(draft: Draft) -> Iterator[Problem]:
    for index, arn in enumerate(_mesh(draft).deployment.people):
        yield from _partition(draft, arn, ("deployment", "people", index))


def keys_are_of_the_region(draft: Draft) -> Iterator[Problem]:
    """Glue and S3 can use a key of their own region only (KMS developer guide, "Regions")."""
    mesh = _mesh(draft)
    if "region" in draft.replaced:
        return
    for name, producer in mesh.producers.items():
        keys: list[tuple[str | None, Path]] = [(producer.catalog_key, ("producers", name, "catalogKey"))]
        keys += [(b.kms_key, ("producers", name, "buckets", n, "kmsKey")) for n, b in producer.buckets.items()]
        for key, path in keys:
            if key is not None and key.split(":")[3] != mesh.region:
                text = f"This key is of region {key.split(':')[3]}; the mesh is in {mesh.region}."
                yield _at(draft, "wrong-region", text, *path)


def buckets_have_one_producer(draft: Draft) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name, producer in _mesh(draft).producers.items():
        for bucket in producer.buckets:
            other = first.setdefault(bucket, name)
            if other != name:
                text = f'Bucket "{bucket}" is a bucket of producer "{other}" already; bucket names are global.'
                yield _at(draft, "duplicate-bucket", text, "producers", name, "buckets", bucket)


def prefixes_lie_in_their_producers_buckets(draft: Draft) -> Iterator[Problem]:
    mesh = _mesh(draft)
    for domain, position, source in draft.sources():
        producer = mesh.producers.get(source.producer)
        if producer is None:
            continue
        for index, prefix in enumerate(source.prefixes):
            bucket = bucket_of(prefix)
            if bucket not in producer.buckets:
                text = (
                    f'Bucket "{bucket}" is not a bucket of producer "{source.producer}".'
                    f"{did_you_mean(bucket, producer.buckets)}\nList it under producers.{source.producer}.buckets, "
                    "so that its "
                    "policy gets the statement that lets the mesh read."
                )
                yield _at(draft, "unknown-bucket", text, "domains", domain, "sources", position, "prefixes", index)


def prefixes_do_not_nest(draft: Draft) -> Iterator[Problem]:
    """A prefix inside another producer's lets the one publish the other's data; one prefix is registered once."""
    places: list[tuple[str, str, str, Path]] = []
    for domain, position, source in draft.sources():
        for index, prefix in enumerate(source.prefixes):
            places.append(
                (prefix, source.producer, domain, ("domains", domain, "sources", position, "prefixes", index))
            )
    ancestors: list[tuple[str, str, str, Path]] = []
    for entry in sorted(places, key=lambda entry: (entry[0], str(entry[3]))):
        prefix, producer, domain, path = entry
        ancestors = [other for other in ancestors if prefix.startswith(other[0])]
        for outer, owner, outer_domain, outer_path in ancestors:
            place = draft.places.of(draft.places.mesh_file, *outer_path)
            if owner != producer:
                text = (
                    f'"{prefix}" lies inside "{outer}" of producer "{owner}" ({place.file}:{place.line}): '
                    f'"{producer}" could publish data of "{owner}".\nGive each producer prefixes apart from the '
                    "others'."
                )
                yield _at(draft, "nested-prefix", text, *path)
            elif outer == prefix and outer_domain != domain:
                text = (
                    f'"{prefix}" is a prefix of domain "{outer_domain}" already ({place.file}:{place.line}); Lake '
                    "Formation "
                    "registers a location once.\nGive each domain the prefixes of its own tables."
                )
                yield _at(draft, "duplicate-prefix", text, *path)
        ancestors.append(entry)


def bucket_of(prefix: str) -> str:
    """Bucket of an `s3://bucket/…` prefix."""
    return prefix.removeprefix("s3://").partition("/")[0]


# ------------------------------------------------------------------------------------------------------------ tags
def tags_are_apart_from_the_built_in(draft: Draft) -> Iterator[Problem]:
    for key, tag in draft.tags.items():
        if key in BUILT_IN_TAGS:
            text = f'The LF-Tag "{key}" is built in: its values come from the declarations.\nGive yours another name.'
            yield _in_tags(draft, "built-in-tag", text, key)
        seen: set[str] = set()
        for index, value in enumerate(tag.values):
            if value in seen:
                yield _in_tags(
                    draft, "duplicate-value", f'The value "{value}" stands here twice.', key, "values", index
                )
            seen.add(value)


def tags_fit_the_quotas(draft: Draft) -> Iterator[Problem]:
    mesh = _mesh(draft)
    quotas = mesh.quotas
    if len(draft.tags) + len(BUILT_IN_TAGS) > MAX_TAG_KEYS:
        text = (
            f"{len(draft.tags)} LF-Tags with the built-in three are more than the {MAX_TAG_KEYS} an account can have."
        )
        yield draft.places.problem("quota-tags", text, draft.places.tags_file, "tags")
    for key, tag in draft.tags.items():
        if len(key) > quotas.tag_characters:
            text = f"The key has {len(key)} characters; Lake Formation takes at most {quotas.tag_characters}."
            yield _in_tags(draft, "quota-tag-characters", text, key)
        if len(tag.values) > quotas.values_per_tag:
            text = (
                f"{len(tag.values)} values; Lake Formation takes at most {quotas.values_per_tag} a key.\nSplit the "
                "key in two."
            )
            yield _in_tags(draft, "quota-tag-values", text, key, "values")
        for index, value in enumerate(tag.values):
            if len(value) > quotas.tag_characters:
                text = f'"{value}" has {len(value)} characters; Lake Formation takes at most {quotas.tag_characters}.'
                yield _in_tags(draft, "quota-tag-characters", text, key, "values", index)
    for names, what in ((draft.known.products, "products"), (mesh.domains, "domains")):
        if len(names) > quotas.values_per_tag:
            text = (
                f"{len(names)} {what}, and each is a value of one LF-Tag that takes {quotas.values_per_tag}.\n"
                "Split the mesh in two, or ask AWS to raise the quota and say so under `quotas`."
            )
            yield _at(draft, "quota-tag-values", text)
        for name in sorted(names):
            if len(name) > quotas.tag_characters:
                text = f'"{name}" has {len(name)} characters; an LF-Tag\'s value takes at most {quotas.tag_characters}.'
                file = draft.places.product_file(name) if what == "products" else draft.places.mesh_file
                yield draft.places.problem(
                    "quota-tag-characters", text, file, *(("domains", name) if what == "domains" else ())
                )


def sensitivities() -> tuple[str, ...]:
    """Every value of the LF-Tag `sensitivity`."""
    return (*(sensitivity.value for sensitivity in Sensitivity), UNREVIEWED)


def partition_problem(draft: Draft, arn: str, file: str, *path: str | int) -> Iterator[Problem]:
    """A role of another partition than the mesh's region cannot exist beside it."""
    if draft.mesh is None or "region" in draft.replaced:
        return
    expected, found = partition_of(draft.mesh.region), arn.split(":")[1]
    if found != expected:
        text = f'This ARN is of partition "{found}"; region {draft.mesh.region} is in "{expected}".'
        yield draft.places.problem("wrong-partition", text, file, *path)


def _partition(draft: Draft, arn: str, path: Path) -> Iterator[Problem]:
    yield from partition_problem(draft, arn, draft.places.mesh_file, *path)


def _mesh(draft: Draft) -> Mesh:
    if draft.mesh is None:
        raise ValueError("checks run on a mesh")
    return draft.mesh


def _at(draft: Draft, rule: str, message: str, *path: str | int) -> Problem:
    return draft.places.problem(rule, message, draft.places.mesh_file, *path)


def _in_tags(draft: Draft, rule: str, message: str, *path: str | int) -> Problem:
    return draft.places.problem(rule, message, draft.places.tags_file, "tags", *path)
