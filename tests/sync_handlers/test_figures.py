"""The counts that `benchmarks/sync.py` prints at full size, at a small one on every run; and what the bundle is."""

from __future__ import annotations

import ast
import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import sync as figures
from benchmarks import sync_catalog as catalog
from benchmarks import sync_ways as ways
from benchmarks.sync_counting import Ledger
from tests.sync_handlers.fakes import FakeGlue

TABLES, PARTITIONS = 12, 40
ROOT = Path(__file__).resolve().parents[2]


class Catalogs:
    """Both accounts in memory, and a ledger of what the refreshes ask of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sides = {catalog.PRODUCER: FakeGlue(catalog.PRODUCER), catalog.CENTRAL: FakeGlue(catalog.CENTRAL, "twin")}
        self.source, self.twin = self.sides.values()
        for side in self.sides.values():
            side.meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_: None))  # type: ignore[attr-defined]
        monkeypatch.setattr(ways, "client", lambda _endpoint, account: self.sides[account])
        self.titles = [catalog.name(number) for number in range(TABLES)]
        catalog.fill(self.source, catalog.DATABASE, self.titles, PARTITIONS)

    def refresh(self) -> list[str]:
        """Writes of one refresh of everything."""
        self.twin.calls.clear()
        self.source.calls.clear()
        ways.Handler("", "twin").refresh()
        assert self.source.writes == []
        return self.twin.writes


@pytest.fixture
def catalogs(monkeypatch: pytest.MonkeyPatch) -> Catalogs:
    return Catalogs(monkeypatch)


def test_a_refresh_of_everything_writes_nothing_while_nothing_changes(catalogs: Catalogs) -> None:
    assert len(catalogs.refresh()) == 2 * TABLES
    assert catalogs.refresh() == []
    listings = [name for side in catalogs.sides.values() for name, _ in side.calls if name == "get_partitions"]
    assert len(listings) == 2 * TABLES, "one call a side and table"


def test_churn_is_written_in_as_few_calls_as_it_can_be(catalogs: Catalogs) -> None:
    catalogs.refresh()
    changed = catalog.churn(catalogs.source, catalogs.titles, PARTITIONS, 0.05)
    assert changed["partitions"] == 2 * TABLES
    assert len(catalogs.refresh()) == changed["minimum"]
    assert catalogs.refresh() == []


def test_a_reader_of_the_twin_misses_no_partition_that_stays(catalogs: Catalogs) -> None:
    catalogs.refresh()
    catalog.churn(catalogs.source, catalogs.titles, PARTITIONS, 0.05)
    stays = {key: set(parts) for key, parts in catalogs.source.parts.items()}
    before = {key: set(parts) for key, parts in catalogs.twin.parts.items()}

    def look(_: dict[str, Any]) -> None:
        for (_, table), there in catalogs.twin.parts.items():
            keeps = before["twin", table] & stays[catalog.DATABASE, table]
            assert keeps <= set(there), table

    for name in ("batch_create_partition", "batch_update_partition", "batch_delete_partition", "update_table"):
        catalogs.twin.before[name] = look
    assert catalogs.refresh()


def test_a_gap_is_the_time_from_a_deletion_to_the_creation_of_the_same_partition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = iter([1.0, 3.5, 9.0])
    monkeypatch.setattr("benchmarks.sync_counting.time.perf_counter", lambda: next(now))
    ledger, heard = Ledger(), dict[str, Callable[..., None]]()
    ledger.listen(SimpleNamespace(register=lambda name, hear: heard.update({name.split(".")[0]: hear})))
    place = {"DatabaseName": "d", "TableName": "t"}
    for name, more in (
        ("BatchDeletePartition", {"PartitionsToDelete": [{"Values": ["a"]}, {"Values": ["b"]}]}),
        ("BatchCreatePartition", {"PartitionInputList": [{"Values": ["a"]}, {"Values": ["new"]}]}),
        ("GetPartitions", {}),
    ):
        model = SimpleNamespace(name=name)
        heard["provide-client-params"](params={**place, **more}, model=model)
        heard["after-call"](model=model)
    assert (ledger.longest_gap, ledger.total, ledger.writes) == (2.5, 3, 2)


def test_the_bundle_is_small_and_needs_boto3_and_powertools_alone() -> None:
    needs, packed = set[str](), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((ROOT / "sync_handlers").glob("*.py")):
            archive.write(file, file.name)
            needs |= figures.imports(ast.parse(file.read_text(encoding="utf-8")))
    assert len(packed.getvalue()) < figures.MOST_BUNDLE
    assert needs - set(sys.stdlib_module_names) - {"sync_handlers"} == figures.PROVIDED


def test_what_is_imported_for_types_alone_is_no_need_of_the_bundle() -> None:
    text = "from typing import TYPE_CHECKING\nimport json\nif TYPE_CHECKING:\n    import mypy_boto3_glue\n"
    assert figures.imports(ast.parse(text)) == {"typing", "json"}
