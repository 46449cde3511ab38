"""What of a producer can be in the mesh, and why the rest cannot. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lakemesh.declarations.checks_mesh import bucket_of
from lakemesh.declarations.models import GLUE_NAME, Mesh, Source
from lakemesh.onboard.facts import DatabaseFacts, ProducerFacts, TableFacts, TableKind
from lakemesh.onboard.formats import directory, outermost
from lakemesh.onboard.prefixes import prefixes
from lakemesh.onboard.proposal import Refused
from sync_handlers.locations import outside

_LINK = "a resource link of account {account}: shares are not passed on"
_LINK_MEND = "Onboard the account that owns it."


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name fits one of some shell patterns; no pattern fits everything."""
    return not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def table_matches(table: TableFacts, patterns: Sequence[str]) -> bool:
    """A pattern with a dot is of `database.table`, one without of the table alone."""
    return not patterns or any(
        fnmatch.fnmatchcase(table.key if "." in pattern else table.name, pattern) for pattern in patterns
    )


def database_refusal(database: DatabaseFacts) -> Refused | None:
    what = f"database {database.name}"
    if database.link_to:
        return Refused(what, _LINK.format(account=database.link_to), _LINK_MEND)
    if not re.fullmatch(GLUE_NAME, database.name):
        return Refused(
            what,
            "its name has upper-case letters, spaces, dots or others that engines and policies read differently",
            "Make a database with a plain name for what is to be shared.",
        )
    return None


def table_refusal(table: TableFacts, facts: ProducerFacts, region: str) -> Refused | None:
    """Why a table cannot be in the mesh, whatever the prefixes of its source."""
    what = f"table {table.key}"
    match table.kind:
        case TableKind.LINK:
            return Refused(what, _LINK.format(account="another database or account"), _LINK_MEND)
        case TableKind.CATALOG_VIEW:
            return Refused(
                what,
                "a Data Catalog view or materialized view: its definition cannot reference tables of another account",
                "Share the tables that it reads, or an Athena view.",
            )
    if not re.fullmatch(GLUE_NAME, table.name):
        return Refused(what, "its name has characters that engines and policies read differently", "Rename it.")
    if not table.columns:
        return Refused(
            what, "Glue knows none of its columns, so there is nothing to review", "Give it a schema in Glue."
        )
    if table.kind is TableKind.VIEW:
        return None
    if table.unreachable:
        shown = ", ".join(table.unreachable[:3])
        return Refused(what, f"no prefix can hold its location: {shown}", "Only plain S3 locations can be registered.")
    if not table.directories:
        return Refused(what, "it has no location", "Only tables with data in S3 can be shared.")
    return next(filter(None, (_place_refusal(what, place, facts, region) for place in table.directories)), None)


def _place_refusal(what: str, place: str, facts: ProducerFacts, region: str) -> Refused | None:
    name = bucket_of(place)
    if name not in facts.own_buckets:
        return Refused(
            what,
            f"{place} lies in bucket {name}, which is not this account's",
            "Onboard the account that owns the bucket as the producer of this table.",
        )
    key = facts.buckets[name].key if name in facts.buckets else None
    if key is None:
        return None
    if not key.customer_managed:
        return Refused(
            what,
            f"bucket {name} is encrypted with an AWS managed key ({key.arn}), which no other account can decrypt with",
            "Encrypt the bucket, and the objects in it, with a customer managed key.",
        )
    if key.arn.split(":")[4] != facts.account:
        return Refused(
            what,
            f"bucket {name} is encrypted with a key of account {key.arn.split(':')[4]}, whose policy the producer's "
            "stack cannot change",
            "Use a key of this account, or declare the bucket by hand with policyStatements: print.",
        )
    if key.arn.split(":")[3] != region:
        return Refused(what, f"the key of bucket {name} is of region {key.arn.split(':')[3]}, the mesh of {region}")
    return None


@dataclass(frozen=True)
class Chosen:
    """One database that becomes, or is, a source, with the tables that contracts will list."""

    database: DatabaseFacts
    source: Source
    tables: tuple[TableFacts, ...]
    is_new: bool


