"""File formats: the bytes of one object as an Arrow table with the columns that Glue says.

Sources: Athena user guide, "SerDe reference" (OpenCSV, LazySimple, JSON, Parquet), "Handling schema updates" (Parquet
columns are found by name, text columns by position). A format that is not here is refused by name.
"""

from __future__ import annotations

import csv
import io
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from local_aws.services.athena.sql import QueryError
from local_aws.services.athena.types import convert
from local_aws.services.calls import not_implemented

Columns = tuple[tuple[str, pa.DataType], ...]
"""Names, lower-cased, and types, in the order of the table."""

CACHED_OBJECTS, CACHED_BYTES = 256, 4 * 1024 * 1024


@dataclass(frozen=True)
class Format:
    """How a partition's (or table's) objects are to be read."""

    serde: str
    parameters: tuple[tuple[str, str], ...]

    @staticmethod
    def of(descriptor: Mapping[str, Any], table_parameters: Mapping[str, str]) -> Format:
        """From a StorageDescriptor; table parameters hold what crawlers put there (skip.header.line.count)."""
        serde = descriptor.get("SerdeInfo", {})
        known = {**table_parameters, **descriptor.get("Parameters", {}), **serde.get("Parameters", {})}
        kept = {key: str(value) for key, value in known.items() if key in _PARAMETERS}
        return Format(serde.get("SerializationLibrary", ""), tuple(sorted(kept.items())))

    def get(self, name: str, default: str) -> str:
        return dict(self.parameters).get(name, default)


_PARAMETERS = {
    "field.delim", "serialization.format", "escape.delim", "serialization.null.format", "skip.header.line.count",
    "separatorChar", "quoteChar", "escapeChar", "ignore.malformed.json",
}  # fmt: skip


def _records(rows: Iterator[list[Any]], columns: Columns, null: Callable[[Any, pa.DataType], bool]) -> pa.Table:
    """Rows by position as a table; a row that ends early has nulls, what goes beyond is ignored."""
    arrays: list[list[Any]] = [[] for _ in columns]
    for row in rows:
        for place, (name, kind) in enumerate(columns):
            value = row[place] if place < len(row) else None
            if value is not None and null(value, kind):
                value = None
            try:
                arrays[place].append(convert(value, kind))
            except (ValueError, TypeError) as error:
                raise QueryError(f"HIVE_BAD_DATA: Error parsing column '{name}': {error}") from error
    made = [array(values, column) for values, column in zip(arrays, columns, strict=True)]
    return pa.table(made, [name for name, _ in columns])


def array(values: list[Any], column: tuple[str, pa.DataType]) -> pa.Array:
    """Converted values as a column. Raises QueryError where one is too large for its type."""
    try:
        return pa.array(values, column[1])
    except (pa.ArrowException, OverflowError) as error:
        raise QueryError(f"HIVE_BAD_DATA: Error parsing column '{column[0]}': {error}") from error


def _text(data: bytes, how: Format) -> io.StringIO:
    text = io.StringIO(data.decode("utf-8", errors="replace"), newline="")
    for _ in range(int(how.get("skip.header.line.count", "0") or 0)):
        text.readline()
    return text


def _open_csv(data: bytes, columns: Columns, how: Format) -> pa.Table:
    """Quoted CSV. An empty field is an empty string, and an error in a column that is none (page "OpenCSVSerDe")."""
    quote, escape = how.get("quoteChar", '"'), how.get("escapeChar", "\\")
    reader = csv.reader(
        _text(data, how),
        delimiter=how.get("separatorChar", ","),
        quotechar=quote[:1] or None,
        escapechar=escape[:1] if escape != quote else None,
        doublequote=True,
    )
    try:
        return _records((row for row in reader if row), columns, lambda _value, _kind: False)
    except csv.Error as error:
        raise QueryError(f"HIVE_CURSOR_ERROR: {error}") from error


