"""The pack runs with its own directory first on the path; so do its tests."""

from __future__ import annotations

import sys
from pathlib import Path

PACK = str(Path(__file__).parents[2] / "policies")
if PACK not in sys.path:
    sys.path.insert(0, PACK)
