"""The scheduled look at samples: verdicts leave the producer's account, values do not."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from lakemesh.classify_scan.scan import Looked
from lakemesh.handlers.scan import Scan, Wanted, wanted
from lakemesh.onboard.account import Account
from sync_handlers.budget import Budget
from sync_handlers.errors import IncompleteError
from tests.handlers.conftest import NOW, MemoryStore

CANARIES = ["kanarie.een@canary-77f1.example", "kanarie.twee@canary-77f1.example"]
KEY = "scans/shop/crm/contact.json"
TABLE = Wanted("sales", "crm", "crm_raw", "contact", frozenset({"id"}))


@dataclass
class Answers:
    """An account that knows one table."""

    tables: dict[str, Mapping[str, Any]] = field(
        default_factory=lambda: {
            "contact": {
                "Name": "contact",
                "StorageDescriptor": {"Columns": [{"Name": "id", "Type": "int"}, {"Name": "c1", "Type": "string"}]},
            }
        }
    )

    def read(self, service: str, operation: str, what: str, **given: Any) -> Mapping[str, Any] | None:
        found = self.tables.get(given["Name"])
        return {"Table": found} if found else None

    def complete(self) -> None:
        """Nothing is denied."""


def looking(values: Mapping[str, Sequence[object]], notes: Mapping[str, str] | None = None) -> Any:
    def look(account: Account, tables: Sequence[tuple[str, Wanted]], limits: object) -> Looked:
        ((product, table),) = tables
        return Looked(samples={(product, table.key): values} if values else {}, notes=dict(notes or {}))

    return look


def scanning(store: MemoryStore, look: Any, left: int = 900_000) -> Scan:
    return Scan(Answers(), store, "shop", Budget(lambda: left), NOW, look=look)  # type: ignore[arg-type]


def test_a_column_whose_name_says_nothing_is_known_by_its_values(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    store = MemoryStore()
    with caplog.at_level(logging.DEBUG):
        result = scanning(store, looking({"c1": CANARIES, "id": [1, 2]})).run([TABLE])
    assert result == {"tables": 1, "sampled": 1, "changed": 1}
    found = store.kept[KEY]
    assert set(found.columns) == {"c1"}
    assert (found.columns["c1"].kind, found.columns["c1"].sensitivity) == ("email", "confidential")
    written = json.dumps(found.document()) + caplog.text + "".join(capsys.readouterr())
    assert "canary" not in written
    assert "kanarie" not in written


def test_a_table_without_values_is_judged_by_metadata_and_that_is_said() -> None:
    store = MemoryStore()
    result = scanning(store, looking({}, {"crm_raw.contact": "no rows were found"})).run([TABLE])
    assert result == {"tables": 1, "sampled": 0, "changed": 1}
    assert store.kept[KEY].columns["c1"].samples is None


def test_the_same_values_are_not_written_again() -> None:
    store = MemoryStore()
    for _ in range(2):
        scanning(store, looking({"c1": CANARIES})).run([TABLE])
    assert store.writes == 1


def test_a_table_that_is_gone_is_passed_over() -> None:
    store = MemoryStore()
    gone = Wanted("sales", "crm", "crm_raw", "gone")
    assert scanning(store, looking({})).run([gone]) == {"tables": 1, "sampled": 0, "changed": 0}
    assert store.kept == {}


def test_a_scan_that_runs_out_of_time_says_so() -> None:
    with pytest.raises(IncompleteError, match="time ran short"):
        scanning(MemoryStore(), looking({}), left=1000).run([TABLE])


def test_the_line_of_a_table_is_read_as_the_program_writes_it() -> None:
    line = '{"domain": "sales", "twin": "crm", "database": "crm_raw", "table": "contact", "reviewed": ["id"]}'
    assert wanted(line) == TABLE
