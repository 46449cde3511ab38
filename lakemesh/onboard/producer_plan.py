"""A producer's entries in the mesh directory: facts and declarations in, a proposal out. Writes nothing."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lakemesh.declarations.models import Declarations, Governance, Mesh, Producer, Slug
from lakemesh.declarations.naming import Naming
from lakemesh.onboard import contracts, grants
from lakemesh.onboard.contracts import Place
from lakemesh.onboard.errors import OnboardError
from lakemesh.onboard.facts import ProducerFacts, TableFacts, TableKind
from lakemesh.onboard.proposal import Draft, Proposal, Refused, tried
from lakemesh.onboard.screening import Chosen, Question, Screener, buckets_of, table_matches
from lakemesh.onboard.statements import denies, merges
from lakemesh.onboard.yamltext import insert, render

MESH = "mesh.yaml"
_SLUG: TypeAdapter[str] = TypeAdapter(Slug)


@dataclass(frozen=True)
class ProductRule:
    """Tables that go into one product: `name`, or `name=pattern`."""

    name: str
    pattern: str = ""

    @classmethod
    def parse(cls, text: str) -> ProductRule:
        name, _, pattern = text.partition("=")
        check_name(name, "product")
        return cls(name, pattern)


@dataclass(frozen=True)
class Wanted:
    """What a person asks for."""

    name: str
    account: str
    domain: str
    databases: frozenset[str]
    tables: tuple[str, ...] = ()
    products: tuple[ProductRule, ...] = ()
    owner: str = ""
    domain_owner: str = ""
    approvers: tuple[str, ...] = ()
    governance: Governance | None = None


def check_name(name: str, what: str) -> None:
    """Raises OnboardError for a name that no producer, domain, consumer or product can have."""
    try:
        _SLUG.validate_python(name)
    except ValidationError:
        raise OnboardError(
            f'"{name}" cannot name a {what}: at most 50 lower-case letters, digits, "-" and "_", a letter first.'
        ) from None


def check_account(mesh: Mesh, kind: str, name: str, account: str) -> None:
    """Raises OnboardError where the account, or the name, belongs to another part of the mesh."""
    check_name(name, kind)
    held: dict[str, str] = {"central": mesh.central.account}
    held |= {f"producer {each}": entry.account for each, entry in mesh.producers.items()}
    held |= {f"consumer {each}": entry.account for each, entry in mesh.consumers.items()}
    own = f"{kind} {name}"
    if own in held and held[own] != account:
        raise OnboardError(f"mesh.yaml says that the account of {own} is {held[own]}, not {account}.")
    other = next((part for part, number in held.items() if number == account and part != own), None)
    if other:
        raise OnboardError(
            f"Account {account} is the account of {other} already. Each part of a mesh needs an account of its own: "
            "Lake Formation's settings and shares are per account."
        )


def plan_producer(directory: Path, declarations: Declarations, facts: ProducerFacts, wanted: Wanted) -> Proposal:
    """Everything that onboarding this producer writes and says.

    Raises OnboardError where something must be said first, or where the mesh would not be valid with the entries.
    """
    return _Plan(directory, declarations, facts, wanted).make()


class _Plan:
    def __init__(self, directory: Path, declarations: Declarations, facts: ProducerFacts, wanted: Wanted) -> None:
        self.declarations, self.facts, self.wanted = declarations, facts, wanted
        self.mesh = declarations.mesh
        self.draft = Draft(directory)
        self.proposal = Proposal(notes=list(facts.caveats))

    def make(self) -> Proposal:
        wanted, proposal = self.wanted, self.proposal
        check_account(self.mesh, "producer", wanted.name, wanted.account)
        check_name(wanted.domain, "domain")
        question = Question(wanted.name, wanted.domain, wanted.databases, wanted.tables)
        screening = Screener(self.facts, self.mesh, question).screen()
        proposal.refused += screening.refused
        proposal.notes += screening.notes
        if not screening.chosen:
            said = "".join(f"\n  {one.what}: {one.why}. {one.mend}" for one in screening.refused)
            said = said or f" No table fits {', '.join(wanted.tables)}."
            raise OnboardError(f"Nothing of what was asked for can be in the mesh.{said}")
        self._producer(screening.chosen)
        self._domain(screening.chosen)
        self._contracts(screening.chosen)
        after = tried(self.draft.directory, self.draft.changes())
        self._grants(after)
        proposal.changes = self.draft.changes()
        after = tried(self.draft.directory, proposal.changes)
        proposal.merges = merges(after, wanted.name, self.facts)
        proposal.notes += denies(self.facts)
        return proposal

    def _add(self, file: str, path: tuple[str | int, ...], addition: Any, said: str) -> None:
        try:
            self.draft.put(file, insert(self.draft.text(file) or "", path, addition))
        except OnboardError as error:
            raise OnboardError(f"{file}, {'.'.join(map(str, path))}: {error}:\n{render(addition)}") from error
        self.proposal.done.append(said)

    # ------------------------------------------------------------------------------------------------- mesh.yaml
    def _producer(self, chosen: Sequence[Chosen]) -> None:
        buckets = {name: self._bucket(name) for name in buckets_of(one.source for one in chosen)}
        found = self.wanted.governance or self.facts.governance(frozenset(one.database.name for one in chosen))
        key = self.facts.catalog_key
        catalog_key = key.arn if key and key.customer_managed else None
        existing = self.mesh.producers.get(self.wanted.name)
        if existing is not None:
            self._update(existing, buckets, found, catalog_key)
        else:
            if not self.wanted.owner:
                raise OnboardError(f"Who answers for producer {self.wanted.name}? Say so with --owner, as @org/team.")
            entry: dict[str, Any] = {
                "account": self.wanted.account,
                "owner": self.wanted.owner,
                "governance": found.value,
                "buckets": buckets,
            }
            if catalog_key:
                entry["catalogKey"] = catalog_key
            self._add(MESH, ("producers",), {self.wanted.name: entry}, f"producer {self.wanted.name}")
        if (existing.governance if existing else found) is Governance.LAKE_FORMATION:
            self._needs_administrator()

    def _bucket(self, name: str) -> dict[str, str]:
        facts = self.facts.buckets.get(name)
        return {"kmsKey": facts.key.arn} if facts and facts.key else {}

    def _update(
        self, existing: Producer, buckets: Mapping[str, Any], governance: Governance, catalog_key: str | None
    ) -> None:
        """Only what is new; where declaration and account disagree, a person decides."""
        name, notes = self.wanted.name, self.proposal.notes
        new = {bucket: entry for bucket, entry in buckets.items() if bucket not in existing.buckets}
        if new:
            self._add(MESH, ("producers", name, "buckets"), new, f"buckets of {name}: {', '.join(new)}")
        for bucket, entry in buckets.items():
            declared = existing.buckets.get(bucket)
            if declared is not None and declared.kms_key != entry.get("kmsKey"):
                notes.append(
                    f"producers.{name}.buckets.{bucket}: the account says {entry.get('kmsKey') or 'no KMS key'}, "
                    f"mesh.yaml {declared.kms_key or 'none'}. Left as it is."
                )
        if catalog_key and existing.catalog_key is None:
            self._add(MESH, ("producers", name), {"catalogKey": catalog_key}, f"catalog key of {name}")
        elif catalog_key != existing.catalog_key:
            notes.append(
                f"producers.{name}.catalogKey: the account says {catalog_key or 'none'}, mesh.yaml "
                f"{existing.catalog_key}. Left as it is."
            )
        if governance is not existing.governance:
            notes.append(
                f"producers.{name}.governance: the account looks like {governance}, mesh.yaml says "
                f"{existing.governance}. Left as it is."
            )

    def _needs_administrator(self) -> None:
        naming = Naming(self.mesh)
        producer = self.mesh.producers.get(self.wanted.name)
        role = producer.deploy_role if producer else str(Producer.model_fields["deploy_role"].default)
        arn = naming.role_arn(self.wanted.account, role)
        if arn not in self.facts.administrators:
            self.proposal.notes.append(
                f"Lake Formation governs this account, so the role that deploys, {arn}, has to be a data lake "
                "administrator there: only one can give the reader role DESCRIBE. Add it to DataLakeAdmins."
            )

    def _domain(self, chosen: Sequence[Chosen]) -> None:
        domain = self.wanted.domain
        sources = [_source(one) for one in chosen if one.is_new]
        if domain not in self.mesh.domains:
            if not self.wanted.domain_owner or not self.wanted.approvers:
                raise OnboardError(
                    f"Domain {domain} is new: say who owns it with --domain-owner and who approves grants on its "
                    "products with --approver."
                )
            entry = {
                "owner": self.wanted.domain_owner,
                "approvers": list(self.wanted.approvers),
                "sources": sources,
            }
            self._add(MESH, ("domains",), {domain: entry}, f"domain {domain}")
        elif sources:
            names = ", ".join(str(source["database"]) for source in sources)
            self._add(MESH, ("domains", domain, "sources"), sources, f"sources of {domain}: {names}")

    # ------------------------------------------------------------------------------------------------- contracts
    def _contracts(self, chosen: Sequence[Chosen]) -> None:
        listed = {
            (table.producer, table.database, table.name): product
            for product in self.declarations.products.values()
            for table in product.tables
        }
        grouped: dict[str, list[TableFacts]] = {}
        places: dict[str, Place] = {}
        taken = set(self.declarations.products)
        for one in chosen:
            places[one.database.name] = Place(self.wanted.account, one.database.name, one.source.prefixes[0])
            for table in one.tables:
                self._remark(table)
                product = listed.get((self.wanted.name, table.database, table.name))
                if product is not None:
                    self._compare(f"products/{product.domain}/{product.name}.odcs.yaml", table)
                    continue
                rule = next(
                    (r for r in self.wanted.products if not r.pattern or table_matches(table, (r.pattern,))), None
                )
                name = rule.name if rule else contracts.product_name(table, self.wanted.name, frozenset(taken))
                taken.add(name)
                grouped.setdefault(name, []).append(table)
        for name, tables in grouped.items():
            self._product(name, tables, places)

    def _remark(self, table: TableFacts) -> None:
        if table.kind is TableKind.VIEW:
            self.proposal.notes.append(
                f"view {table.key}: who is to query it needs a grant on it and on every table that it reads."
            )
        elif len(table.directories) > 1:
            self.proposal.notes.append(f"table {table.key} lies in several places: {', '.join(table.directories)}.")

    def _compare(self, file: str, table: TableFacts) -> None:
        found = contracts.compared(self.draft.text(file) or "", table, file)
        self.proposal.notes += found.notes
        if found.added:
            self.draft.put(file, found.text)
            names = ", ".join(column.name for column in found.added)
            self.proposal.done.append(f"{file}: new columns of {table.key}, unreviewed: {names}")

    def _product(self, name: str, tables: list[TableFacts], places: Mapping[str, Place]) -> None:
        existing = self.declarations.products.get(name)
        if existing is None:
            file = f"products/{self.wanted.domain}/{name}.odcs.yaml"
            self.draft.put(file, contracts.contract(name, self.wanted.domain, self.wanted.name, tables, places))
            self.proposal.done.append(f"{file}: {_counted(tables)}, every column unreviewed")
            return
        if existing.domain != self.wanted.domain:
            raise OnboardError(f"Product {name} is of domain {existing.domain}, not of {self.wanted.domain}.")
        file = f"products/{existing.domain}/{name}.odcs.yaml"
        for table in tables:
            text = contracts.with_table(self.draft.text(file) or "", table, places[table.database])
            if text is None:
                self.proposal.refused.append(
                    Refused(
                        f"table {table.key}",
                        f"{file} has tables that name no server, and this one is of another database",
                        "Give each of its tables the custom property `server`, or choose another --product.",
                    )
                )
                continue
            self.draft.put(file, text)
            self.proposal.done.append(f"{file}: table {table.key}, every column unreviewed")

    # ---------------------------------------------------------------------------------------------------- grants
    def _grants(self, after: Declarations) -> None:
        wanted = self.wanted
        found = grants.imported(self.facts.permissions or (), wanted.account, wanted.name, after)
        if not found.proposed and not found.notes:
            return
        page = f"onboarding/{wanted.name}.md"
        known = self.draft.text(page) or ""
        present = {grant.id for each in after.grants.values() for grant in each}
        new: list[tuple[str, grants.Proposed]] = []
        for domain, entries in found.proposed.items():
            fresh = [one for one in entries if f"`{one.id}`" not in known and one.id not in present]
            if fresh:
                file = f"grants/{domain}.yaml"
                text = self.draft.text(file) or _GRANTS_HEAD.format(domain=domain)
                self.draft.put(file, f"{text.rstrip()}\n\n{grants.comments(fresh, wanted.name, wanted.account)}")
                ids = ", ".join(one.id for one in fresh)
                self.proposal.done.append(f"{file}: in comments, for an approver: {ids}")
                new += [(domain, one) for one in fresh]
        text = grants.page(wanted.name, wanted.account, known, new, found.notes)
        if text != known and (new or any(f"`{note.key}`" not in known for note in found.notes)):
            self.draft.put(page, text)
            self.proposal.done.append(f"{page}: grants that there are at the producer")


_GRANTS_HEAD = """\
# What the domain {domain} lets others do with its products. Owned by the domain: only its approvers approve.
grants: []  # the first entry takes the place of []
"""


def _source(one: Chosen) -> dict[str, Any]:
    made: dict[str, Any] = {"producer": one.source.producer, "database": one.source.database}
    made["prefixes"] = list(one.source.prefixes)
    if one.source.twin:
        made["twin"] = one.source.twin
    return made


def _counted(tables: Iterable[TableFacts]) -> str:
    names = [table.key for table in tables]
    return names[0] if len(names) == 1 else f"{len(names)} tables"


def unmatched(facts: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Patterns that fit none of some names."""
    names = list(facts)
    return [pattern for pattern in patterns if not any(fnmatch.fnmatchcase(name, pattern) for name in names)]
