"""The one JSON that everything after the program reads: Lambda handlers and the policy pack never see YAML.

The manifest travels in the functions' bundles; an invocation carries only the digest of the part it is about, so that a
handler with an older manifest refuses instead of doing harm (docs/adr/0005). A digest changes when, and only when, what
its part says changes. `schemas/manifest.schema.json` describes the format.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from lakemesh.declarations.models import (
    Column,
    Declarations,
    Grant,
    Product,
    Sensitivity,
    Source,
    Status,
    Table,
)
from lakemesh.declarations.naming import Naming
from lakemesh.declarations.service_levels import max_age

VERSION: Final = 1
_DIGEST_CHARACTERS: Final = 16

Json = dict[str, Any]


def manifest(declarations: Declarations) -> Json:
    """The manifest of a whole mesh, with a digest for the whole, for each source and for each table."""
    mesh = declarations.mesh
    naming = Naming(mesh)
    tables = {
        table.key: _table(product, table) for product in declarations.products.values() for table in product.tables
    }
    document: Json = {
        "version": VERSION,
        "mesh": mesh.name,
        "region": mesh.region,
        "partition": naming.partition,
        "organization": mesh.organization.id,
        "central": {
            "account": mesh.central.account,
            "administrators": sorted(mesh.central.administrators),
            "deployRole": mesh.central.deploy_role,
        },
        "producers": {name: _producer(declarations, naming, name) for name in mesh.producers},
        "consumers": {name: _consumer(declarations, name) for name in mesh.consumers},
        "ontology": {key: list(tag.values) for key, tag in declarations.tags.items()},
        "domains": {
            name: {"owner": domain.owner, "approvers": list(domain.approvers), "stack": naming.stack("domain", name)}
            for name, domain in mesh.domains.items()
        },
        "sources": {},
        "tables": tables,
        "products": {
            name: {
                "domain": product.domain,
                "version": product.version,
                "status": product.status.value,
                "maxAgeSeconds": max_age(product.service_levels),
            }
            for name, product in declarations.products.items()
        },
        "grants": [
            {**_grant(domain, grant), "products": _reached(declarations, domain, grant)}
            for domain, grants in sorted(declarations.grants.items())
            for grant in grants
        ],
        "approvals": {"automatic": sorted(mesh.approvals.automatic, key=lambda level: level.rank)},
        "thresholds": {
            "gracePeriodHours": mesh.sync.grace_period_hours,
            "massDelete": {"count": mesh.sync.mass_delete.count, "share": mesh.sync.mass_delete.share},
        },
    }
    document["sources"] = _sources(declarations, document["producers"], tables)
    document["digest"] = digest_of(document)
    return document


def to_json(document: Mapping[str, Any]) -> str:
    """Canonical text: sorted keys, no spaces, so that equal manifests are equal bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(part: Mapping[str, Any]) -> str:
    """First 16 hex digits of SHA-256 over the canonical text of `part` without its own `digest`."""
    text = to_json({key: value for key, value in part.items() if key != "digest"})
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARACTERS]


def source_digest(document: Mapping[str, Any], twin: str) -> str:
    """Digest of one source. Raises KeyError for a twin that the mesh does not have."""
    return str(document["sources"][twin]["digest"])


def table_digest(document: Mapping[str, Any], twin: str, table: str) -> str:
    """Digest of one table that a contract lists. Raises KeyError for any other."""
    return str(document["tables"][f"{twin}.{table}"]["digest"])


def _producer(declarations: Declarations, naming: Naming, name: str) -> Json:
    producer = declarations.mesh.producers[name]
    return {
        "account": producer.account,
        "governance": producer.governance.value,
        "readerRole": naming.reader_role_arn(name),
        "externalId": naming.external_id(name),
        "catalogKey": producer.catalog_key,
        "stack": naming.stack("producer", name),
    }


def _consumer(declarations: Declarations, name: str) -> Json:
    entry, own = declarations.mesh.consumers[name], declarations.consumers.get(name)
    return {
        "account": entry.account,
        "administrators": sorted(own.administrators) if own else [],
        "deployRole": entry.deploy_role,
    }


def _sources(declarations: Declarations, producers: Json, tables: Mapping[str, Json]) -> Json:
    listed: dict[str, list[Json]] = {}
    for table in tables.values():
        listed.setdefault(table["twin"], []).append(table)
    return {
        source.twin_name: _source(domain, source, listed.get(source.twin_name, []), producers[source.producer])
        for domain, entry in declarations.mesh.domains.items()
        for source in entry.sources
    }


