"""Values as Athena writes them into its results, to compare what was read with what was seeded."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any


def as_athena_writes(value: Any, glue_type: str) -> str:
    """The text of a scalar value; an absent one is empty, since CSV cannot tell the two apart.

    >>> as_athena_writes(Decimal("1.5"), "decimal(18,2)")
    '1.50'
    """
    if value is None:
        return ""
    decimal = re.fullmatch(r"decimal\(\d+,\s*(\d+)\)", glue_type)
    if decimal:
        return str(Decimal(value).quantize(Decimal(1).scaleb(-int(decimal[1]))))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value)