def _lazy_simple(data: bytes, columns: Columns, how: Format) -> pa.Table:
    """Delimited text without quotes; `\\N` is null, and so is an empty field of a column that is no string."""
    delimiter = how.get("field.delim", how.get("serialization.format", "\x01"))
    null = how.get("serialization.null.format", "\\N")
    delimiter = "\x01" if delimiter == "1" else delimiter
    escape = how.get("escape.delim", "")

    def rows() -> Iterator[list[Any]]:
        for line in _text(data, how).read().splitlines():
            if line and escape:
                yield next(csv.reader([line], delimiter=delimiter, quoting=csv.QUOTE_NONE, escapechar=escape[0]))
            elif line:
                yield line.split(delimiter)

    return _records(rows(), columns, lambda value, kind: value == null or (not value and not pa.types.is_string(kind)))


def _json(data: bytes, columns: Columns, how: Format) -> pa.Table:
    """One JSON object a line, keys without regard to case."""

    def rows() -> Iterator[list[Any]]:
        for line in data.decode("utf-8", errors="replace").splitlines():
            if not line.strip():
                continue
            try:
                record = {key.lower(): value for key, value in json.loads(line).items()}
            except (ValueError, AttributeError, RecursionError) as error:
                if how.get("ignore.malformed.json", "false").lower() != "true":
                    raise QueryError("HIVE_CURSOR_ERROR: Row is not a valid JSON Object") from error
                record = {}
            yield [record.get(name) for name, _ in columns]

    return _records(rows(), columns, lambda _value, _kind: False)


def _parquet(data: bytes, columns: Columns, _how: Format) -> pa.Table:
    try:
        found = parquet.ParquetFile(io.BytesIO(data)).read()
    except (pa.ArrowInvalid, OSError) as error:
        raise QueryError(f"HIVE_CANNOT_OPEN_SPLIT: Not a Parquet file: {error}") from error
    return cast(found, columns)


def cast(found: pa.Table, columns: Columns) -> pa.Table:
    """A table's columns by name, in order, of the types that Glue says; one that the file lacks is null."""
    by_name = {name.lower(): place for place, name in enumerate(found.column_names)}
    arrays = []
    for name, kind in columns:
        if name not in by_name:
            arrays.append(pa.nulls(found.num_rows, kind))
            continue
        column = found.column(by_name[name])
        try:
            arrays.append(column if column.type == kind else column.cast(kind))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise QueryError(
                f"HIVE_BAD_DATA: Field {name}'s type {column.type} in parquet file is incompatible with type {kind}"
            ) from error
    return pa.table(arrays, [name for name, _ in columns])


_READERS: dict[str, Callable[[bytes, Columns, Format], pa.Table]] = {
    "org.apache.hadoop.hive.serde2.OpenCSVSerde": _open_csv,
    "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe": _lazy_simple,
    "org.openx.data.jsonserde.JsonSerDe": _json,
    "org.apache.hive.hcatalog.data.JsonSerDe": _json,
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe": _parquet,
}

_lock = threading.Lock()
_cache: OrderedDict[tuple[Any, ...], pa.Table] = OrderedDict()


def read(name: tuple[str, str], data: Callable[[], bytes], columns: Columns, how: Format) -> pa.Table:
    """An object's rows. `name` (URI, etag) tells it apart: one that was parsed before is not parsed again.

    Whether the reader may have it is asked before, each time: the cache holds what was read, not who may read.
    """
    reader = _READERS.get(how.serde)
    if reader is None:
        raise not_implemented("athena", f"StartQueryExecution on tables of SerDe {how.serde or '(none)'}")
    key = (name, columns, how)
    with _lock:
        if key in _cache:
            _cache.move_to_end(key)
            return _cache[key]
    content = data()
    table = reader(content, columns, how)
    if len(content) <= CACHED_BYTES:
        with _lock:
            _cache[key] = table
            while len(_cache) > CACHED_OBJECTS:
                _cache.popitem(last=False)
    return table
