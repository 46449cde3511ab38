"""The sample's Iceberg table, written as an engine of the producer would: by pyiceberg, through Glue, into S3."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream
from pyiceberg.typedef import EMPTY_DICT, Properties

from lakemesh.demo.files import arrow_table
from lakemesh.demo.tables import SourceTable

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client


def write(table: SourceTable, location: str, glue: GlueClient, s3: S3Client) -> None:
    """Create the table and append its rows in two commits, so that it has a history as real tables have."""
    catalog = _Catalog(glue, s3)
    rows = arrow_table(table.columns, table.rows)
    created = catalog.create_table((table.database, table.name), rows.schema, location=location.rstrip("/"))
    half = len(table.rows) // 2
    created.append(rows.slice(0, half))
    created.append(rows.slice(half))


class _Catalog(GlueCatalog):
    """pyiceberg's own Glue catalog over clients that exist already, which know the endpoint and the credentials."""

    def __init__(self, glue: GlueClient, s3: S3Client) -> None:
        super().__init__("producer", client=glue)
        self._s3 = s3

    def _load_file_io(self, properties: Properties = EMPTY_DICT, location: str | None = None) -> FileIO:  # noqa: ARG002 - pyiceberg's signature
        return S3Files(self._s3)


class S3Files(FileIO):
    """Files of `s3://` URIs through a boto3 client; pyiceberg's own would need a second SDK set up."""

    def __init__(self, s3: S3Client) -> None:
        super().__init__(EMPTY_DICT)
        self._s3 = s3

    def new_input(self, location: str) -> InputFile:
        return _S3File(self._s3, location)

    def new_output(self, location: str) -> OutputFile:
        return _S3File(self._s3, location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        place = location if isinstance(location, str) else location.location
        bucket, key = split(place)
        self._s3.delete_object(Bucket=bucket, Key=key)


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an `s3://` URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


class _Upload(io.BytesIO):
    """A stream whose content becomes an object when it is closed."""

    def __init__(self, s3: S3Client, location: str) -> None:
        super().__init__()
        self._s3, self._location = s3, location

    def close(self) -> None:
        if not self.closed:
            bucket, key = split(self._location)
            self._s3.put_object(Bucket=bucket, Key=key, Body=self.getvalue())
        super().close()


class _S3File(InputFile, OutputFile):
    def __init__(self, s3: S3Client, location: str) -> None:
        super().__init__(location)
        self._s3 = s3

    def __len__(self) -> int:
        bucket, key = split(self.location)
        return self._s3.head_object(Bucket=bucket, Key=key)["ContentLength"]

    def exists(self) -> bool:
        bucket, key = split(self.location)
        return bool(self._s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("KeyCount"))

    def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002 - pyiceberg's signature
        bucket, key = split(self.location)
        body: Any = io.BytesIO(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return body  # type: ignore[no-any-return]

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: ARG002 - pyiceberg's signature
        stream: Any = _Upload(self._s3, self.location)
        return stream  # type: ignore[no-any-return]

    def to_input_file(self) -> InputFile:
        return self
