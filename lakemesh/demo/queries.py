"""Queries through one Athena workgroup, with refusals told apart from failures."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

CATALOG = "AwsDataCatalog"
DEADLINE = 120.0
"""Seconds that one query may take."""
FIRST_WAIT, LONGEST_WAIT = 0.005, 0.5

REFUSED = re.compile(
    r"COLUMN_NOT_FOUND|TABLE_NOT_FOUND|SCHEMA_NOT_FOUND|ACCESS_DENIED|AccessDenied|PERMISSION_DENIED"
    r"|Insufficient (Lake Formation )?permission|Relation contains no accessible columns",
    re.IGNORECASE,
)
"""How Athena says no: what may not be seen is not found, and the rest is said outright."""


@dataclass(frozen=True)
class Answer:
    """What became of one query."""

    ok: bool
    reason: str = ""
    """Athena's own words where it failed."""
    columns: tuple[str, ...] = ()
    rows: list[tuple[str | None, ...]] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether it failed because the principal may not, and for no other reason."""
        return not self.ok and REFUSED.search(self.reason) is not None


class Workgroup:
    """One principal's workgroup."""

    def __init__(self, athena: Any, name: str) -> None:
        self._athena = athena
        self._name = name
        self.queries = 0

    def run(self, sql: str, database: str = "default") -> Answer:
        """Run a query to its end. A refusal is an answer; raises TimeoutError and any error of another kind."""
        self.queries += 1
        try:
            started = self._athena.start_query_execution(
                QueryString=sql,
                QueryExecutionContext={"Catalog": CATALOG, "Database": database},
                WorkGroup=self._name,
            )
        except ClientError as error:
            return Answer(ok=False, reason=str(error))
        execution = started["QueryExecutionId"]
        state, reason = self._wait(execution, sql)
        if state != "SUCCEEDED":
            return Answer(ok=False, reason=reason or state)
        return self._results(execution)

    def _wait(self, execution: str, sql: str) -> tuple[str, str]:
        end, pause = time.monotonic() + DEADLINE, FIRST_WAIT
        while True:
            status = self._athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
            if status["State"] not in {"QUEUED", "RUNNING"}:
                return status["State"], status.get("StateChangeReason", "")
            if time.monotonic() > end:
                raise TimeoutError(f"Athena did not end this query within {DEADLINE:.0f} s: {sql}")
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_WAIT)

    def _results(self, execution: str) -> Answer:
        columns: tuple[str, ...] = ()
        rows: list[tuple[str | None, ...]] = []
        for page in self._athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution):
            result = page["ResultSet"]
            columns = columns or tuple(column["Name"] for column in result["ResultSetMetadata"]["ColumnInfo"])
            rows += [tuple(cell.get("VarCharValue") for cell in row["Data"]) for row in result["Rows"]]
        # The first row of a SELECT's results repeats the names of the columns (Athena API, GetQueryResults).
        return Answer(ok=True, columns=columns, rows=rows[1:])
