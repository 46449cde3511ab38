"""Query executions: what was asked, how it ended, and its result in the workgroup's location.

Sources: Athena API reference (StartQueryExecution and those that take a QueryExecutionId); Athena user guide, "Working
with query results, recent queries, and output files", "Override client-side settings", "Access to Amazon S3".
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from local_aws.services import iam, kms, s3
from local_aws.services.athena import sql
from local_aws.services.athena.engine import Column, Query
from local_aws.services.athena.sql import QueryError, Statement
from local_aws.services.athena.storage import split
from local_aws.services.athena.workgroups import PRIMARY, WorkGroup, find, invalid
from local_aws.services.calls import AwsError, Call, not_implemented, on_reset, operation
from local_aws.services.identity import Identity

log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds that StartQueryExecution waits for a query to end: small ones are done when the client first asks."""
PAGE = 1000
KEPT = 200
"""Executions remembered, with their results; Athena keeps 45 days of them."""
FINAL = {"SUCCEEDED", "FAILED", "CANCELLED"}

_turns = threading.BoundedSemaphore(4)
"""Queries that run at a time: each may take all the memory a query gets."""
_ends = threading.Lock()


@dataclass
class Execution:
    id: str
    query: Query
    statement: Statement
    workgroup: str
    output: str
    results: dict[str, Any]
    """The ResultConfiguration in force."""
    state: str = "QUEUED"
    reason: str | None = None
    submitted: float = field(default_factory=time.time)
    completed: float | None = None
    columns: list[Column] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def caller(self) -> Identity:
        return self.query.caller

    def run(self) -> None:
        """Run the query in this thread, when it is its turn, and note how it ended."""
        with _turns:
            if self.state == "QUEUED":
                self.state = "RUNNING"
                self.end(*self._outcome())

    def _outcome(self) -> tuple[str, str | None]:
        try:
            self.columns, self.rows = self.query.run(self.statement)
            self._write()
        except QueryError as error:
            return "FAILED", str(error)
        except AwsError as error:
            return "FAILED", error.message
        except Exception as error:  # a query's thread: whatever is wrong inside is the execution's end, and is logged
            log.exception("query %s failed inside the local AWS", self.id)
            return "FAILED", f"GENERIC_INTERNAL_ERROR: {type(error).__name__} inside the local AWS; see its log"
        return "SUCCEEDED", None

    def end(self, state: str, reason: str | None) -> None:
        """Note the end of the query; the first to say so is right."""
        with _ends:
            if self.state not in FINAL:
                self.state, self.reason, self.completed = state, reason, time.time()
        self.done.set()

    def _write(self) -> None:
        """Results as CSV, every value quoted and null empty, put by the caller itself."""
        lines = [_csv([column.name for column in self.columns]), *map(_csv, self.rows)]
        bucket, key = split(self.output)
        expected = self.results.get("ExpectedBucketOwner")
        encryption = self.results.get("EncryptionConfiguration", {})
        key_id = encryption.get("KmsKey")
        refused = expected is not None and expected != s3.owner(bucket)
        if encryption.get("EncryptionOption") == "SSE_KMS" and key_id:
            refused = refused or not kms.may(self.caller, "kms:GenerateDataKey", key_id, via="s3")
        try:
            if refused:
                raise AwsError("AccessDenied", f"{bucket} is another account's, or its key is not to be used.", 403)  # noqa: TRY301
            s3.write(self.caller, bucket, key, "".join(lines).encode())
        except AwsError as error:
            raise QueryError(
                f"Access denied when writing output to url: {self.output} . Please ensure you are allowed to access "
                "the S3 bucket. If you are encrypting query results with KMS key, please ensure you can access "
                f"your KMS key ({error.message})"
            ) from error


def _csv(values: Sequence[str | None]) -> str:
    return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in values) + "\n"


_executions: dict[str, Execution] = {}
_tokens: dict[tuple[str, str], str] = {}


def _arn(caller: Identity, region: str, workgroup: str) -> str:
    return f"arn:aws:athena:{region}:{caller.account}:workgroup/{workgroup}"


def _execution(call: Call) -> Execution:
    """The execution a call names, judged by its workgroup, as IAM policies for workgroups do."""
    found = _executions.get(call.params["QueryExecutionId"])
    if found is None or found.caller.account != call.account or found.query.region != call.region:
        raise invalid(f"QueryExecution {call.params['QueryExecutionId']} was not found")
    arn, action = _arn(call.identity, call.region, found.workgroup), f"athena:{call.operation}"
    if not iam.permitted(call.identity, action, arn):
        raise iam.denied(call.identity, action, arn)
    return found


def forget(call: Call, workgroup: str, *, recursive: bool) -> bool:
    """Drop a workgroup's executions before it is deleted; False: it has some, and nobody said to."""
    mine = [e for e in _executions.values() if e.workgroup == workgroup and e.caller.account == call.account]
    if mine and not recursive:
        return False
    for execution in mine:
        execution.query.stop("The workgroup was deleted")
        _executions.pop(execution.id, None)
    return True


