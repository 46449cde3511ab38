"""How fresh a table's data is, by what the catalog says."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sync_handlers import freshness
from sync_handlers.freshness import Seen
from tests.sync_handlers.tables import iceberg, parquet, view

JANUARY, MARCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def test_the_newest_partition_tells_before_anything_else() -> None:
    found = freshness.of_table({**parquet(), "UpdateTime": MARCH}, JANUARY)
    assert found is not None
    assert (found.at, found.seen) == (JANUARY, Seen.PARTITION)


def test_without_partitions_the_last_change_of_the_table_tells() -> None:
    found = freshness.of_table({**parquet(), "CreateTime": JANUARY, "UpdateTime": MARCH}, None)
    assert found is not None
    assert (found.at, found.seen) == (MARCH, Seen.TABLE)
    assert freshness.of_table(parquet(), None) is None


def test_an_iceberg_snapshot_tells_where_its_catalog_wrote_it_down() -> None:
    table = {**iceberg(), "UpdateTime": MARCH}
    plain = freshness.of_table(table, None)
    assert plain is not None
    assert plain.seen is Seen.TABLE
    table["Parameters"]["current-snapshot-timestamp-ms"] = str(int(JANUARY.timestamp() * 1000))
    found = freshness.of_table(table, None)
    assert found is not None
    assert (found.at, found.seen) == (JANUARY, Seen.SNAPSHOT)


def test_a_view_holds_no_data() -> None:
    assert freshness.of_table({**view(), "UpdateTime": MARCH}, None) is None


@pytest.mark.parametrize(
    ("parameters", "at"),
    [({}, JANUARY), ({"transient_lastDdlTime": str(int(MARCH.timestamp()))}, MARCH), ({"transient_lastDdlTime": "1"}, JANUARY),
     ({"transient_lastDdlTime": "soon"}, JANUARY), ({"transient_lastDdlTime": "9" * 40}, JANUARY)],
)  # fmt: skip
def test_a_partition_is_as_new_as_it_was_made_or_loaded(parameters: dict[str, Any], at: dt.datetime) -> None:
    assert freshness.of_partition({"CreationTime": JANUARY, "Parameters": parameters}) == at


def test_data_is_stale_when_it_is_older_than_was_promised() -> None:
    assert freshness.stale(JANUARY, 3600, MARCH)
    assert not freshness.stale(JANUARY, 365 * 86_400, MARCH)
    assert not freshness.stale(JANUARY, None, MARCH)
