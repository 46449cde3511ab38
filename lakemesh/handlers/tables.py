"""Tables of Glue as the recogniser takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakemesh.classification import Column
from sync_handlers import schemas


def columns_of(table: Mapping[str, Any]) -> list[Column]:
    """Columns of a Glue table that readers see, partition keys last; names in lower case, as contracts have them."""
    every = [*schemas.columns(table), *schemas.partition_keys(table)]
    return [
        Column(str(one["Name"]).lower(), one.get("Type") or None, one.get("Comment") or None)
        for one in every
        if schemas.live(one)
    ]
