"""Prove by real calls who can read what: Glue and Athena, in each principal's account, under its own role.

Nothing here asks Lake Formation what it thinks, or lakemesh what it meant to grant: only what comes back counts. A
query that fails for any other reason than a refusal is an error of the proof, never a denial, and every workgroup first
has to answer a query that needs no data: a principal for whom nothing works is not one who may read nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from lakemesh.declarations.models import Declarations
from lakemesh.declarations.naming import Naming
from lakemesh.demo.clients import Clients
from lakemesh.demo.expected import Expected, Rows, Verdict
from lakemesh.demo.queries import Answer, Workgroup
from lakemesh.demo.tables import SourceTable
from lakemesh.demo.values import as_athena_writes

WORKERS = 4
HIDDEN = frozenset({"EntityNotFoundException", "AccessDeniedException"})
"""How Glue says that there is nothing to see."""


@dataclass(frozen=True)
class TableProof:
    """What one principal got of one table."""

    principal: str
    table: str
    expected: Mapping[str, Verdict]
    actual: Mapping[str, Verdict]
    refusals: Mapping[str, str] = field(default_factory=dict)
    """What Athena answered for each column that it refused."""
    differences: tuple[str, ...] = ()
    """In sentences, everything that is not as expected; empty: proved."""


@dataclass(frozen=True)
class Proof:
    """Every principal and table, and the central catalog."""

    tables: tuple[TableProof, ...]
    general: tuple[str, ...]
    """Differences between the central catalog and `tables` of expected.yaml, and workgroups that do not work."""
    queries: int

    @property
    def differences(self) -> tuple[str, ...]:
        """Everything that is not as expected, in sentences."""
        return (*self.general, *(text for table in self.tables for text in table.differences))

    @property
    def ok(self) -> bool:
        return not self.differences

    @property
    def columns(self) -> int:
        return sum(len(table.actual) for table in self.tables)


def prove(
    declarations: Declarations, expected: Expected, clients: Clients, sources: Mapping[str, Sequence[SourceTable]]
) -> Proof:
    """Try every principal on every column and compare. `sources`: what was seeded, by twin, to compare values with."""
    seeded = {f"{twin}.{table.name}": table for twin, tables in sources.items() for table in tables}
    general = _catalog_differences(declarations, expected, clients)
    with ThreadPoolExecutor(WORKERS) as pool:
        jobs = [
            pool.submit(_principal, declarations, expected, principal, clients, seeded)
            for principal in expected.verdicts
        ]
        done = [job.result() for job in jobs]
    return Proof(
        tables=tuple(table for one in done for table in one.tables),
        general=(*general, *(text for one in done for text in one.general)),
        queries=sum(one.queries for one in done),
    )


# -------------------------------------------------------------------------------------------- the central catalog
def _catalog_differences(declarations: Declarations, expected: Expected, clients: Clients) -> list[str]:
    central = declarations.mesh.central
    role = (*central.administrators, Naming(declarations.mesh).deploy_role_arn("central"))[0]
    glue = clients.role("glue", role)
    found: dict[str, tuple[str, ...]] = {}
    for domain in declarations.mesh.domains.values():
        for source in domain.sources:
            found.update(_tables_of(glue, source.twin_name))
    differences = [f"central catalog: {table} is not there" for table in expected.tables if table not in found]
    for table, columns in found.items():
        if table not in expected.tables:
            differences.append(f"central catalog: {table} is there and not in `tables` of expected.yaml")
        elif columns != expected.tables[table]:
            wanted = ", ".join(expected.tables[table])
            differences.append(f"central catalog: {table} should have ({wanted}) and has ({', '.join(columns)})")
    return differences


def _tables_of(glue: Any, database: str) -> dict[str, tuple[str, ...]]:
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
    try:
        return {f"{database}.{table['Name']}": _columns(table) for page in pages for table in page["TableList"]}
    except ClientError as error:
        if error.response["Error"]["Code"] in HIDDEN:
            return {}
        raise


def _columns(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of a Glue table's columns in order, partition keys last."""
    columns = table.get("StorageDescriptor", {}).get("Columns", [])
    return tuple(column["Name"] for column in (*columns, *table.get("PartitionKeys", [])))


# -------------------------------------------------------------------------------------------------- one principal
def _principal(
    declarations: Declarations,
    expected: Expected,
    principal: str,
    clients: Clients,
    seeded: Mapping[str, SourceTable],
) -> Proof:
    consumer, _, name = principal.partition("/")
    role = declarations.consumers[consumer].principals[name].role
    workgroup = Workgroup(clients.role("athena", role), Naming(declarations.mesh).workgroup(consumer, name))
    control = workgroup.run("SELECT 1")
    tables = [
        _Attempt(
            principal,
            table,
            verdicts,
            clients.role("glue", role),
            workgroup,
            seeded.get(table),
            expected.rows.get((principal, table), {}),
        ).proof()
        for table, verdicts in expected.verdicts[principal].items()
    ]
    works = control.rows == [("1",)]
    broken = () if works else (f"{principal}: SELECT 1 fails in its workgroup: {control.reason or control.rows}",)
    return Proof(tuple(tables), broken, workgroup.queries)


