"""Lambda `tag`: bring the LF-Tags on a product's tables and columns to what its contract says.

Level-triggered: it compares what is wanted with what is set, adds before it removes, changes in place, and reads back
what it wrote. It never tags what nobody reviewed, and it touches LF-Tag keys of the mesh only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from sync_handlers import clients, schemas, tagging
from sync_handlers.budget import Budget
from sync_handlers.errors import IncompleteError, NotDeployedError, OutOfTimeError, counted, deploy, listed
from sync_handlers.events import Lifecycle, TagEvent, tag_event
from sync_handlers.glue_access import DeniedError, MissingError
from sync_handlers.manifest import Manifest, Table, bundled
from sync_handlers.observability import logger
from sync_handlers.report import bounded
from sync_handlers.tag_access import TagError, Tagger, TwinTags
from sync_handlers.tagging import Assigned, Plan

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

READS = 5
"""How often written tags are read back until they show."""
Open = Callable[[str], Tagger]
"""Access to the tags of one twin, by its name."""


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    manifest, budget = bundled(), Budget(context.get_remaining_time_in_millis)
    glue, lakeformation = clients.glue(), clients.lakeformation()
    return run(
        tag_event(event),
        manifest,
        lambda twin: TwinTags(glue, lakeformation, manifest.account, twin, budget),
        budget,
    )


def run(event: TagEvent, manifest: Manifest, access: Open, budget: Budget) -> dict[str, Any]:
    """Tag or untag every table of the event; raises once, at the end, naming each table that failed and why."""
    contracts, untag = _work(event, manifest)
    jobs: dict[str, Callable[[], dict[str, Any]]] = {}
    for table in contracts:
        jobs[table.key] = partial(tag_table, table, manifest.keys, access(table.twin), budget)
    for key in untag:
        twin, name = manifest.split(key)
        jobs[key] = partial(untag_table, name, manifest.keys, access(twin), budget)
    results: dict[str, Any] = {}
    failures: list[str] = []
    for key, job in jobs.items():
        try:
            results[key] = job()
        except OutOfTimeError:
            left = [one for one in jobs if one not in results]
            raise OutOfTimeError(
                f"Product {event.product}: stopped because the function's time ran short; "
                f"{counted(len(left), 'table')} left:\n"
                f"{listed(left)}\nRun up again: it continues where it stopped."
            ) from None
        except DeniedError as error:
            failures.append(f"{key}: {_refused(error, key, manifest)}")
        except (MissingError, TagError, IncompleteError, BotoCoreError) as error:
            failures.append(f"{key}: {error}")
        except ClientError as error:
            failures.append(f"{key}: {clients.text(error)}")
    logger.info("tagged", extra={"product": event.product, "tables": len(results), "failures": len(failures)})
    if failures:
        raise IncompleteError(
            f"Product {event.product}: LF-Tags of {counted(len(failures), 'table')} are not as wanted; columns that "
            "got none stay unreadable.\n"
            f"{listed(failures)}\nRun up again when the causes are mended."
        )
    return {"product": event.product, "tables": results}


def _work(event: TagEvent, manifest: Manifest) -> tuple[list[Table], list[str]]:
    """Contracts to apply and tables to untag. Nothing is touched while one of the digests is not the manifest's."""
    if event.deployment.lifecycle is Lifecycle.DELETE:
        return [], [key for key in sorted(event.tables) if not _other_owner(key, event, manifest)]
    contracts = [manifest.table(key, digest) for key, digest in sorted(event.tables.items())]
    return contracts, [key for key in event.left if not _other_owner(key, event, manifest)]


def _other_owner(key: str, event: TagEvent, manifest: Manifest) -> bool:
    """Whether another product has taken the table over: its own invocation tags it then."""
    table = manifest.tables.get(key)
    return table is not None and table.product != event.product


def tag_table(contract: Table, keys: frozenset[str], tagger: Tagger, budget: Budget) -> dict[str, Any]:
    """Bring one table to its contract; a table that the central catalog lacks is pending as a whole."""
    try:
        table = tagger.table(contract.name)
    except MissingError:
        return {"missing": True, **bounded("pending", [column.name for column in contract.columns])}
    wish = tagging.wanted(contract, table)
    changes = _converge(contract.name, _every_column(table), wish.assigned, keys, tagger, budget)
    held = [{"column": hold.column, "reason": hold.reason} for hold in wish.held]
    return {
        "tagged": len(wish.assigned.columns),
        **bounded("pending", wish.pending),
        **bounded("unreviewed", wish.unreviewed),
        **bounded("held", held),
        "changes": changes,
    }


def untag_table(name: str, keys: frozenset[str], tagger: Tagger, budget: Budget) -> dict[str, Any]:
    """Back to unreviewed: take away the mesh's tags. A table that is gone has none."""
    try:
        table = tagger.table(name)
        changes = _converge(name, _every_column(table), Assigned(), keys, tagger, budget)
    except MissingError:
        return {"missing": True}
    return {"untagged": True, "changes": changes}


def _every_column(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Names as Glue writes them; dropped Iceberg columns too, so that tags left on them go."""
    return tuple(column["Name"] for column in (*schemas.columns(table), *schemas.partition_keys(table)))


def _converge(
    name: str, columns: Sequence[str], wish: Assigned, keys: frozenset[str], tagger: Tagger, budget: Budget
) -> dict[str, int]:
    plan = tagging.plan(wish, _known(tagger.assigned(name, columns)), keys)
    # A step that fails keeps none of the others back: a tag that must go may not stay because another could not be set.
    failures: list[str] = []
    for change, steps in ((tagger.add, plan.add), (tagger.remove, plan.remove)):
        for step in steps:
            try:
                change(name, step)
            except TagError as error:
                failures.append(str(error))
    if failures:
        raise IncompleteError("; ".join(failures))
    if not plan.empty:
        _verify(name, columns, wish, keys, tagger, budget)
    return {"added": _count(plan.add), "removed": _count(plan.remove)}


def _verify(
    name: str, columns: Sequence[str], wish: Assigned, keys: frozenset[str], tagger: Tagger, budget: Budget
) -> None:
    """Read back until everything shows; raises IncompleteError naming what does not."""
    rest = Plan((), ())
    for attempt in range(1, READS + 1):
        rest = tagging.plan(wish, _known(tagger.assigned(name, columns)), keys)
        if rest.empty:
            return
        budget.back_off(attempt)
    open_ = [f"{', '.join(step.columns) or 'the table'}: {dict(step.tags)}" for step in (*rest.add, *rest.remove)]
    raise IncompleteError(f"read back, LF-Tags are not as written:\n{listed(open_)}")


def _known(assigned: Assigned) -> Assigned:
    """Column names as contracts have them: lower case, as Glue compares them."""
    return Assigned(assigned.table, {column.lower(): tags for column, tags in assigned.columns.items()})


def _count(steps: Sequence[tagging.Step]) -> int:
    return sum(max(1, len(step.columns)) * len(step.tags) for step in steps)


def _refused(error: DeniedError, key: str, manifest: Manifest) -> NotDeployedError:
    source = manifest.sources.get(manifest.split(key)[0])
    stack = manifest.domains[source.domain] if source else "domain-…"
    return NotDeployedError(
        f"Lake Formation refuses the tag role ({error}). Its permissions on the twin are made by stack {stack}, those "
        f"on the LF-Tags by stack central: {deploy('central')}, then {stack}."
    )
