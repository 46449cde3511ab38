"""Which data files the current snapshot of an Iceberg table has, read through pyiceberg within the table's bytes."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile
from pyiceberg.manifest import DataFileContent, FileFormat, ManifestContent
from pyiceberg.serializers import FromInputFile

from lakemesh.classify_scan.objects import Budget, Object, RangeFile, UnreadableError, sized
from lakemesh.onboard.account import Account


def files(account: Account, metadata_location: str, budget: Budget, most: int) -> tuple[list[Object], dict[int, str]]:
    """A few Parquet files of the current snapshot, and the names of the table's columns by field id."""
    reading = _ReadOnly(account, budget)
    metadata = FromInputFile.table_metadata(reading.new_input(metadata_location))
    names = {one.field_id: one.name.lower() for one in metadata.schema().fields}
    snapshot = metadata.current_snapshot()
    found: list[Object] = []
    for manifest in snapshot.manifests(reading) if snapshot is not None else ():
        if manifest.content is not ManifestContent.DATA:
            continue
        for entry in manifest.fetch_manifest_entry(reading):
            file = entry.data_file
            if file.content is not DataFileContent.DATA:
                continue
            if file.file_format is not FileFormat.PARQUET:
                raise UnreadableError(f"its data files are {str(file.file_format.value).lower()}, not Parquet")
            found.append(sized(account, file.file_path))
            if len(found) >= most:
                return found, names
    return found, names


class _Input(InputFile):
    def __init__(self, location: str, account: Account, budget: Budget) -> None:
        super().__init__(location)
        self._account, self._budget = account, budget

    def __len__(self) -> int:
        return sized(self._account, self.location).size

    def exists(self) -> bool:
        return True

    def open(self, seekable: bool = True) -> InputStream:
        del seekable
        return _Stream(self._account, sized(self._account, self.location), self._budget)


class _Stream(RangeFile):
    """RangeFile in the shape of pyiceberg's protocol."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _ReadOnly(FileIO):
    """pyiceberg's way to files: through the scan's own credentials and bytes."""

    def __init__(self, account: Account, budget: Budget) -> None:
        super().__init__()
        self._account, self._budget = account, budget

    def new_input(self, location: str) -> InputFile:
        return _Input(location, self._account, self._budget)

    def new_output(self, location: str) -> OutputFile:
        raise PermissionError(f"the scan writes nothing, not even {location}")

    def delete(self, location: str | InputFile | OutputFile) -> None:
        raise PermissionError(f"the scan deletes nothing, not even {location}")
