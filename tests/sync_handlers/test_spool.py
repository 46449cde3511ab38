from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_handlers.planner import Partition
from sync_handlers.spool import sorted_by_values

_partitions = st.lists(
    st.builds(
        Partition,
        st.tuples(st.text(max_size=3), st.text(max_size=3)),
        st.just("d"),
        st.sampled_from([None, "outside"]),
    ),
    max_size=30,
)


@given(_partitions, st.integers(1, 7))
def test_any_listing_comes_out_sorted_and_once_however_short_the_runs(partitions: list[Partition], run: int) -> None:
    with sorted_by_values(iter(partitions), run) as ordered:
        values = [partition.values for partition in ordered]
    assert values == sorted({partition.values for partition in partitions})


def test_a_spooled_partition_comes_back_as_it_was() -> None:
    partition = Partition(("é\n\u2028", 'q"\\'), "digest", "reason")
    with sorted_by_values([partition, Partition(("a", ""), "x")], run=1) as ordered:
        assert list(ordered) == [Partition(("a", ""), "x"), partition]
        assert partition.refused == "reason"


def test_memory_holds_one_run_not_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    alive = {"now": 0, "most": 0}

    class Counted(Partition):
        def __init__(self, number: int) -> None:
            super().__init__((f"{number:07d}",), "d")
            alive["now"] += 1
            alive["most"] = max(alive["most"], alive["now"])

        def __del__(self) -> None:
            alive["now"] -= 1

    numbers = list(range(20_000))
    random.Random(3).shuffle(numbers)  # noqa: S311
    with sorted_by_values((Counted(number) for number in numbers), run=500) as ordered:
        assert sum(1 for _ in ordered) == 20_000
    assert alive["most"] <= 1_100
