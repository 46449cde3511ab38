"""Iceberg tables: the current snapshot, by the metadata file that Glue names; no other catalog is asked."""

from __future__ import annotations

import io
from types import TracebackType
from typing import Any

import pyarrow as pa
from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import StaticTable

from local_aws.services.athena import formats
from local_aws.services.athena.sql import QueryError
from local_aws.services.athena.storage import Storage


class _Stream(io.BytesIO):
    """Bytes as pyiceberg's InputStream."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Input(InputFile):
    def __init__(self, location: str, storage: Storage) -> None:
        super().__init__(location)
        self._storage = storage

    def __len__(self) -> int:
        return len(self._storage.read(self.location))

    def exists(self) -> bool:
        return True

    def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002 - pyiceberg's interface
        return _Stream(self._storage.read(self.location))


class IcebergFiles(FileIO):
    """pyiceberg's way to files, through a `Storage`; it never writes."""

    def __init__(self, storage: Storage) -> None:
        super().__init__()
        self._storage = storage

    def new_input(self, location: str) -> InputFile:
        return _Input(location, self._storage)

    def new_output(self, location: str) -> OutputFile:
        raise PermissionError(f"{location}: queries only read")

    def delete(self, location: Any) -> None:
        raise PermissionError(f"{location}: queries only read")


def load(storage: Storage, location: str, schema: formats.Columns) -> pa.Table:
    """The rows of the table whose metadata file is at `location`. Raises QueryError."""
    files = IcebergFiles(storage)
    storage.check(location)
    try:
        metadata = FromInputFile.table_metadata(files.new_input(location))
        table = StaticTable(("local", "table"), metadata, location, files, NoopCatalog("local"))
        return formats.cast(table.scan().to_arrow(), schema)
    except (ValueError, KeyError, NotImplementedError, pa.ArrowException) as error:
        raise QueryError(f"ICEBERG_INVALID_METADATA: {location}: {error}") from error
