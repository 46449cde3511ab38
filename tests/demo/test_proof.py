"""The proof against a Glue and an Athena made for the test: it must notice whatever is not as expected."""
# ruff: noqa: N803 - the arguments of boto3's methods

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lakemesh.declarations.models import Declarations
from lakemesh.demo import data
from lakemesh.demo.expected import Expected, Verdict, load
from lakemesh.demo.proof import Proof, prove
from lakemesh.demo.queries import CATALOG
from lakemesh.demo.tables import SourceTable
from lakemesh.demo.values import as_athena_writes

SAMPLE = Path(__file__).parents[2] / "mesh"
ANALYST = "finance-analytics/analyst"
INVOICE = "ar_curated.invoice"
DESK = "treasury/cash-desk"
AGING = "ar_curated.invoice_aging"


class Cloud:
    """Answers every principal exactly as `expected` says; a test then breaks something."""

    def __init__(self, declarations: Declarations, expected: Expected) -> None:
        self.declarations = declarations
        self.catalog = dict(expected.tables)
        self.verdicts = {
            who: {table: dict(one) for table, one in tables.items()} for who, tables in expected.verdicts.items()
        }
        self.shown: dict[tuple[str, str], list[str]] = {}
        self.star: dict[tuple[str, str], list[str]] = {}
        self.filtered = expected.rows
        self.refusal = "COLUMN_NOT_FOUND: line 1:8: Column cannot be resolved or requester is not authorized"
        self.broken: set[str] = set()
        self.rows: dict[str, tuple[dict[str, Any], ...]] = {}
        self.roles = {
            principal.role: f"{name}/{alias}"
            for name, consumer in declarations.consumers.items()
            for alias, principal in consumer.principals.items()
        }
        self.sources = {
            f"{twin}.{table.name}": table for twin, tables in data.tables(declarations).items() for table in tables
        }

    def role(self, service: str, arn: str) -> Any:
        who = self.roles.get(arn)
        if who is None:
            return CentralGlue(self)
        return PrincipalGlue(self, who) if service == "glue" else Athena(self, who)

    def readable(self, who: str, table: str) -> list[str]:
        return [column for column, verdict in self.verdicts[who][table].items() if verdict is Verdict.READ]


class CentralGlue:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def get_paginator(self, _name: str) -> CentralGlue:
        return self

    def paginate(self, DatabaseName: str) -> Iterator[dict[str, Any]]:
        tables = [
            (key.partition(".")[2], names)
            for key, names in self.cloud.catalog.items()
            if key.startswith(f"{DatabaseName}.")
        ]
        yield {"TableList": [{"Name": name, **_storage(names)} for name, names in tables]}


def _storage(names: Any) -> dict[str, Any]:
    return {"StorageDescriptor": {"Columns": [{"Name": name} for name in names]}}


class PrincipalGlue:
    def __init__(self, cloud: Cloud, who: str) -> None:
        self.cloud, self.who = cloud, who

    def get_table(self, DatabaseName: str, Name: str) -> dict[str, Any]:
        table = f"{DatabaseName}.{Name}"
        verdicts = self.cloud.verdicts[self.who][table]
        shown = self.cloud.shown.get(
            (self.who, table), [c for c, verdict in verdicts.items() if verdict is not Verdict.DENIED]
        )
        if not shown:
            raise ClientError({"Error": {"Code": "EntityNotFoundException", "Message": "not found"}}, "GetTable")
        return {"Table": _storage(shown)}


