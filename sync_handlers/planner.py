"""What must change so that a twin equals its source. Pure: two values in, typed changes with their reasons out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum, unique
from typing import Any

from sync_handlers import canonical, locations, schema_changes, schemas
from sync_handlers.manifest import Table
from sync_handlers.schema_changes import Change

SYNCED_BY = f"{canonical.MARK}synced_by"
SOURCE_ACCOUNT = f"{canonical.MARK}source_account"
SOURCE_DATABASE = f"{canonical.MARK}source_database"
SOURCE_VERSION = f"{canonical.MARK}source_version"
SOURCE_CREATED = f"{canonical.MARK}source_created"
NOT_SEEN_SINCE = f"{canonical.MARK}not_seen_since"

# 00012-6b0d….metadata.json, 00012-….gz.metadata.json (Iceberg catalogs) or v12.metadata.json (Hadoop tables).
_METADATA_FILE = re.compile(r"^(?:v(?P<hadoop>\d+)|(?P<catalog>\d+)-[^/]+)\.(?:gz\.)?metadata\.json(?:\.gz)?$")


@unique
class Kind(StrEnum):
    """What a change does; SKIP, HOLD and ABSENT do nothing and say why."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    KEEP = "keep"
    MARK = "mark"
    SKIP = "skip"
    HOLD = "hold"
    ABSENT = "absent"


@dataclass(frozen=True)
class Origin:
    """Who copies from where: becomes the marks on the twin."""

    mesh: str
    account: str
    database: str
    twin: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True)
class TableChange:
    kind: Kind
    table: str
    reason: str
    input: Mapping[str, Any] | None = None
    """TableInput to write, for CREATE, UPDATE and MARK."""
    version: str | None = None
    """VersionId of the twin that was compared: the write holds only if it is still the same."""
    note: str | None = None
    """Something a person should know though the table is copied."""
    danger: str | None = None
    """Why the copy must not stay as it is, though this sync does not remove it."""
    change: Change | None = None
    """With HOLD: how far the schema change reaches."""
    absent_since: dt.datetime | None = None
    """Since when the source is not seen, with ABSENT, MARK and DELETE."""


@dataclass(frozen=True)
class Circumstances:
    """What beside the two catalogs decides about one table."""

    consumers: tuple[str, ...] = ()
    """Those with a grant on its product: a breaking change is held for their sake."""
    released: bool = False
    """Whether the contract's version was raised since a breaking change was first held."""
    gone: str | None = None
    """What proves that the source has no such table; None: nothing does, it may be hidden."""
    grace: dt.timedelta = dt.timedelta(hours=24)
    """How long a table must not have been seen before its copy goes."""


NOTHING_KNOWN = Circumstances()


class UnsortedStreamError(ValueError):
    """A stream of partitions went backwards or repeated itself; merging it would delete what exists."""


# ------------------------------------------------------------------------------------------------------- tables
def plan_table(
    name: str,
    source: Mapping[str, Any] | None,
    twin: Mapping[str, Any] | None,
    origin: Origin,
    contract: Table | None,
    now: dt.datetime,
    known: Circumstances = NOTHING_KNOWN,
) -> TableChange:
    """What to do with one table, given Glue's `Table` of each side (None: not there)."""
    change = _plan(name, source, twin, origin, contract, now, known)
    if twin is None or change.kind in {Kind.CREATE, Kind.UPDATE, Kind.KEEP, Kind.DELETE}:
        return change
    # The copy stays as it is; where it points may have left the prefixes since, for mesh.yaml changes too.
    stranded = locations.refusal(twin, origin.prefixes)
    return replace(change, danger=stranded) if stranded else change


def _plan(
    name: str,
    source: Mapping[str, Any] | None,
    twin: Mapping[str, Any] | None,
    origin: Origin,
    contract: Table | None,
    now: dt.datetime,
    known: Circumstances,
) -> TableChange:
    if source is None:
        return _absent(name, twin or {}, contract, now, known)
    uncopied = _uncopied(source)
    if uncopied:
        return TableChange(Kind.SKIP, name, uncopied)
    refused = locations.refusal(source, origin.prefixes)
    if refused:
        return TableChange(Kind.SKIP, name, refused)
    wanted = canonical.table_input(source)
    note = _note(source, origin)
    if twin is None:
        return TableChange(Kind.CREATE, name, "new at the source", _marked(wanted, source, origin), note=note)
    held = _held(source, twin, contract, known) if contract else None
    if held:
        return TableChange(Kind.HOLD, name, held, change=Change.BREAKING)
    reason = _difference(source, twin, wanted)
    if reason is None:
        return TableChange(Kind.KEEP, name, "equal", note=note)
    behind = _behind(source, twin)
    if behind:
        return TableChange(Kind.SKIP, name, behind)
    return TableChange(Kind.UPDATE, name, reason, _marked(wanted, source, origin), twin.get("VersionId"), note)


