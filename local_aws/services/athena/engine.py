"""Runs a query on DuckDB over the columns that the caller may select, and says what is wrong as Athena does.

Source: Athena user guide, "Considerations and limitations for querying data registered with Lake Formation" (a column
without permission is an error, `SELECT *` leaves it out), "Error catalog" for the names of errors.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import duckdb

from local_aws.services.athena import sql
from local_aws.services.athena.sql import CATALOG, QueryError, Statement
from local_aws.services.athena.tables import Catalog, Source, View, quoted
from local_aws.services.identity import Identity

MEMORY = "512MB"
SECONDS = 60.0
ROWS, CHARACTERS, CHUNK = 200_000, 16_000_000, 100
"""Bounds of a query here. Athena's own are far wider."""
VIEW_DEPTH = 10

_TYPES = {
    "VARCHAR": "varchar", "TINYINT": "tinyint", "SMALLINT": "smallint", "INTEGER": "integer", "BIGINT": "bigint",
    "HUGEINT": "bigint", "FLOAT": "float", "DOUBLE": "double", "BOOLEAN": "boolean", "DATE": "date",
    "BLOB": "varbinary", "TIME": "time", "INTERVAL": "interval day to second",
}  # fmt: skip
_MACROS = (
    # Presto's functions that DuckDB has under another name.
    "CREATE MACRO json_extract_scalar(j, p) AS json_extract_string(j, p)",
    "CREATE MACRO date_format(d, f) AS strftime(d, replace(replace(f, '%i', '%M'), '%s', '%S'))",
    "CREATE MACRO approx_distinct(x) AS count(DISTINCT x)",
    "CREATE MACRO arbitrary(x) AS any_value(x)",
)
_COLUMN = re.compile(r'Referenced column "(.+?)" (?:was )?not found|does not have a column named "(.+?)"')
_FUNCTION = re.compile(r"Function with name \"?(\w+)\"? (?:does not exist|is not)")


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    """Athena's name of the type, without what is inside it: "varchar", "array"."""


@dataclass
class Query:
    """One query while it runs: `run` it once; `stop` ends it from another thread."""

    caller: Identity
    region: str
    database: str
    stopped: str | None = None
    _connection: duckdb.DuckDBPyConnection | None = field(default=None, repr=False)

    def stop(self, reason: str) -> None:
        self.stopped = self.stopped or reason
        if self._connection is not None:
            self._connection.interrupt()

    def run(self, statement: Statement) -> tuple[list[Column], list[list[str | None]]]:
        """Columns and rows, values as Athena writes them (None: null). Raises QueryError or AwsError."""
        catalog = Catalog(self.caller, self.region)
        if statement.references:
            catalog.require_default()
        timer = threading.Timer(
            SECONDS, self.stop, [f"Query timeout: the local AWS ends queries after {SECONDS:.0f} s"]
        )
        timer.daemon = True
        with _connect() as connection:
            self._connection = connection
            timer.start()
            try:
                self._prepare(connection, catalog, statement, self.database, 0, set())
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {CATALOG}.{quoted(self.database)}")
                connection.execute(f"USE {CATALOG}.{quoted(self.database)}")
                connection.execute("SET lock_configuration = true")
                return self._results(connection, statement)
            finally:
                timer.cancel()
                self._connection = None

    def _prepare(
        self,
        connection: duckdb.DuckDBPyConnection,
        catalog: Catalog,
        statement: Statement,
        database: str,
        depth: int,
        made: set[tuple[str, str]],
    ) -> None:
        """Make each table and view that a statement names, holding what the caller may select of it and no more."""
        for reference in statement.references:
            name = (reference.database or database, reference.table)
            if name in made:
                continue
            made.add(name)
            if self.stopped:
                raise QueryError(self.stopped)
            source = catalog.find(reference, database)
            view = source.view
            if not source.selectable:
                raise _no_column(source, statement)
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {CATALOG}.{quoted(source.database)}")
            target = f"{CATALOG}.{quoted(source.database)}.{quoted(source.table)}"
            if view is None:
                loaded = catalog.load(source)
                connection.register("loaded", loaded)
                connection.execute(f"CREATE TABLE {target} AS {source.visible(loaded.column_names, 'loaded')}")
                connection.unregister("loaded")
            else:
                self._view(connection, catalog, source, view, depth, made)

    def _view(
        self,
        connection: duckdb.DuckDBPyConnection,
        catalog: Catalog,
        source: Source,
        view: View,
        depth: int,
        made: set[tuple[str, str]],
    ) -> None:
        """A view runs with its *reader's* permissions on its base tables (lf-athena-limitations-cross-account)."""
        if depth >= VIEW_DEPTH:
            raise QueryError(
                f"INVALID_VIEW: {source.where}: View '{source.name}' is nested too deep or refers to itself"
            )
        try:
            definition = sql.parse(view.sql)
            self._prepare(connection, catalog, definition, view.schema, depth + 1, made)
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {CATALOG}.{quoted(view.schema)}")
            connection.execute(f"USE {CATALOG}.{quoted(view.schema)}")
            target = f"{CATALOG}.{quoted(source.database)}.{quoted(source.table)}"
            with _athena_errors(definition, self):
                connection.execute(f"CREATE TABLE {target} AS {view.sql.rstrip().rstrip(';')}")
            for column in _all_columns(source) - source.selectable:
                connection.execute(f"ALTER TABLE {target} DROP COLUMN IF EXISTS {quoted(column)}")
        except QueryError as error:
            if self.stopped or str(error).startswith("INVALID_VIEW"):
                raise
            reason = f"Failed analyzing stored view '{source.name}': {error}"
            raise QueryError(f"INVALID_VIEW: {source.where}: {reason}") from error

    def _results(
        self, connection: duckdb.DuckDBPyConnection, statement: Statement
    ) -> tuple[list[Column], list[list[str | None]]]:
        if self.stopped:
            raise QueryError(self.stopped)
        with _athena_errors(statement, self):
            cursor = connection.execute(statement.text)
            described = [(str(name), str(kind)) for name, kind, *_ in cursor.description or ()]
            rows: list[list[str | None]] = []
            size = 0
            while chunk := cursor.fetchmany(CHUNK):
                texts = [[text(value) for value in row] for row in chunk]
                size += sum(len(value) for row in texts for value in row if value is not None)
                rows += texts
                if size > CHARACTERS or len(rows) > ROWS:
                    limit = f"{ROWS} rows and {CHARACTERS} characters"
                    raise QueryError(f"EXCEEDED_LOCAL_LIMIT: the local AWS returns at most {limit}")
        return [Column(name, type_name(kind)) for name, kind in described], rows