class Athena:
    def __init__(self, cloud: Cloud, who: str) -> None:
        self.cloud, self.who = cloud, who
        self.answers: list[tuple[list[str], list[list[str]]] | str] = []

    def start_query_execution(
        self, QueryString: str, QueryExecutionContext: dict[str, str], WorkGroup: str
    ) -> dict[str, str]:
        assert QueryExecutionContext["Catalog"] == CATALOG
        assert WorkGroup.endswith(self.who.replace("/", "."))
        self.answers.append(self._answer(QueryString))
        return {"QueryExecutionId": str(len(self.answers) - 1)}

    def _answer(self, sql: str) -> tuple[list[str], list[list[str]]] | str:
        if self.who in self.cloud.broken:
            return "HIVE_METASTORE_ERROR: result location cannot be written"
        if sql == "SELECT 1":
            return ["_col0"], [["1"]]
        found = re.fullmatch(r'SELECT (.*) FROM "(\w+)"\."(\w+)"', sql)
        assert found is not None, sql
        table = f"{found[2]}.{found[3]}"
        readable = self.cloud.readable(self.who, table)
        if found[1] == "*":
            columns = self.cloud.star.get((self.who, table), readable)
        else:
            columns = found[1].replace('"', "").split(", ")
            if not set(columns) <= set(readable):
                return self.cloud.refusal
        return (columns, self._rows(table, columns)) if columns else self.cloud.refusal

    def _rows(self, table: str, columns: list[str]) -> list[list[str]]:
        source = self.cloud.sources[table]
        rows = self.cloud.rows.get(table, source.rows)
        shown = self.cloud.filtered.get((self.who, table), {})
        rows = [row for row in rows if all(row[column] in values for column, values in shown.items())]
        return [[as_athena_writes(row[c], source.column_type(c)) for c in columns] for row in rows]

    def get_query_execution(self, QueryExecutionId: str) -> dict[str, Any]:
        answer = self.answers[int(QueryExecutionId)]
        failed = isinstance(answer, str)
        return {
            "QueryExecution": {
                "Status": {"State": "FAILED", "StateChangeReason": answer} if failed else {"State": "SUCCEEDED"}
            }
        }

    def get_paginator(self, _name: str) -> Athena:
        return self

    def paginate(self, QueryExecutionId: str) -> Iterator[dict[str, Any]]:
        answer = self.answers[int(QueryExecutionId)]
        assert not isinstance(answer, str)
        columns, rows = answer
        info = {"ColumnInfo": [{"Name": name} for name in columns]}
        # As AWS: the names first, and an empty value is a cell without VarCharValue.
        data = [{"Data": [{"VarCharValue": cell} if cell else {} for cell in row]} for row in [columns, *rows]]
        for start in range(0, len(data), 100):
            yield {"ResultSet": {"ResultSetMetadata": info, "Rows": data[start : start + 100]}}


@pytest.fixture(scope="module")
def expected(sample: Declarations) -> Expected:
    return load(SAMPLE, sample)


@pytest.fixture
def cloud(sample: Declarations, expected: Expected) -> Cloud:
    return Cloud(sample, expected)


def proof(cloud: Cloud, expected: Expected) -> Proof:
    sources: dict[str, list[SourceTable]] = {}
    for key, table in cloud.sources.items():
        sources.setdefault(key.partition(".")[0], []).append(table)
    return prove(cloud.declarations, expected, cloud, sources)  # type: ignore[arg-type]


def with_verdict(expected: Expected, who: str, table: str, column: str, verdict: Verdict) -> Expected:
    tables = {**expected.verdicts[who], table: {**expected.verdicts[who][table], column: verdict}}
    return replace(expected, verdicts={**expected.verdicts, who: tables})


def test_a_cloud_that_does_what_is_expected_is_proved(cloud: Cloud, expected: Expected) -> None:
    assert proof(cloud, expected).differences == ()


@pytest.mark.parametrize(
    ("who", "table", "column", "verdict", "said"),
    [
        (ANALYST, INVOICE, "due_date", Verdict.DENIED, "due_date: expected denied, is read"),
        (ANALYST, INVOICE, "due_date", Verdict.DISCOVER, "due_date: expected discover, is read"),
        (ANALYST, INVOICE, "customer_name", Verdict.READ, "customer_name: expected read, is denied (COLUMN_NOT_FOUND"),
        (ANALYST, INVOICE, "customer_name", Verdict.DISCOVER, "customer_name: expected discover, is denied"),
        (DESK, AGING, "invoices", Verdict.DENIED, "invoices: expected denied, is discover"),
        (DESK, AGING, "invoices", Verdict.READ, "invoices: expected read, is discover"),
    ],
)
def test_one_flipped_verdict_is_the_one_difference(
    cloud: Cloud, expected: Expected, who: str, table: str, column: str, verdict: Verdict, said: str
) -> None:
    differences = proof(cloud, with_verdict(expected, who, table, column, verdict)).differences
    assert len(differences) == 1
    assert differences[0].startswith(f"{who} on {table}: {said}")


