"""Lambda `sync`: bring one twin database in the central catalog to its producer's database.

Runs when a deployment changes what is declared of the source. It copies tables and partitions; it deletes partitions
that the source no longer has, and never a table.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from sync_handlers import clients
from sync_handlers.budget import Budget
from sync_handlers.errors import IncompleteError, NotDeployedError, RefusedError, deploy
from sync_handlers.events import Lifecycle, SyncEvent, sync_event
from sync_handlers.glue_access import ConflictError, Database, DeniedError, MissingError, Reader, Writer
from sync_handlers.manifest import Manifest, Producer, Source, bundled
from sync_handlers.observability import logger
from sync_handlers.planner import Origin
from sync_handlers.reconcile import Reconcile

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run(sync_event(event), bundled(), Budget(context.get_remaining_time_in_millis))


def run(event: SyncEvent, manifest: Manifest, budget: Budget) -> dict[str, Any]:
    """One reconcile of the event's twin; raises HandlerError with what a person should do."""
    if event.deployment.lifecycle is Lifecycle.DELETE:
        # The twin belongs to the domain's stack, which deletes it with its tables.
        return {"twin": event.twin, "deleted": False}
    source = manifest.source(event.twin, event.digest)
    try:
        return _run(source, manifest, budget)
    except (MissingError, DeniedError, ConflictError, BotoCoreError) as error:
        raise _unexpected(str(error), source, manifest) from error
    except ClientError as error:
        raise _unexpected(clients.text(error), source, manifest) from error


def _run(source: Source, manifest: Manifest, budget: Budget) -> dict[str, Any]:
    producer = manifest.producers[source.producer]
    twin = Database(clients.glue(), manifest.account, source.twin)
    check_twin(twin, source, manifest.domains[source.domain])
    theirs = Database(clients.reader(producer), producer.account, source.database)
    check_source(theirs, source, producer)
    return reconcile(theirs, twin, source, manifest, budget)


def reconcile(theirs: Reader, twin: Writer, source: Source, manifest: Manifest, budget: Budget) -> dict[str, Any]:
    account = manifest.producers[source.producer].account
    origin = Origin(manifest.mesh, account, source.database, source.twin, source.prefixes)
    contracts = {table.name: table for table in manifest.tables.values() if table.twin == source.twin}
    report = Reconcile(theirs, twin, origin, contracts, budget, dt.datetime.now(dt.UTC)).run()
    result = report.result()
    logger.info("synced", extra={"result": result})
    return result


def _unexpected(text: str, source: Source, manifest: Manifest) -> IncompleteError:
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
