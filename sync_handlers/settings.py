"""The function's environment, read once."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    manifest: Path
    """Where the bundled manifest lies: beside the package, at the root of the function's zip."""
    queue: str
    """URL of the queue that the sync's messages come from."""
    tag_function: str
    """Name of the function that sets LF-Tags."""
    namespace: str
    """Of metrics: the mesh's name."""
    state_table: str = ""
    """Table of the sync's state; empty where stack central has none yet."""
    topic_prefix: str = ""
    """ARN of the mesh's topics, up to `operators`, `owner-<domain>` or `consumer-<consumer>`; empty: none."""
    concurrency: int = 1
    """Invocations of this function that may run at once: they share what each account is asked."""


@functools.cache
def settings() -> Settings:
    default = Path(__file__).resolve().parents[1] / "manifest.json"
    return Settings(
        manifest=Path(os.environ.get("LAKEMESH_MANIFEST") or default),
        queue=os.environ.get("LAKEMESH_QUEUE", ""),
        tag_function=os.environ.get("LAKEMESH_TAG_FUNCTION", ""),
        namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or "lakemesh",
        state_table=os.environ.get("SYNC_STATE_TABLE", ""),
        topic_prefix=os.environ.get("TOPIC_PREFIX", ""),
        concurrency=max(1, int(os.environ.get("LAKEMESH_CONCURRENCY") or 1)),
    )