def test_a_column_that_somebody_can_read_and_should_not_is_found(cloud: Cloud, expected: Expected) -> None:
    cloud.verdicts["finance-analytics/intern"][INVOICE]["direct_debit_iban"] = Verdict.READ
    assert any("direct_debit_iban: expected denied, is read" in text for text in proof(cloud, expected).differences)


def test_a_query_that_fails_for_another_reason_is_no_denial(cloud: Cloud, expected: Expected) -> None:
    cloud.refusal = "GENERIC_INTERNAL_ERROR: the engine stumbled"
    assert any("not because it was refused" in text for text in proof(cloud, expected).differences)


def test_a_workgroup_that_does_not_work_proves_nothing(cloud: Cloud, expected: Expected) -> None:
    cloud.broken.add("finance-analytics/intern")
    cloud.refusal = "TABLE_NOT_FOUND"
    assert any("intern: SELECT 1 fails" in text for text in proof(cloud, expected).differences)


def test_a_column_that_glue_shows_although_it_is_denied_is_found(cloud: Cloud, expected: Expected) -> None:
    cloud.shown[ANALYST, INVOICE] = list(expected.tables[INVOICE])
    differences = proof(cloud, expected).differences
    assert f"{ANALYST} on {INVOICE}: customer_email: expected denied, is discover" in "\n".join(differences)


def test_a_column_that_athena_reads_although_glue_hides_it_is_found(cloud: Cloud, expected: Expected) -> None:
    cloud.shown[ANALYST, INVOICE] = ["invoice_number"]
    assert any("Athena reads it, but Glue does not show it" in text for text in proof(cloud, expected).differences)


def test_select_star_that_returns_more_or_less_is_found(cloud: Cloud, expected: Expected) -> None:
    cloud.star[ANALYST, INVOICE] = ["invoice_number"]
    (difference,) = proof(cloud, expected).differences
    assert "SELECT * should return (invoice_number, customer_number" in difference


def test_rows_that_are_not_the_producers_are_found(cloud: Cloud, expected: Expected) -> None:
    rows = cloud.sources[INVOICE].rows
    cloud.rows[INVOICE] = (*rows[1:], {**rows[0], "payment_terms": "NET0"})
    assert any(
        "payment_terms: its values are not the producer's" in text for text in proof(cloud, expected).differences
    )


def test_rows_that_are_missing_are_found(cloud: Cloud, expected: Expected) -> None:
    cloud.rows[INVOICE] = cloud.sources[INVOICE].rows[1:]
    assert any("returns 419 rows, the producer has 420" in text for text in proof(cloud, expected).differences)


@pytest.mark.parametrize(
    ("table", "columns", "said"),
    [
        (INVOICE, None, "central catalog: ar_curated.invoice is not there"),
        (INVOICE, ("invoice_number",), "central catalog: ar_curated.invoice should have"),
        ("ar_raw.surprise", ("a",), "central catalog: ar_raw.surprise is there and not in `tables`"),
    ],
)
def test_a_central_catalog_that_differs_is_found(
    cloud: Cloud, expected: Expected, table: str, columns: tuple[str, ...] | None, said: str
) -> None:
    cloud.catalog.pop(table, None)
    if columns is not None:
        cloud.catalog[table] = columns
    (difference,) = proof(cloud, expected).differences
    assert difference.startswith(said)


def test_columns_in_another_order_are_found(cloud: Cloud, expected: Expected) -> None:
    cloud.catalog[INVOICE] = tuple(reversed(expected.tables[INVOICE]))
    assert len(proof(cloud, expected).differences) == 1