@dataclass(frozen=True)
class Screening:
    chosen: tuple[Chosen, ...]
    refused: tuple[Refused, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """Who is onboarded where, and which of its databases and tables."""

    producer: str
    domain: str
    databases: frozenset[str]
    tables: tuple[str, ...] = ()
    """Patterns."""


class Screener:
    """Looks at every database and table that was asked for."""

    def __init__(self, facts: ProducerFacts, mesh: Mesh, question: Question) -> None:
        self._facts, self._mesh, self._question = facts, mesh, question
        self._refused: list[Refused] = []
        self._notes: list[str] = []
        self._twins = {source.twin_name for domain in mesh.domains.values() for source in domain.sources}

    def screen(self) -> Screening:
        chosen = [
            found
            for database in self._facts.databases
            if database.name in self._question.databases and (found := self._database(database)) is not None
        ]
        return Screening(tuple(chosen), tuple(self._refused), tuple(self._notes))

    def _database(self, database: DatabaseFacts) -> Chosen | None:
        refusal = database_refusal(database)
        existing = self._existing(database.name)
        if refusal is None and existing is not None and existing[0] != self._question.domain:
            refusal = Refused(
                f"database {database.name}",
                f"it is a source of domain {existing[0]} already, and a database belongs to one domain",
                f"Onboard it with --domain {existing[0]}.",
            )
        if refusal is not None:
            self._refused.append(refusal)
            return None
        verdicts = {table.key: table_refusal(table, self._facts, self._mesh.region) for table in database.tables}
        fit = [table for table in database.tables if verdicts[table.key] is None]
        asked = [table for table in database.tables if table_matches(table, self._question.tables)]
        if not asked and self._question.tables:
            return None
        self._refused += [refused for table in asked if (refused := verdicts[table.key]) is not None]
        source = existing[1] if existing else self._new_source(database, fit)
        if source is None:
            return None
        tables = tuple(table for table in fit if table in asked and self._lies_inside(table, source))
        return Chosen(database, source, tables, is_new=existing is None)

    def _existing(self, database: str) -> tuple[str, Source] | None:
        for domain, entry in self._mesh.domains.items():
            for source in entry.sources:
                if (source.producer, source.database) == (self._question.producer, database):
                    return domain, source
        return None

    def _lies_inside(self, table: TableFacts, source: Source) -> bool:
        """A table elsewhere is not copied; where it may lie is for people to say, once the source is declared."""
        for place in table.directories:
            if outside(place, source.prefixes):
                self._refused.append(
                    Refused(
                        f"table {table.key}",
                        f"{place} lies outside the prefixes of its source ({', '.join(source.prefixes)})",
                        f"Add a prefix to the source in mesh.yaml (domains.{self._question.domain}.sources), then run "
                        "this again.",
                    )
                )
                return False
        return True

    def _new_source(self, database: DatabaseFacts, fit: Sequence[TableFacts]) -> Source | None:
        what = f"database {database.name}"
        home = directory(database.location) if database.location else None
        if home is not None and not self._may_be_prefix(home):
            home = None
        places = outermost(place for table in fit for place in table.directories)
        found = prefixes(places, self._foreign(database.name), home)
        if not found and home is not None and prefixes([home], self._foreign(database.name)) == (home,):
            found = (home,)
        if not found:
            self._refused.append(
                Refused(what, "none of its tables has a location that the mesh could read", "See its tables below.")
            )
            return None
        conflict = next(filter(None, map(self._conflict, found)), None)
        if conflict:
            self._refused.append(
                Refused(what, conflict, "Each producer and domain needs prefixes apart from the others'.")
            )
            return None
        return Source(
            producer=self._question.producer, database=database.name, prefixes=found, twin=self._twin(database.name)
        )

    def _twin(self, database: str) -> str | None:
        """Another name in the central catalog, where the database's own is taken or is `default`."""
        name: str | None = None
        if database in self._twins or database == "default":
            stem = f"{self._question.producer.replace('-', '_')}_{database}"
            candidates = (stem, *(f"{stem}_{number}" for number in range(2, 1000)))
            name = next(candidate for candidate in candidates if candidate not in self._twins)
            why = "every account has one" if database == "default" else "another source has that twin already"
            self._notes.append(
                f"database {database}: {why}, so its twin is called {name}. Athena views in it cannot be queried "
                "there, because they name their tables by the database's own name."
            )
        self._twins.add(name or database)
        return name

    def _foreign(self, database: str) -> tuple[str, ...]:
        others = (other for other in self._facts.databases if other.name != database)
        return outermost(place for other in others for table in other.tables for place in table.directories)

    def _may_be_prefix(self, place: str) -> bool:
        return bucket_of(place) in self._facts.own_buckets and place.removeprefix("s3://").count("/") > 1

    def _conflict(self, prefix: str) -> str:
        for domain, source in _sources(self._mesh):
            for other in source.prefixes:
                if source.producer != self._question.producer and (
                    prefix.startswith(other) or other.startswith(prefix)
                ):
                    return f"{prefix} and {other} of producer {source.producer} lie in each other"
                if domain != self._question.domain and prefix == other:
                    return f"{prefix} is a prefix of domain {domain} already, and a location is registered once"
        return ""


def _sources(mesh: Mesh) -> Iterator[tuple[str, Source]]:
    for domain, entry in mesh.domains.items():
        for source in entry.sources:
            yield domain, source


def buckets_of(sources: Iterable[Source]) -> list[str]:
    """Buckets of the prefixes of some sources, sorted."""
    return sorted({bucket_of(prefix) for source in sources for prefix in source.prefixes})
