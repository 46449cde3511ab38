"""The sync's only way to Glue: pages read, batches written, errors told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from botocore.exceptions import ClientError

from sync_handlers import clients, listing, pacing
from sync_handlers.batches import TRANSIENT, Failure, ItemError, TooLargeError
from sync_handlers.calling import ConflictError, DeniedError, MissingError, fail

if TYPE_CHECKING:
    from mypy_boto3_glue.client import GlueClient

# Glue API, service model of the SDK.
TABLES_PAGE = 100
PARTITIONS_PAGE = 1000
GET_PARTITIONS = 1000
CREATE_PARTITIONS = 100
UPDATE_PARTITIONS = 100
DELETE_PARTITIONS = 25

GlueValue = Mapping[str, Any]
Values = tuple[str, ...]
ROUNDS = 20
"""How often keys that BatchGetPartition left unprocessed are asked for again."""


T = TypeVar("T")
Segment = tuple[int, int]
"""Which segment of how many (Glue API, Segment)."""
__all__ = ["ConflictError", "Database", "DeniedError", "MissingError", "Reader", "Writer"]


class Reader(Protocol):
    """What the sync reads of a catalog."""

    def database(self) -> GlueValue: ...
    def tables(self) -> Iterator[GlueValue]: ...
    def table(self, name: str) -> GlueValue: ...
    def partitions(self, table: str, read: Callable[[GlueValue], T], *, columns: bool = True) -> Iterator[T]: ...
    def page(
        self, table: str, segment: Segment | None = None, token: str | None = None, *, columns: bool = True
    ) -> tuple[Sequence[GlueValue], str | None]: ...
    def get_partitions(self, table: str, values: Sequence[Values]) -> Iterator[GlueValue]: ...


class Writer(Reader, Protocol):
    """What it writes of the twin."""

    def create_table(self, table: GlueValue) -> None: ...
    def update_table(self, table: GlueValue, version: str | None) -> None: ...
    def delete_table(self, name: str) -> None: ...
    def create_partitions(self, table: str, inputs: Sequence[GlueValue]) -> list[Failure[GlueValue]]: ...
    def update_partitions(self, table: str, inputs: Sequence[GlueValue]) -> list[Failure[GlueValue]]: ...
    def delete_partitions(self, table: str, values: Sequence[Values]) -> list[Failure[Values]]: ...


@dataclass(frozen=True)
class Database:
    """One database of one catalog, through a client of whoever may read or write it."""

    client: GlueClient
    catalog: str
    name: str
    pace: pacing.Pace | None = None
    """How fast to call; None: with this account's share of this process."""

    def database(self) -> GlueValue:
        answer = self._call("GetDatabase", lambda: self.client.get_database(CatalogId=self.catalog, Name=self.name))
        return cast("GlueValue", answer["Database"])

    def tables(self) -> Iterator[GlueValue]:
        token: str | None = None
        while True:
            more: Any = {"NextToken": token} if token else {}
            answer = self._call(
                "GetTables",
                lambda more=more: self.client.get_tables(  # type: ignore[misc]
                    CatalogId=self.catalog, DatabaseName=self.name, MaxResults=TABLES_PAGE, **more
                ),
            )
            yield from answer["TableList"]
            token = answer.get("NextToken")
            if not token:
                return

    def table(self, name: str) -> GlueValue:
        answer = self._call(
            "GetTable", lambda: self.client.get_table(CatalogId=self.catalog, DatabaseName=self.name, Name=name)
        )
        return cast("GlueValue", answer["Table"])

    def partitions(self, table: str, read: Callable[[GlueValue], T], *, columns: bool = True) -> Iterator[T]:
        """What `read` makes of every partition, in no order; of a large table one may come twice (`listing`)."""

        def page(number: int | None, token: str | None) -> tuple[Sequence[GlueValue], str | None]:
            segment = None if number is None else (number, listing.SEGMENTS)
            return self.page(table, segment, token, columns=columns)

        return listing.listing(page, read)

    def page(
        self, table: str, segment: Segment | None = None, token: str | None = None, *, columns: bool = True
    ) -> tuple[Sequence[GlueValue], str | None]:
        """One page of partitions and the token of the next. `columns=False` leaves out each partition's columns and
        nothing else: for values and locations, never for a comparison (Glue API, GetPartitions,
        ExcludeColumnSchema)."""
        more: dict[str, Any] = {"NextToken": token} if token else {}
        if segment is not None:
            more["Segment"] = {"SegmentNumber": segment[0], "TotalSegments": segment[1]}
        if not columns:
            more["ExcludeColumnSchema"] = True
        answer = self._call(
            "GetPartitions",
            lambda: self.client.get_partitions(
                CatalogId=self.catalog, DatabaseName=self.name, TableName=table, MaxResults=PARTITIONS_PAGE, **more
            ),
        )
        return answer["Partitions"], answer.get("NextToken")

    def get_partitions(self, table: str, values: Sequence[Values]) -> Iterator[GlueValue]:
        """Partitions by their values, at most `GET_PARTITIONS`; those that are gone are left out."""
        asked: list[Any] = [{"Values": list(one)} for one in values]
        for _ in range(ROUNDS):
            request = asked
            answer = self._call(
                "BatchGetPartition",
                lambda request=request: self.client.batch_get_partition(  # type: ignore[misc]
                    CatalogId=self.catalog, DatabaseName=self.name, TableName=table, PartitionsToGet=request
                ),
            )
            yield from answer.get("Partitions", [])
            asked = list(answer.get("UnprocessedKeys", []))
            if not asked:
                return
        raise ConflictError(f"{len(asked)} partitions stayed unprocessed")

    def create_table(self, table: GlueValue) -> None:
        given: Any = table
        self._call(
            "CreateTable",
            lambda: self.client.create_table(CatalogId=self.catalog, DatabaseName=self.name, TableInput=given),
        )

    def update_table(self, table: GlueValue, version: str | None) -> None:
        """Compare-and-set; no version is archived: an account holds 100,000 a table, and the source keeps its own."""
        given: Any = {"TableInput": table, **({"VersionId": version} if version else {})}
        self._call(
            "UpdateTable",
            lambda: self.client.update_table(CatalogId=self.catalog, DatabaseName=self.name, SkipArchive=True, **given),
        )

    def delete_table(self, name: str) -> None:
        """The table with its partitions, which Glue removes later by itself (Glue API, DeleteTable)."""
        self._call(
            "DeleteTable",
            lambda: self.client.delete_table(CatalogId=self.catalog, DatabaseName=self.name, Name=name),
        )

    def create_partitions(self, table: str, inputs: Sequence[GlueValue]) -> list[Failure[GlueValue]]:
        given: Any = list(inputs)
        answer = self._batch(
            "BatchCreatePartition",
            lambda: self.client.batch_create_partition(
                CatalogId=self.catalog, DatabaseName=self.name, TableName=table, PartitionInputList=given
            ),
        )
        return _failures(answer, "PartitionValues", {tuple(item["Values"]): item for item in inputs})

    def update_partitions(self, table: str, inputs: Sequence[GlueValue]) -> list[Failure[GlueValue]]:
        entries: Any = [{"PartitionValueList": item["Values"], "PartitionInput": item} for item in inputs]
        answer = self._batch(
            "BatchUpdatePartition",
            lambda: self.client.batch_update_partition(
                CatalogId=self.catalog, DatabaseName=self.name, TableName=table, Entries=entries
            ),
        )
        return _failures(answer, "PartitionValueList", {tuple(item["Values"]): item for item in inputs})

    def delete_partitions(self, table: str, values: Sequence[Values]) -> list[Failure[Values]]:
        given: Any = [{"Values": list(one)} for one in values]
        answer = self._batch(
            "BatchDeletePartition",
            lambda: self.client.batch_delete_partition(
                CatalogId=self.catalog, DatabaseName=self.name, TableName=table, PartitionsToDelete=given
            ),
        )
        return _failures(answer, "PartitionValues", {one: one for one in values})

    def _paced(self, api: str, call: Callable[[], Any]) -> Any:
        return (self.pace or pacing.of(self.catalog)).run(api, call)

    def _call(self, api: str, call: Callable[[], Any]) -> Any:
        """One call; its error answer becomes MissingError, DeniedError or ConflictError, or stays what it is."""
        try:
            return self._paced(api, call)
        except ClientError as error:
            fail(error)

    def _batch(self, api: str, call: Callable[[], Any]) -> Any:
        try:
            return self._paced(api, call)
        except ClientError as error:
            if _too_large(error):
                raise TooLargeError from error
            if clients.code(error) == "EntityNotFoundException":
                # Of a whole batch: the table itself is gone.
                raise ConflictError(clients.text(error)) from error
            if clients.code(error) in TRANSIENT | _PER_ITEM:
                raise ItemError(clients.code(error), error.response["Error"].get("Message", "")) from error
            fail(error, conflicts=frozenset())


# Answers to a whole batch that one item may have caused.
_PER_ITEM = frozenset({"AlreadyExistsException", "InvalidInputException", "ValidationException"})


def _too_large(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    known = {
        "RequestEntityTooLargeException",
        "RequestTooLarge",
        "RequestTooLargeException",
        "PayloadTooLargeException",
    }
    return status == 413 or clients.code(error) in known | {"413"}


def _failures(answer: Any, key: str, items: Mapping[Values, Any]) -> list[Failure[Any]]:
    """Per-item errors; one whose values name no item of the batch counts against all of it."""
    failures: list[Failure[Any]] = []
    for error in answer.get("Errors") or []:
        detail = error.get("ErrorDetail") or {}
        code, message = detail.get("ErrorCode") or "UnknownError", detail.get("ErrorMessage") or ""
        item = items.get(tuple(error.get(key) or ()))
        if item is None:
            return [Failure(one, code, message) for one in items.values()]
        failures.append(Failure(item, code, message))
    return failures