def _source(domain: str, source: Source, tables: list[Json], producer: Json) -> Json:
    entry: Json = {
        "domain": domain,
        "producer": source.producer,
        "database": source.database,
        "prefixes": sorted(source.prefixes),
        "tables": sorted(table["table"] for table in tables),
    }
    # How its producer is reached is part of what a sync of the source does, so it is part of the digest. So is what
    # contracts say of schemas: the sync holds back a schema that nobody reviewed, and must run once somebody has.
    reviewed = {table["table"]: [_reviewed(column) for column in table["columns"]] for table in tables}
    entry["digest"] = digest_of({**entry, "reader": producer, "schemas": reviewed})
    return entry


def _reviewed(column: Json) -> list[Any]:
    """What of a contract's column decides whether a schema may be copied.

    A review itself matters only where its tag covers more than one field (nested types) or everybody (partition keys).
    """
    matters = column["partitionKey"] is not None or "<" in column["type"]
    return [
        column["name"],
        column["type"],
        column["partitionKey"],
        column["sensitivity"] is not None if matters else None,
    ]


def _table(product: Product, table: Table) -> Json:
    # A retired product lets go of its LF-Tags: Lake Formation refuses to take a value out of the ontology while a table
    # carries it, so a contract can only be deleted once its domain was deployed with the product retired.
    readable = product.status is not Status.RETIRED
    tags = {**table.tags, "product": product.name} if readable else {}
    if table.kind == "view" and readable:
        highest = view_sensitivity(table)
        tags |= {"sensitivity": highest.value} if highest else {}
    entry: Json = {
        "domain": product.domain,
        "product": product.name,
        "producer": table.producer,
        "database": table.database,
        "twin": table.twin,
        "table": table.name,
        "kind": table.kind,
        "tags": tags,
        "columns": [_column(column, readable=readable) for column in table.columns],
    }
    entry["digest"] = digest_of(entry)
    return entry


def _column(column: Column, *, readable: bool) -> Json:
    """A retired product's columns count as unreviewed and untagged: whoever could read them no longer can."""
    return {
        "name": column.name,
        "type": column.type,
        "sensitivity": column.sensitivity.value if column.sensitivity and readable else None,
        "personalData": column.personal_data,
        "partitionKey": column.partition_key,
        "tags": dict(column.tags) if readable else {},
    }


def view_sensitivity(view: Table) -> Sensitivity | None:
    """Highest sensitivity of a view's columns, or None while one of them is unreviewed.

    Lake Formation keeps no column permissions on views (Athena user guide, "lf-athena-limitations"), so one value must
    do for the whole view.
    """
    reviewed = [column.sensitivity for column in view.columns if column.sensitivity is not None]
    if not reviewed or len(reviewed) < len(view.columns):
        return None
    return max(reviewed, key=lambda sensitivity: sensitivity.rank)


def _grant(domain: str, grant: Grant) -> Json:
    return {
        "id": grant.id,
        "domain": domain,
        "product": grant.product,
        "tags": {key: sorted(values) for key, values in grant.tags.items()} if grant.tags is not None else None,
        "to": grant.to,
        "access": grant.access.value,
        "sensitivity": [str(value) for value in grant.sensitivity],
        "expires": grant.expires.isoformat() if grant.expires else None,
        "approvedBy": grant.approved_by if isinstance(grant.approved_by, str) else list(grant.approved_by),
        "ticket": grant.ticket,
    }


def _reached(declarations: Declarations, domain: str, grant: Grant) -> list[str]:
    """Products that a grant reaches as the contracts stand, sorted: those whose consumers hear of a broken schema."""
    if grant.product is not None:
        return [grant.product]
    own = [product for product in declarations.products.values() if product.domain == domain]
    return sorted(product.name for product in own if any(_carries(grant, product, table) for table in product.tables))


def _carries(grant: Grant, product: Product, table: Table) -> bool:
    """Whether the tags of a table, or of one of its columns, match a grant by tags."""
    wanted = {key: values for key, values in (grant.tags or {}).items() if key != "sensitivity"}
    whole = {**product.tags, **table.tags, "product": product.name, "domain": product.domain}
    carried = [whole, *({**whole, **column.tags} for column in table.columns if column.tags)]
    return any(all(tags.get(key) in values for key, values in wanted.items()) for tags in carried)