def _output(call: Call, workgroup: WorkGroup, execution_id: str) -> tuple[str, dict[str, Any]]:
    """Where results go: the workgroup's location where it is enforced, else the caller's. Raises AwsError."""
    own = workgroup.configuration.get("ResultConfiguration", {})
    asked = call.params.get("ResultConfiguration", {})
    enforced = workgroup.configuration.get("EnforceWorkGroupConfiguration")
    results = own if enforced or not asked.get("OutputLocation") else asked
    location = results.get("OutputLocation")
    if not location:
        raise invalid(
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input."
        )
    if results.get("EncryptionConfiguration", {}).get("EncryptionOption") == "CSE_KMS":
        raise not_implemented("athena", "StartQueryExecution with CSE_KMS results")
    try:
        bucket, _ = split(location)
    except QueryError as error:
        raise invalid("outputLocation is not a valid S3 path.") from error
    if not s3.allowed(call.identity, "s3:GetBucketLocation", bucket):
        raise invalid(f"Unable to verify/create output bucket {bucket}")
    return f"{location.rstrip('/')}/{execution_id}.csv", results


@operation("athena", "StartQueryExecution")
def start_query_execution(call: Call) -> dict[str, Any]:
    given = call.params
    workgroup = find(call, given.get("WorkGroup", PRIMARY))
    if workgroup.state != "ENABLED":
        raise invalid(f"WorkGroup {workgroup.name} is disabled.")
    if given.get("ExecutionParameters"):
        raise not_implemented("athena", "StartQueryExecution with ExecutionParameters")
    context = given.get("QueryExecutionContext", {})
    if context.get("Catalog", sql.CATALOG).lower() != sql.CATALOG:
        raise invalid(f"Catalog {context['Catalog']} does not exist")
    token = call.account, given.get("ClientRequestToken", str(uuid.uuid4()))
    if token in _tokens and _tokens[token] in _executions:
        return {"QueryExecutionId": _tokens[token]}
    try:
        statement = sql.parse(given["QueryString"])
    except QueryError as error:
        raise invalid(str(error)) from error
    execution_id = str(uuid.uuid4())
    output, results = _output(call, workgroup, execution_id)
    query = Query(call.identity, call.region, context.get("Database", "default").lower())
    execution = Execution(execution_id, query, statement, workgroup.name, output, results)
    _executions[execution_id], _tokens[token] = execution, execution_id
    while len(_executions) > KEPT:
        _executions.pop(next(iter(_executions)), None)
    threading.Thread(target=execution.run, daemon=True).start()
    execution.done.wait(PATIENCE)
    return {"QueryExecutionId": execution_id}


@operation("athena", "GetQueryExecution")
def get_query_execution(call: Call) -> dict[str, Any]:
    found = _execution(call)
    status: dict[str, Any] = {
        "State": found.state,
        "StateChangeReason": found.reason,
        "SubmissionDateTime": found.submitted,
        "CompletionDateTime": found.completed,
    }
    if found.state == "FAILED":
        # Category 2 is the user's (API reference, AthenaError).
        status["AthenaError"] = {"ErrorCategory": 2, "ErrorMessage": found.reason, "Retryable": False}
    elapsed = int(((found.completed or time.time()) - found.submitted) * 1000)
    return {
        "QueryExecution": {
            "QueryExecutionId": found.id,
            "Query": found.statement.text,
            "StatementType": "DML",
            "ResultConfiguration": {**found.results, "OutputLocation": found.output},
            "QueryExecutionContext": {"Database": found.query.database, "Catalog": sql.CATALOG},
            "Status": {key: value for key, value in status.items() if value is not None},
            "Statistics": {"EngineExecutionTimeInMillis": elapsed, "TotalExecutionTimeInMillis": elapsed},
            "WorkGroup": found.workgroup,
            "EngineVersion": {"EffectiveEngineVersion": "Athena engine version 3", "SelectedEngineVersion": "AUTO"},
            "SubstatementType": "SELECT",
        }
    }


@operation("athena", "GetQueryResults")
def get_query_results(call: Call) -> dict[str, Any]:
    """A page of the result; its first row is the header. The caller needs to read the result's object too."""
    found = _execution(call)
    if found.state != "SUCCEEDED":
        raise invalid(f"Query has not yet finished. Current state: {found.state}")
    bucket, key = split(found.output)
    try:
        s3.check_read(call.identity, bucket, key)
    except AwsError as error:
        raise AwsError("AccessDeniedException", error.message) from error
    token, size = call.params.get("NextToken") or "0", min(call.params.get("MaxResults", PAGE), PAGE)
    if not token.isdigit():
        raise invalid("Invalid NextToken")
    start = int(token)
    rows: list[list[str | None]] = [[column.name for column in found.columns], *found.rows]
    columns = [
        {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": column.name,
            "Label": column.name,
            "Type": column.type,
            "Precision": 0,
            "Scale": 0,
            "Nullable": "UNKNOWN",
            "CaseSensitive": column.type == "varchar",
        }
        for column in found.columns
    ]
    data = [
        {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
        for row in rows[start : start + size]
    ]
    answer: dict[str, Any] = {
        "UpdateCount": 0,
        "ResultSet": {"Rows": data, "ResultSetMetadata": {"ColumnInfo": columns}},
    }
    return answer | {"NextToken": str(start + size)} if start + size < len(rows) else answer


@operation("athena", "StopQueryExecution")
def stop_query_execution(call: Call) -> None:
    found = _execution(call)
    if found.state not in FINAL:
        found.query.stop("Query cancelled by user")
        found.end("CANCELLED", "Query cancelled by user")


@operation("athena", "ListQueryExecutions")
def list_query_executions(call: Call) -> dict[str, Any]:
    name = call.params.get("WorkGroup", PRIMARY)
    found = [e.id for e in _executions.values() if (e.workgroup, e.caller.account) == (name, call.account)]
    return {"QueryExecutionIds": found[::-1][:50]}


@on_reset
def clear() -> None:
    for execution in list(_executions.values()):
        execution.query.stop("The local AWS was reset")
    _executions.clear()
    _tokens.clear()
