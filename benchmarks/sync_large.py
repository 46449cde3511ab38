"""One large table in a process of its own: `benchmarks/sync.py` runs it and reads seconds and peak memory.

Copies the table into an empty twin, then compares again. The process holds the handler and the SDK; Glue is elsewhere.
"""

from __future__ import annotations

import argparse
import json
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
    print(json.dumps({**took, "megabytes": peak_megabytes(), "unchanged": sync.counts.unchanged}))


def peak_megabytes() -> float:
    """The most memory this program had. getrusage says that of the process, whose beginning was a copy of the parent's
    (getrusage(2), execve(2)), so the kernel's figure of this program's own memory is read (proc(5), VmHWM)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("/proc/self/status has no VmHWM: the peak of memory is measured on Linux")


if __name__ == "__main__":
    main()
