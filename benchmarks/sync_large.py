"""One large table in a process of its own: `benchmarks/sync.py` runs it and reads seconds and peak memory.

Copies the table into an empty twin, then compares again. The process holds the handler and the SDK; Glue is elsewhere.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 (the script finds the project by itself)
from benchmarks.sync_catalog import CENTRAL, DATABASE, PRODUCER, client
from sync_handlers.budget import Budget
from sync_handlers.glue_access import Database
from sync_handlers.partitions import PartitionSync


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--twin", required=True)
    given = parser.parse_args()
    source = Database(client(given.endpoint, PRODUCER), PRODUCER, DATABASE)
    twin = Database(client(given.endpoint, CENTRAL), CENTRAL, given.twin)
    took = dict[str, float]()
    for what in ("copy", "compare"):
        sync = PartitionSync(given.table, source, twin, ("s3://lake/",), Budget(lambda: 900_000))
        started, worked = time.perf_counter(), time.process_time()
        sync.run()
        took |= {what: time.perf_counter() - started, f"{what}_cpu": time.process_time() - worked}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kilobytes on Linux
    print(json.dumps({**took, "megabytes": peak, "unchanged": sync.counts.unchanged}))


if __name__ == "__main__":
    main()
