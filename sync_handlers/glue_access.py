"""The sync's only way to Glue: pages read, batches written, errors told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from botocore.exceptions import ClientError

from sync_handlers import clients
from sync_handlers.batches import TRANSIENT, Failure, ItemError, TooLargeError

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


class MissingError(Exception):
    """The service says that the object does not exist."""


class DeniedError(Exception):
    """The service refuses; the object may or may not exist."""


class ConflictError(Exception):
    """The object is no longer what was compared: read again, plan again."""


class Reader(Protocol):
    """What the sync reads of a catalog."""

    def database(self) -> GlueValue: ...
    def tables(self) -> Iterator[GlueValue]: ...
    def table(self, name: str) -> GlueValue: ...
    def partitions(self, table: str) -> Iterator[GlueValue]: ...
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

    def database(self) -> GlueValue:
        answer = _call(lambda: self.client.get_database(CatalogId=self.catalog, Name=self.name))
        return cast("GlueValue", answer["Database"])

    def tables(self) -> Iterator[GlueValue]:
        def page(token: str | None) -> tuple[Iterable[GlueValue], str | None]:
            answer: Any = self.client.get_tables(
                CatalogId=self.catalog, DatabaseName=self.name, MaxResults=TABLES_PAGE, **_token(token)
            )
            return answer["TableList"], answer.get("NextToken")

        return _paged(page)

    def table(self, name: str) -> GlueValue:
        answer = _call(lambda: self.client.get_table(CatalogId=self.catalog, DatabaseName=self.name, Name=name))
        return cast("GlueValue", answer["Table"])

    def partitions(self, table: str) -> Iterator[GlueValue]:
        def page(token: str | None) -> tuple[Iterable[GlueValue], str | None]:
            answer: Any = self.client.get_partitions(
                CatalogId=self.catalog,
                DatabaseName=self.name,
                TableName=table,
                MaxResults=PARTITIONS_PAGE,
                **_token(token),
            )
            return answer["Partitions"], answer.get("NextToken")

        return _paged(page)

    def get_partitions(self, table: str, values: Sequence[Values]) -> Iterator[GlueValue]:
        """Partitions by their values, at most `GET_PARTITIONS`; those that are gone are left out."""
        asked: list[Any] = [{"Values": list(one)} for one in values]
        for _ in range(ROUNDS):
            request = asked
            answer = _call(
                lambda request=request: self.client.batch_get_partition(  # type: ignore[misc]
                    CatalogId=self.catalog, DatabaseName=self.name, TableName=table, PartitionsToGet=request
                )
            )
            yield from answer.get("Partitions", [])
            asked = list(answer.get("UnprocessedKeys", []))
            if not asked:
                return
        raise ConflictError(f"{len(asked)} partitions stayed unprocessed")

    def create_table(self, table: GlueValue) -> None:
        given: Any = table
        _call(lambda: self.client.create_table(CatalogId=self.catalog, DatabaseName=self.name, TableInput=given))

    def update_table(self, table: GlueValue, version: str | None) -> None:
        """Compare-and-set; no version is archived: an account holds 100,000 a table, and the source keeps its own."""
        given: Any = {"TableInput": table, **({"VersionId": version} if version else {})}
        _call(
            lambda: self.client.update_table(CatalogId=self.catalog, DatabaseName=self.name, SkipArchive=True, **given)
        )

    def delete_table(self, name: str) -> None:
        """The table with its partitions, which Glue removes later by itself (Glue API, DeleteTable)."""
        _call(lambda: self.client.delete_table(CatalogId=self.catalog, DatabaseName=self.name, Name=name))

    def create_partitions(self, table: str, inputs: Sequence[GlueValue]) -> list[Failure[GlueValue]]:
        given: Any = list(inputs)
        answer = _batch(
            lambda: self.client.batch_create_partition(
                CatalogId=self.catalog, DatabaseName=self.name, TableName=table, PartitionInputList=given
            )
        )
        return _failures(answer, "PartitionValues", {tuple(item["Values"]): item for item in inputs})

    def update_partitions(self, table: str, inputs: Sequence[GlueValue]) -> list[Failure[GlueValue]]:
        entries: Any = [{"PartitionValueList": item["Values"], "PartitionInput": item} for item in inputs]
        answer = _batch(
            lambda: self.client.batch_update_partition(
                CatalogId=self.catalog, DatabaseName=self.name, TableName=table, Entries=entries
            )
        )
        return _failures(answer, "PartitionValueList", {tuple(item["Values"]): item for item in inputs})

    def delete_partitions(self, table: str, values: Sequence[Values]) -> list[Failure[Values]]:
        given: Any = [{"Values": list(one)} for one in values]
        answer = _batch(
            lambda: self.client.batch_delete_partition(
                CatalogId=self.catalog, DatabaseName=self.name, TableName=table, PartitionsToDelete=given
            )
        )
        return _failures(answer, "PartitionValues", {one: one for one in values})


def _token(token: str | None) -> Any:
    return {"NextToken": token} if token else {}


def _paged(page: Callable[[str | None], tuple[Iterable[GlueValue], str | None]]) -> Iterator[GlueValue]:
    token: str | None = None
    while True:
        items, token = _call(lambda after=token: page(after))  # type: ignore[misc]
        yield from items
        if not token:
            return


def _call(call: Callable[[], Any]) -> Any:
    """Run one call; its error answer becomes MissingError, DeniedError or ConflictError, or stays what it is."""
    try:
        return call()
    except ClientError as error:
        code = clients.code(error)
        if code == "EntityNotFoundException":
            raise MissingError(clients.text(error)) from error
        if clients.denied(error):
            raise DeniedError(clients.text(error)) from error
        if code in {"ConcurrentModificationException", "AlreadyExistsException"}:
            raise ConflictError(clients.text(error)) from error
        raise


def _batch(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except ClientError as error:
        if _too_large(error):
            raise TooLargeError from error
        if clients.code(error) == "EntityNotFoundException":
            # Of a whole batch: the table itself is gone.
            raise ConflictError(clients.text(error)) from error
        if clients.code(error) in TRANSIENT | _PER_ITEM:
            raise ItemError(clients.code(error), error.response["Error"].get("Message", "")) from error
        if clients.denied(error):
            raise DeniedError(clients.text(error)) from error
        raise


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
