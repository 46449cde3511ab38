"""Whether a twin is what its source is: digests of both sides of each table, and nothing written.

What must not be copied (links, locations outside the prefixes) or is kept back on purpose (held schemas, deletions that
wait) is no difference; it is said with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sync_handlers import canonical, clients
from sync_handlers.budget import Budget
from sync_handlers.errors import EventError, HandlerError, OutOfTimeError
from sync_handlers.glue_access import ConflictError, DeniedError, MissingError, Reader
from sync_handlers.manifest import Manifest, Source
from sync_handlers.opening import Sides, unexpected
from sync_handlers.partitions import PartitionSync
from sync_handlers.planner import Kind, has_partitions, plan_partitions
from sync_handlers.reconcile import Reconcile, found
from sync_handlers.spool import sorted_by_values

EQUAL, DIFFERENT, EXPLAINED, FAILED = "equal", "different", "explained", "failed"


@dataclass(frozen=True)
class VerifyEvent:
    """`{"action": "verify", "twin": …, "tables": […]}`; without `tables` the answer only names those of either side."""

    twin: str
    tables: tuple[str, ...] | None


@dataclass(frozen=True)
class Verdict:
    """What was found of one table."""

    table: str
    state: str
    """`equal`, `different`, `explained` (not equal, and for a reason), or `failed` (could not be compared)."""
    source: str | None
    """Digest of the source; None where it is not there."""
    twin: str | None
    reason: str = ""
    partitions: int = 0
    """Partitions that are equal."""
    differing: int = 0
    """Partitions that are missing, different or too many."""


def event(body: Mapping[str, Any]) -> VerifyEvent:
    """Raises EventError."""
    twin, tables = body.get("twin"), body.get("tables")
    if not isinstance(twin, str) or not twin:
        raise EventError("event.twin: the name of a twin.")
    if tables is not None and not (isinstance(tables, list) and all(isinstance(one, str) for one in tables)):
        raise EventError("event.tables: names of tables, or left out.")
    return VerifyEvent(twin, None if tables is None else tuple(tables))


def run(
    asked: VerifyEvent, manifest: Manifest, budget: Budget, open_: Callable[[Source, Manifest], Sides]
) -> dict[str, Any]:
    """`{"twin", "tables": [Verdict…], "left": [names]}`: what time did not suffice for is left. Raises HandlerError."""
    source = manifest.sources.get(asked.twin)
    if source is None:
        raise EventError(f"event.twin: the mesh has no twin {asked.twin}.")
    try:
        sides = open_(source, manifest)
        if asked.tables is None:
            names = sorted({table["Name"] for side in (sides.twin, sides.theirs) for table in side.tables()})
            return _answer(asked, source, [], names)
        done, left = _tables(sides.reconcile(source, manifest, budget), asked.tables, budget)
    except (MissingError, DeniedError, ConflictError, BotoCoreError) as error:
        raise unexpected(str(error), source, manifest) from error
    except ClientError as error:
        raise unexpected(clients.text(error), source, manifest) from error
    return _answer(asked, source, done, left)


def _answer(asked: VerifyEvent, source: Source, done: Sequence[Verdict], left: Sequence[str]) -> dict[str, Any]:
    return {
        "twin": asked.twin,
        "domain": source.domain,
        "tables": [asdict(verdict) for verdict in done],
        "left": list(left),
    }


def _tables(work: Reconcile, names: Sequence[str], budget: Budget) -> tuple[list[Verdict], Sequence[str]]:
    done: list[Verdict] = []
    for position, name in enumerate(names):
        try:
            budget.spend()
            done.append(_table(work, name, budget))
        except OutOfTimeError:
            return done, names[position:]
        except HandlerError as error:
            done.append(Verdict(name, FAILED, None, None, str(error)))
        except (MissingError, DeniedError, ConflictError, BotoCoreError) as error:
            done.append(Verdict(name, FAILED, None, None, str(error)))
        except ClientError as error:
            done.append(Verdict(name, FAILED, None, None, clients.text(error)))
    return done, ()


def _table(work: Reconcile, name: str, budget: Budget) -> Verdict:
    theirs, ours = found(work.source, name), found(work.twin, name)
    change = work.look(name, theirs, ours)
    here = canonical.table_digest(theirs) if theirs is not None else None
    there = canonical.table_digest(ours) if ours is not None else None
    if change.kind in {Kind.SKIP, Kind.HOLD, Kind.MARK, Kind.ABSENT, Kind.DELETE}:
        gone = theirs is None and ours is None
        return Verdict(name, EQUAL if gone else EXPLAINED, here, there, change.reason)
    if theirs is None or ours is None or change.kind is not Kind.KEEP:
        return Verdict(name, DIFFERENT, here, there, change.reason)
    if not has_partitions(theirs):
        return Verdict(name, EQUAL, here, there)
    return _partitions(work, name, (str(here), str(there)), budget)


def _partitions(work: Reconcile, name: str, tables: tuple[str, str], budget: Budget) -> Verdict:
    """Both listings, sorted and merged as the sync does; refused ones are on neither side."""
    reading = PartitionSync(name, work.source, work.twin, work.origin.prefixes, budget)
    source, twin, equal, differing = canonical.SetDigest(), canonical.SetDigest(), 0, 0
    with (
        sorted_by_values(_listing(work.twin, name, reading, twin)) as there,
        sorted_by_values(_listing(work.source, name, reading, source)) as here,
    ):
        for change in plan_partitions(here, there):
            equal += change.kind is Kind.KEEP
            differing += change.kind in {Kind.CREATE, Kind.UPDATE, Kind.DELETE}
    left, right = (
        canonical.digest([table, side.hexdigest()]) for table, side in zip(tables, (source, twin), strict=True)
    )
    state = DIFFERENT if differing else EQUAL
    return Verdict(name, state, left, right, f"{differing} partitions differ" if differing else "", equal, differing)


def _listing(side: Reader, name: str, reading: PartitionSync, digest: canonical.SetDigest) -> Iterator[Any]:
    for partition in side.partitions(name, reading.read):
        reading.budget.spend()
        if partition.refused is None:
            digest.add(partition.values, partition.digest)
        yield partition
