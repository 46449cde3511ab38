"""The first rows of one object, by its format. What an object holds decides nothing but values: junk is skipped."""

from __future__ import annotations

import io
import json
import urllib.parse
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as arrow
import pyarrow.parquet as pq

from lakemesh.classify_scan.objects import Budget, BudgetError, Object, RangeFile, UnreadableError, ranged
from lakemesh.onboard.account import Account

Values = dict[str, list[Any]]
TEXT_BYTES: Final = 1_000_000
"""Of a text file, from its beginning."""
UNPACKED_BYTES: Final = 4_000_000
_PAGE: Final = 65_536
_COLUMNS: Final = 2000
_PACKED: Final = (".bz2", ".snappy", ".zst", ".lz4", ".zip", ".xz", ".deflate")
_OPEN_CSV: Final = {"separatorChar": ",", "quoteChar": '"', "escapeChar": "\\"}


@dataclass(frozen=True)
class Layout:
    """What Glue says of how a table's text files are to be read."""

    columns: tuple[str, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of the table and its SerDe."""
    open_csv: bool = False

    @property
    def header_lines(self) -> int:
        given = self.parameters.get("skip.header.line.count", "0")
        return min(int(given), 1000) if given.isdigit() else 0


def parquet(
    account: Account, what: Object, rows: int, budget: Budget, names: Mapping[int, str] | None = None
) -> Values:
    """The first rows; `names` by field id, where the table (Iceberg) has other names than its files."""
    # Page by page: a row group may be larger than everything that may be read.
    file = pq.ParquetFile(RangeFile(account, what, budget), buffer_size=_PAGE, pre_buffer=False)
    found: Values = {}
    for schema in list(file.schema_arrow)[:_COLUMNS]:
        name = schema.name.lower()
        if names is not None:
            number = (schema.metadata or {}).get(b"PARQUET:field_id", b"")
            name = names.get(int(number), "") if number.isdigit() else ""
        if not name:
            continue
        try:
            batch = next(file.iter_batches(batch_size=rows, columns=[schema.name], use_threads=False), None)
        except BudgetError:
            break
        found[name] = [] if batch is None or not batch.num_columns else batch.column(0).to_pylist()
    return found


def csv(account: Account, what: Object, rows: int, budget: Budget, layout: Layout) -> Values:
    """The first rows, columns by their position, as Hive reads them."""
    data = _text(account, what, budget)
    given = layout.parameters
    if layout.open_csv:
        delimiter, quote, escape = (given.get(key, default) for key, default in _OPEN_CSV.items())
    else:
        delimiter = given.get("field.delim") or given.get("serialization.format") or "\x01"
        quote, escape = "", given.get("escape.delim", "")
    if len(delimiter) != 1 or ord(delimiter) > 127:
        raise UnreadableError("its delimiter is not one character")
    table = arrow.read_csv(
        io.BytesIO(data),
        read_options=arrow.ReadOptions(
            autogenerate_column_names=True, skip_rows=layout.header_lines, use_threads=False, block_size=2 * TEXT_BYTES
        ),
        parse_options=arrow.ParseOptions(
            delimiter=delimiter,
            quote_char=quote or False,
            escape_char=escape or False,
            newlines_in_values=bool(quote),
            invalid_row_handler=lambda _: "skip",
        ),
        # Bytes, so that no encoding stops the reading.
        convert_options=arrow.ConvertOptions(column_types={f"f{at}": pa.binary() for at in range(_COLUMNS)}),
    )
    head = table.slice(0, rows)
    pairs = zip(layout.columns, range(head.num_columns), strict=False)
    return {name: head.column(position).to_pylist() for name, position in pairs}


def json_lines(account: Account, what: Object, rows: int, budget: Budget, layout: Layout) -> Values:
    """The first rows. Line by line: the types of a key may differ, which Arrow refuses."""
    found: Values = {name: [] for name in layout.columns}
    read = 0
    for line in _text(account, what, budget).splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(row, dict):
            continue
        lower = {str(key).lower(): value for key, value in row.items()}
        for name in layout.columns:
            found[name].append(lower.get(name))
        read += 1
        if read >= rows:
            break
    return found


def _text(account: Account, what: Object, budget: Budget) -> bytes:
    """Whole lines from the beginning of a text file."""
    if what.key.lower().endswith(_PACKED):
        raise UnreadableError("its files are packed in a way that the scan does not unpack (only gzip)")
    size = min(TEXT_BYTES, budget.left)
    data = ranged(account, what, 0, size, budget)
    whole = len(data) >= what.size
    if what.key.lower().endswith(".gz") or data[:2] == b"\x1f\x8b":
        unpacking = zlib.decompressobj(wbits=31)
        data = unpacking.decompress(data, UNPACKED_BYTES)
        whole = unpacking.eof
    return data if whole else data[: data.rfind(b"\n") + 1]


def partition_values(key: str) -> dict[str, str]:
    """Values of partition keys as Hive writes them into paths."""
    parts = (part.partition("=") for part in key.split("/")[:-1])
    return {name.lower(): urllib.parse.unquote(value) for name, found, value in parts if found}


def joined(every: Sequence[Values], rows: int) -> Values:
    """The values of several files, column by column."""
    found: Values = {}
    for values in every:
        for name, column in values.items():
            found.setdefault(name, []).extend(column)
    return {
        name: column[:rows] if len(column) <= rows else column[:: -(-len(column) // rows)]
        for name, column in found.items()
    }