@contextlib.contextmanager
def _connect() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database in memory that can read nothing but itself: no files, no extensions, no Python variables."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "temp_directory": "",
            "python_enable_replacements": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "memory_limit": MEMORY,
            "threads": "1",
        },
    )
    try:
        connection.execute(f"ATTACH ':memory:' AS {CATALOG}")
        for statement in (
            "SET enable_external_access = false",
            "SET integer_division = true",
            "SET TimeZone = 'UTC'",
            *_MACROS,
        ):
            connection.execute(statement)
        yield connection
    finally:
        connection.close()


def _no_column(source: Source, statement: Statement) -> QueryError:
    """A table of which the caller may select nothing: as COLUMN_NOT_FOUND where a column of it is named."""
    named = [(name, where) for name, where in statement.columns.items() if name in _all_columns(source)]
    if named:
        return _column_not_found(*named[0])
    return QueryError(
        "Insufficient permissions to execute the query. "
        f"Insufficient Lake Formation permission(s): Required Select on {source.table}"
    )


def _all_columns(source: Source) -> set[str]:
    return {column.lower() for column in (*source.stored.columns, *source.stored.partition_keys)}


def _column_not_found(name: str, where: str) -> QueryError:
    return QueryError(
        f"COLUMN_NOT_FOUND: {where}: Column '{name}' cannot be resolved "
        "or requester is not authorized to access requested resources"
    )


@contextlib.contextmanager
def _athena_errors(statement: Statement, query: Query) -> Iterator[None]:
    """DuckDB's errors in Athena's words. Only the first line is passed on: the rest suggests names."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise QueryError(query.stopped or "Query cancelled") from error
    except duckdb.OutOfMemoryException as error:
        raise QueryError(f"EXCEEDED_LOCAL_MEMORY_LIMIT: the local AWS gives a query {MEMORY}") from error
    except duckdb.Error as error:
        message = str(error).splitlines()[0]
        if found := _COLUMN.search(message):
            name = str(found[1] or found[2]).lower()
            raise _column_not_found(name, statement.columns.get(name, "line 1:1")) from error
        if found := _FUNCTION.search(message):
            raise QueryError(f"FUNCTION_NOT_FOUND: Function '{found[1]}' not registered") from error
        kind = "INVALID_CAST_ARGUMENT" if isinstance(error, duckdb.ConversionException) else "SYNTAX_ERROR"
        if isinstance(error, duckdb.BinderException) and "Cannot " in message:
            kind = "TYPE_MISMATCH"
        raise QueryError(f"{kind}: {message.partition(': ')[2] or message}") from error


def type_name(kind: str) -> str:
    """Athena's name of a DuckDB type."""
    if kind.endswith("[]"):
        return "array"
    base = kind.partition("(")[0].strip().upper()
    if base.startswith("TIMESTAMP"):
        return "timestamp with time zone" if "TIME ZONE" in base else "timestamp"
    return _TYPES.get(base, {"STRUCT": "row", "MAP": "map", "DECIMAL": "decimal"}.get(base, base.lower()))


def text(value: Any) -> str | None:
    """A value as Athena writes it into results (page "Working with query results")."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_inner(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_inner, value)) + "]"
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def _inner(value: Any) -> str:
    return "null" if value is None else str(text(value))
