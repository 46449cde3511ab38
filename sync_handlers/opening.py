"""The two sides of a twin, opened and checked before anything is read or written of their tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from sync_handlers import clients
from sync_handlers.budget import Budget
from sync_handlers.deletions import Deletions
from sync_handlers.errors import IncompleteError, NotDeployedError, RefusedError, deploy
from sync_handlers.glue_access import Database, DeniedError, MissingError, Reader, Writer
from sync_handlers.manifest import Manifest, Producer, Source
from sync_handlers.notify_access import Notifier, Silent, Topics
from sync_handlers.planner import Origin
from sync_handlers.reconcile import Reconcile
from sync_handlers.recording import Recorder
from sync_handlers.safety import Safety
from sync_handlers.settings import settings
from sync_handlers.state_access import StateTable, Store
from sync_handlers.visibility import Permissions, Sight
from sync_handlers.visibility_access import ReaderPermissions


@dataclass(frozen=True)
class Memory:
    """What the sync remembers, and whom it tells."""

    store: Store | None = None
    """None: stack central has no state table yet."""
    notifier: Notifier = field(default_factory=Silent)


def open_memory() -> Memory:
    """State table and topics of stack central, as far as it has them."""
    known = settings()
    store = StateTable(clients.state(), known.state_table) if known.state_table else None
    return Memory(store, Topics(clients.topics(), known.topic_prefix) if known.topic_prefix else Silent())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Sides:
    """A source as its reader role sees it, and its twin."""

    theirs: Reader
    twin: Writer
    permissions: Callable[[], Permissions] | None = None
    """Asks Lake Formation what the reader role sees; None: it cannot be asked."""
    memory: Memory = field(default_factory=Memory)
    clock: Callable[[], dt.datetime] = _now

    def recorder(self, source: Source, manifest: Manifest) -> Recorder:
        return Recorder(manifest, source, self.memory.store, self.memory.notifier, self.clock())

    def reconcile(self, source: Source, manifest: Manifest, budget: Budget) -> Reconcile:
        account = manifest.producers[source.producer].account
        origin = Origin(manifest.mesh, account, source.database, source.twin, source.prefixes)
        contracts = {table.name: table for table in manifest.tables.values() if table.twin == source.twin}
        now = self.clock()
        store, notifier = self.memory.store, self.memory.notifier
        safety = Safety(
            manifest=manifest,
            sight=Sight(self.theirs, self.permissions),
            deletions=Deletions(manifest, source.domain, store, notifier, now),
            store=store,
            today=now.date(),
        )
        return Reconcile(self.theirs, self.twin, origin, contracts, budget, now, safety)


def open_sides(source: Source, manifest: Manifest) -> Sides:
    """Both databases, checked. Raises HandlerError, or what Glue and STS answer."""
    producer = manifest.producers[source.producer]
    twin = Database(clients.catalog(), manifest.account, source.twin)
    check_twin(twin, source, manifest.domains[source.domain])
    theirs = Database(clients.reader(producer), producer.account, source.database)
    check_source(theirs, source, producer)

    def permissions() -> Permissions:
        client = clients.reader_permissions(producer)
        return ReaderPermissions(client, producer.account, source.database, producer.reader_role)

    return Sides(theirs, twin, permissions, open_memory())


def unexpected(text: str, source: Source, manifest: Manifest) -> IncompleteError:
    """What AWS said, with where it was said; nothing that was copied before is undone."""
    producer, domain = manifest.producers[source.producer].stack, manifest.domains[source.domain]
    cause = (
        f" A catalog key is missing from somebody's permissions: {producer} and central make those."
        if text.startswith("GlueEncryptionException")
        else ""
    )
    return IncompleteError(
        f"Twin {source.twin}: {text}.{cause} What was copied stays. Mend it (stacks {producer} and {domain} make the "
        "permissions), then run up again: it continues where it stopped."
    )


def check_twin(twin: Reader, source: Source, stack: str) -> None:
    """The twin exists, is a database of its own and gives nothing away by default; raises otherwise."""
    try:
        database = twin.database()
    except (MissingError, DeniedError) as error:
        raise NotDeployedError(
            f"Twin {source.twin}: the sync role does not see this database in the central catalog ({error}). Database "
            f"and permissions are made by the domain's stack: {deploy(stack)}."
        ) from error
    if database.get("TargetDatabase") or database.get("FederatedDatabase"):
        raise RefusedError(
            f"Twin {source.twin}: the central catalog has a resource link or federated database of that name, and a "
            "copy needs one of its own. Remove it, or give the source another `twin` in mesh.yaml."
        )
    if database.get("CreateTableDefaultPermissions"):
        raise RefusedError(
            f"Twin {source.twin}: the database gives every new table to IAM_ALLOWED_PRINCIPALS by default, so whoever "
            "IAM lets would read past every grant. It was created before the data lake settings were emptied (Lake "
            "Formation developer guide, "
            f'"change-settings"). Empty its default permissions: {deploy("central")}, remove the twin, then deploy '
            f"stack {stack} again."
        )


def check_source(theirs: Reader, source: Source, producer: Producer) -> None:
    """The reader sees the source as a database with tables of its own; raises otherwise."""
    where = f"Producer {producer.name}: database {source.database} in account {producer.account}"
    try:
        database = theirs.database()
    except MissingError as error:
        raise RefusedError(
            f"{where} does not exist or is hidden from the reader role. Correct domains.{source.domain}.sources in "
            f"mesh.yaml, or let the role see it: {deploy(producer.stack)}."
        ) from error
    except DeniedError as error:
        raise NotDeployedError(
            f"{where} is refused to the reader role ({error}). Nothing was changed: a refusal is no deletion. The role "
            f"and its DESCRIBE permissions are made by that producer's stack: {deploy(producer.stack)}."
        ) from error
    if database.get("TargetDatabase") or database.get("FederatedDatabase"):
        raise RefusedError(
            f"{where} is a resource link or a federated database: its tables belong to another catalog, and shares are "
            "not transitive. Name the database they come from, and the producer who owns it."
        )