def has_partitions(table: Mapping[str, Any]) -> bool:
    """Whether Glue holds partitions of it: Iceberg keeps its own in its metadata, views have none."""
    return bool(schemas.partition_keys(table)) and not schemas.is_iceberg(table) and not schemas.is_view(table)


def _uncopied(source: Mapping[str, Any]) -> str | None:
    """Why a table of this kind is not copied; None when it is."""
    if source.get("TargetTable"):
        return "a resource link: its target belongs to another catalog, and shares are not transitive"
    if source.get("FederatedTable"):
        return "a federated table: its metadata lives outside Glue"
    if source.get("IsMultiDialectView") or source.get("ViewDefinition"):
        return "a Data Catalog view (multi-dialect): it cannot reference tables of another account"
    if source.get("IsMaterializedView"):
        return "a materialized view: Glue maintains it in its own account only"
    return None


def _held(
    source: Mapping[str, Any], twin: Mapping[str, Any], contract: Table, known: Circumstances
) -> str | None:  # fmt: skip
    """Why the source's schema must not reach the twin; None when it may."""
    unsafe = schemas.unsafe_change(contract, source, twin)
    if unsafe or known.released or not known.consumers:
        return unsafe
    return schema_changes.classify(twin, source, contract).breaking


def due(twin: Mapping[str, Any], now: dt.datetime, grace: dt.timedelta) -> bool:
    """Whether a copy whose source is not seen was marked so long ago that it may go."""
    since = not_seen_since(twin)
    return since is not None and now - since >= grace


def not_seen_since(twin: Mapping[str, Any]) -> dt.datetime | None:
    """The mark of absence on a twin, as a moment."""
    try:
        since = dt.datetime.fromisoformat((twin.get("Parameters") or {}).get(NOT_SEEN_SINCE) or "")
    except ValueError:
        return None
    return since if since.tzinfo else since.replace(tzinfo=dt.UTC)


def _absent(
    name: str, twin: Mapping[str, Any], contract: Table | None, now: dt.datetime, known: Circumstances
) -> TableChange:
    """A twin whose source is not seen. Not being seen is no proof of deletion: Lake Formation hides what it does not
    grant. A table that a contract lists carries what people agreed on, and is only ever marked."""
    parameters = twin.get("Parameters") or {}
    if SYNCED_BY not in parameters:
        return TableChange(Kind.ABSENT, name, "not at the source and not made by the sync: left alone")
    since = not_seen_since(twin)
    if since is not None:
        reason = f"not seen at the source since {parameters[NOT_SEEN_SINCE]}"
        if contract is not None:
            return TableChange(Kind.ABSENT, name, f"{reason}; a contract lists it", absent_since=since)
        if known.gone is None or not due(twin, now, known.grace):
            return TableChange(Kind.ABSENT, name, reason, absent_since=since)
        reason = f"{reason}, and gone: {known.gone}"
        return TableChange(Kind.DELETE, name, reason, version=twin.get("VersionId"), absent_since=since)
    text = now.astimezone(dt.UTC).isoformat(timespec="seconds")
    marks = {key: value for key, value in parameters.items() if key.startswith(canonical.MARK)}
    wanted = canonical.table_input(twin)
    wanted["Parameters"] = {**wanted.get("Parameters", {}), **marks, NOT_SEEN_SINCE: text}
    reason = f"not seen at the source since {text}"
    return TableChange(Kind.MARK, name, reason, wanted, twin.get("VersionId"), absent_since=now)


def _difference(source: Mapping[str, Any], twin: Mapping[str, Any], wanted: Mapping[str, Any]) -> str | None:
    """What differs, in a word a person can use; None when both mean the same."""
    have = canonical.table_input(twin)
    if canonical.digest(wanted) == canonical.digest(have):
        parameters = twin.get("Parameters") or {}
        if NOT_SEEN_SINCE in parameters:
            return "seen again at the source"
        if SYNCED_BY not in parameters:
            return "equal, but not marked as a copy"
        return None
    if _recreated(source, twin):
        return "recreated at the source"
    left, right = canonical.comparable(wanted), canonical.comparable(have)
    members = sorted(key for key in left.keys() | right.keys() if left.get(key) != right.get(key))
    return f"differs in {', '.join(members)}"


def _marked(wanted: dict[str, Any], source: Mapping[str, Any], origin: Origin) -> dict[str, Any]:
    marks = {
        SYNCED_BY: origin.mesh,
        SOURCE_ACCOUNT: origin.account,
        SOURCE_DATABASE: origin.database,
        SOURCE_VERSION: source.get("VersionId"),
        SOURCE_CREATED: _created(source),
    }
    present = {key: value for key, value in marks.items() if value}
    return {**wanted, "Parameters": {**wanted.get("Parameters", {}), **present}}


