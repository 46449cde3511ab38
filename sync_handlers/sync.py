"""Lambda `sync`: bring the central catalog to the producers' catalogs.

Three things invoke it. A deployment names one twin, when what is declared of its source has changed, and waits for the
result. The queue brings hints (`follow`): events of the producers, the schedule's refresh, and work that was left. Both
run the same reconcile, which deletes partitions that the source no longer has, and a table only when it is proven to be
gone for long enough, no contract lists it, and the mass-delete guard lets it go. A person asks whether both sides are
equal (`verify`), which writes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from sync_handlers import clients, follow, verify
from sync_handlers.budget import Budget
from sync_handlers.events import Lifecycle, SyncEvent, sync_event
from sync_handlers.glue_access import ConflictError, DeniedError, MissingError
from sync_handlers.manifest import Manifest, Source, bundled
from sync_handlers.observability import correlate, logger
from sync_handlers.opening import Sides, open_sides, unexpected

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    budget = Budget(context.get_remaining_time_in_millis)
    if isinstance(event, dict) and "Records" in event:
        return follow.handle(event, bundled(), budget)
    correlate(context.aws_request_id)
    if isinstance(event, dict) and event.get("action") == "verify":
        return verify.run(verify.event(event), bundled(), budget, open_sides)
    return run(sync_event(event), bundled(), budget)


def run(event: SyncEvent, manifest: Manifest, budget: Budget) -> dict[str, Any]:
    """One reconcile of the event's twin; raises HandlerError with what a person should do."""
    if event.deployment.lifecycle is Lifecycle.DELETE:
        # The twin belongs to the domain's stack, which deletes it with its tables.
        return {"twin": event.twin, "deleted": False}
    source = manifest.source(event.twin, event.digest)
    try:
        sides = open_sides(source, manifest)
        return reconcile(sides, source, manifest, budget)
    except (MissingError, DeniedError, ConflictError, BotoCoreError) as error:
        raise unexpected(str(error), source, manifest) from error
    except ClientError as error:
        raise unexpected(clients.text(error), source, manifest) from error


def reconcile(sides: Sides, source: Source, manifest: Manifest, budget: Budget) -> dict[str, Any]:
    """The whole of one twin, and a line of state for each of its tables, whatever became of the others."""
    work = sides.reconcile(source, manifest, budget)
    try:
        result = work.run().result()
    finally:
        sides.recorder(source, manifest).record(work.outcomes.values())
    logger.info("synced", extra={"result": result})
    return result
