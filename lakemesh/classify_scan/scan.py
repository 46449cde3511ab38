"""One producer's tables, a bounded look at each: what goes into `lakemesh.review.recommend` as samples."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from lakemesh.classify_scan import rows as reading
from lakemesh.classify_scan.objects import Budget, BudgetError, Object, UnreadableError, listed, spread
from lakemesh.onboard.account import Account
from lakemesh.onboard.errors import OnboardError
from lakemesh.onboard.facts import TableKind
from lakemesh.onboard.formats import table_facts

if TYPE_CHECKING:
    from lakemesh.declarations.models import Declarations, Table

FILES: Final = 3
"""Objects of one table that are looked into."""
ACTIONS: Final = ("glue:GetTable", "kms:Decrypt", "s3:GetObject", "s3:ListBucket")
"""What the scan's credentials may have to do; kms:Decrypt where objects or the catalog are encrypted."""


class Named(Protocol):
    """Something with a name."""

    @property
    def name(self) -> str: ...


class Wanted(Named, Protocol):
    """A table to look at, in the producer's own names: a contract's, or what a function was told."""

    @property
    def database(self) -> str: ...
    @property
    def key(self) -> str:
        """`twin.table`."""

    @property
    def columns(self) -> Sequence[Named]:
        """Columns whose values are wanted."""


@dataclass(frozen=True)
class Limits:
    rows: int = 200
    bytes: int = 8_000_000
    """Of one table, metadata included."""


@dataclass
class Looked:
    """What was looked at. `samples` holds values and never leaves the process."""

    samples: dict[tuple[str, str], Mapping[str, Sequence[object]]] = field(default_factory=dict, repr=False)
    notes: dict[str, str] = field(default_factory=dict)
    """Tables that were not (wholly) looked at, and why: judged by their metadata alone."""
    bytes: int = 0


def due(declarations: Declarations, producer: str, patterns: Sequence[str]) -> Iterator[tuple[str, Table]]:
    """The producer's tables in which a column is unreviewed, with their products."""
    for product in declarations.products.values():
        for table in product.tables:
            names = (table.name, f"{table.database}.{table.name}", table.key)
            asked = not patterns or any(fnmatch.fnmatchcase(name, one) for name in names for one in patterns)
            if table.producer == producer and asked and any(one.sensitivity is None for one in table.columns):
                yield product.name, table


def scan(
    account: Account,
    tables: Sequence[tuple[str, Wanted]],
    limits: Limits,
    progress: Callable[[int, str], None] = lambda _number, _table: None,
) -> Looked:
    """Look at each table. Raises MissingPermissionsError with everything that was denied, OnboardError on failure."""
    looked = Looked()
    for number, (product, table) in enumerate(tables):
        progress(number, f"{table.database}.{table.name}")
        budget = Budget(limits.bytes)
        name = f"{table.database}.{table.name}"
        try:
            values = _values(account, table, limits.rows, budget)
            if values:
                looked.samples[product, table.key] = values
            else:
                looked.notes[name] = "no rows were found"
        except UnreadableError as error:
            looked.notes[name] = str(error)
        except BudgetError:
            looked.notes[name] = f"more than {limits.bytes:,} bytes would have to be read"
        except (OnboardError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - files hold anything, and readers' messages quote it
            looked.notes[name] = f"a file is not what the catalog says ({type(error).__name__})"
        looked.bytes += budget.used
    account.complete()
    return looked


def _values(account: Account, table: Wanted, rows: int, budget: Budget) -> reading.Values:
    """Values of the declared columns."""
    answer = account.read(
        "glue", "GetTable", f"table {table.database}.{table.name}",
        absent=("EntityNotFoundException",), DatabaseName=table.database, Name=table.name,
    )  # fmt: skip
    if answer is None:
        raise UnreadableError("the catalog does not show it to these credentials")
    given: Mapping[str, Any] = answer["Table"]
    facts = table_facts(table.database, given)
    if facts.kind is not TableKind.TABLE:
        raise UnreadableError(f"a {facts.kind} has no files of its own")
    if facts.format == "iceberg":
        found = _iceberg(account, given, rows, budget)
    else:
        found = _files(account, given, facts.format, rows, budget)
    declared = {column.name for column in table.columns}
    return {name: column for name, column in found.items() if name in declared}


def _iceberg(account: Account, given: Mapping[str, Any], rows: int, budget: Budget) -> reading.Values:
    parameters = {str(key).lower(): str(value) for key, value in (given.get("Parameters") or {}).items()}
    location = parameters.get("metadata_location")
    if not location:
        raise UnreadableError("the catalog does not say where its Iceberg metadata is")
    try:
        from lakemesh.classify_scan import iceberg  # noqa: PLC0415 - no public layer of Lambda brings pyiceberg
    except ImportError:
        # Its Parquet files as they lie there, those of older snapshots too: for telling what columns hold, that does.
        return _files(account, {**given, "StorageDescriptor": _data_of(given)}, "parquet", rows, budget)
    objects, names = iceberg.files(account, location, budget, FILES)
    each = -(-rows // max(1, len(objects)))
    return reading.joined([reading.parquet(account, one, each, budget, names) for one in objects], rows)


def _data_of(given: Mapping[str, Any]) -> dict[str, Any]:
    descriptor = dict(given.get("StorageDescriptor") or {})
    return {**descriptor, "Location": f"{str(descriptor.get('Location') or '').rstrip('/')}/data/"}


def _files(account: Account, given: Mapping[str, Any], form: str, rows: int, budget: Budget) -> reading.Values:
    descriptor = given.get("StorageDescriptor") or {}
    serde = descriptor.get("SerdeInfo") or {}
    keys = [str(one["Name"]).lower() for one in given.get("PartitionKeys") or ()]
    layout = reading.Layout(
        columns=tuple(str(one["Name"]).lower() for one in descriptor.get("Columns") or ()),
        parameters={**(given.get("Parameters") or {}), **(serde.get("Parameters") or {})},
        open_csv="opencsv" in str(serde.get("SerializationLibrary") or "").lower(),
    )

    def read(what: Object, most: int) -> reading.Values:
        match form:
            case "parquet":
                return reading.parquet(account, what, most, budget)
            case "csv":
                return reading.csv(account, what, most, budget, layout)
            case "json":
                return reading.json_lines(account, what, most, budget, layout)
        raise UnreadableError(f"{form or 'its format'} is not read (Parquet, CSV, JSON lines and Iceberg are)")

    objects = list(spread(listed(account, str(descriptor.get("Location") or "")), FILES))
    each = -(-rows // max(1, len(objects)))
    every = []
    for what in objects:
        values = read(what, each)
        path = reading.partition_values(what.key)
        size = max((len(column) for column in values.values()), default=0)
        every.append({**values, **{key: [path[key]] * size for key in keys if key in path}})
    return reading.joined(every, rows)
