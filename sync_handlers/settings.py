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


@functools.cache
def settings() -> Settings:
    default = Path(__file__).resolve().parents[1] / "manifest.json"
    return Settings(manifest=Path(os.environ.get("LAKEMESH_MANIFEST") or default))
