"""Tables as a query may see them: found through the caller's own catalog, with the columns it may select, and loaded.

Sources: Athena user guide, "Manage Lake Formation and Athena user permissions" and "Considerations and limitations for
querying data with Lake Formation" (lf-athena-limitations); Lake Formation developer guide, "Metadata access control".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lakemesh.access.evaluate import RowFilters
from local_aws.services import front
from local_aws.services.athena import formats
from local_aws.services.athena.sql import CATALOG, QueryError, Reference
from local_aws.services.athena.storage import Storage
from local_aws.services.athena.types import arrow_type, convert
from local_aws.services.calls import AwsError, Call, not_implemented
from local_aws.services.glue import store
from local_aws.services.identity import Identity

_VIEW = "/* Presto View: "
DEFAULT_DATABASE = "default"


@dataclass(frozen=True)
class View:
    sql: str
    schema: str


@dataclass(frozen=True)
class Source:
    """A table that a query names: `database` and `table` as it names them, `stored` where a link leads."""

    database: str
    table: str
    stored: store.Table
    selectable: frozenset[str]
    where: str
    rows: RowFilters = field(default_factory=dict)
    """Of selectable columns: where only some rows may be read."""

    @property
    def view(self) -> View | None:
        """The Presto view that Athena keeps in ViewOriginalText; None for a table. Raises QueryError."""
        if self.stored.input.get("TableType") != "VIRTUAL_VIEW":
            return None
        text = self.stored.input.get("ViewOriginalText", "")
        try:
            if not text.startswith(_VIEW):
                raise ValueError("no Presto view")  # noqa: TRY301 - one way out for all that is wrong with it
            encoded = text.removeprefix(_VIEW).strip().removesuffix("*/").strip()
            definition = json.loads(base64.b64decode(encoded, validate=True))
            return View(str(definition["originalSql"]), str(definition.get("schema") or self.database).lower())
        except (ValueError, KeyError, TypeError) as error:
            raise QueryError(
                f"INVALID_VIEW: {self.where}: View '{self.name}' is stored in a dialect that Athena lacks"
            ) from error

    def visible(self, columns: Sequence[str], loaded: str) -> str:
        """A query for what the caller may see of a loaded table: cells that no filter shows are null.

        Rows of which no cell is left are left out (Lake Formation developer guide, "data-filters-about"). Filters are
        conditions that `lakemesh.access.rowfilter` wrote.
        """
        shown = [column for column in columns if column in self.selectable]
        if not self.rows:
            return f"SELECT {', '.join(map(quoted, shown))} FROM {loaded}"  # noqa: S608 - quoted names
        cells = [f"CASE WHEN {self._shows(column)} THEN {quoted(column)} END AS {quoted(column)}" for column in shown]
        rows = " OR ".join(sorted({self._shows(column) for column in shown}))
        return f"SELECT {', '.join(cells)} FROM {loaded} WHERE {rows}"  # noqa: S608 - as said above

    def _shows(self, column: str) -> str:
        filters = self.rows.get(column)
        return "true" if filters is None else "(" + " OR ".join(f"({each})" for each in sorted(filters)) + ")"

    @property
    def name(self) -> str:
        return f"{CATALOG}.{self.database}.{self.table}"


class Catalog:
    """The Glue Data Catalog as `caller` sees it: its own account's, and through resource links others'."""

    def __init__(self, caller: Identity, region: str) -> None:
        self.caller, self.region = caller, region

    def _glue(self, operation: str, **params: Any) -> Mapping[str, Any]:
        return front.perform(Call("glue", operation, self.region, self.caller, params))

    def require_default(self) -> None:
        """Athena looks at database `default` before any other (lf-athena-limitations). Raises QueryError."""
        try:
            self._glue("GetDatabase", Name=DEFAULT_DATABASE)
        except AwsError as error:
            if error.code == "EntityNotFoundException":
                reason = f"Database {DEFAULT_DATABASE} does not exist in account {self.caller.account}."
                raise QueryError(f"Insufficient permissions to execute the query. {reason}") from error
            raise _denied(error) from error

    def find(self, reference: Reference, database: str) -> Source:
        """The table a reference names, with the columns the caller may select. Raises QueryError."""
        from local_aws.services.lakeformation import decisions

        name = reference.database or database
        try:
            found = self._glue("GetTable", DatabaseName=name, Name=reference.table)["Table"]
        except AwsError as error:
            if error.code == "EntityNotFoundException":
                raise self._missing(reference, name) from error
            raise _denied(error) from error
        owner, target = str(found["CatalogId"]), str(found["DatabaseName"])
        stored = store.catalog(owner, self.region).databases[target].tables[reference.table]
        access = decisions.table_access(self.caller, self.caller.account, self.region, name, reference.table)
        selectable = frozenset(column.lower() for column in access.selectable)
        rows = {column.lower(): filters for column, filters in access.rows.items()}
        return Source(name, reference.table, stored, selectable, reference.where, rows)

    def _missing(self, reference: Reference, database: str) -> QueryError:
        if database not in store.catalog(self.caller.account, self.region).databases:
            return QueryError(f"SCHEMA_NOT_FOUND: {reference.where}: Schema '{database}' does not exist")
        table = f"{CATALOG}.{database}.{reference.table}"
        return QueryError(f"TABLE_NOT_FOUND: {reference.where}: Table '{table}' does not exist")

    def load(self, source: Source) -> pa.Table:
        """A table's rows with its selectable columns, in the table's order. Raises QueryError.

        Where a row filter holds, every column and row: the filter may be by a column that is withheld, and whoever
        asks for the table applies `source.visible` first.
        """
        stored, storage = source.stored, Storage(self.caller, source.stored.catalog, self.region)
        parameters = stored.input.get("Parameters", {})
        if any(name.startswith("projection.") for name in parameters):
            raise not_implemented("athena", "StartQueryExecution on tables with partition projection")
        schema = _columns(stored.input.get("StorageDescriptor", {}).get("Columns", ()))
        keys = _columns(stored.input.get("PartitionKeys") or ())
        if parameters.get("table_type", "").upper() == "ICEBERG":
            from local_aws.services.athena import iceberg  # seconds to import, and few tables are

            whole = iceberg.load(storage, parameters.get("metadata_location", ""), (*schema, *keys))
        elif keys:
            parts = [_partition(storage, stored, schema, keys, found) for found in self._partitions(source)]
            empty = pa.schema([*schema, *keys]).empty_table()
            whole = pa.concat_tables([empty, *parts])
        else:
            whole = _objects(storage, stored.input.get("StorageDescriptor", {}), parameters, schema)
        if source.rows:
            return whole
        return whole.select([name for name in whole.column_names if name in source.selectable])

    def _partitions(self, source: Source) -> Iterator[Mapping[str, Any]]:
        token: dict[str, str] = {}
        while True:
            try:
                page = self._glue("GetPartitions", DatabaseName=source.database, TableName=source.table, **token)
            except AwsError as error:
                raise _denied(error) from error
            yield from page["Partitions"]
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _denied(error: AwsError) -> QueryError:
    """Lake Formation's refusals as Athena passes them on; every other one (IAM's, the catalog key's) as what it is."""
    if error.message.startswith("Insufficient Lake Formation permission"):
        return QueryError(f"Insufficient permissions to execute the query. {error.message}")
    return QueryError(f"{error.code}: {error.message}")