def _created(source: Mapping[str, Any]) -> str | None:
    created = source.get("CreateTime")
    return created.astimezone(dt.UTC).isoformat(timespec="seconds") if isinstance(created, dt.datetime) else None


def _recreated(source: Mapping[str, Any], twin: Mapping[str, Any]) -> bool:
    recorded, created = (twin.get("Parameters") or {}).get(SOURCE_CREATED), _created(source)
    return bool(recorded and created and created > recorded)


def _behind(source: Mapping[str, Any], twin: Mapping[str, Any]) -> str | None:
    """Why an Iceberg table would move backwards; None when it moves forward or is not one.

    Each commit writes a metadata file with the next number. A reader that saw the source earlier than the last writer
    of the twin must not win, whatever the clock says. A recreated table starts again at 0 and is told by its creation
    time.
    """
    if not (schemas.is_iceberg(source) and schemas.is_iceberg(twin)) or _recreated(source, twin):
        return None
    there, here = _metadata(source), _metadata(twin)
    if there == here:
        return None
    ahead, at = sequence(there), sequence(here)
    if ahead is None:
        return f"Iceberg metadata file {_file(there)!r} has no sequence number: its order is unknown"
    if at is not None and ahead <= at:
        return f"Iceberg metadata would not move forward: the source is at {ahead}, the twin at {at}"
    return None


def _metadata(table: Mapping[str, Any]) -> str:
    return (table.get("Parameters") or {}).get("metadata_location") or ""


def _file(location: str) -> str:
    return location.rpartition("/")[2]


def sequence(metadata_location: str) -> int | None:
    """Number of an Iceberg metadata file, from its name; None when the name carries none."""
    found = _METADATA_FILE.match(_file(metadata_location))
    return int(found["hadoop"] or found["catalog"]) if found else None


def _note(source: Mapping[str, Any], origin: Origin) -> str | None:
    if schemas.is_view(source) and origin.twin != origin.database:
        return (
            f"a view names its tables by database {origin.database}, which is {origin.twin} here: it cannot be queried"
        )
    return None


# --------------------------------------------------------------------------------------------------- partitions
@dataclass(frozen=True, slots=True)
class Partition:
    """One partition as a diff needs it: small enough to hold a page of, or to spool by the million."""

    values: tuple[str, ...]
    digest: str
    refused: str | None = field(default=None, compare=False)
    """Why its location must not be published; None: it may."""
    unfit: str | None = field(default=None, compare=False)
    """Why it waits, though it may be published: what the twin has of it stays; None: it does not wait."""


@dataclass(frozen=True, slots=True)
class PartitionChange:
    kind: Kind
    values: tuple[str, ...]
    reason: str
    digest: str | None = None
    """Digest of both sides, for KEEP."""


def plan_partitions(source: Iterable[Partition], twin: Iterable[Partition]) -> Iterator[PartitionChange]:
    """Merge two streams sorted by `values` into creations, updates and deletions.

    Holds one partition of each side at a time, so memory does not grow with the table; equal partitions yield KEEP.
    Raises UnsortedStreamError when either stream goes backwards or repeats a partition.
    """
    left, right = _ascending(source, "source"), _ascending(twin, "twin")
    here, there = next(left, None), next(right, None)
    while here is not None or there is not None:
        if there is None or (here is not None and here.values < there.values):
            assert here is not None  # noqa: S101 -- the loop's condition
            yield _new(here)
            here = next(left, None)
        elif here is None or there.values < here.values:
            yield PartitionChange(Kind.DELETE, there.values, "gone at the source")
            there = next(right, None)
        else:
            yield _both(here, there)
            here, there = next(left, None), next(right, None)


def _new(here: Partition) -> PartitionChange:
    if here.refused or here.unfit:
        return PartitionChange(Kind.SKIP, here.values, here.refused or here.unfit or "")
    return PartitionChange(Kind.CREATE, here.values, "new at the source")


def _both(here: Partition, there: Partition) -> PartitionChange:
    if here.refused and there.refused:
        # Prefixes were narrowed: what was copied before may not stay published.
        return PartitionChange(Kind.DELETE, here.values, here.refused)
    if here.refused:
        return PartitionChange(Kind.SKIP, here.values, here.refused)
    if here.digest == there.digest:
        return PartitionChange(Kind.KEEP, here.values, "equal", here.digest)
    if here.unfit:
        return PartitionChange(Kind.SKIP, here.values, here.unfit)
    return PartitionChange(Kind.UPDATE, here.values, "differs")


def _ascending(stream: Iterable[Partition], side: str) -> Iterator[Partition]:
    last: tuple[str, ...] | None = None
    for partition in stream:
        if last is not None and partition.values <= last:
            raise UnsortedStreamError(f"{side}: partition {list(partition.values)} came after {list(last)}.")
        last = partition.values
        yield partition