class _Attempt:
    """One principal on one table."""

    def __init__(
        self,
        principal: str,
        table: str,
        expected: Mapping[str, Verdict],
        glue: Any,
        workgroup: Workgroup,
        seeded: SourceTable | None,
        rows: Rows,
    ) -> None:
        self.principal = principal
        self.table = table
        self.database, _, self.name = table.partition(".")
        self.expected = expected
        self.glue = glue
        self.workgroup = workgroup
        self.seeded = seeded
        self.rows = rows
        self.differences: list[str] = []
        self.refusals: dict[str, str] = {}

    def proof(self) -> TableProof:
        shown = self._shown()
        readable = self._readable()
        actual = {
            column: Verdict.READ if column in readable else Verdict.DISCOVER if column in shown else Verdict.DENIED
            for column in self.expected
        }
        for column, verdict in actual.items():
            if verdict is not self.expected[column]:
                self._differ(f"{column}: expected {self.expected[column]}, is {self._happened(column, verdict)}")
            if column in readable and column not in shown:
                self._differ(f"{column}: Athena reads it, but Glue does not show it")
        for column in shown:
            if column not in self.expected:
                self._differ(f"{column}: Glue shows it, and expected.yaml does not know it")
        self._star([column for column in self.expected if column in readable])
        return TableProof(self.principal, self.table, self.expected, actual, self.refusals, tuple(self.differences))

    def _differ(self, text: str) -> None:
        self.differences.append(f"{self.principal} on {self.table}: {text}")

    def _happened(self, column: str, verdict: Verdict) -> str:
        reason = self.refusals.get(column)
        return f"{verdict} ({reason})" if reason else str(verdict)

    def _shown(self) -> tuple[str, ...]:
        """Columns that Glue shows through the link in the principal's own account."""
        try:
            return _columns(self.glue.get_table(DatabaseName=self.database, Name=self.name)["Table"])
        except ClientError as error:
            if error.response["Error"]["Code"] in HIDDEN:
                return ()
            raise

    def _readable(self) -> frozenset[str]:
        """Columns that Athena returns: those that should be readable in one query, each of the others by itself."""
        hoped = [column for column, verdict in self.expected.items() if verdict is Verdict.READ]
        alone = [column for column, verdict in self.expected.items() if verdict is not Verdict.READ]
        readable: set[str] = set()
        if hoped:
            answer = self._select(hoped)
            if answer.ok:
                readable.update(hoped)
                self._compare(answer, hoped)
            else:
                alone = [*hoped, *alone]
        for column in alone:
            answer = self._select([column])
            if answer.ok:
                readable.add(column)
                continue
            self.refusals[column] = answer.reason
            if not answer.refused:
                self._differ(f"{column}: the query failed, and not because it was refused: {answer.reason}")
        return frozenset(readable)

    def _select(self, columns: Sequence[str]) -> Answer:
        names = ", ".join(f'"{column}"' for column in columns)
        return self.workgroup.run(f'SELECT {names} FROM "{self.database}"."{self.name}"', self.database)  # noqa: S608 - names of expected.yaml, which the mesh declares

    def _star(self, readable: Sequence[str]) -> None:
        """`SELECT *` returns the readable columns and no others; where there are none, nothing."""
        answer = self.workgroup.run(f'SELECT * FROM "{self.database}"."{self.name}"', self.database)  # noqa: S608 - as above
        if answer.ok and not readable:
            self._differ(f"SELECT * should be refused and returns ({', '.join(answer.columns)})")
        elif answer.ok and list(answer.columns) != list(readable):
            self._differ(f"SELECT * should return ({', '.join(readable)}) and returns ({', '.join(answer.columns)})")
        elif not answer.ok and (readable or not answer.refused):
            self._differ(f"SELECT * failed: {answer.reason}")

    def _compare(self, answer: Answer, columns: Sequence[str]) -> None:
        """The rows are the producer's, or those of them that are expected: as many, the same values in every scalar
        column."""
        if self.seeded is None:
            return
        wanted = [
            row
            for row in self.seeded.rows
            if all(
                as_athena_writes(row[column], self.seeded.column_type(column)) in values
                for column, values in self.rows.items()
            )
        ]
        if len(answer.rows) != len(wanted):
            which = ", ".join(f"{column} [{', '.join(values)}]" for column, values in self.rows.items())
            of = f" with {which}" if which else ""
            self._differ(f"returns {len(answer.rows)} rows, the producer has {len(wanted)}{of}")
            return
        for index, column in enumerate(columns):
            kind = self.seeded.column_type(column)
            if "<" in kind:
                continue
            got = sorted(row[index] or "" for row in answer.rows)
            if got != sorted(as_athena_writes(row[column], kind) for row in wanted):
                self._differ(f"{column}: its values are not the producer's")