def _columns(given: Any) -> formats.Columns:
    return tuple((column["Name"].lower(), arrow_type(column.get("Type", "string"))) for column in given)


def _objects(
    storage: Storage, descriptor: Mapping[str, Any], parameters: Mapping[str, str], schema: formats.Columns
) -> pa.Table:
    how = formats.Format.of(descriptor, parameters)
    tables = [pa.schema(list(schema)).empty_table()]
    for name in storage.objects(descriptor.get("Location", "")):
        storage.check(name[0])
        tables.append(formats.read(name, lambda uri=name[0]: storage.read(uri), schema, how))  # type: ignore[misc]
    return pa.concat_tables(tables)


def _partition(
    storage: Storage, stored: store.Table, schema: formats.Columns, keys: formats.Columns, found: Mapping[str, Any]
) -> pa.Table:
    """One partition's rows: the files' columns, and its values as the partition keys' columns."""
    table = _objects(storage, found["StorageDescriptor"], stored.input.get("Parameters", {}), schema)
    for (name, kind), value in zip(keys, found["Values"], strict=True):
        try:
            typed = None if value == "__HIVE_DEFAULT_PARTITION__" else convert(value, kind)
        except ValueError as error:
            raise QueryError(f"HIVE_INVALID_PARTITION_VALUE: Invalid partition value '{value}' for {kind}") from error
        table = table.append_column(name, formats.array([typed] * table.num_rows, (name, kind)))
    return table
