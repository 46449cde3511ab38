"""Declarations into the plain arguments of components: the one place where the two meet.

Pure, and tested without an engine: `Arguments(declarations, options, today)` and then one method a kind of part.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from components.central_account import CentralAccountArgs
from components.consumer_account import ConsumerAccountArgs
from components.data_filters import DataFilterArgs
from components.domain import DomainArgs, LocationsOfProducer, TaggedProduct, Twin
from components.handler_function import HandlerSettings
from components.monitoring import DomainMonitoringArgs
from components.permissions import EntryArgs
from components.policy_statements import BucketReader, SharedBucket
from components.producer_account import ProducerAccountArgs
from components.registered_locations import Prefix
from components.table_tags import TaggedTable
from components.workgroups import Workgroup
from lakemesh.access.expand import Entry, Expansion, expand
from lakemesh.access.filters import FilterEntry
from lakemesh.access.state import (
    DatabaseResource,
    DataFilterResource,
    TableResource,
    TagPolicyResource,
    resource_key,
)
from lakemesh.declarations.manifest import manifest, to_json
from lakemesh.declarations.models import Declarations, Governance, Mesh, PolicyStatements, Source
from lakemesh.declarations.naming import Naming
from lakemesh.declarations.schedules import period
from lakemesh.deploy.parts import Kind, Part, account
from lakemesh.deploy.reviewing import ARROW_LAYER, review_settings, scan_settings

POWERTOOLS_LAYER = "arn:{partition}:lambda:{region}:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:27"


class ArgumentsError(ValueError):
    """Declarations that no deployment may carry out; the text says what to change."""


@dataclass(frozen=True)
class Options:
    """Settings of the program that are no declarations of the mesh: `config` in Pulumi.yaml, with the same defaults."""

    powertools_layer: str = POWERTOOLS_LAYER
    """ARN of the Powertools layer; `{partition}` and `{region}` are filled in."""
    arrow_layer: str = ARROW_LAYER
    """ARN of a layer that brings pyarrow, for producers' scans."""
    log_retention_days: int = 365
    result_retention_days: int = 30
    reserved_concurrency: int = -1
    managed_policies_per_role: int = 10
    permissions_boundary: bool = True
    """Whether roles carry the boundary that `lakemesh bootstrap` made; its deploying role makes no role without."""
    protect: bool = True


