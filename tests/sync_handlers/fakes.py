"""Strict stand-ins for boto3 clients: they hold the SDK's own limits, answer in pages and unsorted, and fail as told.

Every call's parameters are validated by botocore against the service model, as the real client would.
"""

from __future__ import annotations

import copy
import datetime as dt
import functools
import pickle
import random
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
from botocore.exceptions import ClientError, ParamValidationError
from botocore.validate import ParamValidator

from sync_handlers.budget import Budget

CREATED = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_SESSION = botocore.session.get_session()


def error(code: str, message: str = "", status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "Operation",
    )


def budget(seconds: float = 900) -> Budget:
    return Budget(lambda: int(seconds * 1000), sleep=lambda _: None)


def _copied(value: Any) -> Any:
    """A deep copy, several times faster than `copy.deepcopy`."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 -- our own value


@functools.cache
def _division(account: str, values: tuple[str, ...]) -> int:
    return zlib.crc32(f"{account}{values}".encode())


class FakeClient:
    """Base: validation, a log of calls, and failures given per operation (`fail["create_table"] = [error, None, error]`)."""

    service = ""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.fail: dict[str, list[ClientError | None]] = defaultdict(list)
        self.before: dict[str, Callable[[dict[str, Any]], None]] = {}
        self._model = _SESSION.get_service_model(self.service)
        self._operations = {botocore.xform_name(name): name for name in self._model.operation_names}

    def _call(self, operation: str, params: dict[str, Any]) -> None:
        shape = self._model.operation_model(self._operations[operation]).input_shape
        report = ParamValidator().validate(params, shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
        self._lengths(shape, params)
        self.calls.append((operation, _copied(params)))
        if operation in self.before:
            self.before[operation](params)
        if self.fail[operation]:
            failure = self.fail[operation].pop(0)
            if failure is not None:
                raise failure

    def _lengths(self, shape: Any, value: Any) -> None:
        """Maxima of lists, which botocore leaves to the service."""
        if shape.type_name == "structure":
            for name, member in value.items():
                self._lengths(shape.members[name], member)
        elif shape.type_name == "list":
            most = shape.metadata.get("max")
            if most is not None and len(value) > most:
                raise error("ValidationException", f"{shape.name}: {len(value)} > {most}")
            for item in value:
                self._lengths(shape.member, item)

    def count(self, *operations: str) -> int:
        return sum(1 for name, _ in self.calls if name in operations)

    @property
    def writes(self) -> list[str]:
        return [name for name, _ in self.calls if not name.startswith(("get_", "batch_get_", "describe_", "list_"))]


class FakeGlue(FakeClient):
    """Databases, tables and partitions of one account."""

    service = "glue"

    def __init__(self, account: str, *databases: str, page: int = 1000, seed: int = 7) -> None:
        super().__init__()
        self.account = account
        self.databases: dict[str, dict[str, Any]] = {
            name: {"Name": name, "CreateTableDefaultPermissions": []} for name in databases
        }
        self.tables: dict[tuple[str, str], dict[str, Any]] = {}
        self.parts: dict[tuple[str, str], dict[tuple[str, ...], dict[str, Any]]] = defaultdict(dict)
        self.page = page
        self.too_large_over: int | None = None
        self.unprocessed: int = 0
        self.bad: dict[tuple[str, ...], list[str]] = {}
        """Error codes that the batch calls answer for a partition, one a call."""
        self.random = random.Random(seed)  # noqa: S311
        self.era, self.expired = "0", set[str]()
        """What tokens are marked with, and the marks that are no longer taken."""

    # ------------------------------------------------------------------------------------------- for the test
    def put(self, database: str, table: dict[str, Any], *, created: dt.datetime = CREATED, version: str = "0") -> None:
        """A table as its owner has it."""
        self.tables[database, table["Name"]] = {
            **copy.deepcopy(table), "DatabaseName": database, "CatalogId": self.account, "CreateTime": created,
            "UpdateTime": created, "CreatedBy": "arn:aws:iam::1:role/x", "VersionId": version,
            "IsRegisteredWithLakeFormation": True,
        }  # fmt: skip

    def put_partitions(self, database: str, table: str, *partitions: dict[str, Any]) -> None:
        for partition in partitions:
            self.parts[database, table][tuple(partition["Values"])] = {
                **_copied(partition), "DatabaseName": database, "TableName": table, "CreationTime": CREATED,
                "CatalogId": self.account,
            }  # fmt: skip

    # ------------------------------------------------------------------------------------------------ the API
    def get_database(self, **params: Any) -> dict[str, Any]:
        self._call("get_database", params)
        if params["Name"] not in self.databases:
            raise error("EntityNotFoundException", f"Database {params['Name']} not found.")
        return {"Database": copy.deepcopy(self.databases[params["Name"]])}

    def create_database(self, **params: Any) -> dict[str, Any]:
        self._call("create_database", params)
        name = params["DatabaseInput"]["Name"]
        if name in self.databases:
            raise error("AlreadyExistsException", "Database already exists.")
        self.databases[name] = dict(params["DatabaseInput"])
        return {}

    def get_tables(self, **params: Any) -> dict[str, Any]:
        self._call("get_tables", params)
        tables = [table for (database, _), table in sorted(self.tables.items()) if database == params["DatabaseName"]]
        return self._page("TableList", tables, params)

    def get_table(self, **params: Any) -> dict[str, Any]:
        self._call("get_table", params)
        return {"Table": copy.deepcopy(self._table(params["DatabaseName"], params["Name"]))}

    def create_table(self, **params: Any) -> dict[str, Any]:
        self._call("create_table", params)
        key = params["DatabaseName"], params["TableInput"]["Name"]
        if key in self.tables:
            raise error("AlreadyExistsException", "Table already exists.")
        self.put(key[0], params["TableInput"], created=CREATED + dt.timedelta(hours=1))
        return {}

    def update_table(self, **params: Any) -> dict[str, Any]:
        self._call("update_table", params)
        assert params["SkipArchive"] is True, "each archived version counts against 100,000"
        database, name = params["DatabaseName"], params["TableInput"]["Name"]
        table = self._table(database, name)
        if params["VersionId"] != table["VersionId"]:
            raise error("ConcurrentModificationException", "Update table failed due to concurrent modifications.")
        version = str(int(table["VersionId"]) + 1)
        self.put(database, params["TableInput"], created=table["CreateTime"], version=version)
        return {}

    def delete_table(self, **params: Any) -> dict[str, Any]:
        self._call("delete_table", params)
        key = params["DatabaseName"], params["Name"]
        self._table(*key)
        del self.tables[key]
        self.parts.pop(key, None)
        return {}

    def get_partitions(self, **params: Any) -> dict[str, Any]:
        self._call("get_partitions", params)
        key = params["DatabaseName"], params["TableName"]
        self._table(*key)
        partitions = list(self.parts[key].values())
        segment = params.get("Segment")
        if segment is not None:
            # How Glue divides is not documented: each account has a way of its own here.
            number, total = segment["SegmentNumber"], segment["TotalSegments"]
            partitions = [
                one for values, one in self.parts[key].items() if _division(self.account, values) % total == number
            ]
        random.Random(1).shuffle(partitions)  # noqa: S311 -- Glue promises no order
        if params.get("NextToken", "").partition(":")[2] in self.expired:
            raise error("InvalidInputException", "The token is no longer valid.")
        answer = self._page("Partitions", partitions, params)
        if params.get("ExcludeColumnSchema"):
            for one in answer["Partitions"]:
                one.get("StorageDescriptor", {}).pop("Columns", None)
        return answer

    def batch_get_partition(self, **params: Any) -> dict[str, Any]:
        self._call("batch_get_partition", params)
        asked = [tuple(item["Values"]) for item in params["PartitionsToGet"]]
        later = asked[len(asked) - self.unprocessed :] if self.unprocessed else []
        self.unprocessed = 0
        store = self.parts[params["DatabaseName"], params["TableName"]]
        found = _copied([store[values] for values in asked if values in store and values not in later])
        return {"Partitions": found, "UnprocessedKeys": [{"Values": list(values)} for values in later]}

    def batch_create_partition(self, **params: Any) -> dict[str, Any]:
        self._call("batch_create_partition", params)
        inputs = params["PartitionInputList"]
        self._size(inputs)
        key = params["DatabaseName"], params["TableName"]
        errors = []
        for item in inputs:
            values = tuple(item["Values"])
            code = self._bad(values) or ("AlreadyExistsException" if values in self.parts[key] else None)
            if code:
                errors.append(
                    {"PartitionValues": list(values), "ErrorDetail": {"ErrorCode": code, "ErrorMessage": "no"}}
                )
            else:
                self.put_partitions(*key, item)
        return {"Errors": errors}

    def batch_update_partition(self, **params: Any) -> dict[str, Any]:
        self._call("batch_update_partition", params)
        self._size(params["Entries"])
        key = params["DatabaseName"], params["TableName"]
        errors = []
        for entry in params["Entries"]:
            values = tuple(entry["PartitionValueList"])
            code = self._bad(values) or ("EntityNotFoundException" if values not in self.parts[key] else None)
            if code:
                detail = {"ErrorCode": code, "ErrorMessage": "no"}
                errors.append({"PartitionValueList": list(values), "ErrorDetail": detail})
            else:
                self.put_partitions(*key, entry["PartitionInput"])
        return {"Errors": errors}

    def batch_delete_partition(self, **params: Any) -> dict[str, Any]:
        self._call("batch_delete_partition", params)
        key = params["DatabaseName"], params["TableName"]
        errors = []
        for item in params["PartitionsToDelete"]:
            values = tuple(item["Values"])
            code = self._bad(values) or ("EntityNotFoundException" if values not in self.parts[key] else None)
            if code:
                errors.append({"PartitionValues": list(values), "ErrorDetail": {"ErrorCode": code}})
            else:
                del self.parts[key][values]
        return {"Errors": errors}

    # ------------------------------------------------------------------------------------------------ helpers
    def _table(self, database: str, name: str) -> dict[str, Any]:
        if (database, name) not in self.tables:
            raise error("EntityNotFoundException", f"Table {name} not found.")
        return self.tables[database, name]

    def _page(self, key: str, items: list[Any], params: dict[str, Any]) -> dict[str, Any]:
        size = min(self.page, params["MaxResults"])
        start = int(params.get("NextToken", "0").partition(":")[0])
        answer: dict[str, Any] = {key: _copied(items[start : start + size])}
        if start + size < len(items):
            answer["NextToken"] = f"{start + size}:{self.era}"
        return answer

    def _size(self, items: list[Any]) -> None:
        if self.too_large_over is not None and len(items) > self.too_large_over:
            raise error("RequestEntityTooLargeException", "too large", 413)

    def _bad(self, values: tuple[str, ...]) -> str | None:
        codes = self.bad.get(values)
        return codes.pop(0) if codes else None


class FakeLakeFormation(FakeClient):
    """LF-Tags set directly on tables and columns of one catalog."""

    service = "lakeformation"

    def __init__(self) -> None:
        super().__init__()
        self.table_tags: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        self.column_tags: dict[tuple[str, str], dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
        self.failures: list[list[dict[str, Any]]] = []
        self.stale_reads = 0
        """How many of the next reads answer what was there before (tags take a moment to show)."""
        self._before: dict[tuple[str, str], tuple[dict[str, str], dict[str, dict[str, str]]]] = {}

    def get_resource_lf_tags(self, **params: Any) -> dict[str, Any]:
        self._call("get_resource_lf_tags", params)
        assert params["ShowAssignedLFTags"] is True, "inherited tags would be taken for the column's own"
        ((kind, resource),) = params["Resource"].items()
        key = resource["DatabaseName"], resource["Name"]
        table, columns = self.table_tags[key], self.column_tags[key]
        if self.stale_reads and key in self._before:
            self.stale_reads -= 1
            table, columns = self._before[key]
        if kind == "Table":
            return {"LFTagsOnTable": _tags(table)} if table else {}
        named = [
            {"Name": name, "LFTags": _tags(columns[name])} for name in resource["ColumnNames"] if columns.get(name)
        ]
        return {"LFTagsOnColumns": named} if named else {}

    def add_lf_tags_to_resource(self, **params: Any) -> dict[str, Any]:
        return self._change("add_lf_tags_to_resource", params, lambda tags, key, value: tags.update({key: value}))

    def remove_lf_tags_from_resource(self, **params: Any) -> dict[str, Any]:
        return self._change("remove_lf_tags_from_resource", params, lambda tags, key, value: tags.pop(key, None))

    def _change(self, operation: str, params: dict[str, Any], change: Any) -> dict[str, Any]:
        self._call(operation, params)
        ((kind, resource),) = params["Resource"].items()
        key = resource["DatabaseName"], resource["Name"]
        self._before[key] = copy.deepcopy((dict(self.table_tags[key]), dict(self.column_tags[key])))
        failures = self.failures.pop(0) if self.failures else []
        failed = {failure["LFTag"]["TagKey"] for failure in failures}
        for tag in params["LFTags"]:
            if tag["TagKey"] in failed:
                continue
            for target in self._targets(kind, key, resource):
                change(target, tag["TagKey"], tag["TagValues"][0])
        return {"Failures": failures}

    def _targets(self, kind: str, key: tuple[str, str], resource: dict[str, Any]) -> Iterator[dict[str, str]]:
        if kind == "Table":
            yield self.table_tags[key]
        else:
            yield from (self.column_tags[key][name] for name in resource["ColumnNames"])


def _tags(tags: dict[str, str]) -> list[dict[str, Any]]:
    return [{"CatalogId": "1", "TagKey": key, "TagValues": [value]} for key, value in tags.items()]
