"""How fresh a table's data is, from what the sync reads of the catalog anyway. Pure.

Data itself is never looked at: the sync role is denied S3. So it is the newest partition where Glue has partitions; the
current snapshot where an Iceberg catalog wrote its time into the table's parameters; and otherwise the time at which
the table was last changed, which for an Iceberg table is its last commit and for any other the last change of its
definition or of a crawler's figures.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any

from sync_handlers import schemas

# Iceberg's Hive catalog writes it (HiveTableOperations); others leave it out.
_SNAPSHOT = "current-snapshot-timestamp-ms"
_DDL_TIME = "transient_lastDdlTime"


@unique
class Seen(StrEnum):
    """What told how fresh the data is."""

    PARTITION = "partition"
    TABLE = "table"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True)
class Freshness:
    at: dt.datetime
    seen: Seen


def of_table(table: Mapping[str, Any], newest_partition: dt.datetime | None) -> Freshness | None:
    """Freshness of a Glue `Table`, given the time of its newest partition; None when nothing tells."""
    if schemas.is_view(table):
        return None  # a view holds no data of its own
    if newest_partition is not None:
        return Freshness(newest_partition, Seen.PARTITION)
    parameters = table.get("Parameters") or {}
    snapshot = _epoch(parameters.get(_SNAPSHOT), 1000)
    if snapshot is not None and schemas.is_iceberg(table):
        return Freshness(snapshot, Seen.SNAPSHOT)
    changed = changed_at(table)
    return Freshness(changed, Seen.TABLE) if changed else None


def changed_at(table: Mapping[str, Any]) -> dt.datetime | None:
    """When a table of Glue was last changed."""
    times = [time for time in (table.get("UpdateTime"), table.get("CreateTime")) if isinstance(time, dt.datetime)]
    return max(times, default=None)


def of_partition(partition: Mapping[str, Any]) -> dt.datetime | None:
    """When a partition was made or last loaded: Glue keeps the one, engines write the other into a parameter."""
    created = partition.get("CreationTime")
    loaded = _epoch((partition.get("Parameters") or {}).get(_DDL_TIME), 1)
    times = [time for time in (created, loaded) if isinstance(time, dt.datetime)]
    return max(times, default=None)


def stale(at: dt.datetime, max_age: int | None, now: dt.datetime) -> bool:
    """Whether data of this age breaks the promise of its contract (seconds; None: it promises nothing)."""
    return max_age is not None and (now - at).total_seconds() > max_age


def _epoch(text: Any, per_second: int) -> dt.datetime | None:
    try:
        return dt.datetime.fromtimestamp(int(text) / per_second, dt.UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