@dataclass(frozen=True)
class Provider:
    """The one AWS provider of a stack: it can reach one account, through one role."""

    account: str
    region: str
    role_arn: str
    session_name: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Arguments:
    """Arguments of every part of a mesh, on one day: grants that have expired by `today` are left out."""

    declarations: Declarations
    options: Options
    today: dt.date

    # --------------------------------------------------------------------------------------------------- parts
    def provider(self, part: Part) -> Provider:
        """The provider of a part's stack."""
        kind, name = ("central", "") if part.kind is Kind.DOMAIN else (str(part.kind), part.name)
        mesh = self.declarations.mesh
        return Provider(
            account=account(part, self.declarations),
            region=mesh.region,
            role_arn=self.naming.deploy_role_arn(kind, name),
            session_name=f"{mesh.name}-{part.stack}"[:64],
            tags={"lakemesh:mesh": mesh.name, "lakemesh:stack": part.stack},
        )

    def central(self) -> CentralAccountArgs:
        """The governance account."""
        mesh, naming = self.declarations.mesh, self.naming
        administrators = {naming.deploy_role_arn("central"), *mesh.central.administrators}
        made: CentralAccountArgs = {
            "account": mesh.central.account,
            "region": mesh.region,
            "partition": naming.partition,
            "organization": mesh.organization.id,
            "mesh": mesh.name,
            "administrators": sorted(administrators),
            "cross_account_version": str(mesh.central.cross_account_version),
            "ontology": {key: list(tag.values) for key, tag in sorted(self.declarations.tags.items())},
            "catalog_key_alias": naming.catalog_key_alias,
            "consumer_accounts": sorted({consumer.account for consumer in mesh.consumers.values()}),
            "twins": sorted(self.document["sources"]),
            "reader_role_arns": sorted(naming.reader_role_arn(producer) for producer in mesh.producers),
            "sync_function": naming.sync_function,
            "sync_role": naming.sync_role,
            "tag_function": naming.tag_function,
            "tag_role": naming.tag_role,
            "event_bus": naming.event_bus,
            "event_rule": naming.event_rule,
            "refresh_rule": naming.refresh_rule,
            "refresh": mesh.sync.refresh,
            "watch_rule": naming.watch_rule,
            "sync_state": naming.sync_state,
            "topic_prefix": naming.topic_prefix,
            "sync_queue": naming.sync_queue,
            "dead_letter_queue": naming.dead_letter_queue,
            "sync_key_alias": naming.sync_key_alias,
            "manifest": to_json(self.document),
            "handlers": self.handlers(mesh.central.account),
            "managed_policies_per_role": self.options.managed_policies_per_role,
            "protect": self.options.protect,
        }
        if review := review_settings(self.declarations, naming):
            made["review"] = review
        made["domains"] = sorted(name for name, domain in mesh.domains.items() if domain.sources)
        made["operators"] = list(mesh.alerting.operators)
        made["notify_consumers"] = {name: list(one.notify) for name, one in sorted(mesh.consumers.items())}
        made["runbooks"] = runbooks(mesh)
        if mesh.portal.members:
            made["access_log"], made["portal_policy"] = naming.access_log, naming.portal_policy
        return made

    def producer(self, name: str) -> ProducerAccountArgs:
        """The account of producer `name`."""
        mesh, naming = self.declarations.mesh, self.naming
        producer = mesh.producers[name]
        made: ProducerAccountArgs = {
            "account": producer.account,
            "region": mesh.region,
            "partition": naming.partition,
            "organization": mesh.organization.id,
            "mesh": mesh.name,
            "central_account": mesh.central.account,
            "sync_role_arn": naming.sync_role_arn(),
            "reader_role": naming.reader_role(name),
            "external_id": naming.external_id(name),
            "databases": sorted({source.database for _, source in self._sources_of(name)}),
            "governed": producer.governance is Governance.LAKE_FORMATION,
            "buckets": self._shared_buckets(name),
            "merge": producer.policy_statements is PolicyStatements.MERGE,
            "sid_prefix": naming.sid_prefix(name),
            "statements_function": naming.statements_function(name),
            "statements_role": naming.statements_role(name),
            "event_bus_arn": naming.event_bus_arn(),
            "event_rule": naming.forwarding_rule(name),
            "event_role": naming.forwarding_role(name),
            "handlers": self.handlers(producer.account),
        }
        if producer.catalog_key:
            made["catalog_key"] = producer.catalog_key
        layer = self.options.arrow_layer.replace("{partition}", naming.partition).replace("{region}", mesh.region)
        tables = self.document["tables"]
        if scan := scan_settings(self.declarations, naming, name, tables, made["buckets"], layer):
            made["scan"] = scan
        return made

    def domain(self, name: str) -> DomainArgs:
        """The part of domain `name` in the governance account."""
        mesh, naming = self.declarations.mesh, self.naming
        sources = mesh.domains[name].sources
        made: DomainArgs = {
            "domain": name,
            "region": mesh.region,
            "partition": naming.partition,
            "sync_role_arn": naming.sync_role_arn(),
            "tag_role_arn": naming.tag_role_arn(),
            "sync_function": naming.sync_function,
            "tag_function": naming.tag_function,
            "locations": [
                self._locations(name, producer) for producer in sorted({source.producer for source in sources})
            ],
            "twins": [self._twin(source) for source in sorted(sources, key=lambda each: each.twin_name)],
            "products": self._products(name),
            "entries": [self._entry(entry) for entry in self.expansion.central(name)],
        }
        if filters := self.expansion.filters(name):
            made["filters"] = [self._filter(entry) for entry in filters]
        if boundary := self.boundary(mesh.central.account):
            made["permissions_boundary"] = boundary
        # Nothing is synced for a domain without sources, and its silence would be an alarm.
        if sources:
            made["monitoring"] = self._monitoring(name)
        if mesh.classification.after_sync:
            made["review_role_arn"] = naming.role_arn(mesh.central.account, naming.review_role)
        return made

    def _monitoring(self, name: str) -> DomainMonitoringArgs:
        mesh, naming = self.declarations.mesh, self.naming
        domain = mesh.domains[name]
        made: DomainMonitoringArgs = {
            "account": mesh.central.account,
            "region": mesh.region,
            "partition": naming.partition,
            "mesh": mesh.name,
            "domain": name,
            "key_alias": naming.sync_key_alias,
            "operators_topic_arn": f"{naming.topic_prefix}operators",
            "emails": list(domain.approvers if domain.notify is None else domain.notify),
            "refresh_seconds": int(period(mesh.sync.refresh).total_seconds()),
            "runbooks": runbooks(mesh),
            "sync_function": naming.sync_function,
        }
        if mesh.classification.after_sync:
            made["review_function"] = naming.review_function
        return made

    def consumer(self, name: str) -> ConsumerAccountArgs:
        """The account of consumer `name`."""
        mesh, naming = self.declarations.mesh, self.naming
        declared = self.declarations.consumers.get(name)
        own = mesh.consumers[name].account
        workgroups: list[Workgroup] = [
            {
                "principal": alias,
                "name": naming.workgroup(name, alias),
                "role_arn": principal.role,
                "prefix": naming.results_prefix(name, alias),
            }
            for alias, principal in sorted((declared.principals if declared else {}).items())
        ]
        administrators = {naming.deploy_role_arn("consumer", name), *(declared.administrators if declared else ())}
        entries = self.expansion.consumer(name)
        return {
            "account": own,
            "region": mesh.region,
            "partition": naming.partition,
            "mesh": mesh.name,
            "central_account": mesh.central.account,
            "administrators": sorted(administrators),
            "cross_account_version": str(mesh.central.cross_account_version),
            "databases": list(self.expansion.databases(name)),
            "entries": [self._entry(entry) for entry in entries],
            "shares_digest": self._shares_digest(own),
            "shares_function": naming.shares_function(name),
            "shares_role": naming.shares_role(name),
            "results_bucket": naming.results_bucket(name),
            "result_retention_days": self.options.result_retention_days,
            "workgroups": workgroups,
            "handlers": self.handlers(own),
            "protect": self.options.protect,
        }

    # ----------------------------------------------------------------------------------- what parts share
    @cached_property
    def naming(self) -> Naming:
        return Naming(self.declarations.mesh)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The manifest."""
        return manifest(self.declarations)

    @cached_property
    def expansion(self) -> Expansion:
        return expand(self.declarations, self.today)

    def boundary(self, account: str) -> str | None:
        """ARN of the permission boundary of the roles in an account."""
        arn = f"arn:{self.naming.partition}:iam::{account}:policy/{self.naming.boundary}"
        return arn if self.options.permissions_boundary else None

    def handlers(self, account: str) -> HandlerSettings:
        """What the functions in an account have in common."""
        mesh = self.declarations.mesh
        layer = self.options.powertools_layer
        made: HandlerSettings = {
            "powertools_layer": layer.replace("{partition}", self.naming.partition).replace("{region}", mesh.region),
            "log_retention_days": self.options.log_retention_days,
            "reserved_concurrency": self.options.reserved_concurrency,
        }
        if boundary := self.boundary(account):
            made["permissions_boundary"] = boundary
        return made

    # ----------------------------------------------------------------------------------------------- producers
    def _sources_of(self, producer: str) -> list[tuple[str, Source]]:
        """Domain and source, for every database of a producer that some domain draws on."""
        return [
            (domain, source)
            for domain, entry in sorted(self.declarations.mesh.domains.items())
            for source in entry.sources
            if source.producer == producer
        ]

    def _shared_buckets(self, producer: str) -> list[SharedBucket]:
        prefixes: dict[str, dict[str, set[str]]] = {}
        for domain, source in self._sources_of(producer):
            role = self.naming.registration_role_arn(domain, producer)
            for place in _prefixes(source.prefixes):
                prefixes.setdefault(place["bucket"], {}).setdefault(role, set()).add(place["prefix"])
        declared = self.declarations.mesh.producers[producer].buckets
        made: list[SharedBucket] = []
        for bucket, by_role in sorted(prefixes.items()):
            readers: list[BucketReader] = [
                {"role_arn": role, "prefixes": sorted(each)} for role, each in sorted(by_role.items())
            ]
            shared: SharedBucket = {"bucket": bucket, "readers": readers}
            if bucket in declared and (key := declared[bucket].kms_key):
                shared["kms_key"] = key
            made.append(shared)
        return made

    # ------------------------------------------------------------------------------------------------- domains
    def _locations(self, domain: str, producer: str) -> LocationsOfProducer:
        sources = (source for source in self.declarations.mesh.domains[domain].sources if source.producer == producer)
        places = {prefix for source in sources for prefix in source.prefixes}
        buckets = self.declarations.mesh.producers[producer].buckets
        used = {place["bucket"] for place in _prefixes(places)}
        return {
            "producer": producer,
            "role": self.naming.registration_role(domain, producer),
            "prefixes": _prefixes(places),
            "kms_keys": sorted({key for name in used if name in buckets and (key := buckets[name].kms_key)}),
        }

    def _twin(self, source: Source) -> Twin:
        return {
            "name": source.twin_name,
            "producer": source.producer,
            "description": f"Copy of {source.database} of producer {source.producer}, kept by the mesh.",
            "digest": self.document["sources"][source.twin_name]["digest"],
        }

    def _products(self, domain: str) -> list[TaggedProduct]:
        tables: dict[str, list[TaggedTable]] = {}
        for table in self.document["tables"].values():
            if table["domain"] == domain:
                tables.setdefault(table["product"], []).append(_tagged(table))
        return [{"product": product, "tables": each} for product, each in sorted(tables.items())]

    # ----------------------------------------------------------------------------------------------- consumers
    def _shares_digest(self, own: str) -> str:
        """Digest of everything that central grants to an account or to roles in it."""
        granted = sorted(
            (entry.principal, resource_key(entry.resource), *entry.permissions)
            for domain in self.declarations.mesh.domains
            for entry in self.expansion.central(domain)
            if entry.principal == own or f"::{own}:" in entry.principal
        )
        return hashlib.sha256(json.dumps(granted).encode()).hexdigest()[:16]

    @staticmethod
    def _filter(entry: FilterEntry) -> DataFilterArgs:
        of = entry.resource
        made: DataFilterArgs = {
            "name": entry.name,
            "catalog": of.catalog,
            "database": of.database,
            "table": of.table,
            "filter": of.name,
            "columns": list(entry.columns),
        }
        if entry.rows is not None:
            made["rows"] = entry.rows
        return made

    @staticmethod
    def _entry(entry: Entry) -> EntryArgs:
        made: EntryArgs = {
            "name": entry.name,
            "principal": entry.principal,
            "permissions": list(entry.permissions),
            "grantable": list(entry.grantable),
        }
        match entry.resource:
            case DatabaseResource(catalog, database):
                made["database"] = {"catalog": catalog, "name": database}
            case TableResource(catalog, database, str(table)):
                made["table"] = {"catalog": catalog, "database": database, "name": table}
            case DataFilterResource(catalog, database, filtered, name):
                made["data_filter"] = {"catalog": catalog, "database": database, "table": filtered, "name": name}
            case TagPolicyResource(catalog, kind, expression):
                values = {key: sorted(those) for key, those in expression}
                made["tag_policy"] = {"catalog": catalog, "kind": kind, "expression": values}
            case other:
                raise ArgumentsError(f"entry {entry.name}: no component grants on a {type(other).__name__}")
        return made


def _tagged(table: Mapping[str, Any]) -> TaggedTable:
    keys = sorted((c for c in table["columns"] if c["partitionKey"] is not None), key=lambda c: int(c["partitionKey"]))
    return {
        "database": table["twin"],
        "table": table["table"],
        "tags": dict(table["tags"]),
        "columns": {column["name"]: _column_tags(table, column) for column in table["columns"]},
        "partition_keys": [column["name"] for column in keys],
        "digest": table["digest"],
    }


def _column_tags(table: Mapping[str, Any], column: Mapping[str, Any]) -> dict[str, str]:
    """Nothing for a view, which has no permissions on columns; nothing for a column that nobody has reviewed."""
    if table["kind"] == "view" or not column["sensitivity"]:
        return {}
    return {**column["tags"], "sensitivity": column["sensitivity"]}


def _prefixes(uris: Iterable[str]) -> list[Prefix]:
    made: list[Prefix] = []
    for uri in sorted(set(uris)):
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        made.append({"bucket": bucket, "prefix": prefix})
    return made


def runbooks(mesh: Mesh) -> str:
    """Where alarms find their runbooks: as the mesh says, or this repository's folder, by its name alone."""
    return mesh.alerting.runbooks or "docs/runbooks/"
